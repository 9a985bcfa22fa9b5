-- Tests of the rules with plain lua5.4: LUA_PATH="../?.lua" lua5.4 rules_test.lua. Prints "ok NAME" or "not ok NAME" lines.
local check = require "quiz.check"
local facts = require "quiz.facts"
local packaged = require "quiz.packaged"
local rules = require "quiz.rules"
local say = require "quiz.say"

local passed, failed = 0, 0
local function test(name, body)
  local ok, why = pcall(body)
  if ok then passed = passed + 1; print("ok quiz: " .. name)
  else failed = failed + 1; print("not ok quiz: " .. name); print("  " .. tostring(why)) end
end
local function same(got, want, what)
  if got ~= want then error(("%s: got %s, want %s"):format(what or "value", tostring(got), tostring(want)), 2) end
end

local function random(seed)
  local x = seed * 2654435761 % 4294967296 + 1
  return function(lo, hi)
    x = x ~ (x << 13) & 0xffffffff; x = x ~ (x >> 17); x = x ~ (x << 5) & 0xffffffff
    return lo + x % (hi - lo + 1)
  end
end
local function shuffler(int)
  return function(list)
    for i = #list, 2, -1 do local j = int(1, i); list[i], list[j] = list[j], list[i] end
    return list
  end
end
local function kept(list) return list end
local function new(seed, options) local int = random(seed); return rules.new(options or { {}, {} }, shuffler(int), int), shuffler(int), int end

local function refused(kind, claim, why)
  local question, got = check.question(kind, claim)
  same(question, nil, kind); same(got, why, kind)
end

test("arithmetic: the rules work out what is right, whatever the model marked", function()
  local question = check.question("arithmetic", { a = 17, op = "+", b = 25, options = { 41, 42, 43, 52 }, answer = 1 })
  same(question.right, 2); same(question.by, "model"); same(question.key, "arithmetic:17+25")
  same(check.question("arithmetic", { a = 12, op = "×", b = 12, options = { "144", "124", 132, 154.0 } }).right, 1)
  refused("arithmetic", { a = 17, op = "+", b = 25, options = { 41, 43, 44, 52 }, answer = 2 }, "no_right_option")
  refused("arithmetic", { a = 17, op = "+", b = 25, options = { 42, 42, 43, 52 }, answer = 1 }, "options_alike")
  refused("arithmetic", { a = 17, op = "+", b = 25, options = { 42, "42", 43, 52 }, answer = 1 }, "options_alike")
  refused("arithmetic", { a = 17, op = "+", b = 25, options = { 42, 43, 52 } }, "not_four_options")
  refused("arithmetic", { a = 17, op = "+", b = 25, options = { 42, 43, 52, 53 }, answer = 5 }, "bad_answer_index")
  refused("arithmetic", { a = 17, op = "+", b = 25, options = { 42, 43, 52, 53 }, answer = "1" }, "bad_answer_index")
  refused("arithmetic", { a = 17, op = "/", b = 25, options = { 42, 43, 52, 53 } }, "bad_sum")
  refused("arithmetic", { a = 17.5, op = "+", b = 25, options = { 42, 43, 52, 53 } }, "bad_sum")
  refused("arithmetic", { a = 17, op = "+", b = 25, options = { 42, 43, 52, "<b>" } }, "bad_option")
  refused("arithmetic", { a = 999, op = "x", b = 999, options = { 1, 2, 3, 4 } }, "too_easy")
end)

test("sequences: only those with one difference or one factor", function()
  same(check.question("sequence", { terms = { 3, 6, 12, 24 }, options = { 36, 48, 30, 50 } }).right, 2)
  same(check.question("sequence", { terms = { 20, 17, 14, 11 }, options = { 9, 10, 8, 7 } }).right, 3)
  refused("sequence", { terms = { 1, 1, 2, 3 }, options = { 5, 4, 6, 7 } }, "no_rule")
  refused("sequence", { terms = { 5, 5, 5, 5 }, options = { 5, 4, 6, 7 } }, "no_rule")
  refused("sequence", { terms = { 0, 0, 0, 0 }, options = { 0, 4, 6, 7 } }, "no_rule")
  refused("sequence", { terms = { 3, 6, 12 }, options = { 24, 4, 6, 7 } }, "bad_terms")
end)

