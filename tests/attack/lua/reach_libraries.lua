-- reach_libraries: io, os, debug and package must not be there.
local frond = require "frond"

local function go()
  for _, name in ipairs { "io", "os", "debug", "package", "ffi", "jit", "bit32", "arg" } do
    if _G[name] ~= nil then return "escaped: " .. name end
  end
  return "harmless"
end

return frond.plugin { calls = { go = go } }
