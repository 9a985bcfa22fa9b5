#!/usr/bin/env python3
"""without.py CALL PROGRAM ARG... - becomes PROGRAM on a kernel that lacks CALL: a system call filter answers it ENOSYS. For tests that a jail fails closed."""
import ctypes
import os
import platform
import struct
import sys

CALLS = {  # x86_64, aarch64
    "close_range": (436, 436), "landlock_create_ruleset": (444, 444), "landlock_add_rule": (445, 445), "landlock_restrict_self": (446, 446), "seccomp": (317, 277),
    "prctl": (157, 167), "prlimit64": (302, 261), "capset": (126, 91), "setgroups": (116, 159), "setresuid": (117, 147), "setresgid": (119, 149), "fchown": (93, 55), "fchmod": (91, 52),
    "execveat": (322, 281),
}
number = CALLS[sys.argv[1]][platform.machine() == "aarch64"]
code = struct.pack("HBBIHBBIHBBIHBBI", 0x20, 0, 0, 0, 0x15, 0, 1, number, 0x06, 0, 0, 0x00050026, 0x06, 0, 0, 0x7fff0000)
held = ctypes.create_string_buffer(code)
program = struct.pack("HxxxxxxP", 4, ctypes.addressof(held))
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.c_char_p(program), 0, 0):
    sys.exit(f"no filter: {os.strerror(ctypes.get_errno())}")
os.execv(sys.argv[2], sys.argv[2:])
