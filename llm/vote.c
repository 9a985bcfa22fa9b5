// vote.c — counting. The closed form counts the ways in which n samples can fall, one wrong answer at a time.
#include "llm/vote.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void llm_vote_add(struct llm_votes *v, const char *answer)
{
    char normal[LLM_ANSWER_WORD_BYTES];
    int no = v->samples++;
    if (!answer || !*answer) return;
    llm_extract_normal(answer, normal);
    if (!*normal) return;
    v->answers++;
    for (int i = 0; i < v->kinds; i++)
        if (strcmp(v->of[i].normal, normal) == 0) { v->of[i].count++; return; }
    if (v->kinds == LLM_SAMPLES_MAX) return;
    struct llm_vote *mine = &v->of[v->kinds++];
    *mine = (struct llm_vote){ .count = 1, .first = no };
    snprintf(mine->answer, sizeof mine->answer, "%s", answer);
    snprintf(mine->normal, sizeof mine->normal, "%s", normal);
}

const struct llm_vote *llm_vote_plurality(const struct llm_votes *v)
{
    const struct llm_vote *best = NULL;
    for (int i = 0; i < v->kinds; i++) if (!best || v->of[i].count > best->count) best = &v->of[i];
    return best;
}

double llm_vote_agreement(const struct llm_votes *v)
{
    const struct llm_vote *best = llm_vote_plurality(v);
    return best ? (double)best->count / v->samples : 0;
}

void llm_votes_print(const struct llm_votes *v, struct fr_buf *out)
{
    fr_buf_add_char(out, '{');
    for (int i = 0; i < v->kinds; i++) {
        if (i) fr_buf_add_char(out, ',');
        fr_buf_add_json_text(out, v->of[i].normal);
        fr_buf_addf(out, ":%d", v->of[i].count);
    }
    fr_buf_add_char(out, '}');
}

// The weight of all ways in which `left` samples fall on `kinds` wrong answers, none more often than `most`, with exactly `ties` of them that often: sum of 1 / product of c!.
static double ways(int left, int kinds, int most, int ties)
{
    double sum = 0, factorial = 1;
    if (kinds == 0) return left == 0 && ties == 0 ? 1 : 0;
    for (int c = 0; c <= most && c <= left; c++) {
        if (c > 0) factorial *= c;
        if (c == most && ties == 0) continue;
        sum += ways(left - c, kinds - 1, most, ties - (c == most)) / factorial;
    }
    return sum;
}

double llm_vote_expected(int samples, double p, int wrongs)
{
    double total = 0;
    for (int right = 1; right <= samples; right++) {
        for (int ties = 0; ties <= wrongs; ties++) {
            double log_weight = lgamma(samples + 1.0) - lgamma(right + 1.0) + right * log(p) + (samples - right) * log((1 - p) / wrongs);
            double w = ways(samples - right, wrongs, right, ties);
            if (w > 0) total += exp(log_weight) * w / (1 + ties);
        }
    }
    return total;
}

static int by_agreement(const void *a, const void *b)
{
    double x = ((const struct llm_vote_point *)a)->agreement, y = ((const struct llm_vote_point *)b)->agreement;
    return (x < y) - (x > y);
}

double llm_vote_calibrate(struct llm_vote_point *points, int count, double accuracy)
{
    double threshold = 1.01;
    int right = 0;
    qsort(points, (size_t)count, sizeof *points, by_agreement);
    for (int i = 0; i < count; i++) {
        right += points[i].right;
        bool last_of_equals = i + 1 == count || points[i + 1].agreement < points[i].agreement;
        if (last_of_equals && right >= accuracy * (i + 1)) threshold = points[i].agreement;
    }
    return threshold;
}

static bool word_at(const char *text, const char *at, const char *word)
{
    size_t len = strlen(word);
    if (strncasecmp(at, word, len) != 0) return false;
    if ((unsigned char)*word >= 0x80) return true;             // Korean words carry endings
    bool begins = at == text || !((at[-1] | 0x20) >= 'a' && (at[-1] | 0x20) <= 'z');
    char after = (char)(at[len] | 0x20);
    return begins && (!(after >= 'a' && after <= 'z') || strncasecmp(at + len, "s", 1) == 0 || strncasecmp(at + len, "al", 2) == 0);
}

bool llm_is_medical(const char *text)
{
    static const char *const words[] = {
        "symptom", "diagnosis", "diagnose", "disease", "medicine", "medication", "dose", "dosage", "drug", "pill", "tablet", "prescription", "doctor", "patient", "hospital", "surgery", "clinic", "therapy", "treatment",
        "cancer", "tumor", "tumour", "diabetes", "insulin", "asthma", "stroke", "infection", "fever", "cough", "pain", "headache", "migraine", "nausea", "vomiting", "diarrhea", "rash", "allergy", "allergic",
        "blood pressure", "hypertension", "cholesterol", "pregnant", "pregnancy", "vaccine", "antibiotic", "ibuprofen", "aspirin", "paracetamol", "acetaminophen", "depression", "anxiety", "suicide", "suicidal",
        "heart attack", "chest pain", "overdose", "poisoning", "seizure", "epilepsy", "fracture", "bleeding", "dementia", "alzheimer", "kidney", "liver", "lung", "thyroid",
        "\xec\xa6\x9d\xec\x83\x81", "\xec\xa7\x84\xeb\x8b\xa8", "\xec\xa7\x88\xeb\xb3\x91", "\xeb\xb3\x91\xec\x9b\x90", "\xec\x9d\x98\xec\x82\xac", "\xec\x95\xbd\xeb\xac\xbc", "\xec\xb2\x98\xeb\xb0\xa9", "\xeb\xb3\xb5\xec\x9a\xa9", "\xec\xb9\x98\xeb\xa3\x8c", "\xec\x88\x98\xec\x88\xa0",
        "\xed\x99\x98\xec\x9e\x90", "\xeb\x91\x90\xed\x86\xb5", "\xed\x86\xb5\xec\xa6\x9d", "\xea\xb0\x90\xea\xb8\xb0", "\xea\xb8\xb0\xec\xb9\xa8", "\xeb\xb0\x9c\xec\x97\xb4", "\xeb\x8b\xb9\xeb\x87\xa8", "\xea\xb3\xa0\xed\x98\x88\xec\x95\x95", "\xed\x98\x88\xec\x95\x95", "\xec\x95\x94\xec\x97\x90",
        "\xec\x9e\x84\xec\x8b\xa0", "\xec\x95\x8c\xeb\xa0\x88\xeb\xa5\xb4\xea\xb8\xb0", "\xeb\xb0\xb1\xec\x8b\xa0", "\xec\x9a\xb0\xec\x9a\xb8\xec\xa6\x9d", "\xec\x9e\x90\xec\x82\xb4", "\xed\x95\xad\xec\x83\x9d\xec\xa0\x9c", "\xec\xa7\x84\xed\x86\xb5\xec\xa0\x9c", "\xec\x98\x81\xec\x96\x91\xec\xa0\x9c",
    };
    for (const char *at = text; *at; at++)
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
            if (word_at(text, at, words[i])) return true;
    return false;
}
