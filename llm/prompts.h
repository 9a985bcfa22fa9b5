// prompts.h — the files of prompts/, inside the program.
#pragma once
#include <stddef.h>
struct llm_prompt { const char *name, *text, *end; };
extern const struct llm_prompt llm_prompts[];             // tasks
extern const struct llm_prompt llm_assess_prompt, llm_translate_prompt;
extern const int llm_prompt_count;
