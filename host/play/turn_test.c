// turn_test.c — a worker's turn is read with suspicion; the hash chain covers every byte of it.
#include "play/turn.h"
#include "base/check.h"
#include "base/utf8.h"

static const char *const good[] = { "{\"ok\":true}", "[{\"e\":\"emit\",\"to\":1,\"name\":\"x\"}]",
                                    "0000000000000000000000000000000000000000000000000000000000000001", "{\"a\":1}", "{\"b\":2}" };

static enum fr_status read_parts(const char *const *parts, int count, enum frame_status status, struct turn **t, struct fr_err *err, struct fr_buf *bytes)
{
    struct frame head = { .kind = FRAME_TURN, .status = (uint8_t)status, .id = 1 }, f;
    fr_buf_clear(bytes);
    size_t mark = frame_begin(bytes, &head);
    for (int i = 0; i < count; i++) frame_section(bytes, parts[i], strlen(parts[i]));
    frame_end(bytes, mark);
    if (frame_next(bytes->data, bytes->len, true, &f, err) != 1) return FR_E_INTERNAL;
    return turn_read(&f, 2, false, t, err);
}

static void test_a_good_turn_is_read(void)
{
    FR_AUTO_BUF(bytes);
    FR_AUTO(turn) t = NULL;
    struct fr_err err;
    fr_buf_init(&bytes, 1 << 16);
    CHECK(read_parts(good, 5, FRAME_OK, &t, &err, &bytes) == FR_OK);
    CHECK(t && t->view[0] && t->view[1] && !t->ends && fr_json_size(t->effects) == 1);
}

static void test_nonsense_is_refused(void)
{
    static const struct { int at; const char *text; } cases[] = {
        { 0, "[]" }, { 0, "{" }, { 1, "{}" }, { 1, "[{}]" }, { 1, "[{\"e\":\"finish\"},{\"e\":\"void\"}]" }, { 2, "abc" },
        { 2, "zz00000000000000000000000000000000000000000000000000000000000001" }, { 3, "" }, { 4, "{\"b\":2" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *parts[5];
        memcpy(parts, good, sizeof parts);
        parts[cases[i].at] = cases[i].text;
        FR_AUTO_BUF(bytes);
        FR_AUTO(turn) t = NULL;
        struct fr_err err;
        fr_buf_init(&bytes, 1 << 16);
        CHECK(read_parts(parts, 5, FRAME_OK, &t, &err, &bytes) != FR_OK);
        CHECK(t == NULL);
    }
}

static void test_sections_are_counted(void)
{
    const char *many[7];
    memcpy(many, good, sizeof good);
    many[5] = many[6] = "{}";
    for (int count = 0; count <= 7; count++) {
        FR_AUTO_BUF(bytes);
        FR_AUTO(turn) t = NULL;
        struct fr_err err;
        fr_buf_init(&bytes, 1 << 16);
        CHECK((read_parts(many, count, FRAME_OK, &t, &err, &bytes) == FR_OK) == (count == 5));
    }
}

static void test_a_refusal_has_a_plain_code(void)
{
    static const struct { enum frame_status status; const char *answer, *code; } cases[] = {
        { FRAME_REFUSED, "{\"ok\":false,\"code\":\"not_in_hand\",\"detail\":\"no such card\"}", "not_in_hand" },
        { FRAME_REFUSED, "{\"ok\":false,\"code\":\"<script>\"}", "refused" },
        { FRAME_REFUSED, "{\"ok\":false}", "refused" },
        { FRAME_RAISED, "{\"ok\":false,\"code\":\"funds\",\"detail\":\"main.lua:3: boom\"}", "plugin_error" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        FR_AUTO_BUF(bytes);
        FR_AUTO(turn) t = NULL;
        struct fr_err err;
        fr_buf_init(&bytes, 1 << 16);
        CHECK(read_parts(&cases[i].answer, 1, cases[i].status, &t, &err, &bytes) == FR_OK);
        CHECK_TEXT(t ? t->code : NULL, cases[i].code);
    }
}

static void test_a_long_detail_is_cut_between_characters(void)
{
    char answer[1000] = "{\"ok\":false,\"detail\":\"";
    for (int i = 0; i < FR_ERR_TEXT_BYTES / 2 + 4; i++) strcat(answer, "\xc3\xa9");      // an odd place to end at
    strcat(answer, "\"}");
    const char *parts[] = { answer };
    FR_AUTO_BUF(bytes);
    FR_AUTO(turn) t = NULL;
    struct fr_err err;
    fr_buf_init(&bytes, 1 << 16);
    CHECK(read_parts(parts, 1, FRAME_REFUSED, &t, &err, &bytes) == FR_OK);
    CHECK_INT(t ? strlen(t->detail) : 0, FR_ERR_TEXT_BYTES - 2);
    CHECK(t && fr_utf8_valid(t->detail, strlen(t->detail)));
}

static void test_every_byte_changes_the_chain(void)
{
    struct turn_hash base = { { 0 } }, one, other;
    uint8_t sha[SHA256_BYTES];
    char payload[] = "payload";
    one = base;
    turn_hash_next(&one, "{\"n\":1}", 0, payload, 7, sha);
    for (int i = 0; i < 7; i++) {
        char changed[] = "payload";
        changed[i] ^= 1;
        other = base;
        turn_hash_next(&other, "{\"n\":1}", 0, changed, 7, sha);
        CHECK(memcmp(&one, &other, sizeof one) != 0);
    }
    other = base;
    turn_hash_next(&other, "{\"n\":2}", 0, payload, 7, sha);
    CHECK(memcmp(&one, &other, sizeof one) != 0);
    other = base;
    turn_hash_next(&other, "{\"n\":1}", 1, payload, 7, sha);
    CHECK(memcmp(&one, &other, sizeof one) != 0);
    other = base;
    turn_hash_next(&other, "{\"n\":1}", 0, payload, 7, sha);
    CHECK(memcmp(&one, &other, sizeof one) == 0);
}

int main(void)
{
    TEST(test_a_good_turn_is_read);
    TEST(test_nonsense_is_refused);
    TEST(test_sections_are_counted);
    TEST(test_a_refusal_has_a_plain_code);
    TEST(test_a_long_detail_is_cut_between_characters);
    TEST(test_every_byte_changes_the_chain);
    return TEST_END();
}
