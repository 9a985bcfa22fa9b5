// rows.h — what the tables of this folder share: ids as numbers in rows, as text everywhere else. For this folder only.
#pragma once
#include "player/identity.h"

FR_MUST_USE enum fr_status player_number(const char *id, int64_t *ret, struct fr_err *err);       // FR_E_NOT_FOUND "player_unknown"
void player_id_print(int64_t number, char out[PLAYER_ID_BYTES]);
void player_text_copy(char *out, size_t cap, const char *text);       // cut at a whole character; NULL gives ""
void api_key_tables(void);                                             // apikey.c's migrations
