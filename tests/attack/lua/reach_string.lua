-- reach_string: Formats, patterns and packs with numbers that reach outside.
local frond = require "frond"

local tried = 0
-- One try: `attempt` gives back what it got hold of, or nil.
local function try(name, attempt)
  tried = tried + 1
  local ok, got = pcall(attempt)
  if ok and got then error("escaped: " .. name .. ": " .. tostring(got), 0) end
end

local function go()
  try("dump", function() return string.dump end)
  try("format width", function() return #string.format("%999d", 1) > 200 end)
  try("format precision", function() return #string.format("%.999f", 1.5) > 200 end)
  try("format n", function() return string.format("%n", 1) end)
  try("format of a pointer", function() return string.format("%p", {}) :find("0x") and nil end)
  try("format with a table", function() return string.format("%d", {}) end)
  try("unpack behind the end", function() return string.unpack("s8", "\255\255\255\255\255\255\255\127x") end)
  try("unpack before the start", function() return string.unpack("B", "x", -100) ~= 120 end)
  try("unpack at the largest", function() return string.unpack("i8", "12345678", math.maxinteger) end)
  try("pack of 17 bytes", function() return string.pack("i17", 1) end)
  try("packsize overflow", function() return string.packsize(("!16 s8"):rep(3)) end)
  try("rep overflow", function() return string.rep("x", math.maxinteger) end)
  try("rep with separator overflow", function() return string.rep("", math.maxinteger, ("x"):rep(1000)) end)
  try("byte out of range", function() return string.byte("abc", 4, math.maxinteger) end)
  try("byte of all", function() return select("#", string.byte(("x"):rep(2e6), 1, -1)) == 2e6 and nil end)
  try("sub at the ends", function() return #string.sub("abc", math.mininteger, math.maxinteger) > 3 end)
  try("gsub with a captured index", function() return (string.gsub("x", "x", "%2")) end)
  try("frontier", function() return string.find("x", "%f[") end)
  try("gmatch that is kept", function() local f = string.gmatch(("x"):rep(10), "x") for _ = 1, 20 do f() end return f() end)
  return "harmless: " .. tried .. " tried"
end

return frond.plugin { calls = { go = go } }
