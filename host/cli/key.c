// key.c — keystore files: `key new`, `key import`, `key list`, `key check`. Where their secrets come from: secrets.c.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/hash.h"
#include "base/hex.h"
#include "chain/keystore.h"
#include "cli/internal.h"

#define KEY_FILES_MAX 1000               // that `key list` looks at
_Static_assert(SECRET_TEXT_BYTES_MAX == PASSPHRASE_BYTES_MAX, "what is read is what a keystore takes");

// ---- passphrases

static enum fr_status passphrase_get(const struct cli *c, struct secret_text *ret, struct fr_err *err)
{
    return secret_get(c, "passphrase", "passphrase-fd", "Passphrase", "passphrase", ret, err);
}

// One that is typed is typed twice.
static enum fr_status passphrase_new(const struct cli *c, struct secret_text *ret, struct fr_err *err)
{
    FR_AUTO(fr_secret) memory = NULL;
    struct secret_text again = { 0 };
    FR_TRY(passphrase_get(c, ret, err));
    if (ret->len == 0) return FR_FAIL_CODE(err, FR_E_INVALID, "passphrase_empty", "an empty passphrase protects nothing");
    if (cli_option(c, "passphrase") || cli_option(c, "passphrase-fd")) return FR_OK;
    FR_TRY(fr_secret_new(SECRET_TEXT_BYTES, &memory, err));
    again.memory = memory;
    FR_TRY(secret_ask("The same again", "passphrase", &again, err));
    if (again.len == ret->len && fr_equal_const_time(secret_chars(&again), secret_chars(ret), ret->len)) return FR_OK;
    return FR_FAIL_CODE(err, FR_E_INVALID, "passphrase_differs", "the two passphrases differ");
}

// ---- files

static enum fr_status key_write(const char *path, const struct fr_buf *text, struct fr_err *err)
{
    char folder[CLI_PATH_BYTES];
    FR_AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST) return FR_FAIL_CODE(err, FR_E_CONFLICT, "exists", "%.300s is there already", path);
    if (fd < 0) return FR_FAIL_CODE(err, FR_E_IO, "file", "cannot write %.300s: %s", path, strerror(errno));
    snprintf(folder, sizeof folder, "%s", path);
    bool written = write(fd, text->data, text->len) == (ssize_t)text->len && fsync(fd) == 0;
    FR_AUTO_FD int above = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (written && above >= 0) written = fsync(above) == 0;      // the money behind a key outlives a power cut; so must the key
    if (written) return FR_OK;
    int why = errno;
    unlink(path);
    return FR_FAIL_CODE(err, FR_E_IO, "file", "cannot write %.300s: %s", path, strerror(why));
}

static enum fr_status keystore_file_read(const char *path, struct keystore *ret, struct fr_err *err)
{
    FR_AUTO_BUF(text);
    fr_buf_init(&text, 65536 + 2 * KEYSTORE_BYTES_MAX);          // file_read_all reads in blocks
    FR_TRY(file_read_all(path, KEYSTORE_BYTES_MAX, &text, err));
    return keystore_read(text.data ? text.data : "", text.len, ret, err);
}

static void say_key(struct cli *c, const char *path, const struct keystore *k)
{
    char address[ADDRESS_TEXT_BYTES];
    fr_buf_add(&c->out, "{\"address\":");
    fr_buf_add_json_text(&c->out, k->has_address ? address_text(&k->address, address) : NULL);
    fr_buf_add(&c->out, ",\"file\":");
    fr_buf_add_json_text(&c->out, path);
    if (k->kdf == KEYSTORE_SCRYPT) fr_buf_addf(&c->out, ",\"kdf\":\"scrypt\",\"cost\":\"n %u, r %u, p %u\"}", k->n, k->r, k->p);
    else fr_buf_addf(&c->out, ",\"kdf\":\"pbkdf2\",\"cost\":\"%u rounds\"}", k->rounds);
}

// ---- the verbs

