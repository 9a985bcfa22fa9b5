-- loop_goto: An endless loop without a loop.
local frond = require "frond"

local function go()
  local n = 0
  ::again::
  n = n + 1
  goto again
end

return frond.plugin { calls = { go = go } }
