// ws.c — frames in and out. Payload is unmasked where it was read; a message that arrives whole is handed on from there,
// and only fragments are copied. An idle socket holds no buffer.
#include "net/ws.h"
#include <string.h>
#include <strings.h>
#include "base/hash.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "net/internal.h"

#define WS_KEY_BYTES 24                    // base64 of 16 random bytes
#define WS_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"     // RFC 6455, section 1.3
#define WS_CONTROL_BYTES_MAX 125
#define WS_SUBPROTOCOL_BYTES_MAX 512

enum { OP_CONTINUE = 0, OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };
enum { CLOSE_NORMAL = 1000, CLOSE_PROTOCOL = 1002, CLOSE_NO_CODE = 1005, CLOSE_BROKEN = 1006, CLOSE_NOT_UTF8 = 1007,
       CLOSE_TOO_BIG = 1009, CLOSE_INTERNAL = 1011, CLOSE_TRY_LATER = 1013 };

// Text may be cut in the middle of a character: the start of one is kept until the rest arrives.
struct utf8_tail { char bytes[4]; uint8_t len; };

struct net_ws {
    struct net_conn *conn;
    struct net_ws_hooks hooks;
    void *arg;
    enum { WS_OPEN, WS_CLOSING, WS_DONE } state;     // CLOSING: our close frame is out, theirs is awaited
    int close_code;                        // 0 until one side gave one
    bool pinged;                           // and nothing has come since
    // the frame being read
    uint8_t head[14], head_len, head_need;
    uint8_t opcode;
    bool fin;
    uint8_t mask[4];
    uint64_t left;                         // payload bytes still to come
    uint32_t mask_at;
    uint8_t control[WS_CONTROL_BYTES_MAX], control_len;
    // the message being read
    uint8_t message_opcode;                // 0 between messages
    struct fr_buf message;
    struct utf8_tail tail;
};

// ---- UTF-8 across pieces

static size_t utf8_wanted(unsigned char lead)
{
    if (lead < 0x80) return 1;
    if (lead < 0xc2) return 0;
    if (lead < 0xe0) return 2;
    if (lead < 0xf0) return 3;
    return lead < 0xf5 ? 4 : 0;
}

// Can a character begin so? A text is refused at the first byte that spoils it, wherever the reads were cut.
static bool utf8_begins(const char *text, size_t len)
{
    unsigned char lead = (unsigned char)text[0], second = len > 1 ? (unsigned char)text[1] : 0;
    if (utf8_wanted(lead) <= len) return false;
    for (size_t i = 1; i < len; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80) return false;
    if (len < 2) return true;
    if (lead == 0xe0 && second < 0xa0) return false;       // written too long
    if (lead == 0xed && second > 0x9f) return false;       // a surrogate
    if (lead == 0xf0 && second < 0x90) return false;       // written too long
    return lead != 0xf4 || second < 0x90;                  // past the last character
}

// Takes bytes from the front until the character begun in the tail is whole; false when it cannot become one.
static bool tail_fill(struct utf8_tail *t, const char *text, size_t len, size_t *used)
{
    *used = 0;
    if (t->len == 0) return true;
    size_t want = utf8_wanted((unsigned char)t->bytes[0]);
    while (t->len < want && *used < len) t->bytes[t->len++] = text[(*used)++];
    if (t->len < want) return utf8_begins(t->bytes, t->len);
    bool ok = fr_utf8_char(t->bytes, t->len) == want;
    t->len = 0;
    return ok;
}

// Where the last, unfinished character begins; len when the text ends with a whole one (or with nonsense).
static size_t tail_start(const char *text, size_t len)
{
    for (size_t back = 1; back <= 3 && back <= len; back++) {
        unsigned char c = (unsigned char)text[len - back];
        if ((c & 0xc0) == 0x80) continue;
        return c >= 0xc0 && utf8_wanted(c) > back ? len - back : len;
    }
    return len;
}

// Most text is ASCII, eight bytes at a time; the rest is for the judge.
static size_t ascii_run(const char *text, size_t len)
{
    size_t i = 0;
    for (uint64_t word; i + sizeof word <= len; i += sizeof word) {
        memcpy(&word, text + i, sizeof word);
        if (word & 0x8080808080808080u) break;
    }
    return i;
}

