// signer: the host's bytes to frond-signer: frames, asks, calldata. Whatever comes, what is signed is within the policy and the day, by the key that was asked for.
#include <sys/mman.h>
#include <unistd.h>
#include "base/limits.h"
#include "chain/abi.h"
#include "chain/sign_wire.h"
#include "ipc/frame.h"
#include "ipc/sign.h"
#include "signer/serve.h"
#include "fuzz.h"

#define NOW_MS 1900000000000LL
#define A(d) "0x" d d d d d d d d d d d d d d d d d d d d
static const char policy[] = "{\"chain_id\":\"1\",\"gas\":{\"limit\":\"65535\",\"max_fee\":\"255\",\"max_tip\":\"255\",\"day\":\"40000000\"},\"ether\":{\"to\":[\"" A("04") "\"],\"each\":\"200\",\"day\":\"300\"},"
    "\"tokens\":[{\"address\":\"" A("01") "\",\"to\":\"any\",\"spenders\":[\"" A("02") "\"],\"each\":\"200\",\"day\":\"300\",\"permit\":{\"name\":\"P\",\"version\":\"1\"}}],"
    "\"burn\":[{\"address\":\"" A("02") "\",\"each\":\"200\",\"day\":\"300\"}],\"payout\":[{\"address\":\"" A("05") "\",\"token\":\"" A("01") "\",\"each\":\"200\",\"day\":\"300\"}],\"sweep\":[{\"address\":\"" A("03") "\",\"tokens\":[\"" A("01") "\"]}],\"siwe\":[\"d\"]}";
static struct signer s;
static int tally_fd;

static void begin(void)
{
    struct fr_err err;
    if (!s.secrets) {
        tally_fd = memfd_create("tally", MFD_CLOEXEC);
        HOLDS(policy_read(policy, sizeof policy - 1, &s.policy, &err) == FR_OK && fr_secret_new(SIGNER_KEYS_MAX * SECRET_KEY_BYTES, &s.secrets, &err) == FR_OK);
        for (; s.key_count < 2; s.key_count++) {
            uint8_t *key = fr_secret_bytes(s.secrets) + s.key_count * SECRET_KEY_BYTES;
            key[31] = (uint8_t)(1 + s.key_count);
            HOLDS(secret_key_address(key, &s.addresses[s.key_count], &err) == FR_OK);
        }
    }
    HOLDS(ftruncate(tally_fd, 0) == 0 && tally_open(tally_fd, &s.tally, &err) == FR_OK);
}

// What an ask may at most be, said in other words than the policy's code does.
static uint64_t tail_u64(const uint8_t *word)
{
    uint64_t v = 0;
    for (int i = 0; i < 24; i++) if (word[i]) return UINT64_MAX;
    for (int i = 24; i < 32; i++) v = v << 8 | word[i];
    return v;
}

static bool all(const struct address *a, uint8_t byte)
{
    for (int i = 0; i < ADDRESS_BYTES; i++) if (a->bytes[i] != byte) return false;
    return true;
}

static void payout_was_allowed(const struct tx *t)
{
    uint64_t count = tail_u64(t->data + 4 + 96), sum = 0;
    HOLDS(count >= 1 && count <= 100 && t->data_len == 4 + 32 * (6 + 3 * count));
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *to = t->data + 4 + 32 * (5 + count + i), *of = t->data + 4 + 32 * (6 + 2 * count + i);
        uint8_t low = to[12];
        HOLDS(tail_u64(of) <= 200);
        sum += tail_u64(of);
        for (int b = 0; b < 12; b++) HOLDS(to[b] == 0);
        bool same = true;
        for (int b = 12; b < 32; b++) same = same && to[b] == low;
        HOLDS(!same || (low != 0 && low != 1 && low != 5));
    }
    HOLDS(sum <= 200);
}

