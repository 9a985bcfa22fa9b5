// palm_inside.h — what palm_api.c and palm_answer.c share.
#pragma once
#include "base/json.h"
#include "llm/palm_api.h"

const char *palm_category_name(int category);
const char *palm_threshold_name(int threshold);
// One message, behind others of an array that was begun.
void palm_message_print(struct fr_buf *out, const char *author, const char *content, size_t len);
