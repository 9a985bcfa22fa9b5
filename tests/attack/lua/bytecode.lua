-- bytecode: Code that no compiler checked.
local frond = require "frond"

local function go()
  local f = load("\27Lua\x54\0\x19\x93\r\n\x1a\n\4\8\8", "x", "b")
  if f then return "escaped: bytecode" end
  if load("\27Lua", "x", "bt") then return "escaped: bytecode" end
  return "harmless"
end

return frond.plugin { calls = { go = go } }
