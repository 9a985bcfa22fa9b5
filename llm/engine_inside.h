// engine_inside.h — what the files of the engine share.
#pragma once
#include "llm/engine.h"

#define ENGINE_SOCKET "llama.sock"         // in its folder, which is the engine's working folder
#define ENGINE_KEY_BYTES 33
#define ENGINE_PATH_BYTES 4096

enum engine_phase { PHASE_WAIT, PHASE_LOOK, PHASE_RUN, PHASE_END };      // until due; files are looked at; a process; it was ended, or ended itself, and its last words are read
struct engine_look {                       // what another thread found
    uv_work_t work;
    struct llm_engine *e;
    bool there, failed;
    int folder_fd;                         // when the socket's path is too long
    char text[300], progress[ENGINE_PROGRESS_BYTES_MAX + 1];
};
struct llm_engine {
    struct llm_engine_options o;
    int64_t told_ms;             // of the last line in the log
    char *paths[4];              // jail, server, model, folder, whole: the process begins at "/"
    struct llm_engine_times times;
    char key[ENGINE_KEY_BYTES], socket[101];
    int folder_fd;
    enum engine_phase phase;
    enum llm_engine_state state;
    const char *code;
    char text[300], progress[ENGINE_PROGRESS_BYTES_MAX + 1];
    int64_t since_ms, starts, rss_bytes;
    uv_timer_t timer;
    struct engine_look look;
    bool stopping;
    void (*stopped)(void *arg); void *stopped_arg;
    int open_handles;                      // timer, process, output
    // the process
    uv_process_t process;
    uv_pipe_t output;
    bool process_open, output_open, alive, reading;
    int64_t exit_code; int exit_signal;
    const char *verdict;                   // why we ended it; NULL: we did not
    char verdict_text[200];
    int64_t start_ms, up_ms, ended_ms, health_ms, pause_ms;
    // its health
    struct net_call *call;
    uint32_t generation;                   // of the process: answers of an older one are nobody's
    int missed; bool heard;
    // its output
    char said[ENGINE_SAID_BYTES]; size_t said_len;
    int64_t said_bytes, said_second, said_in_second;
};

// ---- engine_look.c: files, on another thread; and what /proc says
void engine_look_run(uv_work_t *work);
bool engine_resident(int pid, int64_t *ret_bytes);
// ---- engine_said.c: what it prints
void engine_said_add(struct llm_engine *e, const char *bytes, size_t len);
void engine_last_line(const struct llm_engine *e, char *out, size_t cap);
