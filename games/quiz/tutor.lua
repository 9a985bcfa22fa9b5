-- tutor.lua — explains an answer after the match. What the model says goes to the page as it comes; the whole of it is the result.
local frond = require "frond"

local LANGUAGES <const> = { en = "English", ko = "Korean" }

-- The question is the page's word for it: it goes along as data, which the host fences, so it is explained and never obeyed.
local function messages(args)
  local wrong = args.choice > 0 and args.choice ~= args.right
  return {
    { role = "system", content = "You are a friendly tutor. A player has just answered a quiz question. Explain in two or three short, simple sentences why the right answer is right"
      .. (wrong and " and where the player's answer goes wrong" or "") .. ". Do not change the right answer. Answer in " .. (LANGUAGES[args.lang] or "English") .. "." },
    { role = "user", content = "Why is the right answer right? Explain in two or three short sentences.",
      data = { question = ("%s\nOptions: %s\nThe right answer: %s%s"):format(args.question, table.concat(args.options, "; "), args.options[args.right], wrong and "\nThe player's answer: " .. args.options[args.choice] or "") } },
  }
end

return function(_, args)
  if #args.options ~= 4 then return nil, "bad_question" end
  local answer, code, detail = frond.llm.chat { messages = messages(args), max_tokens = 160, temperature = 0, stream = true, payer = "plugin", key = frond.random.id() }
  if not answer then return nil, code, detail end
  return { text = answer.text }
end
