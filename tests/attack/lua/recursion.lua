-- recursion: A function that calls itself.
local frond = require "frond"

local function go()
  local function f() return 1 + f() end
  return f()
end

return frond.plugin { calls = { go = go } }
