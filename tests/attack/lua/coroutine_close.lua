-- coroutine_close: Thousands of nested closings: five lines that crash Lua 5.4.4.
local frond = require "frond"

local function go()
  local function nest(n)
    local _ <close> = setmetatable({}, { __close = function() if n > 0 then coroutine.close(coroutine.create(nest)) nest(n - 1) end end })
  end
  return pcall(nest, 12000)
end

return frond.plugin { calls = { go = go } }
