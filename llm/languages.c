// languages.c — the table, and a guess by script and by frequent words.
#include "llm/languages.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "base/utf8.h"

// Words: frequent short ones, blanks around each; "" where the script alone decides.
static const struct llm_language languages[] = {
    { "af", "Afrikaans", "Latn", " die en is nie van het ek dat in wat vir " },
    { "am", "Amharic", "Ethi", " እና ነው ላይ ውስጥ " },
    { "ar", "Arabic", "Arab", " في من على أن إلى هذا ما لا هو " },
    { "as", "Assamese", "Beng", " আৰু এই নহয় " },
    { "ay", "Aymara", "Latn", "" },
    { "az", "Azerbaijani", "Latn", " və bir bu da üçün nə ilə amma mən var deyil çox " },
    { "be", "Belarusian", "Cyrl", " і ў не на што я з як гэта але " },
    { "bg", "Bulgarian", "Cyrl", " и в не на че да се от за е това " },
    { "bho", "Bhojpuri", "Deva", " आ बा के में " },
    { "bm", "Bambara", "Latn", "" },
    { "bn", "Bengali", "Beng", " এবং এই না করে থেকে " },
    { "bs", "Bosnian", "Latn", " i je u na se da ne su što za " },
    { "ca", "Catalan", "Latn", " el la els que de i en és no un una per amb però les als " },
    { "ceb", "Cebuano", "Latn", "" },
    { "ckb", "Central Kurdish", "Arab", " و لە بۆ کە ئەم " },
    { "co", "Corsican", "Latn", "" },
    { "cs", "Czech", "Latn", " a je to se na že ne v jsem jako ale by tak co si pro " },
    { "cy", "Welsh", "Latn", " y yn a i mae ar o yr ei wedi gan " },
    { "da", "Danish", "Latn", " og det er at en på jeg ikke med som af til har den der et vi " },
    { "de", "German", "Latn", " der die und das ist nicht ich ein eine mit auf für sich den von zu wir sie " },
    { "doi", "Dogri", "Deva", " ते ऐ दा " },
    { "dv", "Dhivehi", "Thaa", "" },
    { "ee", "Ewe", "Latn", "" },
    { "el", "Greek", "Grek", "" },
    { "en", "English", "Latn", " the and is of to in that it you for with are this not was have be on at " },
    { "eo", "Esperanto", "Latn", " kaj la estas ne de en mi al por " },
    { "es", "Spanish", "Latn", " el la los que de y en es no un una por con para se las lo como " },
    { "et", "Estonian", "Latn", " ja on ei et see ta ma kui oli aga mis ka " },
    { "eu", "Basque", "Latn", " eta da ez bat du dira hau egin zen ere " },
    { "fa", "Persian", "Arab", " و در به از که این را است با " },
    { "fi", "Finnish", "Latn", " ja on ei se että hän minä en oli mutta ovat kun niin mitä tämä " },
    { "fil", "Filipino", "Latn", " ang ng sa na mga ay ko hindi at ito siya ka " },
    { "fr", "French", "Latn", " le la les et est des un une que pas pour dans vous je ne avec sur qui " },
    { "fy", "Western Frisian", "Latn", "" },
    { "ga", "Irish", "Latn", " agus an na is ar tá sé a le go " },
    { "gd", "Scottish Gaelic", "Latn", "" },
    { "gl", "Galician", "Latn", " o a os que de e en é non un unha para con se do da unha " },
    { "gn", "Guarani", "Latn", "" },
    { "gu", "Gujarati", "Gujr", "" },
    { "ha", "Hausa", "Latn", " da na a ba shi ne ta cikin " },
    { "haw", "Hawaiian", "Latn", " ka ke a i o na he " },
    { "he", "Hebrew", "Hebr", " של את לא על זה " },
    { "hi", "Hindi", "Deva", " और के है में की से को यह नहीं " },
    { "hmn", "Hmong", "Latn", "" },
    { "hr", "Croatian", "Latn", " i je u na se da ne su što za sam od kako ali smo " },
    { "ht", "Haitian Creole", "Latn", " ak nan se pa yon pou mwen li " },
    { "hu", "Hungarian", "Latn", " a az és hogy nem egy is van de ez meg csak ha mi vagy " },
    { "hy", "Armenian", "Armn", "" },
    { "id", "Indonesian", "Latn", " dan yang di ini itu tidak dengan untuk saya dari akan pada ada ke " },
    { "ig", "Igbo", "Latn", "" },
    { "ilo", "Ilocano", "Latn", "" },
    { "is", "Icelandic", "Latn", " og að er í á ekki það sem ég við hann " },
    { "it", "Italian", "Latn", " il la che di e è un una non per con sono mi si del della gli ho " },
    { "ja", "Japanese", "Jpan", "" },
    { "jv", "Javanese", "Latn", " lan ing iki ora kang karo sing " },
    { "ka", "Georgian", "Geor", "" },
    { "kk", "Kazakh", "Cyrl", " және мен бұл үшін бір емес " },
    { "km", "Khmer", "Khmr", "" },
    { "kn", "Kannada", "Knda", "" },
    { "ko", "Korean", "Kore", "" },
    { "kok", "Konkani", "Deva", " आनी आसा " },
    { "kri", "Krio", "Latn", "" },
    { "ku", "Kurdish", "Latn", " û di de bi ku ne ji " },
    { "ky", "Kyrgyz", "Cyrl", " жана мен бул үчүн бир эмес " },
    { "la", "Latin", "Latn", " et in est non ad cum sed ut quod " },
    { "lb", "Luxembourgish", "Latn", " an de déi ass net eng fir mat " },
    { "lg", "Ganda", "Latn", "" },
    { "ln", "Lingala", "Latn", "" },
    { "lo", "Lao", "Laoo", "" },
    { "lt", "Lithuanian", "Latn", " ir yra ne kad tai į su aš ar bet jis iš kaip " },
    { "lus", "Mizo", "Latn", "" },
    { "lv", "Latvian", "Latn", " un ir ne ka tas uz ar es no bet par vai kā " },
    { "mai", "Maithili", "Deva", " आ अछि मे " },
    { "mg", "Malagasy", "Latn", " ny sy ary dia tsy amin " },
    { "mi", "Maori", "Latn", " te ko he i ki nga me " },
    { "mk", "Macedonian", "Cyrl", " и во не на што да се од за е тоа " },
    { "ml", "Malayalam", "Mlym", "" },
    { "mn", "Mongolian", "Cyrl", " ба нь энэ байна юм бол " },
    { "mni", "Manipuri", "Mtei", "" },
    { "mr", "Marathi", "Deva", " आणि आहे या मध्ये नाही हे " },
    { "ms", "Malay", "Latn", " dan yang di ini itu tidak dengan untuk saya dari akan pada ialah boleh " },
    { "mt", "Maltese", "Latn", " u li ta il ma fil hija dan kien " },
    { "my", "Burmese", "Mymr", "" },
    { "nb", "Norwegian Bokmål", "Latn", " og det er på en at jeg ikke som til av har med for et vi den " },
    { "ne", "Nepali", "Deva", " र छ मा को यो हो " },
    { "nl", "Dutch", "Latn", " de het een en is van dat niet ik je op te zijn met voor er aan " },
    { "nn", "Norwegian Nynorsk", "Latn", "" },
    { "nso", "Northern Sotho", "Latn", "" },
    { "ny", "Chichewa", "Latn", "" },
    { "om", "Oromo", "Latn", "" },
    { "or", "Odia", "Orya", "" },
    { "pa", "Punjabi", "Guru", "" },
    { "pl", "Polish", "Latn", " i w nie to się na że jest do co jak ale po od czy tak za " },
    { "ps", "Pashto", "Arab", " او په د چې دی له " },
    { "pt", "Portuguese", "Latn", " o a os que de e em um uma não para com se do da é as você " },
    { "pt-BR", "Brazilian Portuguese", "Latn", "" },
    { "qu", "Quechua", "Latn", "" },
    { "ro", "Romanian", "Latn", " și de în nu că o la cu este un pe mai sunt ce pentru din " },
    { "ru", "Russian", "Cyrl", " и в не на что я с он как это по но " },
    { "rw", "Kinyarwanda", "Latn", " na mu ku ni ko kandi " },
    { "sa", "Sanskrit", "Deva", " च अस्ति न तत् " },
    { "sd", "Sindhi", "Arab", " ۽ جي ۾ آهي کي " },
    { "si", "Sinhala", "Sinh", "" },
    { "sk", "Slovak", "Latn", " a je to sa na že nie v som ako ale by tak čo si pre " },
    { "sl", "Slovenian", "Latn", " in je v na se da ne so za sem ki pa kot bi " },
    { "sm", "Samoan", "Latn", "" },
    { "sn", "Shona", "Latn", " uye kuti asi nokuti zvino " },
    { "so", "Somali", "Latn", " iyo waa ku ka in oo ma " },
    { "sq", "Albanian", "Latn", " dhe në e të një nuk që për me është " },
    { "sr", "Serbian", "Cyrl", " и у не на је да се од за што су " },
    { "st", "Southern Sotho", "Latn", "" },
    { "su", "Sundanese", "Latn", " jeung nu di ieu teu ka pikeun " },
    { "sv", "Swedish", "Latn", " och att det som en är på jag för inte med av den till har ett om " },
    { "sw", "Swahili", "Latn", " na ya wa kwa ni katika za la hii kama si yake " },
    { "ta", "Tamil", "Taml", "" },
    { "te", "Telugu", "Telu", "" },
    { "tg", "Tajik", "Cyrl", " ва дар аз ки ба ин " },
    { "th", "Thai", "Thai", "" },
    { "ti", "Tigrinya", "Ethi", " እዩ ናይ ኣብ " },
    { "tk", "Turkmen", "Latn", " we bir bu üçin bilen däl " },
    { "tl", "Tagalog", "Latn", "" },
    { "tr", "Turkish", "Latn", " ve bir bu da de için ne çok ile ama mi ben var değil " },
    { "ts", "Tsonga", "Latn", "" },
    { "tt", "Tatar", "Cyrl", " һәм бу белән өчен бер " },
    { "ug", "Uyghur", "Arab", " ۋە بىلەن بۇ بىر " },
    { "uk", "Ukrainian", "Cyrl", " і в не на що я з він як це та але " },
    { "ur", "Urdu", "Arab", " اور کے میں ہے کی سے یہ کو " },
    { "uz", "Uzbek", "Latn", " va bir bu uchun bilan emas " },
    { "vi", "Vietnamese", "Latn", " và là của không có được tôi một cho trong này bạn với những " },
    { "xh", "Xhosa", "Latn", " kwaye ukuba kodwa kuba yintoni apho " },
    { "yi", "Yiddish", "Hebr", " און איז נישט דער " },
    { "yo", "Yoruba", "Latn", " ati ni ti ko si ninu jẹ fun " },
    { "yue", "Cantonese", "Hant", "" },
    { "zh", "Chinese", "Hans", "" },
    { "zh-Hant", "Traditional Chinese", "Hant", "" },
    { "zu", "Zulu", "Latn", " futhi ukuthi kodwa ngoba yini lapho " },
};
const struct llm_language *const llm_languages = languages;
const int llm_language_count = sizeof languages / sizeof languages[0];

