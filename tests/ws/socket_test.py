"""socket_test.py: the real host's GET /v1/socket, by hand: which openings it takes (RFC 6455, 4.2), and that what ends a line of host/net ends a
signed-in one too. A sample of cases.py, another one with each SEED."""
import json, os, random, sys
sys.path.insert(0, os.path.dirname(__file__))
from cases import OPEN, cases
from frames import BINARY, CLOSE, CONT, PING, PONG, TEXT, Broken, Host, Line, close_payload, frame, seed_of_today

SAMPLE = 60


failed = 0


def check(name, ok, why=""):
    global failed
    failed += not ok
    print(f"{'ok' if ok else 'not ok'} socket: {name}" + ("" if ok else f"\n  {why}"), flush=True)


def openings(host, token):
    upgrade, version, key = ["Upgrade: websocket", "Connection: Upgrade"], ["Sec-WebSocket-Version: 13"], ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    get, at = ["GET /v1/socket HTTP/1.1"], [f"Host: {host.host}"]
    wrong = {
        "no Upgrade (4.2.1, 3)": get + at + ["Connection: Upgrade"] + version + key,
        "another Upgrade": get + at + ["Upgrade: h2c", "Connection: Upgrade"] + version + key,
        "Upgrade not named in Connection (4.2.1, 4)": get + at + ["Upgrade: websocket"] + version + key,
        "no key (4.2.1, 5)": get + at + upgrade + version,
        "a key of 15 bytes": get + at + upgrade + version + ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j"],
        "a key of 17 bytes": get + at + upgrade + version + ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWE="],
        "two keys": get + at + upgrade + version + key + key,
        "no version (4.2.1, 6)": get + at + upgrade + key,
        "version 8": get + at + upgrade + ["Sec-WebSocket-Version: 8"] + key,
        "version 14": get + at + upgrade + ["Sec-WebSocket-Version: 14"] + key,
        "versions 8, 13": get + at + upgrade + ["Sec-WebSocket-Version: 8, 13"] + key,
        "HTTP/1.0 (4.2.1, 1)": ["GET /v1/socket HTTP/1.0"] + at + upgrade + version + key,
        "POST": ["POST /v1/socket HTTP/1.1"] + at + upgrade + version + key + ["Content-Length: 0"],
        "no Host": get + upgrade + version + key,
        "a body": get + at + upgrade + version + key + ["Content-Length: 1", "", "x"],
        "a token that is none": get + at + upgrade + version + key + ["Sec-WebSocket-Protocol: frond.v1, bearer.nonsense"],
    }
    bad = []
    for name, lines in wrong.items():
        line = Line(host.port, upgrade=False)
        line.request(lines)
        if not 400 <= line.status < 500:
            bad.append(f"{name}: {line.status}")
        if "version" in name and line.headers.get("sec-websocket-version") != "13":
            bad.append(f"{name}: the answer does not say which version is spoken (4.4): {line.headers}")
        line.drop()
    check(f"{len(wrong)} openings that are none are refused", not bad, "; ".join(bad))

    bad = []
    for offered in ("frond.v1, bearer.%s", "bearer.%s, frond.v1", "other, frond.v1 ,\tbearer.%s,x"):
        line = Line(host.port, "/v1/socket", [f"Sec-WebSocket-Protocol: {offered % token}", "Sec-WebSocket-Extensions: permessage-deflate"], host=host.host)
        if line.status != 101 or line.headers.get("sec-websocket-protocol") != "frond.v1" or "sec-websocket-extensions" in line.headers:
            bad.append(f"{offered}: {line.status} {line.headers}")
        line.drop()
    check("the subprotocol is frond.v1, the token is not said again, compression is declined", not bad, "; ".join(bad))


def signed_in(host, token, cuts="whole"):
    line = Line(host.port, "/v1/socket", [f"Sec-WebSocket-Protocol: frond.v1, bearer.{token}"], host=host.host, cuts=cuts)
    if line.status != 101:
        raise Broken(f"refused with {line.status}")
    return line


def closed(line, code):
    """Events and answers may come before the close frame."""
    while (got := line.read()) is not None and got[0] in (TEXT, PONG):
        pass
    if got is None or got[0] != CLOSE or got[1][:2] != (b"" if code is None else close_payload(code)):
        raise Broken(f"expected close {code}, got {got}")
    line.end()


def endings(host, token, seed):
    rng = random.Random(seed)
    able = [c for c in cases if not c[3] and c[4] != OPEN]
    bad = []
    for section, name, steps, _, end in rng.sample(able, SAMPLE):
        line = signed_in(host, token, random.Random(seed))
        try:
            for step in steps:
                if step != "seen":
                    line.send(step)
            closed(line, end)
        except (Broken, OSError) as wrong:
            bad.append(f"{section}, {name}: {wrong}")
        line.drop()
    check(f"{SAMPLE} of {len(able)} ways to end a line end a signed-in one", not bad, "; ".join(bad[:10]))


def answer(line):
    while (got := line.read()) is not None:
        if got[0] == TEXT and "id" in (message := json.loads(got[1])):
            return message
        if got[0] == CLOSE:
            raise Broken(f"closed: {got}")
    raise Broken("the line ended")


def messages(host, token):
    ask = json.dumps({"id": 1, "op": "ping"}).encode()
    line = signed_in(host, token)
    for parts in ([ask], [ask[:1], ask[1:]], [b"", ask, b""], [bytes([c]) for c in ask]):
        for i, part in enumerate(parts):
            line.send(frame(TEXT if i == 0 else CONT, part, fin=i == len(parts) - 1))
    check("a request in pieces is one request", all(answer(line)["ok"] for _ in range(4)))
    line.send(frame(TEXT, ask[:5], fin=False) + frame(PING, b"between") + frame(CONT, ask[5:]))
    first = line.read()
    while first and first[0] == TEXT and "ev" in json.loads(first[1]):
        first = line.read()
    check("a ping within a request is answered first", first == (PONG, b"between") and answer(line)["ok"], str(first))
    wrong = {"binary": frame(BINARY, ask), "no JSON": frame(TEXT, b"nonsense"), "nothing": frame(TEXT, b""), "an array": frame(TEXT, b"[]"), "no op": frame(TEXT, b'{"id":1}'), "an op of numbers": frame(TEXT, b'{"id":1,"op":5}'),
             "an unknown key": frame(TEXT, b'{"id":1,"op":"ping","x":1}'), "a key twice": frame(TEXT, b'{"id":1,"op":"ping","op":"ping"}'), "too deep": frame(TEXT, b'{"id":1,"op":"ping","x":' + b"[" * 40 + b"]" * 40 + b"}"),
             "a NUL": frame(TEXT, b'{"id":1,"op":"ping"}\0'), "half a surrogate escaped": frame(TEXT, b'{"id":"\\ud800","op":"ping"}'), "an id of 300 bytes": frame(TEXT, b'{"id":"' + b"x" * 300 + b'","op":"nothing"}')}
    bad = []
    for name, sent in wrong.items():
        line.send(sent)
        got = answer(line)
        if got["ok"] or not got["error"].get("code"):
            bad.append(f"{name}: {got}")
    line.send(frame(TEXT, ask))
    check(f"{len(wrong)} messages that are none are refused, the line stays", not bad and answer(line)["ok"], "; ".join(bad))
    line.drop()


def main():
    seed, host = seed_of_today(), Host()
    try:
        openings(host, host.sign_in(1))
        endings(host, host.sign_in(2), seed)
        messages(host, host.sign_in(3))
    finally:
        status = host.stop()
    check("the host ends well", status == 0, status)
    sys.exit(1 if failed else 0)


main()
