// search.h — a tenant's documents, found by their words (SQLite FTS5, bm25) and by their meaning (vectors of an embedding model, all of them compared), the two orders put together by
// reciprocal rank fusion: 1 / (60 + rank), summed. Inside store jobs; the vectors come from outside.
//
// Words of scripts without blanks between words, and of Korean, whose words carry endings, are indexed as pairs of neighbouring characters: "게임" is found in "게임에서". FTS5's own trigrams would not find words of two syllables, which most Korean ones are.
// Vectors of another model than the query's are not compared. Nobody sees another tenant's documents, nor does their number change a score of more than bm25's word weights.
#pragma once
#include "base/buf.h"
#include "store/store.h"

#define LLM_VECTOR_MAX 4096
struct llm_vector { const float *of; int count; const char *model; };        // count 0: none

void llm_search_tables(void);
// *same: the document is there with this very text, and with a vector of `model` (NULL: any or none): nothing has to be done.
FR_MUST_USE enum fr_status llm_doc_known(struct store_txn *txn, const char *tenant, const char *id, const char *text, bool with_vector, bool *same, struct fr_err *err);
// FR_E_LIMIT "llm_docs_full": LLM_DOCS_MAX or LLM_DOCS_BYTES_MAX of this tenant.
FR_MUST_USE enum fr_status llm_doc_put(struct store_txn *txn, const char *tenant, const char *id, const char *text, const struct llm_vector *v, int64_t now_ms, struct fr_err *err);
FR_MUST_USE enum fr_status llm_doc_drop(struct store_txn *txn, const char *tenant, const char *id, bool *was, struct fr_err *err);
struct llm_hit { char id[129]; int64_t row; double score; };
#define LLM_HITS_MAX 20
FR_MUST_USE enum fr_status llm_doc_search(struct store_txn *txn, const char *tenant, const char *query, const struct llm_vector *v, int n, struct llm_hit hits[LLM_HITS_MAX], int *count, struct fr_err *err);
FR_MUST_USE enum fr_status llm_hits_print(struct store_txn *txn, const struct llm_hit *hits, int count, struct fr_buf *out, struct fr_err *err);     // [{"id":..,"text":..,"score":..}]
void llm_search_words(const char *text, struct fr_buf *out);         // as they are indexed, blanks between; at most LLM_QUERY_WORDS_MAX of a query are looked for
#define LLM_QUERY_WORDS_MAX 64
