#!/usr/bin/env python3
"""Resident memory of the host over CALLS calls of a model: the last over that after the first fifth. README.md

The calls are of all kinds (llm_load.c): plain, streamed, and such whose answers are kept in the cache, which is made small so that it is full early.
"""
import os
import kit

CALLS, EVERY = (int(os.environ.get(n, v)) for n, v in (("CALLS", 100000), ("EVERY", 10000)))


def slope(points):
    """Bytes a call, by least squares."""
    n, mx, my = len(points), sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)
    return sum((x - mx) * (y - my) for x, y in points) / sum((x - mx) ** 2 for x, _ in points) * 1024 if n > 1 else 0


def body():
    seen = []
    with kit.Folder() as folder:
        servers = []
        try:
            servers.append(backend := kit.llm_backend())
            servers.append(frond := kit.Frond(folder, models=kit.llm_models(backend, cache={"bytes": 1024 * 1024, "ttl_s": 600})).wait_ready())

            def on_line(line):
                calls, kib = int(line.split()[1]), kit.memory_kib([frond.p.pid], "Rss")
                seen.append((calls, kib))
                print(f"  {calls:7} calls  {kib:6} KiB resident  load {kit.loadavg()}", flush=True)
            r = kit.llm_load(frond, frond.api_key(), "calls", CALLS, EVERY, on_line=on_line)
        finally:
            for s in reversed(servers):
                s.stop()
    later = [p for p in seen if p[0] >= CALLS // 5]
    print(f"  {r['per_second']:.0f} calls a second, {r['cpu_us']:.1f} us of CPU each; {slope(later):.2f} bytes a call after the first {later[0][0]}")
    kit.result("llm-memory", later[-1][1] / later[0][1], 1.05, f"{later[-1][1]} KiB after {later[-1][0]} calls", f"{later[0][1]} KiB after {later[0][0]}", f"{r['cpu_us']:.1f} us", of=f"slope {slope(later):.2f} B a call")


kit.main("llm-memory", body)
