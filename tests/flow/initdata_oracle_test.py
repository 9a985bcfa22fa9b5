"""Launch data against init-data-py: what we mint it accepts, what it signs we accept, what was changed both refuse."""
import json
import os
import random
import subprocess
import sys
from datetime import datetime, timezone
from urllib.parse import parse_qsl, urlencode

try:
    import init_data_py as oracle
except ImportError:
    print("ok initdata_oracle # SKIP init-data-py is not installed")
    sys.exit(0)

TOKEN = "1234567:FAKE-token-for-tests-only-aaaaaaaaaaaa"
OTHER = "1234568:FAKE-token-for-tests-only-bbbbbbbbbbbb"
NOW = 1_700_000_000
ROUNDS = 300
SEED = int(os.environ.get("SEED", "20261123"))
LETTERS = list("abcXYZ019 _-.~+%&=?#/\\\"'<>{}[]:;,|^`$@!*()éß€안") + ["\U0001f680", "\u200d"]
rng = random.Random(SEED)
tool = subprocess.Popen([os.path.join(os.environ.get("BUILD", "build"), "initdata-tool")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")


def ask(*fields):
    tool.stdin.write("\t".join(map(str, fields)) + "\n")
    tool.stdin.flush()
    return tool.stdout.readline().rstrip("\n").split("\t")


def we_verify(query, token=TOKEN, now_ms=NOW * 1000):
    return ask("verify", now_ms, token, query)


def they_accept(query, token=TOKEN, now_s=NOW):
    return oracle.is_valid_by_hash(query, token, now=datetime.fromtimestamp(now_s, timezone.utc))


def text(most):
    return "".join(rng.choices(LETTERS, k=rng.randrange(most + 1)))


def user():
    who = {"id": rng.randrange(1, 2**48), "first_name": text(20) or "A"}
    if rng.random() < 0.5:
        who.update(last_name=text(10), username=f"user_{rng.randrange(10**6)}", language_code=rng.choice(["en", "de", "pt-br"]))
    if rng.random() < 0.5:
        who.update(is_premium=True, photo_url=f"https://t.me/i/userpic/320/{rng.randrange(10**6)}.svg")
    return who


def user_json(who):
    """As PHP or as Python would write it: escaped slashes, escaped letters."""
    plain = json.dumps(who, ensure_ascii=rng.random() < 0.5, separators=rng.choice([(",", ":"), (", ", ": ")]))
    return plain.replace("/", "\\/") if rng.random() < 0.5 else plain


def they_sign(date=None, token=TOKEN, **extra):
    who = user()
    pairs = {"user": user_json(who), **extra}
    if rng.random() < 0.5:
        pairs["start_param"] = f"ref_{rng.randrange(10**9)}"
    if rng.random() < 0.5:
        pairs.update(chat_type="private", chat_instance=str(rng.randrange(10**12)), signature="sig-_" + str(rng.randrange(10**9)))
    if rng.random() < 0.3:
        pairs["a_field_of_the_future"] = text(10)
    date = NOW - rng.randrange(86401) if date is None else date
    return oracle.sign(list(pairs.items()), token, auth_date=date), who


def test_what_we_mint_they_accept():
    for _ in range(ROUNDS):
        who = user()
        verdict, query = ask("mint", NOW - rng.randrange(86401), TOKEN, rng.choice(["", "ref_1"]), user_json(who))
        assert verdict == "ok", query
        got = oracle.validate_by_hash(query, TOKEN, now=datetime.fromtimestamp(NOW, timezone.utc))
        assert got.user.id == who["id"] and got.user.first_name == who["first_name"], query


def test_what_they_sign_we_accept():
    for _ in range(ROUNDS):
        query, who = they_sign()
        for spelling in (query, query.replace("+", "%20")):
            assert we_verify(spelling)[:2] == ["ok", str(who["id"])], spelling


def test_what_was_changed_both_refuse():
    changed = 0
    while changed < ROUNDS:
        query, _ = they_sign()
        at = rng.randrange(len(query))
        bad = rng.choice([query[:at] + rng.choice("abcdef0123456789") + query[at + 1:], query[:at] + query[at + 1:], query[:at] + query[at] + query[at:], query[:at]])
        if sorted(parse_qsl(bad, keep_blank_values=True)) == sorted(parse_qsl(query, keep_blank_values=True)):
            continue
        changed += 1
        assert not they_accept(bad), bad
        assert we_verify(bad)[0] == "no", bad


def test_fields_left_out_or_added_both_refuse():
    for _ in range(ROUNDS):
        query, _ = they_sign()
        pairs = parse_qsl(query, keep_blank_values=True)
        less = [p for p in pairs if p[0] != rng.choice(pairs)[0]]
        for bad in (urlencode(less[:-1] if len(less) == len(pairs) else less), urlencode(pairs + [("extra", "1")]), urlencode(pairs + [pairs[0]])):
            assert not they_accept(bad), bad
            assert we_verify(bad)[0] == "no", bad


def test_age_is_judged_alike():
    for age in (-59, 0, 86399, 86400, 86401, 10**6):
        query, _ = they_sign(date=NOW - age)
        assert they_accept(query) == (we_verify(query)[0] == "ok") == (age <= 86400), age
    assert we_verify(they_sign(date=NOW - 86401)[0]) == ["no", "launch_stale"]


def test_another_bots_data_both_refuse():
    query, _ = they_sign()
    assert not they_accept(query, OTHER)
    assert we_verify(query, OTHER) == ["no", "launch_bad_hash"]


def test_we_also_refuse_what_they_let_through():
    query, _ = they_sign(date=NOW + 61)
    assert they_accept(query) and we_verify(query) == ["no", "launch_future"]
    query, _ = they_sign()
    digest = dict(parse_qsl(query, keep_blank_values=True))["hash"]
    assert we_verify(query.replace(digest, digest.upper())) == ["no", "launch_bad_hash"]
    smuggled = oracle.sign([("user", '{"id":1,"first_name":"A"}'), ("z", "1\nuser={}")], TOKEN, auth_date=NOW)
    assert they_accept(smuggled) and we_verify(smuggled) == ["no", "launch_malformed"]


def test_refusals_have_their_codes():
    signed = lambda pairs, date=NOW: oracle.sign(pairs, TOKEN, auth_date=date)
    good = signed([("user", '{"id":1,"first_name":"A"}')])
    for query, code in [
        ("", "launch_malformed"), ("x", "launch_malformed"), (good + "&a=%f", "launch_malformed"), (good + "&a=%00", "launch_malformed"),
        ("a=" + "b" * 4096, "launch_too_long"), (good + "&" + good, "launch_duplicate_key"), (good.replace("user=", "%75ser=") + "&user=", "launch_duplicate_key"),
        (good.split("&hash=")[0], "launch_no_hash"), (signed([("query_id", "q")]), "launch_no_user"), (signed([("user", "[]")]), "launch_bad_user"),
        (signed([("user", '{"id":"1"}')]), "launch_bad_user"), (good.replace("hash=", "hash=0"), "launch_bad_hash"),
        ("&".join(f"f{i}=1" for i in range(33)), "launch_malformed"),
    ]:
        assert we_verify(query) == ["no", code], (query[:80], we_verify(query))


def main():
    print(f"# seed {SEED}")
    failed = 0
    for name, run in [(n, f) for n, f in globals().items() if n.startswith("test_")]:
        try:
            run()
            print("ok", name)
        except AssertionError as why:
            failed = 1
            print("not ok", name, str(why)[:2000])
    tool.stdin.close()
    tool.wait()
    return failed


sys.exit(main())
