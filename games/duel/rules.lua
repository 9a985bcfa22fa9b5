-- rules.lua — Card Duel as pure functions: no host, no clock, no randomness of its own. Tested with plain lua5.4.
--
-- Both hands hold the values 1 to 6 and two cards of each suit; which suit sits on which value is dealt and hidden. Each round a prize
-- comes up (1, 2, 3 in some order, then 4, 5, 6 in some order), both choose a card in secret, the stronger takes the prize. Fire beats leaf, leaf beats wave, wave beats fire: the better
-- suit adds EDGE. A tie carries the prize over. Once in a match a card may carry a charge: "double" doubles its value, "shield"
-- turns a loss into a tie. So everybody can count what the other still holds, and nobody can be sure.
--
-- The state is plain data: it is hashed, saved and reloaded by the host.
local rules = {}

rules.ROUNDS = 6
rules.EDGE = 3                        -- half of the best value: a suit can beat strength, but not always
rules.MISSES_MAX = 2                  -- in a row; then the seat forfeits
rules.REACTIONS_PER_ROUND = 3
rules.BEATS = { f = "l", l = "w", w = "f" }

local EDGE <const>, ROUNDS <const> = rules.EDGE, rules.ROUNDS

---@param card string suit letter and value: "f4"
function rules.suit(card) return card:sub(1, 1) end
function rules.value(card) return tonumber(card:sub(2, 2)) --[[@as integer]] end
function rules.other(seat) return 3 - seat end

local function seat_new(suits)
  local hand = {}
  for value = 1, ROUNDS do hand[value] = suits[value] .. value end
  return { hand = hand, score = 0, missed = 0, charged = true, away = false, reactions = 0 }
end

--- A new match. `shuffle(list)` returns the list in random order; it is called four times, in a fixed order.
function rules.new(shuffle)
  -- Small prizes first: with all six mixed one match in five was over after three rounds, and nobody likes to be robbed of the end.
  local prizes = shuffle { 1, 2, 3 }
  table.move(shuffle { 4, 5, 6 }, 1, 3, 4, prizes)
  local seats = {}
  for seat = 1, 2 do seats[seat] = seat_new(shuffle { "f", "f", "l", "l", "w", "w" }) end
  return { round = 1, prizes = prizes, carry = 0, seats = seats, history = {}, over = false }
end

local function hand_index(hand, card)
  for i, held in ipairs(hand) do
    if held == card then return i end
  end
end

--- Chooses a card for this round, in secret. Returns true, or nil and a reason the player may read.
function rules.choose(state, seat, card, charge)
  local mine = state.seats[seat]
  if state.over then return nil, "match_over" end
  if mine.pick then return nil, "already_played" end
  if not hand_index(mine.hand, card) then return nil, "not_in_hand" end
  if charge and not mine.charged then return nil, "charge_used" end
  mine.pick, mine.charge, mine.auto, mine.missed = card, charge, nil, 0
  return true
end

function rules.all_chosen(state)
  return state.seats[1].pick ~= nil and state.seats[2].pick ~= nil
end

--- How strong `card` is against `against`, charge included.
function rules.strength(card, charge, against)
  local value = rules.value(card)
  if charge == "double" then value = value * 2 end
  if rules.BEATS[rules.suit(card)] == rules.suit(against) then value = value + EDGE end
  return value
end

--- 1 when the first card takes the round, -1 when the second does, 0 for a tie (a shield makes one out of a loss).
function rules.compare(a, a_charge, b, b_charge)
  local lead = rules.strength(a, a_charge, b) - rules.strength(b, b_charge, a)
  if lead == 0 or (lead < 0 and a_charge == "shield") or (lead > 0 and b_charge == "shield") then return 0 end
  return lead > 0 and 1 or -1
end

function rules.pot(state)
  return (state.prizes[state.round] or 0) + state.carry
end

local function prizes_after(state, round)
  local sum = 0
  for i = round + 1, ROUNDS do sum = sum + state.prizes[i] end
  return sum
end

