-- loop_iterator: An iterator without an end.
local frond = require "frond"

local function go()
  for _ in function() return 1 end do end
end

return frond.plugin { calls = { go = go } }
