-- reach_string_meta: The metatable that all texts share must be locked.
local frond = require "frond"

local function go()
  local meta = getmetatable("")
  if type(meta) == "table" then
    meta.__index = function() return "owned" end
    return "escaped: string metatable"
  end
  if pcall(setmetatable, "", {}) then return "escaped: setmetatable on a text" end
  return "harmless"
end

return frond.plugin { calls = { go = go } }
