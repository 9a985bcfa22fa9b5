-- loop_gsub: A replacement function that never ends.
local frond = require "frond"

local function go()
  return (("x"):gsub("x", function() while true do end end))
end

return frond.plugin { calls = { go = go } }
