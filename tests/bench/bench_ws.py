#!/usr/bin/env python3
"""WebSocket echo of 128 bytes, 64 sockets with one message in flight each: CPU of host/net over npm ws. README.md"""
import os
import kit

SECONDS, ROUNDS, SOCKETS, BYTES = (int(os.environ.get(n, v)) for n, v in (("SECONDS", 4), ("ROUNDS", 3), ("SOCKETS", 64), ("BYTES", 128)))


def body():
    cores = sorted(os.sched_getaffinity(0))
    with kit.Folder() as folder:
        servers, file = {}, os.path.join(folder, "sockets")
        open(file, "w").write("/socket - -\n" * SOCKETS)
        try:
            servers["npm ws"] = kit.Server(["node", os.path.join(kit.peers(), "echo.mjs"), str(port := kit.free_port())], port, cpus={cores[0]})
            servers["raw libuv"] = kit.Server([f"{kit.BUILD}/bench/raw_ws", str(port := kit.free_port())], port, cpus={cores[0]})
            servers["host/net"] = kit.Server([f"{kit.BUILD}/bench/bench_http", str(port := kit.free_port())], port, cpus={cores[0]})
            found = {n: [] for n in servers}
            for _ in range(ROUNDS):
                for n, s in servers.items():
                    r = kit.run_load(s, "echo", file, SECONDS, BYTES, cpus={cores[-1]})
                    found[n].append(r["cpu_us"])
                    print(f"  {n:10} {r['per_second']:8.0f}/s  {r['cpu_us']:6.2f} us CPU  p99 {r['p99_ms']:.2f} ms  load {r['load_cpu_us'] / r['done']:.2f} us", flush=True)
        finally:
            for s in servers.values():
                s.stop()
    mid = {n: kit.median(v) for n, v in found.items()}
    kit.result("ws", kit.median([b / a for a, b in zip(found["raw libuv"], found["host/net"])]), 1.25, f"{mid['host/net']:.2f} us",
               f"raw libuv {mid['raw libuv']:.2f} us (npm ws {mid['npm ws']:.2f})", f"{mid['host/net']:.2f} us")


kit.main("ws", body)
