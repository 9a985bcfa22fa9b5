-- Tests with plain Lua: frond plugin test, or: lua5.4 notes_test.lua
local notes = require "notes"

local failed = 0
local function test(name, body)
  local ok, why = pcall(body)
  if not ok then failed = failed + 1 end
  print((ok and "ok " or "not ok ") .. "my-plugin: " .. name)
  if not ok then print("  " .. tostring(why)) end
end

test("a note is trimmed and goes to the end", function()
  local list = notes.add({ "one" }, "  two ")
  assert(#list == 2 and list[2] == "two")
end)

test("an empty note is refused", function()
  local list, why = notes.add({}, "   ")
  assert(list == nil and why == "empty_note")
end)

test("the oldest goes when there are too many", function()
  local list = {}
  for i = 1, notes.MOST + 5 do list = notes.add(list, "n" .. i) end
  assert(#list == notes.MOST and list[1] == "n6" and list[#list] == "n" .. notes.MOST + 5)
end)

os.exit(failed == 0)
