"""clients_test.py: the clients that people have, unchanged, against a host with its own model: OpenAI's, LiteLLM, and Google's for PaLM. What is said is the model's business; that it is said, in their shapes, is ours."""
import os
import sys
import warnings

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../llm"))
warnings.simplefilter("ignore")
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"      # or it fetches its prices from elsewhere
from running import BUILD, Host, check, end, refusal, send_json, until

if not all(os.path.exists(os.path.join(BUILD, "engine", name)) for name in ("llama-server", "model.gguf")):
    print("ok clients of the real engine # SKIP engine is not built: make engine")
    sys.exit(0)
import json

import litellm
import openai
from google.ai import generativelanguage_v1beta2 as palm
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials

NAME = "smollm2-135m-instruct"
host = Host({})
check("the engine comes up", until(lambda: send_json("GET", host.url + "/healthz")[1]["models"] == "up", 12000))
key = host.key("clients")["key"]

# --- OpenAI's
client = openai.OpenAI(base_url=host.url + "/v1", api_key=key, max_retries=0)
HELLO = [{"role": "user", "content": "Say hello."}]
check("openai: models", NAME in [m.id for m in client.models.list().data])
got = client.chat.completions.create(model=NAME, messages=HELLO, max_tokens=16, seed=1)
check("openai: chat", got.choices[0].message.content and got.usage.completion_tokens > 0, got)
parts = [e.choices[0].delta.content for e in client.chat.completions.create(model=NAME, messages=HELLO, max_tokens=24, stream=True) if e.choices and e.choices[0].delta.content]
check("openai: chat, streamed", len(parts) >= 4, parts)
schema = {"type": "object", "properties": {"answer": {"enum": ["yes", "no"]}}, "required": ["answer"], "additionalProperties": False}
got = client.chat.completions.create(model=NAME, messages=[{"role": "user", "content": "Is water wet?"}], max_tokens=32, response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": schema, "strict": True}})
check("openai: response_format", json.loads(got.choices[0].message.content)["answer"] in ("yes", "no"), got)
got = client.chat.completions.create(model=NAME, messages=HELLO, max_tokens=4, logprobs=True, top_logprobs=2)
check("openai: logprobs", got.choices[0].logprobs and len(got.choices[0].logprobs.content) > 0, got)
got = client.completions.create(model=NAME, prompt="Once upon a time", max_tokens=8)
check("openai: completions", got.choices[0].text, got)
got = client.embeddings.create(model=NAME, input=["red fox", "blue sea"], encoding_format="float")
check("openai: embeddings", [len(d.embedding) for d in got.data] == [576, 576], len(got.data))
check("openai: 400", refusal(openai.BadRequestError, lambda: client.chat.completions.create(model=NAME, messages=[{"role": "user", "content": 7}])) is not None)
check("openai: 401", refusal(openai.AuthenticationError, lambda: openai.OpenAI(base_url=host.url + "/v1", api_key="frond-x", max_retries=0).models.list()) is not None)
check("openai: 404", refusal(openai.NotFoundError, lambda: client.chat.completions.create(model="none", messages=HELLO)) is not None)

# --- LiteLLM
litellm.telemetry = False
litellm.suppress_debug_info = True
ours = {"api_base": host.url + "/v1", "api_key": key, "max_retries": 0}
got = litellm.completion(model="openai/" + NAME, messages=HELLO, max_tokens=16, **ours)
check("litellm: chat", got.choices[0].message.content, got)
text = "".join(e.choices[0].delta.content or "" for e in litellm.completion(model="openai/" + NAME, messages=HELLO, max_tokens=16, stream=True, **ours))
check("litellm: chat, streamed", text)
check("litellm: 404", refusal(litellm.NotFoundError, lambda: litellm.completion(model="openai/none", messages=HELLO, **ours)) is not None)


# --- Google's
def client_of(service):
    transport = getattr(palm.services, service.lower().replace("service", "_service"))
    kind = getattr(transport.transports, service + "RestTransport")
    return getattr(palm, service + "Client")(transport=kind(host=host.url.removeprefix("http://"), url_scheme="http", credentials=AnonymousCredentials()))


auth, text, discuss, models = [("x-goog-api-key", key)], client_of("TextService"), client_of("DiscussService"), client_of("ModelService")
got = text.generate_text(palm.GenerateTextRequest(model="models/text-bison-001", prompt={"text": "Once upon a time"}, candidate_count=2, max_output_tokens=12), metadata=auth)
check("palm: generateText", len(got.candidates) == 2 and all(c.output for c in got.candidates), got)
got = discuss.generate_message(palm.GenerateMessageRequest(model="models/chat-bison-001", prompt={"messages": [{"content": "Say hello."}]}), metadata=auth)
check("palm: generateMessage", got.candidates[0].content, got)
got = text.embed_text(palm.EmbedTextRequest(model="models/" + NAME, text="red fox"), metadata=auth)
check("palm: embedText", len(got.embedding.value) == 576, len(got.embedding.value))
got = discuss.count_message_tokens(palm.CountMessageTokensRequest(model="models/" + NAME, prompt={"messages": [{"content": "Say hello."}]}), metadata=auth)
check("palm: countMessageTokens", got.token_count > 0, got)
check("palm: models", any(NAME in m.name for m in models.list_models(palm.ListModelsRequest(), metadata=auth)))
check("palm: 404", refusal(exceptions.NotFound, lambda: text.generate_text(palm.GenerateTextRequest(model="models/none", prompt={"text": "x"}), metadata=auth)) is not None)
check("the host ends well, and its engine with it", host.stop() == 0)
end()
