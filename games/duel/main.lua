-- Card Duel: two players stake coins and play six cards each; the better card takes each prize. See rules.lua.
local frond = require "frond"
local rules = require "duel.rules"                  -- pure functions, tested without a host

local TURN_MS <const> = 20000                       -- as `turn_ms` in the manifest, which the page shows
local REVEAL_MS <const> = 2500                      -- time to watch the cards turn over

local function start_clock(match, state, extra_ms)
  state.ends_ms = match.now_ms + TURN_MS + extra_ms
  match:timer("turn", TURN_MS + extra_ms, { round = state.round })
end

local function finish(match, state, places, reason)
  state.over, state.ends_ms = true, nil
  match:finish { places = places, reason = reason,
    stats = { rounds = #state.history, score = { state.seats[1].score, state.seats[2].score } } }
end

local function reveal(match, state)
  rules.reveal(state)
  if state.over then finish(match, state, rules.places(state), #state.history < rules.ROUNDS and "decided" or "played")
  else start_clock(match, state, REVEAL_MS) end
end

return frond.game {
  new = function(match)                             -- state is plain data: it is hashed, saved and reloaded
    local state = rules.new(function(list) return match:shuffle(list) or list end)
    start_clock(match, state, 0)
    return state
  end,

  input = {
    play = function(match, state, seat, args)       -- args were checked against the manifest's schema
      local ok, reason = rules.choose(state, seat, args.card, args.charge)
      if not ok then return nil, reason end         -- a refusal the player may read
      if rules.all_chosen(state) then reveal(match, state) end
    end,
    react = function(match, state, seat, args)
      if not rules.may_react(state, seat) then return nil, "too_many_reactions" end
      match:emit("all", "react", { seat = seat, kind = args.kind })
    end,
  },

  timer = function(match, state, _, data)
    if state.over or data.round ~= state.round then return end       -- that round has been played meanwhile
    local forfeits = rules.time_out(state)
    if #forfeits > 0 then return finish(match, state, rules.places_without(forfeits), "away") end
    reveal(match, state)
  end,

  drop = function(_, state, seat) state.seats[seat].away = true end,   -- the clock goes on
  back = function(_, state, seat) state.seats[seat].away = false end,
  leave = function(match, state, seat, why)
    if state.over then return end
    finish(match, state, rules.places_without { seat }, why or "surrender")
  end,

  view = function(_, state, seat)                   -- all that this seat may know
    local view = rules.view(state, seat)
    frond.array(view.history)                       -- an empty list is [] to the page, not {}
    frond.array(view.left)
    if view.hand then frond.array(view.hand) end
    return view
  end,

  bot = function(match, state, seat)
    if state.over or state.seats[seat].pick then return nil end
    local card, charge = rules.advise(rules.view(state, seat), seat, function(lo, hi) return match:int(lo, hi) end)
    return "play", { card = card, charge = charge }
  end,
}
