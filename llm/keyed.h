// keyed.h — answers kept under their asker's own key: who asks again with the same key gets the first answer and pays once, also after a crash. Inside store jobs.
//
// Kept for LLM_KEYED_MS, at most LLM_KEYED_MAX of a tenant; the oldest go first.
#pragma once
#include "base/buf.h"
#include "base/hash.h"
#include "store/store.h"

void llm_keyed_tables(void);               // migrations; with llm_register
// *found with the answer added to out; a known key with another request is FR_E_CONFLICT "key_reused".
FR_MUST_USE enum fr_status llm_keyed_find(struct store_txn *txn, const char *tenant, const char *key, const uint8_t request[SHA256_BYTES], int64_t now_ms, bool *found, struct fr_buf *out, struct fr_err *err);
FR_MUST_USE enum fr_status llm_keyed_put(struct store_txn *txn, const char *tenant, const char *key, const uint8_t request[SHA256_BYTES], const char *answer, int64_t now_ms, struct fr_err *err);
