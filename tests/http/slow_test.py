"""slow_test.py: clients that take their time, against host/net with shortened deadlines (net-echo, under sanitizers). Nothing here asserts how long something
takes: each check waits for what must happen - an answer, the end of a line, a count - and fails only when it never comes. SEED is not needed."""
import json, os, resource, socket, sys, threading, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../ws"))
from frames import CLOSE, PING, TEXT, Broken, Echo, Line, close_payload, frame

PATIENCE_S = 60
CROWD = 3000                 # half-open at once
PER_CONNECTION_BYTES = 16 * 1024         # of the server's resident memory, under ASan; net/README says about 1 KiB of ours without
failed = 0


def check(name, ok, why=""):
    global failed
    failed += not ok
    print(f"{'ok' if ok else 'not ok'} slow: {name}" + ("" if ok else f"\n  {why}"), flush=True)


def connect(port, small=False):
    sock = socket.socket()
    if small:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(PATIENCE_S)
    sock.connect(("127.0.0.1", port))
    return sock


def all_of(sock):
    got = b""
    try:
        while piece := sock.recv(65536):
            got += piece
    except (ConnectionResetError, socket.timeout) as end:
        got += f" {type(end).__name__}".encode()
    sock.close()
    return got


def drip(sock, data, gap_s=0.02):
    """Sends byte by byte until the server has had enough."""
    for i in range(len(data)):
        try:
            sock.sendall(data[i:i + 1])
        except OSError:
            return
        time.sleep(gap_s)
        sock.setblocking(False)
        try:
            if sock.recv(1, socket.MSG_PEEK) is not None:
                return
        except (BlockingIOError, ConnectionResetError):
            pass
        finally:
            sock.settimeout(PATIENCE_S)


def settle(echo, key, value):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        stats = echo.stats()
        if stats[key] == value:
            return stats
        time.sleep(0.02)
    return echo.stats()


