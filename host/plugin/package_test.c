// package_test.c — folders on disk to packages: the same files give the same hash, wherever and in whatever order they lie.
#include "plugin/package.h"
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/check.h"
#include "base/mem.h"

#define MANIFEST "{\"id\":\"demo\",\"name\":\"Demo\",\"version\":\"1.0.0\",\"api\":\"2026-11-01\",\"kind\":\"tool\"}"
#define MANIFEST_PAGE "{\"id\":\"demo\",\"name\":\"Demo\",\"version\":\"1.0.0\",\"api\":\"2026-11-01\",\"kind\":\"tool\",\"page\":{\"icon\":\"i/icon.svg\"}}"

static char root[64];          // a folder of this test's own
static int folder_no;
static char folder[128];       // the package's

static void put_bytes(const char *name, const void *bytes, size_t len)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (char *c = path + strlen(folder) + 1; *c; c++)
        if (*c == '/') { *c = 0; mkdir(path, 0700); *c = '/'; }
    FILE *f = fopen(path, "w");
    if (!f || fwrite(bytes, 1, len, f) != len || fclose(f) != 0) { perror(path); abort(); }
}

static void put(const char *name, const char *text) { put_bytes(name, text, strlen(text)); }

static void new_folder(void)
{
    snprintf(folder, sizeof folder, "%s/p%d", root, folder_no++);
    if (mkdir(folder, 0700) != 0) { perror(folder); abort(); }
}

// A new folder with a manifest and main.lua.
static void demo(void)
{
    new_folder();
    put("plugin.json", MANIFEST);
    put("main.lua", "return 1\n");
}

static struct package *loaded(void)
{
    struct package *p = NULL;
    struct fr_err err = { 0 };
    enum fr_status st = package_load(folder, &p, &err);
    CHECK_TEXT(st == FR_OK ? "" : err.text, "");
    return p;
}

// `want` without the folder in front.
static void refused(enum fr_status status, const char *want)
{
    char text[FR_ERR_TEXT_BYTES];
    struct fr_err err = { 0 };
    struct package *p = NULL;
    CHECK_INT(package_load(folder, &p, &err), status);
    CHECK(p == NULL);
    snprintf(text, sizeof text, "%s: %s", folder, want);
    CHECK_TEXT(err.text, text);
    package_free(p);
}

static void test_what_belongs_to_a_package(void)
{
    demo();
    put("rules.lua", "return 2\n");
    put("lib/cards.lua", "return 3\n");
    put("rules_test.lua", "os.exit()\n");
    put("README.md", "no");
    put(".hidden.lua", "no");
    put(".git/x.lua", "no");
    put("web/page.lua", "no");
    FR_AUTO(package) p = loaded();
    if (!p) return;
    CHECK_INT(p->file_count, 3);
    CHECK_TEXT(p->files[0].name, "lib/cards.lua");
    CHECK_TEXT(p->files[1].name, "main.lua");
    CHECK_TEXT(p->files[2].name, "rules.lua");
    CHECK_TEXT(p->files[1].text, "return 1\n");
    CHECK_INT(p->files[1].len, 9);
    CHECK(p->web == NULL);
    CHECK_TEXT(p->folder, folder);
    CHECK_TEXT(p->manifest->id, "demo");
}

static void test_the_hash_depends_on_manifest_and_lua_alone(void)
{
    demo();
    put("a.lua", "x");
    put("b.lua", "y");
    FR_AUTO(package) first = loaded();
    new_folder();                                         // other order, other place, other spaces, other company
    put("b.lua", "y");
    put("notes.txt", "n");
    put("a.lua", "x");
    put("main.lua", "return 1\n");
    put("plugin.json", "{ \"name\":\"Demo\", \"id\":\"demo\",\"version\":\"1.0.0\",\n\"api\":\"2026-11-01\",\"kind\":\"tool\"}");
    FR_AUTO(package) second = loaded();
    put("b.lua", "z");
    FR_AUTO(package) third = loaded();
    put("b.lua", "y");
    put("plugin.json", "{\"name\":\"Demo\",\"id\":\"demo\",\"version\":\"1.0.1\",\"api\":\"2026-11-01\",\"kind\":\"tool\"}");
    FR_AUTO(package) fourth = loaded();
    demo();                                               // the same bytes, shared out otherwise
    put("a.lua", "");
    put("b.lua", "xy");
    FR_AUTO(package) fifth = loaded();
    if (!first || !second || !third || !fourth || !fifth) return;
    CHECK_INT(strlen(first->sha256), 64);
    CHECK_TEXT(second->sha256, first->sha256);
    CHECK(strcmp(third->sha256, first->sha256) != 0);
    CHECK(strcmp(fourth->sha256, first->sha256) != 0);
    CHECK(strcmp(fifth->sha256, first->sha256) != 0);
}

