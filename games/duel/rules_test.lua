-- Tests of the rules with plain lua5.4: LUA_PATH="../?.lua" lua5.4 rules_test.lua. Prints "ok NAME" or "not ok NAME" lines.
local rules = require "duel.rules"

local passed, failed = 0, 0
local function test(name, body)
  local ok, why = pcall(body)
  if ok then passed = passed + 1; print("ok duel: " .. name)
  else failed = failed + 1; print("not ok duel: " .. name); print("  " .. tostring(why)) end
end
local function same(got, want, what)
  if got ~= want then error(("%s: got %s, want %s"):format(what or "value", tostring(got), tostring(want)), 2) end
end

-- A small generator of our own, so that a failing seed fails everywhere.
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
local function new(seed) return rules.new(shuffler(random(seed))) end

-- A match with chosen suits (by value) and prizes.
local function arranged(suits_1, suits_2, prizes)
  local early, late = table.move(prizes, 1, 3, 1, {}), table.move(prizes, 4, 6, 1, {})
  local lists, i = { early, late, suits_1, suits_2 }, 0
  return rules.new(function() i = i + 1; return lists[i] end)
end
local function letters(text) local t = {}; for c in text:gmatch "." do t[#t + 1] = c end; return t end

local function round(state, a, b, a_charge, b_charge)
  assert(rules.choose(state, 1, a, a_charge)); assert(rules.choose(state, 2, b, b_charge))
  return rules.reveal(state)
end

local function text_of(value)
  if type(value) ~= "table" then return tostring(value) end
  local keys, parts = {}, {}
  for k in pairs(value) do keys[#keys + 1] = k end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  for _, k in ipairs(keys) do parts[#parts + 1] = tostring(k) .. "=" .. text_of(value[k]) end
  return "{" .. table.concat(parts, ",") .. "}"
end

test("hands are equal in strength and hidden in detail", function()
  for seed = 1, 200 do
    local state = new(seed)
    for seat = 1, 2 do
      local count = { f = 0, l = 0, w = 0 }
      for i, card in ipairs(state.seats[seat].hand) do
        same(rules.value(card), i, "value")
        count[rules.suit(card)] = count[rules.suit(card)] + 1
      end
      same(count.f, 2); same(count.l, 2); same(count.w, 2)
    end
  end
end)

test("suits form a circle, the better one adds its edge", function()
  same(rules.compare("f1", nil, "l3"), 1); same(rules.compare("l1", nil, "w3"), 1); same(rules.compare("w1", nil, "f3"), 1)
  same(rules.compare("f1", nil, "l4"), 0); same(rules.compare("f1", nil, "l5"), -1)
  same(rules.compare("f4", nil, "f3"), 1); same(rules.compare("f3", nil, "f3"), 0)
end)

test("compare is antisymmetric for all cards and charges", function()
  local cards, charges = {}, { false, "double", "shield" }
  for _, suit in ipairs { "f", "l", "w" } do for value = 1, 6 do cards[#cards + 1] = suit .. value end end
  for _, a in ipairs(cards) do for _, b in ipairs(cards) do
    for _, ca in ipairs(charges) do for _, cb in ipairs(charges) do
      same(rules.compare(a, ca or nil, b, cb or nil), -rules.compare(b, cb or nil, a, ca or nil), a .. b)
    end end
  end end
end)

test("double doubles the value before the edge, shield turns a loss into a tie", function()
  same(rules.strength("f4", "double", "l1"), 11); same(rules.strength("f4", "double", "f1"), 8)
  same(rules.compare("f1", "shield", "f6"), 0); same(rules.compare("f6", "shield", "f1"), 1)
  same(rules.compare("f6", "double", "f1", "shield"), 0)
end)

test("a tie carries the prize over, the next winner takes both", function()
  local state = arranged(letters "ffllww", letters "ffllww", { 3, 5, 1, 2, 4, 6 })
  local first = round(state, "f1", "f1")
  same(first.winner, 0); same(state.carry, 3); same(rules.pot(state), 8)
  local second = round(state, "w6", "w5")
  same(second.winner, 1); same(second.pot, 8); same(state.seats[1].score, 8); same(state.carry, 0)
end)

test("refusals: not in hand, twice, charge spent, after the end", function()
  local state = arranged(letters "ffllww", letters "ffllww", { 6, 5, 4, 3, 2, 1 })
  local _, why = rules.choose(state, 1, "w1"); same(why, "not_in_hand")
  assert(rules.choose(state, 1, "f1", "double"))
  _, why = rules.choose(state, 1, "f2"); same(why, "already_played")
  assert(rules.choose(state, 2, "f2")); rules.reveal(state)
  _, why = rules.choose(state, 1, "f2", "shield"); same(why, "charge_used")
  same(state.seats[1].pick, nil, "a refused choice leaves nothing behind")
  state.over = true
  _, why = rules.choose(state, 1, "f2"); same(why, "match_over")
end)

test("a missed turn plays the lowest card, two in a row forfeit, playing again forgives", function()
  local state = new(7)
  local lowest = state.seats[2].hand[1]
  assert(rules.choose(state, 1, state.seats[1].hand[6]))
  same(#rules.time_out(state), 0); same(state.seats[2].pick, lowest)
  same(rules.reveal(state).auto[2], true)
  assert(rules.choose(state, 2, state.seats[2].hand[1])); same(state.seats[2].missed, 0)
  same(#rules.time_out(state), 0); rules.reveal(state)           -- seat 1's first miss
  assert(rules.choose(state, 2, state.seats[2].hand[1]))
  local forfeits = rules.time_out(state)
  same(#forfeits, 1); same(forfeits[1], 1); same(rules.places_without(forfeits)[1][1], 2)
end)

test("both away twice: a draw", function()
  local state = new(8)
  same(#rules.time_out(state), 0); rules.reveal(state)
  local places = rules.places_without(rules.time_out(state))
  same(#places, 1); same(#places[1], 2)
end)

test("a match that cannot be turned any more ends at once, never before the fourth round", function()
  local state = arranged(letters "ffllww", letters "wwffll", { 3, 2, 1, 6, 5, 4 })
  round(state, "w6", "w1"); round(state, "w5", "w2"); round(state, "l4", "f3", "double")
  same(state.over, false); same(state.seats[1].score, 6)         -- 15 are left: all is open
  round(state, "l3", "f4")
  same(state.over, false)                                        -- 6 against 6, 9 are left
  round(state, "f1", "l5"); same(state.over, true); same(rules.places(state)[1][1], 2)     -- 11 against 6, 4 are left
  for seed = 1, 300 do
    local any = new(seed)
    for i = 1, 3 do round(any, any.seats[1].hand[#any.seats[1].hand], any.seats[2].hand[1], nil, nil); same(any.over, false, "round " .. i) end
  end
end)

test("equal scores are a draw, also when the last prize stays on the table", function()
  local state = new(1)
  state.seats[1].score, state.seats[2].score = 9, 9
  same(#rules.places(state), 1)
end)

test("reactions are few", function()
  local state = new(3)
  for _ = 1, rules.REACTIONS_PER_ROUND do same(rules.may_react(state, 1), true) end
  same(rules.may_react(state, 1), false); same(rules.may_react(state, 2), true)
end)

-- Properties, over whole random matches with time-outs and charges.
local function play_random(seed, each)
  local int = random(seed)
  local state = rules.new(shuffler(int))
  local steps = 0
  while not state.over do
    steps = steps + 1
    assert(steps <= rules.ROUNDS, "the match does not end")
    for _, seat in ipairs(int(0, 1) == 0 and { 1, 2 } or { 2, 1 }) do
      each(state)
      local mine = state.seats[seat]
      if int(1, 10) > 1 then
        local charge = mine.charged and int(1, 4) == 1 and (int(0, 1) == 0 and "double" or "shield") or nil
        assert(rules.choose(state, seat, mine.hand[int(1, #mine.hand)], charge))
      end
    end
    each(state)
    if #rules.time_out(state) > 0 then state.over = true else rules.reveal(state) end
    each(state)
  end
  return state
end

test("points are conserved in 2000 random matches", function()
  for seed = 1, 2000 do
    play_random(seed, function(state)
      local sum = state.seats[1].score + state.seats[2].score + state.carry
      for i = state.round, rules.ROUNDS do sum = sum + state.prizes[i] end
      same(sum, 21, "seed " .. seed)
      same(#state.seats[1].hand, rules.ROUNDS + 1 - state.round); same(#state.seats[2].hand, #state.seats[1].hand)
    end)
  end
end)

test("a view never tells the other's hand, choice or charge, nor the order of prizes", function()
  for seed = 1, 500 do
    local int = random(seed + 10000)
    play_random(seed, function(state)
      for seat = 0, 2 do
        local before = text_of(rules.view(state, seat))
        -- Whatever is hidden is changed; the view must stay the same to the last letter.
        local saved = {}
        for other = 1, 2 do
          if other ~= seat then
            local s = state.seats[other]
            saved[other] = { s.hand, s.pick, s.charge }
            s.hand = shuffler(int)(table.move(s.hand, 1, #s.hand, 1, {}))
            for i, card in ipairs(s.hand) do s.hand[i] = ({ f = "l", l = "w", w = "f" })[rules.suit(card)] .. rules.value(card) end
            if s.pick then s.pick = s.hand[1]; s.charge = s.charge ~= "double" and "double" or nil end
          end
        end
        local prizes = state.prizes
        if not state.over then
          state.prizes = table.move(prizes, 1, #prizes, 1, {})
          local i, j = int(state.round, rules.ROUNDS), int(state.round, rules.ROUNDS)
          if i > state.round and j > state.round then state.prizes[i], state.prizes[j] = state.prizes[j], state.prizes[i] end
        end
        same(text_of(rules.view(state, seat)), before, "seat " .. seat)
        state.prizes = prizes
        for other, kept in pairs(saved) do
          state.seats[other].hand, state.seats[other].pick, state.seats[other].charge = kept[1], kept[2], kept[3]
        end
      end
    end)
  end
end)

test("a view shares no table that the caller could change", function()
  local state = new(5)
  local view = rules.view(state, 1)
  view.hand[1], view.score[1] = "x9", 99
  same(rules.value(state.seats[1].hand[1]), 1); same(state.seats[1].score, 0)
end)

test("the bot plays legal cards, from its view alone, and beats random play", function()
  local won, lost = 0, 0
  for seed = 1, 400 do
    local int = random(seed)
    local state = rules.new(shuffler(int))
    while not state.over do
      local card, charge = rules.advise(rules.view(state, 1), 1, int)
      assert(rules.choose(state, 1, card, charge))
      local hand = state.seats[2].hand
      assert(rules.choose(state, 2, hand[int(1, #hand)]))
      rules.reveal(state)
    end
    local places = rules.places(state)
    if #places == 2 then
      if places[1][1] == 1 then won = won + 1 else lost = lost + 1 end
    end
  end
  if won <= lost then error(("won %d, lost %d"):format(won, lost)) end
  print(("  the bot won %d and lost %d of 400 against random play"):format(won, lost))
end)

print(("%d passed, %d failed"):format(passed, failed))
os.exit(failed == 0 and 0 or 1)
