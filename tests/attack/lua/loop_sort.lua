-- loop_sort: A comparison that says yes to everything.
local frond = require "frond"

local function go()
  local t = {}
  for i = 1, 100000 do t[i] = i end
  while true do pcall(table.sort, t, function() return true end) end
end

return frond.plugin { calls = { go = go } }
