"""cases.py: what a client may do to a WebSocket server, written from RFC 6455, in the sections of the well-known fuzzing client's list.

A case is (section, name, steps, outcome). A step is bytes to send, or SEEN: everything sent so far must have been answered before the
test goes on (fail-fast cases stop there). The outcome lists the frames that come back, in order, then OPEN (the line still echoes) or
a close code: the server sends that code (None: a close frame without one) and ends the line."""
import random
from frames import BINARY, CLOSE, CONT, PING, PONG, TEXT, close_payload, frame

OPEN = "open"
LIMIT = 64 * 1024              # WS_MESSAGE_BYTES_MAX
TOO_BIG, PROTOCOL, NOT_UTF8, NORMAL = 1009, 1002, 1007, 1000
cases = []


def case(section, name, steps, frames, end=OPEN):
    cases.append((section, name, steps if isinstance(steps, list) else [steps], frames, end))


def text(payload, **kw):
    return frame(TEXT, payload.encode() if isinstance(payload, str) else payload, **kw)


def pieces(opcode, parts, last=True):
    """One message in frames (5.4)."""
    return [frame(opcode if i == 0 else CONT, part, fin=last and i == len(parts) - 1) for i, part in enumerate(parts)]


def split(data, n):
    return [data[i:i + n] for i in range(0, len(data), n)]


def ascii_of(n):
    return bytes(0x20 + i % 95 for i in range(n))


def bytes_of(n):
    return random.Random(n).randbytes(n)


# ---- 1 framing: lengths around every way to write them (5.2); the longer ways are refused ("the minimal number of bytes MUST be used")
for opcode, name, fill in ((TEXT, "text", ascii_of), (BINARY, "binary", bytes_of)):
    for n in (0, 1, 2, 3, 4, 5, 7, 8, 9, 63, 124, 125, 126, 127, 128, 129, 255, 256, 65534, 65535, 65536):
        case("1 framing", f"{name} of {n} bytes", frame(opcode, fill(n)), [(opcode, fill(n))])
    case("1 framing", f"{name}, mask of zeros", frame(opcode, fill(50), mask=b"\0\0\0\0"), [(opcode, fill(50))])
    case("1 framing", f"{name}, mask of ones", frame(opcode, fill(50), mask=b"\xff\xff\xff\xff"), [(opcode, fill(50))])
    case("1 framing", f"{name}, not masked (5.1)", frame(opcode, fill(5), masked=False), [], PROTOCOL)
    for n in (0, 125):
        case("1 framing", f"{name} of {n}, length in two bytes", frame(opcode, fill(n), length=2), [], PROTOCOL)
        case("1 framing", f"{name} of {n}, length in eight bytes", frame(opcode, fill(n), length=8), [], PROTOCOL)
    case("1 framing", f"{name} of 65535, length in eight bytes", frame(opcode, fill(65535), length=8)[:20], [], PROTOCOL)
    for top in (0x80, 0xff):
        case("1 framing", f"{name}, the length's highest bit set ({top:x})", bytes([0x80 | opcode, 0xff, top]) + bytes(7) + b"mask", [], PROTOCOL)
case("1 framing", "a hundred messages in one write", b"".join(text(str(i)) for i in range(100)), [(TEXT, str(i).encode()) for i in range(100)])

# ---- 2 ping and pong (5.5.2, 5.5.3)
for n in (0, 1, 8, 124, 125):
    case("2 ping/pong", f"ping with {n} bytes", frame(PING, bytes_of(n)), [(PONG, bytes_of(n))])
case("2 ping/pong", "ping with bytes that are no UTF-8", frame(PING, b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"), [(PONG, b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff")])
for wide in (2, 8):
    case("2 ping/pong", f"ping of 126 bytes, length in {wide}", frame(PING, bytes(126), length=2) if wide == 2 else b"\x89\xff" + (126).to_bytes(8, "big") + b"mask", [], PROTOCOL)
case("2 ping/pong", "ping not masked", frame(PING, b"a", masked=False), [], PROTOCOL)
case("2 ping/pong", "ping in fragments", frame(PING, b"a", fin=False), [], PROTOCOL)
for n in (0, 1, 125):
    case("2 ping/pong", f"a pong nobody asked for, {n} bytes", frame(PONG, bytes_of(n)), [])
