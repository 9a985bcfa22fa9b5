-- timing_edge: Turns that end just under the limit, one after the other: all the CPU it may have, all the time.
local frond = require "frond"

local function go()
  for _ = 1, 1000 do
    local n = 0
    for i = 1, 3000000 do n = n + i % 7 end
    frond.time.now_ms()
  end
  return "harmless"
end

return frond.plugin { calls = { go = go } }
