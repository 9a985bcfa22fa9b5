#!/usr/bin/env python3
"""CPU of GET /healthz over a raw libuv server that writes the same bytes unread. Usage: bench_http.py FOLDER RAW ALONE [FROND]

FOLDER is for scratch files, ALONE is host/net by itself, FROND the host. Without FROND, host/net alone is measured and the last
line says so. Server on one core, wrk (64 kept-alive connections) on another, in turns, medians of user and system time per
request: other work on the machine moves rates far more than it moves these. ROUNDS, ROUND_S and CONNECTIONS may be set.
"""
import json, os, random, shutil, socket, statistics, subprocess, sys, tempfile, time

import kit

FOLDER, RAW, ALONE = sys.argv[1:4]
FROND = sys.argv[4] if len(sys.argv) > 4 and os.path.exists(sys.argv[4]) else None
ROUNDS, SECONDS, CONNECTIONS = (int(os.environ.get(name, number)) for name, number in (("ROUNDS", 5), ("ROUND_S", 3), ("CONNECTIONS", 64)))
BAR = 1.25
HZ = os.sysconf("SC_CLK_TCK")
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = {CORES[0]}, {CORES[-1]}


def free_port():
    while True:
        port = random.randint(20000, 32000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


def start(command, port):
    p = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=lambda: os.sched_setaffinity(0, SERVER_CORE))
    for line in p.stdout:
        if line.startswith("ready") or '"ready' in line:
            break
    else:
        sys.exit(f"bench-http: {command[0]} did not start")
    return p, port


def one_answer(port):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % port)
        answer = b""
        while b"\r\n\r\n" not in answer or not answer.split(b"\r\n\r\n", 1)[1]:
            answer += s.recv(65536)
    if not answer.startswith(b"HTTP/1.1 200"):
        sys.exit(f"bench-http: /healthz answered {answer[:200]!r}")
    return answer


def cpu_s(p):
    fields = open(f"/proc/{p.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / HZ


def load(server, seconds):
    p, port = server
    before = cpu_s(p)
    out = subprocess.run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", f"http://127.0.0.1:{port}/healthz"], capture_output=True,
                         text=True, check=True, preexec_fn=lambda: os.sched_setaffinity(0, LOAD_CORE)).stdout
    used = cpu_s(p) - before
    if "Non-2xx" in out or "Socket errors" in out:
        sys.exit(f"bench-http: errors among the answers:\n{out}")
    return used / int(out.split(" requests in")[0].split()[-1]) * 1e6


def main():
    if not shutil.which("wrk"):
        raise kit.Skip("wrk is missing: apt-get install wrk")
    os.makedirs(FOLDER, exist_ok=True)
    scratch = tempfile.mkdtemp(dir=FOLDER)
    servers, running = {}, []
    try:
        port = free_port()
        if FROND:
            with open(scratch + "/frond.json", "w") as f:       # no limit of one address: all the load comes from one
                json.dump({"limits": {"address_requests_per_second": 0, "connections_per_address": 20000}}, f)
            subject = start([FROND, "serve", "--dev", "--no-chain", "--data", scratch + "/data", "--listen", f"127.0.0.1:{port}", "--config", scratch + "/frond.json"], port)
        else:
            subject = start([ALONE, str(port)], port)
        running.append(subject[0])
        with open(scratch + "/answer", "wb") as f:
            f.write(one_answer(port))
        port = free_port()
        servers["raw libuv"] = start([RAW, scratch + "/answer", str(port)], port)
        running.append(servers["raw libuv"][0])
        if FROND:
            port = free_port()
            servers["host/net alone"] = start([ALONE, str(port)], port)
            running.append(servers["host/net alone"][0])
        name = "frond /healthz" if FROND else "host/net alone"
        servers[name] = subject

        found = {n: [] for n in servers}
        for s in servers.values():
            load(s, 1)
        for _ in range(ROUNDS):
            for n, s in servers.items():
                found[n].append(load(s, SECONDS))
    finally:
        for p in running:
            p.terminate()
        for p in running:
            p.wait()
        shutil.rmtree(scratch, ignore_errors=True)

    for n, values in found.items():
        print(f"  {n:16} {statistics.median(values):6.2f} us of CPU per request   ({', '.join(f'{v:.2f}' for v in values)})")
    if not FROND:
        print("  build/frond is not there: this is host/net without the host's routes")
    # Each round's pair ran one after the other, so the machine's mood cancels out of their quotient.
    ratio = statistics.median(b / a for a, b in zip(found["raw libuv"], found[name]))
    kit.result("http", ratio, BAR, f"{statistics.median(found[name]):.2f} us", f"raw libuv {statistics.median(found['raw libuv']):.2f} us", f"{statistics.median(found[name]):.2f} us")


kit.main("http", main)
