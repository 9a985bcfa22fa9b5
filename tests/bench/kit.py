"""What the benches share: servers that start and stop, their CPU, signed-in players, the load program, results for the table."""
import glob, http.client, json, os, random, shutil, signal, socket, statistics, subprocess, sys, tempfile, threading, time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
PEERS = os.environ.get("BENCH_PEERS", os.path.join(BUILD, "bench-peers"))
HZ = os.sysconf("SC_CLK_TCK")


class Skip(Exception):
    """What is missing here, said once in the table."""


def median(values):
    return statistics.median(values)


def free_port():
    while True:
        port = random.randint(20000, 32000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


def stat_fields(pid):
    return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()


def children(pid):
    """Of all generations; one pass over /proc."""
    parents = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            child = int(path.split("/")[2])
            parents.setdefault(int(stat_fields(child)[1]), []).append(child)
        except OSError:
            pass
    found, left = [], [pid]
    while left:
        more = parents.get(left.pop(), [])
        found += more
        left += more
    return found


def cpu_s(pids):
    """User and system time so far. From schedstat, which counts nanoseconds; from stat's ticks where the kernel has none."""
    total = 0.0
    for pid in pids:
        try:
            tasks = os.listdir(f"/proc/{pid}/task")
            total += sum(int(open(f"/proc/{pid}/task/{t}/schedstat").read().split()[0]) for t in tasks) / 1e9
        except (OSError, IndexError):
            try:
                fields = stat_fields(pid)
                total += (int(fields[11]) + int(fields[12])) / HZ
            except OSError:
                pass
    return total


def memory_kib(pids, what="Pss"):
    total = 0
    for pid in pids:
        try:
            for line in open(f"/proc/{pid}/smaps_rollup"):
                if line.startswith(what + ":"):
                    total += int(line.split()[1])
        except OSError:
            pass
    return total


class Server:
    """A program that prints a line with `ready` once it listens."""

    def __init__(self, command, port, log=None, cpus=None):
        self.port, self.log = port, log or os.devnull
        self.p = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=open(self.log, "a"), text=True,
                                  preexec_fn=(lambda: os.sched_setaffinity(0, cpus)) if cpus else None)
        for line in self.p.stdout:
            if "ready" in line:
                break
        else:
            raise SystemExit(f"bench: {command[0]} did not start: {open(self.log).read()[-2000:] if log else ''}")
        threading.Thread(target=self.drain, daemon=True).start()       # nobody waits for a full pipe

    def drain(self):
        with open(self.log, "a") as f:
            for line in self.p.stdout:
                f.write(line)
                f.flush()

    def pids(self):
        return [self.p.pid] + children(self.p.pid)

    def stop(self):
        self.p.send_signal(signal.SIGTERM)
        try:
            self.p.wait(20)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()


class Folder:
    """A scratch folder that goes away with the bench."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="frond-bench-")
        os.chmod(self.path, 0o755)
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


def plugin(games, name, as_id=None, **limits):
    """A copy of tests/bench/NAME under `games`, with as many of the limits as this host's manifests know. Returns those."""
    folder = os.path.join(games, as_id or name)
    shutil.copytree(os.path.join(HERE, name), folder)
    path = os.path.join(folder, "plugin.json")
    manifest = json.load(open(path))
    if as_id:
        manifest["id"] = as_id
    given = {}
    for key, value in [(None, None)] + list(limits.items()):
        trial = {**manifest, "limits": {**given, key: value}} if key else manifest
        json.dump(trial, open(path, "w"))
        checked = subprocess.run([f"{BUILD}/frond", "plugin", "check", folder], capture_output=True, text=True)
        right = "plugin.json is right" in checked.stdout
        if right and key:
            given[key] = value
        elif not right and not key:
            raise SystemExit(f"bench: {checked.stdout}{checked.stderr}")
    json.dump({**manifest, "limits": given} if given else manifest, open(path, "w"))
    return given


