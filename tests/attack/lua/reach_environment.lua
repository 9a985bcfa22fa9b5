-- reach_environment: Another environment, another _G, another require: the same walls.
local frond = require "frond"

local tried = 0
-- One try: `attempt` gives back what it got hold of, or nil.
local function try(name, attempt)
  tried = tried + 1
  local ok, got = pcall(attempt)
  if ok and got then error("escaped: " .. name .. ": " .. tostring(got), 0) end
end

local function go()
  try("a table as environment", function() local f = load("return require", "x", "t", setmetatable({}, { __index = _G })) return f and f() ~= require end)
  try("globals through _ENV", function() local f = load("return _ENV.io or _ENV.os") return f and f() end)
  try("_G of _G", function() return _G._G.io or _G._G.debug end)
  try("a require of its own", function() local was = require require = function() return io end local got = require("io") require = was return got end)
  try("loaded", function() return package and package.loaded end)
  try("searchers", function() return package and package.searchers end)
  try("frond internals", function() for k, v in pairs(frond) do if type(v) == "userdata" and k ~= "null" or type(v) == "thread" then return k end end end)
  try("upvalues", function() return debug and debug.getupvalue end)
  try("hooks", function() return debug and debug.sethook end)
  try("registry", function() return debug and debug.getregistry end)
  try("metatable of frond", function() local m = getmetatable(frond) return type(m) == "table" and m.__index ~= nil and type(m.__index) == "userdata" and m end)
  try("environment variables", function() return os and os.getenv end)
  try("exit", function() return os and os.exit end)
  try("popen", function() return io and io.popen end)
  return "harmless: " .. tried .. " tried"
end

return frond.plugin { calls = { go = go } }
