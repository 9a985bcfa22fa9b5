-- break_globals: It takes our functions away from under us.
local frond = require "frond"

local function go()
  for name in pairs { pcall = 1, error = 1, type = 1, tostring = 1, setmetatable = 1, coroutine = 1, string = 1, table = 1, select = 1, load = 1, require = 1 } do _G[name] = nil end
  return "harmless"
end

return frond.plugin { calls = { go = go } }
