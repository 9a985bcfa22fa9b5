"""models_test.py: OpenAI's own Python client takes our scripted model server for a real one: answers, streams, tools, schemas, embeddings, and its errors."""
import json
import os
import subprocess
import sys
import urllib.request

try:
    import openai
except ImportError:
    print("ok models # SKIP openai is not installed")
    sys.exit(0)

failed = 0


def check(name, ok, why=""):
    global failed
    failed += not ok
    print(f"{'ok' if ok else 'not ok'} models: {name}" + ("" if ok else f"\n  {why}"), flush=True)


server = subprocess.Popen(["node", os.path.join(os.path.dirname(__file__), "models/server.mjs"), "--key", "sk-test", "--models", "one,two"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
url = server.stdout.readline().split()[1]
client = openai.OpenAI(base_url=url, api_key="sk-test", max_retries=0)
HELLO = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "hello you"}]


def control(path="/script", **said):
    with urllib.request.urlopen(urllib.request.Request(url + path, data=json.dumps(said).encode() if said else None)) as answer:
        return json.load(answer)


def refusal(kind, call):
    try:
        call()
    except kind as error:
        return error
    except Exception as error:
        return print(f"  {type(error).__name__}: {error}")
    return None


def chat(**more):
    return client.chat.completions.create(**{"model": "one", "messages": HELLO, **more})


got = chat(logprobs=True, top_logprobs=2)
check("an answer with usage and logprobs", got.choices[0].message.content == "echo: hello you" and got.choices[0].finish_reason == "stop" and got.usage.completion_tokens == 3
      and [x.token for x in got.choices[0].logprobs.content] == ["echo:", " hello", " you"] and len(got.choices[0].logprobs.content[0].top_logprobs) == 2, got)
check("max_tokens and n are kept to", [(c.index, c.finish_reason, c.message.content) for c in chat(n=2, max_tokens=1).choices] == [(0, "length", "echo:"), (1, "length", "echo:")])
events = list(chat(stream=True, stream_options={"include_usage": True}))
check("a stream is the same text, and ends with usage", "".join(e.choices[0].delta.content or "" for e in events if e.choices) == "echo: hello you" and events[-1].usage.completion_tokens == 3)
for how in ({"split": 1}, {"eol": "\r\n", "comments": True}, {"no_done": True}):
    control(next=[how])
    check(f"a stream sent oddly is the same: {how}", "".join(e.choices[0].delta.content or "" for e in chat(stream=True)) == "echo: hello you")

tools = [{"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {"a": {"type": "integer", "minimum": 3}, "b": {"type": "integer"}}, "required": ["a", "b"]}}}]
call = chat(tools=tools, tool_choice="required").choices[0]
check("a function is called", call.finish_reason == "tool_calls" and call.message.tool_calls[0].function.name == "add" and json.loads(call.message.tool_calls[0].function.arguments) == {"a": 3, "b": 1}, call)
pieces = [e.choices[0].delta.tool_calls[0] for e in chat(tools=tools, tool_choice="required", stream=True) if e.choices and e.choices[0].delta.tool_calls]
check("and in pieces, streamed", len(pieces) > 2 and json.loads("".join(p.function.arguments or "" for p in pieces)) == {"a": 3, "b": 1}, pieces)
schema = {"type": "object", "properties": {"sure": {"type": "boolean"}, "level": {"enum": ["low", "high"]}, "why": {"type": "array", "items": {"type": "string"}, "minItems": 2}}}
got = json.loads(chat(response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}).choices[0].message.content)
check("an answer fits the schema", got == {"sure": True, "level": "low", "why": ["text", "text"]}, got)

text = client.completions.create(model="one", prompt="once upon", logprobs=1)
check("a completion", text.choices[0].text == "echo: once upon" and text.choices[0].logprobs.tokens[0] == "echo:", text)
check("a completion, streamed", "".join(e.choices[0].text for e in client.completions.create(model="one", prompt="once upon", stream=True)) == "echo: once upon")
vectors = client.embeddings.create(model="one", input=["red fox", "red dog", "blue sky"], dimensions=32).data      # the client asks for base64
again = client.embeddings.create(model="one", input="red fox", dimensions=32, encoding_format="float").data[0].embedding
dot = lambda a, b: sum(x * y for x, y in zip(a, b))
check("embeddings come from the text alone, and near texts lie near", max(abs(x - y) for x, y in zip(vectors[0].embedding, again)) < 1e-6
      and dot(vectors[0].embedding, vectors[1].embedding) > dot(vectors[0].embedding, vectors[2].embedding), [len(v.embedding) for v in vectors])
check("models", [m.id for m in client.models.list()] == ["one", "two"])

check("another key", refusal(openai.AuthenticationError, lambda: client.with_options(api_key="no").models.list()) is not None)
check("no model", refusal(openai.BadRequestError, lambda: client.chat.completions.create(model="", messages=HELLO)) is not None)
control(next=[{"status": 429, "retry_after": 7}, {"status": 503}, {"status": 500}])
limited = refusal(openai.RateLimitError, chat)
check("429, with when to come again", limited is not None and limited.response.headers["retry-after"] == "7")
check("503, 500", refusal(openai.InternalServerError, chat) is not None and refusal(openai.InternalServerError, chat) is not None)
check("told by the model's name", refusal(openai.InternalServerError, lambda: chat(model="one?status=502")) is not None)
check("told by a marker in the prompt", refusal(openai.ConflictError, lambda: chat(messages=[{"role": "user", "content": '[[fake {"status":409}]] hello'}])) is not None)
check("dies in the middle of a stream", refusal(openai.APIError, lambda: list(chat(model="one?die_after=2", stream=True))) is not None or refusal(Exception, lambda: list(chat(model="one?die_after=2", stream=True))) is not None)
check("dies in the middle of a body", refusal(openai.APIConnectionError, lambda: chat(model="one?die_after=1")) is not None)
check("dies before it says anything", refusal(openai.APIConnectionError, lambda: chat(model="one?die_after=-1")) is not None)
check("nothing ever comes", refusal(openai.APITimeoutError, lambda: client.with_options(timeout=0.3).chat.completions.create(model="one?hang=true", messages=HELLO)) is not None)

control(forget=True)
stream = chat(model="one?endless=true&token_ms=5", stream=True)
next(stream), next(stream)
stream.close()
for _ in range(1000):
    facts = control("/facts")
    if facts["aborted"]:
        break
check("who leaves is seen to leave, and what was asked is counted", facts["aborted"] == 1 and facts["requests"] == 1 and control("/asked")[0]["state"] == "aborted", facts)
server.stdin.close()
check("it ends with who started it", server.wait(20) == 0)
sys.exit(1 if failed else 0)
