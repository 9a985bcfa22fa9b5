"""palm_test.py: Google's own PaLM client (google-ai-generativelanguage 0.3.3, over REST), unchanged, against the host: every method, safety, stop text, errors, and JSON that its protobuf classes read back to the same."""
import sys
import warnings

warnings.simplefilter("ignore")            # what Google thinks of this Python's age

try:
    from google.ai import generativelanguage_v1beta2 as palm
    from google.ai import generativelanguage_v1beta3 as palm3
except ImportError:
    print("ok palm client # SKIP google-ai-generativelanguage is not installed")
    sys.exit(0)
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.protobuf import json_format

from running import check, end, refusal, scripted, send, send_json, until

fake, host = scripted(models={"filters": {"refuse": ["forbidden"]}}, config={"limits": {"address_requests_per_second": 100000}})
key = host.key("palm")["key"]
AUTH = [("x-goog-api-key", key)]


def client_of(module, service):
    transport = getattr(module.services, service.lower().replace("service", "_service"))
    kind = getattr(transport.transports, service + "RestTransport")
    return getattr(module, service + "Client")(transport=kind(host=host.url.removeprefix("http://"), url_scheme="http", credentials=AnonymousCredentials()))


text, discuss, models = client_of(palm, "TextService"), client_of(palm, "DiscussService"), client_of(palm, "ModelService")
text3 = client_of(palm3, "TextService")


def generate(prompt="hello you", **more):
    return text.generate_text(palm.GenerateTextRequest(model="models/fake", prompt={"text": prompt}, **more), metadata=AUTH, retry=None, timeout=30)


def talk(messages, **more):
    prompt = {"messages": [m if isinstance(m, dict) else {"content": m} for m in messages], **{k: more.pop(k) for k in ("context", "examples") if k in more}}
    return discuss.generate_message(palm.GenerateMessageRequest(model="models/fake", prompt=prompt, **more), metadata=AUTH, retry=None, timeout=30)


# --- each method
got = generate()
check("generateText", [c.output for c in got.candidates] == ["echo: hello you"] and not got.filters, got)
got = generate(candidate_count=3, temperature=0.5, top_p=0.95, top_k=40, max_output_tokens=2)
check("candidates, temperature, topP, topK, maxOutputTokens", [c.output for c in got.candidates] == ["echo: hello"] * 3 and not got.candidates[0].citation_metadata.citation_sources, got)
got = generate("one two three STOP four", stop_sequences=["a1", "a2", "a3", "a4", "STOP"])
check("five stop sequences, and stop text is not part of it", got.candidates[0].output == "echo: one two three ", got)
got = generate(safety_settings=[{"category": c, "threshold": palm.SafetySetting.HarmBlockThreshold.BLOCK_ONLY_HIGH} for c in range(1, 7)])
check("safetySettings of every category", got.candidates[0].output == "echo: hello you", got)
check("Google's own names stand for the host's models", text.generate_text(palm.GenerateTextRequest(model="models/text-bison-001", prompt={"text": "x"}), metadata=AUTH).candidates[0].output == "echo: x")

got = talk(["hi", "hello", "how are you"], context="Be brief.", examples=[{"input": {"content": "1+1"}, "output": {"content": "2"}}], candidate_count=2, temperature=0.3, top_p=0.9, top_k=3)
check("generateMessage", [(c.author, c.content) for c in got.candidates] == [("1", "echo: how are you"), ("1", "echo: how are you #1")] and [(m.author, m.content) for m in got.messages] == [("0", "hi"), ("1", "hello"), ("0", "how are you")], got)
got = talk([{"author": "Ann", "content": "hi"}, {"author": "Bot", "content": "yes"}, {"author": "Ann", "content": "so"}])
check("authors keep their names", got.candidates[0].author == "Bot" and got.messages[0].author == "Ann", got)

got = text.embed_text(palm.EmbedTextRequest(model="models/fake", text="red fox"), metadata=AUTH)
check("embedText", len(got.embedding.value) == 16 and abs(sum(v * v for v in got.embedding.value) - 1) < 1e-3, got)
batch = text3.batch_embed_text(palm3.BatchEmbedTextRequest(model="models/fake", texts=["red fox", "blue sky"]), metadata=AUTH)
check("batchEmbedText", len(batch.embeddings) == 2 and list(batch.embeddings[0].value) == list(got.embedding.value), batch)
got = discuss.count_message_tokens(palm.CountMessageTokensRequest(model="models/fake", prompt={"messages": [{"content": "how many tokens is this"}]}), metadata=AUTH)
longer = discuss.count_message_tokens(palm.CountMessageTokensRequest(model="models/fake", prompt={"context": "x" * 300, "messages": [{"content": "how many tokens is this"}]}), metadata=AUTH)
check("countMessageTokens", 5 <= got.token_count < longer.token_count, (got, longer))
got = text3.count_text_tokens(palm3.CountTextTokensRequest(model="models/fake", prompt={"text": "how many tokens is this"}), metadata=AUTH)
check("countTextTokens", 5 <= got.token_count < 100, got)
check("nothing was asked of a model for a count", all("how many" not in a["question"] for a in fake.asked()))
listed = list(models.list_models(palm.ListModelsRequest(page_size=1), metadata=AUTH))
check("models", [m.name for m in listed] == ["models/fake"] and "generateText" in listed[0].supported_generation_methods and "embedText" in listed[0].supported_generation_methods and listed[0].input_token_limit == 8192, listed)
one = models.get_model(palm.GetModelRequest(name="models/fake"), metadata=AUTH)
check("one model", one == listed[0], one)

