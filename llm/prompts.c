// prompts.c — .incbin puts the files into the program; Makefile.inc makes this object depend on them.
#include "llm/prompts.h"

#define PROMPT(symbol, file) \
    __asm__(".section .rodata\n" \
            "prompt_" symbol ":\n" \
            ".incbin \"llm/prompts/" file "\"\n" \
            "prompt_" symbol "_end:\n" \
            ".byte 0\n" \
            ".previous\n")

#define DECLARE(name) \
    extern const char prompt_##name[] __asm__("prompt_" #name); \
    extern const char prompt_##name##_end[] __asm__("prompt_" #name "_end"); \
    PROMPT(#name, #name ".json");

DECLARE(reason)
DECLARE(explain_joke)
DECLARE(code)
DECLARE(summarise)
DECLARE(choice)
DECLARE(assess)
DECLARE(translate)

#define ROW(name) { #name, prompt_##name, prompt_##name##_end }
const struct llm_prompt llm_prompts[] = { ROW(reason), ROW(explain_joke), ROW(code), ROW(summarise), ROW(choice) };
const struct llm_prompt llm_assess_prompt = ROW(assess), llm_translate_prompt = ROW(translate);
const int llm_prompt_count = sizeof llm_prompts / sizeof llm_prompts[0];
