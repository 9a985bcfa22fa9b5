-- memory_caught: Running out of memory again and again.
local frond = require "frond"

local function go()
  while true do pcall(function() local s = "x" while true do s = s .. s end end) end
end

return frond.plugin { calls = { go = go } }
