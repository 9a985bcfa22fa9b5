"""What the benches of models share: a host with a backend, a key for it, and a paced load over kept-alive connections."""
import asyncio, json, os, subprocess, time

import kit

BODY = {"model": "fixed", "messages": [{"role": "user", "content": "What is a plugin, in one sentence?"}], "max_tokens": 16}
FIXED = json.dumps({"id": "chatcmpl-1", "object": "chat.completion", "created": 1700000000, "model": "fixed", "choices": [{"index": 0, "message": {"role": "assistant", "content": "A plugin adds to a program what it did not have before."}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 17, "completion_tokens": 13, "total_tokens": 30}})


class Host(kit.Server):
    """`frond serve --dev` with `models` as that part of its config file. The answers' cache is off: each call goes to the backend."""

    def __init__(self, folder, models, engine=False):
        port, config, self.data = kit.free_port(), os.path.join(folder, "models.json"), os.path.join(folder, "data")
        wide = {"tokens_minute": 10**12, "tokens_day": 10**12, "requests_minute": 10**9}
        json.dump({"models": {"engine": engine, "cache": {"bytes": 0}, "limits": {"key": wide}, **models}, "limits": {"address_requests_per_second": 0}}, open(config, "w"))
        super().__init__([f"{kit.BUILD}/frond", "serve", "--dev", "--no-chain", *([] if engine else ["--no-models"]), "--data", self.data, "--listen", f"127.0.0.1:{port}", "--config", config], port, os.path.join(folder, "frond.log"))
        said = subprocess.run([f"{kit.BUILD}/frond", "llm", "key", "new", "bench", "--json", "--data", self.data], capture_output=True, text=True)
        self.key = json.loads(said.stdout)["result"]["key"]
        for _ in range(600):
            if json.loads(kit.request(port, "GET", "/healthz")[1] or b"{}").get("models") == "up":
                return
            time.sleep(0.1)
        raise SystemExit("bench: the model did not come up")


def request_bytes(key, body, path="/v1/chat/completions"):
    text = json.dumps(body).encode()
    return (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n").encode() + text


async def one(reader, writer, request):
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
    await reader.readexactly(length)
    if b" 200 " not in head.split(b"\r\n")[0]:
        raise SystemExit(f"bench: answered {head.split(chr(13).encode())[0]!r}")


async def paced(port, request, per_second, seconds, connections):
    """Sends at its times, whatever the answers do: a late answer makes the next of that connection late, and that is counted too."""
    took, began = [], time.perf_counter() + 0.2
    async def client(i):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for n in range(int(per_second * seconds / connections)):
            due = began + (n * connections + i) / per_second
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            await one(reader, writer, request)
            took.append(time.perf_counter() - due)
        writer.close()
    await asyncio.gather(*(client(i) for i in range(connections)))
    return sorted(took)


def load(port, request, per_second, seconds, connections=32):
    return asyncio.run(paced(port, request, per_second, seconds, min(connections, max(1, int(per_second * seconds / 5)))))


def quantile(sorted_s, q):
    return sorted_s[min(len(sorted_s) - 1, int(len(sorted_s) * q))] * 1000
