-- loop_pcall: Each error is caught, and it goes on.
local frond = require "frond"

local function go()
  while true do pcall(function() while true do end end) end
end

return frond.plugin { calls = { go = go } }
