-- tools.lua: llm.tools: a model that calls functions of the plugin, step by step. The loop runs here, each step is an llm.chat of its own; what a model writes is
-- checked against the tool's schema before anything runs, and what a tool brings goes back fenced, as material.
local native = ...
local type, error, tostring = type, error, tostring
local sort, concat = table.sort, table.concat
local sub = string.sub
local chat, fits, encode = native.families.llm.chat, native.fits, native.encode
local kind_of = math.type

local KNOWN <const> = { messages = true, tools = true, max_steps = true, model = true, lang = true, max_tokens = true, temperature = true, seed = true, payer = true, deadline_ms = true, key = true }
local STEPS <const>, STEPS_MAX <const>, TOOLS_MAX <const>, CALLS_MAX <const>, RESULT_BYTES <const>, SAME_MAX <const> = 8, 32, 32, 8, 8192, 2

local function check(o)
  if type(o) ~= "table" then error("llm.tools takes a table of named arguments, got " .. type(o), 3) end
  for key in native.each, o do if not KNOWN[key] then error("llm.tools knows no argument '" .. tostring(key) .. "'", 3) end end
  if type(o.messages) ~= "table" then error("llm.tools needs messages", 3) end
  if type(o.tools) ~= "table" then error("llm.tools needs tools: {name = {schema = .., doc = .., run = function(args) .. end}}", 3) end
  if type(o.key) ~= "string" or #o.key == 0 or #o.key > 120 then error("llm.tools needs a key of 1 to 120 bytes", 3) end
  local steps = o.max_steps or STEPS
  if kind_of(steps) ~= "integer" or steps < 1 or steps > STEPS_MAX then error("llm.tools: max_steps is an integer from 1 to " .. STEPS_MAX, 3) end
  local names = {}
  for name, tool in native.each, o.tools do
    if type(name) ~= "string" or type(tool) ~= "table" or type(tool.run) ~= "function" or type(tool.schema) ~= "table" then
      error("llm.tools: the tool '" .. tostring(name) .. "' needs schema (a table) and run (a function)", 3)
    end
    names[#names + 1] = name
  end
  if #names == 0 or #names > TOOLS_MAX then error("llm.tools takes 1 to " .. TOOLS_MAX .. " tools", 3) end
  sort(names)
  return names, steps
end

-- One call of a tool: its result as a text for the model; a tool that raises is a mistake of the plugin's, and raises.
local function run(tools, names, name, json)
  local tool = tools[name]
  if not tool then return "error: there is no tool '" .. sub(tostring(name), 1, 64) .. "'; there are: " .. concat(names, ", ") end
  local args, why = fits(tool.schema, json)
  if why then return "error: " .. why end
  local value, code, detail = tool.run(args)
  if value == nil and code ~= nil then return "error: " .. tostring(code) .. (detail and (": " .. tostring(detail)) or "") end
  local text = type(value) == "string" and value or encode(value)
  return #text > RESULT_BYTES and sub(text, 1, RESULT_BYTES) .. " (cut)" or text
end

local function offered(tools, names)
  local list = {}
  for i = 1, #names do
    local tool = tools[names[i]]
    list[i] = { type = "function", ["function"] = { name = names[i], description = tool.doc or names[i], parameters = tool.schema } }
  end
  return list
end

native.families.llm.tools = function(o)
  local names, steps = check(o)
  local messages, list, seen = {}, offered(o.tools, names), {}
  local spent = { calls = 0, cost = 0, tools = 0 }
  for i = 1, #o.messages do messages[i] = o.messages[i] end
  for step = 1, steps do
    local answer, code, detail = chat { messages = messages, tools = list, model = o.model, lang = o.lang, max_tokens = o.max_tokens, temperature = o.temperature or 0, seed = o.seed,
      payer = o.payer, deadline_ms = o.deadline_ms, key = o.key .. "#" .. step }
    if not answer then return nil, code, detail end
    spent.calls, spent.cost = spent.calls + 1, spent.cost + answer.cost
    local calls = answer.tool_calls
    if not calls then return { text = answer.text, steps = step, cost = spent.cost, tools = spent.tools } end
    if #calls > CALLS_MAX then return nil, "llm_invalid", "the model called " .. #calls .. " tools at once" end
    messages[#messages + 1] = { role = "assistant", content = answer.text, tool_calls = calls }
    for i = 1, #calls do
      local fn = calls[i]["function"] or {}
      local name, json = fn.name or "", type(fn.arguments) == "string" and fn.arguments or "{}"
      local same = name .. "\n" .. json
      seen[same] = (seen[same] or 0) + 1
      if seen[same] > SAME_MAX then return nil, "llm_loop", "the model calls '" .. sub(name, 1, 64) .. "' with the same arguments again and again" end
      spent.tools = spent.tools + 1
      local result = run(o.tools, names, name, json)
      if seen[same] > 1 then result = result .. "\n(You have called this with the same arguments before.)" end
      messages[#messages + 1] = { role = "tool", tool_call_id = calls[i].id or ("call_" .. i), data = { result = result } }
    end
  end
  return nil, "llm_steps", "no answer after " .. steps .. " steps"
end
