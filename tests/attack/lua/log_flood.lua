-- log_flood: Log lines for ever.
local frond = require "frond"

local function go()
  while true do frond.log.info("x") end
end

return frond.plugin { calls = { go = go } }
