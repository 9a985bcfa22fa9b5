-- loop_pattern: A pattern that backtracks for ages inside one C call.
local frond = require "frond"

local function go()
  return (("a"):rep(5000)):find((".-"):rep(20) .. "b")
end

return frond.plugin { calls = { go = go } }
