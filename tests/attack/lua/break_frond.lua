-- break_frond: It breaks the module that speaks to the host.
local frond = require "frond"

local function go()
  for k in pairs(frond) do pcall(function() frond[k] = nil end) end
  for _, family in ipairs { "log", "time", "store" } do pcall(function() frond[family] = { info = 1 } end) end
  return "harmless"
end

return frond.plugin { calls = { go = go } }
