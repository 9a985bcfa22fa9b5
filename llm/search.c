// search.c — the tables, the words, the two orders and their sum.
#include "llm/search.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/hash.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "store/migrate.h"

#define FUSION 60.0                        // of Cormack, Clarke and Buettcher, 2009
#define RANKED 60                          // of each order

static const struct store_migration steps[] = {
    { "llm_docs", 1,
      "CREATE TABLE llm_doc (row INTEGER PRIMARY KEY, tenant TEXT NOT NULL, id TEXT NOT NULL, text TEXT NOT NULL, bytes INTEGER NOT NULL, at INTEGER NOT NULL, vector BLOB, model TEXT, UNIQUE (tenant, id)) STRICT;"
      "CREATE VIRTUAL TABLE llm_doc_words USING fts5(tenant, words, tokenize = 'unicode61 remove_diacritics 2');" },
};

void llm_search_tables(void)
{
    store_register(steps, sizeof steps / sizeof steps[0]);
}

// ---- words

static uint32_t code_at(const char *c, size_t n)
{
    const unsigned char *u = (const unsigned char *)c;
    if (n == 1) return u[0];
    if (n == 2) return (uint32_t)(u[0] & 0x1f) << 6 | (u[1] & 0x3f);
    if (n == 3) return (uint32_t)(u[0] & 0x0f) << 12 | (uint32_t)(u[1] & 0x3f) << 6 | (u[2] & 0x3f);
    return 0x10000;
}

static bool in_pairs(uint32_t c)           // Thai to Burmese, Khmer, Hangul, kana, Han
{
    return (c >= 0xe00 && c <= 0x109f) || (c >= 0x1100 && c <= 0x11ff) || (c >= 0x1780 && c <= 0x17ff) || (c >= 0x3040 && c <= 0x30ff) || (c >= 0x3130 && c <= 0x318f)
        || (c >= 0x3400 && c <= 0x9fff) || (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff);
}

static bool in_word(uint32_t c)
{
    if (c < 0x80) return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
    return c >= 0xaa && !(c >= 0x2000 && c <= 0x2bff) && !(c >= 0x3000 && c <= 0x303f) && !(c >= 0xfe30 && c <= 0xffef) && c != 0xab && c != 0xbb && c != 0xb7 && c < 0x10000;
}

void llm_search_words(const char *text, struct fr_buf *out)
{
    size_t len = strlen(text), before = 0, before_len = 0;       // the character before, when it was one of pairs
    bool lonely = false, word = false;
    for (size_t i = 0; i <= len; ) {
        size_t n = i < len ? fr_utf8_char(text + i, len - i) : 1;
        if (n == 0) n = 1;
        uint32_t c = i < len ? code_at(text + i, n) : 0;
        bool pairs = in_pairs(c);
        if (!pairs && before_len) {
            if (lonely) { fr_buf_add_char(out, ' '); fr_buf_add_bytes(out, text + before, before_len); }
            before_len = 0;
        }
        if (pairs) {
            if (before_len) { fr_buf_add_char(out, ' '); fr_buf_add_bytes(out, text + before, before_len + n); }
            lonely = !before_len;
            before = i;
            before_len = n;
            word = false;
        } else if (in_word(c)) {
            if (!word) fr_buf_add_char(out, ' ');
            fr_buf_add_bytes(out, text + i, n);
            word = true;
        } else word = false;
        i += n;
    }
}

// The tenant as one word that no text is likely to hold.
static void tenant_word(const char *tenant, char out[24])
{
    uint8_t sum[SHA256_BYTES];
    char hex[17];
    fr_sha256(tenant, strlen(tenant), sum);
    snprintf(out, 24, "t%s", fr_hex(sum, 8, hex));
}

// ---- changes

static enum fr_status doc_row(struct store_txn *txn, const char *tenant, const char *id, int64_t *row_no, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found;
    *row_no = 0;
    FR_TRY(sql_begin(txn, "SELECT row FROM llm_doc WHERE tenant = ?1 AND id = ?2", &row, err));
    sql_bind_text(row, 1, tenant);
    sql_bind_text(row, 2, id);
    FR_TRY(sql_step(row, &found, err));
    if (found) *row_no = sql_int(row, 0);
    return FR_OK;
}

