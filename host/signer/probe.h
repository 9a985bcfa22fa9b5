// probe.h — one forbidden thing each, asked of the kernel directly so that no library can refuse in its place. For --probe, after the lockdown.
#pragma once
#include <stdbool.h>
#define PROBE_ALIVE 42
bool probe_known(const char *name);
int probe_run(const char *name);         // PROBE_ALIVE: the kernel let it pass
