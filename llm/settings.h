// settings.h — "models" of the config file: backends, pods, models, prices, limits. Pure; read once, replaced as a whole when the file changes.
//
// {"models":{
//   "engine": true,                                   the one that is built here (llm/engine), as backend "engine"; false: not
//   "default": "smollm2-135m-instruct", "default_embed":..,      where nothing is said: the first that does it
//   "backends":[{"name":"big","url":"https://models.example.org/v1","key_file":"big.key","pods":[{"url":..},..],
//      "models":[{"name":"llama-70b","as":"meta-llama/Llama-3.1-70B","can":["chat","json","tools","vision"],"languages":["*"],"context":131072,"price":{"prompt":"20","answer":"60"}}],
//      "concurrency":32,"timeout_ms":60000,"ca_file":..}],
//   "price":{"asset":"PALM","burn_bps":1000},         prices are base units for 1,000 tokens, rounded up for each call
//   "limits":{"plugin":{"tokens_minute":..,"tokens_day":..,"requests_minute":..},"player":{..},"key":{..}},
//   "cache":{"bytes":16777216,"ttl_s":600}, "record":"usage|all", "queue":{"most":1024},
//   "filters":{"refuse":["words",..],"hide_secrets":true,"hide_personal":false}}}
//
// A backend without "pods" is one pod at its url; a pod may have "unix" (a socket's path) for its address. A URL without a path gets /v1. A pod is one model-parallel group: its own address, its own capacity; pods of a backend are replicas of each other.
// Codes: models (the text names the member).
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/json.h"
#include "llm/llm.h"

#define LLM_BACKENDS_MAX 16
#define LLM_PODS_MAX 32                    // of one backend
#define LLM_MODELS_MAX 16                  // of one backend
#define LLM_URL_BYTES 256
#define LLM_SECRET_BYTES 256

enum llm_can { LLM_CAN_CHAT = 1, LLM_CAN_TEXT = 2, LLM_CAN_EMBED = 4, LLM_CAN_JSON = 8, LLM_CAN_TOOLS = 16, LLM_CAN_VISION = 32, LLM_CAN_AUDIO = 64, LLM_CAN_LOGPROBS = 128 };
struct llm_price { int64_t prompt_units, answer_units; };           // for 1,000 tokens
struct llm_model_settings {
    char name[LLM_NAME_BYTES];             // by which it is asked for; the same name at several backends is one model
    char as[LLM_NAME_BYTES * 2];           // what the backend calls it; "": the same
    unsigned can;                          // enum llm_can, ored
    char languages[512];                   // BCP-47 tags, comma-separated; "*": any
    int64_t context_tokens;
    struct llm_price price;
};
struct llm_pod_settings { char url[LLM_URL_BYTES]; char unix_path[108]; int concurrency; };       // concurrency: at most so many at once; 0: learned, up to LLM_POD_CALLS_MAX
struct llm_backend_settings {
    char name[LLM_NAME_BYTES];
    char key[LLM_SECRET_BYTES];            // "": none. Never printed
    char ca_file[256];
    struct llm_pod_settings pods[LLM_PODS_MAX]; int pod_count;
    struct llm_model_settings models[LLM_MODELS_MAX]; int model_count;
    int timeout_ms;                        // silence; 0: LLM_IDLE_MS
};
struct llm_limit { int64_t tokens_minute, tokens_day, requests_minute, requests_day, concurrent; };       // 0: none
enum llm_record { LLM_RECORD_USAGE, LLM_RECORD_ALL };
struct llm_settings {
    bool engine;                           // the built-in one is wanted; its pod's socket is filled in by who starts it
    char default_model[LLM_NAME_BYTES], default_embed[LLM_NAME_BYTES];
    struct llm_backend_settings backends[LLM_BACKENDS_MAX]; int backend_count;
    char asset[16]; int burn_bps;
    struct llm_limit plugin, player, key;
    int64_t cache_bytes, cache_ttl_ms;
    enum llm_record record;
    int queue_most;
    char refused_words[4096];              // filters: newline-separated; "" none
    bool hide_secrets, hide_personal;      // filters of answers: patterns of secrets; of e-mail, telephone and card numbers
};
void llm_settings_default(struct llm_settings *s);      // the engine alone, free of charge
FR_MUST_USE enum fr_status llm_settings_read(const struct fr_json *models, const char *folder, struct llm_settings *s, struct fr_err *err);      // json NULL: the default; key files relative to folder
const char *llm_can_name(unsigned bit);    // "chat", ..; "" when there is no such bit
unsigned llm_can_named(const char *name);  // 0: no such capability
