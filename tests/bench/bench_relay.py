#!/usr/bin/env python3
"""Two-player relay, 200 clients: round trips per CPU second and p99, Frond over Colyseus at the same load. Figures: README.md

SECONDS, ROUNDS, RATE (round trips a second and pair; a socket may send 50 messages a second) and CLIENTS may be set.
"""
import json, os
import kit

SECONDS, ROUNDS, RATE, CLIENTS = (int(os.environ.get(n, v)) for n, v in (("SECONDS", 6), ("ROUNDS", 3), ("RATE", 20), ("CLIENTS", 200)))


def colyseus(folder):
    peers = kit.peers()
    s = kit.Server(["node", os.path.join(peers, "relay.mjs"), str(port := kit.free_port())], port)
    try:
        path = os.path.join(folder, "colyseus")
        with open(path, "w") as f:
            for i in range(CLIENTS):
                status, body = kit.request(port, "POST", "/matchmake/joinOrCreate/relay", "{}", {"Content-Type": "application/json"})
                seat = json.loads(body)
                f.write(f"/{seat['processId']}/{seat['roomId']}?sessionId={seat['sessionId']} - {'ba'[i % 2]}\n")
        return kit.run_load(s, "colyseus", path, SECONDS, RATE)
    finally:
        s.stop()


def frond(folder, mode="frond"):
    kit.plugin(os.path.join(folder, "games"), "relay")
    s = kit.Frond(folder)
    try:
        s.wait_ready()
        return kit.run_load(s, mode, s.sockets_file(os.path.join(folder, "frond"), s.sessions(CLIENTS)), SECONDS, RATE)
    finally:
        s.stop()


def body():
    ours, theirs, moves = [], [], []
    kit.peers()
    for _ in range(ROUNDS):
        for name, run, found in (("Colyseus", colyseus, theirs), ("frond", frond, ours), ("as moves", lambda f: frond(f, "inputs"), moves)):
            with kit.Folder() as folder:
                r = run(folder)
            found.append(r)
            print(f"  {name:9} {r['per_second']:7.0f} round trips/s  {r['cpu_us']:6.1f} us CPU ({r['main_cpu_s'] * 1e6 / r['done']:.1f} in the main process)  "
                  f"p50 {r['p50_ms']:.2f} ms  p99 {r['p99_ms']:.2f} ms  behind {r['behind']}", flush=True)
    o, t = (kit.median([r["cpu_us"] for r in x]) for x in (ours, theirs))
    m = kit.median([r["cpu_us"] for r in moves])
    op, tp = (kit.median([r["p99_ms"] for r in x]) for x in (ours, theirs))
    kit.result("relay", t / o, 2, f"{1e6 / o:.0f} round trips per CPU second", f"Colyseus {1e6 / t:.0f}", f"{o:.1f} / {t:.1f} us", low=False)
    kit.result("relay-moves", t / m, 0.5, f"{1e6 / m:.0f} durable round trips per CPU second", f"Colyseus {1e6 / t:.0f}", f"{m:.1f} / {t:.1f} us", low=False)
    kit.result("relay-p99", op / tp, 1, f"{op:.2f} ms", f"Colyseus {tp:.2f} ms")


kit.main("relay", body)
