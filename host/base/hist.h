// hist.h — how long things took: a histogram of fixed size with logarithmic buckets. Plain data, copy it freely; no thread may share one.
//
// Eight buckets for each doubling: a quantile is at most an eighth too high, never too low. Values are microseconds from 0 to a bit over 19 hours;
// what is longer counts as that. Two histograms may be subtracted: what lies between two moments is the difference of the two.
#pragma once
#include <stdint.h>

#define HIST_BUCKETS 272               // 8 for 0..7, then 8 for each power of two up to 2^35
struct fr_hist { uint64_t bucket[HIST_BUCKETS]; uint64_t count; int64_t sum_us, max_us; };

void fr_hist_add(struct fr_hist *h, int64_t us);
// The value that a share q (0..1) of all values does not exceed; 0 when there is none.
int64_t fr_hist_quantile(const struct fr_hist *h, double q);
// How many values were below 2^power microseconds.
uint64_t fr_hist_below(const struct fr_hist *h, int power);
// now - before; max_us becomes the upper end of the highest bucket left.
void fr_hist_between(const struct fr_hist *now, const struct fr_hist *before, struct fr_hist *ret);
