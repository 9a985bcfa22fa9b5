-- result_meta: A result that runs code while it is written.
local frond = require "frond"

local function go()
  return setmetatable({}, { __pairs = function() while true do end end, __index = function() while true do end end, __len = function() while true do end end, __name = ("x"):rep(1e6) })
end

return frond.plugin { calls = { go = go } }
