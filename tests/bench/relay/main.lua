-- benchrelay: two seats, and what one says the other hears.
local frond = require "frond"
return frond.game {
  new = function() return {} end,
  input = { say = function(match, _, seat, args) match:emit(3 - seat, "say", args) end },
  view = function() return {} end,
}