static void tx_was_allowed(const struct sign_ask *ask, const struct signature *sig)
{
    const struct tx *t = &ask->tx;
    struct address who;
    uint8_t hash[32];
    HOLDS(tx_signing_hash(t, hash, NULL) == FR_OK && signature_signer(sig, hash, &who, NULL) == FR_OK && address_equal(&who, &ask->from));
    HOLDS(t->chain_id == 1 && !t->creates && t->gas_limit <= 65535 && u256_compare(t->max_fee, u256_of(255)) <= 0 && u256_compare(t->max_tip, t->max_fee) <= 0);
    if (t->data_len == 0) {
        HOLDS(address_equal(&t->to, &ask->from) ? u256_is_zero(t->value) : all(&t->to, 4) && u256_compare(t->value, u256_of(200)) <= 0);
        return;
    }
    HOLDS(u256_is_zero(t->value) && t->data_len >= 68);
    if (all(&t->to, 1) && t->data_len == 68) HOLDS(tail_u64(t->data + 36) <= 200);               // transfer, approve
    else if (all(&t->to, 1)) HOLDS(t->data_len == 4 + 7 * 32 && t->data[4 + 63] == 2);           // permit to the one spender
    else if (all(&t->to, 2)) HOLDS(t->data_len == 100 && tail_u64(t->data + 36) <= 200);
    else if (all(&t->to, 5)) payout_was_allowed(t);
    else HOLDS(all(&t->to, 3) && t->data[35] == 1 && (t->data_len - 4) % 32 == 0);
}

static void answered(const struct frame *ask, const struct frame *answer)
{
    struct sign_texts texts;
    struct sign_ask a;
    struct signature sig;
    HOLDS(answer->id == ask->id && answer->kind == (ask->kind == SIGN_LIST ? SIGN_KEYS : SIGN_DONE));
    if (ask->kind == SIGN_LIST || answer->status != FRAME_OK) return;
    HOLDS(answer->len == SIGNATURE_BYTES && signature_read((const uint8_t *)answer->payload, &sig, NULL) == FR_OK);
    HOLDS(sign_wire_get(ask->kind == SIGN_TX ? SIGN_A_TX : ask->kind == SIGN_PERMIT ? SIGN_A_PERMIT : SIGN_A_SIWE, ask->payload, ask->len, &texts, &a, NULL) == FR_OK);
    if (a.kind == SIGN_A_TX) tx_was_allowed(&a, &sig);
    if (a.kind == SIGN_A_PERMIT) HOLDS(a.permit.chain_id == 1 && all(&a.permit.token, 1) && all(&a.permit.spender, 2) && u256_compare(a.permit.value, u256_of(200)) <= 0);
    if (a.kind == SIGN_A_SIWE) HOLDS(strcmp(a.siwe.domain, "d") == 0 && a.siwe.chain_id == 1);
    FR_AUTO_BUF(again);
    fr_buf_init(&again, 65536);
    HOLDS(sign_wire_put(&a, &again, NULL) == FR_OK && again.len == ask->len && memcmp(again.data, ask->payload, ask->len) == 0);      // an ask has one spelling
}

static void turn(const char *bytes, size_t len)
{
    FR_AUTO_BUF(out);
    struct fr_err err;
    struct frame ask, answer;
    size_t used = 0, at = 0, answers = 0;
    fr_buf_init(&out, 1 << 23);
    if (serve_turn(&s, bytes, len, NOW_MS, &used, &out, &err) != FR_OK) return;
    HOLDS(used <= len && !out.failed);
    while (at < used) {
        HOLDS(frame_next_of(bytes + at, used - at, SIGN_ASK_FIRST, SIGN_ASK_LAST, SIGNER_FRAME_BYTES_MAX, &ask, &err) == 1);
        HOLDS(frame_next_of(out.data + answers, out.len - answers, SIGN_ANSWER_FIRST, SIGN_ANSWER_LAST, SIGNER_FRAME_BYTES_MAX, &answer, &err) == 1);
        answered(&ask, &answer);
        at += FRAME_HEADER_BYTES + ask.len;
        answers += FRAME_HEADER_BYTES + answer.len;
    }
    HOLDS(answers == out.len);
    struct address who = { { 0 } };
    HOLDS(u256_compare(tally_spent(s.tally, SPEND_ETHER, &who), u256_of(300)) <= 0 && u256_compare(tally_spent(s.tally, SPEND_GAS, &who), u256_of(40000000)) <= 0);
    memset(&who, 1, sizeof who);
    HOLDS(u256_compare(tally_spent(s.tally, SPEND_TOKEN, &who), u256_of(300)) <= 0);
    memset(&who, 2, sizeof who);
    HOLDS(u256_compare(tally_spent(s.tally, SPEND_BURN, &who), u256_of(300)) <= 0);
    memset(&who, 5, sizeof who);
    HOLDS(u256_compare(tally_spent(s.tally, SPEND_PAYOUT, &who), u256_of(300)) <= 0);
}

