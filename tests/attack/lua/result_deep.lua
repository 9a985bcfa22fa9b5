-- result_deep: A result that nests for ever.
local frond = require "frond"

local function go()
  local t = {}
  for _ = 1, 100000 do t = { t } end
  return t
end

return frond.plugin { calls = { go = go } }
