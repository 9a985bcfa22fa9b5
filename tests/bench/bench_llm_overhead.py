#!/usr/bin/env python3
"""bench_llm_overhead.py RAW_LIBUV: what Frond's OpenAI wire adds to a backend that answers at once: milliseconds at 1,000 requests a second, and CPU per request beside LiteLLM's proxy's.

The backend writes one fixed answer to whatever it reads. Frond proves a key, checks the request, queues, sets a budget aside, checks the answer and counts; LiteLLM's proxy (one worker) checks its master key and counts nothing.
Both are asked in turns at a rate they can take; CPU is theirs alone.
"""
import json
import os
import statistics
import subprocess
import sys
import time

import kit
import llm

BAR, RATE, SECONDS, ROUNDS = 20, int(os.environ.get("RATE", "1000")), float(os.environ.get("ROUND_S", "8")), int(os.environ.get("ROUNDS", "3"))
PROXY_RATE = 25
PROXY = "litellm[proxy]==1.80.0"


class Proxy(kit.Server):
    def __init__(self, folder, backend):
        venv = os.path.join(kit.BUILD, "bench-litellm")
        program = os.path.join(venv, "bin", "litellm")
        if not os.path.exists(program):
            for command in ([sys.executable, "-m", "venv", venv], [os.path.join(venv, "bin", "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check", PROXY]):
                done = subprocess.run(command, capture_output=True, text=True)
                if done.returncode != 0:
                    raise kit.Skip("litellm's proxy cannot be installed: " + (done.stderr.strip().splitlines() or [""])[-1][:120])
        config = os.path.join(folder, "litellm.yaml")
        open(config, "w").write(f"model_list:\n  - model_name: fixed\n    litellm_params: {{model: openai/fixed, api_base: \"http://127.0.0.1:{backend}/v1\", api_key: none}}\ngeneral_settings: {{master_key: sk-bench}}\nlitellm_settings: {{telemetry: false}}\n")
        self.port, self.key = kit.free_port(), "sk-bench"
        self.log = os.path.join(folder, "litellm.log")
        env = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "DO_NOT_TRACK": "1"}
        self.p = subprocess.Popen([program, "--config", config, "--host", "127.0.0.1", "--port", str(self.port), "--num_workers", "1"], stdout=open(self.log, "w"), stderr=subprocess.STDOUT, env=env)
        for _ in range(240):
            if kit.request(self.port, "GET", "/health/liveliness")[0] == 200:
                return
            if self.p.poll() is not None:
                break
            time.sleep(0.5)
        raise kit.Skip("litellm's proxy does not start: " + open(self.log).read()[-200:].replace("\n", " "))


def cpu_us(server, rate, seconds):
    """CPU per request of `server` alone."""
    request, pids = llm.request_bytes(server.key, llm.BODY), server.pids()
    before = kit.cpu_s(pids)
    took = llm.load(server.port, request, rate, seconds)
    return (kit.cpu_s(server.pids()) - before) / len(took) * 1e6, took


def main():
    with kit.Folder() as folder:
        answer = os.path.join(folder, "answer")
        open(answer, "w").write(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(llm.FIXED)}\r\n\r\n{llm.FIXED}")
        port = kit.free_port()
        backend, frond = subprocess.Popen([sys.argv[1], answer, str(port)]), None
        try:
            frond = llm.Host(folder, {"backends": [{"name": "fixed", "url": f"http://127.0.0.1:{port}", "models": [{"name": "fixed", "can": ["chat"]}]}]})
            rows = []
            for _ in range(ROUNDS):
                direct = llm.load(port, llm.request_bytes("none", llm.BODY), RATE, SECONDS)
                ours, through = cpu_us(frond, RATE, SECONDS)
                rows.append([ours] + [llm.quantile(through, q) - llm.quantile(direct, q) for q in (0.5, 0.99)])
                print(f"  {RATE} a second: added p50 {rows[-1][1]:.2f} ms, p99 {rows[-1][2]:.2f} ms (direct {llm.quantile(direct, .5):.2f}, {llm.quantile(direct, .99):.2f}); {ours:.0f} us of CPU a request")
            mid = lambda i: statistics.median(r[i] for r in rows)
            print(f"  added: p50 {mid(1):.2f} ms, p99 {mid(2):.2f} ms; resident {kit.memory_kib(frond.pids()[:1], 'Rss') / 1024:.0f} MiB", flush=True)
            proxy = Proxy(folder, port)
            try:
                ratios = []
                cpu_us(proxy, PROXY_RATE, 2)
                for _ in range(ROUNDS):
                    theirs, took = cpu_us(proxy, PROXY_RATE, SECONDS)
                    ours, _ = cpu_us(frond, PROXY_RATE, SECONDS)
                    fast, _ = cpu_us(frond, RATE, SECONDS)
                    ratios.append((theirs / fast, theirs, fast, ours))
                    print(f"  LiteLLM at {PROXY_RATE} a second: {theirs:.0f} us a request, p50 {llm.quantile(took, .5):.1f} ms; Frond at that rate {ours:.0f} us, at {RATE} a second {fast:.0f} us")
            finally:
                proxy.stop()
            mid = lambda i: statistics.median(r[i] for r in ratios)
            kit.result("llm-overhead", mid(0), BAR, f"{mid(2):.0f} us a request", f"{mid(1):.0f} us", f"at the proxy's rate {mid(3):.0f} us", low=False)
        finally:
            backend.kill()
            if frond:
                frond.stop()


kit.main("llm-overhead", main)
