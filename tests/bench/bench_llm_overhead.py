#!/usr/bin/env python3
"""What Frond adds to a call of a model, and its CPU per request, LiteLLM's proxy over Frond. README.md

A model server with one fixed answer (llm_backend.c) is asked directly and through Frond's /v1/chat/completions at RATE a second: added p50 and p99. Then the same
server is asked through Frond and through LiteLLM's proxy (litellm[proxy], one worker, a master key, no store, no log) at PEER_RATE a second, which one of its
workers takes here, in turns: the ratio is of those rounds. SECONDS, ROUNDS, RATE, PEER_RATE may be set.
"""
import json, os, subprocess, time
import kit

SECONDS, ROUNDS, RATE, PEER_RATE = (int(os.environ.get(n, v)) for n, v in (("SECONDS", 4), ("ROUNDS", 3), ("RATE", 1000), ("PEER_RATE", 50)))
LITELLM = os.path.join(kit.BUILD, "bench-litellm", "venv", "bin", "litellm")
KEY = "sk-bench-1234567890"


class Proxy(kit.Server):
    """LiteLLM's proxy with one worker. It says nothing when it listens: it is asked until it answers."""

    def __init__(self, folder, backend):
        self.port, self.log = kit.free_port(), os.path.join(folder, "litellm.log")
        config = os.path.join(folder, "litellm.json")       # JSON is YAML
        model = {"model_name": "bench", "litellm_params": {"model": "openai/bench", "api_base": f"http://127.0.0.1:{backend.port}/v1", "api_key": "none"}}
        json.dump({"model_list": [model], "general_settings": {"master_key": KEY}, "litellm_settings": {"telemetry": False}}, open(config, "w"))
        quiet = os.path.join(folder, "log.json")            # uvicorn's line for each request is not what is measured
        json.dump({"version": 1, "disable_existing_loggers": False, "loggers": {n: {"level": "WARNING"} for n in ("uvicorn", "uvicorn.access")}}, open(quiet, "w"))
        # Prices from its own files, and nothing fetched; warnings alone in its log.
        env = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR", "LITELLM_MODE": "PRODUCTION"}
        self.p = subprocess.Popen([LITELLM, "--config", config, "--host", "127.0.0.1", "--port", str(self.port), "--num_workers", "1", "--telemetry", "False", "--log_config", quiet], env=env, cwd=folder,
                                  stdout=open(self.log, "a"), stderr=subprocess.STDOUT)
        for _ in range(1200):
            if kit.request(self.port, "GET", "/health/liveliness")[0] == 200:
                return
            if self.p.poll() is not None:
                break
            time.sleep(0.1)
        self.stop()
        raise SystemExit(f"bench: LiteLLM did not start: {open(self.log).read()[-2000:]}")


def measure(name, server, key, rate, found):
    r = kit.llm_load(server, key, "paced", SECONDS, rate)
    found.setdefault((name, rate), []).append(r)
    print(f"  {name:8} {r['per_second']:7.1f}/s of {rate}  p50 {r['p50_ms']:.2f} ms  p99 {r['p99_ms']:.2f} ms  {r['cpu_us']:8.1f} us CPU, {r['main_cpu_s'] * 1e6 / max(r['done'], 1):.1f} of it in the main process  "
          f"late {r['behind']}  load {kit.loadavg()}", flush=True)


def added(found, quantile):
    return kit.median([f[quantile] - d[quantile] for d, f in zip(found["direct", RATE], found["frond", RATE])])


def body():
    found = {}
    with kit.Folder() as folder:
        servers = []
        try:
            servers.append(backend := kit.llm_backend())
            servers.append(frond := kit.Frond(folder, models=kit.llm_models(backend)).wait_ready())
            key = frond.api_key()
            for _ in range(ROUNDS):
                measure("direct", backend, "none", RATE, found)
                measure("frond", frond, key, RATE, found)
            p50, p99 = added(found, "p50_ms"), added(found, "p99_ms")
            least = min(f["p99_ms"] for f in found["frond", RATE]) - min(d["p99_ms"] for d in found["direct", RATE])      # of the quietest rounds
            paced = kit.median([r["cpu_us"] for r in found["frond", RATE]])
            print(f"  added at {RATE} a second: p50 {p50:.2f} ms, p99 {p99:.2f} ms ({least:.2f} in the quietest rounds); {paced:.1f} us of CPU a request", flush=True)
            if not os.path.exists(LITELLM):
                raise kit.Skip(f"no ratio: litellm[proxy] could not be installed (tests/bench/peers/litellm.txt); added p50 {p50:.2f} ms, p99 {p99:.2f} ms, {paced:.1f} us CPU")
            servers.append(proxy := Proxy(folder, backend))
            for _ in range(ROUNDS):
                measure("litellm", proxy, KEY, PEER_RATE, found)
                measure("frond", frond, key, PEER_RATE, found)
        finally:
            for s in reversed(servers):
                s.stop()
    ours, theirs = (kit.median([r["cpu_us"] for r in found[n, PEER_RATE]]) for n in ("frond", "litellm"))
    ratio = kit.median([t["cpu_us"] / o["cpu_us"] for o, t in zip(found["frond", PEER_RATE], found["litellm", PEER_RATE])])
    print(f"  against {paced:.1f} us at {RATE} a second, where calls share turns of the loop, it would be {theirs / paced:.1f}")
    kit.result("llm-overhead", ratio, 20, f"{ours:.0f} us; added p50 {p50:.2f}, p99 {p99:.2f} ms at {RATE}/s", f"LiteLLM {theirs:.0f} us, {PEER_RATE}/s", f"{ours:.0f} / {theirs:.0f} us", low=False)


kit.main("llm-overhead", body)
