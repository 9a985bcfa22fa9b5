-- loop_rep: Repeating nothing for ever inside one C call.
local frond = require "frond"

local function go()
  return #(""):rep(math.maxinteger)
end

return frond.plugin { calls = { go = go } }
