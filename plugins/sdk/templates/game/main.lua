-- My Plugin: binds the rules to the host. The host owns clock, chance, seats and coins.
local frond = require "frond"
local rules = require "rules"

local TURN_MS <const> = 20000                        -- as turn_ms in plugin.json

local function start_clock(match, state)
  state.ends_ms = match.now_ms + TURN_MS
  match:timer("turn", TURN_MS, { round = state.round })
end

local function reveal(match, state)
  if not rules.reveal(state) then return start_clock(match, state) end
  state.ends_ms = nil
  match:finish { places = rules.places(state), reason = "played" }
end

return frond.game {
  new = function(match)
    local state = rules.new()
    start_clock(match, state)
    return state
  end,

  input = {
    play = function(match, state, seat, args)        -- args were checked against plugin.json
      local ok, reason = rules.choose(state, seat, args.card)
      if not ok then return nil, reason end
      if rules.both_chose(state) then reveal(match, state) end
    end,
  },

  timer = function(match, state, _, data)
    if data.round ~= state.round then return end     -- that round has been played meanwhile
    rules.time_out(state)
    reveal(match, state)
  end,

  leave = function(match, _, seat, why)              -- giving up: the other one wins
    match:finish { places = { { 3 - seat }, { seat } }, reason = why or "surrender" }
  end,

  view = function(_, state, seat)                    -- all that this seat may know: never the other's card
    local mine, other = state.seats[seat], state.seats[3 - seat]
    return { round = state.round, score = { state.seats[1].score, state.seats[2].score }, ends_ms = state.ends_ms,
             history = frond.array(state.history), hand = mine and frond.array(mine.hand), card = mine and mine.card,
             other_chose = other and other.card ~= nil }
  end,

  bot = function(match, state, seat)                 -- nil: nothing to do now
    local mine = state.seats[seat]
    if mine.card or #mine.hand == 0 then return nil end
    return "play", { card = mine.hand[match:int(1, #mine.hand)] }
  end,
}
