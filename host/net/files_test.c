// files_test.c — what is taken from a folder, and how it is served.
#include <sys/stat.h>
#include <fcntl.h>
#include "net/test_client.h"
#include "base/limits.h"
#include "net/files.h"

static struct net_files *files;
static const char *extra_headers;

static void on_request(void *arg, struct net_request *req)
{
    (void)arg;
    char name[256];
    struct net_text path = net_path(req);
    snprintf(name, sizeof name, "%.*s", (int)path.len - 1, path.at + 1);
    if (!net_files_serve(files, req, name, extra_headers)) net_respond(req, 404, NULL, NULL, "", 0);
}

static char *ask(struct client *c, const char *method, const char *path, const char *more)
{
    char line[500];
    snprintf(line, sizeof line, "%s %s HTTP/1.1\r\nHost: x\r\n%s\r\n", method, path, more);
    client_say(c, line);
    return client_answer_to(c, strcmp(method, "HEAD") == 0 || strstr(more, "If-None-Match") != NULL);
}

static char folder[] = "/tmp/frond-files-XXXXXX";
static char *path_in(const char *name)
{
    static char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}
static void write_file(const char *name, const char *bytes, size_t len)
{
    int fd = open(path_in(name), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
    close(fd);
}

static void folder_make(void)
{
    static char big[300000];
    memset(big, 'z', sizeof big);
    CHECK(mkdtemp(folder) != NULL);
    write_file("index.html", "<p>root", 7);
    write_file(".secret", "no", 2);
    CHECK(mkdir(path_in("sub"), 0700) == 0);
    CHECK(mkdir(path_in(".git"), 0700) == 0);
    write_file(".git/config", "no", 2);
    write_file("sub/index.html", "<p>sub", 6);
    write_file("sub/app.mjs", "1", 1);
    write_file("empty.css", "", 0);
    write_file("big.bin", big, sizeof big);
    CHECK(symlink("/etc/passwd", path_in("passwd")) == 0);
    CHECK(symlink("/etc", path_in("etc")) == 0);
    CHECK(mkfifo(path_in("pipe"), 0600) == 0);
}

static void folder_remove(void)
{
    static const char *const names[] = { "index.html", ".secret", ".git/config", "sub/index.html", "sub/app.mjs", "empty.css", "big.bin", "passwd", "etc", "pipe" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) unlink(path_in(names[i]));
    rmdir(path_in("sub"));
    rmdir(path_in(".git"));
    rmdir(folder);
}

static void begin(void)
{
    struct fr_err err;
    files = net_files_new();
    CHECK(net_files_load(files, folder, &err) == FR_OK);
    extra_headers = NULL;
    server_begin((struct net_server_options){ .on_request = on_request });
}

static void end(void)
{
    net_files_free(files);
    server_end();
}

static void test_only_plain_files_of_the_folder_are_served(void)
{
    begin();
    struct client c = client_open();
    CHECK_TEXT(answer_body(ask(&c, "GET", "/", "")), "<p>root");
    CHECK_TEXT(answer_body(ask(&c, "GET", "/sub/", "")), "<p>sub");
    CHECK_TEXT(answer_body(ask(&c, "GET", "/sub/app.mjs", "")), "1");
    CHECK_INT(answer_status(ask(&c, "GET", "/empty.css", "")), 200);
    static const char *const absent[] = { "/nothing", "/.secret", "/.git/config", "/passwd", "/etc/passwd", "/pipe", "/sub", "/sub/app.mjs/" };
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) CHECK_INT(answer_status(ask(&c, "GET", absent[i], "")), 404);
    client_close(&c);
    end();
}

