// fetch.c — libcurl's easy interface, with what is not ours to choose switched off.
#include "net/fetch.h"
#include <curl/curl.h>
#include <pthread.h>
#include <string.h>
#include "base/limits.h"
#include "base/version.h"

#define FETCH_HEADER_BYTES_MAX (64 * 1024)

struct fetching { struct fr_buf *body; size_t header_bytes; bool too_large; };

static void begin_once(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct fetching *f = arg;
    (void)size;                            // always 1
    fr_buf_add_bytes(f->body, bytes, count);
    f->too_large = f->body->failed;
    return f->too_large ? 0 : count;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *arg)
{
    struct fetching *f = arg;
    (void)bytes;
    (void)size;
    f->header_bytes += count;
    f->too_large = f->header_bytes > FETCH_HEADER_BYTES_MAX;
    return f->too_large ? 0 : count;
}

static enum fr_status result(CURLcode code, const struct fetching *f, const struct net_fetch *ask, struct fr_err *err)
{
    const char *why = curl_easy_strerror(code);          // a sentence of libcurl's own: it names no address
    switch (code) {
    case CURLE_OK: return FR_OK;
    case CURLE_OPERATION_TIMEDOUT: return FR_FAIL_CODE(err, FR_E_TIMEOUT, "fetch_timeout", "no answer within %d ms", ask->timeout_ms);
    case CURLE_COULDNT_RESOLVE_PROXY: case CURLE_COULDNT_RESOLVE_HOST: case CURLE_COULDNT_CONNECT:
        return FR_FAIL_CODE(err, FR_E_BUSY, "fetch_unreachable", "%s", why);
    case CURLE_SSL_CACERT_BADFILE: return FR_FAIL_CODE(err, FR_E_INVALID, "fetch_ca_file", "the file of certificates cannot be read: %.200s", ask->ca_file ? ask->ca_file : "the system's");
    case CURLE_PEER_FAILED_VERIFICATION: case CURLE_SSL_CONNECT_ERROR: case CURLE_SSL_CIPHER: case CURLE_SSL_INVALIDCERTSTATUS: case CURLE_SSL_ISSUER_ERROR:
        return FR_FAIL_CODE(err, FR_E_DENIED, "fetch_tls", "%s", why);
    case CURLE_WRITE_ERROR:
        if (f->body->no_memory) return FR_FAIL(err, FR_E_NOMEM, "no memory for an answer");
        if (f->too_large) return FR_FAIL_CODE(err, FR_E_LIMIT, "fetch_too_large", "the answer is over %zu bytes", ask->bytes_max);
        break;
    case CURLE_OUT_OF_MEMORY: return FR_FAIL(err, FR_E_NOMEM, "no memory for a request");
    default: break;
    }
    return FR_FAIL_CODE(err, FR_E_IO, "fetch_failed", "%s", why);
}

static void set_up(CURL *c, const struct net_fetch *ask, struct fetching *f, struct curl_slist *headers)
{
    curl_easy_setopt(c, CURLOPT_URL, ask->url);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (ask->ca_file && ask->ca_file[0]) {
        curl_easy_setopt(c, CURLOPT_CAINFO, ask->ca_file);
        curl_easy_setopt(c, CURLOPT_CAPATH, NULL);       // instead of the system's, not beside them
    }
    curl_easy_setopt(c, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)ask->timeout_ms);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)FETCH_CONNECT_MS);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "frond/" FROND_VERSION);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, f);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, f);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    if (ask->json) curl_easy_setopt(c, CURLOPT_POSTFIELDS, ask->json);
}

enum fr_status net_fetch(const struct net_fetch *ask, int *http_status, struct fr_buf *body, struct fr_err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct fetching f = { .body = body };
    long status = 0;
    pthread_once(&once, begin_once);
    fr_buf_init(body, ask->bytes_max);
    CURL *c = curl_easy_init();
    struct curl_slist *headers = c ? curl_slist_append(NULL, ask->json ? "Content-Type: application/json" : "Accept: application/json") : NULL;
    CURLcode code = headers ? CURLE_OK : CURLE_OUT_OF_MEMORY;
    if (code == CURLE_OK) {
        set_up(c, ask, &f, headers);
        code = curl_easy_perform(c);
        curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    }
    *http_status = (int)status;
    curl_slist_free_all(headers);
    curl_easy_cleanup(c);
    enum fr_status st = result(code, &f, ask, err);
    if (st != FR_OK) fr_buf_free(body);
    return st;
}
