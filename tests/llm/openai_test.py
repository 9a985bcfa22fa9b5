"""openai_test.py: OpenAI's own Python client, unchanged, against the host: chats, streams, tools, schemas, embeddings, completions, models, every kind of error, and leaving."""
import json
import sys

try:
    import openai
except ImportError:
    print("ok openai client # SKIP openai is not installed")
    sys.exit(0)

from running import check, end, refusal, scripted, send, until

fake, host = scripted(config={"limits": {"address_requests_per_second": 100000}})
key = host.key("openai")
client = openai.OpenAI(base_url=host.url + "/v1", api_key=key["key"], max_retries=0)
HELLO = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "hello you"}]


def chat(**more):
    return client.chat.completions.create(**{"model": "fake", "messages": HELLO, **more})


def told(how):
    return [{"role": "user", "content": "[[fake " + json.dumps(how) + "]] hello"}]


def text_of(events):
    return "".join(e.choices[0].delta.content or "" for e in events if e.choices)


# --- answers
got = chat()
check("chat", got.choices[0].message.content == "echo: hello you" and got.choices[0].finish_reason == "stop" and got.object == "chat.completion" and got.usage.completion_tokens == 3, got)
got = chat(n=2, max_tokens=1, temperature=0.5, top_p=0.9, seed=7, stop=["x"], presence_penalty=1, frequency_penalty=1, user="someone", logit_bias={"17": -100})
check("n and max_tokens", [(c.finish_reason, c.message.content) for c in got.choices] == [("length", "echo:")] * 2, got)
got = chat(logprobs=True, top_logprobs=2).choices[0].logprobs
check("logprobs are passed through", [t.token for t in got.content] == ["echo:", " hello", " you"] and len(got.content[0].top_logprobs) == 2, got)
events = list(chat(stream=True))
check("chat, streamed", text_of(events) == "echo: hello you" and events[-1].choices[0].finish_reason == "stop" and all(e.usage is None for e in events), events)
events = list(chat(stream=True, stream_options={"include_usage": True}))
check("usage of a stream, once, at its end", [e.usage.completion_tokens for e in events if e.usage] == [3] and events[-1].choices == [] and text_of(events) == "echo: hello you", events)
check("the same stream again", text_of(chat(stream=True)) == "echo: hello you")
check("an empty answer, streamed", text_of(chat(stream=True, messages=told({"text": ""}))) == "")

