// abi: a contract's answers and logs. Nothing points outside of what came, and what was read is read again from what is written of it.
#include "base/utf8.h"
#include "chain/abi.h"
#include "fuzz.h"

#define WORDS_MAX 6
static void written_again(const uint8_t *bytes, size_t len, const uint8_t *words, size_t count)
{
    FR_AUTO_BUF(buf);
    struct abi_out out;
    const uint8_t *at;
    size_t n;
    fr_buf_init(&buf, 1 << 20);
    abi_begin(&out, &buf, NULL, 2);
    abi_put_bytes(&out, bytes, len);
    abi_put_words(&out, (const uint8_t (*)[ABI_WORD_BYTES])words, count);
    HOLDS(abi_end(&out, NULL) == FR_OK);
    struct abi_in in = { (const uint8_t *)buf.data, buf.len };
    HOLDS(abi_get_bytes(&in, 0, &at, &n, NULL) == FR_OK && n == len && (len == 0 || memcmp(at, bytes, len) == 0));
    HOLDS(abi_get_words(&in, 1, &at, &n, NULL) == FR_OK && n == count && (count == 0 || memcmp(at, words, count * ABI_WORD_BYTES) == 0));
}

static void head(const struct abi_in *in, int no)
{
    struct u256 big;
    struct address a, b;
    uint64_t small;
    bool yes;
    uint8_t word[ABI_WORD_BYTES];
    struct fr_err err = { 0 };
    if (abi_get_word(in, no, word, &err) != FR_OK) {
        HOLDS(strcmp(err.code, "abi_malformed") == 0 && (size_t)no + 1 > in->len / ABI_WORD_BYTES);
        return;
    }
    HOLDS(abi_get_u256(in, no, &big, NULL) == FR_OK);
    bool high = big.limb[1] || big.limb[2] || big.limb[3];
    HOLDS((abi_get_u64(in, no, &small, NULL) == FR_OK) == !high && (high || small == big.limb[0]));
    HOLDS((abi_get_bool(in, no, &yes, NULL) == FR_OK) == (!high && big.limb[0] < 2));
    if (abi_get_address(in, no, &a, NULL) == FR_OK) {
        memcpy(b.bytes, word + 12, sizeof b.bytes);
        HOLDS(address_equal(&a, &b));
    }
}

static void inside(const struct abi_in *in, const uint8_t *at, size_t len) { HOLDS(len <= in->len && (len == 0 || (at >= in->bytes && at + len <= in->bytes + in->len))); }

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    uint8_t *exact = malloc(size ? size : 1);
    char text[200];
    if (size) memcpy(exact, bytes, size);
    struct abi_in in = { exact, size };
    for (int no = 0; no < WORDS_MAX; no++) {
        const uint8_t *part = NULL, *words = NULL;
        size_t part_len = 0, count = 0;
        head(&in, no);
        if (abi_get_bytes(&in, no, &part, &part_len, NULL) != FR_OK) part_len = 0;
        if (abi_get_words(&in, no, &words, &count, NULL) != FR_OK) count = 0;
        inside(&in, part, part_len);
        HOLDS(count <= in.len / ABI_WORD_BYTES);
        inside(&in, words, count * ABI_WORD_BYTES);
        if (part_len || count) written_again(part, part_len, words, count);
    }
    memset(text, 'x', sizeof text);
    abi_revert_text(exact, size, text, sizeof text);
    HOLDS(memchr(text, 0, sizeof text));
    for (const char *c = text; *c; c++) HOLDS((uint8_t)*c >= 0x20 && (uint8_t)*c != 0x7f);
    free(exact);
    return 0;
}
