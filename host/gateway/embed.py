#!/usr/bin/env python3
"""Writes the host's own pages as a C table (see assets.h).

Usage: embed.py OUT.c WEB_FOLDER [URL=FILE...]     files beside those of the folder, each under its own URL path
"""
import hashlib
import pathlib
import sys

TYPES = {
    ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".json": "application/json",
    ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
    ".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp", ".ico": "image/x-icon", ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8", ".webmanifest": "application/manifest+json",
}
NOT_PAGES = {"package.json", "package-lock.json", "README.md"}      # at the top of the folder only
LINE_BYTES = 96


def collect(web, extra):
    files = {}
    if web.is_dir():
        for path in web.rglob("*"):
            name = path.relative_to(web)
            hidden = any(part.startswith(".") or part == "node_modules" for part in name.parts)
            if path.is_file() and not path.is_symlink() and not hidden and str(name) not in NOT_PAGES:
                files["/" + name.as_posix()] = path
    for pair in extra:
        url, _, path = pair.partition("=")
        files[url] = pathlib.Path(path)
    return sorted(files.items())


def escape(data):
    """Bytes as the inside of a C string. Octal escapes of three digits cannot swallow the digit that follows them."""
    plain = set(range(32, 127)) - set(b'"\\?')
    return "".join(chr(b) if b in plain else f"\\{b:03o}" for b in data)


def write(out, files):
    rows = []
    out.write('// Made by embed.py; see assets.h.\n#include "gateway/assets.h"\n')
    for i, (url, path) in enumerate(files):
        data = path.read_bytes()
        if path.suffix not in TYPES:
            raise SystemExit(f"embed: {path}: no content type for {path.suffix or 'a name without ending'}")
        out.write(f"static const char file_{i}[] =\n")
        for at in range(0, len(data), LINE_BYTES):
            out.write(f'    "{escape(data[at:at + LINE_BYTES])}"\n')
        out.write('    "";\n')
        etag = hashlib.sha256(data).hexdigest()[:32]
        rows.append(f'    {{ "{escape(url.encode())}", "{TYPES[path.suffix]}", (const unsigned char *)file_{i}, {len(data)}, "\\"{etag}\\"" }},\n')
    out.write("const struct asset frond_assets[] = {\n" + "".join(rows) + "    { 0 }\n};\n")
    out.write(f"const size_t frond_assets_count = {len(rows)};\n")


def main(args):
    if len(args) < 2:
        raise SystemExit(__doc__)
    target = pathlib.Path(args[0])
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    with open(part, "w", encoding="ascii") as out:
        write(out, collect(pathlib.Path(args[1]), args[2:]))
    part.rename(target)


main(sys.argv[1:])
