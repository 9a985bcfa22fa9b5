-- loop_wraps: Twenty coroutines deep.
local frond = require "frond"

local function go()
  local function dive(n)
    if n == 0 then while true do end end
    return coroutine.wrap(dive)(n - 1)
  end
  while true do pcall(dive, 20) end
end

return frond.plugin { calls = { go = go } }
