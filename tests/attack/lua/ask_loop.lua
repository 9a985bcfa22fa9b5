-- ask_loop: Host calls one after another, for ever.
local frond = require "frond"

local function go()
  while true do frond.time.now_ms() end
end

return frond.plugin { calls = { go = go } }
