// migrate.h — numbered, forward-only schema changes. Each folder that owns tables registers its steps before store_open.
//
// A step is (module, number, SQL). Numbers of a module count up from 1 without gaps; each runs once, in order, in one
// transaction with its row in `migration`, and its SQL's SHA-256 is kept: a changed old step is refused (FR_E_CORRUPT).
// A database newer than the program is refused with a sentence that names both.
#pragma once
#include "base/err.h"
struct store_migration { const char *module; int number; const char *sql; };
// The array is static and must outlive the store. Modules are migrated in the order of registration.
void store_register(const struct store_migration *steps, int count);
