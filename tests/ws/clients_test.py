"""clients_test.py: Python's `websockets`, as a second opinion, against host/net: random messages come back as they went, whole or in pieces,
text and binary; pings are answered; close codes agree on both sides; compression is offered and declined. SEED=7 repeats a run."""
import asyncio, os, random, sys
sys.path.insert(0, os.path.dirname(__file__))
try:
    import websockets
    from websockets.asyncio.client import connect
except ImportError:
    print("ok python websockets # SKIP websockets is not installed: make test does it")
    sys.exit(0)
from frames import Echo, seed_of_today

MESSAGES, LINES, BYTES_MAX = 150, 8, 64 * 1024
ALPHABET = "aZ 0\0\n\x7f\u0080é߿ࠀ한글ᚠ\ud7ff\ue000\ufffd\ufeff😀🇰🇷\U0010ffff"


def some_text(rng):
    n = rng.choice((0, 1, 2, 41, 42, 125, 126, 127, 1000, 8000, 16000))
    return "".join(rng.choices(ALPHABET, k=n))


def some_bytes(rng):
    return rng.randbytes(rng.choice((0, 1, 125, 126, 65535, BYTES_MAX, rng.randrange(BYTES_MAX))))


def in_pieces(rng, message):
    cuts = sorted(rng.randrange(len(message) + 1) for _ in range(rng.randrange(1, 9)))
    return [message[a:b] for a, b in zip([0, *cuts], [*cuts, len(message)])]


async def line(port, seed):
    rng = random.Random(seed)
    async with connect(f"ws://127.0.0.1:{port}/socket", max_size=1 << 20, compression="deflate") as ws:
        assert not ws.protocol.extensions, "compression was agreed"
        for _ in range(MESSAGES):
            message = some_text(rng) if rng.random() < 0.6 else some_bytes(rng)
            if rng.random() < 0.4:
                await ws.send(in_pieces(rng, message))
            else:
                await ws.send(message)
            if rng.random() < 0.1:
                pong = await ws.ping(rng.randbytes(rng.randrange(126)))
                await asyncio.wait_for(pong, 20)
            back = await asyncio.wait_for(ws.recv(), 20)
            assert type(back) is type(message) and back == message, f"{message[:40]!r} came back as {back[:40]!r}"


async def burst(port, seed):
    rng = random.Random(seed)
    sent = [some_text(rng)[:500] for _ in range(500)]
    async with connect(f"ws://127.0.0.1:{port}/socket") as ws:
        for message in sent:
            await ws.send(message)
        for message in sent:
            assert await asyncio.wait_for(ws.recv(), 20) == message


async def closing(port):
    for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999):
        ws = await connect(f"ws://127.0.0.1:{port}/socket")
        await ws.close(code, "why")
        assert ws.protocol.close_rcvd.code == code and ws.protocol.close_rcvd_then_sent is False, code


async def too_long(port):
    ws = await connect(f"ws://127.0.0.1:{port}/socket")
    await ws.send("x" * (BYTES_MAX + 1))
    try:
        await asyncio.wait_for(ws.recv(), 20)
        assert False, "a message over the bound came back"
    except websockets.ConnectionClosedError as end:
        assert end.rcvd.code == 1009, end


async def main():
    seed = seed_of_today()
    echo, failed = Echo(), 0
    print(f"# websockets {websockets.__version__}")

    async def check(name, work):
        nonlocal failed
        try:
            await work
            print(f"ok {name}")
        except Exception as wrong:
            failed += 1
            print(f"not ok {name}\n  {type(wrong).__name__}: {wrong}")

    await check(f"python websockets: {LINES * MESSAGES} random messages on {LINES} lines come back as they went", asyncio.gather(*(line(echo.port, seed + i) for i in range(LINES))))
    await check("python websockets: 500 messages sent before the first is read keep their order", burst(echo.port, seed))
    await check("python websockets: close codes agree", closing(echo.port))
    await check("python websockets: 1009 past the bound", too_long(echo.port))
    failed += echo.stop() != 0
    sys.exit(1 if failed else 0)


asyncio.run(main())
