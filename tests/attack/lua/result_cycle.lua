-- result_cycle: A result that contains itself.
local frond = require "frond"

local function go()
  local t = {}
  t.t = t
  return t
end

return frond.plugin { calls = { go = go } }
