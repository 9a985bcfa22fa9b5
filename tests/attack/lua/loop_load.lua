-- loop_load: A chunk that never ends.
local frond = require "frond"

local function go()
  return load(function() return "local x = 1\n" end)
end

return frond.plugin { calls = { go = go } }
