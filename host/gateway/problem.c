// problem.c — errors as outsiders see them: RFC 9457 problem documents with a stable code and a request id. What went wrong inside
// the host stays in the log, under that id.
#include <stdio.h>
#include <string.h>
#include "base/log.h"
#include "gateway/internal.h"
#include "llm/openai_api.h"
#include "llm/palm_api.h"

static const char *title_of(int http_status)
{
    switch (http_status) {
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 402: return "Payment Required";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 426: return "Upgrade Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default:  return http_status < 500 ? "Refused" : "Internal Server Error";
    }
}

// A plugin's own failure says so: its author reads the line in the plugin's log.
const char *gw_public_text(const struct gateway *g, const struct fr_err *err)
{
    switch (err->status) {
    case FR_E_IO:       return strcmp(err->code, "disk_full") == 0 ? "the host's disk is full; nothing was changed" : "the host cannot use its disk just now; nothing was changed";
    case FR_E_NOMEM:    return "the host is out of memory just now; nothing was changed";
    case FR_E_CORRUPT:  return "the host found damaged data; the operator has been told";
    case FR_E_INTERNAL: return g && g->o.dev ? err->text : strcmp(err->code, "internal") == 0 ? "the host failed at this; the operator's log has the reason" : "the plugin failed at this; its log has the reason";
    case FR_E_BUSY:     return !(g && g->o.dev) && strcmp(err->code, "plugin_failed") == 0 ? "the plugin does not run just now; its log has the reason" : err->text;
    default:            return err->text;
    }
}

void gw_error_print(const struct gateway *g, const struct fr_err *err, const char *more, struct fr_buf *out)
{
    fr_buf_add(out, "{\"code\":");
    fr_buf_add_json_text(out, err->code);
    fr_buf_add(out, ",\"detail\":");
    fr_buf_add_json_text(out, gw_public_text(g, err));
    if (err->retry_s > 0) fr_buf_addf(out, ",\"retry_after\":%d", err->retry_s);
    fr_buf_add(out, more ? more : "");
    fr_buf_add(out, "}");
}

void gw_problem_print(const struct gateway *g, int http_status, const struct fr_err *err, const char *request_id, const char *more, struct fr_buf *out)
{
    fr_buf_addf(out, "{\"type\":\"urn:frond:problem:%s\",\"title\":\"%s\",\"status\":%d,\"code\":", err->code, title_of(http_status), http_status);
    fr_buf_add_json_text(out, err->code);
    fr_buf_add(out, ",\"detail\":");
    fr_buf_add_json_text(out, gw_public_text(g, err));
    if (request_id) fr_buf_addf(out, ",\"request_id\":\"%s\"", request_id);
    if (err->retry_s > 0) fr_buf_addf(out, ",\"retry_after\":%d", err->retry_s);
    fr_buf_add(out, more ? more : "");
    fr_buf_add(out, "}");
}

#define PROBLEM_TYPE "application/problem+json"
static void problem_send(struct gateway *g, struct net_request *req, int http_status, const struct fr_err *err, const char *id, const char *headers, const char *more)
{
    FR_AUTO_BUF(body); FR_AUTO_BUF(lines);
    char again[40] = "";
    fr_buf_init(&body, 32 * 1024);
    fr_buf_init(&lines, 1024);
    gw_count_refusal(g, err);
    gw_problem_print(g, http_status, err, id, more, &body);
    if (http_status == 429 || http_status == 503) snprintf(again, sizeof again, "Retry-After: %d\r\n", err->retry_s > 0 ? err->retry_s : 1);
    fr_buf_addf(&lines, "X-Request-Id: %s\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n%s%s%s", id, headers ? headers : "",
                http_status == 401 ? "WWW-Authenticate: Bearer realm=\"frond\"\r\n" : "", again);
    net_respond(req, http_status, PROBLEM_TYPE, lines.data, body.failed ? "{}" : body.data, body.failed ? 2 : body.len);
}

// The same in another's language. http_status 0: what that language has for it.
static void wire_send(struct gateway *g, struct net_request *req, enum gw_wire wire, int http_status, const struct fr_err *err, const char *id)
{
    FR_AUTO_BUF(body);
    char lines[256], again[40] = "";
    fr_buf_init(&body, 32 * 1024);
    gw_count_refusal(g, err);
    if (http_status == 0) http_status = wire == WIRE_PALM ? palm_error_status(err) : openai_error_status(err);
    if (wire == WIRE_PALM) palm_error_print(err, llm_public_text(err), &body);
    else openai_error_print(err, llm_public_text(err), &body);
    if (http_status == 429 || http_status == 503) snprintf(again, sizeof again, "Retry-After: %d\r\n", err->retry_s > 0 ? err->retry_s : 1);
    snprintf(lines, sizeof lines, "X-Request-Id: %s\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n%s%s", id, http_status == 401 ? "WWW-Authenticate: Bearer realm=\"frond\"\r\n" : "", again);
    net_respond(req, http_status, "application/json", lines, body.failed ? "{}" : body.data, body.failed ? 2 : body.len);
}

static int problem_status(const struct fr_err *err)
{
    if (err->status != FR_E_LIMIT) return fr_status_http(err->status);
    if (strcmp(err->code, "too_large") == 0) return 413;
    return strcmp(err->code, "memory_limit") == 0 || strcmp(err->code, "result_too_large") == 0 ? 500 : 429;      // the plugin's fault, not the caller's
}

void gw_refuse_raw(struct gateway *g, struct net_request *req, int http_status, const struct fr_err *err, const char *headers)
{
    char id[GW_REQUEST_ID_BYTES];
    gw_request_id(g, id);
    problem_send(g, req, http_status, err, id, headers, NULL);
}

void gw_problem_send(struct gw_req *r, const struct fr_err *err, const char *more)
{
    int http_status = r->http_status >= 400 ? r->http_status : problem_status(err);
    if (http_status >= 500 && err->status != FR_E_BUSY)
        fr_log_err(LOG_ERROR, "request.failed", err, "request_id", r->id, "route", r->route->path, NULL);
    if (gw_wire_of(r->route) != WIRE_FROND) wire_send(r->g, r->http, gw_wire_of(r->route), 0, err, r->id);
    else problem_send(r->g, r->http, http_status, err, r->id, NULL, more);
}

void gw_refuse_wire(struct gateway *g, struct net_request *req, enum gw_wire wire, int http_status, const struct fr_err *err)
{
    char id[GW_REQUEST_ID_BYTES];
    gw_request_id(g, id);
    if (wire != WIRE_FROND) wire_send(g, req, wire, http_status, err, id);
    else problem_send(g, req, http_status, err, id, NULL, NULL);
}

// A request that never became one: the server below writes the answer, we its body.
void gw_on_refusal(void *arg, int http_status, const char *code, const char *text, struct fr_buf *body, const char **content_type)
{
    char id[GW_REQUEST_ID_BYTES];
    struct fr_err err;
    gw_request_id(arg, id);
    FR_IGNORE(FR_FAIL_CODE(&err, FR_E_INVALID, code, "%s", text));       // handed on
    gw_problem_print(arg, http_status, &err, id, NULL, body);
    *content_type = PROBLEM_TYPE;
}
