-- loop_handler_again: The handler fails, so it is called for its own failure.
local frond = require "frond"

local function go()
  local function handler() error("again") end
  while true do xpcall(error, handler) end
end

return frond.plugin { calls = { go = go } }