static enum fr_status key_store(struct cli *c, const uint8_t secret[SECRET_KEY_BYTES], struct fr_err *err)
{
    static const struct keystore light = { .n = 4096, .r = 8, .p = 6 };
    FR_AUTO(fr_secret) memory = NULL;
    FR_AUTO_BUF(text);
    fr_buf_init(&text, KEYSTORE_BYTES_MAX);
    const char *path = cli_arg(c, "file");
    struct secret_text passphrase = { 0 };
    struct keystore k;
    if (access(path, F_OK) == 0) return FR_FAIL_CODE(err, FR_E_CONFLICT, "exists", "%.300s is there already", path);
    enum fr_status status = passphrase_new(c, &passphrase, err);
    memory = passphrase.memory;
    FR_TRY(status);
    FR_TRY(keystore_make(secret, secret_chars(&passphrase), passphrase.len, cli_option(c, "light") ? &light : NULL, &text, err));
    FR_TRY(keystore_read(text.data, text.len, &k, err));
    FR_TRY(key_write(path, &text, err));
    say_key(c, path, &k);
    return FR_OK;
}

enum fr_status run_key_new(struct cli *c, struct fr_err *err)
{
    FR_AUTO(fr_secret) key = NULL;
    struct address unused;
    FR_TRY(fr_secret_new(SECRET_KEY_BYTES, &key, err));
    do fr_random_bytes(fr_secret_bytes(key), SECRET_KEY_BYTES);
    while (secret_key_address(fr_secret_bytes(key), &unused, NULL) != FR_OK);      // one in 2^127 is none
    return key_store(c, fr_secret_bytes(key), err);
}

enum fr_status run_key_import(struct cli *c, struct fr_err *err)
{
    FR_AUTO(fr_secret) key = NULL;
    FR_AUTO(fr_secret) memory = NULL;
    struct secret_text text = { 0 };
    struct address unused;
    FR_TRY(fr_secret_new(SECRET_KEY_BYTES, &key, err));
    enum fr_status status = secret_get(c, "secret", "secret-fd", "Private key in hex", "private key", &text, err);
    memory = text.memory;
    FR_TRY(status);
    const char *hex = secret_chars(&text);
    size_t skip = text.len >= 2 && hex[0] == '0' && hex[1] == 'x' ? 2 : 0;
    if (!fr_unhex(hex + skip, text.len - skip, fr_secret_bytes(key), SECRET_KEY_BYTES))
        return FR_FAIL_CODE(err, FR_E_INVALID, "key_invalid", "a private key is 64 hex digits, with or without 0x");
    FR_TRY(secret_key_address(fr_secret_bytes(key), &unused, err));
    return key_store(c, fr_secret_bytes(key), err);
}

enum fr_status run_key_check(struct cli *c, struct fr_err *err)
{
    FR_AUTO(fr_secret) key = NULL;
    FR_AUTO(fr_secret) memory = NULL;
    struct secret_text passphrase = { 0 };
    const char *path = cli_arg(c, "file");
    struct keystore k;
    FR_TRY(keystore_file_read(path, &k, err));
    FR_TRY(fr_secret_new(SECRET_KEY_BYTES, &key, err));
    enum fr_status status = passphrase_get(c, &passphrase, err);
    memory = passphrase.memory;
    FR_TRY(status);
    FR_TRY(keystore_open(&k, secret_chars(&passphrase), passphrase.len, fr_secret_bytes(key), &k.address, err));
    k.has_address = true;
    say_key(c, path, &k);
    return FR_OK;
}

static int is_visible_file(const struct dirent *e) { return e->d_name[0] != '.'; }

enum fr_status run_key_list(struct cli *c, struct fr_err *err)
{
    struct dirent **found = NULL;
    const char *dir = cli_arg(c, "dir");
    int count = scandir(dir, &found, is_visible_file, alphasort), told = 0;
    if (count < 0) return FR_FAIL_CODE(err, errno == ENOENT ? FR_E_NOT_FOUND : FR_E_IO, "file", "cannot read %.300s: %s", dir, strerror(errno));
    fr_buf_add(&c->out, "[");
    for (int i = 0; i < count; i++) {
        char path[CLI_PATH_BYTES];
        struct keystore k;
        int len = snprintf(path, sizeof path, "%s/%s", dir, found[i]->d_name);
        if (i < KEY_FILES_MAX && len < (int)sizeof path && keystore_file_read(path, &k, NULL) == FR_OK) {      // other files lie there too
            if (told++ > 0) fr_buf_add(&c->out, ",");
            say_key(c, path, &k);
        }
        free(found[i]);
    }
    free(found);
    fr_buf_add(&c->out, "]");
    return FR_OK;
}
