"""smuggle_test.py: requests that two programs could read differently (RFC 9112). Each case is sent to host/net (net-echo, under sanitizers) with a second
request behind it: either it is refused and the connection ends - the second one is never answered - or it is read in the one right way. Then the same bytes go to the real host, which must give as many answers and
end the same lines. Cases run whole and, when short, byte by byte."""
import os, re, socket, sys
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../ws"))
from frames import Echo, Host

PATIENCE_S = 10
H = "Host: x\r\n"
SECOND = f"GET /second HTTP/1.1\r\n{H}\r\n"
POST = f"POST /first HTTP/1.1\r\n{H}"
CHUNKED = "Transfer-Encoding: chunked\r\n"
HELLO = "5\r\nhello\r\n0\r\n\r\n"
REFUSED = "refused"
cases = []            # (section, name, bytes, outcome): REFUSED, or the lines that net-echo must have understood, in order


def case(section, name, text, want=REFUSED):
    cases.append((section, name, text if isinstance(text, bytes) else text.encode("latin-1"), want))


def post(section, name, headers, body, want=REFUSED):
    case(section, name, POST + headers + "\r\n" + body + SECOND, want)


GOOD = ["POST /first  5 hello", "GET /second  0 "]

# ---- both lengths (6.3, 3): an attack or a mistake; we refuse
post("both lengths", "CL.TE", "Content-Length: 6\r\n" + CHUNKED, "0\r\n\r\nG")
post("both lengths", "TE.CL", CHUNKED + "Content-Length: 4\r\n", "5c\r\nGPOST / HTTP/1.1\r\n\r\n0\r\n\r\n")
post("both lengths", "CL.0 and chunks", "Content-Length: 0\r\n" + CHUNKED, HELLO)
post("both lengths", "CL and an obscured TE", "Content-Length: 5\r\nTransfer-Encoding : chunked\r\n", "hello")
post("both lengths", "CL and TE of identity", "Content-Length: 5\r\nTransfer-Encoding: identity\r\n", "hello")
post("both lengths", "CL and an empty TE", "Content-Length: 5\r\nTransfer-Encoding:\r\n", "hello")
case("both lengths", "CL.TE on GET", f"GET /first HTTP/1.1\r\n{H}Content-Length: 6\r\n{CHUNKED}\r\n0\r\n\r\nG{SECOND}")

# ---- codings that one reads as chunked and another does not (6.1)
for name, value in {"xchunked": "xchunked", "chunked, twice in one": "chunked, chunked", "identity": "identity", "gzip": "gzip", "gzip, chunked": "gzip, chunked", "chunked, gzip": "chunked, gzip", "a comma before": ", chunked",
                    "a comma behind": "chunked,", "a semicolon behind": "chunked;", "a parameter": "chunked; q=1", "in quotes": '"chunked"', "in single quotes": "'chunked'", "a vertical tab before": "\x0bchunked",
                    "a form feed before": "\x0cchunked", "a no-break space before": "\xa0chunked", "a NUL behind": "chunked\0", "a return behind": "chunked\r", "a line feed behind": "chunked\nX: y", "cow": "cow",
                    "a long s": "chunKed\u017f".encode().decode("latin-1"), "an underline": "chunk_ed", "empty": "", "only blanks": "  \t"}.items():
    post("codings", name, f"Transfer-Encoding: {value}\r\n", HELLO)
post("codings", "twice, equal", CHUNKED * 2, HELLO)
post("codings", "identity, then chunked", "Transfer-Encoding: identity\r\n" + CHUNKED, HELLO)
post("codings", "chunked, then cow", CHUNKED + "Transfer-Encoding: cow\r\n", HELLO)
post("codings", "folded", "Transfer-Encoding:\r\n chunked\r\n", HELLO)
post("codings", "folded within", "Transfer-Encoding: chun\r\n ked\r\n", HELLO)
post("codings", "space before the colon", "Transfer-Encoding : chunked\r\n", HELLO)
post("codings", "tab before the colon", "Transfer-Encoding\t: chunked\r\n", HELLO)
post("codings", "space before the name", " Transfer-Encoding: chunked\r\n", HELLO)
post("codings", "a name that begins after a line feed", "X: y\nTransfer-Encoding: chunked\r\n", HELLO)
post("codings", "a name that begins after a return", "X: y\rTransfer-Encoding: chunked\r\n", HELLO)
post("codings", "a NUL in the name", "Transfer\0-Encoding: chunked\r\n", HELLO)
case("codings", "in HTTP/1.0 (6.1)", f"POST /first HTTP/1.0\r\n{H}{CHUNKED}\r\n{HELLO}{SECOND}")
case("codings", "in HTTP/1.0, kept alive", f"POST /first HTTP/1.0\r\n{H}Connection: keep-alive\r\n{CHUNKED}\r\n{HELLO}{SECOND}")
for name, header in {"as it should be": CHUNKED, "in capitals": "TRANSFER-ENCODING: CHUNKED\r\n", "mixed": "transfer-Encoding: Chunked\r\n", "blanks around the value": "Transfer-Encoding:   chunked  \r\n", "no blank": "Transfer-Encoding:chunked\r\n"}.items():
    post("codings", name, header, HELLO, GOOD)
