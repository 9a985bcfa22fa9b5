-- loop_gc: A finalizer that never ends: setmetatable must refuse it.
local frond = require "frond"

local function go()
  local ok = pcall(setmetatable, {}, { __gc = function() while true do end end })
  if ok then
    for _ = 1, 1e6 do local _ = {} end
    return "escaped: __gc"
  end
  return "harmless"
end

return frond.plugin { calls = { go = go } }
