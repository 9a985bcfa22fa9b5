// encoders.c — chain's encoders at a prompt, so that a test in another language can ask them. One question a line, one answer a line:
//
//   selector SIGNATURE | topic SIGNATURE                                           hex
//   create2 FACTORY SALT INIT_CODE_HASH                                            the address
//   burn ID AMOUNT ROOT                                                            calldata of BurnModule.burn
//   pay [ID TO AMOUNT]...                                                          calldata of PayoutModule.pay
//   burned DATA                                                                    amount and day of a BatchBurned log
//   leaf BYTES                                                                     the leaf's hash
//   proof WHICH LEAF...                                                            the root of these leaves, then the proof of the one at WHICH
//   permit NAME CHAIN_ID TOKEN OWNER SPENDER VALUE NONCE DEADLINE                  the digest that the owner signs
// Hex begins with 0x. What is malformed ends the program: the test wrote it.
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/hex.h"
#include "base/mem.h"
#include "chain/abi.h"
#include "chain/eip712.h"
#include "chain/merkle.h"

#define WORDS_MAX 2048
static char *word[WORDS_MAX];
static int words;

static void need(bool well)
{
    if (well) return;
    fprintf(stderr, "encoders: malformed %s\n", words > 0 ? word[0] : "line");
    exit(2);
}

static void bytes_of(int no, uint8_t *out, size_t len)
{
    need(no < words && strncmp(word[no], "0x", 2) == 0 && fr_unhex(word[no] + 2, strlen(word[no] + 2), out, len));
}

static struct address address_of(int no)
{
    struct address a;
    need(no < words && address_parse(word[no], &a, NULL) == FR_OK);
    return a;
}

static struct u256 number_of(int no)
{
    struct u256 n;
    need(no < words && u256_parse(word[no], &n, NULL) == FR_OK);
    return n;
}

static void say_hex(const void *bytes, size_t len, const char *end)
{
    char text[32768];
    assert(2 * len < sizeof text);
    printf("0x%s%s", fr_hex(bytes, len, text), end);
}

static void say_burn(void)
{
    FR_AUTO_BUF(to);
    struct abi_out out;
    uint8_t id[32], root[32];
    fr_buf_init(&to, 1024);
    bytes_of(1, id, sizeof id);
    bytes_of(3, root, sizeof root);
    abi_begin(&out, &to, "burn(bytes32,uint256,bytes32)", 3);
    abi_put_word(&out, id);
    abi_put_u256(&out, number_of(2));
    abi_put_word(&out, root);
    need(abi_end(&out, NULL) == FR_OK);
    say_hex(to.data, to.len, "\n");
}

static void say_pay(void)
{
    static uint8_t ids[128][ABI_WORD_BYTES], to[128][ABI_WORD_BYTES], amounts[128][ABI_WORD_BYTES];
    FR_AUTO_BUF(data);
    struct abi_out out;
    int count = (words - 1) / 3;
    need(words == 1 + 3 * count && count > 0 && count <= 128);
    for (int i = 0; i < count; i++) {
        struct address a = address_of(2 + 3 * i);
        bytes_of(1 + 3 * i, ids[i], 32);
        memcpy(to[i] + 12, a.bytes, sizeof a.bytes);
        u256_to_bytes(number_of(3 + 3 * i), amounts[i]);
    }
    fr_buf_init(&data, 16384);
    abi_begin(&out, &data, "pay(bytes32[],address[],uint256[])", 3);
    abi_put_words(&out, ids, (size_t)count);
    abi_put_words(&out, to, (size_t)count);
    abi_put_words(&out, amounts, (size_t)count);
    need(abi_end(&out, NULL) == FR_OK);
    say_hex(data.data, data.len, "\n");
}

static void say_burned(void)
{
    uint8_t data[64];
    struct abi_in in = { data, sizeof data };
    struct u256 amount;
    uint64_t day;
    char text[U256_TEXT_BYTES];
    bytes_of(1, data, sizeof data);
    need(abi_get_u256(&in, 0, &amount, NULL) == FR_OK && abi_get_u64(&in, 1, &day, NULL) == FR_OK);
    printf("%s %llu\n", u256_text(amount, text), (unsigned long long)day);
}

