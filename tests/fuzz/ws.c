// ws: a client's frames through host/net after an honest handshake, against a second reading of RFC 6455 written here.
// Messages, answers and the code of the close are the same as there, however the bytes are cut.
#include "base/clock.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "fake_uv.h"
#include "net/ws.h"
#include "fuzz.h"

static const char handshake[] = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
#define CLOSE_ON 'Q'                                   // the owner closes at a message that begins with it

static struct net_server *server;
static struct fr_buf seen, wanted;                     // what the owner and the client saw; what they should have
static int sockets;

static void note(struct fr_buf *to, const char *what, const void *bytes, size_t len)
{
    fr_buf_addf(to, "%s:%zu:", what, len);
    fr_buf_add_bytes(to, len ? bytes : "", len);
    fr_buf_add_char(to, '\n');
}

// ---- the host's side

static void on_message(void *arg, struct net_ws *ws, const char *text, size_t len, bool binary)
{
    (void)arg;
    HOLDS(text[len] == 0 && len <= WS_MESSAGE_BYTES_MAX && (binary || fr_utf8_valid(text, len)));
    note(&seen, binary ? "binary" : "text", text, len);
    if (len && text[0] == CLOSE_ON) net_ws_close(ws, 4000, "as you wish");
    else net_ws_send(ws, binary ? "b" : text, binary ? 1 : len);
}

static void on_close(void *arg, struct net_ws *ws, int code)
{
    (void)arg;
    (void)ws;
    sockets--;
    fr_buf_addf(&seen, "closed:%d\n", code);
}

static void on_request(void *arg, struct net_request *req)
{
    static const struct net_ws_hooks hooks = { on_message, on_close };
    struct net_ws *ws;
    struct fr_err err;
    HOLDS(net_ws_accept(req, NULL, &hooks, arg, &ws, &err) == FR_OK);
    sockets++;
}

// ---- the second reading

// Is this the beginning of UTF-8? *whole: no character is cut at its end.
static bool utf8_so_far(const uint8_t *s, size_t len, bool *whole)
{
    size_t i = 0;
    while (i < len) {
        uint8_t lead = s[i], least = 0x80, most = 0xBF;
        int more = lead < 0x80 ? 0 : lead >= 0xC2 && lead <= 0xDF ? 1 : lead >= 0xE0 && lead <= 0xEF ? 2 : lead >= 0xF0 && lead <= 0xF4 ? 3 : -1;
        if (more < 0) return false;
        if (lead == 0xE0) least = 0xA0;
        if (lead == 0xED) most = 0x9F;
        if (lead == 0xF0) least = 0x90;
        if (lead == 0xF4) most = 0x8F;
        i++;
        for (; more > 0 && i < len; more--, i++) {
            if (s[i] < least || s[i] > most) return false;
            least = 0x80;
            most = 0xBF;
        }
        if (more > 0) {
            *whole = false;
            return true;
        }
    }
    *whole = true;
    return true;
}

struct reading { struct fr_buf message, told; int opcode; bool closing; int code; bool over; };

static void tell_close(struct reading *r, int code)            // our close frame, unless one is out already
{
    char text[16];
    if (!r->closing) note(&r->told, "close", text, (size_t)snprintf(text, sizeof text, "%d", code));
    if (!r->closing) r->code = code;
    r->closing = true;
}

static void fail(struct reading *r, int code)
{
    tell_close(r, code);
    r->over = true;
}

static bool close_code_valid(int code)                 // RFC 6455 section 7.4 and the registry of IANA
{
    return code == 1000 || code == 1001 || code == 1002 || code == 1003 || (code >= 1007 && code <= 1014) || (code >= 3000 && code < 5000);
}

static void read_close(struct reading *r, const uint8_t *p, size_t len)
{
    bool whole;
    int code = len >= 2 ? p[0] << 8 | p[1] : 1005;
    if (len == 1 || (len >= 2 && !close_code_valid(code))) fail(r, 1002);
    else if (len > 2 && (!utf8_so_far(p + 2, len - 2, &whole) || !whole)) fail(r, 1007);
    else fail(r, code);                                // echoed: no failure, but the end as well
}

