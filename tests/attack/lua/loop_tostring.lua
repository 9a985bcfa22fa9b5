-- loop_tostring: A name that takes for ever.
local frond = require "frond"

local function go()
  return tostring(setmetatable({}, { __tostring = function() while true do end end }))
end

return frond.plugin { calls = { go = go } }
