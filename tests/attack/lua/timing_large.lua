-- timing_large: Host calls with the largest arguments: the host's parser.
local frond = require "frond"

local function go()
  local list = {}
  for i = 1, 3000 do list[i] = "x" .. i end
  for i = 1, 100 do frond.store.put("plugin", "k" .. i, list) end
  return "harmless"
end

return frond.plugin { calls = { go = go } }