static void test_what_is_missing_or_broken(void)
{
    new_folder();
    refused(FR_E_NOT_FOUND, "plugin.json: No such file or directory");
    put("plugin.json", MANIFEST);
    refused(FR_E_INVALID, "main.lua: there is none; it is where a plugin begins");
    put("main.lua", "return 1");
    put("plugin.json", "{\"id\":7}");
    refused(FR_E_INVALID, "plugin.json: id: expected a string, got number");
    put("plugin.json", MANIFEST_PAGE);
    refused(FR_E_INVALID, "web/index.html: there is none, and plugin.json promises a page");
    put("web/index.html", "<!doctype html>");
    refused(FR_E_INVALID, "web/i/icon.svg: there is none, and plugin.json's page.icon names it");
    put("web/i/icon.svg", "<svg/>");
    FR_AUTO(package) p = loaded();
    CHECK(p && p->web);
    struct fr_err err = { 0 };
    struct package *none = NULL;
    CHECK_INT(package_load("/nonexistent/frond", &none, &err), FR_E_NOT_FOUND);
    CHECK_TEXT(err.text, "/nonexistent/frond: there is no such folder");
}

static void test_lua_that_is_not_source(void)
{
    demo();
    put("a.lua", "\x1bLuaT");
    refused(FR_E_INVALID, "a.lua: this is compiled Lua; a package holds source");
    put_bytes("a.lua", "a\0b", 3);
    refused(FR_E_INVALID, "a.lua: holds a NUL byte; a package holds source");
    put("a.lua", "return '\xff'");
    refused(FR_E_INVALID, "a.lua: is not UTF-8");
    put("a.lua", "");
    put("b c.lua", "");
    refused(FR_E_INVALID, "b c.lua: a Lua file's path has letters, digits, _ and - between slashes and at most 100 bytes, so that require can name it");
}

static void link_to(const char *target, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
    CHECK(symlink(target, path) == 0);
}

static void test_links_are_refused(void)
{
    demo();
    link_to("/etc/hostname", "a.lua");
    refused(FR_E_INVALID, "a.lua: is a link; a package holds plain files");
    demo();
    link_to("/etc", "lib");                               // not Lua by name, and never entered
    FR_AUTO(package) p = loaded();
    if (p) CHECK_INT(p->file_count, 1);
    put("real.json", MANIFEST);
    link_to("real.json", "plugin.json");
    refused(FR_E_INVALID, "plugin.json: is a link; a package holds plain files");
    demo();
    put("plugin.json", MANIFEST_PAGE);
    put("pages/index.html", "x");
    link_to("pages", "web");
    refused(FR_E_INVALID, "web: is a link; a package holds plain files");
    demo();
    char path[256];
    snprintf(path, sizeof path, "%s/pipe.lua", folder);
    CHECK(mkfifo(path, 0600) == 0);                       // must not make us wait
    refused(FR_E_INVALID, "pipe.lua: is not a plain file");
}

static void fill(const char *name, size_t len, char c)
{
    char *bytes = malloc(len);
    memset(bytes, c, len);
    put_bytes(name, bytes, len);
    free(bytes);
}

