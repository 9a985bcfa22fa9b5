-- frond.lua: what `require "frond"` gives, and how a plugin's definition is checked. Runs once in each state, before the plugin.
-- native: { array = f, null = v, all = f, each = next of any table, families = {store = {..}, ..} }. Plugin code may change the
-- libraries later, so what is needed afterwards is taken now.
local native = ...
local type, error = type, error
local sort, concat = table.sort, table.concat
local sub = string.sub

local GAME <const>, PLUGIN <const> = 1, 2
local definitions = {}                                -- what frond.game and frond.plugin returned, and which of them it was

local frond = { array = native.array, null = native.null, all = native.all }
for family, functions in native.each, native.families do
  if family == "frond" then
    for name, fn in native.each, functions do frond[name] = fn end
  else
    frond[family] = functions
  end
end

-- How many single-character edits turn a into b, for "did you mean".
local function distance(a, b)
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local cost = sub(a, i, i) == sub(b, j, j) and diagonal or diagonal + 1
      diagonal = row[j]
      if row[j] + 1 < cost then cost = row[j] + 1 end
      if row[j - 1] + 1 < cost then cost = row[j - 1] + 1 end
      row[j] = cost
    end
  end
  return row[#b]
end

local function hint(key, known)
  local best, least = nil, 3
  for i = 1, #known do
    local d = distance(key, known[i])
    if d < least then best, least = known[i], d end
  end
  return best and (" (did you mean '" .. best .. "'?)") or (" (there are: " .. concat(known, ", ") .. ")")
end

local function keys_of(t, what)
  local list = {}
  for key in native.each, t do
    if type(key) ~= "string" then error(what .. ": names are texts, got a " .. type(key) .. " key", 4) end
    list[#list + 1] = key
  end
  sort(list)
  return list
end

local function check_functions(t, what)
  if type(t) ~= "table" then error(what .. " must be a table of functions, got " .. type(t), 3) end
  local names = keys_of(t, what)
  for i = 1, #names do
    if type(t[names[i]]) ~= "function" then error(what .. "." .. names[i] .. " must be a function, got " .. type(t[names[i]]), 3) end
  end
  return names
end

local function check_keys(def, what, known)
  if type(def) ~= "table" then error(what .. " takes one table, got " .. type(def), 3) end
  local names, allowed = keys_of(def, what), {}
  for i = 1, #known do allowed[known[i]] = true end
  for i = 1, #names do
    if not allowed[names[i]] then error(what .. " knows no '" .. names[i] .. "'" .. hint(names[i], known), 3) end
  end
end

local GAME_KEYS = { "new", "input", "view", "timer", "tick", "answer", "join", "drop", "back", "leave", "bot" }
local GAME_OPTIONAL = { "timer", "tick", "answer", "join", "drop", "back", "leave", "bot" }

function frond.game(def)
  check_keys(def, "frond.game", GAME_KEYS)
  for i = 1, #GAME_KEYS do
    local key, value = GAME_KEYS[i], def[GAME_KEYS[i]]
    if key == "input" then
      check_functions(value == nil and {} or value, "frond.game input")
    elseif type(value) ~= "function" and (value ~= nil or key == "new" or key == "view") then
      error("frond.game needs " .. key .. " to be a function, got " .. type(value), 2)
    end
  end
  definitions[def] = GAME
  return def
end

local SECTIONS = { calls = "call", hooks = "hook", jobs = "job", on = "on" }
local PLUGIN_KEYS = { "calls", "hooks", "jobs", "on", "game" }

function frond.plugin(def)
  check_keys(def, "frond.plugin", PLUGIN_KEYS)
  for section in native.each, SECTIONS do
    if def[section] ~= nil then check_functions(def[section], "frond.plugin " .. section) end
  end
  if def.game ~= nil and definitions[def.game] ~= GAME then error("frond.plugin: game must come from frond.game{...}", 2) end
  definitions[def] = PLUGIN
  return def
end

-- From what main.lua returned: handlers by target ("call:greet"), the game or nil, and the description for the host.
local function define(def)
  local kind = type(def) == "table" and definitions[def]
  if not kind then error("main.lua must return frond.plugin{...} or frond.game{...}, it returned " .. (type(def) == "table" and "another table" or type(def)), 0) end
  if kind == GAME then def = { game = def } end
  local handlers, about = {}, {}
  for section, prefix in native.each, SECTIONS do
    local names = def[section] and keys_of(def[section], section) or {}
    for i = 1, #names do handlers[prefix .. ":" .. names[i]] = def[section][names[i]] end
    about[section] = native.array(names)
  end
  if def.game then
    about.game = { input = native.array(keys_of(def.game.input or {}, "input")) }
    for i = 1, #GAME_OPTIONAL do about.game[GAME_OPTIONAL[i]] = def.game[GAME_OPTIONAL[i]] ~= nil end
  else
    about.game = native.null
  end
  return handlers, def.game or false, about
end

return frond, define
