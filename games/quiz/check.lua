-- check.lua — a model's question is looked at before anybody sees it. Everything in it is a claim: the rules work out themselves which answer is right.
--
-- The model chooses what is asked and writes the four answers; the sentence around it is the game's (say.lua), in each player's language, so that it says what
-- was checked and nothing else. A question passes when it is one of the kinds below, each part of it has the right type, length and range, the four answers
-- differ and exactly one of them is right by arithmetic or by facts.lua. Where the model marked another answer as right, ours counts.
local facts = require "quiz.facts"

local check = {}

check.OPTIONS = 4
local NUMBER_MAX <const> = 9999
local WORD_MIN <const>, WORD_MAX <const> = 3, 14

local function whole(value, least, most)
  if math.type(value) == "float" and value == value // 1 then value = math.tointeger(value) end
  return math.type(value) == "integer" and value >= least and value <= most and value or nil
end

local function all_differ(list)
  local seen = {}
  for _, one in ipairs(list) do
    if seen[one] then return false end
    seen[one] = true
  end
  return true
end

-- The four answers, each through `read`; nil and why not.
local function options_of(claim, read)
  local raw, list = claim.options, {}
  if type(raw) ~= "table" or #raw ~= check.OPTIONS then return nil, "not_four_options" end
  for i = 1, check.OPTIONS do
    local one = read(raw[i])
    if one == nil then return nil, "bad_option" end
    list[i] = one
  end
  if not all_differ(list) then return nil, "options_alike" end
  return list
end

local function number_option(value)
  local n = whole(value, -NUMBER_MAX, NUMBER_MAX)
  if n then return n end
  if type(value) == "string" and value:match "^%-?%d%d?%d?%d?$" then return math.tointeger(tonumber(value)) end
end

-- Finishes a question whose right answer is known: it must be among the options.
local function with_answer(question, options, right)
  for i, one in ipairs(options) do
    if one == right then
      question.options, question.right = options, i
      return question
    end
  end
  return nil, "no_right_option"
end

local kinds = {}

local function result(a, op, b)
  if op == "+" then return a + b elseif op == "-" then return a - b else return a * b end
end

function kinds.arithmetic(claim)
  local a, b = whole(claim.a, 1, 999), whole(claim.b, 1, 999)
  local op = claim.op
  if op == "x" or op == "*" or op == "×" then op = "x" end
  if not a or not b or not (op == "+" or op == "-" or op == "x") then return nil, "bad_sum" end
  if a < 3 and b < 3 or result(a, op, b) > NUMBER_MAX then return nil, "too_easy" end
  local options, why = options_of(claim, number_option)
  if not options then return nil, why end
  return with_answer({ kind = "arithmetic", a = a, op = op, b = b, key = ("%d%s%d"):format(a, op, b) }, options, result(a, op, b))
end

-- Four terms with one difference or one factor: then the fifth is not a matter of taste.
local function next_term(t)
  local d = t[2] - t[1]
  if d ~= 0 and t[3] - t[2] == d and t[4] - t[3] == d then return t[4] + d end
  if t[1] > 0 and t[2] % t[1] == 0 then
    local factor = t[2] // t[1]
    if factor > 1 and t[3] == t[2] * factor and t[4] == t[3] * factor then return t[4] * factor end
  end
end

function kinds.sequence(claim)
  local terms = {}
  if type(claim.terms) ~= "table" or #claim.terms ~= 4 then return nil, "bad_terms" end
  for i = 1, 4 do
    terms[i] = whole(claim.terms[i], 0, NUMBER_MAX)
    if not terms[i] then return nil, "bad_terms" end
  end
  local right = next_term(terms)
  if not right or right > NUMBER_MAX * 10 or right < -NUMBER_MAX then return nil, "no_rule" end
  local options, why = options_of(claim, function(value) return whole(value, -NUMBER_MAX, NUMBER_MAX * 10) or number_option(value) end)
  if not options then return nil, why end
  return with_answer({ kind = "sequence", terms = terms, key = table.concat(terms, ",") }, options, right)
end

function kinds.letters(claim)
  local word, letter = claim.word, claim.letter
  if type(word) ~= "string" or type(letter) ~= "string" then return nil, "bad_word" end
  word, letter = word:lower(), letter:lower()
  if #word < WORD_MIN or #word > WORD_MAX or not word:match "^%l+$" or not letter:match "^%l$" then return nil, "bad_word" end
  local _, count = word:gsub(letter, letter)
  if count == 0 then return nil, "letter_missing" end
  local options, why = options_of(claim, number_option)
  if not options then return nil, why end
  for _, one in ipairs(options) do if one < 0 or one > WORD_MAX then return nil, "bad_option" end end
  return with_answer({ kind = "letters", word = word, letter = letter, key = letter .. ":" .. word }, options, count)
end

-- A name as the tables write it, whatever its capitals and spaces at the ends.
local function known(names, value)
  if type(value) ~= "string" then return nil end
  if names[value] then return value end
  local plain = value:lower():gsub("^%s+", ""):gsub("%s+$", "")
  for id in pairs(names) do if id:lower() == plain then return id end end
end

local function fact(relation_name)
  local relation = facts.relations[relation_name]
  return function(claim)
    local subject = known(relation.subjects, claim.subject)
    if not subject then return nil, "unknown_subject" end
    local options, why = options_of(claim, function(value) return known(relation.values, value) end)
    if not options then return nil, why end
    return with_answer({ kind = relation_name, subject = subject, key = subject }, options, relation.value[subject])
  end
end
kinds.capital, kinds.symbol = fact "capital", fact "symbol"

local function ordered(order_name)
  local order = facts.orders[order_name]
  return function(claim)
    if claim.ask ~= "most" and claim.ask ~= "least" then return nil, "bad_ask" end
    local options, why = options_of(claim, function(value) return known(order.names, value) end)
    if not options then return nil, why end
    local right = options[1]
    for _, one in ipairs(options) do
      local more = order.number[one] - order.number[right]
      if (claim.ask == "most" and more > 0) or (claim.ask == "least" and more < 0) then right = one end
    end
    local sorted = table.move(options, 1, #options, 1, {})
    table.sort(sorted)
    return with_answer({ kind = order_name, ask = claim.ask, key = claim.ask .. ":" .. table.concat(sorted, ",") }, options, right)
  end
end
for name in pairs(facts.orders) do kinds[name] = ordered(name) end

check.kinds = kinds

--- One claim of a model, of a kind we asked for. Returns a question {kind, key, options, right, ..}, or nil and why it is none.
---@param kind string
---@param claim any
function check.question(kind, claim)
  if type(claim) ~= "table" then return nil, "not_a_question" end
  local marked = claim.answer
  if marked ~= nil and not whole(marked, 1, check.OPTIONS) then return nil, "bad_answer_index" end
  local question, why = kinds[kind](claim)
  if not question then return nil, why end
  question.key = kind .. ":" .. question.key
  question.by = "model"
  return question
end

--- All that is usable of an answer {questions = {..}}; `known_keys` says what was asked already and is added to. Returns questions, and how often each reason refused one.
function check.all(kind, value, known_keys, most)
  local good, refused = {}, {}
  local list = type(value) == "table" and value.questions
  if type(list) ~= "table" then return good, { not_a_list = 1 } end
  for i = 1, math.min(#list, most) do
    local question, why = check.question(kind, list[i])
    if question and known_keys[question.key] then question, why = nil, "asked_before" end
    if question then
      known_keys[question.key] = true
      good[#good + 1] = question
    else
      refused[why] = (refused[why] or 0) + 1
    end
  end
  return good, refused
end

return check