static bool text_goes_on(struct utf8_tail *t, const char *text, size_t len)
{
    size_t used;
    if (!tail_fill(t, text, len, &used)) return false;
    if (t->len > 0) return used == len;
    used += ascii_run(text + used, len - used);
    text += used;
    len -= used;
    size_t whole = tail_start(text, len);
    if (!fr_utf8_valid(text, whole)) return false;
    t->len = (uint8_t)(len - whole);
    memcpy(t->bytes, text + whole, t->len);
    return t->len == 0 || utf8_begins(t->bytes, t->len);
}

// ---- sending

static void ws_put_frame(struct net_ws *ws, int opcode, const char *payload, size_t len)
{
    uint8_t head[10] = { (uint8_t)(0x80 | opcode) };
    size_t head_len = 2;
    if (len < 126) {
        head[1] = (uint8_t)len;
    } else if (len <= 0xffff) {
        head[1] = 126;
        head[2] = (uint8_t)(len >> 8);
        head[3] = (uint8_t)len;
        head_len = 4;
    } else {
        head[1] = 127;
        for (int i = 0; i < 8; i++) head[2 + i] = (uint8_t)((uint64_t)len >> (56 - 8 * i));
        head_len = 10;
    }
    struct fr_buf *out = net_conn_out(ws->conn);
    char *room = fr_buf_reserve(out, head_len + len);
    if (room) {
        memcpy(room, head, head_len);
        if (len > 0) memcpy(room + head_len, payload, len);
        fr_buf_commit(out, head_len + len);
    }
    net_conn_dirty(ws->conn);
}

static void ws_put_close(struct net_ws *ws, int code, const char *reason, size_t len)
{
    char payload[WS_CONTROL_BYTES_MAX] = { (char)(code >> 8), (char)code };
    if (len > sizeof payload - 2) len = fr_utf8_cut(reason, sizeof payload - 2);
    memcpy(payload + 2, reason, len);
    ws_put_frame(ws, OP_CLOSE, payload, code == CLOSE_NO_CODE ? 0 : 2 + len);
}

// No more frames either way: what is queued goes out, then the connection ends.
static void ws_finish(struct net_ws *ws)
{
    ws->state = WS_DONE;
    fr_buf_free(&ws->message);
    ws->conn->finishing = true;
    net_conn_dirty(ws->conn);
}

static void ws_fail(struct net_ws *ws, int code, const char *reason)
{
    if (ws->state == WS_OPEN) {
        ws->close_code = code;
        ws_put_close(ws, code, reason, strlen(reason));
    }
    ws_finish(ws);
}

// The peer does not read. Whole frames that wait are dropped; what libuv already holds may end in the middle of one and stays.
static void ws_too_slow(struct net_ws *ws)
{
    fr_buf_clear(&ws->conn->out);
    net_ws_close(ws, CLOSE_TRY_LATER, "too slow");
}

static void ws_send(struct net_ws *ws, int opcode, const char *payload, size_t len)
{
    if (ws->state != WS_OPEN || ws->conn->closed) return;
    if (net_ws_queued(ws) + len > WS_SEND_QUEUE_BYTES_MAX) ws_too_slow(ws);
    else ws_put_frame(ws, opcode, payload, len);
}

void net_ws_send(struct net_ws *ws, const char *text, size_t len) { ws_send(ws, OP_TEXT, text, len); }
void net_ws_send_binary(struct net_ws *ws, const char *bytes, size_t len) { ws_send(ws, OP_BINARY, bytes, len); }

void net_ws_close(struct net_ws *ws, int code, const char *reason)
{
    if (ws->state != WS_OPEN || ws->conn->closed) return;
    ws->state = WS_CLOSING;
    ws->close_code = code;
    ws_put_close(ws, code, reason ? reason : "", reason ? strlen(reason) : 0);
}

size_t net_ws_queued(const struct net_ws *ws)
{
    return net_conn_queued(ws->conn);
}

void *net_ws_arg(const struct net_ws *ws)
{
    return ws->arg;
}

// ---- receiving

static void unmask(struct net_ws *ws, char *bytes, size_t len)
{
    uint8_t turned[8];                           // the mask, starting at the byte that is next
    for (int i = 0; i < 8; i++) turned[i] = ws->mask[(ws->mask_at + (uint32_t)i) & 3];
    uint64_t mask, word;
    memcpy(&mask, turned, sizeof mask);
    size_t i = 0;
    for (; i + sizeof word <= len; i += sizeof word) {
        memcpy(&word, bytes + i, sizeof word);
        word ^= mask;
        memcpy(bytes + i, &word, sizeof word);
    }
    for (; i < len; i++) bytes[i] ^= (char)turned[i & 7];
    ws->mask_at = (uint32_t)((ws->mask_at + len) & 3);
}

