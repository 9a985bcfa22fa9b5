-- ask_bad: Host calls with arguments that make no sense.
local frond = require "frond"

local function go()
  pcall(frond.store.get)
  pcall(frond.store.get, {}, {})
  pcall(frond.store.put, "plugin", "k", coroutine.create(function() end))
  pcall(frond.store.put, "plugin", ("k"):rep(1e6), 1)
  local t = {}
  t.t = t
  pcall(frond.store.put, "plugin", "k", t)
  return "harmless"
end

return frond.plugin { calls = { go = go } }
