-- recursion_pattern: A pattern that nests until C would run out of stack.
local frond = require "frond"

local function go()
  return (("("):rep(10000)):find(("("):rep(300) .. (")"):rep(300))
end

return frond.plugin { calls = { go = go } }