post("codings", "a name that only looks like it", "Transfer_Encoding: chunked\r\nContent-Length: 5\r\n", "hello", GOOD)
post("codings", "named in Connection (7.6.1): it stays what it is", "Connection: keep-alive, Transfer-Encoding\r\n" + CHUNKED, HELLO, GOOD)

# ---- Content-Length (RFC 9110, 8.6)
for name, value in {"with plus": "+5", "with minus": "-5", "minus zero": "-0", "hexadecimal": "0x5", "with a space within": "1 5", "with an underline": "1_0", "with a comma": "5,5", "a list": "5, 5", "a list of two": "5, 6", "with a point": "5.0",
                    "with an exponent": "5e0", "in quotes": '"5"', "empty": "", "blanks": "  ", "letters": "five", "past 64 bits": "18446744073709551621", "past 63 bits": "9223372036854775808", "past 128 bits": "340282366920938463463374607431768211461",
                    "with a NUL": "5\0", "with a vertical tab": "\x0b5", "with a form feed": "5\x0c", "in another script": "٥".encode().decode("latin-1"), "a semicolon": "5;"}.items():
    post("Content-Length", name, f"Content-Length: {value}\r\n", "hello")
post("Content-Length", "twice, equal", "Content-Length: 5\r\n" * 2, "hello")
post("Content-Length", "twice, different", "Content-Length: 5\r\nContent-Length: 6\r\n", "hello")
post("Content-Length", "twice, the second in capitals", "Content-Length: 5\r\nCONTENT-LENGTH: 50\r\n", "hello")
post("Content-Length", "space before the colon", "Content-Length : 5\r\n", "hello")
post("Content-Length", "folded", "Content-Length:\r\n 5\r\n", "hello")
post("Content-Length", "after a bare line feed", "X: y\nContent-Length: 5\r\n", "hello")
post("Content-Length", "past the bound", "Content-Length: 262145\r\n", "hello")
post("Content-Length", "as it should be", "Content-Length: 5\r\n", "hello", GOOD)
post("Content-Length", "with zeros before", "Content-Length: 0000000005\r\n", "hello", GOOD)
post("Content-Length", "blanks around", "Content-Length:   5  \r\n", "hello", GOOD)
post("Content-Length", "none: no body (6.3, 7)", "", "", ["POST /first  0 ", "GET /second  0 "])
case("Content-Length", "of a GET", f"GET /first HTTP/1.1\r\n{H}Content-Length: 5\r\n\r\nhello{SECOND}", ["GET /first  5 hello", "GET /second  0 "])
case("Content-Length", "a whole request as body", f"{POST}Content-Length: {len(SECOND)}\r\n\r\n{SECOND}{SECOND}", [f"POST /first  {len(SECOND)} {SECOND}", "GET /second  0 "])

