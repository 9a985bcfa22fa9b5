#include "signer/tally.h"
#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/hash.h"
#include "base/mem.h"

#define DAY_MS (24LL * 60 * 60 * 1000)

struct entry { uint32_t of; struct address at; struct u256 spent; };
struct repeat { uint8_t digest[32]; struct u256 fee; };                    // the highest that was counted; all zero: free
// What stands in the file, padding and all: read by the program that wrote it.
struct image {
    char magic[8];
    uint64_t number;                     // the higher is the newer
    int64_t day;
    uint32_t entry_count, repeat_next;
    struct entry entries[SIGNER_ASSETS_MAX];
    struct repeat repeats[SIGNER_REPEATS];
    uint8_t hash[SHA256_BYTES];          // of all before it
};
_Static_assert(sizeof(struct image) <= TALLY_SLOT_BYTES, "an image fits its slot");
#define MAGIC "frtally1"

struct tally { int fd; bool dirty; struct image image; };

static void image_hash(const struct image *m, uint8_t out[SHA256_BYTES])
{
    fr_sha256(m, offsetof(struct image, hash), out);
}

static bool image_whole(const struct image *m)
{
    uint8_t hash[SHA256_BYTES];
    image_hash(m, hash);
    return memcmp(m->magic, MAGIC, sizeof m->magic) == 0 && memcmp(m->hash, hash, sizeof hash) == 0 && m->entry_count <= SIGNER_ASSETS_MAX && m->repeat_next < SIGNER_REPEATS;
}

// ---- the file

static enum fr_status write_all(int fd, const void *bytes, size_t len, off_t at)
{
    for (const char *from = bytes; len > 0;) {
        ssize_t n = pwrite(fd, from, len, at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return FR_E_IO;
        from += n;
        at += n;
        len -= (size_t)n;
    }
    return FR_OK;
}

static enum fr_status tally_begin(struct tally *t, struct fr_err *err)
{
    FR_AUTO_MEM char *zeros = fr_alloc(TALLY_FILE_BYTES);
    if (!zeros) return FR_FAIL(err, FR_E_NOMEM, "no memory for the counters");
    memcpy(t->image.magic, MAGIC, sizeof t->image.magic);
    t->dirty = true;
    if (write_all(t->fd, zeros, TALLY_FILE_BYTES, 0) != FR_OK) return FR_FAIL_CODE(err, FR_E_IO, "tally_unwritten", "the counters' file: %s", strerror(errno));       // its blocks are its own from now on
    return tally_save(t, err);
}

static bool all_zero(const char *bytes, size_t len)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0;
}

static enum fr_status tally_load(struct tally *t, off_t size, struct fr_err *err)
{
    FR_AUTO_MEM char *bytes = fr_alloc(TALLY_FILE_BYTES);
    if (!bytes) return FR_FAIL(err, FR_E_NOMEM, "no memory for the counters");
    if (size != TALLY_FILE_BYTES) return FR_FAIL_CODE(err, FR_E_CORRUPT, "tally_corrupt", "the counters' file has %lld bytes, not %d", (long long)size, TALLY_FILE_BYTES);
    if (pread(t->fd, bytes, TALLY_FILE_BYTES, 0) != TALLY_FILE_BYTES) return FR_FAIL(err, FR_E_IO, "read the counters: %s", strerror(errno));
    const struct image *a = (const void *)bytes, *b = (const void *)(bytes + TALLY_SLOT_BYTES);
    bool first = image_whole(a), second = image_whole(b);
    if (!first && !second && all_zero(bytes, TALLY_FILE_BYTES)) return tally_begin(t, err);      // it ended before its first save
    if (!first && !second) return FR_FAIL_CODE(err, FR_E_CORRUPT, "tally_corrupt", "the counters' file was changed or is another's");
    t->image = first && (!second || a->number > b->number) ? *a : *b;
    return FR_OK;
}

enum fr_status tally_open(int fd, struct tally **ret, struct fr_err *err)
{
    FR_AUTO(tally) t = fr_alloc(sizeof *t);
    struct stat st;
    if (!t) return FR_FAIL(err, FR_E_NOMEM, "no memory for the counters");
    t->fd = fd;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) return FR_FAIL_CODE(err, FR_E_INVALID, "tally_file", "the counters need a regular file");
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) return FR_FAIL_CODE(err, FR_E_BUSY, "tally_busy", "another signer counts in this file");
    FR_TRY(st.st_size == 0 ? tally_begin(t, err) : tally_load(t, st.st_size, err));
    *ret = FR_TAKE(t);
    return FR_OK;
}

void tally_free(struct tally *t)
{
    fr_free(t);
}