enum fr_status llm_doc_known(struct store_txn *txn, const char *tenant, const char *id, const char *text, bool with_vector, bool *same, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT 1 FROM llm_doc WHERE tenant = ?1 AND id = ?2 AND text = ?3 AND (vector IS NOT NULL OR NOT ?4)", &row, err));
    sql_bind_text(row, 1, tenant);
    sql_bind_text(row, 2, id);
    sql_bind_text(row, 3, text);
    sql_bind_int(row, 4, with_vector);
    return sql_step(row, same, err);
}

enum fr_status llm_doc_drop(struct store_txn *txn, const char *tenant, const char *id, bool *was, struct fr_err *err)
{
    FR_SQL_ROW(doc);
    FR_SQL_ROW(words);
    int64_t no;
    FR_TRY(doc_row(txn, tenant, id, &no, err));
    *was = no != 0;
    if (!no) return FR_OK;
    FR_TRY(sql_begin(txn, "DELETE FROM llm_doc_words WHERE rowid = ?1", &words, err));
    sql_bind_int(words, 1, no);
    FR_TRY(sql_do(words, NULL, err));
    FR_TRY(sql_begin(txn, "DELETE FROM llm_doc WHERE row = ?1", &doc, err));
    sql_bind_int(doc, 1, no);
    return sql_do(doc, NULL, err);
}

static enum fr_status check_quota(struct store_txn *txn, const char *tenant, size_t bytes, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found;
    FR_TRY(sql_begin(txn, "SELECT count(*), coalesce(sum(bytes), 0) FROM llm_doc WHERE tenant = ?1", &row, err));
    sql_bind_text(row, 1, tenant);
    FR_TRY(sql_step(row, &found, err));
    if (sql_int(row, 0) >= LLM_DOCS_MAX) return FR_FAIL_CODE(err, FR_E_LIMIT, "llm_docs_full", "there are %d documents already, and no more may be", LLM_DOCS_MAX);
    if (sql_int(row, 1) + (int64_t)bytes > LLM_DOCS_BYTES_MAX) return FR_FAIL_CODE(err, FR_E_LIMIT, "llm_docs_full", "the documents would have over %lld bytes", LLM_DOCS_BYTES_MAX);
    return FR_OK;
}

// As unit vectors: then the product is the cosine.
static bool normalise(const struct llm_vector *v, float out[LLM_VECTOR_MAX])
{
    double sum = 0;
    for (int i = 0; i < v->count; i++) sum += (double)v->of[i] * v->of[i];
    if (!(sum > 0) || !isfinite(sum)) return false;
    double by = 1 / sqrt(sum);
    for (int i = 0; i < v->count; i++) out[i] = (float)(v->of[i] * by);
    return true;
}

static enum fr_status insert_doc(struct store_txn *txn, const char *tenant, const char *id, const char *text, const struct llm_vector *v, int64_t now_ms, struct fr_err *err)
{
    FR_SQL_ROW(row);
    float *unit = v->count > 0 && v->count <= LLM_VECTOR_MAX ? fr_alloc(LLM_VECTOR_MAX * sizeof *unit) : NULL;
    bool vector = unit && normalise(v, unit);
    enum fr_status st = sql_begin(txn, "INSERT INTO llm_doc (tenant, id, text, bytes, at, vector, model) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", &row, err);
    if (st == FR_OK) {
        sql_bind_text(row, 1, tenant);
        sql_bind_text(row, 2, id);
        sql_bind_text(row, 3, text);
        sql_bind_int(row, 4, (int64_t)strlen(text));
        sql_bind_int(row, 5, now_ms);
        if (vector) { sql_bind_bytes(row, 6, unit, (size_t)v->count * sizeof *unit); sql_bind_text(row, 7, v->model); }
        st = sql_do(row, NULL, err);
    }
    fr_free(unit);
    return st;
}

