-- loop_utf8: One C call over a long text, again and again.
local frond = require "frond"

local function go()
  local text = ("\u{10FFFF}"):rep(1000000)
  while true do utf8.len(text) end
end

return frond.plugin { calls = { go = go } }
