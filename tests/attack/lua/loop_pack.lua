-- loop_pack: string.unpack over a long text again and again, in C.
local frond = require "frond"

local function go()
  local text, format = ("x"):rep(1 << 20), ("B"):rep(200)
  while true do for at = 1, #text - 200, 200 do string.unpack(format, text, at) end end
end

return frond.plugin { calls = { go = go } }