case("2 ping/pong", "a pong of 126 bytes", frame(PONG, bytes(126)), [], PROTOCOL)
case("2 ping/pong", "a pong in fragments", frame(PONG, b"a", fin=False), [], PROTOCOL)
case("2 ping/pong", "pong, then ping", frame(PONG, b"un") + frame(PING, b"asked"), [(PONG, b"asked")])
case("2 ping/pong", "ten pings in one write", b"".join(frame(PING, b"%d" % i) for i in range(10)), [(PONG, b"%d" % i) for i in range(10)])
case("2 ping/pong", "ping and text, five times", b"".join(frame(PING, b"p%d" % i) + text(f"t{i}") for i in range(5)), [f for i in range(5) for f in ((PONG, b"p%d" % i), (TEXT, b"t%d" % i))])

# ---- 3 reserved bits: no extension was agreed (5.2)
for rsv in range(1, 8):
    case("3 reserved bits", f"text, bits {rsv:03b}", text("a", rsv=rsv), [], PROTOCOL)
    case("3 reserved bits", f"after a good text, bits {rsv:03b}", text("good") + text("a", rsv=rsv) + frame(PING, b"never"), [(TEXT, b"good")], PROTOCOL)
    case("3 reserved bits", f"ping, bits {rsv:03b}", frame(PING, b"a", rsv=rsv), [], PROTOCOL)
    case("3 reserved bits", f"close, bits {rsv:03b}", frame(CLOSE, close_payload(1000), rsv=rsv), [], PROTOCOL)
    case("3 reserved bits", f"a continuation, bits {rsv:03b}", frame(TEXT, b"a", fin=False) + frame(CONT, b"b", rsv=rsv), [], PROTOCOL)
    case("3 reserved bits", f"binary, bits {rsv:03b}", frame(BINARY, b"\0", rsv=rsv), [], PROTOCOL)

# ---- 4 opcodes that mean nothing yet (5.2)
for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
    case("4 opcodes", f"opcode {opcode}, empty", frame(opcode), [], PROTOCOL)
    case("4 opcodes", f"opcode {opcode}, with bytes", frame(opcode, b"reserved"), [], PROTOCOL)
    case("4 opcodes", f"opcode {opcode} after a text, then a ping", text("good") + frame(opcode, b"x") + frame(PING), [(TEXT, b"good")], PROTOCOL)
    case("4 opcodes", f"opcode {opcode} within a message", frame(TEXT, b"a", fin=False) + frame(opcode, b"x"), [], PROTOCOL)

# ---- 5 fragmentation (5.4)
for opcode, name in ((TEXT, "text"), (BINARY, "binary")):
    case("5 fragmentation", f"{name} in two", [b"".join(pieces(opcode, [b"frag", b"ment"]))], [(opcode, b"fragment")])
    case("5 fragmentation", f"{name} in two, one after the other", pieces(opcode, [b"frag", b"ment"]), [(opcode, b"fragment")])
    case("5 fragmentation", f"{name} in a hundred", pieces(opcode, [b"%02d" % i for i in range(100)]), [(opcode, b"".join(b"%02d" % i for i in range(100)))])
    case("5 fragmentation", f"{name} in empty pieces", pieces(opcode, [b"", b"", b""]), [(opcode, b"")])
    case("5 fragmentation", f"{name}, the first and the last empty", pieces(opcode, [b"", b"mid", b""]), [(opcode, b"mid")])
    case("5 fragmentation", f"{name}, a ping between", [frame(opcode, b"a", fin=False), frame(PING, b"p"), frame(CONT, b"b")], [(PONG, b"p"), (opcode, b"ab")])
    case("5 fragmentation", f"{name}, a ping between, answered before the end", [frame(opcode, b"a", fin=False), frame(PING, b"p"), "seen", frame(CONT, b"b")], [(PONG, b"p"), (opcode, b"ab")])
    case("5 fragmentation", f"{name}, a pong between", [frame(opcode, b"a", fin=False), frame(PONG, b"p"), frame(CONT, b"b")], [(opcode, b"ab")])
    case("5 fragmentation", f"{name}, a close between", [frame(opcode, b"a", fin=False), frame(CLOSE, close_payload(1000))], [], 1000)
    case("5 fragmentation", f"{name} begun within a {name}", frame(opcode, b"a", fin=False) + frame(opcode, b"b"), [], PROTOCOL)
    case("5 fragmentation", f"{name} begun within a text, unfinished", frame(TEXT, b"a", fin=False) + frame(opcode, b"b", fin=False), [], PROTOCOL)
    case("5 fragmentation", f"{name} one byte at a time, 1000", pieces(opcode, split(ascii_of(1000), 1)), [(opcode, ascii_of(1000))])
