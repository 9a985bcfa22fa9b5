-- loop_index: __index of __index, two hundred deep, looked up for ever.
local frond = require "frond"

local function go()
  local t = {}
  for _ = 1, 200 do t = setmetatable({}, { __index = t }) end
  while true do local _ = t.nothing end
end

return frond.plugin { calls = { go = go } }
