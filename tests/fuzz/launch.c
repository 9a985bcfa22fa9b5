// launch: launch data with a fixed bot token. Nothing passes that was not signed, and all that is minted passes.
#include "base/hash.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/utf8.h"
#include "player/initdata.h"
#include "fuzz.h"

#define TOKEN "7342037359:AAFZehRPBRs8Seg40oDjTMIW8uTGPuW1zfQ"
#define NOW_S 1700000000

void __wrap_fr_random_bytes(void *out, size_t len);              // the same noise each time, or an input would not reproduce
void __wrap_fr_random_bytes(void *out, size_t len) { memset(out, 0x5A, len); }

// A partner's bot beside ours, so that strangers' signatures are read too.
static const struct bots bots = { .list = { { .name = "main", .id = 7342037359, .token = TOKEN }, { .name = "partner", .id = 7342037360 } }, .count = 2 };
static const struct initdata_rules rules = { .bots = &bots, .now_ms = NOW_S * 1000LL, .max_age_s = 86400, .future_s = 60 };

static void refusal_is_known(const struct fr_err *err)
{
    HOLDS(err->status == FR_E_AUTH && strncmp(err->code, "launch_", 7) == 0);
    HOLDS(fr_utf8_valid(err->text, strlen(err->text)));
}

static void accepted_holds(const struct initdata *d)
{
    HOLDS(d->user_id >= 1 && d->user_id < 1LL << 53 && strlen(d->hash) == 64);
    HOLDS(d->auth_date_s >= NOW_S - 86400 && d->auth_date_s <= NOW_S + 60);
    const char *texts[] = { d->first_name, d->last_name, d->username, d->language, d->start_param, d->query_id };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) HOLDS(fr_utf8_valid(texts[i], strlen(texts[i])));
}

// Bytes as a stranger sends them: without the token nobody makes a hash that passes.
static void raw(const char *text, size_t len)
{
    struct initdata d;
    struct fr_err err;
    HOLDS(initdata_verify(text, len, &rules, &d, &err) != FR_OK);
    refusal_is_known(&err);
}

struct pair { char *name, *value; };
static int pair_order(const void *a, const void *b) { return strcmp(((const struct pair *)a)->name, ((const struct pair *)b)->name); }

static void add_percent(struct fr_buf *out, const char *text)
{
    for (; *text; text++) fr_buf_addf(out, "%%%02x", (uint8_t)*text);
}

// Fields of the input's choice, signed the way the documentation says, by code of our own: gets behind the proof.
static void signed_fields(struct fuzz_in *in)
{
    struct pair pairs[40];
    int count = 0;
    bool twice = false;
    FR_AUTO_BUF(check); FR_AUTO_BUF(sent);
    fr_buf_init(&check, 1 << 20);
    fr_buf_init(&sent, 1 << 20);
    while (in->left > 0 && count < 40) {
        size_t len;
        pairs[count].name = fuzz_part(in, &len);
        pairs[count].value = fuzz_part(in, &len);
        count++;
    }
    for (int i = 0; i < count; i++) {
        if (sent.len) fr_buf_add_char(&sent, '&');
        add_percent(&sent, pairs[i].name);
        fr_buf_add_char(&sent, '=');
        add_percent(&sent, pairs[i].value);
    }
    qsort(pairs, (size_t)count, sizeof pairs[0], pair_order);
    for (int i = 0; i < count; i++) {
        twice = twice || (i > 0 && strcmp(pairs[i].name, pairs[i - 1].name) == 0) || strcmp(pairs[i].name, "hash") == 0;
        fr_buf_addf(&check, "%s%s=%s", check.len ? "\n" : "", pairs[i].name, pairs[i].value);
    }
    uint8_t secret[SHA256_BYTES], mac[SHA256_BYTES];
    char hash[SHA256_HEX_BYTES];
    fr_hmac_sha256("WebAppData", 10, TOKEN, strlen(TOKEN), secret);
    fr_hmac_sha256(secret, sizeof secret, check.data ? check.data : "", check.len, mac);
    fr_buf_addf(&sent, "%shash=%s", sent.len ? "&" : "", fr_hex(mac, sizeof mac, hash));

    struct initdata d;
    struct fr_err err;
    enum fr_status st = initdata_verify(sent.data, sent.len, &rules, &d, &err);
    if (st == FR_OK) {
        HOLDS(!twice);
        accepted_holds(&d);
        HOLDS(strcmp(d.hash, hash) == 0);
        sent.data[sent.len - 1] = sent.data[sent.len - 1] == '0' ? '1' : '0';      // another hash is refused
        HOLDS(initdata_verify(sent.data, sent.len, &rules, &d, &err) == FR_E_AUTH && strcmp(err.code, "launch_bad_hash") == 0);
    } else {
        refusal_is_known(&err);
        HOLDS(twice || strcmp(err.code, "launch_bad_hash") != 0);                   // ours and theirs agree on the check string
    }
    for (int i = 0; i < count; i++) {
        free(pairs[i].name);
        free(pairs[i].value);
    }
}

static void minted(struct fuzz_in *in)
{
    size_t len;
    char *user = fuzz_part(in, &len), *start = fuzz_part(in, &len);
    struct initdata d;
    struct fr_err err;
    int64_t id;
    FR_AUTO_BUF(out);
    FR_AUTO(fr_json) json = NULL;
    fr_buf_init(&out, 2 * INITDATA_BYTES_MAX);
    if (initdata_mint(TOKEN, user, NOW_S, start, &out, &err) == FR_OK) {
        bool known = fr_json_parse(user, strlen(user), &json, &err) == FR_OK && fr_json_kind(json) == JSON_OBJECT &&
                     fr_json_need_int(json, "id", 1, (1LL << 53) - 1, &id, &err) == FR_OK;
        if (initdata_verify(out.data, out.len, &rules, &d, &err) == FR_OK) {
            accepted_holds(&d);
            HOLDS(known && d.user_id == id && (strlen(start) >= sizeof d.start_param || strcmp(d.start_param, start) == 0));
        } else {
            HOLDS(strcmp(err.code, "launch_bad_user") == 0 || strcmp(err.code, "launch_no_user") == 0);   // whoever it is for is the minter's to say
        }
    }
    free(user);
    free(start);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_in in = { data, size };
    size_t len;
    int64_t bot_id;
    char *text;
    struct fr_err err;
    switch (fuzz_byte(&in) & 3) {
    case 0:
        text = malloc(in.left ? in.left : 1);
        len = in.left;
        if (len) memcpy(text, in.at, len);
        raw(text, len);
        free(text);
        break;
    case 1: signed_fields(&in); break;
    case 2: minted(&in); break;
    default:
        text = fuzz_part(&in, &len);
        if (bot_token_check(text, &bot_id, &err) == FR_OK) HOLDS(bot_id > 0 && len <= 18 + 1 + 50);
        else HOLDS(strcmp(err.code, "bot_token") == 0);
        free(text);
    }
    return 0;
}
