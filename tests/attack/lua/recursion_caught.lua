-- recursion_caught: Deep, caught, deeper.
local frond = require "frond"

local function go()
  local function f() pcall(f) f() end
  f()
end

return frond.plugin { calls = { go = go } }
