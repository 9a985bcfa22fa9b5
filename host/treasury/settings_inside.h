// settings_inside.h — what settings.c and settings_parts.c share.
#pragma once
#include "treasury/settings.h"

struct treasury_section { const char *name; enum fr_status (*read)(const struct fr_json *config, struct treasury_settings *to, struct fr_err *err); };      // config: the whole file; the section is at "chain.NAME", or left out
extern const struct treasury_section treasury_sections[];
extern const int treasury_section_count;
