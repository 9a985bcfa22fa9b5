-- loop_wrap: The loop runs in a coroutine of its own, and what raises there is caught.
local frond = require "frond"

local function go()
  while true do pcall(coroutine.wrap(function() while true do end end)) end
end

return frond.plugin { calls = { go = go } }