# ---- chunks (7.1)
for name, body in {"size with 0x": "0x5\r\nhello\r\n0\r\n\r\n", "size with plus": "+5\r\nhello\r\n0\r\n\r\n", "size negative": "-5\r\nhello\r\n0\r\n\r\n", "size empty": "\r\nhello\r\n0\r\n\r\n", "size with a blank before": " 5\r\nhello\r\n0\r\n\r\n",
                   "size with a blank behind": "5 \r\nhello\r\n0\r\n\r\n", "size with a tab behind": "5\t\r\nhello\r\n0\r\n\r\n", "size past 64 bits": "10000000000000005\r\nhello\r\n0\r\n\r\n", "size that wraps to five": "100000000000000000000000000000005\r\nhello\r\n0\r\n\r\n",
                   "size of letters": "five\r\nhello\r\n0\r\n\r\n", "size in quotes": '"5"\r\nhello\r\n0\r\n\r\n', "size ended by a line feed": "5\nhello\r\n0\r\n\r\n", "size ended by a return": "5\rhello\r\n0\r\n\r\n", "data too long": "5\r\nhellos\r\n0\r\n\r\n", "data too short": "5\r\nhell\r\n0\r\n\r\n",
                   "data ended by a line feed": "5\r\nhello\n0\r\n\r\n", "data with nothing behind": "5\r\nhello0\r\n\r\n", "the last ended by a line feed": "5\r\nhello\r\n0\n\r\n", "the end a bare line feed": "5\r\nhello\r\n0\r\n\n", "an extension ended by a line feed": "5;x\nhello\r\n0\r\n\r\n",
                   "an extension with a line feed within": "5;x=\ny\r\nhello\r\n0\r\n\r\n", "an extension with a return within": "5;x=\ry\r\nhello\r\n0\r\n\r\n", "an extension that quotes a line end": '5;x="\r\n"\r\nhello\r\n0\r\n\r\n', "an extension of 2000 bytes": "5;" + "x" * 2000 + "\r\nhello\r\n0\r\n\r\n",
                   "many small extensions": "".join("1;" + "e" * 200 + "\r\nh\r\n" for _ in range(10)) + "0\r\n\r\n", "a NUL in the size": "5\0\r\nhello\r\n0\r\n\r\n", "a body past the bound": "40001\r\n" + "x" * 0x40001 + "\r\n0\r\n\r\n",
                   "a trailer with a bare line feed": "5\r\nhello\r\n0\r\nX: y\n\r\n", "a trailer with a space before its colon": "5\r\nhello\r\n0\r\nX : y\r\n\r\n", "trailers of 20 KiB": "5\r\nhello\r\n0\r\n" + "X: " + "y" * 20000 + "\r\n\r\n"}.items():
    post("chunks", name, CHUNKED, body)
for name, body in {"one": HELLO, "five": "".join(f"1\r\n{c}\r\n" for c in "hello") + "0\r\n\r\n", "zeros before the size": "0000005\r\nhello\r\n000\r\n\r\n", "an extension": "5;x=y\r\nhello\r\n0;z\r\n\r\n", "a quoted extension": '5;x="y;z"\r\nhello\r\n0\r\n\r\n',
                   "trailers are data of nobody (6.5.1)": "5\r\nhello\r\n0\r\nHost: y\r\nConnection: close\r\n\r\n"}.items():
    post("chunks", name, CHUNKED, body, GOOD)
# Stricter than the grammar: nobody sends these in earnest, and some readers trip over them.
post("codings", "tabs around the value", "Transfer-Encoding: \t chunked \t\r\n", HELLO)
post("Content-Length", "tabs around", "Content-Length: \t 5 \t \r\n", "hello")
post("chunks", "a trailer named Content-Length", CHUNKED, "5\r\nhello\r\n0\r\nContent-Length: 50\r\n\r\n")
post("chunks", "a trailer named Transfer-Encoding", CHUNKED, "5\r\nhello\r\n0\r\nTransfer-Encoding: gzip\r\n\r\n")