const struct llm_language *llm_language(const char *tag)
{
    const struct llm_language *base = NULL;
    static const struct { const char *from, *to; } same[] = { { "zh-tw", "zh-Hant" }, { "zh-hk", "zh-Hant" }, { "zh-mo", "zh-Hant" }, { "iw", "he" }, { "in", "id" }, { "ji", "yi" }, { "no", "nb" }, { "jw", "jv" }, { "mo", "ro" } };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) if (strcasecmp(tag, same[i].from) == 0) tag = same[i].to;
    size_t main = strcspn(tag, "-_");
    for (int i = 0; i < llm_language_count; i++) {
        if (strcasecmp(languages[i].tag, tag) == 0) return &languages[i];
        if (strlen(languages[i].tag) == main && strncasecmp(languages[i].tag, tag, main) == 0) base = &languages[i];
    }
    return base;                               // "ko-KR" is "ko"
}

// ---- detection

struct script { uint32_t from, to; const char *name; };
static const struct script scripts[] = {
    { 0x41, 0x5a, "Latn" }, { 0x61, 0x7a, "Latn" }, { 0xc0, 0x24f, "Latn" }, { 0x1e00, 0x1eff, "Latn" }, { 0x370, 0x3ff, "Grek" }, { 0x1f00, 0x1fff, "Grek" }, { 0x400, 0x52f, "Cyrl" },
    { 0x530, 0x58f, "Armn" }, { 0x590, 0x5ff, "Hebr" }, { 0x600, 0x6ff, "Arab" }, { 0x750, 0x77f, "Arab" }, { 0x780, 0x7bf, "Thaa" }, { 0x900, 0x97f, "Deva" }, { 0x980, 0x9ff, "Beng" },
    { 0xa00, 0xa7f, "Guru" }, { 0xa80, 0xaff, "Gujr" }, { 0xb00, 0xb7f, "Orya" }, { 0xb80, 0xbff, "Taml" }, { 0xc00, 0xc7f, "Telu" }, { 0xc80, 0xcff, "Knda" }, { 0xd00, 0xd7f, "Mlym" },
    { 0xd80, 0xdff, "Sinh" }, { 0xe00, 0xe7f, "Thai" }, { 0xe80, 0xeff, "Laoo" }, { 0x1000, 0x109f, "Mymr" }, { 0x10a0, 0x10ff, "Geor" }, { 0x1100, 0x11ff, "Kore" }, { 0x1200, 0x139f, "Ethi" },
    { 0x1780, 0x17ff, "Khmr" }, { 0x3040, 0x30ff, "Jpan" }, { 0x3130, 0x318f, "Kore" }, { 0x4e00, 0x9fff, "Hans" }, { 0xabc0, 0xabff, "Mtei" }, { 0xac00, 0xd7a3, "Kore" },
};
#define SCRIPT_COUNT (sizeof scripts / sizeof scripts[0])

