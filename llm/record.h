// record.h — calls written down, and played back byte for byte. Only by consent (settings "record", or the asker's keep), redacted where the filters say so.
//
// A record is {id, at, tenant, payer, model, kind, request sha, request, answer, events of a stream with their times, usage}. Replay answers a request from its record: the same bytes, the same events, no backend, no cost.
#pragma once
#include "llm/request.h"

struct llm_record_row {
    char id[40]; int64_t at_ms; const char *tenant, *payer, *player, *model, *pod; enum llm_kind kind;
    char sha_hex[SHA256_HEX_BYTES];
    const char *request, *answer, *events;         // JSON; NULL where only usage is kept
    int64_t prompt_tokens, answer_tokens, cost_units, total_ms; const char *code;      // code: "" or of the refusal
};
void llm_record_tables(void);
FR_MUST_USE enum fr_status llm_record_put(struct store_txn *txn, const struct llm_record_row *row, struct fr_err *err);
typedef void llm_record_fn(void *arg, const struct llm_record_row *row);
FR_MUST_USE enum fr_status llm_record_get(struct store_txn *txn, const char *id, llm_record_fn *each, void *arg, struct fr_err *err);      // not_found "record_unknown"
FR_MUST_USE enum fr_status llm_record_list(struct store_txn *txn, const char *tenant, const char *before, int limit, llm_record_fn *each, void *arg, struct fr_err *err);
FR_MUST_USE enum fr_status llm_record_by_sha(struct store_txn *txn, const char *sha_hex, const char *model, llm_record_fn *each, void *arg, bool *found, struct fr_err *err);      // newest with an answer
FR_MUST_USE enum fr_status llm_record_sweep(struct store_txn *txn, int64_t now_ms, int limit, struct fr_err *err);
// Usage by day, payer, tenant and model: added to in the same commit.
FR_MUST_USE enum fr_status llm_usage_list(struct store_txn *txn, int64_t from_ms, const char *payer, struct fr_buf *out, struct fr_err *err);
