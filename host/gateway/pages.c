// pages.c — the host's own pages and the plugins'. The headers are the wall between them: see DESIGN section 5.
#include <stdio.h>
#include <string.h>
#include "gateway/assets.h"
#include "gateway/internal.h"

#define COMMON_HEADERS "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
#define SHELL_HEADERS COMMON_HEADERS \
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-src 'self'; " \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self' https://web.telegram.org https://*.telegram.org\r\n"
// Nobody frames what asks a wallet to sign; and it loads nothing from elsewhere.
#define WALLET_HEADERS COMMON_HEADERS \
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n" \
    "Cross-Origin-Opener-Policy: same-origin\r\nX-Frame-Options: DENY\r\n"
// A plugin's page has no origin: without the last two lines its own modules and fonts would not load, and without the sandbox directive
// a page that is opened directly would run in ours.
#define PLUGIN_HEADERS COMMON_HEADERS \
    "Content-Security-Policy: sandbox allow-scripts; default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; " \
    "connect-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'\r\n" \
    "Access-Control-Allow-Origin: *\r\nCross-Origin-Resource-Policy: cross-origin\r\n"
// Read by plugin pages, hence by pages without an origin.
#define SDK_HEADERS COMMON_HEADERS "Access-Control-Allow-Origin: *\r\nCross-Origin-Resource-Policy: cross-origin\r\n"
#define NOT_FOUND_HEADERS COMMON_HEADERS "Content-Security-Policy: default-src 'none'; frame-ancestors 'self'\r\nCache-Control: no-store\r\n"

void gw_pages_open(struct gateway *g)
{
    g->pages = net_files_new();
    for (size_t i = 0; i < frond_assets_count; i++) {
        const struct asset *a = &frond_assets[i];
        if (strncmp(a->path, "/app/dev/", 9) == 0 && !g->o.dev) continue;       // nothing of the kind exists then
        net_files_add(g->pages, a->path + 1, a->bytes, a->len);
    }
}

static void page_redirect(struct net_request *req, const char *to)
{
    char headers[GW_PART_BYTES + 64];
    snprintf(headers, sizeof headers, COMMON_HEADERS "Location: %s\r\n", to);
    net_respond(req, 308, NULL, headers, "", 0);
}

static void page_not_found(struct net_request *req)
{
    static const char page[] = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
                               "<title>Not found</title><h1>There is nothing here</h1><p><a href=\"/app/\">To the games</a></p></html>\n";
    net_respond(req, 404, "text/html; charset=utf-8", NOT_FOUND_HEADERS, page, sizeof page - 1);
}

// "/app/{plugin}/..." from the plugin's own folder. False when there is no such plugin, page or file.
static bool page_of_plugin(struct gateway *g, struct net_request *req, const char *path)
{
    char id[PLUGIN_ID_BYTES_MAX + 1], to[GW_PART_BYTES];
    const char *slash = strchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : strlen(path);
    if (len == 0 || len >= sizeof id) return false;
    memcpy(id, path, len);
    id[len] = 0;
    struct plugin *p = manifest_id_valid(id) ? plugins_find(g->o.plugins, id) : NULL;
    if (!p || p->state == PLUGIN_DISABLED || !p->package->web) return false;
    if (!slash) {
        snprintf(to, sizeof to, "/app/%s/", id);
        page_redirect(req, to);
        return true;
    }
    return net_files_serve(p->package->web, req, slash + 1, PLUGIN_HEADERS);
}

void gw_page(struct gateway *g, struct net_request *req, const char *path)
{
    bool app = strncmp(path, "/app/", 5) == 0;
    if (strcmp(path, "/") == 0 || strcmp(path, "/app") == 0) page_redirect(req, "/app/");
    else if (strcmp(path, "/app/dev") == 0 && g->o.dev) page_redirect(req, "/app/dev/");
    else if (strcmp(path, "/wallet") == 0) page_redirect(req, "/wallet/");
    else if (strncmp(path, "/wallet/", 8) == 0 && net_files_serve(g->pages, req, path + 1, WALLET_HEADERS)) return;
    else if (app && net_files_serve(g->pages, req, path + 1, SHELL_HEADERS)) return;
    else if (app && page_of_plugin(g, req, path + 5)) return;
    else if (strncmp(path, "/sdk/", 5) == 0 && net_files_serve(g->pages, req, path + 1, SDK_HEADERS)) return;
    else if (app) page_not_found(req);
    else GW_FAIL_RAW(g, req, 404, FR_E_NOT_FOUND, "route_unknown", "there is nothing at this address");
}