enum fr_status llm_doc_put(struct store_txn *txn, const char *tenant, const char *id, const char *text, const struct llm_vector *v, int64_t now_ms, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_AUTO_BUF(words);
    bool was;
    char mark[24];
    int64_t no;
    fr_buf_init(&words, 8 * LLM_DOC_BYTES_MAX);
    FR_TRY(llm_doc_drop(txn, tenant, id, &was, err));
    FR_TRY(check_quota(txn, tenant, strlen(text), err));
    FR_TRY(insert_doc(txn, tenant, id, text, v, now_ms, err));
    FR_TRY(doc_row(txn, tenant, id, &no, err));
    llm_search_words(text, &words);
    FR_TRY(fr_buf_check(&words, "the document's words", err));
    tenant_word(tenant, mark);
    FR_TRY(sql_begin(txn, "INSERT INTO llm_doc_words (rowid, tenant, words) VALUES (?1, ?2, ?3)", &row, err));
    sql_bind_int(row, 1, no);
    sql_bind_text(row, 2, mark);
    sql_bind_text(row, 3, words.len ? words.data : "");
    return sql_do(row, NULL, err);
}

// ---- finding

struct ranked { int64_t row; double score; };

static void rank_in(struct ranked *list, int *count, int64_t row, double score)
{
    int at = *count;
    if (at == RANKED && score <= list[RANKED - 1].score) return;
    if (at == RANKED) at--;
    else (*count)++;
    for (; at > 0 && list[at - 1].score < score; at--) list[at] = list[at - 1];
    list[at] = (struct ranked){ row, score };
}

static bool print_match(const char *tenant, const char *query, struct fr_buf *out)
{
    FR_AUTO_BUF(words);
    char mark[24];
    int count = 0;
    fr_buf_init(&words, 64 * 1024);
    llm_search_words(query, &words);
    if (words.failed || !words.len) return false;
    tenant_word(tenant, mark);
    fr_buf_addf(out, "tenant : \"%s\" AND words : (", mark);
    for (char *at = words.data; *at && count < LLM_QUERY_WORDS_MAX; ) {
        size_t len = strcspn(at, " ");
        if (len) fr_buf_addf(out, "%s\"%.*s\"", count++ ? " OR " : "", (int)len, at);
        at += len + (at[len] == ' ');
    }
    fr_buf_add_char(out, ')');
    return count > 0 && !out->failed;
}

static enum fr_status by_words(struct store_txn *txn, const char *tenant, const char *query, struct ranked *list, int *count, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_AUTO_BUF(match);
    bool found;
    fr_buf_init(&match, 64 * 1024);
    if (!print_match(tenant, query, &match)) return FR_OK;
    FR_TRY(sql_begin(txn, "SELECT rowid, -bm25(llm_doc_words, 0.0, 1.0) FROM llm_doc_words WHERE llm_doc_words MATCH ?1 ORDER BY bm25(llm_doc_words, 0.0, 1.0), rowid LIMIT ?2", &row, err));
    sql_bind_text(row, 1, match.data);
    sql_bind_int(row, 2, RANKED);
    FR_TRY(sql_step(row, &found, err));
    while (found) {
        list[(*count)++] = (struct ranked){ sql_int(row, 0), sql_real(row, 1) };
        FR_TRY(sql_step(row, &found, err));
    }
    return FR_OK;
}

static enum fr_status compare_all(struct store_txn *txn, const char *tenant, const char *model, const float *unit, int dims, struct ranked *list, int *count, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found;
    FR_TRY(sql_begin(txn, "SELECT row, vector FROM llm_doc WHERE tenant = ?1 AND model = ?2", &row, err));
    sql_bind_text(row, 1, tenant);
    sql_bind_text(row, 2, model);
    FR_TRY(sql_step(row, &found, err));
    while (found) {
        size_t bytes;
        const char *other = sql_bytes(row, 1, &bytes);
        if (bytes == (size_t)dims * sizeof *unit) {
            double sum = 0;
            for (int i = 0; i < dims; i++) {
                float x;
                memcpy(&x, other + (size_t)i * sizeof x, sizeof x);        // SQLite aligns nothing
                sum += (double)x * unit[i];
            }
            if (isfinite(sum)) rank_in(list, count, sql_int(row, 0), sum);
        }
        FR_TRY(sql_step(row, &found, err));
    }
    return FR_OK;
}

