-- timing_asks: As many host calls at once as allowed, again and again: the host's own time.
local frond = require "frond"

local function go()
  for _ = 1, 400 do
    local calls = {}
    for i = 1, 60 do calls[i] = function() return frond.time.now_ms() end end
    frond.all(calls)
  end
  return "harmless"
end

return frond.plugin { calls = { go = go } }
