-- rules.lua — the quiz as pure functions: no host, no clock, no randomness of its own. Tested with plain lua5.4.
--
-- ROUNDS questions, each against the clock. Who is right gets BASE points and up to SPEED more, by how much of the time was left. Questions of the model
-- (checked by check.lua) are taken first, packaged ones where there is none; which it was is shown. Nobody sees which answer is right before both have
-- answered or the time is over.
--
-- The state is plain data: it is hashed, saved and reloaded by the host.
local check = require "quiz.check"
local packaged = require "quiz.packaged"
local say = require "quiz.say"

local rules = {}

rules.ROUNDS = 7
rules.TURN_MS = 15000                 -- as `turn_ms` in the manifest, which the page shows
rules.REVEAL_MS = 3500
rules.PREPARE_MS = 6000               -- so long the players wait for the model's first questions, and no longer
rules.ASK_MS = 20000                  -- later ones may take longer: they are for later rounds
rules.ASKS_MAX = 4
rules.PER_ASK = 3                     -- questions of one ask: few, so that the first come soon
rules.MISSES_MAX = 3                  -- questions left unanswered one after the other; then the seat forfeits
rules.BASE, rules.SPEED = 500, 500
rules.TOPICS = { "mixed", "numbers", "words", "world", "science" }
local KINDS <const> = { numbers = { "arithmetic", "sequence" }, words = { "letters" }, world = { "capital", "mountain", "century" }, science = { "symbol", "planet" } }
local SINGLE <const> = { "numbers", "words", "world", "science" }

function rules.other(seat) return 3 - seat end

local function is_topic(topic)
  for _, one in ipairs(rules.TOPICS) do if one == topic then return true end end
  return false
end

--- What both chose, or one of both wishes. `int(lo, hi)` gives randomness.
local function topic_of(options, int)
  local wishes = {}
  for seat = 1, 2 do
    local wish = options[seat] and options[seat].topic
    wishes[seat] = is_topic(wish) and wish or "mixed"
  end
  if wishes[1] == wishes[2] or wishes[2] == "mixed" then return wishes[1] end
  if wishes[1] == "mixed" then return wishes[2] end
  return wishes[int(1, 2)]
end