enum fr_status tally_save(struct tally *t, struct fr_err *err)
{
    if (!t->dirty) return FR_OK;
    t->image.number++;
    image_hash(&t->image, t->image.hash);
    if (write_all(t->fd, &t->image, sizeof t->image, (off_t)(t->image.number % 2) * TALLY_SLOT_BYTES) != FR_OK || fdatasync(t->fd) < 0) {
        t->image.number++;               // the slot that may be damaged now is the one to write next
        return FR_FAIL_CODE(err, FR_E_IO, "tally_unwritten", "the signer's counters cannot be written: %s", strerror(errno));
    }
    t->dirty = false;
    return FR_OK;
}

// ---- the count

static struct entry *entry_of(struct tally *t, enum spend_of of, const struct address *at)
{
    for (uint32_t i = 0; i < t->image.entry_count; i++)
        if (t->image.entries[i].of == of && address_equal(&t->image.entries[i].at, at)) return &t->image.entries[i];
    if (t->image.entry_count == SIGNER_ASSETS_MAX) return NULL;
    struct entry *e = &t->image.entries[t->image.entry_count++];
    memset(e, 0, sizeof *e);
    e->of = of;
    e->at = *at;
    return e;
}

static struct repeat *repeat_of(struct tally *t, const uint8_t digest[32])
{
    for (int i = 0; i < SIGNER_REPEATS; i++)
        if (memcmp(t->image.repeats[i].digest, digest, 32) == 0) return &t->image.repeats[i];
    return NULL;
}

static void begin_day(struct tally *t, int64_t now_ms)
{
    int64_t day = now_ms / DAY_MS;
    if (day <= t->image.day) return;
    t->image.day = day;
    t->image.entry_count = 0;
    memset(t->image.entries, 0, sizeof t->image.entries);
}

// What the ask adds: everything, or of one that was counted before only the fee's rise.
static struct u256 adds(const struct spends *s, int no, const struct repeat *known)
{
    struct u256 rise = u256_of(0);
    if (!known) return s->list[no].amount;
    if (s->has_gas && no == 0 && !u256_sub(s->list[0].amount, known->fee, &rise)) rise = u256_of(0);
    return rise;
}

static enum fr_status over_day(const struct spend *s, struct u256 spent, struct fr_err *err)
{
    static const char *const what[] = { [SPEND_GAS] = "wei of fees", [SPEND_ETHER] = "wei", [SPEND_TOKEN] = "of a token", [SPEND_BURN] = "to burn", [SPEND_PAYOUT] = "to pay out" };
    char asked[U256_TEXT_BYTES], had[U256_TEXT_BYTES], most[U256_TEXT_BYTES];
    return FR_FAIL_CODE(err, FR_E_DENIED, "sign_day", "%s %s would be over today's %s, of which %s are used", u256_text(s->amount, asked), what[s->of], u256_text(s->day, most), u256_text(spent, had));
}

enum fr_status tally_take(struct tally *t, const struct spends *s, const uint8_t digest[32], int64_t now_ms, struct fr_err *err)
{
    static const struct repeat nothing;
    struct entry *entry[2];
    struct u256 sum[2];
    if (s->count == 0) return FR_OK;
    begin_day(t, now_ms);
    struct repeat *known = repeat_of(t, digest);
    for (int i = 0; i < s->count; i++) {
        entry[i] = entry_of(t, s->list[i].of, &s->list[i].at);
        if (!entry[i]) return FR_FAIL_CODE(err, FR_E_LIMIT, "tally_full", "over %d assets in one day", SIGNER_ASSETS_MAX);
        struct u256 more = adds(s, i, known);
        if (!u256_add(entry[i]->spent, more, &sum[i]) || (!u256_is_zero(more) && u256_compare(sum[i], s->list[i].day) > 0)) return over_day(&s->list[i], entry[i]->spent, err);
    }
    for (int i = 0; i < s->count; i++) entry[i]->spent = sum[i];
    t->dirty = true;
    if (!known) {
        known = &t->image.repeats[t->image.repeat_next];
        t->image.repeat_next = (t->image.repeat_next + 1) % SIGNER_REPEATS;
        *known = nothing;
        memcpy(known->digest, digest, sizeof known->digest);
    }
    if (s->has_gas && u256_compare(s->list[0].amount, known->fee) > 0) known->fee = s->list[0].amount;
    return FR_OK;
}

struct u256 tally_spent(const struct tally *t, enum spend_of of, const struct address *at)
{
    for (uint32_t i = 0; i < t->image.entry_count; i++)
        if (t->image.entries[i].of == of && address_equal(&t->image.entries[i].at, at)) return t->image.entries[i].spent;
    return u256_of(0);
}

int64_t tally_day(const struct tally *t)
{
    return t->image.day;
}
