-- reach_table: Moves, sorts and unpacks over what is not there.
local frond = require "frond"

local tried = 0
-- One try: `attempt` gives back what it got hold of, or nil.
local function try(name, attempt)
  tried = tried + 1
  local ok, got = pcall(attempt)
  if ok and got then error("escaped: " .. name .. ": " .. tostring(got), 0) end
end

local function go()
  try("unpack of millions", function() return select("#", table.unpack({}, 1, 1e8)) end)
  try("unpack overflow", function() return table.unpack({}, math.mininteger, math.maxinteger) end)
  try("concat of holes", function() return table.concat({}, ",", 1, 1e9) end)
  try("concat of tables", function() return table.concat({ {} }) end)
  try("insert far away", function() return table.insert({}, 1e9, 1) end)
  try("remove far away", function() return table.remove({ 1 }, 1e9) end)
  try("move overflow", function() return table.move({}, 1, math.maxinteger, 2) end)
  try("move wrap", function() return table.move({}, math.mininteger, math.maxinteger, 1) end)
  try("sort that lies", function() local t = {} for i = 1, 200 do t[i] = i end table.sort(t, function() return true end) for _, v in pairs(t) do if type(v) ~= "number" or v < 1 or v > 200 then return v end end end)
  try("sort that grows", function() local t = { 3, 2, 1 } table.sort(t, function(a, b) t[#t + 1] = 0 if #t > 500 then error("enough") end return a < b end) end)
  try("sort of strangers", function() return table.sort({ 1, "a", {} }) end)
  try("pack size", function() return table.pack(nil, nil).n ~= 2 end)
  try("next of a foreign key", function() return next({}, "no such key") end)
  try("rawlen of nothing", function() return rawlen(1) end)
  try("rawequal", function() return rawequal({}, {}) end)
  return "harmless: " .. tried .. " tried"
end

return frond.plugin { calls = { go = go } }
