#!/usr/bin/env python3
"""From the kill of a plugin's only worker to the next call that it answers. README.md"""
import http.client, json, os, time
import kit

ROUNDS, BAR_MS = int(os.environ.get("ROUNDS", "21")), 100


def call(c, headers):
    c.request("POST", "/v1/call/benchcall/round", '{"id":"u1","name":"Ann","level":7,"coins":1250,"stake":50,"cards":[3,9,12]}', headers)
    r = c.getresponse()
    r.read()
    return r.status


def body():
    with kit.Folder() as folder:
        kit.plugin(os.path.join(folder, "games"), "call", "benchcall")
        s = kit.Frond(folder)
        try:
            s.wait_ready()
            headers = {"Authorization": "Bearer " + s.sessions(1)[0], "Content-Type": "application/json"}
            c = http.client.HTTPConnection("127.0.0.1", s.port, timeout=10)
            took = []
            for _ in range(ROUNDS):
                while call(c, headers) != 200:
                    time.sleep(0.005)
                c.request("GET", "/v1/dev/status")
                pid = [w["pid"] for w in json.loads(c.getresponse().read())["workers"] if w["plugin"] == "benchcall"][0]
                at = time.monotonic()
                os.kill(pid, 9)
                while call(c, headers) != 200 or os.path.exists(f"/proc/{pid}/fd/0"):
                    time.sleep(0.0005)
                took.append((time.monotonic() - at) * 1000)
                time.sleep(0.2)
        finally:
            s.stop()
    ms = kit.median(took)
    print(f"  killed {ROUNDS} times: answered again after {ms:.1f} ms (best {min(took):.1f}, worst {max(took):.1f})")
    kit.result("restart", ms, BAR_MS, f"{ms:.1f} ms, worst {max(took):.0f}", "none", of="ms from kill to answer")


kit.main("restart", body)
