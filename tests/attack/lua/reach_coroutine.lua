-- reach_coroutine: The thread that the host resumes is not the plugin's to close, wrap or resume.
local frond = require "frond"

local tried = 0
-- One try: `attempt` gives back what it got hold of, or nil.
local function try(name, attempt)
  tried = tried + 1
  local ok, got = pcall(attempt)
  if ok and got then error("escaped: " .. name .. ": " .. tostring(got), 0) end
end

local function go()
  try("resume of the running", function() return coroutine.resume(coroutine.running()) end)
  try("close of the running", function() return coroutine.close(coroutine.running()) end)
  try("wrap of a C function", function() return coroutine.wrap(string.rep)("x", -1) ~= "" end)
  try("status of a number", function() return coroutine.status(1) end)
  try("is it the main one", function() local _, main = coroutine.running() return main end)
  try("yield in a sort", function() table.sort({ 3, 2, 1 }, function() coroutine.yield() end) end)
  try("yield in a gsub", function() string.gsub("x", "x", function() coroutine.yield() end) end)
  try("yield in a close", function() local t <close> = setmetatable({}, { __close = function() error("closing") end }) end)
  try("resume of the dead", function() local c = coroutine.create(function() end) coroutine.resume(c) return (coroutine.resume(c)) end)
  try("close while it runs", function() local c c = coroutine.create(function() return coroutine.close(c) end) local ok, got = coroutine.resume(c) return ok and got end)
  try("resume from inside", function() local c c = coroutine.wrap(function() return c() end) return c() end)
  try("a host call inside one", function() local c = coroutine.create(function() return frond.time.now_ms() end) local ok, got = coroutine.resume(c) return ok and type(got) == "number" and nil end)
  return "harmless: " .. tried .. " tried"
end

return frond.plugin { calls = { go = go } }