static uint32_t code_at(const char *c, size_t n)
{
    const unsigned char *u = (const unsigned char *)c;
    if (n == 1) return u[0];
    if (n == 2) return (uint32_t)(u[0] & 0x1f) << 6 | (u[1] & 0x3f);
    if (n == 3) return (uint32_t)(u[0] & 0x0f) << 12 | (uint32_t)(u[1] & 0x3f) << 6 | (u[2] & 0x3f);
    return (uint32_t)(u[0] & 0x07) << 18 | (uint32_t)(u[1] & 0x3f) << 12 | (uint32_t)(u[2] & 0x3f) << 6 | (u[3] & 0x3f);
}

// The script of most letters. Kana makes Han Japanese, and Hangul beside Han Korean.
static const char *main_script(const char *text, int *letters)
{
    int counts[SCRIPT_COUNT] = { 0 };
    *letters = 0;
    for (size_t len = strlen(text), i = 0; i < len; ) {
        size_t n = fr_utf8_char(text + i, len - i);
        if (n == 0) { i++; continue; }
        uint32_t c = code_at(text + i, n);
        for (size_t s = 0; s < SCRIPT_COUNT; s++) {
            if (c < scripts[s].from || c > scripts[s].to) continue;
            size_t first = 0;
            while (strcmp(scripts[first].name, scripts[s].name) != 0) first++;
            counts[first]++;
            (*letters)++;
        }
        i += n;
    }
    size_t best = 0;
    int han = 0, kana = 0, hangul = 0;
    for (size_t s = 0; s < SCRIPT_COUNT; s++) {
        if (counts[s] > counts[best]) best = s;
        if (strcmp(scripts[s].name, "Hans") == 0) han += counts[s];
        if (strcmp(scripts[s].name, "Jpan") == 0) kana += counts[s];
        if (strcmp(scripts[s].name, "Kore") == 0) hangul += counts[s];
    }
    if (han + kana >= counts[best] && kana * 8 > han) return "Jpan";
    if (han + hangul >= counts[best] && hangul * 4 > han) return "Kore";
    return scripts[best].name;
}

