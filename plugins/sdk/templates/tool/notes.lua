-- notes.lua: what a list of notes may hold. Pure functions, tested by notes_test.lua with plain lua5.4.
local M = { MOST = 20 }

--- A new list with `text` at its end; the oldest notes go when there are too many. nil, reason: refused.
function M.add(list, text)
  local trimmed = text:match "^%s*(.-)%s*$"
  if trimmed == "" then return nil, "empty_note" end
  local result = {}
  for i = math.max(1, #list - M.MOST + 2), #list do result[#result + 1] = list[i] end
  result[#result + 1] = trimmed
  return result
end

return M