for fin in (True, False):
    for payload in (b"", b"non-empty"):
        case("5 fragmentation", f"a continuation of nothing, fin {fin}, {len(payload)} bytes", frame(CONT, payload, fin=fin) + text("never"), [], PROTOCOL)
        case("5 fragmentation", f"a continuation after the end, fin {fin}, {len(payload)} bytes", b"".join(pieces(TEXT, [b"a", b"b"])) + frame(CONT, payload, fin=fin), [(TEXT, b"ab")], PROTOCOL)
case("5 fragmentation", "five pieces with pings, twice", [f for _ in range(2) for i, piece in enumerate(pieces(TEXT, [b"1", b"2", b"3", b"4", b"5"])) for f in (piece, frame(PING, b"%d" % i) if i < 4 else b"")],
     [f for _ in range(2) for f in [(PONG, b"%d" % i) for i in range(4)] + [(TEXT, b"12345")]])
case("5 fragmentation", "a message after a message in pieces", pieces(TEXT, [b"a", b"b"]) + [text("c")] + pieces(BINARY, [b"d", b"e"]), [(TEXT, b"ab"), (TEXT, b"c"), (BINARY, b"de")])

# ---- 6 UTF-8 (8.1, RFC 3629)
GREEK = "κόσμε"
for name, value in (("Greek", GREEK), ("Korean", "안녕하세요"), ("a flag", "🇰🇷"), ("mixed", "Hello-µ@ßöäüàá-UTF-8!!")):
    raw = value.encode()
    case("6 UTF-8", f"{name}, whole", text(value), [(TEXT, raw)])
    case("6 UTF-8", f"{name}, in two pieces", pieces(TEXT, [raw[:3], raw[3:]]), [(TEXT, raw)])
    case("6 UTF-8", f"{name}, one byte a frame", pieces(TEXT, split(raw, 1)), [(TEXT, raw)])
    case("6 UTF-8", f"{name}, one byte a frame, pings between", [f for piece in pieces(TEXT, split(raw, 1)) for f in (piece, frame(PING, b"p"))], [(PONG, b"p")] * (len(raw) - 1) + [(TEXT, raw), (PONG, b"p")])
# every boundary of the encoding, valid on one side and not on the other
for code in (0x00, 0x7f, 0x80, 0x7ff, 0x800, 0xfff, 0x1000, 0xd7ff, 0xe000, 0xfffd, 0xfffe, 0xffff, 0x10000, 0x1fffe, 0x1ffff, 0x2ffff, 0x3ffff, 0x8ffff, 0xfffff, 0x100000, 0x10fffe, 0x10ffff):
    case("6 UTF-8", f"U+{code:04X}", text(chr(code)), [(TEXT, chr(code).encode())])
    if code >= 0x80:
        raw = chr(code).encode()
        for at in range(1, len(raw)):
            case("6 UTF-8", f"U+{code:04X} cut at {at} by a frame", pieces(TEXT, [raw[:at], raw[at:]]), [(TEXT, raw)])
            case("6 UTF-8", f"U+{code:04X} that ends at {at}", text(raw[:at]), [], NOT_UTF8)
            case("6 UTF-8", f"U+{code:04X} that ends at {at} before a letter", text(raw[:at] + b"a"), [], NOT_UTF8)
