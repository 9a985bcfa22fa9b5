// definition.h — does what main.lua defines match what plugin.json declares? Pure.
#pragma once
#include "plugin/manifest.h"

// `definition`: what a worker said in LOADED (ipc/call.h). FR_E_INVALID names the first thing that does not match.
FR_MUST_USE enum fr_status definition_check(const struct manifest *m, const struct fr_json *definition, struct fr_err *err);
