// internal.h — verbs that have a file of their own. For this folder only.
#pragma once
#include "console/console.h"

// ---- verbs.c
void live_ledger_mint(struct console_op *op);
FR_MUST_USE enum fr_status console_limit(const struct console_op *op, int most, int usual, int *ret, struct fr_err *err);

// ---- verbs_backup.c
void live_backup_start(struct console_op *op), live_backup_status(struct console_op *op);
store_job_fn job_store_facts, job_store_integrity, job_ledger_entry;
// ---- top.c
void live_top(struct console_op *op);
void live_plugin_unblock(struct console_op *op);

// ---- burns.c
store_job_fn job_burn_list, job_burn_show, job_burn_run, job_burn_pause, job_burn_resume, job_burn_return, job_burn_adopt, job_burn_supply;
void live_burn_order(struct console_op *op), live_burn_verify(struct console_op *op), live_burn_list(struct console_op *op), live_burn_supply(struct console_op *op);
// ---- llm_task.c
void live_llm_task(struct console_op *op);
// ---- deposits.c
store_job_fn job_deposit_list, job_deposit_show;
void live_chain_reconcile(struct console_op *op);

// ---- sessions.c
store_job_fn job_session_list, job_session_revoke;
void live_session_revoke(struct console_op *op);

// ---- llm_keys.c
store_job_fn job_llm_key_list, job_llm_key_new, job_llm_key_revoke;

// ---- chain.c
void live_chain_status(struct console_op *op), live_chain_pause(struct console_op *op), live_chain_resume(struct console_op *op), live_chain_forgive(struct console_op *op);
// ---- withdrawals.c
store_job_fn job_withdrawal_list, job_withdrawal_unknown, job_withdrawal_show, job_withdrawal_approve, job_withdrawal_refuse, job_withdrawal_return, job_withdrawal_again, job_withdrawal_pause, job_withdrawal_resume,
    job_withdrawal_adopt;

// ---- models.c
void live_llm_pools(struct console_op *op), live_llm_budget(struct console_op *op), live_llm_reload(struct console_op *op);
store_job_fn job_llm_usage, job_llm_record, job_llm_replay;

// ---- plugins.c
void live_plugin_list(struct console_op *op), live_plugin_enable(struct console_op *op), live_plugin_disable(struct console_op *op), live_plugin_logs(struct console_op *op);
void live_plugin_install(struct console_op *op), live_plugin_update(struct console_op *op), live_plugin_rollback(struct console_op *op);
store_job_fn job_plugin_versions;
