-- result_odd: A result that is no plain data.
local frond = require "frond"

local function go()
  return { f = print, c = coroutine.create(function() end), [{}] = 1, nan = 0 / 0, inf = math.huge }
end

return frond.plugin { calls = { go = go } }
