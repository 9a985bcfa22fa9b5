-- log_huge: Log lines of megabytes.
local frond = require "frond"

local function go()
  while true do pcall(frond.log.info, ("x"):rep(1000000)) end
end

return frond.plugin { calls = { go = go } }
