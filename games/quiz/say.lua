-- say.lua — questions in words, in the language of whoever reads them.
local facts = require "quiz.facts"
local packaged = require "quiz.packaged"

local say = {}

say.LANGUAGES = { en = true, ko = true }
local OPS <const> = { ["+"] = "+", ["-"] = "−", x = "×" }

local sentences = {
  en = {
    arithmetic = function(q) return ("What is %d %s %d?"):format(q.a, OPS[q.op], q.b) end,
    sequence = function(q) return ("What comes next? %s, …"):format(table.concat(q.terms, ", ")) end,
    letters = function(q) return ("How many times is the letter “%s” in “%s”?"):format(q.letter, q.word) end,
    capital = function(q) return ("What is the capital of %s?"):format(facts.relations.capital.subjects[q.subject].en) end,
    symbol = function(q) return ("What is the chemical symbol of %s?"):format(facts.relations.symbol.subjects[q.subject].en) end,
    planet = function(q) return q.ask == "most" and "Which of these planets is the largest?" or "Which of these planets is the smallest?" end,
    mountain = function(q) return q.ask == "most" and "Which of these mountains is the highest?" or "Which of these mountains is the lowest?" end,
    century = function(q) return q.ask == "most" and "Which of these came last?" or "Which of these came first?" end,
  },
  ko = {
    arithmetic = function(q) return ("%d %s %d의 값은 얼마일까요?"):format(q.a, OPS[q.op], q.b) end,
    sequence = function(q) return ("다음에 올 수는 무엇일까요? %s, …"):format(table.concat(q.terms, ", ")) end,
    letters = function(q) return ("영어 낱말 “%s” 안에 글자 “%s” 개수는 몇 개일까요?"):format(q.word, q.letter) end,
    capital = function(q) return ("%s의 수도는 어디일까요?"):format(facts.relations.capital.subjects[q.subject].ko) end,
    symbol = function(q) return ("%s의 원소 기호는 무엇일까요?"):format(facts.relations.symbol.subjects[q.subject].ko) end,
    planet = function(q) return q.ask == "most" and "다음 행성 중 가장 큰 것은 무엇일까요?" or "다음 행성 중 가장 작은 것은 무엇일까요?" end,
    mountain = function(q) return q.ask == "most" and "다음 산 중 가장 높은 것은 무엇일까요?" or "다음 산 중 가장 낮은 것은 무엇일까요?" end,
    century = function(q) return q.ask == "most" and "다음 중 가장 나중에 나온 것은 무엇일까요?" or "다음 중 가장 먼저 나온 것은 무엇일까요?" end,
  },
}

--- @param language string? what a player's page speaks; English where we do not
function say.language(language) return say.LANGUAGES[language] and language or "en" end

--- The sentence. @param question table @param language string
function say.text(question, language)
  if question.by == "packaged" then return packaged.by_id[question.id][language].text end
  return sentences[language][question.kind](question)
end

--- The four answers as texts, in the question's order.
function say.options(question, language)
  local list = {}
  for i, one in ipairs(question.options) do
    if question.by == "packaged" then list[i] = packaged.by_id[question.id][language].options[one]
    elseif facts.relations[question.kind] then list[i] = facts.relations[question.kind].values[one][language]
    elseif facts.orders[question.kind] then list[i] = facts.orders[question.kind].names[one][language]
    else list[i] = ("%d"):format(one):gsub("^%-", "−") end
  end
  return list
end

return say
