-- timing_memory: It touches and drops all the memory it may have: caches and page tables of the neighbours.
local frond = require "frond"

local function go()
  for _ = 1, 200 do
    local t = {}
    for i = 1, 20 do t[i] = ("x"):rep(1 << 20) .. i end
    frond.time.now_ms()
  end
  return "harmless"
end

return frond.plugin { calls = { go = go } }
