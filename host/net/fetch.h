// fetch.h — one request to another server, waited for: for the CLI, never on the loop (there: client.h).
//
// Certificates are checked, always, against the system's or the given file. Redirects are not followed: whoever is asked answers. An answer
// over bytes_max is refused, and so is one that takes longer than timeout_ms. Proxies of the environment (https_proxy) are used, but not for
// this machine. No error text holds the URL or what was sent: both may be secret.
#pragma once
#include "base/buf.h"
#include "base/err.h"

struct net_fetch {
    const char *url;                       // http:// or https://
    const char *json;                      // sent as a POST; NULL: GET
    const char *ca_file;                   // PEM; NULL or "": the system's
    int timeout_ms;
    size_t bytes_max;                      // of the answer's body
};
// *http_status and body whatever the status is. Codes: fetch_unreachable (no address, no connection), fetch_tls (its certificate is not valid, or
// no safe connection), fetch_timeout, fetch_too_large, fetch_ca_file, fetch_failed.
FR_MUST_USE enum fr_status net_fetch(const struct net_fetch *ask, int *http_status, struct fr_buf *body, struct fr_err *err);