static size_t head_bytes(const uint8_t *head)
{
    int len = head[1] & 0x7f;
    return 2 + (len == 126 ? 2u : len == 127 ? 8u : 0u) + (head[1] & 0x80 ? 4u : 0u);
}

static uint64_t head_payload(const uint8_t *head)
{
    int len = head[1] & 0x7f;
    if (len < 126) return (uint64_t)len;
    uint64_t n = 0;
    for (int i = 0; i < (len == 126 ? 2 : 8); i++) n = n << 8 | head[2 + i];
    return n;
}

static bool data_opcode_fits(const struct net_ws *ws, int opcode)
{
    return opcode == OP_CONTINUE ? ws->message_opcode != 0 : ws->message_opcode == 0;
}

// The rules of a frame's first bytes (RFC 6455, section 5.2). False after a refusal.
static bool frame_begin(struct net_ws *ws)
{
    const uint8_t *head = ws->head;
    uint64_t len = head_payload(head);
    size_t wide = ws->head_need - 2u - 4u;       // bytes of the longer length
    ws->fin = head[0] & 0x80;
    ws->opcode = head[0] & 0x0f;
    memcpy(ws->mask, head + ws->head_need - 4, 4);
    ws->mask_at = 0;
    ws->left = len;
    if ((wide == 2 && len < 126) || (wide == 8 && (len <= 0xffff || len >> 63))) {
        ws_fail(ws, CLOSE_PROTOCOL, "a length is not written the shortest way");
        return false;
    }
    if (ws->opcode >= OP_CLOSE) {
        if (ws->fin && len <= WS_CONTROL_BYTES_MAX) {
            ws->control_len = 0;
            return true;
        }
        ws_fail(ws, CLOSE_PROTOCOL, "a control frame is fragmented or too long");
        return false;
    }
    if (!data_opcode_fits(ws, ws->opcode)) {
        ws_fail(ws, CLOSE_PROTOCOL, "a fragment does not belong here");
        return false;
    }
    if (len > WS_MESSAGE_BYTES_MAX - ws->message.len) {
        ws_fail(ws, CLOSE_TOO_BIG, "the message is too long");
        return false;
    }
    if (ws->opcode != OP_CONTINUE) ws->message_opcode = ws->opcode;
    return true;
}

static bool opcode_is_known(int opcode)
{
    return opcode <= OP_BINARY || (opcode >= OP_CLOSE && opcode <= OP_PONG);
}

// Gathers a frame's head, however it is cut. The first two bytes are judged as soon as they are there.
static size_t head_take(struct net_ws *ws, const char *bytes, size_t len)
{
    size_t used = 0;
    while (used < len && ws->head_len < ws->head_need) {
        ws->head[ws->head_len++] = (uint8_t)bytes[used++];
        if (ws->head_len != 2) continue;
        const uint8_t *h = ws->head;
        if (h[0] & 0x70 || !opcode_is_known(h[0] & 0x0f) || !(h[1] & 0x80)) {
            ws_fail(ws, CLOSE_PROTOCOL, "reserved bits, an unknown opcode or no mask");
            return used;
        }
        ws->head_need = (uint8_t)head_bytes(h);
    }
    return used;
}

static void message_deliver(struct net_ws *ws, char *text, size_t len)
{
    bool binary = ws->message_opcode == OP_BINARY;
    ws->message_opcode = 0;
    if (!binary && ws->tail.len > 0) {
        ws_fail(ws, CLOSE_NOT_UTF8, "the text ends within a character");
        return;
    }
    if (ws->state == WS_OPEN) ws->hooks.on_message(ws->arg, ws, text, len, binary);
}