# ---- lines and headers (2.2, 5)
for name, text in {"bare line feeds": f"GET /first HTTP/1.1\nHost: x\n\n{SECOND}", "a bare line feed after the request line": f"GET /first HTTP/1.1\n{H}\r\n{SECOND}", "a bare line feed at the end": f"GET /first HTTP/1.1\r\n{H}\n{SECOND}", "a return at the end": f"GET /first HTTP/1.1\r\n{H}\r{SECOND}",
                   "two returns": f"GET /first HTTP/1.1\r\r\n{H}\r\n{SECOND}", "a folded header": f"GET /first HTTP/1.1\r\n{H}X: a\r\n b\r\n\r\n{SECOND}", "a folded host": f"GET /first HTTP/1.1\r\nHost:\r\n x\r\n\r\n{SECOND}", "a space before the first header": f"GET /first HTTP/1.1\r\n X: y\r\n{H}\r\n{SECOND}",
                   "no colon": f"GET /first HTTP/1.1\r\n{H}nonsense\r\n\r\n{SECOND}", "no name": f"GET /first HTTP/1.1\r\n{H}: y\r\n\r\n{SECOND}", "a NUL in a value": f"GET /first HTTP/1.1\r\n{H}X: a\0b\r\n\r\n{SECOND}", "a NUL in a name": f"GET /first HTTP/1.1\r\n{H}X\0: y\r\n\r\n{SECOND}",
                   "a control byte in a value": f"GET /first HTTP/1.1\r\n{H}X: \x01\r\n\r\n{SECOND}", "a delete in a value": f"GET /first HTTP/1.1\r\n{H}X: \x7f\r\n\r\n{SECOND}", "a name with a space": f"GET /first HTTP/1.1\r\n{H}X Y: z\r\n\r\n{SECOND}", "a name in brackets": f"GET /first HTTP/1.1\r\n{H}[X]: z\r\n\r\n{SECOND}",
                   "a name over 127": f"GET /first HTTP/1.1\r\n{H}X\xe9: z\r\n\r\n{SECOND}", "65 headers": f"GET /first HTTP/1.1\r\n{H}" + "X: y\r\n" * 64 + f"\r\n{SECOND}", "headers of 17 KiB": f"GET /first HTTP/1.1\r\n{H}X: " + "y" * 17000 + f"\r\n\r\n{SECOND}"}.items():
    case("lines and headers", name, text)

# ---- Host (3.2)
for name, text in {"none": f"GET /first HTTP/1.1\r\n\r\n{SECOND}", "two": f"GET /first HTTP/1.1\r\n{H}Host: y\r\n\r\n{SECOND}", "two equal": f"GET /first HTTP/1.1\r\n{H}{H}\r\n{SECOND}", "empty": f"GET /first HTTP/1.1\r\nHost:\r\n\r\n{SECOND}", "with a path": f"GET /first HTTP/1.1\r\nHost: x/y\r\n\r\n{SECOND}",
                   "with a user": f"GET /first HTTP/1.1\r\nHost: u@x\r\n\r\n{SECOND}", "a list": f"GET /first HTTP/1.1\r\nHost: x, y\r\n\r\n{SECOND}", "with a space": f"GET /first HTTP/1.1\r\nHost: x y\r\n\r\n{SECOND}", "space before the colon": f"GET /first HTTP/1.1\r\nHost : x\r\n\r\n{SECOND}",
                   "another than the target's": f"GET http://y/first HTTP/1.1\r\n{H}\r\n{SECOND}"}.items():
    case("Host", name, text)
case("Host", "absolute-form of the same host (3.2.2)", f"GET http://x/first?q HTTP/1.1\r\n{H}\r\n{SECOND}", ["GET /first q 0 ", "GET /second  0 "])

# ---- the request line (3): methods, targets, versions
for name, text in {"method in small letters": "get /first HTTP/1.1", "no such method": "SMUGGLE /first HTTP/1.1", "method with a control byte": "G\x01T /first HTTP/1.1", "CONNECT": "CONNECT x:80 HTTP/1.1", "TRACE": "TRACE /first HTTP/1.1", "PRI": "PRI * HTTP/2.0", "no target": "GET HTTP/1.1", "no version": "GET /first", "version 0.9": "GET /first HTTP/0.9",
                   "version 2.0": "GET /first HTTP/2.0", "version 1.2": "GET /first HTTP/1.2", "version 1.10": "GET /first HTTP/1.10", "version 1.01": "GET /first HTTP/1.01", "version in small letters": "GET /first http/1.1", "a tab between": "GET\t/first HTTP/1.1", "a space within the target": "GET /fi rst HTTP/1.1", "a tab within the target": "GET /fi\trst HTTP/1.1",
                   "a NUL within the target": "GET /fi\0rst HTTP/1.1", "a space behind the version": "GET /first HTTP/1.1 ", "a fragment": "GET /first#x HTTP/1.1", "no slash": "GET first HTTP/1.1", "asterisk for GET": "GET * HTTP/1.1", "a path that climbs": "GET /a/../first HTTP/1.1", "encoded climbing": "GET /a/%2e%2e/first HTTP/1.1", "an encoded slash": "GET /a%2ffirst HTTP/1.1",
                   "an encoded line end": "GET /a%0d%0aX:%20y HTTP/1.1", "a backslash": "GET /a\\first HTTP/1.1", "two slashes": "GET //first HTTP/1.1", "absolute-form with a user": "GET http://u@x/first HTTP/1.1", "absolute-form, another scheme": "GET gopher://x/first HTTP/1.1", "a target of 5000 bytes": "GET /" + "a" * 5000 + " HTTP/1.1"}.items():
    case("request line", name, f"{text}\r\n{H}\r\n{SECOND}")
