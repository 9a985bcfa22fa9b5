#!/usr/bin/env python3
"""ROOMS matches with 4 sockets each and a clock of 20 Hz that every socket hears: ticks that came late (by a period) or never. README.md"""
import os
import kit

SECONDS, ROOMS = (int(os.environ.get(n, v)) for n, v in (("SECONDS", 15), ("ROOMS", 1000)))


def body():
    with kit.Folder() as folder:
        kit.plugin(os.path.join(folder, "games"), "rooms", heap_mib=128, workers=2)     # a worker has 512 turns open at once, and a thousand rooms may tick together
        s = kit.Frond(folder)
        try:
            s.wait_ready()
            file = s.sockets_file(os.path.join(folder, "sockets"), s.sessions(4 * ROOMS))
            r = kit.run_load(s, "rooms", file, SECONDS)
        finally:
            s.stop()
        percent = 100 * r["cpu_s"] / r["seconds"]
        print(f"  {ROOMS} rooms: {r['per_second']:.0f} ticks heard a second of {80 * ROOMS}, late {r['late']}, dropped {r['dropped']}, p99 {r['p99_ms']:.1f} ms behind, "
              f"worst {r['max_ms']:.1f} ms; server {percent:.0f}% of a core (host {100 * r['main_cpu_s'] / r['seconds']:.0f}%), load {r['load_cpu_us'] / 1e4 / r['seconds']:.0f}%")
        kit.result("rooms", r["late"] + r["dropped"], 0, f"{r['ticks']} ticks, {r['late']} late, {r['dropped']} dropped", "none", f"{percent:.0f}% of a core", of="ticks late or dropped")


kit.main("rooms", body)
