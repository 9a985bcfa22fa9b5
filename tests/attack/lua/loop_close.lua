-- loop_close: A variable that never finishes closing.
local frond = require "frond"

local function go()
  local function f()
    local _ <close> = setmetatable({}, { __close = function() while true do end end })
    error("leave")
  end
  while true do pcall(f) end
end

return frond.plugin { calls = { go = go } }
