// settings.h — "models" of the config file: backends, pods, models, prices, limits. Pure; read once, replaced as a whole when the file changes.
//
// {"models":{
//   "engine": true,                                   the one that is built here (llm/engine), as backend "engine"; false: not
//   "default": "smollm2-135m-instruct", "default_embed":..,      where nothing is said: the first that does it
//   "by_language":{"ko":"qwen-ko","pt":"llama-70b"}, who names a language and no model gets this one in place of the default; of several languages the first that stands here. Embeddings: never
//   "backends":[{"name":"big","url":"https://models.example.org/v1","key_file":"big.key","pods":[{"url":..},..],
//      "models":[{"name":"llama-70b","as":"meta-llama/Llama-3.1-70B","can":["chat","json","tools","vision"],"languages":["*"],"only_languages":false,"context":131072,"price":{"prompt":"20","answer":"60"}}],
//      "concurrency":32,"timeout_ms":60000,"ca_file":..}],
//   "price":{"asset":"PALM","burn_bps":1000},         prices are base units for 1,000 tokens, rounded up for each call
//   "limits":{"plugin":{"tokens_minute":..,"tokens_day":..,"requests_minute":..},"player":{..},"key":{..}},
//   "cache":{"bytes":16777216,"ttl_s":600}, "record":"usage|all", "queue":{"most":1024},
//   "filters":{"refuse":["words",..],"hide_secrets":true,"hide_personal":false}}}
//
// "languages": what a model is good at (tags; without: "*", any). Of pods with a model of one name those that declare the languages a request names are taken before others; others do it where there is none. With
// "only_languages" they do not: a request that names another language is refused ("llm_request"). A request that names none goes to all.
//
// A backend without "pods" is one pod at its url; a pod may have "unix" (a socket's path) for its address. A URL without a path gets /v1. A pod is one model-parallel group: its own address, its own capacity; pods of a backend are replicas of each other.
// Codes: models (the text names the member).
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/json.h"
#include "base/limits.h"
#include "llm/llm.h"

#define LLM_BACKENDS_MAX 16
#define LLM_PODS_MAX 32                    // of one backend
#define LLM_MODELS_MAX 16                  // of one backend
#define LLM_BY_LANGUAGE_MAX 64
#define LLM_URL_BYTES 256
#define LLM_SECRET_BYTES 256

enum llm_can { LLM_CAN_CHAT = 1, LLM_CAN_TEXT = 2, LLM_CAN_EMBED = 4, LLM_CAN_JSON = 8, LLM_CAN_TOOLS = 16, LLM_CAN_VISION = 32, LLM_CAN_AUDIO = 64, LLM_CAN_LOGPROBS = 128 };
struct llm_price { int64_t prompt_units, answer_units; };           // for 1,000 tokens
struct llm_model_settings {
    char name[LLM_NAME_BYTES];             // by which it is asked for; the same name at several backends is one model
    char as[LLM_NAME_BYTES * 2];           // what the backend calls it; "": the same
    unsigned can;                          // enum llm_can, ored
    char languages[512];                   // BCP-47 tags in their normal form (languages.h), comma-separated; "*": any
    bool only_languages;                   // refuses others
    int64_t context_tokens;
    struct llm_price price;
};
struct llm_language_model { char tag[LLM_TAG_BYTES], model[LLM_NAME_BYTES]; };
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
    struct llm_language_model by_language[LLM_BY_LANGUAGE_MAX]; int by_language_count;
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
// The model for who names languages ("ko,en" in their normal form, or "") and no model: of by_language, else the default.
const char *llm_settings_model_for(const struct llm_settings *s, const char *languages);
