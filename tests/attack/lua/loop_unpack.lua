-- loop_unpack: Many values at once.
local frond = require "frond"

local function go()
  while true do pcall(table.unpack, {}, 1, 1e6) end
end

return frond.plugin { calls = { go = go } }
