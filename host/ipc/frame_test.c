// frame_test.c — what goes in comes out at every split; what lies is refused; a cursor stays inside.
#include "ipc/frame.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"

static void test_a_frame_comes_back_as_it_went_in(void)
{
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 4096);
    struct frame f = { .len = 5, .kind = FRAME_ASK, .status = FRAME_REFUSED, .call = 0xabcd, .id = 0x01020304, .ref = 0xfffefdfc, .payload = "hello" }, got;
    frame_put(&out, &f);
    CHECK(!out.failed && out.len == FRAME_HEADER_BYTES + 5);
    CHECK(memcmp(out.data, "\x05\0\0\0\x43\x01\xcd\xab\x04\x03\x02\x01\xfc\xfd\xfe\xff" "hello", 21) == 0);   // the bytes on the wire, once and for all
    CHECK_INT(frame_next(out.data, out.len, true, &got, NULL), 1);
    CHECK(got.len == 5 && got.kind == FRAME_ASK && got.status == FRAME_REFUSED && got.call == 0xabcd && got.id == 0x01020304 && got.ref == 0xfffefdfc);
    CHECK(memcmp(got.payload, "hello", 5) == 0);
}

static void test_every_split_waits_and_then_answers(void)
{
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 4096);
    struct frame a = { .kind = FRAME_CALL, .id = 7 }, b = { .kind = FRAME_CANCEL, .id = 8 }, got;
    size_t mark = frame_begin(&out, &a);
    frame_section(&out, "call:greet", 10);
    frame_section(&out, "", 0);
    frame_section(&out, "{}", 2);
    frame_end(&out, mark);
    size_t first = out.len;
    frame_put(&out, &b);
    for (size_t n = 0; n < first; n++) {
        char *copy = fr_must_alloc(n + 1);        // its own block: reading past n is seen by the sanitizer
        memcpy(copy, out.data, n);
        char *tight = fr_realloc(copy, n ? n : 1);
        CHECK_INT(frame_next(tight, n, false, &got, NULL), 0);
        fr_free(tight);
    }
    CHECK_INT(frame_next(out.data, first, false, &got, NULL), 1);
    CHECK_INT(FRAME_HEADER_BYTES + got.len, first);
    struct frame_cursor c;
    const char *bytes;
    size_t len;
    frame_sections(&got, &c);
    CHECK(frame_take(&c, &bytes, &len) && len == 10 && memcmp(bytes, "call:greet", 10) == 0);
    CHECK(frame_take(&c, &bytes, &len) && len == 0);
    CHECK(frame_take(&c, &bytes, &len) && len == 2 && memcmp(bytes, "{}", 2) == 0);
    CHECK(!frame_take(&c, &bytes, &len) && !c.bad);
    CHECK_INT(frame_next(out.data + first, out.len - first, false, &got, NULL), 1);
    CHECK(got.kind == FRAME_CANCEL && got.id == 8 && got.len == 0);
}

static void test_bad_frames_are_refused_at_the_header(void)
{
    static const struct { const char *what; unsigned char header[FRAME_HEADER_BYTES]; bool from_worker; int want; const char *text; } table[] = {
        { "longest", { 0, 0, 0x10, 0, FRAME_RESULT }, true, 0, "" },
        { "one byte too long", { 1, 0, 0x10, 0, FRAME_RESULT }, true, -1, "a frame of 1048577 bytes; at most 1048576" },
        { "length that is all ones", { 0xff, 0xff, 0xff, 0xff, FRAME_RESULT }, true, -1, "a frame of 4294967295 bytes; at most 1048576" },
        { "kind 0", { 0 }, true, -1, "a frame of unknown kind 0" },
        { "kind past the last", { 0, 0, 0, 0, FRAME_STREAM + 1 }, true, -1, "a frame of unknown kind 70" },
        { "a worker that plays host", { 0, 0, 0, 0, FRAME_ANSWER }, true, -1, "a frame of unknown kind 3" },
        { "a host that plays worker", { 0, 0, 0, 0, FRAME_READY }, false, -1, "a frame of unknown kind 64" },
        { "host kind past the last", { 0, 0, 0, 0, FRAME_MATCH_RESTORE + 1 }, false, -1, "a frame of unknown kind 11" },
        { "status past the last", { 0, 0, 0, 0, FRAME_TURN, FRAME_STATUS_COUNT }, true, -1, "a frame with unknown status 5" },
        { "last status", { 0, 0, 0, 0, FRAME_TURN, FRAME_STATUS_COUNT - 1 }, true, 1, "" },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct fr_err err = { 0 };
        struct frame got;
        int r = frame_next((const char *)table[i].header, FRAME_HEADER_BYTES, table[i].from_worker, &got, &err);
        if (r != table[i].want) printf("  case: %s\n", table[i].what);
        CHECK_INT(r, table[i].want);
        CHECK_TEXT(err.text, table[i].text);
    }
}

static void test_a_cursor_never_leaves_the_payload(void)
{
    static const struct { const char *bytes; size_t len; int sections; bool bad; } table[] = {
        { "", 0, 0, false },
        { "\0\0\0\0", 4, 1, false },
        { "\x01\0\0\0x\0\0\0\0", 9, 2, false },
        { "\x01\0\0\0", 4, 0, true },              // promises one byte, has none
        { "\x02\0\0\0x", 5, 0, true },
        { "\x01\0\0\0xyz", 7, 1, true },           // three bytes cannot hold a length
        { "\xff\xff\xff\xff", 4, 0, true },        // 4 + length would wrap in 32 bits
        { "\xfc\xff\xff\xff" "abcd", 8, 0, true },
        { "\x01", 1, 0, true },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char *tight = fr_must_alloc(table[i].len ? table[i].len : 1);
        memcpy(tight, table[i].bytes, table[i].len);
        struct frame f = { .len = (uint32_t)table[i].len, .payload = tight };
        struct frame_cursor c;
        const char *bytes;
        size_t len;
        int n = 0;
        frame_sections(&f, &c);
        while (frame_take(&c, &bytes, &len)) {
            CHECK(bytes >= tight && bytes + len <= tight + table[i].len);
            n++;
        }
        CHECK_INT(n, table[i].sections);
        CHECK_INT(c.bad, table[i].bad);
        CHECK(!frame_take(&c, &bytes, &len));      // bad stays bad
        fr_free(tight);
    }
}

static void test_what_does_not_fit_fails_the_buffer(void)
{
    static char big[FRAME_BYTES_MAX + 1];
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 4 * FRAME_BYTES_MAX);
    struct frame f = { .kind = FRAME_CALL, .id = 1 };
    size_t mark = frame_begin(&out, &f);
    frame_section(&out, big, FRAME_BYTES_MAX - 4);
    frame_end(&out, mark);
    CHECK(!out.failed);                             // exactly full
    mark = frame_begin(&out, &f);
    frame_section(&out, big, FRAME_BYTES_MAX - 3);
    frame_end(&out, mark);
    CHECK(out.failed);                              // one byte more
    FR_AUTO_BUF(second);
    fr_buf_init(&second, 4 * FRAME_BYTES_MAX);
    mark = frame_begin(&second, &f);
    frame_section(&second, big, sizeof big);
    frame_end(&second, mark);
    CHECK(second.failed);
}

int main(void)
{
    TEST(test_a_frame_comes_back_as_it_went_in);
    TEST(test_every_split_waits_and_then_answers);
    TEST(test_bad_frames_are_refused_at_the_header);
    TEST(test_a_cursor_never_leaves_the_payload);
    TEST(test_what_does_not_fit_fails_the_buffer);
    return TEST_END();
}
