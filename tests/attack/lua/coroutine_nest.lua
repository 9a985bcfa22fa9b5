-- coroutine_nest: Each coroutine starts the next.
local frond = require "frond"

local function go()
  local function dive() return coroutine.wrap(dive)() end
  return dive()
end

return frond.plugin { calls = { go = go } }
