// args_test.c — words of the command line: what is understood, what is refused and with which hint.
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "base/check.h"
#include "cli/internal.h"

static struct cli c;
static struct fr_err err;

static enum fr_status parse(const char *line)              // words between single blanks
{
    static char text[600], *word[40];
    int count = 1;
    snprintf(text, sizeof text, "%s", line);
    word[0] = "frond";
    for (char *at = text; *at;) {
        char *end = at + strcspn(at, " ");
        word[count++] = at;
        at = *end ? end + 1 : end;
        *end = '\0';
    }
    c = (struct cli){ .data = "default" };
    err = (struct fr_err){ 0 };
    return args_parse(count, word, &c, &err);
}

static bool hints(const char *line, const char *text)
{
    bool right = parse(line) != FR_OK && strcmp(err.code, "usage") == 0 && strstr(err.text, text) != NULL;
    if (!right) printf("  %s: %s (%s)\n", line, err.text, err.code);
    return right;
}

static void test_verbs_of_one_and_of_two_words(void)
{
    CHECK(parse("doctor") == FR_OK && c.verb == cli_verb_find("doctor"));
    CHECK(parse("plugin new moon") == FR_OK && c.verb == cli_verb_find("plugin new"));
    CHECK_TEXT(cli_arg(&c, "name"), "moon");
    CHECK(cli_arg(&c, "dir") == NULL);
    CHECK(parse("plugin new moon games/x") == FR_OK);
    CHECK_TEXT(cli_arg(&c, "dir"), "games/x");
    CHECK(parse("--version") == FR_OK && c.verb == cli_verb_find("version"));
}

static void test_options_stand_anywhere_with_or_without_equals(void)
{
    CHECK(parse("--data A ledger --json mint 7 --asset=TEST 1.5 --key k") == FR_OK);
    CHECK_TEXT(c.data, "A");
    CHECK(c.json);
    CHECK_TEXT(cli_arg(&c, "player"), "7");
    CHECK_TEXT(cli_arg(&c, "amount"), "1.5");
    CHECK_TEXT(cli_option(&c, "asset"), "TEST");
    CHECK_TEXT(cli_option(&c, "key"), "k");
    CHECK(parse("serve --dev") == FR_OK);
    CHECK(cli_option(&c, "dev") != NULL && cli_option(&c, "listen") == NULL);
    CHECK_TEXT(c.data, "default");
    CHECK(parse("ledger mint 7 -- --json") == FR_OK && !c.json);
    CHECK_TEXT(cli_arg(&c, "amount"), "--json");
    CHECK(parse("ledger mint 7 -") == FR_OK);              // a lone hyphen is a word
}

static void test_wrong_words_are_refused_with_a_hint(void)
{
    CHECK(hints("", "frond help"));
    CHECK(hints("serf", "did you mean \"frond serve\""));
    CHECK(hints("plugni list", "did you mean"));
    CHECK(hints("plugin lst", "did you mean \"frond plugin list\""));
    CHECK(hints("show x", "did you mean \"frond match show\""));
    CHECK(hints("match", "list, show, replay"));
    CHECK(hints("qqqqqqqqqqqq", "`frond help` lists them"));
    CHECK(hints("doctor --jsn", "did you mean --json"));
    CHECK(hints("doctor --limit 3", "no option --limit"));
    CHECK(hints("match list --limit", "needs a value"));
    CHECK(hints("match list --limit=", "needs a value"));
    CHECK(hints("serve --dev=yes", "takes no value"));
    CHECK(hints("doctor -v", "no option -v"));
    CHECK(hints("match show", "MATCH is missing: frond match show MATCH [--export FILE]"));
    CHECK(hints("match show a b", "\"b\" is one argument too many"));
    CHECK(hints("version x", "one argument too many"));
}

