-- Tests of the rules with plain Lua: frond plugin test, or: lua5.4 rules_test.lua
local rules = require "rules"

local failed = 0
local function test(name, body)
  local ok, why = pcall(body)
  if not ok then failed = failed + 1 end
  print((ok and "ok " or "not ok ") .. "my-plugin: " .. name)
  if not ok then print("  " .. tostring(why)) end
end
local function same(got, want) if got ~= want then error(("got %s, want %s"):format(got, want), 2) end end

local function play(state, a, b)
  assert(rules.choose(state, 1, a)); assert(rules.choose(state, 2, b))
  return rules.reveal(state)
end

test("the higher card takes the round, a 1 beats a 5, equal cards nobody", function()
  local state = rules.new()
  play(state, 3, 2); same(state.history[1].winner, 1)
  play(state, 1, 5); same(state.history[2].winner, 1)
  play(state, 4, 4); same(state.history[3].winner, 0)
  same(state.seats[1].score, 2); same(state.seats[2].score, 0)
end)

test("a card can be played once, and one a round", function()
  local state = rules.new()
  assert(rules.choose(state, 1, 5))
  local _, why = rules.choose(state, 1, 4); same(why, "already_played")
  assert(rules.choose(state, 2, 1)); rules.reveal(state)
  _, why = rules.choose(state, 1, 5); same(why, "not_in_hand")
end)

test("five rounds end it; more rounds win, equal ones are a draw", function()
  local state = rules.new()
  for card = 1, 5 do same(play(state, card, card % 5 + 1), card == 5) end
  same(state.seats[2].score, 5); same(rules.places(state)[1][1], 2)
  state = rules.new()
  for card = 1, 5 do play(state, card, card) end
  same(#rules.places(state), 1); same(#rules.places(state)[1], 2)
end)

test("who is too slow plays the lowest card", function()
  local state = rules.new()
  assert(rules.choose(state, 2, 4)); rules.time_out(state)
  same(state.seats[1].card, 1); same(state.seats[2].card, 4)
end)

os.exit(failed == 0)
