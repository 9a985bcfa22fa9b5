// prelude.c — .incbin puts the files into the program; Makefile.inc makes this object depend on them.
#include "worker/prelude.h"

#define PRELUDE(symbol, file) \
    __asm__(".section .rodata\n" \
            ".global " #symbol "\n" #symbol ":\n" \
            ".incbin \"host/worker/prelude/" file "\"\n" \
            ".global " #symbol "_end\n" #symbol "_end:\n" \
            ".byte 0\n" \
            ".previous\n")

PRELUDE(prelude_frond, "frond.lua");
PRELUDE(prelude_match, "match.lua");
PRELUDE(prelude_tools, "tools.lua");
