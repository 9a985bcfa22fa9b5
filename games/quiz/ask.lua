-- ask.lua — what is asked of the model: a few questions of one kind, as JSON of a schema that leaves little to get wrong.
local check = require "quiz.check"
local facts = require "quiz.facts"

local ask = {}

local NUMBER <const> = { type = "integer", minimum = -9999, maximum = 99999 }
local ANSWER <const> = { type = "integer", minimum = 1, maximum = check.OPTIONS, description = "which of the four options is right, counted from 1" }

local function four(items) return { type = "array", items = items, minItems = check.OPTIONS, maxItems = check.OPTIONS } end
local function one_of(names) return { type = "string", enum = facts.sorted(names) } end
local function whole(least, most) return { type = "integer", minimum = least, maximum = most } end

local kinds = {
  arithmetic = function()
    return { "a", "op", "b" }, { a = whole(2, 99), op = { type = "string", enum = { "+", "-", "x" } }, b = whole(2, 99), options = four(NUMBER) },
      "sums that take a moment in one's head: a, op and b, such as 17 + 25, with four different numbers as options, one of them the right result and three near misses"
  end,
  sequence = function()
    return { "terms" }, { terms = { type = "array", items = whole(0, 9999), minItems = 4, maxItems = 4 }, options = four(NUMBER) },
      "number sequences: four terms that all grow by the same difference, or by the same whole factor, such as 3, 6, 12, 24, with four different numbers as options, one of them the next term"
  end,
  letters = function()
    return { "word", "letter" }, { word = { type = "string", minLength = 3, maxLength = 14 }, letter = { type = "string", minLength = 1, maxLength = 1 }, options = four(whole(0, 9)) },
      "letter counts: an English word in small letters, a letter that occurs in it, and four different numbers as options, one of them how often it occurs"
  end,
}
for name, relation in pairs(facts.relations) do
  kinds[name] = function()
    return { "subject" }, { subject = one_of(relation.subjects), options = four(one_of(relation.values)) },
      name == "capital" and "capitals: a country as subject, and four different capitals as options, one of them its own" or "chemical symbols: an element as subject, and four different symbols as options, one of them its own"
  end
end
for name, order in pairs(facts.orders) do
  kinds[name] = function()
    local what = { planet = "planets by size (most: the largest, least: the smallest)", mountain = "mountains by height (most: the highest, least: the lowest)", century = "inventions and events by date (most: the latest, least: the earliest)" }
    return { "ask" }, { ask = { type = "string", enum = { "most", "least" } }, options = four(one_of(order.names)) }, what[name] .. ", with four different ones as options"
  end
end

--- The arguments of llm.json for `count` questions of a kind. `variety` makes one match's ask differ from another's.
function ask.arguments(kind, count, variety)
  local required, properties, about = kinds[kind]()
  required[#required + 1], required[#required + 2] = "options", "answer"
  properties.answer = ANSWER
  return {
    messages = {
      { role = "system", content = "You write quiz questions for two players. You answer with JSON only. Every question has exactly one right answer among its options. No question is asked twice." },
      { role = "user", content = ("Write %d questions of this kind: %s. Make them different from one another. (Variety: %d)"):format(count, about, variety) },
    },
    schema = {
      type = "object", required = { "questions" }, additionalProperties = false,
      properties = { questions = { type = "array", minItems = count, maxItems = count,
        items = { type = "object", required = required, properties = properties, additionalProperties = false } } },
    },
    max_tokens = 120 * count,
    seed = variety,
  }
end

return ask
