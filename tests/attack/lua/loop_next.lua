-- loop_next: A table that grows while it is walked.
local frond = require "frond"

local function go()
  local t, n = { 1 }, 1
  while true do
    for k in pairs(t) do
      t[k] = nil
      n = n + 1
      t[n % 5000 + 1] = k
      break
    end
  end
end

return frond.plugin { calls = { go = go } }
