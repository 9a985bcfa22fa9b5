-- recursion_string: A metamethod that needs itself.
local frond = require "frond"

local function go()
  local t = setmetatable({}, {})
  getmetatable(t).__concat = function(x, y) return x .. y end
  return t .. t
end

return frond.plugin { calls = { go = go } }