static int words_found(const char *text, const char *words)
{
    int found = 0;
    for (const char *at = text; *at; ) {
        size_t len = strcspn(at, " \t\r\n.,;:!?\"()[]'");
        char word[32];
        if (len > 0 && len < sizeof word - 2) {
            snprintf(word, sizeof word, " %.*s ", (int)len, at);
            for (char *c = word; *c; c++) if (*c >= 'A' && *c <= 'Z') *c = (char)(*c + 32);
            found += strstr(words, word) != NULL;
        }
        at += len + (at[len] != 0);
    }
    return found;
}

static const char *default_of(const char *script)
{
    static const struct { const char *script, *tag; } by[] = { { "Latn", "en" }, { "Cyrl", "ru" }, { "Arab", "ar" }, { "Deva", "hi" }, { "Beng", "bn" }, { "Ethi", "am" }, { "Hebr", "he" }, { "Hans", "zh" } };
    for (size_t i = 0; i < sizeof by / sizeof by[0]; i++) if (strcmp(by[i].script, script) == 0) return by[i].tag;
    for (int i = 0; i < llm_language_count; i++) if (strcmp(languages[i].script, script) == 0) return languages[i].tag;
    return "en";
}

const struct llm_language *llm_language_detect(const char *text, bool *sure)
{
    int letters, best = 0, next = 0;
    const char *script = main_script(text, &letters);
    const struct llm_language *guess = NULL;
    if (letters == 0) { *sure = false; return llm_language("en"); }
    for (int i = 0; i < llm_language_count; i++) {
        if (strcmp(languages[i].script, script) != 0 || !languages[i].words[0]) continue;
        int found = words_found(text, languages[i].words);
        if (found > best) { next = best; best = found; guess = &languages[i]; }
        else if (found > next) next = found;
    }
    *sure = guess ? best > next : strcmp(script, "Latn") != 0 && strcmp(script, "Cyrl") != 0 && strcmp(script, "Arab") != 0 && strcmp(script, "Deva") != 0;
    return guess ? guess : llm_language(default_of(script));
}

