-- loop_concat: Concatenating what is not there.
local frond = require "frond"

local function go()
  return table.concat(setmetatable({}, { __index = function() return "" end }), "", 1, math.maxinteger)
end

return frond.plugin { calls = { go = go } }
