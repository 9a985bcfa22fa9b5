// nearest.c — edit distance (Levenshtein), one row of the table at a time: the words are short and few.
#include "base/nearest.h"
#include <string.h>

static int word_distance(const char *a, const char *b)
{
    size_t a_len = strlen(a), b_len = strlen(b);
    int row[NEAREST_BYTES_MAX + 1];
    if (a_len > NEAREST_BYTES_MAX || b_len > NEAREST_BYTES_MAX) return NEAREST_BYTES_MAX;
    for (size_t j = 0; j <= b_len; j++) row[j] = (int)j;
    for (size_t i = 1; i <= a_len; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= b_len; j++) {
            int replaced = diagonal + (a[i - 1] != b[j - 1]);
            int shorter = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = replaced < shorter ? replaced : shorter;
        }
    }
    return row[b_len];
}

const char *fr_nearest(const char *word, const char *const *words, int count)
{
    const char *nearest = NULL;
    int least = NEAREST_BYTES_MAX;
    for (int i = 0; count < 0 ? words[i] != NULL : i < count; i++) {
        int distance = word_distance(word, words[i]), most = 1 + (int)strlen(words[i]) / 3;
        if (distance > most || distance >= least) continue;
        nearest = words[i];
        least = distance;
    }
    return nearest;
}
