-- loop: A plain endless loop.
local frond = require "frond"

local function go()
  while true do end
end

return frond.plugin { calls = { go = go } }
