-- memory_rep: A terabyte, please.
local frond = require "frond"

local function go()
  return #("x"):rep(1 << 40)
end

return frond.plugin { calls = { go = go } }
