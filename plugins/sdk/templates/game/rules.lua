-- rules.lua: both hold the cards 1 to 5 and play one a round, in secret; the higher one takes the round, and a 1 beats a 5.
-- Pure functions: no host, no clock, no chance. rules_test.lua tests them with plain lua5.4.
local M = { ROUNDS = 5 }

--- The state is plain data: it is hashed, saved and read back after each turn.
function M.new()
  local function seat() return { hand = { 1, 2, 3, 4, 5 }, score = 0 } end
  return { round = 1, seats = { seat(), seat() }, history = {} }
end

local function beats(a, b) return a == 1 and b == 5 or a > b and not (a == 5 and b == 1) end

local function position(list, value)
  for i, v in ipairs(list) do if v == value then return i end end
end

--- Returns true, or nil and a reason that the player may read.
function M.choose(state, seat, card)
  local mine = state.seats[seat]
  if mine.card then return nil, "already_played" end
  if not position(mine.hand, card) then return nil, "not_in_hand" end
  mine.card = card
  return true
end

function M.both_chose(state) return state.seats[1].card and state.seats[2].card and true or false end

--- Whoever was too slow plays the lowest card.
function M.time_out(state)
  for _, seat in ipairs(state.seats) do seat.card = seat.card or seat.hand[1] end
end

--- Turns both cards over. Returns true when that was the last round.
function M.reveal(state)
  local a, b = state.seats[1], state.seats[2]
  local winner = beats(a.card, b.card) and 1 or beats(b.card, a.card) and 2 or 0
  if winner > 0 then state.seats[winner].score = state.seats[winner].score + 1 end
  state.history[#state.history + 1] = { cards = { a.card, b.card }, winner = winner }
  for _, seat in ipairs(state.seats) do
    table.remove(seat.hand, position(seat.hand, seat.card))
    seat.card = nil
  end
  state.round = state.round + 1
  return state.round > M.ROUNDS
end

--- {{1}, {2}}: seat 1 won. {{1, 2}}: a draw, stakes go back.
function M.places(state)
  local a, b = state.seats[1].score, state.seats[2].score
  if a == b then return { { 1, 2 } } end
  return a > b and { { 1 }, { 2 } } or { { 2 }, { 1 } }
end

return M
