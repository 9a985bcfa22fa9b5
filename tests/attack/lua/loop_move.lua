-- loop_move: Moving a huge range of nothing inside one C call.
local frond = require "frond"

local function go()
  return #table.move({}, 1, math.maxinteger - 1, 2)
end

return frond.plugin { calls = { go = go } }
