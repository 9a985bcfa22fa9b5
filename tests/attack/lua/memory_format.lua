-- memory_format: One huge number in one huge field, many times.
local frond = require "frond"

local function go()
  local t = {}
  while true do t[#t + 1] = ("%99d"):format(#t):rep(10000) end
end

return frond.plugin { calls = { go = go } }