for method in ("GET", "PUT", "PATCH", "DELETE", "POST", "OPTIONS"):
    case("request line", method, f"{method} /first HTTP/1.1\r\n{H}\r\n{SECOND}", [f"{method} /first  0 ", "GET /second  0 "])
case("request line", "empty lines before (2.2)", f"\r\n\r\nGET /first HTTP/1.1\r\n{H}\r\n{SECOND}", ["GET /first  0 ", "GET /second  0 "])
case("request line", "an upgrade to h2c is ignored", f"GET /first HTTP/1.1\r\n{H}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n{SECOND}", ["GET /first  0 ", "GET /second  0 "])
case("request line", "nothing is read after Connection: close (9.6)", f"GET /first HTTP/1.1\r\n{H}Connection: close\r\n\r\n{SECOND}", ["GET /first  0 "])
case("request line", "a good one, then a bad one, then a good one", f"GET /first HTTP/1.1\r\n{H}\r\nGET /bad HTTP/1.1\r\n\r\n{SECOND}", ["GET /first  0 ", REFUSED])


def talk(port, data, bytewise):
    """All that comes back until the server ends the line. Our half is shut so that a server that waits for more ends too."""
    sock = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    got = b""
    try:
        if bytewise:
            for i in range(len(data)):
                sock.sendall(data[i:i + 1])
        else:
            sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    try:
        while piece := sock.recv(65536):
            got += piece
    except ConnectionResetError:
        got += b"RESET"
    sock.close()
    return got


def answers(got):
    """(status, body, closes) of each answer."""
    found = []
    while got:
        head, _, rest = got.partition(b"\r\n\r\n")
        status = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        if not status or not length:
            return found + [(0, got, False)]
        n = int(length[1])
        found.append((int(status[1]), rest[:n], b"\r\nConnection: close" in head))
        got = rest[n:]
    return found


def judge(got, want):
    want = [REFUSED] if want == REFUSED else want
    found = answers(got)
    if len(found) != len(want):
        return f"{len(want)} answers were due, {len(found)} came: {got[:200]!r}"
    for (status, body, closes), expected in zip(found, want):
        if expected == REFUSED:
            if not (status in (400, 413, 414, 417, 431, 501, 505) and closes):
                return f"it was not refused: {status} {body[:80]!r}, Connection: close {closes}"
        elif status != 200 or body.replace(b"\n", b" ", 1) != expected.encode("latin-1"):
            return f"understood as {status} {body[:80]!r}, not {expected!r}"
    return None


def judge_real(got, want):
    """The real host knows no such paths: what counts is how many requests it saw, and whether the line ended."""
    want = [REFUSED] if want == REFUSED else want
    found = answers(got)
    if len(found) != len(want) or any(status == 0 for status, _, _ in found):
        return f"{len(want)} answers were due, {len(found)} came: {got[:200]!r}"
    if want[-1] == REFUSED and not (400 <= found[-1][0] < 600 and found[-1][2]):
        return f"it was not refused: {found[-1]}"
    return None


def run(port, look, what):
    sections, failed = {}, 0
    for section, name, data, want in cases:
        count = sections.setdefault(section, [0, 0])
        count[0] += 1
        for bytewise in (False, True) if len(data) < 3000 else (False,):
            wrong = look(talk(port, data, bytewise), want)
            if wrong:
                count[1] += 1
                print(f"  {section}: {name}{', byte by byte' if bytewise else ''}: {wrong}")
    for section, (n, bad) in sections.items():
        print(f"{'not ' if bad else ''}ok smuggling, {what}, {section}: {n} cases")
        failed += bad
    return failed


def main():
    echo = Echo()
    failed = run(echo.port, judge, "host/net")
    status = echo.stop()
    print(f"{'not ' if status else ''}ok smuggling: nothing leaked, nothing undefined")
    host = Host()
    failed += run(host.port, judge_real, "the real host")
    status = host.stop() or status
    print(f"{'not ' if status else ''}ok smuggling: the real host ends well")
    print(f"# {len(cases)} cases, {failed} failed")
    sys.exit(1 if failed or status else 0)


if __name__ == "__main__":
    main()