test("letters are counted, whatever their capitals", function()
  local question = check.question("letters", { word = "Strawberry", letter = "R", options = { 2, 3, 1, 4 }, answer = 1 })
  same(question.right, 2); same(question.word, "strawberry")
  refused("letters", { word = "banana", letter = "z", options = { 0, 1, 2, 3 } }, "letter_missing")
  refused("letters", { word = "ice cream", letter = "e", options = { 0, 1, 2, 3 } }, "bad_word")
  refused("letters", { word = "<script>", letter = "s", options = { 0, 1, 2, 3 } }, "bad_word")
  refused("letters", { word = "banana", letter = "an", options = { 0, 1, 2, 3 } }, "bad_word")
  refused("letters", { word = ("a"):rep(15), letter = "a", options = { 15, 1, 2, 3 } }, "bad_word")
  refused("letters", { word = "banana", letter = "a", options = { 3, -1, 2, 4 } }, "bad_option")
end)

test("facts: only what the table knows, and only one answer can be right", function()
  local question = check.question("capital", { subject = "france", options = { "Rome", "paris ", "Oslo", "Lima" }, answer = 1 })
  same(question.right, 2); same(question.subject, "France"); same(question.options[2], "Paris")
  refused("capital", { subject = "Atlantis", options = { "Rome", "Paris", "Oslo", "Lima" } }, "unknown_subject")
  refused("capital", { subject = "France", options = { "Rome", "Lyon", "Oslo", "Lima" } }, "bad_option")
  refused("capital", { subject = "France", options = { "Rome", "Madrid", "Oslo", "Lima" } }, "no_right_option")
  refused("capital", { subject = "France", options = { "Paris", "paris", "Oslo", "Lima" } }, "options_alike")
  same(check.question("symbol", { subject = "gold", options = { "Ag", "Fe", "Pb", "Au" } }).right, 4)
  same(check.question("planet", { ask = "most", options = { "Mars", "Earth", "Neptune", "Venus" } }).right, 3)
  same(check.question("planet", { ask = "least", options = { "Mars", "Earth", "Mercury", "Venus" } }).right, 3)
  refused("mountain", { ask = "best", options = { "K2", "Denali", "Mont Blanc", "Hallasan" } }, "bad_ask")
  for _, relation in pairs(facts.relations) do
    local seen = {}
    for subject, value in pairs(relation.value) do
      assert(relation.subjects[subject] and relation.values[value], subject)
      same(seen[value], nil, "two subjects have the value " .. value); seen[value] = true
    end
  end
  for _, order in pairs(facts.orders) do
    local seen = {}
    for _, number in pairs(order.number) do same(seen[number], nil, "a number twice"); seen[number] = true end
  end
end)