// ---- tags

bool llm_language_is_tag(const char *text)
{
    size_t len = 0, first = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    if (first < 2 || first > 8 || (text[first] && text[first] != '-')) return false;
    for (const char *at = text;; at++) {
        size_t n = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
        if (n < 1 || n > 8) return false;
        len += n + 1;
        at += n;
        if (!*at) return len <= LLM_TAG_BYTES;
        if (*at != '-') return false;
    }
}

void llm_language_normal(const char *tag, char *out, size_t cap)
{
    const struct llm_language *l = llm_language(tag);
    size_t len = l ? strlen(l->tag) : 0;
    bool region = l && strncasecmp(l->tag, tag, len) == 0 && tag[len];       // the table has only its first part
    snprintf(out, cap, "%s", l && !region ? l->tag : tag);
}

bool llm_language_next(const char **list, char tag[LLM_TAG_BYTES])
{
    size_t len = strcspn(*list, ",");
    if (!**list) return false;
    snprintf(tag, LLM_TAG_BYTES, "%.*s", (int)len, *list);
    *list += len + ((*list)[len] != 0);
    return true;
}

bool llm_language_in(const char *list, const char *tag)
{
    size_t whole = strlen(tag);
    for (size_t len; *list; list += len + (list[len] != 0)) {
        len = strcspn(list, ",");
        if (len == 1 && *list == '*') return true;
        if (len <= whole && strncasecmp(list, tag, len) == 0 && (tag[len] == 0 || tag[len] == '-')) return true;
    }
    return false;
}

int llm_languages_missing(const char *list, const char *named)
{
    char tag[LLM_TAG_BYTES];
    int missing = 0;
    while (llm_language_next(&named, tag)) missing += !llm_language_in(list, tag);
    return missing;
}
