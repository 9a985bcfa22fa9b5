-- memory_closure: A chain of closures, each holding the next.
local frond = require "frond"

local function go()
  local f = function() end
  while true do
    local g = f
    f = function() return g end
  end
end

return frond.plugin { calls = { go = go } }
