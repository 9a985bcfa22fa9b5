-- loop_handler_nested: Handlers inside handlers.
local frond = require "frond"

local function go()
  local function dive() xpcall(error, dive) end
  while true do pcall(dive) end
end

return frond.plugin { calls = { go = go } }
