-- reach_base: What is left of the base library must not lead out: no files, no bytecode, no finalizers, no locked metatable.
local frond = require "frond"

local tried = 0
-- One try: `attempt` gives back what it got hold of, or nil.
local function try(name, attempt)
  tried = tried + 1
  local ok, got = pcall(attempt)
  if ok and got then error("escaped: " .. name .. ": " .. tostring(got), 0) end
end

local function go()
  try("dofile", function() return dofile end)
  try("loadfile", function() return loadfile end)
  try("print", function() return print end)
  try("warn", function() return warn end)
  try("collectgarbage", function() return collectgarbage end)
  try("binary load", function() return load("\27Lua\x54", "x", "b") end)
  try("binary load by default", function() return load("\27Lua\x54\0\x19\x93\r\n\x1a\n") end)
  try("binary through a reader", function() local n = 0 return load(function() n = n + 1 return n == 1 and "\27Lua\x54" or nil end, "x", "bt") end)
  try("environment of load", function() local f = load("return io or os or debug or package") return f and f() end)
  try("__gc", function() return setmetatable({}, { __gc = function() end }) end)
  try("__mode", function() return setmetatable({}, { __mode = "k" }) end)
  try("__gc afterwards", function() local m = {} local t = setmetatable({}, m) m.__gc = function() end return nil end)
  try("metatable of strings", function() return type(getmetatable("")) == "table" and getmetatable("") end)
  try("metatable of numbers", function() return getmetatable(1) end)
  try("metatable of functions", function() return getmetatable(require) end)
  try("metatable of nil", function() return getmetatable(nil) end)
  return "harmless: " .. tried .. " tried"
end

return frond.plugin { calls = { go = go } }