static void test_types_tags_and_methods(void)
{
    begin();
    struct client c = client_open();
    char *got = ask(&c, "GET", "/sub/app.mjs", ""), tag[40], more[100];
    CHECK(strstr(got, "Content-Type: text/javascript; charset=utf-8\r\n") != NULL);
    CHECK(strstr(got, "Cache-Control: no-cache\r\n") != NULL);
    const char *at = strstr(got, "ETag: ");
    CHECK(at != NULL && sscanf(at, "ETag: %39[^\r]", tag) == 1);
    CHECK_TEXT(tag, "\"6b86b273ff34fce19d6b804eff5a3f57\"");         // of SHA-256("1")

    snprintf(more, sizeof more, "If-None-Match: %s\r\n", tag);
    got = ask(&c, "GET", "/sub/app.mjs", more);
    CHECK_INT(answer_status(got), 304);
    CHECK(strstr(got, tag) != NULL && strstr(got, "Content-Length") == NULL);
    snprintf(more, sizeof more, "If-None-Match: \"a\", W/%s\r\n", tag);
    CHECK_INT(answer_status(ask(&c, "HEAD", "/sub/app.mjs", more)), 304);
    CHECK_INT(answer_status(ask(&c, "GET", "/sub/app.mjs", "If-None-Match: *\r\n")), 304);

    extra_headers = "X-Plugin: yes\r\nCache-Control: max-age=60\r\n";
    got = ask(&c, "HEAD", "/sub/app.mjs", "");
    CHECK(answer_status(got) == 200 && strstr(got, "Content-Length: 1\r\n") != NULL && answer_body(got)[0] == 0);
    CHECK(strstr(got, "X-Plugin: yes\r\n") != NULL && strstr(got, "no-cache") == NULL);

    client_say(&c, "POST /sub/app.mjs HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    got = client_answer(&c);
    CHECK(answer_status(got) == 405 && strstr(got, "Allow: GET, HEAD\r\n") != NULL);
    CHECK_TEXT(net_content_type("a/b.PNG"), "image/png");
    CHECK_TEXT(net_content_type("a.png/b"), "application/octet-stream");
    CHECK_TEXT(net_content_type("woff2"), "application/octet-stream");
    client_close(&c);
    end();
}

// The folder may be replaced (a plugin was updated) while somebody still reads from it.
static void test_a_slow_reader_keeps_its_file(void)
{
    begin();
    struct client c = client_open_small(4096);
    for (int i = 0; i < 30; i++) client_say(&c, "GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n");
    for (int i = 0; i < 100; i++) pump();
    net_files_free(files);
    files = net_files_new();
    const char *got = client_answer(&c);
    CHECK(answer_status(got) == 200 && strlen(answer_body(got)) == 300000 && strspn(answer_body(got), "z") == 300000);
    int status;
    while ((status = answer_status(client_answer(&c))) == 200) { }
    CHECK_INT(status, 404);
    client_close(&c);
    end();
}

static void test_a_delayed_file_keeps_its_place(void)
{
    begin();
    struct client c = client_open();
    client_say(&c, "GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\nGET /sub/app.mjs HTTP/1.1\r\nHost: x\r\n\r\nGET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK_INT(strlen(answer_body(client_answer(&c))), 300000);
    CHECK_TEXT(answer_body(client_answer(&c)), "1");
    CHECK_INT(strlen(answer_body(client_answer(&c))), 300000);
    client_say(&c, "GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n");
    pump_some();
    client_close(&c);                            // and one that leaves in the middle
    end();
}

static void test_embedded_files_can_be_replaced(void)
{
    begin();
    net_files_add(files, "lib/a.js", "old", 3);
    net_files_add(files, "lib/a.js", "newer", 5);
    struct client c = client_open();
    CHECK_TEXT(answer_body(ask(&c, "GET", "/lib/a.js", "")), "newer");
    client_close(&c);
    end();
}

static void test_what_is_too_much_is_named(void)
{
    struct fr_err err;
    struct net_files *f = net_files_new();
    CHECK(net_files_load(f, "/nonexistent/folder", &err) == FR_E_NOT_FOUND);
    int fd = open(path_in("big.bin"), O_WRONLY | O_CLOEXEC);
    CHECK(ftruncate(fd, FILE_BYTES_MAX + 1) == 0);
    CHECK(net_files_load(f, folder, &err) == FR_E_LIMIT);
    CHECK(strstr(err.text, "big.bin") != NULL);
    CHECK(ftruncate(fd, 10) == 0);
    close(fd);
    char name[32];
    for (int i = 0; i < PLUGIN_FILES_MAX; i++) {
        snprintf(name, sizeof name, "sub/%d.txt", i);
        write_file(name, "x", 1);
    }
    CHECK(net_files_load(f, folder, &err) == FR_E_LIMIT);
    for (int i = 0; i < PLUGIN_FILES_MAX; i++) {
        snprintf(name, sizeof name, "sub/%d.txt", i);
        unlink(path_in(name));
    }
    net_files_free(f);
    net_files_free(NULL);
}

int main(void)
{
    TEST(folder_make);
    TEST(test_only_plain_files_of_the_folder_are_served);
    TEST(test_types_tags_and_methods);
    TEST(test_a_slow_reader_keeps_its_file);
    TEST(test_a_delayed_file_keeps_its_place);
    TEST(test_embedded_files_can_be_replaced);
    TEST(test_what_is_too_much_is_named);
    folder_remove();
    return TEST_END();
}
