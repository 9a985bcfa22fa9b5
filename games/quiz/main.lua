-- Quiz: two players, seven questions against the clock; the better and faster takes the stakes. The model writes what is asked, the rules check it, and
-- packaged questions stand in wherever it does not deliver. See rules.lua and check.lua.
local frond = require "frond"
local ask = require "quiz.ask"
local rules = require "quiz.rules"
local tutor = require "quiz.tutor"

local function shuffler(match) return function(list) return match:shuffle(list) or list end end
local function integers(match) return function(lo, hi) return match:int(lo, hi) end end

-- Asks for the next few questions, one ask at a time: their answers are inputs, so they are in the match's log.
local function want_more(match, state, timeout_ms)
  if state.waiting or rules.wanted(state) == 0 then return end
  local kind = rules.next_kind(state, integers(match))
  state.asks = state.asks + 1
  state.waiting = kind
  match:ask("questions:" .. state.asks, "llm.json", ask.arguments(kind, rules.PER_ASK, match:int(1, 999999)), { timeout_ms = timeout_ms })
end

local function finish(match, state, places, reason)
  rules.over(state)
  match:cancel "clock"
  local by_model = 0
  for _, entry in ipairs(state.history) do if entry.question.by == "model" then by_model = by_model + 1 end end
  match:finish { places = places, reason = reason, stats = { score = { state.seats[1].score, state.seats[2].score }, by_model = by_model, refused = state.refused } }
end

local function next_question(match, state)
  if not rules.next(state, match.now_ms, shuffler(match)) then return finish(match, state, rules.places(state), "played") end
  match:timer("clock", rules.TURN_MS, { round = state.round, phase = "question" })
  want_more(match, state, rules.ASK_MS)
end

local function reveal(match, state)
  local forfeits = rules.reveal(state, match.now_ms)
  if #forfeits > 0 then return finish(match, state, rules.places_without(forfeits), "away") end
  match:timer("clock", rules.REVEAL_MS, { round = state.round, phase = "reveal" })
end

local game = frond.game {
  new = function(match, options)
    local state = rules.new(options, shuffler(match), integers(match))
    match:timer("clock", rules.PREPARE_MS, { round = 0, phase = "prepare" })
    want_more(match, state, rules.ASK_MS)
    return state
  end,

  input = {
    answer = function(match, state, seat, args)
      local ok, reason = rules.answer(state, seat, args.round, args.choice, match.now_ms)
      if not ok then return nil, reason end
      if rules.all_answered(state) then reveal(match, state) end
    end,
  },

  timer = function(match, state, _, data)
    if state.phase ~= data.phase or data.round ~= state.round then return end       -- that moment has passed
    if state.phase == "question" then reveal(match, state) else next_question(match, state) end
  end,

  answer = function(match, state, _, value, code)
    local kind = state.waiting
    state.waiting = nil
    if state.phase == "over" or not kind then return end
    rules.learn(state, kind, code == nil and value or nil, shuffler(match))
    if state.phase == "prepare" and (#state.pool > 0 or rules.wanted(state) == 0) then next_question(match, state)
    else want_more(match, state, rules.ASK_MS) end
  end,

  drop = function(_, state, seat) state.seats[seat].away = true end,   -- the clock goes on
  back = function(_, state, seat) state.seats[seat].away = false end,
  leave = function(match, state, seat, why)
    if state.phase == "over" then return end
    finish(match, state, rules.places_without { seat }, why or "surrender")
  end,

  view = function(_, state, seat)
    local view = rules.view(state, seat)
    frond.array(view.history)                       -- an empty list is [] to the page, not {}
    return view
  end,

  bot = function(match, state, seat)
    if state.phase ~= "question" or state.seats[seat].choice then return nil end
    return "answer", { round = state.round, choice = rules.advise(state, integers(match)) }
  end,
}

return frond.plugin { game = game, calls = { tutor = tutor } }
