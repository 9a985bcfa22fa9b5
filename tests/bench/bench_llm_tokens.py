#!/usr/bin/env python3
"""bench_llm_tokens.py: tokens a second of the engine that comes with Frond, streamed through Frond, over the same program with the same model and flags asked directly. In turns; the median counts."""
import http.client
import json
import os
import statistics
import subprocess
import time

import kit
import llm

BAR, ROUNDS, TOKENS = 0.97, int(os.environ.get("ROUNDS", "7")), 128
SERVER, MODEL = os.path.join(kit.BUILD, "engine", "llama-server"), os.path.join(kit.BUILD, "engine", "model.gguf")


def stream(port, key, seed):
    """Tokens a second of one answer, from the request to its end."""
    body = {"model": "smollm2-135m-instruct", "messages": [{"role": "user", "content": f"Write a long story about a ship. Number {seed}."}], "max_tokens": TOKENS, "temperature": 0.8, "seed": seed, "stream": True, "stream_options": {"include_usage": True}}
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    began, tokens = time.perf_counter(), 0
    c.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json", "Authorization": f"Bearer {key}"})
    for line in c.getresponse():
        if line.startswith(b"data: {"):
            tokens = (json.loads(line[6:]).get("usage") or {}).get("completion_tokens") or tokens
    c.close()
    return tokens / (time.perf_counter() - began)


def main():
    if not os.path.exists(SERVER):
        raise kit.Skip("the engine is not built: make engine")
    with kit.Folder() as folder:
        port = kit.free_port()
        direct = subprocess.Popen([SERVER, "-m", MODEL, "--offline", "--no-ui", "-c", "8192", "-np", "4", "-t", "1", "-tb", "1", "--embeddings", "--pooling", "mean", "--cache-ram", "64", "--host", "127.0.0.1", "--port", str(port)],
                                  env={"OMP_WAIT_POLICY": "passive"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        frond = None
        try:
            frond = llm.Host(folder, {}, engine=True)
            while kit.request(port, "GET", "/health")[0] != 200:
                time.sleep(0.1)
            rows = []
            for seed in range(ROUNDS + 1):
                sides = [stream(frond.port, frond.key, seed), stream(port, "none", seed)] if seed % 2 else [stream(port, "none", seed), stream(frond.port, frond.key, seed)][::-1]
                if seed:                       # the first warms both
                    rows.append(sides)
                    print(f"  {sides[0]:.1f} tokens a second through Frond, {sides[1]:.1f} directly: {sides[0] / sides[1]:.3f}", flush=True)
            kit.result("llm-tokens", statistics.median(a / b for a, b in rows), BAR, f"{statistics.median(a for a, _ in rows):.1f}/s", f"{statistics.median(b for _, b in rows):.1f}/s", low=False)
        finally:
            direct.kill()
            if frond:
                frond.stop()


kit.main("llm-tokens", main)
