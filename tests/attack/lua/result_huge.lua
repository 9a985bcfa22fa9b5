-- result_huge: A result that fits no frame.
local frond = require "frond"

local function go()
  return ("x"):rep(2000000)
end

return frond.plugin { calls = { go = go } }
