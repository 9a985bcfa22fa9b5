"""frames.py: a WebSocket client that does as it is told, right or wrong, and reads strictly (RFC 6455). Nothing of it is hidden: each
byte sent is the test's, each byte received must be a frame that a server may send."""
import base64, hashlib, http.client, json, os, random, re, shutil, socket, struct, subprocess, tempfile

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
PATIENCE_S = 10
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")


class Broken(Exception):
    """The server sent what no server may send, or ended the line in a way it may not."""


def frame(opcode, payload=b"", fin=True, rsv=0, masked=True, length=None, mask=None):
    """One frame (5.2). length: 2 or 8 writes it the longer way; mask: four bytes instead of random ones."""
    head = bytearray([(0x80 if fin else 0) | rsv << 4 | opcode])
    n = len(payload)
    wide = length if length is not None else 0 if n < 126 else 2 if n < 65536 else 8
    bit = 0x80 if masked else 0
    if wide == 0:
        head.append(bit | n)
    elif wide == 2:
        head += bytes([bit | 126]) + struct.pack(">H", n)
    else:
        head += bytes([bit | 127]) + struct.pack(">Q", n)
    if not masked:
        return bytes(head) + payload
    key = os.urandom(4) if mask is None else mask
    whole = (key * (n // 4 + 1))[:n]
    return bytes(head) + key + (int.from_bytes(payload, "big") ^ int.from_bytes(whole, "big")).to_bytes(n, "big")


def close_payload(code, reason=b""):
    return struct.pack(">H", code) + reason


class Line:
    """One connection. `cuts` decides how what is sent is cut into writes: whole, bytes, or a Random."""

    def __init__(self, port, path="/socket", headers=(), key=None, upgrade=True, cuts="whole", host="x"):
        self.sock = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.settimeout(PATIENCE_S)
        self.cuts, self.got, self.status, self.headers = cuts, b"", 0, {}
        if upgrade:
            self.key = key or base64.b64encode(os.urandom(16)).decode()
            self.request([f"GET {path} HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {self.key}", *headers])

    def request(self, lines):
        self.sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.got:
            if not self.more():
                raise Broken("the line ended before the answer's headers")
        head, self.got = self.got.split(b"\r\n\r\n", 1)
        first, *rest = head.decode("latin-1").split("\r\n")
        self.status = int(first.split(" ")[1])
        for line in rest:
            name, value = line.split(":", 1)
            self.headers[name.lower()] = value.strip()
        if self.status == 101:
            want = base64.b64encode(hashlib.sha1(self.key.encode() + GUID).digest()).decode()
            if self.headers.get("sec-websocket-accept") != want:
                raise Broken("Sec-WebSocket-Accept is wrong")      # 4.2.2
            if self.headers.get("upgrade", "").lower() != "websocket" or "upgrade" not in self.headers.get("connection", "").lower():
                raise Broken("the 101 names no upgrade")

    def send(self, data):
        """False when the server has ended the line meanwhile."""
        try:
            if self.cuts == "whole":
                self.sock.sendall(data)
            elif self.cuts == "bytes":
                for i in range(len(data)):
                    self.sock.sendall(data[i:i + 1])
            else:
                while data:
                    n = self.cuts.choice((1, 2, 3, 5, 8, 13, 100, 1000, 5000, 65536))
                    self.sock.sendall(data[:n])
                    data = data[n:]
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def more(self):
        data = self.sock.recv(1 << 18)
        self.got += data
        return len(data) > 0

    def need(self, n):
        while len(self.got) < n:
            if not self.more():
                if self.got:
                    raise Broken(f"the line ended within a frame: {self.got[:40]!r}")
                return False
        return True

    def read(self):
        """The next frame as (opcode, payload), None at the end of the line. A server's frames are whole here: it never fragments."""
        if not self.need(1) or not self.need(2):
            return None
        first, second = self.got[0], self.got[1]
        opcode, n, at = first & 15, second & 0x7f, 2
        if first & 0x70:
            raise Broken("reserved bits without an extension (5.2)")
        if second & 0x80:
            raise Broken("a server's frame is masked (5.1)")
        if opcode not in (TEXT, BINARY, CLOSE, PING, PONG) or not first & 0x80:
            raise Broken(f"unexpected first byte {first:02x}")
        if n >= 126:
            wide = 2 if n == 126 else 8
            self.need(2 + wide)
            n, at = int.from_bytes(self.got[2:2 + wide], "big"), 2 + wide
            if n < (126 if wide == 2 else 65536):
                raise Broken("a length is not written the shortest way (5.2)")
        if opcode >= CLOSE and n > 125:
            raise Broken("a control frame is too long (5.5)")
        if not self.need(at + n):
            raise Broken("the line ended within a frame")
        payload, self.got = self.got[at:at + n], self.got[at + n:]
        if opcode == TEXT:
            payload.decode("utf-8")
        if opcode == CLOSE and n:
            if n == 1:
                raise Broken("half a close code")
            payload[2:].decode("utf-8")
        return opcode, payload

    def end(self):
        """What ends a line: after the server's close frame it shuts its half (7.1.1), and sends nothing more."""
        rest = self.read()
        if rest is not None:
            raise Broken(f"after the close frame came {rest!r}")

    def drop(self):
        self.sock.close()


class Echo:
    """net-echo, started for one test."""

    def __init__(self, *options):
        build = os.environ.get("BUILD", "build")
        self.child = subprocess.Popen([os.path.join(build, "asan-gcc", "net-echo"), *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.child.stdout.readline()
        if not line.startswith("ready "):
            raise SystemExit(f"net-echo does not start: {line}{self.child.stderr.read()}")
        self.port = int(line.split()[1])

    def stats(self):
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        line.request("GET", "/stats")
        value = json.load(line.getresponse())
        line.close()
        return value

    def stop(self):
        """Its exit status: the sanitizers have their say at the end, leaks too."""
        self.child.terminate()
        _, err = self.child.communicate(timeout=60)
        if self.child.returncode != 0:
            print(err[-3000:])
        return self.child.returncode


class Host:
    """The real host on a data folder of its own, which goes away with it."""

    def __init__(self):
        self.data = tempfile.mkdtemp(prefix="frond-ws-")
        frond = os.environ.get("FROND") or os.path.join(ROOT, os.environ.get("BUILD", "build"), "frond")
        self.log = open(os.path.join(self.data, "log"), "w")
        self.child = subprocess.Popen([frond, "serve", "--dev", "--no-chain", "--data", self.data, "--listen", "127.0.0.1:0"], cwd=ROOT, stdout=subprocess.PIPE, stderr=self.log, text=True)
        for line in self.child.stdout:
            if found := re.match(r"ready http://[^:]+:(\d+)", line):
                self.port = int(found[1])
                break
        else:
            raise SystemExit("the host does not start: " + open(self.log.name).read()[-2000:])
        self.host = f"127.0.0.1:{self.port}"

    def post(self, path, body=None, headers=None):
        line = http.client.HTTPConnection(self.host, timeout=20)
        line.request("POST", path, None if body is None else json.dumps(body), {**({"Content-Type": "application/json"} if body is not None else {}), **(headers or {})})
        answer = line.getresponse()
        value = json.load(answer)
        line.close()
        return value

    def sign_in(self, number):
        launch = self.post("/v1/dev/launch", {"user": {"id": number, "first_name": "Wes"}})
        return self.post("/v1/session", None, {"Authorization": "tma " + launch["init_data"]})["token"]

    def stop(self):
        self.child.terminate()
        status = self.child.wait(60)
        self.log.close()
        shutil.rmtree(self.data, ignore_errors=True)
        return status


def seed_of_today():
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**9))
    print(f"# seed {seed}", flush=True)
    return seed
