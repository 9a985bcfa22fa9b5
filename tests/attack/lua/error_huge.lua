-- error_huge: An error text of megabytes.
local frond = require "frond"

local function go()
  error(("e"):rep(10000000))
end

return frond.plugin { calls = { go = go } }
