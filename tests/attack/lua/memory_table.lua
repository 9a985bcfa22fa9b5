-- memory_table: A table that grows until something breaks.
local frond = require "frond"

local function go()
  local t = {}
  for i = 1, math.maxinteger do t[i] = { i } end
end

return frond.plugin { calls = { go = go } }
