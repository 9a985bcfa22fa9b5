// login.c — fields to a check string, a check string to a bot.
#include "player/login.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/hash.h"
#include "base/hex.h"

#define FIELDS_MAX 16
#define CHECK_BYTES 4096
#define NUMBER_MAX 9007199254740992.0      // past it a double is not the number that was sent
struct field { const char *name, *value; char number[24]; };

static enum fr_status malformed(struct fr_err *err) { return FR_FAIL_CODE(err, FR_E_AUTH, "login_malformed", "this is no login of Telegram's"); }

static bool is_name(const char *text) { return *text && text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_")] == 0; }
static bool is_value(const char *text)
{
    for (; *text; text++) if ((unsigned char)*text < 0x20 || *text == 0x7f) return false;
    return true;
}

static bool field_read(const struct fr_json *v, struct field *f)
{
    *f = (struct field){ .name = fr_json_key(v), .value = fr_json_text(v) };
    if (fr_json_kind(v) == JSON_NUMBER) {
        double n = fr_json_number(v);
        if (n != floor(n) || n < 0 || n > NUMBER_MAX) return false;
        snprintf(f->number, sizeof f->number, "%.0f", n);
    } else if (!f->value || !is_value(f->value)) return false;
    return is_name(f->name);
}

static const char *value_of(const struct field *f) { return f->value ? f->value : f->number; }
static int by_name(const void *a, const void *b) { return strcmp(((const struct field *)a)->name, ((const struct field *)b)->name); }

static const char *find(const struct field *list, int count, const char *name)
{
    for (int i = 0; i < count; i++) if (strcmp(list[i].name, name) == 0) return value_of(&list[i]);
    return NULL;
}

static bool whole(const char *text, int64_t *ret)
{
    size_t len = text ? strlen(text) : 0;
    if (len < 1 || len > 18 || strspn(text, "0123456789") != len) return false;
    *ret = strtoll(text, NULL, 10);
    return *ret > 0;
}

static const struct bot *bot_of(const struct bots *bots, const struct fr_buf *check, const char *hash)
{
    const struct bot *found = NULL;
    for (int i = 0; i < bots->count; i++) {
        uint8_t secret[SHA256_BYTES], mac[SHA256_BYTES];
        char hex[SHA256_HEX_BYTES];
        if (!bots->list[i].token[0]) continue;
        fr_sha256(bots->list[i].token, strlen(bots->list[i].token), secret);
        fr_hmac_sha256(secret, sizeof secret, check->data, check->len, mac);
        fr_hex(mac, sizeof mac, hex);
        if (fr_equal_const_time(hex, hash, SHA256_HEX_BYTES - 1)) found = &bots->list[i];
    }
    return found;
}

enum fr_status login_verify(const struct fr_json *o, const struct bots *bots, int64_t now_ms, struct login *ret, struct fr_err *err)
{
    struct field list[FIELDS_MAX];
    FR_AUTO_BUF(check);
    struct login made = { 0 };
    int count = 0;
    fr_buf_init(&check, CHECK_BYTES);
    if (fr_json_kind(o) != JSON_OBJECT) return malformed(err);
    for (const struct fr_json *v = fr_json_child(o); v; v = fr_json_next(v))
        if (count == FIELDS_MAX || !field_read(v, &list[count++])) return malformed(err);
    qsort(list, (size_t)count, sizeof list[0], by_name);
    const char *hash = find(list, count, "hash");
    if (!hash || strlen(hash) != SHA256_HEX_BYTES - 1 || strspn(hash, "0123456789abcdef") != SHA256_HEX_BYTES - 1) return malformed(err);
    for (int i = 0; i < count; i++) if (strcmp(list[i].name, "hash") != 0) fr_buf_addf(&check, "%s%s=%s", check.len ? "\n" : "", list[i].name, value_of(&list[i]));
    if (check.failed || check.len == 0 || !whole(find(list, count, "id"), &made.user_id) || !whole(find(list, count, "auth_date"), &made.auth_date_s)) return malformed(err);
    made.bot = bot_of(bots, &check, hash);
    if (!made.bot) return FR_FAIL_CODE(err, FR_E_AUTH, "login_bad_hash", "this login was not made for a bot of this host");
    if (made.auth_date_s < now_ms / 1000 - LOGIN_AGE_S) return FR_FAIL_CODE(err, FR_E_AUTH, "login_stale", "this login is too old: sign in again");
    if (made.auth_date_s > now_ms / 1000 + INITDATA_FUTURE_S) return FR_FAIL_CODE(err, FR_E_AUTH, "login_future", "this login is from the future");
    snprintf(made.hash, sizeof made.hash, "%s", hash);
    *ret = made;
    return FR_OK;
}
