#!/usr/bin/env python3
"""Tokens a second of the real engine, streamed through Frond over llama-server called directly. README.md

Frond starts its own engine, in its jail; beside it the same program runs with the arguments that one was started with, but for the model's path and the socket. They
are asked in turns, each time something else, so that no prompt is found in a cache. ROUNDS, TOKENS (of an answer) may be set.
"""
import http.client, json, os, socket, subprocess, time
import kit

ROUNDS, TOKENS = (int(os.environ.get(n, v)) for n, v in (("ROUNDS", 16), ("TOKENS", 32)))
ENGINE = os.path.join(kit.BUILD, "engine", "llama-server")
MODEL = os.path.join(kit.BUILD, "engine", "model.gguf")
PLACES = ["a lighthouse", "a market", "a harbour", "a mountain hut", "a railway station", "a library", "a desert inn", "an orchard", "a bakery", "an island", "a mill", "a theatre"]


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=120)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def engine_of(frond):
    """(its pid, its arguments): of the engine that a host started, once it is up."""
    for pid in kit.children(frond.p.pid):
        try:
            args = open(f"/proc/{pid}/cmdline").read().split("\0")[:-1]
        except OSError:
            continue
        if args and args[0].endswith("llama-server"):
            return pid, args
    return None, None


class Direct(kit.Server):
    """llama-server with the arguments, the variables and the priority of the host's own: the jail makes it yield to others."""

    def __init__(self, pid, args, folder):
        self.path, self.log = os.path.join(folder, "direct.sock"), os.path.join(folder, "direct.log")
        args = list(args)
        args[0] = ENGINE
        args[args.index("-m") + 1] = MODEL
        args[args.index("--host") + 1] = self.path
        priority = os.getpriority(os.PRIO_PROCESS, pid)
        env = {"LLAMA_API_KEY": "bench", "OMP_WAIT_POLICY": "passive", "MALLOC_ARENA_MAX": "4"}
        self.p = subprocess.Popen(args, env=env, stdout=open(self.log, "a"), stderr=subprocess.STDOUT,
                                  preexec_fn=lambda: os.setpriority(os.PRIO_PROCESS, 0, priority))

    def connection(self):
        return Unix(self.path)


def stream(connection, key, model, place):
    """(tokens, seconds from the question to the end, seconds to the first token)"""
    body = {"model": model, "stream": True, "stream_options": {"include_usage": True}, "max_tokens": TOKENS, "temperature": 0.8,
            "messages": [{"role": "user", "content": f"Write a long story about {place}, with many details."}]}
    began, first, tokens = time.monotonic(), None, 0
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json", "Authorization": "Bearer " + key})
    answer = connection.getresponse()
    if answer.status != 200:
        raise OSError(f"{answer.status} {answer.read()[:300]}")
    for line in answer:
        if not line.startswith(b"data: ") or line.strip() == b"data: [DONE]":
            continue
        event = json.loads(line[6:])
        if event.get("error"):
            raise OSError(str(event))
        if first is None and any(c["delta"].get("content") for c in event["choices"]):
            first = time.monotonic() - began
        tokens = (event.get("usage") or {}).get("completion_tokens", tokens)
    took = time.monotonic() - began
    connection.close()
    return tokens, took, first


def wait_up(what, ask, server):
    for _ in range(600):
        try:
            return ask()
        except (OSError, http.client.HTTPException) as e:
            last = e
        if server.p.poll() is not None:
            break
        time.sleep(0.2)
    raise SystemExit(f"bench: {what} does not answer: {last}\n{open(server.log).read()[-1500:]}")


def body():
    if not (os.path.exists(ENGINE) and os.path.exists(MODEL)):
        raise kit.Skip("the engine is not built: make engine")
    found, cpu = {"direct": [], "frond": []}, []
    with kit.Folder() as folder:
        servers = []
        try:
            servers.append(frond := kit.Frond(folder).wait_ready())
            key = frond.api_key()
            through = lambda place: stream(http.client.HTTPConnection("127.0.0.1", frond.port, timeout=120), key, "smollm2-135m-instruct", place)
            wait_up("the host's engine", lambda: through("a garden"), frond)
            pid, args = engine_of(frond)
            if not pid:
                raise SystemExit("bench: the host's engine is not among its processes")
            servers.append(direct := Direct(pid, args, folder))
            straight = lambda place: stream(direct.connection(), "bench", args[args.index("--alias") + 1], place)
            wait_up("llama-server", lambda: straight("a garden"), direct)
            for i in range(ROUNDS):
                for name, ask in (("direct", straight), ("frond", through))[::1 if i % 2 == 0 else -1]:
                    began = kit.cpu_s([frond.p.pid])
                    tokens, took, first = ask(PLACES[i % len(PLACES)] + f" in the year {1800 + i}")
                    found[name].append(tokens / took)
                    used = (kit.cpu_s([frond.p.pid]) - began) * 1e6 / tokens
                    if name == "frond":
                        cpu.append(used)
                    print(f"  {name:7} {tokens:4} tokens in {took:6.2f} s: {tokens / took:6.2f} a second, the first after {first:.2f} s; the host's CPU {used:.0f} us a token  load {kit.loadavg()}", flush=True)
        finally:
            for s in reversed(servers):
                s.stop()
    ours, theirs = kit.median(found["frond"]), kit.median(found["direct"])
    kit.result("llm-tokens", kit.median([o / t for o, t in zip(found["frond"], found["direct"])]), 0.97, f"{ours:.1f} tokens/s through Frond", f"llama-server {theirs:.1f}", f"{kit.median(cpu):.0f} us of the host a token", low=False)


kit.main("llm-tokens", body)
