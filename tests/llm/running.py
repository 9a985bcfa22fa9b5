"""running.py: for the tests here: a scripted model server (tests/fake/models), a host that uses it, and keys for it. All of it ends with the test."""
import atexit
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
BUILD = os.path.abspath(os.path.join(ROOT, os.environ.get("BUILD", "build")))
FROND = os.environ.get("FROND", os.path.join(BUILD, "frond"))
failed = 0


def check(name, ok, why=""):
    global failed
    failed += not ok
    print(f"{'ok' if ok else 'not ok'} {name}" + ("" if ok else f"\n  {why}"), flush=True)


def refusal(kind, call):
    """The error that a call ends with; None, and a line that says what came instead, when it is another."""
    try:
        got = call()
    except kind as error:
        return error
    except Exception as error:
        print(f"  {type(error).__name__}: {error}")
        return None
    print(f"  answered: {got}")
    return None


def until(test, tries=4000):
    """Waits for a fact."""
    for _ in range(tries):
        if test():
            return True
        threading.Event().wait(0.005)
    return False


def send(method, url, body=None, headers=None):
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers={**({"content-type": "application/json"} if data is not None else {}), **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers


def send_json(method, url, body=None, headers=None):
    status, text, _ = send(method, url, body, headers)
    return status, json.loads(text) if text else None


class Fake:
    """The scripted model server. script(..) tells it how the next answers go wrong."""

    def __init__(self, *args):
        self.process = subprocess.Popen(["node", os.path.join(ROOT, "tests/fake/models/server.mjs"), *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[1]
        atexit.register(self.stop)

    def stop(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(20)

    def script(self, *hows):
        return send_json("POST", self.url + "/script", {"next": list(hows)})[1]

    def forget(self):
        return send_json("POST", self.url + "/script", {"forget": True})[1]

    def facts(self):
        return send_json("GET", self.url + "/facts")[1]

    def asked(self):
        return send_json("GET", self.url + "/asked")[1]


MODEL = {"name": "fake", "as": "fake-model", "can": ["chat", "text", "embed", "json", "tools", "logprobs"], "context": 8192}


class Host:
    def __init__(self, models, config=None, args=()):
        self.folder = tempfile.mkdtemp(prefix="frond-llm-")
        self.data = os.path.join(self.folder, "data")
        path = os.path.join(self.folder, "frond.json")
        with open(path, "w") as out:
            json.dump({"models": models, **(config or {})}, out)
        self.process = subprocess.Popen([FROND, "serve", "--dev", "--no-chain", "--data", self.data, "--listen", "127.0.0.1:0", "--config", path, *args], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        atexit.register(self.stop)
        self.log = []
        for line in self.process.stdout:
            self.log.append(line)
            found = re.match(r"ready (http://\S+)", line)
            if found:
                self.url = found.group(1).rstrip("/")
                break
        else:
            raise SystemExit("the host did not start:\n" + "".join(self.log))
        self.reader = threading.Thread(target=lambda: self.log.extend(self.process.stdout), daemon=True)
        self.reader.start()

    def stop(self):
        """Its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)
        return code

    def cli(self, *args):
        done = subprocess.run([FROND, *args, "--data", self.data, "--json"], capture_output=True, text=True)
        said = json.loads(done.stdout)
        if not said["ok"]:
            raise SystemExit(f"frond {' '.join(args)}: {said}")
        return said

    def key(self, name="test", *options):
        return self.cli("llm", "key", "new", name, *options)["result"]

    def player(self, number, name="Ann"):
        """(the shell's token, the player's id)"""
        launch = send_json("POST", self.url + "/v1/dev/launch", {"user": {"id": number, "first_name": name}})[1]
        session = send_json("POST", self.url + "/v1/session", None, {"authorization": "tma " + launch["init_data"]})[1]
        return session["token"], session["player"]["id"]


def scripted(config=None, models=None, more=()):
    fake = Fake("--models", "fake-model")
    return fake, Host({"engine": False, "default": "fake", "backends": [{"name": "fake", "url": fake.url, "models": [MODEL, *more]}], **(models or {})}, config)


def end():
    raise SystemExit(1 if failed else 0)