static void read_message(struct reading *r)
{
    const char *text = r->message.data ? r->message.data : "";
    bool binary = r->opcode == 2, ask = r->message.len && text[0] == CLOSE_ON;
    r->opcode = 0;
    if (!r->closing) {
        note(&wanted, binary ? "binary" : "text", text, r->message.len);
        if (ask) tell_close(r, 4000);
        else note(&r->told, "text", binary ? "b" : text, binary ? 1 : r->message.len);
    }
    fr_buf_clear(&r->message);
}

// One frame; the bytes it took, 0 when the rest does not hold a whole one.
static size_t read_frame(struct reading *r, const uint8_t *p, size_t len)
{
    if (len < 2) return 0;
    int opcode = p[0] & 15;
    bool fin = p[0] & 0x80, control = opcode >= 8, whole = false;
    if (p[0] & 0x70 || !(p[1] & 0x80) || (opcode > 2 && opcode < 8) || opcode > 10) return fail(r, 1002), 0;
    size_t wide = (p[1] & 127) == 126 ? 2 : (p[1] & 127) == 127 ? 8 : 0, head = 2 + wide + 4;
    if (len < head) return 0;
    uint64_t n = wide ? 0 : p[1] & 127;
    for (size_t i = 0; i < wide; i++) n = n << 8 | p[2 + i];
    if ((wide == 2 && n < 126) || (wide == 8 && (n < 65536 || n >> 63))) return fail(r, 1002), 0;
    if (control && (!fin || n > 125)) return fail(r, 1002), 0;
    if (!control && (opcode == 0) == (r->opcode == 0)) return fail(r, 1002), 0;
    if (!control && n + r->message.len > WS_MESSAGE_BYTES_MAX) return fail(r, 1009), 0;

    static uint8_t payload[WS_MESSAGE_BYTES_MAX];
    size_t here = len - head < n ? len - head : (size_t)n;
    for (size_t i = 0; i < here; i++) payload[i] = p[head + i] ^ p[head - 4 + i % 4];
    if (!control) {
        if (opcode) r->opcode = opcode;
        fr_buf_add_bytes(&r->message, payload, here);
        bool good = r->opcode == 2 || utf8_so_far((const uint8_t *)(r->message.data ? r->message.data : ""), r->message.len, &whole);
        if (!good || (fin && here == n && r->opcode == 1 && !whole)) return fail(r, 1007), 0;
    }
    if (here < n) return 0;
    if (!control && fin) read_message(r);
    if (opcode == 9 && !r->closing) note(&r->told, "pong", payload, here);
    if (opcode == 8) read_close(r, payload, here);
    return head + here;
}

static void read_all(const uint8_t *bytes, size_t len)
{
    struct reading r = { 0 };
    fr_buf_init(&r.message, 1 << 20);
    fr_buf_init(&r.told, 64 << 20);
    fr_buf_clear(&wanted);
    for (size_t used; len > 0 && !r.over; bytes += used, len -= used)
        if ((used = read_frame(&r, bytes, len)) == 0) break;
    fr_buf_addf(&wanted, "closed:%d\n", r.closing ? r.code : 1006);
    fr_buf_add_bytes(&wanted, r.told.data ? r.told.data : "", r.told.len);
    fr_buf_free(&r.message);
    fr_buf_free(&r.told);
}

// ---- what the client received: frames without a mask, whole, in the shortest form

static void note_sent(bool whole)
{
    const char *stop = fake_sent.data ? memmem(fake_sent.data, fake_sent.len, "\r\n\r\n", 4) : NULL;
    HOLDS(stop || !whole);
    if (!stop) return;
    const uint8_t *at = (const uint8_t *)stop + 4, *end = (const uint8_t *)fake_sent.data + fake_sent.len;
    HOLDS(memmem(fake_sent.data, fake_sent.len, "Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=", 50) || !whole);
    while (at < end) {
        if (!whole && end - at < 10) return;
        HOLDS(end - at >= 2 && at[0] & 0x80 && !(at[0] & 0x70) && !(at[1] & 0x80));
        size_t wide = at[1] == 126 ? 2 : at[1] == 127 ? 8 : 0, n = wide ? 0 : at[1];
        int opcode = at[0] & 15;
        for (size_t i = 0; i < wide; i++) n = n << 8 | at[2 + i];
        HOLDS(wide == 0 || (wide == 2 ? n > 125 : n > 65535));
        at += 2 + wide;
        if (!whole && (size_t)(end - at) < n) return;
        HOLDS((size_t)(end - at) >= n);
        char code[16] = "1005";
        if (opcode == 8 && n >= 2) snprintf(code, sizeof code, "%d", at[0] << 8 | at[1]);
        HOLDS(opcode == 1 || opcode == 8 || opcode == 9 || opcode == 10);
        if (opcode == 8) note(&seen, "close", code, strlen(code));
        else if (opcode != 9) note(&seen, opcode == 10 ? "pong" : "text", at, n);
        at += n;
        if (opcode == 8) HOLDS(at == end || !whole);   // after a close nothing is sent
    }
}