class Frond(Server):
    """`frond serve --dev` with the plugins under `folder`/games."""

    def __init__(self, folder, cpus=None, data=None, models=None):
        port = free_port()
        self.data = data or os.path.join(folder, "data")
        os.makedirs(os.path.join(folder, "games"), exist_ok=True)
        config = os.path.join(folder, "frond.json")
        # One machine plays every player, so what protects a host from one address would be all that is measured.
        limits = {"cpu_percent": 1600, "player_requests_per_second": 0, "address_requests_per_second": 0, "connections_per_address": 20000}
        json.dump({"plugins": [os.path.join(folder, "games")], "limits": limits, **({"models": models} if models else {})}, open(config, "w"))
        super().__init__([f"{BUILD}/frond", "serve", "--dev", "--no-chain", "--data", self.data, "--listen", f"127.0.0.1:{port}",
                          "--config", config], port, os.path.join(folder, "frond.log"), cpus)

    def wait_ready(self):
        for _ in range(400):
            if request(self.port, "GET", "/readyz")[0] == 200:
                return self
            time.sleep(0.02)
        raise SystemExit("bench: the host is not ready: " + request(self.port, "GET", "/readyz")[1].decode())

    def sessions(self, count, first=1, threads=16):
        """Tokens of players FIRST.. ; signed in side by side, because each waits for the disk."""
        tokens, left, failed = [None] * count, list(range(count)), []

        def work():
            c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            while left and not failed:
                try:
                    i = left.pop()
                except IndexError:
                    return
                try:
                    c.request("POST", "/v1/dev/launch", json.dumps({"user": {"id": first + i, "first_name": "Ann"}}), {"Content-Type": "application/json"})
                    launch = json.loads(c.getresponse().read())["init_data"]
                    c.request("POST", "/v1/session", "", {"Authorization": "tma " + launch})
                    tokens[i] = json.loads(c.getresponse().read())["token"]
                except Exception as e:
                    failed.append(e)
        crowd = [threading.Thread(target=work) for _ in range(min(threads, count))]
        for t in crowd:
            t.start()
        for t in crowd:
            t.join()
        if failed:
            raise SystemExit(f"bench: no session: {failed[0]!r}")
        return tokens

    def api_key(self):
        done = subprocess.run([f"{BUILD}/frond", "llm", "key", "new", "bench", "--data", self.data, "--json"], capture_output=True, text=True)
        said = json.loads(done.stdout)
        if not said["ok"]:
            raise SystemExit(f"bench: no API key: {said}")
        return said["result"]["key"]

    def sockets_file(self, path, tokens, each=1):
        with open(path, "w") as f:
            for token in tokens:
                f.write(f"/v1/socket frond.v1,bearer.{token} -\n" * each)
        return path


def request(port, method, path, body=None, headers=None):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        c.request(method, path, body, headers or {})
        r = c.getresponse()
        return r.status, r.read()
    except OSError:
        return 0, b""
    finally:
        c.close()


def run_load(server, mode, file, *numbers, cpus=None, command=None, on_line=None):
    """The load program against `server`; adds the CPU that the server's processes used between its `begin` and `end`. `command`: another load program;
    `on_line` hears what else it says."""
    p = subprocess.Popen(command or [f"{BUILD}/bench/load", mode, str(server.port), file] + [str(n) for n in numbers], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True, preexec_fn=(lambda: os.sched_setaffinity(0, cpus)) if cpus else None)
    at, of = {}, {}
    for line in p.stdout:
        if line.startswith("{"):
            found = json.loads(line)
            break
        if on_line and line.strip() not in ("begin", "end"):
            on_line(line.strip())
            continue
        pids = server.pids()
        at[line.strip()] = cpu_s(pids)
        of[line.strip()] = cpu_s(pids[:1])
    else:
        raise SystemExit(f"bench: load {mode}: {p.stderr.read()}{''.join(open(server.log).readlines()[-5:])}")
    p.wait()
    found["cpu_s"] = at["end"] - at["begin"]
    found["main_cpu_s"] = of["end"] - of["begin"]
    found["cpu_us"] = found["cpu_s"] * 1e6 / max(found["done"], 1)
    return found


def peers():
    """Where the npm peers are installed; they are fetched once."""
    if not shutil.which("npm"):
        raise Skip("npm is not there")
    if not os.path.exists(os.path.join(PEERS, "node_modules", "ws")):
        os.makedirs(PEERS, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(os.path.join(HERE, "peers", name), PEERS)
        done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=PEERS, capture_output=True, text=True)
        if done.returncode != 0:
            raise Skip("npm ci failed: " + done.stderr.strip().splitlines()[-1][:100])
    for path in glob.glob(os.path.join(HERE, "peers", "*.mjs")):
        shutil.copy(path, PEERS)
    return PEERS


BENCH_MODEL = {"name": "bench", "can": ["chat"], "context": 8192}


def llm_backend():
    """A model server with one fixed answer (llm_backend.c)."""
    return Server([f"{BUILD}/bench/llm_backend", str(port := free_port())], port)


def llm_models(backend, **more):
    """The part `models` of a host's configuration that asks `backend`."""
    return {"engine": False, "default": "bench", "backends": [{"name": "bench", "url": f"http://127.0.0.1:{backend.port}", "models": [BENCH_MODEL]}], **more}


def llm_load(server, key, mode, first, second, on_line=None):
    return run_load(server, None, None, command=[f"{BUILD}/bench/llm_load", str(server.port), key, mode, str(first), str(second)], on_line=on_line)


def loadavg():
    return open("/proc/loadavg").read().split()[0]


def result(name, ratio, bar, ours, theirs, cpu="", low=True, of=""):
    """The last line of a bench, and its row of the table. `low`: a small ratio is a good one."""
    row = dict(name=name, ratio=ratio, bar=bar, met=bool(ratio <= bar if low else ratio >= bar), low=low, ours=ours, theirs=theirs, cpu=cpu, of=of, load=loadavg())
    if os.environ.get("BENCH_ROWS"):
        with open(os.environ["BENCH_ROWS"], "a") as f:
            f.write(json.dumps(row) + "\n")
    print(f"bench-{name}: ratio {ratio:.2f} (bar {bar:g})" + (f" {of}" if of else ""), flush=True)


def main(name, body):
    try:
        body()
    except Skip as e:
        if os.environ.get("BENCH_ROWS"):
            with open(os.environ["BENCH_ROWS"], "a") as f:
                f.write(json.dumps(dict(name=name, skipped=str(e))) + "\n")
        print(f"bench-{name}: skipped: {e}", flush=True)