static void test_bounds_and_one_step_past_them(void)
{
    demo();
    size_t left = PLUGIN_LUA_BYTES_MAX - strlen("return 1\n");
    fill("a.lua", left, ' ');
    package_free(loaded());
    put("b.lua", " ");
    struct fr_err err = { 0 };
    struct package *p = NULL;
    CHECK_INT(package_load(folder, &p, &err), FR_E_LIMIT);
    CHECK(strstr(err.text, "the package's Lua is over 524288 bytes") != NULL);
    demo();
    fill("a.lua", PLUGIN_LUA_BYTES_MAX + 1, ' ');
    refused(FR_E_LIMIT, "a.lua: 524289 bytes, and 524288 are the most");
    demo();
    fill("plugin.json", PLUGIN_MANIFEST_BYTES_MAX + 1, ' ');
    refused(FR_E_LIMIT, "plugin.json: 65537 bytes, and 65536 are the most");
    demo();
    fill("a.lua", 400 * 1024, '\x01');                    // each becomes six bytes of JSON
    refused(FR_E_LIMIT, "its manifest and Lua as JSON is over 1048576 bytes");
    demo();
    for (int i = 1; i < PLUGIN_FILES_MAX; i++) {
        char name[32];
        snprintf(name, sizeof name, "f%d.lua", i);
        put(name, "");
    }
    FR_AUTO(package) full = loaded();
    if (full) CHECK_INT(full->file_count, PLUGIN_FILES_MAX);
    put("one_more.lua", "");
    CHECK_INT(package_load(folder, &p, &err), FR_E_LIMIT);
    CHECK(strstr(err.text, "over 256 Lua files") != NULL);
}

static void test_export_and_import_give_the_same_package(void)
{
    demo();
    put("lib/x.lua", "-- \"quotes\", \\ and \xc3\xa9\r\n\treturn '\x7f\x01'\n");
    FR_AUTO(package) p = loaded();
    FR_AUTO(package) back = NULL;
    FR_AUTO_BUF(text); FR_AUTO_BUF(again);
    struct fr_err err = { 0 };
    if (!p) return;
    fr_buf_init(&text, JSON_TEXT_BYTES_MAX);
    fr_buf_init(&again, JSON_TEXT_BYTES_MAX);
    package_export(p, &text);
    CHECK(!text.failed);
    CHECK(package_import(text.data, text.len, &back, &err) == FR_OK);
    CHECK_TEXT(err.text, "");
    if (!back) return;
    CHECK_TEXT(back->sha256, p->sha256);
    CHECK_INT(back->file_count, 2);
    CHECK_TEXT(back->files[0].text, p->files[0].text);
    package_export(back, &again);
    CHECK_TEXT(again.data, text.data);
    static const char *const broken[] = { "", "[]", "{}", "{\"manifest\":{},\"files\":{}}", "{\"manifest\":" MANIFEST ",\"files\":{}}",
                                          "{\"manifest\":" MANIFEST ",\"files\":{\"main.lua\":7}}", "{\"manifest\":" MANIFEST ",\"files\":{\"main.lua\":\"\",\"../x.lua\":\"\"}}" };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct package *none = NULL;
        CHECK(package_import(broken[i], strlen(broken[i]), &none, &err) != FR_OK);
        CHECK(none == NULL);
    }
}

static void test_options_for_the_worker(void)
{
    demo();
    FR_AUTO(package) p = loaded();
    FR_AUTO_BUF(text);
    fr_buf_init(&text, 1000);
    if (!p) return;
    package_options(p, &text);
    CHECK_TEXT(text.data, "{\"plugin\":\"demo\",\"version\":\"1.0.0\",\"heap_bytes\":33554432,\"kind\":\"tool\"}");
}

// Without memory at any point: an error, nothing leaked (the sanitizer counts), nothing half-made.
static void test_no_memory_anywhere(void)
{
    demo();                                               // without a page: its files are read once, at start-up, and must fit
    put("lib/x.lua", "return 2");
    int refusals = 0;
    for (int nth = 1; nth < 10000; nth++) {
        struct package *p = NULL;
        struct fr_err err = { 0 };
        fr_mem_fail_at(nth);
        enum fr_status st = package_load(folder, &p, &err);
        fr_mem_fail_at(0);
        if (st == FR_OK) { package_free(p); break; }
        CHECK_INT(st, FR_E_NOMEM);
        refusals++;
    }
    CHECK(refusals > 5 && refusals < 9999);
}

int main(void)
{
    snprintf(root, sizeof root, "/tmp/frond-package-XXXXXX");
    if (!mkdtemp(root)) { perror(root); return 1; }
    TEST(test_what_belongs_to_a_package);
    TEST(test_the_hash_depends_on_manifest_and_lua_alone);
    TEST(test_what_is_missing_or_broken);
    TEST(test_lua_that_is_not_source);
    TEST(test_links_are_refused);
    TEST(test_bounds_and_one_step_past_them);
    TEST(test_export_and_import_give_the_same_package);
    TEST(test_options_for_the_worker);
    TEST(test_no_memory_anywhere);
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    if (system(command) != 0) printf("  %s was left behind\n", root);
    return TEST_END();
}
