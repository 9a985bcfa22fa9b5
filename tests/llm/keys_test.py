"""keys_test.py: API keys from end to end: who gets one, what it may, its limits, its end; who tries too many; and a stream of the shell's own page that goes on where its line broke."""
import http.client
import json
import time

from running import MODEL, check, end, scripted, send, send_json, until

PAID = {**MODEL, "name": "paid", "price": {"prompt": "1000", "answer": "1000"}}        # a unit for each token
fake, host = scripted(more=[PAID], config={"limits": {"address_requests_per_second": 100000}})
token, player = host.player(7001)
shell = {"authorization": "Bearer " + token}
ASK = {"model": "fake", "messages": [{"role": "user", "content": "hello"}]}


def ask(key, body=ASK, route="/v1/chat/completions"):
    status, text, headers = send("POST", host.url + route, body, {"authorization": "Bearer " + key})
    return status, json.loads(text), headers


def keys():
    return send_json("GET", host.url + "/v1/keys", None, shell)[1]


# --- a player's own
status, made = send_json("POST", host.url + "/v1/keys", {"name": "My program", "scopes": ["chat", "models"], "coins_day": "5", "tokens_day": 1000000}, shell)
check("a player makes a key", status == 201 and made["key"].startswith("frond-") and len(made["key"]) == 49 and made["limits"]["coins_day"] == "5" and made["scopes"] == ["models", "chat"], made)
check("and it works", ask(made["key"])[0] == 200)
check("for what it is for", ask(made["key"], {"model": "fake", "input": "x"}, "/v1/embeddings")[0] == 403)
listed = keys()
check("it is listed, without itself", [k["mark"] for k in listed["keys"]] == [made["key"][-4:]] and made["key"] not in json.dumps(listed) and listed["most"] == 8, listed)
check("with when it was last used", until(lambda: keys()["keys"][0]["last_used_at"] is not None), keys())
check("and what it used", until(lambda: any(u["tenant"] == "key:" + made["id"] and u["calls"] >= 1 and u["answer_tokens"] >= 2 for u in keys()["usage"])), keys()["usage"])
other, _ = host.player(7002, "Bob")
bob = {"authorization": "Bearer " + other}
check("nobody else sees it", send_json("GET", host.url + "/v1/keys", None, bob)[1]["keys"] == [])
check("nor ends it", send_json("DELETE", f"{host.url}/v1/keys/{made['id']}", None, bob)[0] == 404)
for name, body in (("a name", {}), ("a name without control characters", {"name": "a\nb"}), ("known scopes", {"name": "x", "scopes": ["root"]}), ("known members", {"name": "x", "player": "1"}), ("limits that are some", {"name": "x", "tokens_day": -1})):
    check("it needs " + name, send_json("POST", host.url + "/v1/keys", body, shell)[0] == 400)
status, game = send_json("POST", host.url + "/v1/session/game", {"plugin": "duel"}, shell)
check("a game's token makes none", send_json("POST", host.url + "/v1/keys", {"name": "x"}, {"authorization": "Bearer " + game["token"]})[0] == 403)
check("nor does it ask a model", send_json("POST", host.url + "/v1/chat/completions", ASK, {"authorization": "Bearer " + game["token"]})[0] == 403)
check("a key is no session", send_json("GET", host.url + "/v1/keys", None, {"authorization": "Bearer " + made["key"]})[0] == 401)
for i in range(7):
    send_json("POST", host.url + "/v1/keys", {"name": f"no {i}"}, shell)
status, full = send_json("POST", host.url + "/v1/keys", {"name": "one more"}, shell)
check("there are only so many", status == 429 and full["code"] == "keys", full)
check("it is ended", send_json("DELETE", f"{host.url}/v1/keys/{made['id']}", None, shell)[0] == 204)
status, body, _ = ask(made["key"])
check("and works no more, at once", status == 401 and body["error"]["code"] == "invalid_api_key", body)
check("and is not ended twice", send_json("DELETE", f"{host.url}/v1/keys/{made['id']}", None, shell)[0] == 404)

# --- the operator's
mine = host.key("ops")
check("the operator's key works", ask(mine["key"])[0] == 200 and mine["player"] is None)
check("and is listed", any(k["id"] == mine["id"] for k in host.cli("llm", "key", "list")["result"]))
host.cli("llm", "key", "revoke", mine["id"])
check("and revoked from the command line it ends at once", ask(mine["key"])[0] == 401)

# --- limits
one = host.key("slow", "--requests-minute", "2")["key"]
got = [ask(one, {**ASK, "messages": [{"role": "user", "content": f"question {i}"}]}) for i in range(3)]
check("requests a minute", [g[0] for g in got] == [200, 200, 429] and got[2][1]["error"]["code"] == "rate_limit_exceeded" and 0 < int(got[2][2]["retry-after"]) <= 60, got[2])
few = host.key("few", "--tokens-day", "60")["key"]
got = [ask(few, {**ASK, "max_tokens": 20, "messages": [{"role": "user", "content": f"question {i} " * 3}]}) for i in range(6)]
check("tokens a day", got[0][0] == 200 and got[-1][0] == 429 and got[-1][1]["error"]["code"] in ("insufficient_quota", "rate_limit_exceeded"), [(g[0], g[1].get("error")) for g in got])

# --- coins: what the key's maker approved for a day, and no more
carol, carols = host.player(7003, "Carol")
hers = {"authorization": "Bearer " + carol}


def palm():
    return next(int(a["free"]) + int(a["held"]) for a in send_json("GET", host.url + "/v1/wallet", None, hers)[1]["assets"] if a["asset"] == "PALM")


