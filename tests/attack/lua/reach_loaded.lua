-- reach_loaded: The registry of modules must not be reached through upvalues or _ENV.
local frond = require "frond"

local function go()
  if _ENV.package or (_G._LOADED) then return "escaped: loaded" end
  local f = load("return _ENV", "x", "t", {})
  if f and f().io then return "escaped: io in a fresh _ENV" end
  return "harmless"
end

return frond.plugin { calls = { go = go } }
