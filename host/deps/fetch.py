#!/usr/bin/env python3
"""Fetches the pinned third-party sources that Debian has no good package for.

They are files inside Python source archives. pip would run an archive's setup code to look at it; this script only asks
the index that pip is configured for, downloads the one file that is named here, compares its SHA-256, and copies plain
files of one subfolder out of it. Nothing that was downloaded is executed.

Usage: fetch.py FOLDER [NAME...]      FOLDER is build/deps; a second run finds its work done and returns at once.
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

SOURCES = {
    # name: what the index calls it, the file, its hash, the folder inside it, the files we need (checked after unpacking)
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
}
INDEX = "https://pypi.org/simple"
ARCHIVE_BYTES_MAX = 64 << 20
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

    def __init__(self):
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
                data = reply.read(bytes_max + 1)
        except urllib.error.HTTPError as e:
            raise Trouble(f"{what}: the package index answered {e.code}")
        except (urllib.error.URLError, OSError) as e:
            reason = getattr(e, "reason", e)
            raise Trouble(f"{what}: the package index cannot be reached ({reason}); check the network or pip's settings")
        if len(data) > bytes_max:
            raise Trouble(f"{what}: larger than {bytes_max} bytes")
        return data, login

    def find(self, project, file):
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
                        return self.get(full, ARCHIVE_BYTES_MAX, file, login)[0]
                trouble = Trouble(f"{file}: the package index does not list it")
            except Trouble as e:
                trouble = e
        raise trouble


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
        data = index().find(source["project"], source["file"])
        part = path.with_suffix(".part")
        part.write_bytes(data)
        part.rename(path)
    seen = hashlib.sha256(path.read_bytes()).hexdigest()
    if seen != source["sha256"]:
        path.unlink()
        raise Trouble(f"{source['file']}: SHA-256 is {seen}, expected {source['sha256']}; the file was deleted")
    return path


def unpack(path, source, to):
    """Copies plain files only, written by us: no links, modes, owners or outside paths of the archive are honoured."""
    inside = source["inside"] + "/"
    with tarfile.open(path, "r:gz") as tar:
        for member in tar:
            if not member.isreg() or not member.name.startswith(inside):
                continue
            name = pathlib.PurePosixPath(member.name[len(inside):])
            if name.is_absolute() or ".." in name.parts:
                raise Trouble(f"{path.name}: holds a path that points outside: {member.name}")
            if any(part.startswith(".") for part in name.parts):
                continue                            # the authors' own git files
            target = to / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(tar.extractfile(member).read())
    for need in source["needs"]:
        if not (to / need).is_file():
            raise Trouble(f"{path.name}: {source['inside']}/{need} is not in it")


def fetch(index, folder, name):
    source = SOURCES[name]
    place, stamp = folder / name, folder / name / ".sha256"
    if stamp.is_file() and stamp.read_text() == source["sha256"]:
        return
    part = folder / (name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    unpack(archive(index, folder, source), source, part)
    (part / ".sha256").write_text(source["sha256"])
    shutil.rmtree(place, ignore_errors=True)
    part.rename(place)
    print(f"deps: {name} from {source['file']}")


def main(args):
    if not args or any(name not in SOURCES for name in args[1:]):
        print(f"usage: fetch.py FOLDER [{' | '.join(SOURCES)}]...", file=sys.stderr)
        return 2
    folder = pathlib.Path(args[0])
    folder.mkdir(parents=True, exist_ok=True)
    made = []

    def index():                            # built only when something has to be downloaded
        if not made:
            made.append(Index())
        return made[0]

    with open(folder / ".lock", "w") as lock:   # two builds may start at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name in args[1:] or SOURCES:
            fetch(index, folder, name)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (Trouble, OSError, tarfile.TarError, EOFError) as e:
        print(f"deps: {e}", file=sys.stderr)
        sys.exit(1)
