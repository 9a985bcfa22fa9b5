-- match.lua: the object `m` that a game's handlers get. Everything of it is read-only; its methods come from match_api.c.
-- setup: as in call.h. Returns m, the table of its fields (which match.c updates each turn) and what `new` gets as options.
local setup, methods, array = ...
local setmetatable, getmetatable, error, type, pairs, tostring = setmetatable, getmetatable, error, type, pairs, tostring

local function refuse(what)
  return function(_, key) error(what .. " is read-only: " .. tostring(key) .. " belongs into the state", 2) end
end

-- A read-only view of plain data. #, ipairs, pairs and indexing work as on the table itself.
local function frozen(t, what)
  if type(t) ~= "table" then return t end
  local inner = getmetatable(t) == false and array {} or {}          -- a list stays a list
  for key, value in pairs(t) do inner[key] = frozen(value, what) end
  return setmetatable({}, {
    __index = inner, __newindex = refuse(what), __metatable = false, __name = "frozen",
    __len = function() return #inner end,
    __pairs = function() return pairs(inner) end,
  })
end

local players, options = {}, {}
for seat = 1, #setup.players do
  players[seat] = setup.players[seat]
  options[seat] = setup.options and setup.options[seat] or {}
end

local fields = setmetatable({
  id = setup.id, mode = setup.mode, asset = setup.asset, stake = setup.stake or 0,
  now_ms = setup.now_ms, tick_no = 0, seats = #setup.players,
  players = frozen(players, "m.players"), options = frozen(options, "m.options"),
}, { __index = methods })

local m = setmetatable({}, { __index = fields, __newindex = refuse("m"), __metatable = false, __name = "match" })
return m, fields, fields.options
