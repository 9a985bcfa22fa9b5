-- benchcall: what bench-call measures. round.lua is the same text that nginx runs.
local frond = require "frond"
local round = require "round"

return frond.plugin { calls = { round = function(_, args) return round(args) end } }
