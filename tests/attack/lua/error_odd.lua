-- error_odd: An error that is no text, with a name that runs code.
local frond = require "frond"

local function go()
  error(setmetatable({}, { __tostring = function() while true do end end }))
end

return frond.plugin { calls = { go = go } }
