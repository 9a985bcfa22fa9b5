// auto.h — cleanup belongs to the declaration.
//
//     FR_AUTO(fr_json) doc = NULL;           // fr_json_free(doc) runs on every way out of the scope
//     return FR_TAKE(doc);                   // ... unless ownership is handed out
//
// `x_free` must take NULL. Never use these in a function that can longjmp (a lua_CFunction): cleanup does not run.
#pragma once
#include <unistd.h>

#define FR_AUTO(T) __attribute__((cleanup(T##_drop), unused)) struct T *
#define FR_AUTO_DEFINE(T) static inline void T##_drop(struct T **p) { T##_free(*p); }
#define FR_TAKE(p) ({ __typeof__(p) out_ = (p); (p) = NULL; out_; })

// For values that own memory inside (struct fr_buf): FR_AUTO_BUF(name) in buf.h. For memory from fr_alloc:
#define FR_AUTO_MEM __attribute__((cleanup(fr_mem_drop), unused))   // unused: holding it until the scope ends may be all it is for
#define FR_AUTO_FD __attribute__((cleanup(fr_fd_drop)))
void fr_mem_drop(void *pointer_to_pointer);
static inline void fr_fd_drop(int *fd) { if (*fd >= 0) close(*fd); }