static void test_long_words_fit_nowhere_and_break_nothing(void)
{
    char line[400];
    memset(line, 'a', sizeof line);
    line[399] = '\0';
    CHECK(hints(line, "there is no verb \"aaaa"));
    memcpy(line, "plugin ", 7);
    CHECK(hints(line, "there is no verb \"plugin aaaa"));
    memcpy(line, "doctor --", 9);
    CHECK(hints(line, "no option --aaaa"));
}

static void test_json_is_heard_even_behind_the_mistake(void)
{
    CHECK(parse("nonsense --json") != FR_OK && c.json);
    CHECK(parse("nonsense -- --json") != FR_OK && !c.json);
    CHECK(parse("match show --help") == FR_OK && c.help);      // help needs no arguments
}

static void test_numbers_have_bounds(void)
{
    int64_t n = -1;
    CHECK(parse("match replay x --times 100") == FR_OK);
    CHECK(cli_option_int(&c, "times", 1, 100, 1, &n, &err) == FR_OK && n == 100);
    CHECK(cli_option_int(&c, "times", 1, 99, 1, &n, &err) == FR_E_INVALID && n == 100);
    CHECK_TEXT(err.code, "usage");
    CHECK(cli_option_int(&c, "beside", 0, 64, 3, &n, &err) == FR_OK && n == 3);
    CHECK(parse("match replay x --times 99999999999999999999") == FR_OK);
    CHECK(cli_option_int(&c, "times", 1, 100, 1, &n, &err) == FR_E_INVALID);
    static const char *const bad[] = { "match replay x --times 1x", "match replay x --times x", "match list --limit -1", "match list --limit=1.5" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(parse(bad[i]) == FR_E_INVALID);
        CHECK_TEXT(err.code, "usage");
    }
    char *empty[] = { "frond", "plugin", "enable", "" };       // a script's variable that was not set
    memset(&c, 0, sizeof c);
    CHECK(args_parse(4, empty, &c, &err) == FR_E_INVALID);
    CHECK_TEXT(err.text, "PLUGIN is empty");
}

// The table is data that others read: what it says must be whole.
static void test_every_verb_says_what_it_does(void)
{
    for (int i = 0; i < cli_verb_count; i++) {
        const struct cli_verb *v = &cli_verbs[i];
        char usage[300];
        help_usage(v, usage, sizeof usage);
        CHECK(v->run != NULL && v->does && v->does[0]);
        CHECK(strncmp(usage, "frond ", 6) == 0 && strlen(usage) < 200);
        CHECK(!v->console || console_verb_find(v->console) != NULL);
        for (int a = 0; a + 1 < CLI_ARGS_MAX && v->args[a].name; a++)
            CHECK(!v->args[a].optional || !v->args[a + 1].name || v->args[a + 1].optional);      // what is left out stands at the end
        for (int o = 0; o < CLI_OPTIONS_MAX && v->options[o].name; o++) {
            CHECK(v->options[o].doc && v->options[o].doc[0]);
            for (int all = 0; all < cli_options_of_all_count; all++) CHECK(strcmp(v->options[o].name, cli_options_of_all[all].name) != 0);
        }
    }
}

static int serve_not(const struct serve_options *o) { return o->dev ? 0 : 1; }

static void test_serve_gets_its_options_and_gives_its_exit_code(void)
{
    char *with[] = { "frond", "serve", "--dev" }, *without[] = { "frond", "serve" };
    CHECK_INT(cli_main(3, with, &(struct cli_host){ .serve = serve_not }), 0);
    CHECK_INT(cli_main(2, without, &(struct cli_host){ .serve = serve_not }), 1);
}

int main(void)
{
    TEST(test_verbs_of_one_and_of_two_words);
    TEST(test_options_stand_anywhere_with_or_without_equals);
    TEST(test_wrong_words_are_refused_with_a_hint);
    TEST(test_long_words_fit_nowhere_and_break_nothing);
    TEST(test_json_is_heard_even_behind_the_mistake);
    TEST(test_numbers_have_bounds);
    TEST(test_every_verb_says_what_it_does);
    TEST(test_serve_gets_its_options_and_gives_its_exit_code);
    return TEST_END();
}