# --- what the host's filter refused is no error in this language
got = generate("[[fake {\"text\":\"a forbidden word\"}]]", safety_settings=[{"category": 3, "threshold": 1}])
check("a filtered answer: no candidates, a filter, safety feedback", not got.candidates and got.filters[0].reason == palm.ContentFilter.BlockedReason.OTHER and got.safety_feedback[0].setting.category == palm.HarmCategory.HARM_CATEGORY_VIOLENCE, got)
got = talk(["[[fake {\"text\":\"a forbidden word\"}]]"])
check("and of a conversation", not got.candidates and got.filters and got.messages[0].author == "0", got)

# --- errors: the client's own classes
for name, kind, call in (
    ("400 temperature", exceptions.BadRequest, lambda: generate(temperature=1.5)),
    ("400 candidates", exceptions.BadRequest, lambda: generate(candidate_count=9)),
    ("400 six stop sequences", exceptions.BadRequest, lambda: generate(stop_sequences=list("abcdef"))),
    ("400 no prompt", exceptions.BadRequest, lambda: text.generate_text(palm.GenerateTextRequest(model="models/fake"), metadata=AUTH)),
    ("404 no such model", exceptions.NotFound, lambda: text.generate_text(palm.GenerateTextRequest(model="models/none", prompt={"text": "x"}), metadata=AUTH)),
    ("404 of a count", exceptions.NotFound, lambda: discuss.count_message_tokens(palm.CountMessageTokensRequest(model="models/none", prompt={"messages": [{"content": "x"}]}), metadata=AUTH)),
    ("404 of the list", exceptions.NotFound, lambda: models.get_model(palm.GetModelRequest(name="models/none"), metadata=AUTH)),
    ("403 no key", exceptions.Forbidden, lambda: text.embed_text(palm.EmbedTextRequest(model="models/fake", text="x"))),
    ("400 another key", exceptions.BadRequest, lambda: text.embed_text(palm.EmbedTextRequest(model="models/fake", text="x"), metadata=[("x-goog-api-key", "frond-" + "A" * 43)])),
):
    error = refusal(kind, call)
    check(name, error is not None and error.message, error)
small = host.key("small", "--requests-minute", "1", "--scopes", "embed")["key"]
error = refusal(exceptions.Forbidden, lambda: text.generate_text(palm.GenerateTextRequest(model="models/fake", prompt={"text": "x"}), metadata=[("x-goog-api-key", small)]))
check("403 a key that is not for that", error is not None, error)

# --- its JSON, read by protobuf and written again
ASK = {"prompt": {"text": "hello you"}, "safetySettings": [{"category": "HARM_CATEGORY_TOXICITY", "threshold": "BLOCK_LOW_AND_ABOVE"}]}
for route, ask, kind in (
    ("generateText", ASK, palm.GenerateTextResponse), ("generateText", {**ASK, "prompt": {"text": "[[fake {\"text\":\"forbidden\"}]]"}}, palm.GenerateTextResponse),
    ("generateMessage", {"prompt": {"messages": [{"content": "x"}]}}, palm.GenerateMessageResponse), ("embedText", {"text": "x"}, palm.EmbedTextResponse),
    ("batchEmbedText", {"texts": ["x", "y"]}, palm3.BatchEmbedTextResponse), ("countTextTokens", {"prompt": {"text": "x"}}, palm3.CountTextTokensResponse),
    ("countMessageTokens", {"prompt": {"messages": [{"content": "x"}]}}, palm.CountMessageTokensResponse),
):
    status, body, headers = send("POST", f"{host.url}/v1beta2/models/fake:{route}", ask, {"x-goog-api-key": key})
    message = json_format.Parse(body, kind.pb(kind()), ignore_unknown_fields=False)       # a member that the class lacks is an error
    again = json_format.ParseDict(json_format.MessageToDict(message), kind.pb(kind()))
    check(f"protobuf reads {route}, and to the same", status == 200 and again == message and headers["content-type"] == "application/json" and headers["access-control-allow-origin"] is None, body)
for route, kind in (("", palm.ListModelsResponse), ("/fake", palm.Model)):
    status, body, _ = send("GET", host.url + "/v1beta2/models" + route, None, {"x-goog-api-key": key})
    check(f"protobuf reads models{route}", status == 200 and json_format.Parse(body, kind.pb(kind()), ignore_unknown_fields=False) is not None, body)

# --- the key's other places, and the error's shape
check("?key=", send_json("POST", f"{host.url}/v1beta2/models/fake:embedText?key={key}", {"text": "x"})[0] == 200)
check("Bearer", send_json("POST", f"{host.url}/v1beta2/models/fake:embedText", {"text": "x"}, {"authorization": f"Bearer {key}"})[0] == 200)
check("?key= is not for OpenAI's wire", send_json("POST", f"{host.url}/v1/embeddings?key={key}", {"input": "x"})[0] == 401)
status, body = send_json("POST", f"{host.url}/v1beta2/models/fake:embedText", {"text": 7}, {"x-goog-api-key": key})
check("the error's shape", status == 400 and body["error"]["code"] == 400 and body["error"]["status"] == "INVALID_ARGUMENT" and "text" in body["error"]["message"], body)
check("no such method", send_json("POST", f"{host.url}/v1beta2/models/fake:summon", {}, {"x-goog-api-key": key})[0] == 404)

# --- leaving
fake.forget()
error = refusal(Exception, lambda: text.generate_text(palm.GenerateTextRequest(model="models/fake", prompt={"text": "[[fake {\"hang\":true}]]"}), metadata=AUTH, retry=None, timeout=0.3))
check("a client that waits no longer ends its call", error is not None and until(lambda: fake.asked() and fake.asked()[-1]["state"] == "aborted"), fake.asked())
code = host.stop()
check("the host ends well, and no key stands in its log", code == 0 and key not in "".join(host.log), "".join(host.log)[-1500:])
end()