// A piece of a data frame's payload, already unmasked. bytes[len] may be overwritten for the time of the call.
static void data_take(struct net_ws *ws, char *bytes, size_t len, bool starts, bool ends)
{
    if (ws->message_opcode == OP_TEXT && !text_goes_on(&ws->tail, bytes, len)) {
        ws_fail(ws, CLOSE_NOT_UTF8, "the text is not UTF-8");
        return;
    }
    if (starts && ends && ws->message.len == 0) {          // the usual case: one message, one frame, one read
        char kept = bytes[len];
        bytes[len] = 0;
        message_deliver(ws, bytes, len);
        bytes[len] = kept;
        return;
    }
    fr_buf_add_bytes(&ws->message, bytes, len);
    if (ws->message.failed) {
        ws_fail(ws, CLOSE_INTERNAL, "no memory");
        return;
    }
    if (!ends) return;
    struct fr_buf whole = ws->message;                     // on_message may close, and closing frees ws->message
    fr_buf_init(&ws->message, WS_MESSAGE_BYTES_MAX);
    if (whole.data) message_deliver(ws, whole.data, whole.len);
    else message_deliver(ws, (char[]){ "" }, 0);
    fr_buf_free(&whole);
}

static bool close_code_may_be_sent(int code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

static void ws_on_close_frame(struct net_ws *ws)
{
    int code = CLOSE_NO_CODE;
    const char *reason = (const char *)ws->control + 2;
    if (ws->control_len == 1) {
        ws_fail(ws, CLOSE_PROTOCOL, "half a close code");
        return;
    }
    if (ws->control_len >= 2) {
        code = ws->control[0] << 8 | ws->control[1];
        if (!close_code_may_be_sent(code)) {
            ws_fail(ws, CLOSE_PROTOCOL, "no such close code");
            return;
        }
        if (!fr_utf8_valid(reason, ws->control_len - 2u)) {
            ws_fail(ws, CLOSE_NOT_UTF8, "the reason is not UTF-8");
            return;
        }
    }
    if (ws->state == WS_OPEN) {
        ws->close_code = code;
        ws_put_close(ws, code, "", 0);           // echoed
    }
    ws_finish(ws);
}

static void ws_on_control(struct net_ws *ws)
{
    if (ws->opcode == OP_CLOSE) {
        ws_on_close_frame(ws);
    } else if (ws->opcode == OP_PING && ws->state == WS_OPEN) {
        if (net_ws_queued(ws) + ws->control_len > WS_SEND_QUEUE_BYTES_MAX) ws_too_slow(ws);
        else ws_put_frame(ws, OP_PONG, (const char *)ws->control, ws->control_len);
    }
}

static void frame_end(struct net_ws *ws)
{
    ws->head_len = 0;
    ws->head_need = 2;
}

static size_t payload_take(struct net_ws *ws, char *bytes, size_t len)
{
    bool starts = ws->mask_at == 0 && ws->left == head_payload(ws->head);
    if (len > ws->left) len = (size_t)ws->left;
    ws->left -= len;
    bool ends = ws->left == 0;
    unmask(ws, bytes, len);
    if (ws->opcode < OP_CLOSE) {
        if (ends) frame_end(ws);
        data_take(ws, bytes, len, starts, ends && ws->fin);
        return len;
    }
    memcpy(ws->control + ws->control_len, bytes, len);
    ws->control_len = (uint8_t)(ws->control_len + len);
    if (ends) {
        frame_end(ws);
        ws_on_control(ws);
    }
    return len;
}

size_t net_ws_feed(struct net_ws *ws, char *bytes, size_t len)
{
    ws->pinged = false;                          // it is alive
    size_t used = 0;
    while (ws->state != WS_DONE && !ws->conn->closed) {
        if (ws->head_len < ws->head_need) {
            used += head_take(ws, bytes + used, len - used);
            if (ws->head_len < ws->head_need || ws->state == WS_DONE) break;
            if (!frame_begin(ws)) break;
        }
        if (used == len && ws->left > 0) break;
        used += payload_take(ws, bytes + used, len - used);
    }
    return ws->state == WS_DONE ? len : used;    // after the end nothing is read any more
}

// ---- time and end

enum net_wait net_ws_wait(const struct net_ws *ws)
{
    return ws->state == WS_CLOSING ? WAIT_WS_CLOSE : WAIT_PING;
}

void net_ws_on_ping_time(struct net_ws *ws)
{
    if (ws->pinged) {                            // no sign of life for a whole period
        net_conn_close(ws->conn);
        return;
    }
    ws->pinged = true;
    ws_put_frame(ws, OP_PING, "", 0);
}

void net_ws_gone(struct net_ws *ws)
{
    if (ws->hooks.on_close) ws->hooks.on_close(ws->arg, ws, ws->close_code ? ws->close_code : CLOSE_BROKEN);
    fr_buf_free(&ws->message);
    fr_free(ws);
}

// ---- the handshake

static struct net_text next_token(struct net_text *list)
{
    while (list->len > 0 && strchr(" \t,", list->at[0])) list->at++, list->len--;
    size_t n = 0;
    while (n < list->len && list->at[n] != ',') n++;
    struct net_text token = { list->at, n };
    list->at += n;
    list->len -= n;
    while (token.len > 0 && strchr(" \t", token.at[token.len - 1])) token.len--;
    return token;
}

bool net_ws_offered(const struct net_request *req, const char *prefix, char *out, size_t cap)
{
    struct net_text list = net_header(req, "sec-websocket-protocol");
    size_t prefix_len = strlen(prefix);
    while (list.len > 0) {
        struct net_text token = next_token(&list);
        if (token.len < prefix_len || memcmp(token.at, prefix, prefix_len) != 0) continue;
        if (token.len >= cap) return false;
        memcpy(out, token.at, token.len);
        out[token.len] = 0;
        return true;
    }
    return false;
}

static bool key_is_proper(struct net_text key)
{
    if (key.len != WS_KEY_BYTES || memcmp(key.at + 22, "==", 2) != 0) return false;
    for (size_t i = 0; i < 22; i++) {
        char c = key.at[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/')) return false;
    }
    return true;
}

static enum fr_status ws_check_request(const struct net_request *req, struct fr_err *err)
{
    struct net_conn *conn = req->conn;
    if (!conn) return FR_FAIL(err, FR_E_INVALID, "the client left");
    if (!req->upgrade) return FR_FAIL(err, FR_E_INVALID, "this is no WebSocket upgrade: GET with Upgrade: websocket and Connection: Upgrade");
    if (!net_text_is(net_header(req, "sec-websocket-version"), "13"))
        return FR_FAIL_CODE(err, FR_E_INVALID, "websocket_version", "Sec-WebSocket-Version must be 13");
    if (!key_is_proper(net_header(req, "sec-websocket-key"))) return FR_FAIL(err, FR_E_INVALID, "Sec-WebSocket-Key must be 16 bytes in base64");
    if (conn->first != req) return FR_FAIL(err, FR_E_INVALID, "an earlier request of this connection is not answered yet");
    if (conn->server->stopping || conn->finishing) return FR_FAIL(err, FR_E_INVALID, "the connection is ending");
    return FR_OK;
}

static void put_handshake(struct net_conn *conn, struct net_text key, const char *subprotocol)
{
    char joined[WS_KEY_BYTES + sizeof WS_GUID], accept[29];
    uint8_t digest[20];
    memcpy(joined, key.at, WS_KEY_BYTES);
    memcpy(joined + WS_KEY_BYTES, WS_GUID, sizeof WS_GUID);
    fr_sha1(joined, sizeof joined - 1, digest);
    fr_base64(digest, sizeof digest, accept);
    struct fr_buf *out = net_conn_out(conn);
    fr_buf_addf(out, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n", accept);
    if (subprotocol) fr_buf_addf(out, "Sec-WebSocket-Protocol: %s\r\n", subprotocol);
    fr_buf_add(out, "\r\n");
}

enum fr_status net_ws_accept(struct net_request *req, const char *subprotocol, const struct net_ws_hooks *hooks, void *arg,
                             struct net_ws **ret, struct fr_err *err)
{
    assert(hooks->on_message && (!subprotocol || strlen(subprotocol) < WS_SUBPROTOCOL_BYTES_MAX));
    FR_TRY(ws_check_request(req, err));
    struct net_ws *ws = fr_alloc(sizeof *ws);
    if (!ws) return FR_FAIL(err, FR_E_NOMEM, "no memory for a socket");
    struct net_conn *conn = req->conn;
    ws->conn = conn;
    ws->hooks = *hooks;
    ws->arg = arg;
    ws->head_need = 2;
    fr_buf_init(&ws->message, WS_MESSAGE_BYTES_MAX);
    put_handshake(conn, net_header(req, "sec-websocket-key"), subprotocol);
    conn->ws = ws;
    conn->server->stats.websockets++;
    net_request_detach(req);
    net_conn_dirty(conn);
    *ret = ws;
    return FR_OK;
}
