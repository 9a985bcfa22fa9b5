-- bytecode_dump: Making bytecode: string.dump must not be there.
local frond = require "frond"

local function go()
  if string.dump then return "escaped: string.dump" end
  return "harmless"
end

return frond.plugin { calls = { go = go } }