BAD = {"the last byte missing, twice": b"\xce\xba\xe1\xbd", "a surrogate, high": b"\xed\xa0\x80", "a surrogate, low": b"\xed\xbf\xbf", "a pair of surrogates": b"\xed\xa0\x80\xed\xb0\x80",
       "U+110000": b"\xf4\x90\x80\x80", "five bytes": b"\xf8\x88\x80\x80\x80", "six bytes": b"\xfc\x84\x80\x80\x80\x80", "byte fe": b"\xfe", "byte ff": b"\xff", "fe fe ff ff": b"\xfe\xfe\xff\xff",
       "a lone 80": b"\x80", "a lone bf": b"\xbf", "two continuations": b"\x80\xbf", "seven continuations": b"\x80\xbf\x80\xbf\x80\xbf\x80",
       "overlong slash in 2": b"\xc0\xaf", "in 3": b"\xe0\x80\xaf", "in 4": b"\xf0\x80\x80\xaf", "in 5": b"\xf8\x80\x80\x80\xaf", "in 6": b"\xfc\x80\x80\x80\x80\xaf",
       "the longest overlong of 2": b"\xc1\xbf", "of 3": b"\xe0\x9f\xbf", "of 4": b"\xf0\x8f\xbf\xbf", "of 5": b"\xf8\x87\xbf\xbf\xbf", "overlong NUL": b"\xc0\x80", "in three": b"\xe0\x80\x80", "in four": b"\xf0\x80\x80\x80"}
BAD.update({f"lead {lead:02x} alone, then a space": bytes([lead, 0x20]) for lead in (*range(0xc0, 0xe0, 5), *range(0xe0, 0xf0, 4), *range(0xf0, 0x100, 3))})
BAD.update({f"every continuation {c:02x}": bytes([c]) for c in range(0x80, 0xc0, 9)})
for name, raw in BAD.items():
    case("6 UTF-8", f"bad: {name}", text(raw), [], NOT_UTF8)
    case("6 UTF-8", f"bad: {name}, after good text", text(GREEK.encode() + raw + b"edited"), [], NOT_UTF8)
    case("6 UTF-8", f"bad: {name}, in the second piece", pieces(TEXT, [GREEK.encode(), raw + b"edited"]), [], NOT_UTF8)
    case("6 UTF-8", f"bad: {name}, one byte a frame", pieces(TEXT, split(GREEK.encode() + raw + b"e", 1)), [], NOT_UTF8)
    case("6 UTF-8", f"{name}: fine as binary", frame(BINARY, raw), [(BINARY, raw)])
# Fail fast: the text can never become valid; nothing more is sent, the refusal must come all the same.
for name, raw in {"past the last character": b"\xf4\x90", "a surrogate": b"\xed\xa0", "overlong": b"\xe0\x80", "overlong in 4": b"\xf0\x8f", "never a byte": b"\xff", "a lone continuation": b"\x80", "a lead of five": b"\xf8"}.items():
    good = GREEK.encode()
    case("6 UTF-8", f"fail fast: {name}, first piece of a message", frame(TEXT, good + raw, fin=False), [], NOT_UTF8)
    case("6 UTF-8", f"fail fast: {name}, second piece", frame(TEXT, good, fin=False) + frame(CONT, raw, fin=False), [], NOT_UTF8)
    case("6 UTF-8", f"fail fast: {name}, pieces of one byte", b"".join(frame(TEXT if i == 0 else CONT, bytes([c]), fin=False) for i, c in enumerate(good + raw)), [], NOT_UTF8)
    whole = text(good + raw + b"x" * 40, mask=b"\0\0\0\0")
    case("6 UTF-8", f"fail fast: {name}, within a frame that has not ended", whole[:len(whole) - 40], [], NOT_UTF8)