--- Turns both cards over, pays the prize, moves on. Both must have chosen. Returns what happened, as it stands in the history.
function rules.reveal(state)
  local a, b = state.seats[1], state.seats[2]
  assert(a.pick and b.pick, "reveal needs both cards")
  local pot, result = rules.pot(state), rules.compare(a.pick, a.charge, b.pick, b.charge)
  local winner = result == 1 and 1 or result == -1 and 2 or 0
  local entry = {
    pot = pot, winner = winner, cards = { a.pick, b.pick }, charges = { a.charge or "", b.charge or "" },
    strength = { rules.strength(a.pick, a.charge, b.pick), rules.strength(b.pick, b.charge, a.pick) },
    auto = { a.auto or false, b.auto or false },
  }
  state.history[#state.history + 1] = entry
  if winner == 0 then state.carry = pot
  else
    state.carry = 0
    state.seats[winner].score = state.seats[winner].score + pot
  end
  for _, seat in ipairs(state.seats) do
    table.remove(seat.hand, hand_index(seat.hand, seat.pick))
    if seat.charge then seat.charged = false end
    seat.pick, seat.charge, seat.auto, seat.reactions = nil, nil, nil, 0
  end
  local left = prizes_after(state, state.round) + state.carry
  state.round = state.round + 1
  -- Nobody wants to watch rounds that can change nothing.
  if state.round > ROUNDS or math.abs(a.score - b.score) > left then state.over = true end
  return entry
end

--- The clock ran out: whoever has not chosen plays the lowest card. Returns the seats that forfeit by it (0, 1 or 2 of them).
function rules.time_out(state)
  local forfeits = {}
  for seat, s in ipairs(state.seats) do
    if not s.pick then
      s.missed = s.missed + 1
      if s.missed >= rules.MISSES_MAX then forfeits[#forfeits + 1] = seat end
      s.pick, s.auto = s.hand[1], true      -- hands stay sorted by value
    end
  end
  return forfeits
end

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

--- Counts a reaction; false when the seat has sent enough of them this round.
function rules.may_react(state, seat)
  local s = state.seats[seat]
  if state.over or s.reactions >= rules.REACTIONS_PER_ROUND then return false end
  s.reactions = s.reactions + 1
  return true
end

local function copy(list) return table.move(list, 1, #list, 1, {}) end

--- All that a seat may know (0: a spectator). Lists are copies: the caller may mark them for JSON.
function rules.view(state, seat)
  local view = {
    phase = state.over and "over" or "choose", round = math.min(state.round, ROUNDS), rounds = ROUNDS,
    prize = state.over and 0 or state.prizes[state.round], carry = state.carry,
    score = { state.seats[1].score, state.seats[2].score }, history = copy(state.history), left = {},
    ends_ms = state.ends_ms,
    seats = {},
  }
  if not state.over then
    for i = state.round + 1, ROUNDS do view.left[#view.left + 1] = state.prizes[i] end
    table.sort(view.left)                   -- which prizes are left is public, their order is not
  end
  for i, s in ipairs(state.seats) do
    view.seats[i] = { cards = #s.hand, chosen = s.pick ~= nil, charged = s.charged, away = s.away, missed = s.missed }
  end
  if seat ~= 0 then
    local mine = state.seats[seat]
    view.hand, view.pick, view.charge = copy(mine.hand), mine.pick, mine.charge
  end
  return view
end

-- What the other side may still hold, from what it has shown: unseen values and how many of each suit.
local function unseen(view, seat)
  local values, suits = {}, { f = 2, l = 2, w = 2 }
  for value = 1, ROUNDS do values[value] = true end
  for _, entry in ipairs(view.history) do
    local card = entry.cards[rules.other(seat)]
    values[rules.value(card)] = nil
    suits[rules.suit(card)] = suits[rules.suit(card)] - 1
  end
  return values, suits
end

-- Wins minus losses of a card against everything the other side may hold.
local function margin(card, charge, values, suits)
  local sum = 0
  for value = 1, ROUNDS do
    if values[value] then
      for _, suit in ipairs { "f", "l", "w" } do
        if suits[suit] > 0 then sum = sum + suits[suit] * rules.compare(card, charge, suit .. value) end
      end
    end
  end
  return sum
end

--- What a fair but fallible player would do, from a seat's view alone. `int(lo, hi)` gives randomness. Returns card, charge.
function rules.advise(view, seat, int)
  local values, suits = unseen(view, seat)
  local pot, later, rounds_later = view.prize + view.carry, 0, math.max(#view.left, 1)
  for _, prize in ipairs(view.left) do later = later + prize end
  local best, best_card, best_charge
  for _, card in ipairs(view.hand) do
    local plain = margin(card, nil, values, suits)
    -- A strong card used now is one missed later: weigh this pot against the average of those to come.
    local charges = view.seats[seat].charged and { false, "double", "shield" } or { false }
    for _, charge in ipairs(charges) do
      local gain = charge and margin(card, charge, values, suits) or plain
      if charge == "shield" then gain = (gain + plain) // 2 end      -- it saves the pot, it does not win it
      local cost = charge and #view.left > 0 and 4 * later or 0      -- a charge is worth keeping for a bigger pot
      local worth = gain * pot * rounds_later - plain * later - cost + int(0, 6 * rounds_later * rounds_later)
      if not best or worth > best then best, best_card, best_charge = worth, card, charge or nil end
    end
  end
  return best_card, best_charge
end

return rules
