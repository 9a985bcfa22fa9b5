-- reach_functions: Nor what reads files, writes to the terminal or steers the collector.
local frond = require "frond"

local function go()
  for _, name in ipairs { "dofile", "loadfile", "print", "collectgarbage", "warn" } do
    if _G[name] ~= nil then return "escaped: " .. name end
  end
  return "harmless"
end

return frond.plugin { calls = { go = go } }
