-- benchrooms: every tick is told to all four seats.
local frond = require "frond"
return frond.game {
  new = function() return {} end,
  tick = function(match) match:emit("all", "tick", { n = match.tick_no }) end,
  view = function() return {} end,
}
