-- patience: two seats say words, in any order, for as long as they like. Nothing runs out, so a page may be away for hours.
local frond = require "frond"

local function over(match, seat, why)
  match:finish { places = { { 3 - seat }, { seat } }, reason = why }
end

return frond.game {
  new = function() return { said = {} } end,
  input = {
    say = function(match, state, seat, args)
      state.said[#state.said + 1] = { seat = seat, word = args.word }
      if args.word == "end" then over(match, seat, "said") end
    end,
  },
  leave = function(match, _, seat, why) over(match, seat, why or "surrender") end,
  view = function(_, state) return { said = frond.array(table.move(state.said, 1, #state.said, 1, {})) } end,
  bot = function() return nil end,
}