static enum fr_status by_meaning(struct store_txn *txn, const char *tenant, const struct llm_vector *v, struct ranked *list, int *count, struct fr_err *err)
{
    if (!v || v->count <= 0 || v->count > LLM_VECTOR_MAX) return FR_OK;
    float *unit = fr_alloc(LLM_VECTOR_MAX * sizeof *unit);
    if (!unit) return FR_FAIL(err, FR_E_NOMEM, "no memory for a search");
    enum fr_status st = normalise(v, unit) ? compare_all(txn, tenant, v->model, unit, v->count, list, count, err) : FR_OK;
    fr_free(unit);
    return st;
}

static void fuse(struct ranked *sum, int *total, const struct ranked *list, int count)
{
    for (int i = 0; i < count; i++) {
        int at = 0;
        while (at < *total && sum[at].row != list[i].row) at++;
        if (at == *total) sum[(*total)++] = (struct ranked){ list[i].row, 0 };
        sum[at].score += 1 / (FUSION + 1 + i);
    }
}

enum fr_status llm_doc_search(struct store_txn *txn, const char *tenant, const char *query, const struct llm_vector *v, int n, struct llm_hit hits[LLM_HITS_MAX], int *count, struct fr_err *err)
{
    struct ranked words[RANKED], meaning[RANKED], sum[2 * RANKED], best[RANKED];
    int word_count = 0, meaning_count = 0, total = 0, best_count = 0;
    FR_TRY(by_words(txn, tenant, query, words, &word_count, err));
    FR_TRY(by_meaning(txn, tenant, v, meaning, &meaning_count, err));
    fuse(sum, &total, words, word_count);
    fuse(sum, &total, meaning, meaning_count);
    for (int i = 0; i < total; i++) rank_in(best, &best_count, sum[i].row, sum[i].score);
    *count = 0;
    for (int i = 0; i < best_count && *count < n && *count < LLM_HITS_MAX; i++) {
        FR_SQL_ROW(row);
        bool found;
        FR_TRY(sql_begin(txn, "SELECT id FROM llm_doc WHERE row = ?1 AND tenant = ?2", &row, err));      // the tenant again: a word is a word
        sql_bind_int(row, 1, best[i].row);
        sql_bind_text(row, 2, tenant);
        FR_TRY(sql_step(row, &found, err));
        if (!found) continue;
        struct llm_hit *hit = &hits[(*count)++];
        *hit = (struct llm_hit){ .row = best[i].row, .score = best[i].score };
        snprintf(hit->id, sizeof hit->id, "%s", sql_text(row, 0));
    }
    return FR_OK;
}

enum fr_status llm_hits_print(struct store_txn *txn, const struct llm_hit *hits, int count, struct fr_buf *out, struct fr_err *err)
{
    fr_buf_add_char(out, '[');
    for (int i = 0; i < count; i++) {
        FR_SQL_ROW(row);
        bool found;
        FR_TRY(sql_begin(txn, "SELECT text FROM llm_doc WHERE row = ?1", &row, err));
        sql_bind_int(row, 1, hits[i].row);
        FR_TRY(sql_step(row, &found, err));
        fr_buf_addf(out, "%s{\"id\":", i ? "," : "");
        fr_buf_add_json_text(out, hits[i].id);
        fr_buf_add(out, ",\"text\":");
        fr_buf_add_json_text(out, found ? sql_text(row, 0) : "");
        fr_buf_addf(out, ",\"score\":%.6f}", hits[i].score);
    }
    fr_buf_add_char(out, ']');
    return FR_OK;
}
