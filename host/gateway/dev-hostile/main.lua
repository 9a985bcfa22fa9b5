-- dev-hostile: three ways to be a bad neighbour, for the button on /app/dev/. The host must not notice.
local frond = require "frond"

local function loop()
  while true do pcall(function() while true do end end) end
end

local function memory()
  local kept = {}
  for i = 1, math.maxinteger do kept[i] = ("x"):rep(100000) .. i end
end

local function flood()
  for i = 1, math.maxinteger do frond.log.info("flood", { line = i }) end
end

return frond.plugin { calls = { loop = loop, memory = memory, flood = flood } }
