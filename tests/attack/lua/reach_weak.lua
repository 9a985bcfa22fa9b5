-- reach_weak: Weak tables and finalizers watch the collector.
local frond = require "frond"

local function go()
  if pcall(setmetatable, {}, { __mode = "k" }) then return "escaped: __mode" end
  if pcall(setmetatable, {}, { __gc = true }) then return "escaped: __gc" end
  local late = {}
  if pcall(setmetatable, {}, late) then late.__gc = function() end end
  local mt = {}
  local held = setmetatable({}, mt)
  mt.__mode = "k"
  held[{}] = true
  for _ = 1, 100000 do local garbage = {} end
  if next(held) == nil then return "escaped: __mode, written afterwards" end
  return "harmless"
end

return frond.plugin { calls = { go = go } }