--- A new match. `options[seat]` is what each player sent: {topic, lang}.
function rules.new(options, shuffle, int)
  local state = { phase = "prepare", round = 0, topic = topic_of(options, int), seats = {}, history = {}, pool = {}, asked = {}, asks = 0, failed = 0, accepted = 0, refused = 0 }
  for seat = 1, 2 do
    state.seats[seat] = { score = 0, missed = 0, away = false, lang = say.language(options[seat] and options[seat].lang) }
  end
  -- The order in which packaged questions come, fixed now: of the topic first, then the others, so that there are always enough.
  local first, rest = {}, {}
  for _, question in ipairs(packaged.list) do
    local list = (state.topic == "mixed" or question.topic == state.topic) and first or rest
    list[#list + 1] = question.id
  end
  shuffle(first)
  state.reserve = table.move(shuffle(rest), 1, #rest, #first + 1, first)
  while #state.reserve > rules.ROUNDS do state.reserve[#state.reserve] = nil end
  return state
end

--- How many more questions of the model there is a use for.
function rules.wanted(state)
  if state.phase == "over" or state.asks >= rules.ASKS_MAX or state.failed >= 2 then return 0 end
  return math.max(0, rules.ROUNDS - state.round - #state.pool)
end

--- The kind of the next ask. @param int fun(lo: integer, hi: integer): integer
function rules.next_kind(state, int)
  local topic = state.topic
  if topic == "mixed" then topic = SINGLE[(state.asks + int(0, 3)) % #SINGLE + 1] end
  local kinds = KINDS[topic]
  return kinds[int(1, #kinds)]
end

--- Takes what a model answered to an ask for `kind`; `value` nil when it did not. Returns how many questions of it are usable.
function rules.learn(state, kind, value, shuffle)
  if state.phase == "over" then return 0 end
  if value == nil then
    state.failed = state.failed + 1
    return 0
  end
  local good, refused = check.all(kind, value, state.asked, 2 * rules.PER_ASK)
  for _, question in ipairs(good) do
    -- The model's order says something about the answer it believed in.
    local right, order = question.options[question.right], shuffle { 1, 2, 3, 4 }
    local options = {}
    for i, at in ipairs(order) do
      options[i] = question.options[at]
      if options[i] == right then question.right = i end
    end
    question.options = options
    state.pool[#state.pool + 1] = question
  end
  state.accepted = state.accepted + #good
  for _, times in pairs(refused) do state.refused = state.refused + times end
  return #good
end

local function packaged_question(state, shuffle)
  local id = table.remove(state.reserve, 1)
  local options, right = shuffle { 1, 2, 3, 4 }, 1
  for i, one in ipairs(options) do if one == 1 then right = i end end
  return { by = "packaged", id = id, options = options, right = right }
end

--- Goes on to the next question. Returns false when there was the last one.
function rules.next(state, now_ms, shuffle)
  if state.round >= rules.ROUNDS then return false end
  state.round = state.round + 1
  state.question = table.remove(state.pool, 1) or packaged_question(state, shuffle)
  state.phase, state.began_ms, state.ends_ms = "question", now_ms, now_ms + rules.TURN_MS
  for _, seat in ipairs(state.seats) do seat.choice, seat.at_ms = nil, nil end
  return true
end

--- Answers the question. Returns true, or nil and a reason the player may read.
function rules.answer(state, seat, round, choice, now_ms)
  local mine = state.seats[seat]
  if state.phase == "over" then return nil, "match_over" end
  if state.phase ~= "question" or round ~= state.round or now_ms > state.ends_ms then return nil, "too_late" end
  if mine.choice then return nil, "already_answered" end
  mine.choice, mine.at_ms = choice, now_ms
  return true
end

function rules.all_answered(state) return state.seats[1].choice ~= nil and state.seats[2].choice ~= nil end

--- Points of a right answer that came at_ms.
function rules.points(state, at_ms)
  local left = math.max(0, math.min(rules.TURN_MS, state.ends_ms - at_ms))
  return rules.BASE + rules.SPEED * left // rules.TURN_MS
end

--- Shows the right answer and gives points. Returns the seats that forfeit by having missed too many.
function rules.reveal(state, now_ms)
  local question, entry, forfeits = state.question, { choices = {}, points = {} }, {}
  for seat, s in ipairs(state.seats) do
    local points = s.choice == question.right and rules.points(state, s.at_ms) or 0
    s.score = s.score + points
    s.missed = s.choice and 0 or s.missed + 1
    if s.missed >= rules.MISSES_MAX then forfeits[#forfeits + 1] = seat end
    entry.choices[seat], entry.points[seat] = s.choice or 0, points
  end
  entry.question = question
  state.history[#state.history + 1] = entry
  state.phase, state.question, state.ends_ms = "reveal", nil, now_ms + rules.REVEAL_MS
  return forfeits
end

function rules.over(state) state.phase, state.question, state.ends_ms = "over", nil, nil end

--- Places for the host: {{winner},{loser}}, or {{1,2}} for a draw.
function rules.places(state)
  local a, b = state.seats[1].score, state.seats[2].score
  if a == b then return { { 1, 2 } } end
  return a > b and { { 1 }, { 2 } } or { { 2 }, { 1 } }
end

--- Places when these seats gave up.
function rules.places_without(seats)
  if #seats == 2 then return { { 1, 2 } } end
  return { { rules.other(seats[1]) }, { seats[1] } }
end

local function shown(question, lang)
  return { text = say.text(question, lang), options = say.options(question, lang), by = question.by }
end

--- All that a seat may know (0: a spectator). While a question is open: not which answer is right, and of the other seat only that it has answered.
function rules.view(state, seat)
  local lang = seat == 0 and "en" or state.seats[seat].lang
  local view = { phase = state.phase, round = state.round, rounds = rules.ROUNDS, topic = state.topic, ends_ms = state.ends_ms, seats = {}, history = {} }
  for i, s in ipairs(state.seats) do view.seats[i] = { score = s.score, answered = state.phase == "question" and s.choice ~= nil, away = s.away, missed = s.missed } end
  for i, entry in ipairs(state.history) do
    local one = shown(entry.question, lang)
    one.right, one.choices, one.points = entry.question.right, table.move(entry.choices, 1, 2, 1, {}), table.move(entry.points, 1, 2, 1, {})
    view.history[i] = one
  end
  if state.phase == "question" then
    view.question = shown(state.question, lang)
    if seat ~= 0 then view.choice = state.seats[seat].choice end
  end
  return view
end

--- A fair but fallible player: right three times of five. `int(lo, hi)` gives randomness.
function rules.advise(state, int)
  local right = state.question.right
  if int(1, 5) <= 3 then return right end
  return (right + int(0, 2)) % 4 + 1
end

return rules
