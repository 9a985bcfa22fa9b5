-- reach_math_utf8: Numbers and code points past their ends.
local frond = require "frond"

local tried = 0
-- One try: `attempt` gives back what it got hold of, or nil.
local function try(name, attempt)
  tried = tried + 1
  local ok, got = pcall(attempt)
  if ok and got then error("escaped: " .. name .. ": " .. tostring(got), 0) end
end

local function go()
  try("random of nothing", function() return math.random(2, 1) end)
  try("random overflow", function() local n = math.random(math.mininteger, math.maxinteger) return math.type(n) ~= "integer" and n end)
  try("randomseed of text", function() return math.randomseed({}) end)
  try("fmod zero", function() return math.fmod(1, 0) end)
  try("mod zero", function() return 1 // 0 end)
  try("shift", function() return (1 << 64) ~= 0 end)
  try("char too large", function() return utf8.char(0x80000000) end)
  try("codepoint behind", function() return utf8.codepoint("a", 2) end)
  try("codepoint before", function() return utf8.codepoint("a", -5) end)
  try("offset far", function() return utf8.offset("a", math.maxinteger) end)
  try("offset back", function() return utf8.offset("a", math.mininteger) end)
  try("len at the end", function() return utf8.len("a", math.maxinteger) end)
  try("codes of half a character", function() for _, c in utf8.codes("\xff") do return c end end)
  try("tostring of huge", function() return #tostring(2^1023) > 100 end)
  try("tonumber base", function() return tonumber("zz", 99) end)
  return "harmless: " .. tried .. " tried"
end

return frond.plugin { calls = { go = go } }
