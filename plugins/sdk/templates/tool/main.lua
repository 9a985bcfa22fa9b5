-- My Plugin: two calls, kept in the store. POST /v1/call/my-plugin/add {"text":"milk"}
local frond = require "frond"
local notes = require "notes"
local store = frond.store

return frond.plugin {
  calls = {
    add = function(ctx, args)                          -- args were checked against plugin.json
      local list, version = store.get(ctx.player.id, "notes")
      if not list then list, version = {}, 0 end       -- the first note: nothing may be there yet
      local longer, reason = notes.add(list, args.text)
      if not longer then return nil, reason end        -- a refusal the caller may read
      local saved, code = store.put(ctx.player.id, "notes", longer, { if_version = version })
      if not saved then return nil, code end           -- two at once: the second may try again
      return { notes = longer }
    end,

    list = function(ctx)
      return { notes = frond.array(store.get(ctx.player.id, "notes") or {}) }
    end,
  },
}
