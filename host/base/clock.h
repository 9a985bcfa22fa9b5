// clock.h — time as int64 milliseconds; tests set it. Thread-safe reads.
#pragma once
#include <stdint.h>
int64_t fr_now_ms(void);          // unix time (wall clock), for records and expiries
int64_t fr_mono_ms(void);         // monotonic, for deadlines and durations
int64_t fr_mono_us(void);
void fr_clock_set_for_test(int64_t now_ms);    // freezes fr_now_ms; 0 gives the real clock back
// ISO 8601 with milliseconds and Z; out needs 25 bytes.
char *fr_time_text(int64_t ms, char out[25]);
