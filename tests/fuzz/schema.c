// schema: a plugin's schema against a player's arguments. The answer does not depend on spelling, and a refusal is a sentence.
#include "base/schema.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "fuzz.h"

static struct fr_json *respelled(const struct fr_json *v)
{
    struct fr_json *ret = NULL;
    struct fr_err err;
    FR_AUTO_BUF(text);
    fr_buf_init(&text, 8 * JSON_TEXT_BYTES_MAX);
    fr_json_print_canonical(v, &text);
    HOLDS(fr_json_parse(text.data, text.len, &ret, &err) == FR_OK);
    return ret;
}

static void fits(const struct fr_json *schema, const struct fr_json *value)
{
    struct fr_err err;
    enum fr_status st = schema_fit(schema, value, "args", &err);
    HOLDS(st == FR_OK || (st == FR_E_INVALID && strcmp(err.code, "bad_arguments") == 0));
    if (st != FR_OK) HOLDS(strncmp(err.text, "args", 4) == 0 && fr_utf8_valid(err.text, strlen(err.text)));
    HOLDS(schema_fit(schema, value, "args", NULL) == st);
    if (!value) return;

    FR_AUTO(fr_json) again = respelled(value), *same_schema = respelled(schema);
    HOLDS(schema_fit(schema, again, "args", &err) == st);
    HOLDS(schema_check(same_schema, "schema", &err) == FR_OK && schema_fit(same_schema, value, "args", &err) == st);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)     // schema NUL value
{
    struct fuzz_in in = { data, size };
    size_t schema_len, value_len;
    char *schema_text = fuzz_part(&in, &schema_len), *value_text = fuzz_part(&in, &value_len);
    FR_AUTO(fr_json) schema = NULL, *value = NULL;
    struct fr_err err;
    if (fr_json_parse(schema_text, schema_len, &schema, &err) == FR_OK) {
        if (schema_check(schema, "schema", &err) != FR_OK) {
            HOLDS(strncmp(err.text, "schema", 6) == 0 && fr_utf8_valid(err.text, strlen(err.text)));
        } else {
            fits(schema, NULL);
            if (fr_json_parse(value_text, value_len, &value, &err) == FR_OK) fits(schema, value);
        }
    }
    free(schema_text);
    free(value_text);
    return 0;
}
