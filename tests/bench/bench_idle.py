#!/usr/bin/env python3
"""User memory that a signed-in, silent WebSocket costs the host: its growth from 1,000 to SOCKETS of them. README.md"""
import os, subprocess, time
import kit

SOCKETS, EACH, FIRST = int(os.environ.get("SOCKETS", "10000")), 8, 1000      # 8 sockets a player is the host's limit


def sock_kib():
    """Kernel memory of TCP buffers, all of this network namespace; the slab entries of the sockets themselves are not in it."""
    for line in open("/proc/net/sockstat"):
        if line.startswith("TCP:"):
            return int(line.split()[-1]) * 4
    return 0


def open_all(s, file):
    p = subprocess.Popen([f"{kit.BUILD}/bench/load", "idle", str(s.port), file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if p.stdout.readline().strip() != "open":
        raise SystemExit("bench-idle: the sockets did not open (ulimit -n?)")
    time.sleep(3)
    return p


def body():
    with kit.Folder() as folder:
        s = kit.Frond(folder)
        crowds = []
        try:
            s.wait_ready()
            tokens = s.sessions((SOCKETS + EACH - 1) // EACH)
            few = s.sockets_file(os.path.join(folder, "few"), tokens[:FIRST // EACH], EACH)
            many = s.sockets_file(os.path.join(folder, "many"), tokens[FIRST // EACH:SOCKETS // EACH], EACH)
            crowds.append(open_all(s, few))                  # pools and tables are warm from here on
            pids = [s.p.pid]
            before = {k: kit.memory_kib(pids, k) for k in ("Rss", "Pss", "Private_Dirty")}
            kernel = sock_kib()
            crowds.append(open_all(s, many))
            count = SOCKETS // EACH * EACH - FIRST
            grown = {k: (kit.memory_kib(pids, k) - before[k]) / count for k in before}
            cpu = kit.cpu_s(pids)
            time.sleep(5)
            cpu = (kit.cpu_s(pids) - cpu) / 5
            kernel = (sock_kib() - kernel) / count
        finally:
            for p in crowds:
                p.stdin.close()
                p.wait()
            s.stop()
        print(f"  per socket: RSS {grown['Rss']:.2f} KiB, PSS {grown['Pss']:.2f} KiB, private {grown['Private_Dirty']:.2f} KiB; kernel buffers {kernel:.2f} KiB; "
              f"all of them silent use {100 * cpu:.1f}% of a core")
        kit.result("idle", grown["Pss"], 4, f"{grown['Pss']:.2f} KiB PSS, {grown['Rss']:.2f} RSS", "18 to 39 KiB (Colyseus, elsewhere)", f"{100 * cpu:.1f}% of a core", of="KiB a socket")


kit.main("idle", body)
