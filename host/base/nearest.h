// nearest.h — "did you mean": the known word that was probably meant. Pure.
#pragma once
#define NEAREST_BYTES_MAX 48               // longer words are near nothing

// Among `count` words (or up to the NULL when count is negative): the one with the fewest edits (insert, drop, replace), if up to a
// third of it may be mistyped, and one letter always. NULL when nothing is near. The earlier word wins a tie.
const char *fr_nearest(const char *word, const char *const *words, int count);
