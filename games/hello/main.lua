-- hello: the smallest plugin. Two functions; one of them remembers.
local frond = require "frond"
local store = frond.store

local function greet(ctx, args)
  local visits, version = store.get(ctx.player.id, "visits")
  if not visits then visits, version = 0, 0 end          -- the first time: it must not exist yet
  visits = visits + 1
  local saved, code = store.put(ctx.player.id, "visits", visits, { if_version = version })
  if not saved then return nil, code end                 -- two greetings at once: the second may ask again
  return { text = ("Hello, %s. Visit %d."):format(args.name or ctx.player.name, visits), visits = visits }
end

return frond.plugin {
  calls = {
    greet = greet,
    ping = function() return "pong" end,
  },
}