tools = [{"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {"a": {"type": "integer", "minimum": 3}, "b": {"type": "integer"}}, "required": ["a", "b"]}}}]
call = chat(tools=tools, tool_choice="required").choices[0]
check("a function is called", call.finish_reason == "tool_calls" and call.message.tool_calls[0].function.name == "add" and json.loads(call.message.tool_calls[0].function.arguments) == {"a": 3, "b": 1}, call)
pieces = [e.choices[0].delta.tool_calls[0] for e in chat(tools=tools, tool_choice="required", stream=True) if e.choices and e.choices[0].delta.tool_calls]
check("and in pieces, streamed", pieces and json.loads("".join(p.function.arguments or "" for p in pieces)) == {"a": 3, "b": 1}, pieces)
answer = chat(tools=tools, messages=HELLO + [call.message.model_dump(exclude_none=True), {"role": "tool", "tool_call_id": call.message.tool_calls[0].id, "content": "4"}])
check("and its result is taken", answer.choices[0].message.content == "echo: 4", answer)
schema = {"type": "object", "properties": {"sure": {"type": "boolean"}, "level": {"enum": ["low", "high"]}}, "required": ["sure", "level"], "additionalProperties": False}
got = json.loads(chat(response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": schema, "strict": True}}).choices[0].message.content)
check("response_format", got == {"sure": True, "level": "low"}, got)

text = client.completions.create(model="fake", prompt="once upon", logprobs=1)
check("a completion", text.choices[0].text == "echo: once upon" and text.choices[0].logprobs.tokens[0] == "echo:", text)
check("a completion, streamed", "".join(e.choices[0].text for e in client.completions.create(model="fake", prompt="once upon", stream=True)) == "echo: once upon")
vectors = client.embeddings.create(model="fake", input=["red fox", "blue sky"]).data           # the client asks for base64
again = client.embeddings.create(model="fake", input="red fox", encoding_format="float").data[0].embedding
check("embeddings, as base64 and as numbers", len(vectors) == 2 and len(again) == 16 and max(abs(x - y) for x, y in zip(vectors[0].embedding, again)) < 1e-6, vectors)
check("models", [m.id for m in client.models.list()] == ["fake"] and client.models.retrieve("fake").id == "fake")
raw = client.chat.completions.with_raw_response.create(model="fake", messages=HELLO)
check("each answer has its number", len(raw.headers.get("x-request-id", "")) > 9, raw.headers)

# --- refusals: the client's own classes, and what they carry
wrong = client.with_options(api_key="frond-" + "A" * 43)
error = refusal(openai.AuthenticationError, lambda: wrong.chat.completions.create(model="fake", messages=HELLO))
check("401, a key that is none", error and error.code == "invalid_api_key" and error.type == "invalid_request_error", error and error.body)
error = refusal(openai.AuthenticationError, lambda: client.with_options(api_key="sk-other").models.list())
check("401, no key of ours at all", error and error.code == "invalid_api_key", error and error.body)
error = refusal(openai.NotFoundError, lambda: chat(model="gpt-99"))
check("404 model_not_found", error and error.code == "model_not_found" and error.param == "model", error and error.body)
error = refusal(openai.NotFoundError, lambda: client.models.retrieve("own/er"))
check("404 of the list, with a slash in its name", error and error.code == "model_not_found", error and error.body)
error = refusal(openai.BadRequestError, lambda: chat(temperature=3))
check("400 names the member", error and error.type == "invalid_request_error" and error.param == "temperature", error and error.body)
error = refusal(openai.BadRequestError, lambda: chat(messages=[{"role": "nobody", "content": "x"}]))
check("400, a message that is none", error and "messages" in (error.param or ""), error and error.body)
error = refusal(openai.BadRequestError, lambda: chat(stream=True, temperature=3))
check("400 before a stream begins", error is not None, error)
status, body, _ = send("POST", host.url + "/v1/chat/completions", b"x" * (1024 * 1024 + 1), {"authorization": "Bearer " + key["key"]})
check("413 past LLM_BODY_BYTES_MAX", status == 413, (status, body[:200]))
long = chat(messages=[{"role": "user", "content": "[[fake {\"text\":\"ok\"}]]"}], extra_body={"user": "y" * 10})
status, body, _ = send("POST", host.url + "/v1/chat/completions", json.dumps({"model": "fake", "messages": [{"role": "user", "content": "a " * 200000}]}).encode(), {"authorization": "Bearer " + key["key"]})
check("a body of 400 KB is read, and its length told as OpenAI tells it", status in (200, 400) and (status == 200 or json.loads(body)["error"]["code"] in ("context_length_exceeded", "llm_request")), (status, body[:300]))
status, body, _ = send("POST", host.url + "/v1/chat/completions", b"not json", {"authorization": "Bearer " + key["key"]})
check("400, no JSON", status == 400 and json.loads(body)["error"]["type"] == "invalid_request_error", body)
status, body, _ = send("POST", host.url + "/v1/chat/completions", {}, {"authorization": "Bearer " + key["key"], "content-type": "text/plain"})
check("415 in the same shape", status == 415 and json.loads(body)["error"]["code"] == "unsupported_media_type", body)
only = host.key("embed only", "--scopes", "embed")
error = refusal(openai.PermissionDeniedError, lambda: client.with_options(api_key=only["key"]).chat.completions.create(model="fake", messages=HELLO))
check("403, a key that is not for that", error and error.code == "key_scope", error and error.body)
check("and what it is for goes", len(client.with_options(api_key=only["key"]).embeddings.create(model="fake", input="x").data) == 1)

# --- leaving
error = refusal(openai.APITimeoutError, lambda: client.with_options(timeout=0.3).chat.completions.create(model="fake", messages=told({"hang": True})))
check("a client that waits no longer ends its call", error is not None and until(lambda: fake.asked()[-1]["state"] == "aborted"), fake.asked()[-1])
fake.forget()
stream = chat(messages=told({"endless": True, "token_ms": 2}), stream=True)
next(stream), next(stream), next(stream)
check("while it reads, the stream goes on", fake.asked()[-1]["state"] == "running", fake.asked())
stream.close()
check("who leaves a stream ends its call", until(lambda: fake.asked()[-1]["state"] == "aborted"), fake.asked()[-1])
# --- a backend that fails. The core looks away from it for a while, so each time it is waited for.
def well():
    try:
        return chat(messages=told({"text": "well"})).choices[0].message.content == "well"
    except openai.APIStatusError as down:
        assert down.status_code == 503 and "127.0.0.1" not in str(down.body), down.body
        return False


error = refusal(openai.APIStatusError, lambda: chat(messages=told({"status": 500})))
check("a backend's failure is ours to tell", error and error.status_code in (502, 503) and "127.0.0.1" not in str(error.body), error and error.body)
until(well)
error = refusal(openai.APIStatusError, lambda: chat(messages=told({"bad_json": True})))
check("nonsense is not passed on", error and error.status_code == 502, error and error.body)
until(well)
broken = refusal(openai.APIError, lambda: list(chat(messages=told({"die_after": 3}), stream=True)))
check("a stream whose backend dies says so", broken is not None, broken)

check("and it is taken again once it is well", until(well))

# --- the end
stream = chat(messages=told({"endless": True, "token_ms": 2}), stream=True)
next(stream)
code = host.stop()
ended = refusal(openai.APIError, lambda: [None for _ in stream]) or refusal(Exception, lambda: [None for _ in stream])
check("a host that stops ends its streams", code == 0 and ended is not None, (code, "".join(host.log)[-2000:]))
fake.stop()
check("no key stands in the log", key["key"] not in "".join(host.log))
end()