# ---- 7 closing (5.5.1, 7.1, 7.4)
case("7 closing", "close after a text", text("a") + frame(CLOSE, close_payload(1000)), [(TEXT, b"a")], 1000)
case("7 closing", "two closes", frame(CLOSE, close_payload(1000)) * 2, [], 1000)
case("7 closing", "a ping after close is not answered", frame(CLOSE, close_payload(1000)) + frame(PING, b"a"), [], 1000)
case("7 closing", "a text after close is not echoed", frame(CLOSE, close_payload(1000)) + text("a"), [], 1000)
case("7 closing", "an unfinished text, then close", frame(TEXT, b"a", fin=False) + frame(CLOSE, close_payload(1000)) + frame(CONT, b"b"), [], 1000)
case("7 closing", "a long text, then close", frame(TEXT, ascii_of(65000)) + frame(CLOSE, close_payload(1000)), [(TEXT, ascii_of(65000))], 1000)
case("7 closing", "no code", frame(CLOSE), [], None)
case("7 closing", "half a code", frame(CLOSE, b"\x03"), [], PROTOCOL)
case("7 closing", "a code and a reason", frame(CLOSE, close_payload(1000, "bye 안녕".encode())), [], 1000)
case("7 closing", "the longest reason", frame(CLOSE, close_payload(1000, b"*" * 123)), [], 1000)
case("7 closing", "a reason too long", frame(CLOSE, close_payload(1000, b"*" * 124)), [], PROTOCOL)
case("7 closing", "a reason that is not UTF-8", frame(CLOSE, close_payload(1000, b"\xce\xba\xed\xa0\x80")), [], NOT_UTF8)
case("7 closing", "a reason cut within a character", frame(CLOSE, close_payload(1000, b"\xe2\x82")), [], NOT_UTF8)
case("7 closing", "close in fragments", frame(CLOSE, close_payload(1000), fin=False), [], PROTOCOL)
case("7 closing", "close not masked", frame(CLOSE, close_payload(1000), masked=False), [], PROTOCOL)
MAY = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3001, 3999, 4000, 4001, 4999]
MUST_NOT = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1017, 1100, 1999, 2000, 2001, 2999, 5000, 5001, 9999, 32768, 65535]
for code in MAY:
    case("7 closing", f"code {code}", frame(CLOSE, close_payload(code)), [], code)
    case("7 closing", f"code {code} with a reason", frame(CLOSE, close_payload(code, b"why")), [], code)
for code in MUST_NOT:
    case("7 closing", f"code {code} is refused", frame(CLOSE, close_payload(code)), [], PROTOCOL)
    case("7 closing", f"code {code} with a reason is refused", frame(CLOSE, close_payload(code, b"why")), [], PROTOCOL)

# ---- 9 limits, in bounded form: this host's bound is 64 KiB a message (7.4.1: 1009), however it comes
for opcode, name, fill in ((TEXT, "text", ascii_of), (BINARY, "binary", bytes_of)):
    for n in (1024, 4096, 16384, 65535, LIMIT):
        case("9 limits", f"{name} of {n}", frame(opcode, fill(n)), [(opcode, fill(n))])
    for size in (64, 256, 1024, 4096, 16384, 32768):
        case("9 limits", f"{name} of 64 KiB in frames of {size}", pieces(opcode, split(fill(LIMIT), size)), [(opcode, fill(LIMIT))])
        case("9 limits", f"{name} one byte too long in frames of {size}", pieces(opcode, split(fill(LIMIT), size), last=False) + [frame(CONT, b"x")], [], TOO_BIG)
    for n in (LIMIT + 1, 1 << 20, 1 << 31, (1 << 63) - 1):
        case("9 limits", f"{name} that says it has {n} bytes", bytes([0x80 | opcode, 0xff]) + n.to_bytes(8, "big") + b"mask", [], TOO_BIG)
case("9 limits", "a thousand empty pieces", pieces(TEXT, [b"a"] + [b""] * 1000), [(TEXT, b"a")])
case("9 limits", "200 messages of 1000 bytes", [text(ascii_of(1000)) * 200], [(TEXT, ascii_of(1000))] * 200)

# ---- 10 the rest
case("10 rest", "a text of 65000 bytes in pieces of 1300", pieces(TEXT, split(ascii_of(65000), 1300)), [(TEXT, ascii_of(65000))])
case("10 rest", "NULs in a text", text(b"a\0b\0"), [(TEXT, b"a\0b\0")])
case("10 rest", "a byte order mark stays", text("\ufeffa"), [(TEXT, "\ufeffa".encode())])