def rss(echo):
    with open(f"/proc/{echo.child.pid}/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def trickles(echo):
    answers = {}

    def one(name, first, then):
        sock = connect(echo.port)
        sock.sendall(first)
        drip(sock, then)
        answers[name] = all_of(sock)

    jobs = {
        "a header that drips": (b"GET / HTTP/1.1\r\nHost: x\r\nX: ", b"y" * 5000),
        "headers that come one by one": (b"GET / HTTP/1.1\r\nHost: x\r\n", b"A: b\r\n" * 1000),
        "a request line that drips": (b"", b"GET /" + b"a" * 5000),
        "empty lines": (b"", b"\r\n" * 3000),
        "a body that drips": (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", b"y" * 5000),
        "chunks that drip": (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\ny\r\n" * 1000),
        "trailers that drip": (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"A: b\r\n" * 1000),
        "a body that waits for 100": (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", b""),
        "a second request that drips": (b"GET /first HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /second HTTP/1.1\r\nX: " + b"y" * 5000),
    }
    threads = [threading.Thread(target=one, args=(name, *what)) for name, what in jobs.items()]
    for t in threads:
        t.start()
    served = 0
    while any(t.is_alive() for t in threads):
        line = connect(echo.port)
        line.sendall(b"GET /quick HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        served += all_of(line).startswith(b"HTTP/1.1 200")
        time.sleep(0.01)
    for name in jobs:
        got = answers[name]
        quiet = name == "empty lines"                # nothing of a request has come: the line ends without a word
        check(f"{name} is ended", (got == b"" or got.startswith(b"HTTP/1.1 408 ") and got.count(b"HTTP/1.1") == 1) if quiet else b"HTTP/1.1 408 " in got and b"Connection: close" in got, got[-200:])
    check("meanwhile others are served", served > 0)


def crowd(echo):
    before = rss(echo)
    half = [b"", b"G", b"GET / HTTP/1.1\r\nHost: x\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc", b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc"]
    socks = []
    for i in range(CROWD):
        sock = connect(echo.port)
        sock.sendall(half[i % len(half)])
        socks.append(sock)
    served = 0
    for _ in range(20):
        line = connect(echo.port)
        line.sendall(b"GET /quick HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        served += all_of(line).startswith(b"HTTP/1.1 200")
    open_now, after = echo.stats()["connections"], rss(echo)
    check(f"{CROWD} half-open connections, and others are served", served == 20, f"{served} of 20")
    grown = (after - before) // CROWD
    check(f"one costs less than {PER_CONNECTION_BYTES} bytes", grown < PER_CONNECTION_BYTES, f"{grown} bytes each")
    print(f"# {open_now} connections open at the end of the rush, {grown} bytes of resident memory each, under ASan")
    left = settle(echo, "connections", 1)            # the one that asks
    check("all of them are dropped", left["connections"] == 1, left)
    for sock in socks:
        sock.close()


def readers(echo):
    get = b"GET /bytes?n=3000000 HTTP/1.1\r\nHost: x\r\n\r\n"
    socks, taken = [], []
    for _ in range(20):                              # each asks for 300 answers of 3 MB and reads none
        sock = connect(echo.port, small=True)
        sock.setblocking(False)
        sent = 0
        try:
            for _ in range(100):
                sent += sock.send(get)
        except BlockingIOError:
            pass
        socks.append(sock)
    requests = echo.stats()["requests"]
    line = connect(echo.port)
    line.sendall(b"GET /quick HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    check("readers that never read: others are served", all_of(line).startswith(b"HTTP/1.1 200"))
    check("readers that never read are not served ahead", requests - readers.before < 20 * 3 + 20, f"{requests - readers.before} requests of 2000 were begun")
    left = settle(echo, "connections", 1)
    check("readers that never read are dropped", left["connections"] == 1, left)
    for sock in socks:
        sock.close()


def sockets(echo):
    big = frame(TEXT, b"x" * 60000)
    line = Line(echo.port)
    line.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.sock.settimeout(0.5)
    sent = 0
    try:
        for _ in range(2000):                        # echoes of 120 MB that are never read
            line.sock.sendall(big)
            sent += 1
    except OSError:
        pass
    stats = settle(echo, "websockets", 0)
    check("a WebSocket that never reads is closed with 1013", stats["closed"].get("1013") == 1 and stats["websockets"] == 0, stats)
    line.drop()

    silent = [Line(echo.port) for _ in range(50)]    # they answer no ping
    alive = Line(echo.port)
    alive.sock.settimeout(PATIENCE_S)
    pings = 0
    end = time.monotonic() + PATIENCE_S
    while echo.stats()["websockets"] > 1 and time.monotonic() < end:
        got = alive.read()
        if got and got[0] == PING:
            pings += 1
            alive.send(frame(10, got[1]))
    stats = echo.stats()
    check("WebSockets that answer no ping are dropped, the one that does stays", stats["websockets"] == 1 and pings > 0, stats)
    half = []
    for sent in (b"\x81", b"\x81\xfe\x10", frame(TEXT, b"x" * 1000)[:50], frame(TEXT, b"x", fin=False)):
        line = Line(echo.port)
        line.send(sent)
        half.append(line)
    while echo.stats()["websockets"] > 1 and time.monotonic() < end:
        got = alive.read()
        if got and got[0] == PING:
            alive.send(frame(10, got[1]))
    check("half frames keep no WebSocket alive", echo.stats()["websockets"] == 1)
    alive.send(frame(CLOSE, close_payload(1000)))
    while (got := alive.read()) is not None and got[0] != CLOSE:
        pass
    alive.drop()
    settle(echo, "websockets", 0)
    for line in silent + half:
        line.drop()


def bounded():
    echo = Echo("connections_max=100")
    socks = [connect(echo.port) for _ in range(100)]
    for sock in socks:
        sock.sendall(b"G")
    more = connect(echo.port)
    got = all_of(more)
    check("one connection too many is told so", got.startswith(b"HTTP/1.1 503 ") and b"Connection: close" in got, got[:200])
    for sock in socks[:50]:
        sock.close()
    end = time.monotonic() + PATIENCE_S
    got = b""
    while not got.startswith(b"HTTP/1.1 200") and time.monotonic() < end:
        line = connect(echo.port)
        try:
            line.sendall(b"GET /quick HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        except OSError:
            pass
        got = all_of(line)
    check("when some have left there is room again", got.startswith(b"HTTP/1.1 200"), got[:200])
    for sock in socks:
        sock.close()
    check("it ends well", echo.stop() == 0)


def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, CROWD + 500)), hard))       # net-echo inherits it
    echo = Echo("header_ms=700", "body_ms=900", "idle_ms=1500", "write_stall_ms=700", "linger_ms=300", "ws_ping_ms=400", "ws_close_ms=300")
    trickles(echo)
    echo.stop() == 0 or check("net-echo ends well", False)
    echo = Echo("header_ms=6000", "body_ms=6000", "idle_ms=6000", "linger_ms=300")
    crowd(echo)
    echo.stop() == 0 or check("net-echo ends well after the crowd", False)
    echo = Echo("header_ms=5000", "write_stall_ms=700", "linger_ms=300", "ws_ping_ms=400", "ws_close_ms=300")
    readers.before = echo.stats()["requests"]
    readers(echo)
    sockets(echo)
    check("nothing leaked, nothing undefined", echo.stop() == 0)
    bounded()
    sys.exit(1 if failed else 0)


main()
