-- memory_unpack: As many values as the stack will take.
local frond = require "frond"

local function go()
  local t = {}
  for i = 1, 900000 do t[i] = i end
  return select("#", table.unpack(t))
end

return frond.plugin { calls = { go = go } }
