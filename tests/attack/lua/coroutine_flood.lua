-- coroutine_flood: A million coroutines, all of them kept.
local frond = require "frond"

local function go()
  local t = {}
  for i = 1, 1000000 do
    t[i] = coroutine.create(function() coroutine.yield() end)
    coroutine.resume(t[i])
  end
end

return frond.plugin { calls = { go = go } }
