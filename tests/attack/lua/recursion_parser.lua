-- recursion_parser: Source that nests until the parser would run out of stack.
local frond = require "frond"

local function go()
  return load("return " .. ("("):rep(200000) .. "1" .. (")"):rep(200000))
end

return frond.plugin { calls = { go = go } }
