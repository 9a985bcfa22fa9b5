-- reach_require: require knows the plugin's own files and frond, nothing else.
local frond = require "frond"

local function go()
  for _, name in ipairs { "io", "os", "debug", "package", "string.dump", "_G", "../../etc/passwd", "/etc/passwd", "main\0x", ("x"):rep(1e6), "", "..", "frond.debug" } do
    local ok, what = pcall(require, name)
    if ok and what ~= nil then return "escaped: require " .. name:sub(1, 40) end
  end
  return "harmless"
end

return frond.plugin { calls = { go = go } }
