// schema.h — the part of JSON Schema (2020-12) that manifests may use, checked before Lua runs.
//
// Keywords: type (one or a list), properties, required, additionalProperties (bool; default false: unknown arguments are refused),
// items, minItems, maxItems, enum, const, minimum, maximum, minLength, maxLength (code points), format "units" (a decimal string of
// base units), description, default (not applied), title. Any other keyword is refused when the manifest is checked, and so is a
// keyword that needs a type the schema does not name (minLength without "type": "string"). A schema that names no type, enum or
// const takes anything. Integers are whole numbers up to 2^53 - 1.
#pragma once
#include "base/json.h"

#define SCHEMA_PROPERTIES_MAX 64       // of one object; more is a document, not arguments
#define SCHEMA_ENUM_MAX 64
// Is this a schema we understand? Error names the path inside the manifest.
FR_MUST_USE enum fr_status schema_check(const struct fr_json *schema, const char *where, struct fr_err *err);
// Does `value` fit? value NULL: nothing came. schema NULL: only an object without members or null fits. FR_E_INVALID code "bad_arguments" with the path: `args.card: expected an integer from 1 to 9, got "x"`.
FR_MUST_USE enum fr_status schema_fit(const struct fr_json *schema, const struct fr_json *value, const char *where, struct fr_err *err);
// True when the schema looks at no object's inside, so that a text known to be an object fits without a tree. NULL: false.
bool schema_takes_any_object(const struct fr_json *schema);
