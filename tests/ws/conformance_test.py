"""conformance_test.py: every case of cases.py against host/net (net-echo, under sanitizers), each delivered whole, cut at random places and, when
short, byte by byte. Prints the number of cases and runs of each section. SEED=7 repeats the cuts; CASE=text runs the cases that have it in their name."""
import os, random, sys
sys.path.insert(0, os.path.dirname(__file__))
from cases import OPEN, cases
from frames import CLOSE, PING, PONG, Broken, Echo, Line, close_payload, frame, seed_of_today

BYTEWISE_MAX = 300
FAILED_MAX = 20              # each that waits in vain takes PATIENCE_S


def expect(line, want):
    got = line.read()
    if got != want:
        raise Broken(f"expected {str(want)[:80]}, got {str(got)[:80]}")


def finish_open(line):
    line.send(frame(PING, b"still there"))
    expect(line, (PONG, b"still there"))
    line.send(frame(CLOSE, close_payload(1000)))
    finish_closed(line, 1000)


def finish_closed(line, code):
    got = line.read()
    if got is None or got[0] != CLOSE or (got[1][:2] != (b"" if code is None else close_payload(code))):
        raise Broken(f"expected close {code}, got {str(got)[:80]}")
    line.end()


def run(port, steps, frames, end, cuts):
    line = Line(port, cuts=cuts)
    left = list(frames)
    try:
        for step in steps:
            if step == "seen":
                while left and left[0][0] == PONG:
                    expect(line, left.pop(0))
            elif not line.send(step):
                break
        for want in left:
            expect(line, want)
        if end == OPEN:
            finish_open(line)
        else:
            finish_closed(line, end)
    finally:
        line.drop()


def declined(port):
    """12, 13: compression is offered and declined, since nothing here speaks it (9.1: the server answers only what it accepts)."""
    offers = ("permessage-deflate", "permessage-deflate; client_max_window_bits", "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=8",
              "permessage-bzip2", "x-webkit-deflate-frame", "permessage-deflate, permessage-deflate; client_max_window_bits=15", "", "nonsense;;;=")
    for offer in offers:
        line = Line(port, headers=[f"Sec-WebSocket-Extensions: {offer}"])
        if line.status != 101 or "sec-websocket-extensions" in line.headers:
            raise Broken(f"{offer}: {line.status} {line.headers}")
        line.send(frame(1, b"plain"))
        expect(line, (1, b"plain"))
        finish_open(line)
        line.drop()
        line = Line(port, headers=[f"Sec-WebSocket-Extensions: {offer}"])       # and a compressed frame is what any reserved bit is
        line.send(frame(1, b"\xaaV*I-.\x01\x00", rsv=4))
        finish_closed(line, 1002)
        line.drop()
    return len(offers)


def main():
    seed, only = seed_of_today(), os.environ.get("CASE")
    echo = Echo()
    sections, failed = {}, 0
    for number, (section, name, steps, frames, end) in enumerate(cases):
        if only and only not in name:
            continue
        size = sum(len(s) for s in steps if s != "seen")
        count = sections.setdefault(section, [0, 0, 0])
        count[0] += 1
        for cuts in ("whole", "bytes", "random"):
            if (cuts == "bytes" and size > BYTEWISE_MAX) or sum(s[2] for s in sections.values()) >= FAILED_MAX:
                continue
            try:
                run(echo.port, steps, frames, end, random.Random(seed + number) if cuts == "random" else cuts)
            except (Broken, OSError, UnicodeDecodeError) as wrong:
                count[2] += 1
                print(f"  {section}: {name}, {cuts}: {type(wrong).__name__} {wrong}")
            count[1] += 1
    for section, (n, runs, bad) in sections.items():
        print(f"{'not ' if bad else ''}ok ws section {section}: {n} cases, {runs} runs{f', {bad} failed' if bad else ''}")
        failed += bad
    try:
        n = declined(echo.port)
        print(f"ok ws section 12, 13 compression: {n} offers declined")
    except (Broken, OSError) as wrong:
        print(f"not ok ws section 12, 13 compression: {wrong}")
        failed += 1
    stats = echo.stats()
    if stats["websockets"] != 0:
        print(f"  {stats}")
    status = echo.stop()
    print(f"{'ok' if status == 0 and stats['websockets'] == 0 else 'not ok'} ws nothing is left of any of them, no leak, nothing undefined")
    print(f"# {sum(s[0] for s in sections.values())} cases, {sum(s[1] for s in sections.values())} runs, {failed} failed")
    sys.exit(1 if failed or status else 0)


main()
