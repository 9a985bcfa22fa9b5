// rate.h — how often a key (a player, an address) may do something: a bucket of tokens each, in a bounded table. Loop thread only.
//
// A bucket that is full again is forgotten, so the table holds only who was busy lately. When it is full of busy ones, all newcomers share
// one bucket: a crowd of invented keys slows itself and other newcomers, not those who are known.
#pragma once
#include <stddef.h>
#include <stdint.h>
struct net_rate;
struct net_rate *net_rate_new(int per_second, int burst, size_t keys_max);       // must-alloc
void net_rate_free(struct net_rate *r);                                          // takes NULL
// Takes a token: 0. None is left: how many milliseconds until the next, and nothing was taken. r NULL: 0, there is no limit.
int64_t net_rate_take(struct net_rate *r, const void *key, size_t len, int64_t now_ms);
size_t net_rate_size(const struct net_rate *r);