static void say_leaf(void)
{
    uint8_t bytes[512];
    size_t len = words == 2 && strlen(word[1]) >= 2 ? strlen(word[1] + 2) / 2 : 0;
    need(len > 0 && len <= sizeof bytes);
    bytes_of(1, bytes, len);
    struct merkle_hash leaf = merkle_leaf(bytes, len);
    say_hex(leaf.bytes, sizeof leaf.bytes, "\n");
}

static void say_proof(void)
{
    static struct merkle_hash leaf[WORDS_MAX];
    struct merkle_proof proof;
    struct merkle *m;
    int count = words - 2, which = words > 1 ? atoi(word[1]) : -1;
    need(count > 0 && which >= 0 && which < count);
    for (int i = 0; i < count; i++) bytes_of(2 + i, leaf[i].bytes, sizeof leaf[i].bytes);
    need(merkle_new(leaf, (size_t)count, &m, NULL) == FR_OK);
    struct merkle_hash root = merkle_root(m);
    need(merkle_prove(m, &leaf[which], &proof) && merkle_check(&root, &leaf[which], &proof));
    say_hex(root.bytes, sizeof root.bytes, "");
    for (int i = 0; i < proof.count; i++) {
        printf(" ");
        say_hex(proof.step[i].bytes, sizeof proof.step[i].bytes, "");
    }
    printf("\n");
    merkle_free(m);
}

static void say_permit(void)
{
    struct eip712 e;
    uint64_t chain_id;
    uint8_t domain[32], hash[32], digest[32];
    struct address token = address_of(3), owner = address_of(4), spender = address_of(5);
    need(words == 9 && u256_fits_u64(number_of(2), &chain_id));
    eip712_domain(word[1], "1", chain_id, &token, domain);
    eip712_begin(&e, "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
    eip712_add_address(&e, &owner);
    eip712_add_address(&e, &spender);
    for (int i = 6; i < 9; i++) eip712_add_u256(&e, number_of(i));
    eip712_end(&e, hash);
    eip712_digest(domain, hash, digest);
    say_hex(digest, sizeof digest, "\n");
}

static void say_create2(void)
{
    struct address factory = address_of(1), made;
    uint8_t salt[32], hash[32];
    char text[ADDRESS_TEXT_BYTES];
    bytes_of(2, salt, sizeof salt);
    bytes_of(3, hash, sizeof hash);
    made = address_of_create2(&factory, salt, hash);
    printf("%s\n", address_text(&made, text));
}

static void answer(void)
{
    uint8_t out[32];
    need(words > 1);
    if (strcmp(word[0], "selector") == 0) {
        abi_selector(word[1], out);
        say_hex(out, ABI_SELECTOR_BYTES, "\n");
    } else if (strcmp(word[0], "topic") == 0) {
        abi_event_topic(word[1], out);
        say_hex(out, sizeof out, "\n");
    } else if (strcmp(word[0], "create2") == 0) say_create2();
    else if (strcmp(word[0], "burn") == 0) say_burn();
    else if (strcmp(word[0], "burned") == 0) say_burned();
    else if (strcmp(word[0], "pay") == 0) say_pay();
    else if (strcmp(word[0], "leaf") == 0) say_leaf();
    else if (strcmp(word[0], "proof") == 0) say_proof();
    else if (strcmp(word[0], "permit") == 0) say_permit();
    else need(false);
}

int main(void)
{
    char *line = NULL, *rest;
    size_t cap = 0;
    while (getline(&line, &cap, stdin) > 0) {
        words = 0;
        for (char *w = strtok_r(line, " \n", &rest); w; w = strtok_r(NULL, " \n", &rest)) {
            need(words < WORDS_MAX);
            word[words++] = w;
        }
        answer();
    }
    free(line);
    return 0;
}
