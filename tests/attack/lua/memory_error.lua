-- memory_error: Errors that hold errors, caught for ever.
local frond = require "frond"

local function go()
  local held
  while true do
    local _, e = pcall(error, { held, ("x"):rep(1000) .. tostring(held) })
    held = e
  end
end

return frond.plugin { calls = { go = go } }
