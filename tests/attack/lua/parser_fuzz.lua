-- parser_fuzz: Strange source, thousands of times.
local frond = require "frond"

local function go()
  local bits = { "local ", "x", "=", "{", "}", "(", ")", "function", " end ", " goto ", "::", "<close>", "\"", "[[", "..", "\\", "\0", "1e", " return " }
  local n = 1
  for _ = 1, math.maxinteger do
    local t = {}
    for i = 1, 40 do
      n = (n * 1103515245 + 12345) % 2147483648
      t[i] = bits[n // 65536 % #bits + 1]
    end
    load(table.concat(t))
  end
end

return frond.plugin { calls = { go = go } }