// ---- one connection

static void connection(const uint8_t *bytes, size_t len, uint32_t cuts, bool one_by_one, bool time, size_t room)
{
    uint32_t draw = cuts;
    fr_buf_clear(&seen);
    fake_room(room);
    fake_connect();
    fake_turn();
    fake_read(handshake, sizeof handshake - 1);
    fake_turn();
    HOLDS(sockets == 1);
    int idle = 0;
    for (size_t at = 0; at < len && fake_open() && idle < 8;) {
        size_t piece = one_by_one ? 1 : cuts ? 1 + fuzz_draw(&draw) % (fuzz_draw(&draw) % 4 ? 16 : 300) : len - at;
        size_t took = fake_read(bytes + at, piece < len - at ? piece : len - at);
        at += took;
        idle = took ? 0 : idle + 1;
        if (took == 0 || !cuts || fuzz_draw(&draw) % 2) fake_turn();
        if (time) fake_tick((int)(fuzz_draw(&draw) % 12000));
    }
    fake_turn();
    fake_room(SIZE_MAX);
    fake_eof();
    fake_turn();
    for (int i = 0; i < 8 && net_server_stats(server).connections > 0; i++) {
        fake_tick(100000);
        fake_turn();
    }
    HOLDS(net_server_stats(server).connections == 0 && net_server_stats(server).websockets == 0 && sockets == 0);
    note_sent(!time && room == SIZE_MAX);
}

static void start(void)
{
    struct net_server_options options = { .loop = (uv_loop_t *)&server, .host = "127.0.0.1", .port = 4321, .on_request = on_request };
    struct fr_err err;
    fr_clock_set_for_test(1700000000000);
    fr_buf_init(&seen, 64 << 20);
    fr_buf_init(&wanted, 64 << 20);
    HOLDS(net_server_start(&options, &server, &err) == FR_OK);
}

// Frames of the input's choice with lengths that are right: [first byte][length][payload], masked.
static size_t made_frames(struct fuzz_in *in, uint8_t *out, size_t cap)
{
    size_t len = 0;
    while (in->left > 0 && len + 300 < cap) {
        uint8_t first = fuzz_byte(in), n = fuzz_byte(in);
        if (n > in->left) n = (uint8_t)in->left;
        out[len++] = first;
        out[len++] = 0x80 | (n < 126 ? n : 126);
        if (n >= 126) {
            out[len++] = 0;
            out[len++] = n;
        }
        const uint8_t mask[4] = { first, n, 0x5A, 0xC3 };
        memcpy(out + len, mask, 4);
        len += 4;
        for (size_t i = 0; i < n; i++) out[len++] = fuzz_byte(in) ^ mask[i % 4];
    }
    return len;
}

static void same_as_wanted(void)
{
    if (seen.len == wanted.len && memcmp(seen.data, wanted.data, seen.len) == 0) return;
    fprintf(stderr, "seen:\n%.*s\nwanted:\n%.*s\n", (int)seen.len, seen.data, (int)wanted.len, wanted.data);
    HOLDS(!"the two readings agree");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)     // how (2 bytes), then frames
{
    struct fuzz_in in = { data, size };
    uint8_t how = fuzz_byte(&in), cuts = fuzz_byte(&in);
    static uint8_t made[1 << 16];
    const uint8_t *bytes = in.at;
    size_t len = in.left;
    if (!server) start();
    if (how & 1) {
        len = made_frames(&in, made, sizeof made);
        bytes = made;
    }
    read_all(bytes, len);
    connection(bytes, len, 0, false, false, SIZE_MAX);
    same_as_wanted();
    connection(bytes, len, cuts + 1u, how & 2, false, SIZE_MAX);
    same_as_wanted();
    if (how & 12) connection(bytes, len, cuts + 1u, false, how & 4, how & 8 ? 1 + (how >> 4) * 20u : SIZE_MAX);
    return 0;
}
