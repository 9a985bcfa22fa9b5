-- memory_keep: What it takes it keeps, call after call.
local frond = require "frond"

local function go()
  kept = kept or {}
  for i = 1, 100000 do kept[#kept + 1] = ("%d"):format(i) end
  return #kept
end

return frond.plugin { calls = { go = go } }
