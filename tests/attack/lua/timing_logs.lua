-- timing_logs: Log lines of the longest kind, as fast as it can, within the rates.
local frond = require "frond"

local function go()
  local line = ("x"):rep(4000)
  for i = 1, 2000 do
    frond.log.info(line)
    if i % 20 == 0 then frond.time.now_ms() end
  end
  return "harmless"
end

return frond.plugin { calls = { go = go } }
