-- memory_string: A text that doubles.
local frond = require "frond"

local function go()
  local s = "x"
  while true do s = s .. s end
end

return frond.plugin { calls = { go = go } }
