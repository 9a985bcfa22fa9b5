"""litellm_test.py: LiteLLM as a client of the host, by its OpenAI provider: answers, streams, embeddings, and errors in its own classes."""
import os
import sys
import warnings

warnings.simplefilter("ignore")
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"      # or it fetches its prices from elsewhere
try:
    import litellm
except ImportError:
    print("ok litellm # SKIP litellm is not installed")
    sys.exit(0)

from running import check, end, refusal, scripted, until

litellm.telemetry = False
litellm.suppress_debug_info = True
fake, host = scripted()
ours = {"api_base": host.url + "/v1", "api_key": host.key("litellm")["key"], "max_retries": 0}
HELLO = [{"role": "user", "content": "hello you"}]

got = litellm.completion(model="openai/fake", messages=HELLO, **ours)
check("chat", got.choices[0].message.content == "echo: hello you" and got.usage.completion_tokens == 3, got)
text = "".join(e.choices[0].delta.content or "" for e in litellm.completion(model="openai/fake", messages=HELLO, stream=True, stream_options={"include_usage": True}, **ours))
check("chat, streamed", text == "echo: hello you", text)
tools = [{"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}}]
got = litellm.completion(model="openai/fake", messages=HELLO, tools=tools, tool_choice="required", **ours)
check("a function is called", got.choices[0].message.tool_calls[0].function.name == "now", got)
got = litellm.embedding(model="openai/fake", input=["red fox"], encoding_format="float", **ours)
check("embeddings", len(got.data[0]["embedding"]) == 16, got)
check("401", refusal(litellm.AuthenticationError, lambda: litellm.completion(model="openai/fake", messages=HELLO, **{**ours, "api_key": "frond-x"})) is not None)
check("404", refusal(litellm.NotFoundError, lambda: litellm.completion(model="openai/none", messages=HELLO, **ours)) is not None)
check("400", refusal(litellm.BadRequestError, lambda: litellm.completion(model="openai/fake", messages=[{"role": "user", "content": 7}], **ours)) is not None)
error = refusal(litellm.Timeout, lambda: litellm.completion(model="openai/fake", messages=[{"role": "user", "content": "[[fake {\"hang\":true}]]"}], timeout=0.3, **ours))
check("a time-out ends the call", error is not None and until(lambda: fake.asked()[-1]["state"] == "aborted"), fake.asked()[-1])
end()
