-- Abilities: the model core's abilities, one call each, for the shell's page about them. Every call gives {text, facts = {{name, value}, ..}, abstained?}.
local frond = require "frond"

local LANGUAGES <const> = { en = "English", ko = "Korean" }
local SAMPLES <const> = 3                            -- a page waits: fewer than the five that assess would take

-- The second result is a code when the first is nil, else what was spent.
local function spent(meta)
  return { "tokens", ("%d + %d"):format(meta.usage.prompt_tokens, meta.usage.answer_tokens) }
end

return frond.plugin {
  calls = {
    task = function(_, args)
      local value, more, detail = frond.llm.task("summarise", { text = args.text, language = LANGUAGES[args.lang] or "English", sentences = 2 }, { key = frond.random.id() })
      if value == nil then return nil, more, detail end
      return { text = type(value) == "table" and value.summary or tostring(value), facts = frond.array { spent(more) } }
    end,

    assess = function(_, args)
      local value, more, detail = frond.llm.assess { question = args.text, samples = SAMPLES, key = frond.random.id() }
      if value == nil then return nil, more, detail end
      local facts = { { "agreement", ("%.0f%%"):format(value.agreement * 100) }, { "answers", ("%d"):format(value.samples) }, spent(more) }
      if value.disclaimer then facts[#facts + 1] = { "note", value.disclaimer } end
      return { text = value.abstained and value.reasoning or ("%s\n%s"):format(value.answer or "", value.reasoning), abstained = value.abstained, facts = frond.array(facts) }
    end,

    translate = function(_, args)
      local value, more, detail = frond.llm.translate { text = args.text, to = args.lang == "ko" and "en" or "ko", key = frond.random.id() }
      if value == nil then return nil, more, detail end
      return { text = value.text, facts = frond.array { { "from", value.from }, { "to", value.to }, spent(more) } }
    end,
  },
}
