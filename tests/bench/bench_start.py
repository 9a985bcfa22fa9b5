#!/usr/bin/env python3
"""Start to the first 200 of /readyz with one plugin loaded, on a new data folder and on one that was used; memory then. README.md"""
import os, time
import kit

ROUNDS, BAR_MS = int(os.environ.get("ROUNDS", "9")), 100


def once(folder, data):
    at = time.monotonic()
    s = kit.Frond(folder, data=data)
    s.wait_ready()
    ms = (time.monotonic() - at) * 1000
    cpu, mib = kit.cpu_s(s.pids()) * 1000, kit.memory_kib(s.pids()) / 1024
    at = time.monotonic()
    s.stop()
    return ms, cpu, mib, (time.monotonic() - at) * 1000


def body():
    with kit.Folder() as folder:
        kit.plugin(os.path.join(folder, "games"), "call", "benchcall")
        new = [once(folder, os.path.join(folder, f"data{i}")) for i in range(ROUNDS)]
        again = [once(folder, os.path.join(folder, "data0")) for _ in range(ROUNDS)]
    for name, runs in (("new data folder", new), ("used data folder", again)):
        ms, cpu, mib, stop = (kit.median(c) for c in zip(*runs))
        print(f"  {name:17} ready after {ms:.0f} ms ({min(r[0] for r in runs):.0f} to {max(r[0] for r in runs):.0f}), {cpu:.0f} ms CPU, {mib:.1f} MiB PSS with its workers, stopped in {stop:.0f} ms")
    ms = kit.median([r[0] for r in new])
    kit.result("start", ms, BAR_MS, f"{ms:.0f} ms, {kit.median([r[2] for r in new]):.1f} MiB", "none", f"{kit.median([r[1] for r in new]):.0f} ms", of="ms to ready")


kit.main("start", body)
