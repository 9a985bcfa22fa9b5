-- memory_pack: string.pack makes it all at once.
local frond = require "frond"

local function go()
  return #string.pack(("s8"):rep(200), table.unpack((function()
    local t = {}
    for i = 1, 200 do t[i] = ("x"):rep(1 << 20) end
    return t
  end)()))
end

return frond.plugin { calls = { go = go } }
