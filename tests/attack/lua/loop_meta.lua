-- loop_meta: An index that asks itself.
local frond = require "frond"

local function go()
  local t = setmetatable({}, {})
  getmetatable(t).__index = function(_, k) return t[k + 1] end
  while true do pcall(function() return t[1] end) end
end

return frond.plugin { calls = { go = go } }
