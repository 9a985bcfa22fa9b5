// kv.h — a plugin's documents: JSON values under (plugin, scope, key) with versions, expiry and quotas.
//
// scope is "plugin" or a player id. Versions start at 1 and grow by 1 with each put; if_version 0 means "must not exist",
// -1 "whatever is there". The quota counts key and value bytes of all scopes of a plugin. Runs inside a store job.
#pragma once
#include "store/store.h"

struct kv_item { const char *key; const char *value; int64_t version; };      // value is JSON text
struct kv_put { const char *scope, *key, *value; int64_t if_version; int64_t expires_ms; };   // value NULL deletes; expires 0: never

// FR_E_NOT_FOUND when absent or expired. *value is fr_alloc'ed; the caller frees.
FR_MUST_USE enum fr_status kv_get(struct store_txn *txn, const char *plugin, const char *scope, const char *key, int64_t now_ms,
                                  char **value, int64_t *version, struct fr_err *err);
// FR_E_CONFLICT code "version" on another version; FR_E_LIMIT code "quota". *version is the new one (0 after a delete).
FR_MUST_USE enum fr_status kv_put(struct store_txn *txn, const char *plugin, const struct kv_put *put, int64_t quota_bytes, int64_t now_ms,
                                  int64_t *version, struct fr_err *err);
// Keys with `prefix` after `cursor` (exclusive), bytewise ascending, at most limit (<= KV_LIST_MAX); each calls `each`.
FR_MUST_USE enum fr_status kv_list(struct store_txn *txn, const char *plugin, const char *scope, const char *prefix, const char *cursor, int limit,
                                   int64_t now_ms, void (*each)(void *arg, const struct kv_item *item), void *arg, struct fr_err *err);
FR_MUST_USE enum fr_status kv_used(struct store_txn *txn, const char *plugin, int64_t *bytes, struct fr_err *err);
void kv_register(void);      // registers this module's tables with migrate.h; call before store_open
