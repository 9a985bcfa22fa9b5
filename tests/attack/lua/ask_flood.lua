-- ask_flood: More host calls than anybody may have open.
local frond = require "frond"

local function go()
  local calls = {}
  for i = 1, 100000 do calls[i] = function() return frond.time.now_ms() end end
  return #frond.all(calls)
end

return frond.plugin { calls = { go = go } }