test("nonsense of any shape is refused and counted, never raised", function()
  local junk = { false, 7, "x", {}, { options = {} }, { options = "abcd" }, { a = {}, op = {}, b = {}, options = { {}, {}, {}, {} } }, { terms = { {}, 1, 2, 3 }, options = { 1, 2, 3, 4 } },
    { word = 1, letter = 2, options = { 1, 2, 3, 4 } }, { subject = {}, options = { 1, 2, 3, 4 } }, { ask = {}, options = { true, false, 1, 2 } }, { a = 0 / 0, op = "+", b = 1 / 0, options = { 0 / 0, 1, 2, 3 } } }
  for kind in pairs(check.kinds) do
    for _, claim in ipairs(junk) do
      local question, why = check.question(kind, claim)
      same(question, nil); same(type(why), "string")
    end
    for _, value in ipairs { false, 7, "x", {}, { questions = 5 } } do
      local good = check.all(kind, value, {}, 6)
      same(#good, 0)
    end
  end
  local keys, one = {}, { a = 17, op = "+", b = 25, options = { 41, 42, 43, 52 } }
  local good, why = check.all("arithmetic", { questions = { one, one, false, { a = 1 } } }, keys, 6)
  same(#good, 1); same(why.asked_before, 1); same(why.not_a_question, 1); same(why.bad_sum, 1)
  same(#check.all("arithmetic", { questions = { one } }, keys, 6), 0, "known from before")
  local many = {}
  for i = 1, 50 do many[i] = { a = i + 5, op = "+", b = 7, options = { i + 12, 1, 2, 3 } } end
  same(#check.all("arithmetic", { questions = many }, {}, 6), 6, "no more than asked for")
end)

test("packaged questions pass the same checks of form, in both languages", function()
  assert(#packaged.list >= 40)
  local topics, texts, ids = {}, {}, {}
  for _, question in ipairs(packaged.list) do
    same(ids[question.id], nil, "an id twice"); ids[question.id] = true
    topics[question.topic] = (topics[question.topic] or 0) + 1
    for _, language in ipairs { "en", "ko" } do
      local spoken = question[language]
      local length = assert(utf8.len(spoken.text), question.id)
      assert(length >= 8 and length <= 90, question.id .. " " .. language)
      same(texts[spoken.text], nil, "a question twice: " .. question.id); texts[spoken.text] = true
      same(#spoken.options, 4, question.id)
      local seen = {}
      for _, option in ipairs(spoken.options) do
        assert(#option >= 1 and utf8.len(option) <= 30 and not option:find "[%c<>{}]", question.id)
        same(seen[option], nil, "an option twice in " .. question.id); seen[option] = true
      end
    end
    assert(question.ko.text:find "[\xea-\xed]", question.id .. " is not Korean")
  end
  for _, topic in ipairs { "numbers", "words", "world", "science" } do assert(topics[topic] >= rules.ROUNDS, topic) end
end)

test("every kind of question can be said in both languages", function()
  local samples = { arithmetic = { a = 17, op = "-", b = 25, options = { -8, 8, 9, 10 } }, sequence = { terms = { 3, 6, 12, 24 }, options = { 36, 48, 30, 50 } }, letters = { word = "banana", letter = "a", options = { 3, 1, 2, 4 } },
    capital = { subject = "Japan", options = { "Tokyo", "Seoul", "Rome", "Oslo" } }, symbol = { subject = "tin", options = { "Sn", "Pb", "Zn", "Na" } }, planet = { ask = "most", options = { "Mars", "Earth", "Venus", "Jupiter" } },
    mountain = { ask = "least", options = { "K2", "Denali", "Mont Blanc", "Hallasan" } }, century = { ask = "least", options = { "the first photograph", "the World Wide Web", "the telephone of Bell", "the first Moon landing" } } }
  for kind in pairs(check.kinds) do
    local question = assert(check.question(kind, samples[kind]), kind)
    for _, language in ipairs { "en", "ko" } do
      assert(#say.text(question, language) > 8); assert(utf8.len(say.text(question, language)))
      for _, option in ipairs(say.options(question, language)) do assert(type(option) == "string" and #option > 0, kind) end
    end
  end
  same(say.options(check.question("arithmetic", samples.arithmetic), "en")[1], "−8")
  same(say.language "fr", "en")
end)

test("the topic is what both chose, or one of their wishes", function()
  same(new(1, { { topic = "world" }, { topic = "world" } }).topic, "world")
  same(new(1, { { topic = "world" }, {} }).topic, "world"); same(new(1, { {}, { topic = "words" } }).topic, "words")
  same(new(1, { { topic = "hacking" }, { topic = 7 } }).topic, "mixed")
  local seen = {}
  for seed = 1, 50 do seen[new(seed, { { topic = "world" }, { topic = "science" } }).topic] = true end
  assert(seen.world and seen.science and not seen.mixed)
  for _, topic in ipairs(rules.TOPICS) do
    local state, _, int = new(3, { { topic = topic }, { topic = topic } })
    same(#state.reserve, rules.ROUNDS)
    for _ = 1, 20 do assert(check.kinds[rules.next_kind(state, int)]) end
    if topic ~= "mixed" then for _, id in ipairs(state.reserve) do same(packaged.by_id[id].topic, topic) end end
  end
end)

local function play_round(state, shuffle, now, a, b)          -- a, b: {right?, after_ms} or nil
  assert(rules.next(state, now, shuffle))
  for seat, move in pairs { a, b } do
    local choice = move[1] and state.question.right or state.question.right % 4 + 1
    assert(rules.answer(state, seat, state.round, choice, now + move[2]))
  end
  return rules.reveal(state, now + 5000)
end

test("right answers score, faster ones more, wrong ones nothing", function()
  local state, shuffle = new(4)
  play_round(state, shuffle, 0, { true, 0 }, { true, 15000 })
  same(state.seats[1].score, 1000); same(state.seats[2].score, 500)
  play_round(state, shuffle, 20000, { false, 10 }, { true, 7500 })
  same(state.seats[1].score, 1000); same(state.seats[2].score, 1250)
  same(rules.places(state)[1][1], 2)
  same(state.history[2].points[1], 0); same(state.history[2].points[2], 750)
end)

test("refusals: twice, too late, another question, after the end", function()
  local state, shuffle = new(5)
  local _, why = rules.answer(state, 1, 0, 1, 0); same(why, "too_late", "before the first question")
  rules.next(state, 0, shuffle)
  _, why = rules.answer(state, 1, 2, 1, 0); same(why, "too_late")
  _, why = rules.answer(state, 1, 1, 1, 15001); same(why, "too_late")
  assert(rules.answer(state, 1, 1, 1, 15000))
  _, why = rules.answer(state, 1, 1, 2, 15000); same(why, "already_answered"); same(state.seats[1].choice, 1)
  rules.over(state)
  _, why = rules.answer(state, 2, 1, 2, 0); same(why, "match_over")
end)

test("who leaves three questions unanswered forfeits; an answer forgives", function()
  local state, shuffle = new(6)
  same(#play_round(state, shuffle, 0, { true, 10 }), 0); same(#play_round(state, shuffle, 0, { true, 10 }), 0)
  play_round(state, shuffle, 0, { true, 10 }, { false, 10 }); same(state.seats[2].missed, 0)
  play_round(state, shuffle, 0, { true, 10 }); play_round(state, shuffle, 0, { true, 10 })
  local forfeits = play_round(state, shuffle, 0, { true, 10 })
  same(#forfeits, 1); same(forfeits[1], 2); same(rules.places_without(forfeits)[1][1], 1)
  local both, mix = new(7)
  play_round(both, mix, 0); play_round(both, mix, 0)
  same(#rules.places_without(play_round(both, mix, 0)), 1, "both away: a draw")
end)

local function text_of(value)
  if type(value) ~= "table" then return tostring(value) end
  local parts = {}
  for k, v in pairs(value) do parts[#parts + 1] = tostring(k) .. "=" .. text_of(v) end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

test("no view tells which answer is right while the question is open, nor what the other chose", function()
  for seed = 1, 100 do
    local state, shuffle = new(seed)
    for _ = 1, 1 + seed % rules.ROUNDS do
      rules.next(state, 0, shuffle)
      local before = { [0] = text_of(rules.view(state, 0)), text_of(rules.view(state, 1)) }
      local right = state.question.right
      for other = 1, 4 do
        state.question.right = other
        for seat = 0, 1 do same(text_of(rules.view(state, seat)), before[seat], "the right answer shows in the view") end
      end
      state.question.right = right
      local seen = {}
      for choice = 1, 4 do
        state.seats[2].choice, state.seats[2].at_ms = choice, 100 * choice
        seen[choice] = text_of(rules.view(state, 1))
        same(seen[choice], seen[1], "the other's choice shows")
      end
      rules.reveal(state, 100)
      same(rules.view(state, 1).history[state.round].right, right)
    end
  end
end)

test("each seat reads its own language", function()
  local state, shuffle = new(9, { { lang = "ko" }, { lang = "xx" } })
  rules.next(state, 0, shuffle)
  assert(rules.view(state, 1).question.text ~= rules.view(state, 2).question.text)
  same(rules.view(state, 2).question.text, rules.view(state, 0).question.text)
end)

test("the model's questions come first, packaged ones stand in, none comes twice", function()
  local state, shuffle = new(10)
  same(rules.learn(state, "arithmetic", { questions = { { a = 17, op = "+", b = 25, options = { 41, 42, 43, 52 }, answer = 2 }, { a = 17, op = "+", b = 25, options = { 42, 1, 2, 3 } }, { a = 9 } } }, shuffle), 1)
  same(state.accepted, 1); same(state.refused, 2); same(rules.wanted(state), 6)
  local seen = {}
  for round = 1, rules.ROUNDS do
    rules.next(state, 0, shuffle)
    local question = state.question
    same(question.by, round == 1 and "model" or "packaged")
    same(question.by == "model" and question.options[question.right] or 42, 42, "shuffled with its answer")
    if question.by == "packaged" then same(question.options[question.right], 1) end
    local text = say.text(question, "en")
    same(seen[text], nil, "twice"); seen[text] = true
    rules.reveal(state, 0)
  end
  same(rules.next(state, 0, shuffle), false)
  same(#rules.view(state, 1).history, rules.ROUNDS)
end)

test("a model that fails twice is not asked again, nor more often than ASKS_MAX", function()
  local state = new(11)
  same(rules.wanted(state), rules.ROUNDS)
  rules.learn(state, "arithmetic", nil, kept); same(rules.wanted(state), rules.ROUNDS)
  rules.learn(state, "arithmetic", nil, kept); same(rules.wanted(state), 0)
  local other = new(12)
  other.asks = rules.ASKS_MAX; same(rules.wanted(other), 0)
  rules.over(other); same(rules.learn(other, "arithmetic", { questions = {} }, kept), 0)
end)

test("the bot is right more often than not, and always makes a move", function()
  local state, shuffle, int = new(13)
  rules.next(state, 0, shuffle)
  local right = 0
  for _ = 1, 1000 do
    local choice = rules.advise(state, int)
    assert(choice >= 1 and choice <= 4)
    if choice == state.question.right then right = right + 1 end
  end
  assert(right > 500 and right < 700, right)
end)

print(("# quiz: %d passed, %d failed"):format(passed, failed))
os.exit(failed == 0)