def paid(key, n):
    return ask(key["key"], {"model": "paid", "max_tokens": 10, "messages": [{"role": "user", "content": f"question {n}"}]})


before = palm()
none = send_json("POST", host.url + "/v1/keys", {"name": "may not spend"}, hers)[1]
some = send_json("POST", host.url + "/v1/keys", {"name": "may spend a little", "coins_day": "100"}, hers)[1]
status, body, _ = paid(none, 0)
check("a key that may spend nothing is told so", status == 429 and body["error"]["code"] == "insufficient_quota", (status, body))
check("and what costs nothing it may do", ask(none["key"])[0] == 200)
got = [paid(some, i) for i in range(60)]
check("a key spends what it may, and then no more", got[0][0] == 200 and got[-1][0] == 429 and got[-1][1]["error"]["code"] == "insufficient_quota", [g[0] for g in got])
used = sum(g[1]["usage"]["total_tokens"] for g in got if g[0] == 200)
check("what was used is paid by its player, to the unit", 0 < used <= 100 and until(lambda: before - palm() == used, 1000), (used, before - palm()))
check("and the list says so", until(lambda: any(k["id"] == some["id"] and 0 < int(k["spent_today"]) <= 100 for k in send_json("GET", host.url + "/v1/keys", None, hers)[1]["keys"]), 400), send_json("GET", host.url + "/v1/keys", None, hers)[1]["keys"])

# --- a stream of the shell's own page
def stream_begin(headers, body):
    line = http.client.HTTPConnection(host.url.removeprefix("http://"), timeout=60)
    line.request("POST", "/v1/chat/completions", json.dumps(body), {"content-type": "application/json", **headers})
    return line, line.getresponse()


def events_of(answer, most=10 ** 9):
    """[(id, data), ..]"""
    events, now = [], None
    while len(events) < most:
        text = answer.readline()
        if not text:
            break
        text = text.decode().rstrip("\n")
        if text.startswith("id: "):
            now = int(text[4:])
        if text.startswith("data: "):
            events.append((now, text[6:]))
    return events


SLOW = {"model": "fake", "stream": True, "messages": [{"role": "user", "content": "[[fake {\"text\":\"one two three four five six seven eight nine ten\",\"token_ms\":60}]]"}]}
fake.forget()
line, answer = stream_begin(shell, SLOW)
stream = answer.headers["x-stream-id"]
first = events_of(answer, 3)
line.close()                                             # the phone changed its network
check("events of the page's stream are numbered", [e[0] for e in first] == [1, 2, 3] and stream, first)
check("nobody else goes on with it", send("GET", f"{host.url}/v1/streams/{stream}", None, bob)[0] == 404)
line = http.client.HTTPConnection(host.url.removeprefix("http://"), timeout=60)
line.request("GET", f"/v1/streams/{stream}", headers={**shell, "Last-Event-ID": "3"})
rest = events_of(line.getresponse())
whole = first + rest
text = "".join(json.loads(d)["choices"][0]["delta"].get("content") or "" for _, d in whole if d != "[DONE]" and json.loads(d)["choices"])
check("it goes on where it was: none lost, none twice", [e[0] for e in whole] == list(range(1, len(whole) + 1)) and text == "one two three four five six seven eight nine ten" and whole[-1][1] == "[DONE]", (text, whole[-1]))
check("and was asked of the model once", len(fake.asked()) == 1 and fake.asked()[0]["state"] == "answered", fake.asked())
status, body, _ = send("GET", f"{host.url}/v1/streams/{stream}", None, {**shell, "Last-Event-ID": str(len(whole) - 1)})
check("what was its end can be had again", status == 200 and b"[DONE]" in body and body.count(b"data: ") == 1, body)
check("but not what never was", send("GET", f"{host.url}/v1/streams/{stream}", None, {**shell, "Last-Event-ID": "999"})[0] == 400)
_, with_key = stream_begin({"authorization": "Bearer " + host.key("s")["key"]}, {**SLOW, "messages": ASK["messages"]})
check("a program's stream is none of these", with_key.headers["x-stream-id"] is None and all(e[0] is None for e in events_of(with_key)))

# --- a reader that takes nothing holds its backend, not our memory
fake.forget()
key = host.key("slow reader")["key"]
line, answer = stream_begin({"authorization": "Bearer " + key}, {"model": "fake", "stream": True, "messages": [{"role": "user", "content": "[[fake {\"endless\":true,\"text\":\"" + "x" * 2000 + "\"}]]"}]})
answer.readline()


def sent():
    return fake.asked()[-1]["tokens"]


def still():
    before = sent()
    time.sleep(0.4)
    return sent() == before


check("a backend whose reader takes nothing is held", until(still, 100), sent())
check("and has made no more than the line holds", sent() * 2000 < 64 << 20, sent())
line.close()
check("and is let go when the reader leaves", until(lambda: fake.asked()[-1]["state"] == "aborted"), fake.asked()[-1])

# --- who tries too many (last: this address waits a minute then)
good = host.key("good")["key"]
tries = [ask("frond-" + f"{i:043d}") for i in range(25)]       # some were tried above
check("keys that are none are refused, then not looked at", tries[10][0] == 401 and tries[-1][0] == 429 and [t[0] for t in tries] == sorted(t[0] for t in tries) and int(tries[-1][2]["retry-after"]) <= 60, [t[0] for t in tries])
check("the host ends well", host.stop() == 0, "".join(host.log)[-1500:])
end()
