// record.h — the tables: calls written down, which can be played back byte for byte, and usage by day. Store thread.
//
// Prompts and answers are kept only by consent: of all calls when the settings say "record": "all", then with secrets and personal data hidden; of one whose asker said keep (a match's log, a dispute), then as they were.
// Records are kept for LLM_RECORD_KEEP_MS, usage for LLM_USAGE_KEEP_DAYS. Both are written behind the call, within a second (recorder.h): a crash may lose that second of them.
//
// A record is {id, at, tenant, payer, model, kind, request sha, request, answer, events of a stream with their times ([ms, event]), usage}. Replay answers a request from its record: the same bytes, the same events, no backend, no cost.
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
// Usage by day, payer, tenant and model.
struct llm_usage { int64_t at_ms; char payer[LLM_WHO_BYTES], tenant[LLM_WHO_BYTES], model[LLM_NAME_BYTES]; int64_t calls, failed, prompt_tokens, answer_tokens, cost_units, total_ms; };
FR_MUST_USE enum fr_status llm_usage_add(struct store_txn *txn, const struct llm_usage *u, struct fr_err *err);
FR_MUST_USE enum fr_status llm_usage_list(struct store_txn *txn, int64_t from_ms, const char *payer, struct fr_buf *out, struct fr_err *err);
