-- ask_inside: A host call where nobody can wait.
local frond = require "frond"

local function go()
  return table.sort({ 3, 2, 1 }, function() return frond.time.now_ms() > 0 end)
end

return frond.plugin { calls = { go = go } }
