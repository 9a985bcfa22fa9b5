-- loop_handler: The loop is in the error handler, where a hook is not called.
local frond = require "frond"

local function go()
  xpcall(error, function() while true do end end)
end

return frond.plugin { calls = { go = go } }