// A frame around what comes, with a from of ours, and a selector that is known: gets past the lengths to what is inside.
static void made(struct fuzz_in *in, struct fr_buf *out)
{
    static const char *const calls[] = { "transfer(address,uint256)", "approve(address,uint256)", "burn(bytes32,uint256,bytes32)", "sweep(address,bytes32[])", "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)", "pay(bytes32[],address[],uint256[])" };
    struct sign_ask a = { .kind = fuzz_byte(in) % 3, .from = s.addresses[fuzz_byte(in) % 2] };
    uint8_t data[4 + 18 * 32] = { 0 };
    uint8_t call = fuzz_byte(in) % 8, words = fuzz_byte(in) % 19, count = 0;
    a.tx = (struct tx){ .kind = TX_FEE_MARKET, .chain_id = 1, .nonce = fuzz_byte(in), .gas_limit = fuzz_byte(in) << 8 | 1, .max_fee = u256_of(fuzz_byte(in)), .max_tip = u256_of(fuzz_byte(in)), .value = u256_of(call == 5 || call == 7 ? fuzz_byte(in) : 0) };
    memset(a.tx.to.bytes, fuzz_byte(in) % 6, ADDRESS_BYTES);
    if (call < 5) abi_selector(calls[call], data);
    if (call == 6) abi_selector(calls[5], data);
    if (call == 6 && words >= 9) count = (words - 6) / 3;        // well-formed arrays, unless a byte says otherwise
    for (int i = 0; i < words; i++) {
        uint8_t how = fuzz_byte(in);
        if (count && how != 0xff && (i < 3 || i == 3 || i == 4 + count || i == 5 + 2 * count)) {
            int offset = 32 * (3 + i * (count + 1));
            data[4 + 32 * i + 31] = i < 3 ? (uint8_t)offset : count;
            data[4 + 32 * i + 30] = i < 3 ? (uint8_t)(offset >> 8) : 0;
        } else if (how & 0x80) memset(data + 4 + 32 * i + 12, how & 7, 20);
        else data[4 + 32 * i + 31] = how & 0x40 ? 0x40 : fuzz_byte(in);
    }
    a.tx.data = data;
    a.tx.data_len = call == 5 || call == 7 ? 0 : 4 + 32u * words;
    a.permit = (struct sign_permit){ .chain_id = 1, .value = u256_of(fuzz_byte(in)), .nonce = u256_of(fuzz_byte(in)), .deadline_s = NOW_MS / 1000 + fuzz_byte(in) };
    memset(a.permit.token.bytes, fuzz_byte(in) % 3, ADDRESS_BYTES);
    memset(a.permit.spender.bytes, fuzz_byte(in) % 3, ADDRESS_BYTES);
    size_t len;
    char *text = fuzz_part(in, &len);
    a.siwe = (struct siwe){ .domain = "d", .uri = "https://d/", .chain_id = 1, .nonce = "abcdefgh", .issued_ms = NOW_MS, .expires_ms = NOW_MS + 1000, .statement = len ? text : NULL };
    size_t mark = frame_begin(out, &(struct frame){ .kind = (uint8_t)(SIGN_TX + a.kind), .id = 1 + fuzz_byte(in) });
    enum fr_status st = sign_wire_put(&a, out, NULL);
    frame_end(out, mark);
    HOLDS(st == FR_OK || st == FR_E_LIMIT);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)     // mode (1 byte), then bytes
{
    struct fuzz_in in = { data, size };
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 1 << 20);
    begin();
    if (fuzz_byte(&in) & 1) {
        for (int i = 0; in.left > 0 && i < 16; i++) made(&in, &out);
    } else {
        fr_buf_add_bytes(&out, in.at, in.left);
    }
    char *exact = malloc(out.len + 1), *tight = realloc(exact, out.len ? out.len : 1);            // reading past the end is seen
    if (out.len) memcpy(tight, out.data, out.len);
    turn(tight, out.len);
    free(tight);
    tally_free(s.tally);
    s.tally = NULL;
    return 0;
}
