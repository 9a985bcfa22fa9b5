// i18n.js: what the shell says, in English and Korean, and which of the two it speaks. Texts of plugins and amounts come from elsewhere.
// Korean is polite and short (해요체); names carry 님, so that no particle depends on how a name ends.
import { chooseLanguage, texts } from "/sdk/i18n.js";

export const LANGUAGES = { en: "English", ko: "한국어" };
const CHOICE = "frond.language";     // what the player chose here; it stays in this browser

export const CATALOGUE = {
  en: {
    language: "Language", loading: "One moment…", retry: "Try again", request: "(request {id})", again_later: "It is tried again by itself.",
    "people.title": "Play as…", "people.text": "Development host: pick anybody. Every new player gets 1,000 test PALM.", "people.other": "Another name",
    "people.go": "Play", "people.two": "Two players side by side:", "people.dev": "development page",
    "outside.title": "Open this in Telegram", "outside.text": "Frond signs you in with what Telegram tells it about you, and this page was opened without.",
    "replaced.title": "Opened somewhere else", "replaced.text": "You signed in again in another window, so this one was closed. Matches and coins are where they were.", "replaced.here": "Use it here",
    "failure.title": "That did not work", "failure.text": "Try again, or close this window and open the app again.",
    "failure.offline.title": "No connection to the host", "failure.offline.text": "It may be restarting. Your coins and matches are safe there.",
    "failure.launch_stale.title": "This sign-in is too old", "failure.launch_stale.text": "Close this window and open the app again.",
    "failure.launch_bad_hash.title": "This sign-in was not accepted", "failure.launch_bad_hash.text": "It belongs to another host. Close this window and open the app again.",
    "failure.player_blocked.title": "You cannot sign in here", "failure.player_blocked.text": "The operator has blocked this player.",
    "failure.not_development.title": "Not on this host", "failure.not_development.text": "Playing under any name works only while the host runs with --dev.",
    "error.any": "That did not work ({code}).", "error.bad_answer": "The answer could not be read.", "error.session_not_found": "That session is over already.", "error.offline": "The host cannot be reached.", "error.funds": "You do not have enough for this.",
    "tab.ask": "Ask", "ask.views": "Ask", "ask.chat": "Chat", "ask.abilities": "Abilities", "ask.keys": "Keys", "ask.model": "Model", "ask.text": "Your question", "ask.send": "Send", "ask.stop": "Stop", "ask.clear": "Start over", "ask.talk": "What was said",
    "ask.ready": "The model is there: {model}", "ask.budget": { one: "{n} token left today", other: "{n} tokens left today" }, "ask.none": "No model is there just now.", "ask.engine.off": "This host has no model of its own, and no other is there just now.", "ask.engine.waiting": "The model is coming.", "ask.engine.fetching": "The model is being fetched…",
    "ask.engine.building": "The model is being built: {done} of {of}", "ask.engine.starting": "The model is starting…", "ask.engine.up": "The model is starting…", "ask.engine.failed": "The model could not be built. {why}",
    "ask.empty": "Ask the model", "ask.empty_text": "The answer comes word by word, and you can stop it. What is said here stays in this window.", "ask.coming": "The answer is coming…", "ask.stopped": "Stopped.", "ask.you": "You:", "ask.it": "The model:", "ask.later": "Try again in {n} s.",
    "ask.note": "A language model writes this. It may be wrong, and it knows nothing of your coins or matches.",
    "keys.about": "With a key your own programs use this host's models, as they use OpenAI's. What they use is counted on you.", "keys.name": "Name of the key", "keys.make": "Make a key", "keys.none": "You have no keys.", "keys.made": "Your new key", "keys.once": "It is shown only now. Keep it where nobody else reads it.", "keys.key": "The key",
    "keys.copy": "Copy", "keys.done": "I have it", "keys.used": "used {date}", "keys.unused": "made {date}, not used yet", "keys.revoke": "Revoke", "keys.revoke_one": "Revoke {name}", "keys.sure": "Really?", "keys.revoked": "{name} does not work any more.",
    "abilities.about": "What every plugin of this host can ask of its model core, and the published work that each ability follows.", "abilities.later": "later", "abilities.follows": "after", "abilities.try": "Try it", "abilities.go": "Go", "abilities.abstained": "It would rather not answer: it is not sure enough.",
    "abilities.systems": "The published systems", "abilities.published": "published by Google", "abilities.not_here": "These systems were published by Google. None of them runs here: this host's models are those that its operator chose, by default a small open one.",
    "ability.chat": "Chat", "ability.chat.about": "Answers that stream, with the talk so far.", "ability.chat.try": "Explain why the sky is blue, in two sentences.", "ability.json": "JSON", "ability.json.about": "Answers that fit a schema: checked, repaired once, or refused. The quiz makes its questions so.", "ability.json.try": "Play the quiz",
    "ability.task": "Tasks", "ability.task.about": "Named tasks made of a prompt, examples and a schema, without training: reasoning, explaining a joke, code, summaries.", "ability.task.label": "A text to sum up", "ability.task.try": "The host writes each move down before it answers, so a match survives a crash and can be played again to the same end.",
    "ability.assess": "Assess", "ability.assess.about": "Several answers weighed against each other, marked on named axes, and none at all below a threshold.", "ability.assess.label": "A question", "ability.assess.try": "Which organ makes insulin?",
    "ability.translate": "Translate", "ability.translate.about": "More than a hundred language tags routed, placeholders kept, glossaries. No promise of quality.", "ability.translate.label": "A text to translate into Korean", "ability.translate.try": "The match begins in {n} seconds.",
    "ability.search": "Search", "ability.search.about": "Finds passages in a plugin's own documents, by words and by meaning.", "ability.tools": "Tools", "ability.tools.about": "The model calls functions of the plugin, in a bounded loop.", "ability.pools": "Pools", "ability.pools.about": "One core for all tasks: calls are spread over pods, shared fairly, kept within budgets.",
    "ability.speech": "Speech", "ability.speech.about": "Speech to text, translated, and spoken again.", "ability.vision": "Vision", "ability.vision.about": "Questions about pictures.", "ability.act": "Act", "ability.act.about": "Looks, plans with known skills, acts, checks, plans again.",
    "fact.palm.size": "540 billion parameters", "fact.palm.chips": "trained on 6,144 TPU v4 chips by Pathways", "fact.palm.api": "offered to developers as the PaLM API from March 14, 2023", "fact.pathways.idea": "one model for many tasks, across many accelerators",
    "fact.medpalm.score": "67.6% on MedQA, questions in the style of the US medical exam", "fact.medpalm.two": "Med-PaLM 2, 2023: 86.5%", "fact.palme.size": "562 billion parameters; pictures and sensors of robots as part of the prompt", "fact.palm2.languages": "more than 100 languages; better at reasoning and code", "fact.audiopalm.what": "PaLM 2 and AudioLM in one: listening, speaking, translating speech",
    "error.llm_down": "No model is there just now.", "error.llm_queue_full": "Too many ask at once. Try again in a moment.", "error.llm_rate": "You ask too often. Try again in a moment.", "error.llm_budget": "Your share of the model is used up for now.", "error.llm_funds": "Too few coins for this.", "error.llm_refused": "The host's filter refused this.", "error.llm_deadline": "It took too long.", "error.llm_backend": "The model failed.", "error.llm_nothing": "The model said nothing.", "error.connection_lost": "The connection was lost.",
    "tab.games": "Games", "tab.history": "Matches", "tab.wallet": "Wallet", "tab.account": "Account", sections: "Sections", close: "Close", bot: "Bot", balance: "Wallet: {free}", "balance.held": "Wallet: {free}, and {held} in play", in_play: "+{amount} in play", in_play_about: "set aside for running matches",
    back: "Back to the games", lost: "Reconnecting…", "lost.safe": "Your match is safe.", "lost.now": "Try now", offline: "You are offline.", returned: "Connected again.",
    "burn.title": "What was burned", "burn.about": "{amount} of the pot is burned: taken out of circulation for good, for everybody to check.", "burn.done": "Done:", "burn.now": "Now:", "burn.later": "Not yet:",
    "burn.stage.pending": "Given up when the match ended", "burn.stage.batched": "Put into a batch with others", "burn.stage.sent": "Sent to the chain", "burn.stage.burned": "Burned, in a final block",
    "burn.state.pending": "It waits for its batch.", "burn.state.batched": "Its batch is about to be signed.", "burn.state.sent": "Its transaction is on its way.", "burn.state.proving": "Its transaction is final; the chain is being asked.", "burn.state.burned": "It is burned.",
    "burn.state.reverted": "The transaction did not go through. The operator has been told; nothing was burned, and nothing is lost.", "burn.state.refuted": "The chain says something else than the host. The operator has been told.",
    "burn.receipt": "Receipt", "burn.alone": "none: it is alone in its batch", "burn.check": "Check the proof here", "burn.verdict.true": "Everything fits: it is in the batch that was burned.", "burn.verdict.false": "Something does NOT fit. Show this to the operator.", "burn.verdict.null": "There is no proof to check.",
    "burn.step.reason": "The reason is the one that was sealed.", "burn.step.leaf": "Number, amount and reason make the sealed leaf.", "burn.step.proof": "The leaf is in the tree whose root lies on chain.", "burn.step.id": "The batch's id follows from chain, module, amount and root, so it burns once.", "burn.step.chain": "The host read amount and root from the burn module, in a final block.",
    "burn.fact.tx": "Transaction", "burn.fact.block": "Block", "burn.fact.at": "Burned", "burn.fact.batch": "Batch", "burn.fact.root": "Root", "burn.fact.reason": "Reason", "burn.fact.proof": "Proof", "burn.fact.leaf": "Leaf", "burn.fact.id": "Id on chain", "burn.fact.read_block": "Read at block",
    "supply.open": "Supply and burns", "supply.title": "PALM: supply and burns", "supply.published": "What was published, and what Frond burned", "supply.cap": "Cap", "supply.liquidity": "To liquidity", "supply.reserve": "To the reserve", "supply.launch": "Burned at launch", "supply.later": "Burned later",
    "supply.unstated": "source unstated", "supply.later_from": "from {allocation}: source unstated", "supply.frond": "Burned by Frond", "supply.circulating": "Circulating", "supply.circulating_is": "the cap less all burns", "supply.by_plugin": "Burned by whom", "supply.nothing": "Nothing yet.", "supply.coming": "and {amount} to come",
    "supply.unattributed": "before burns had a name", "supply.lost": "{amount} of it were burned by newer data than this host has.", "supply.agrees": "The chain says the same: {amount} at block {block}.", "supply.differs": "The chain says {amount} at block {block}, which Frond's burns do not explain.", "supply.no_chain": "No chain has been asked yet.",
    "list.failed": "This list did not come", "rematch.asks": "{who} wants a rematch. Open {game} to answer.",
    "matches.head": "Your matches", "matches.none": "No matches yet", "matches.none_text": "Every match you play is kept here, with proof that it was dealt fairly.", "matches.free": "no stake",
    "outcome.won": "Won", "outcome.lost": "Lost", "outcome.draw": "A draw", "outcome.cancelled": "Cancelled", "outcome.place": "Place {n}", "outcome.running": "Running",
    "match.against": "Against", "match.when": "When", "match.why": "How it ended", "match.stake": "Stake", "match.net": "You got",
    "ended.played": "Played to the end", "ended.decided": "Decided early", "ended.surrender": "Somebody gave up", "ended.away": "Somebody was away too long",
    "fair.title": "Was it dealt fairly?", "fair.about": "Before anything was dealt, the host and the players each fixed a secret number and showed only its fingerprint. What was dealt follows from all of them together, so nobody could choose it. Your browser can check that.",
    "fair.check": "Check it here", "fair.verdict.true": "Everything fits: it was dealt fairly.", "fair.verdict.false": "Something does NOT fit. Show this to the operator.", "fair.verdict.null": "There is not enough here to check it.",
    "fair.sign.true": "Correct:", "fair.sign.false": "Wrong:", "fair.sign.null": "Not known:", "fair.data": "The numbers", "fair.promise": "Fingerprint", "fair.secret": "Secret number",
    "fair.step.host": "The host's secret number is the one that it had fixed before.", "fair.step.mine": "Your secret number was used, as your device had fixed it.", "fair.step.other": "{who}'s secret number is the one that was fixed before.", "fair.step.unknown": "The secret numbers of this match are not known.",
    "fair.step.stream": "From all secret numbers together comes the chance of this match. Nobody could know it before.", "fair.step.chain": "No move was added, left out or changed: each is sealed with the one before it.", "fair.step.pruned": "The moves themselves are not kept any more, only their seal.",
    "fair.step.told": "The seal is the one that your device was shown when the match ended.", "fair.step.payout": "Everybody was paid what the result says.", "fair.key": "Key of chance", "fair.draws": "First draws", "fair.hash": "Seal",
    "sessions.head": "Where you are signed in", "sessions.this": "this one", "sessions.unknown": "Unknown device", "sessions.game": "Inside {game}", "sessions.now": "Active now, since {date}", "sessions.seen": "Last used {date}",
    "sessions.end": "Sign out", "sessions.end_one": "Sign out: {where}", "sessions.end_others": "Sign out everywhere else", "sessions.ended": "Signed out there.", "sessions.ended_n": { one: "Signed out in {n} place.", other: "Signed out in {n} places." },
    "ended.title": "You were signed out", "ended.by.player": "Somebody signed this device out from another one of yours. Matches and coins are where they were.", "ended.by.operator": "The operator ended this session. Matches and coins are where they were.", "ended.by.sign_out": "Matches and coins are where they were.", "ended.again": "Sign in again",
    "games.none": "No games yet", "games.none_text": "The operator has not enabled any. Put a plugin into the games folder and enable it.",
    "games.running": "Your match is running", "games.table": "{game}: back to the table", "games.play": "Play", "games.play_one": "Play {game}", "games.starting": "Starting…", "games.down": "Unavailable",
    "games.seats": { one: "{n} player", other: "{n} players" }, "games.free": "free", "games.from_to": "{from}–{to}", "games.or": "{a} or {b}",
    person: "{name}", "lost.watch": "The match goes on meanwhile.",
    "watch.title": "Watching a match", "watch.badge": "Watching", "watch.frame": "{game}, watching", "watch.joining": "Joining the match…", "watch.joining_text": "Who watches sees it a little late.",
    "watch.over": "The match is over.", "watch.over_away": "It ended while you were away.", "watch.won": "{who} won", "watch.leave": "Back to the games",
    "watch.no": "This match cannot be watched just now",
    "watch.no.match_unknown": "There is no such match", "watch.no.match_unknown.text": "It may be over: a match can be watched only while it is played. Or the link is not complete.",
    "watch.no.match_ended": "This match is over", "watch.no.match_ended.text": "A match can be watched only while it is played.",
    "watch.no.no_spectators": "This match is not open to watch", "watch.no.no_spectators.text": "Its game is played without spectators.",
    "watch.no.too_many_spectators": "Too many are watching already", "watch.no.too_many_spectators.text": "There is room again as soon as somebody leaves.",
    "watch.no.too_many_watches": "You watch too many matches", "watch.no.too_many_watches.text": "Close one of them and try again.",
    "watch.no.no_page": "This game cannot be shown here", "watch.no.no_page.text": "Its page is not there on this host.",
    "share.open": "Let others watch", "share.title": "Let others watch", "share.text": { one: "Whoever opens this link sees the table, {n} second late. Your cards stay hidden.", other: "Whoever opens this link sees the table, {n} seconds late. Your cards stay hidden." }, "share.text_now": "Whoever opens this link sees the table. Your cards stay hidden.",
    "share.link": "Link to watch this match", "share.copy": "Copy the link", "share.telegram": "Share in Telegram", "share.send": "Share…", "share.copied": "Copied.", "share.by_hand": "It could not be copied. The link is selected: copy it by hand.", "share.failed": "That could not be shared.", "share.words": "Watch my match: {game}",
    "broken.title": "The game was cut off", "broken.goes_on": "A running match goes on without it.", "broken.again": "Open it again",
    "broken.elsewhere": "It opened another page by itself.", "broken.flood": "It sent far more messages than a game needs.",
    "deposit.open": "Deposit", "deposit.title": "Deposit coins", "deposit.asset": "Coin", "deposit.note": "Send only {asset} on chain {chain} to this address. Other coins are lost. What arrives is yours as soon as its block is final.",
    "deposit.picture": "The address for {asset} as a QR code", "deposit.address": "Your address for {asset}", "deposit.copy": "Copy the address", "deposit.by_hand": "It could not be copied. The address is selected: copy it by hand.",
    "deposit.pending": "On the way", "deposit.coming": "Seen, not final", "deposit.blocks": { one: "{n} block to go", other: "{n} blocks to go" }, "deposit.deposits": "Deposits", "deposit.credited": "Credited", "deposit.none": "Nothing has come yet.",
    "deposit.held": "Kept for the operator", "deposit.dust": "Less than the smallest amount: kept until it is enough", "deposit.failed": "Deposits cannot be shown", "reason.deposit": "Deposit",
    "error.chain_off": "This host has no chain.", "error.deposit_not_ready": "The chain does not answer yet. Try again in a moment.", "error.policy_telegram": "Deposits are not offered inside Telegram.",
    "wallet.free": "free to use", "wallet.held": "free, and {amount} in play", history: "History", "history.none": "Nothing has happened yet.", more: "Show more",
    "reason.mint": "Test coins", "reason.test_coins": "Test coins", "reason.stake": "Stake set aside", "reason.hold": "Set aside", "reason.release": "Came back", "reason.settle": "Settled",
    "reason.match.lost": "Match lost", "reason.match.back": "Stake came back", "reason.match.won": "Match won", "reason.other": "{reason}", stake_gone: "stake of {amount} is gone",
    "approvals.none": "No approvals", "approvals.none_text": "A game may touch your coins only after you approve it here, up to the amount you chose. Nothing is approved now.",
    "approvals.head": "What games may spend", "approvals.daily": "{left} left of {max} a day, until {date}", "approvals.once": "{left} left of {max} once, until {date}",
    revoke: "Revoke", "revoke.one": "Revoke what {game} may spend", revoked: "Revoked. {game} has to ask again.",
    "sheet.asks": "{game} asks", "sheet.title": "Use {amount}?", "sheet.have": "You have {amount}. The game can take no more than you approve, and pay it to nobody else.",
    "sheet.short": "You do not have enough for this.", "sheet.once": "Approve {amount} once", "sheet.daily": "Approve up to {amount} a day", "sheet.maximum": "Daily maximum", "sheet.times": "{n}×",
    "sheet.refuse": "Don't approve", "sheet.wants": "The game wants to use your coins.", "sheet.aside": "Your stake is set aside until the match ends.",
    "sheet.pot": "Pot of {n} stakes", "sheet.winner": "The winner gets", "sheet.draw": "A draw, or a match that fails", "sheet.back": "{amount} back",
    "share.plugin": "{percent} to the game", "share.author": "{percent} to the game's author", "share.treasury": "{percent} to the treasury", "share.burn": "{percent} burned for ever", "share.other": "{percent} to {who}",
  },
  ko: {
    language: "언어", loading: "잠시만요…", retry: "다시 시도", request: "(요청 번호 {id})", again_later: "자동으로 다시 연결해 볼게요.",
    "people.title": "누구로 할까요?", "people.text": "개발용 서버예요. 아무나 골라도 돼요. 처음 온 사람에게는 테스트 PALM 1,000개를 드려요.", "people.other": "다른 이름",
    "people.go": "시작", "people.two": "두 명을 나란히 보려면:", "people.dev": "개발 페이지",
    "outside.title": "텔레그램에서 열어 주세요", "outside.text": "Frond는 텔레그램이 알려 주는 정보로 로그인해요. 이 페이지는 그 정보 없이 열렸어요.",
    "replaced.title": "다른 곳에서 열렸어요", "replaced.text": "다른 창에서 다시 로그인해서 이 창은 닫혔어요. 대전과 코인은 그대로 있어요.", "replaced.here": "여기서 계속",
    "failure.title": "문제가 생겼어요", "failure.text": "다시 시도하거나, 창을 닫고 앱을 다시 열어 주세요.",
    "failure.offline.title": "서버에 연결할 수 없어요", "failure.offline.text": "서버가 다시 시작하는 중일 수 있어요. 코인과 대전은 안전하게 보관돼 있어요.",
    "failure.launch_stale.title": "로그인 정보가 오래됐어요", "failure.launch_stale.text": "창을 닫고 앱을 다시 열어 주세요.",
    "failure.launch_bad_hash.title": "로그인 정보를 확인할 수 없어요", "failure.launch_bad_hash.text": "다른 서버의 정보예요. 창을 닫고 앱을 다시 열어 주세요.",
    "failure.player_blocked.title": "여기서는 로그인할 수 없어요", "failure.player_blocked.text": "운영자가 이 계정을 차단했어요.",
    "failure.not_development.title": "이 서버에서는 안 돼요", "failure.not_development.text": "이름만으로 시작하기는 개발용 서버에서만 돼요.",
    "error.any": "문제가 생겼어요. ({code})", "error.bad_answer": "서버의 답을 읽을 수 없어요.", "error.session_not_found": "이미 끝난 로그인이에요.", "error.offline": "서버에 연결할 수 없어요.", "error.funds": "코인이 부족해요.",
    "tab.ask": "질문", "ask.views": "질문", "ask.chat": "대화", "ask.abilities": "기능", "ask.keys": "키", "ask.model": "모델", "ask.text": "무엇이든 물어보세요", "ask.send": "보내기", "ask.stop": "그만", "ask.clear": "처음부터", "ask.talk": "나눈 말",
    "ask.ready": "모델이 준비됐어요: {model}", "ask.budget": "오늘 남은 양: 토큰 {n}개", "ask.none": "지금은 모델이 없어요.", "ask.engine.off": "이 서버에는 자체 모델이 없고, 다른 모델도 지금은 없어요.", "ask.engine.waiting": "모델이 곧 와요.", "ask.engine.fetching": "모델을 받고 있어요…",
    "ask.engine.building": "모델을 만들고 있어요: {of}개 중 {done}개", "ask.engine.starting": "모델을 켜고 있어요…", "ask.engine.up": "모델을 켜고 있어요…", "ask.engine.failed": "모델을 만들지 못했어요. {why}",
    "ask.empty": "모델에게 물어보세요", "ask.empty_text": "답은 한 마디씩 나오고, 언제든 멈출 수 있어요. 나눈 말은 이 창에만 남아요.", "ask.coming": "답하고 있어요…", "ask.stopped": "멈췄어요.", "ask.you": "나:", "ask.it": "모델:", "ask.later": "{n}초 뒤에 다시 해 보세요.",
    "ask.note": "언어 모델이 쓴 글이라 틀릴 수 있어요. 코인이나 대전에 대해서는 아무것도 몰라요.",
    "keys.about": "키가 있으면 내 프로그램에서 이 서버의 모델을 OpenAI처럼 쓸 수 있어요. 쓴 만큼 내 몫에서 빠져요.", "keys.name": "키 이름", "keys.make": "키 만들기", "keys.none": "아직 키가 없어요.", "keys.made": "새 키", "keys.once": "지금 한 번만 보여 드려요. 남이 볼 수 없는 곳에 보관하세요.", "keys.key": "키",
    "keys.copy": "복사", "keys.done": "보관했어요", "keys.used": "{date}에 사용", "keys.unused": "{date}에 만듦, 아직 쓰지 않음", "keys.revoke": "없애기", "keys.revoke_one": "{name} 키 없애기", "keys.sure": "정말요?", "keys.revoked": "{name} 키는 이제 쓸 수 없어요.",
    "abilities.about": "이 서버의 모든 플러그인이 모델에게 시킬 수 있는 일과, 그 바탕이 된 공개 연구예요.", "abilities.later": "준비 중", "abilities.follows": "바탕:", "abilities.try": "해 보기", "abilities.go": "시작", "abilities.abstained": "확신이 부족해서 답하지 않았어요.",
    "abilities.systems": "공개된 시스템", "abilities.published": "Google 발표", "abilities.not_here": "Google이 발표한 시스템이에요. 여기서 돌아가는 것은 없어요. 이 서버는 운영자가 고른 모델을 쓰고, 기본은 작은 공개 모델이에요.",
    "ability.chat": "대화", "ability.chat.about": "앞의 말을 기억하며 한 마디씩 답해요.", "ability.chat.try": "하늘이 왜 파란지 두 문장으로 알려 줘.", "ability.json": "JSON", "ability.json.about": "정해진 형식에 맞는 답만 받아요. 검사하고, 한 번 고치고, 아니면 버려요. 퀴즈가 문제를 이렇게 만들어요.", "ability.json.try": "퀴즈 하러 가기",
    "ability.task": "과제", "ability.task.about": "프롬프트와 예시, 형식만으로 만드는 과제예요. 추론, 농담 설명, 코드, 요약이 있어요.", "ability.task.label": "요약할 글", "ability.task.try": "호스트는 답하기 전에 모든 수를 적어 둬요. 그래서 대전은 고장이 나도 이어지고, 다시 해 봐도 같은 결과가 나와요.",
    "ability.assess": "평가", "ability.assess.about": "여러 답을 견주고 항목별로 매긴 뒤, 확신이 부족하면 답하지 않아요.", "ability.assess.label": "질문", "ability.assess.try": "인슐린을 만드는 기관은 어디일까요?",
    "ability.translate": "번역", "ability.translate.about": "백 개가 넘는 언어 표시를 다루고, 빈칸과 용어를 지켜요. 품질을 약속하지는 않아요.", "ability.translate.label": "영어로 옮길 글", "ability.translate.try": "대전은 {n}초 뒤에 시작해요.",
    "ability.search": "찾기", "ability.search.about": "플러그인의 문서에서 낱말과 뜻으로 찾아요.", "ability.tools": "도구", "ability.tools.about": "모델이 플러그인의 함수를 정해진 횟수 안에서 불러요.", "ability.pools": "나눠 쓰기", "ability.pools.about": "모든 일을 한곳에서 맡아 여러 모델에 나누고, 공평하게, 정해진 양 안에서 써요.",
    "ability.speech": "말하기", "ability.speech.about": "말을 글로, 다른 언어로, 다시 말로 옮겨요.", "ability.vision": "보기", "ability.vision.about": "그림에 대해 물어봐요.", "ability.act": "움직이기", "ability.act.about": "보고, 아는 기술로 계획하고, 움직이고, 확인하고, 다시 계획해요.",
    "fact.palm.size": "매개변수 5,400억 개", "fact.palm.chips": "Pathways로 TPU v4 칩 6,144개에서 학습", "fact.palm.api": "2023년 3월 14일부터 PaLM API로 제공", "fact.pathways.idea": "수많은 가속기에 걸친, 여러 일을 하는 모델 하나",
    "fact.medpalm.score": "미국 의사 시험 형식 문제 MedQA에서 67.6%", "fact.medpalm.two": "2023년 Med-PaLM 2는 86.5%", "fact.palme.size": "매개변수 5,620억 개, 그림과 로봇 센서도 프롬프트로", "fact.palm2.languages": "100개가 넘는 언어, 더 나은 추론과 코드", "fact.audiopalm.what": "PaLM 2와 AudioLM을 하나로: 듣기, 말하기, 말 번역",
    "error.llm_down": "지금은 모델이 없어요.", "error.llm_queue_full": "묻는 사람이 너무 많아요. 잠시 뒤에 다시 해 주세요.", "error.llm_rate": "너무 자주 물었어요. 잠시 뒤에 다시 해 주세요.", "error.llm_budget": "쓸 수 있는 양을 다 썼어요.", "error.llm_funds": "코인이 모자라요.", "error.llm_refused": "서버의 필터가 막았어요.", "error.llm_deadline": "너무 오래 걸렸어요.", "error.llm_backend": "모델에 문제가 생겼어요.", "error.llm_nothing": "모델이 아무 말도 하지 않았어요.", "error.connection_lost": "연결이 끊겼어요.",
    "tab.games": "게임", "tab.history": "대전", "tab.wallet": "지갑", "tab.account": "내 정보", sections: "메뉴", close: "닫기", bot: "봇", balance: "지갑: {free}", "balance.held": "지갑: {free}, 대전 중 {held}", in_play: "+{amount} 대전 중", in_play_about: "진행 중인 대전에 맡긴 코인",
    back: "게임 목록으로", lost: "다시 연결하고 있어요…", "lost.safe": "대전은 안전해요.", "lost.now": "지금 시도", offline: "인터넷이 끊겼어요.", returned: "다시 연결됐어요.",
    "burn.title": "소각된 코인", "burn.about": "상금 중 {amount}는 소각돼요. 영원히 유통에서 사라지고 누구나 확인할 수 있어요.", "burn.done": "완료:", "burn.now": "지금:", "burn.later": "아직:",
    "burn.stage.pending": "대결이 끝날 때 내놓음", "burn.stage.batched": "다른 소각과 한 묶음에 담김", "burn.stage.sent": "체인에 보냄", "burn.stage.burned": "확정된 블록에서 소각됨",
    "burn.state.pending": "묶음을 기다리고 있어요.", "burn.state.batched": "묶음에 곧 서명해요.", "burn.state.sent": "거래가 가는 중이에요.", "burn.state.proving": "거래가 확정됐어요. 체인에 확인하고 있어요.", "burn.state.burned": "소각됐어요.",
    "burn.state.reverted": "거래가 처리되지 않았어요. 운영자에게 알렸어요. 소각되거나 사라진 것은 없어요.", "burn.state.refuted": "체인의 기록이 호스트와 달라요. 운영자에게 알렸어요.",
    "burn.receipt": "영수증", "burn.alone": "없음: 묶음에 혼자 있어요", "burn.check": "여기서 증명 확인하기", "burn.verdict.true": "모두 맞아요. 소각된 묶음 안에 있어요.", "burn.verdict.false": "맞지 않는 것이 있어요. 운영자에게 보여 주세요.", "burn.verdict.null": "확인할 증명이 없어요.",
    "burn.step.reason": "봉인된 그 사유예요.", "burn.step.leaf": "번호, 금액, 사유가 봉인된 잎과 같아요.", "burn.step.proof": "체인에 있는 루트의 나무 안에 이 잎이 있어요.", "burn.step.id": "묶음의 번호는 체인, 모듈, 금액, 루트에서 나와서 한 번만 소각돼요.", "burn.step.chain": "호스트가 확정된 블록에서 소각 모듈의 금액과 루트를 읽었어요.",
    "burn.fact.tx": "거래", "burn.fact.block": "블록", "burn.fact.at": "소각 시각", "burn.fact.batch": "묶음", "burn.fact.root": "루트", "burn.fact.reason": "사유", "burn.fact.proof": "증명", "burn.fact.leaf": "잎", "burn.fact.id": "체인의 번호", "burn.fact.read_block": "읽은 블록",
    "supply.open": "공급량과 소각", "supply.title": "PALM: 공급량과 소각", "supply.published": "공개된 수량과 Frond의 소각", "supply.cap": "최대 발행량", "supply.liquidity": "유동성", "supply.reserve": "준비금", "supply.launch": "출시 때 소각", "supply.later": "이후 소각",
    "supply.unstated": "출처 미공개", "supply.later_from": "{allocation}: 출처 미공개", "supply.frond": "Frond의 소각", "supply.circulating": "유통량", "supply.circulating_is": "최대 발행량에서 모든 소각을 뺀 수량", "supply.by_plugin": "누가 소각했나", "supply.nothing": "아직 없어요.", "supply.coming": "{amount} 예정",
    "supply.unattributed": "이름이 붙기 전의 소각", "supply.lost": "그중 {amount}는 이 호스트보다 새로운 데이터가 소각했어요.", "supply.agrees": "체인도 같아요: 블록 {block}에서 {amount}.", "supply.differs": "체인은 블록 {block}에서 {amount}라고 해요. Frond의 소각으로는 설명되지 않아요.", "supply.no_chain": "아직 체인에 묻지 않았어요.",
    "list.failed": "목록을 불러오지 못했어요", "rematch.asks": "{who} 님이 다시 하자고 해요. {game}에서 답할 수 있어요.",
    "matches.head": "내 대전", "matches.none": "아직 대전이 없어요", "matches.none_text": "대전을 하면 여기에 남아요. 공정하게 나눴는지도 확인할 수 있어요.", "matches.free": "참가금 없음",
    "outcome.won": "승리", "outcome.lost": "패배", "outcome.draw": "무승부", "outcome.cancelled": "취소됨", "outcome.place": "{n}위", "outcome.running": "진행 중",
    "match.against": "상대", "match.when": "날짜", "match.why": "끝난 이유", "match.stake": "참가금", "match.net": "결과",
    "ended.played": "끝까지 했어요", "ended.decided": "일찍 결정됐어요", "ended.surrender": "한쪽이 기권했어요", "ended.away": "한쪽이 너무 오래 자리를 비웠어요",
    "fair.title": "공정하게 나눴을까요?", "fair.about": "카드를 나누기 전에 서버와 참가자가 각자 비밀 숫자를 정하고 그 지문만 보여 줘요. 결과는 모든 숫자를 합쳐서 정해지므로 아무도 고를 수 없어요. 이 브라우저에서 직접 확인할 수 있어요.",
    "fair.check": "여기서 확인하기", "fair.verdict.true": "모두 맞아요. 공정하게 나눴어요.", "fair.verdict.false": "맞지 않는 것이 있어요. 운영자에게 알려 주세요.", "fair.verdict.null": "확인할 정보가 부족해요.",
    "fair.sign.true": "맞음:", "fair.sign.false": "틀림:", "fair.sign.null": "알 수 없음:", "fair.data": "숫자 보기", "fair.promise": "지문", "fair.secret": "비밀 숫자",
    "fair.step.host": "서버의 비밀 숫자가 미리 정해 둔 것과 같아요.", "fair.step.mine": "내 기기가 정한 비밀 숫자가 그대로 쓰였어요.", "fair.step.other": "{who} 님의 비밀 숫자가 미리 정해 둔 것과 같아요.", "fair.step.unknown": "이 대전의 비밀 숫자를 알 수 없어요.",
    "fair.step.stream": "모든 비밀 숫자를 합쳐 이 대전의 운이 정해졌어요. 미리 알 수 있는 사람은 없었어요.", "fair.step.chain": "더하거나 빼거나 바꾼 수가 없어요. 모든 수가 앞의 수와 함께 봉인돼 있어요.", "fair.step.pruned": "수 하나하나는 더 보관하지 않고 봉인만 남아 있어요.",
    "fair.step.told": "대전이 끝났을 때 내 기기가 받은 봉인과 같아요.", "fair.step.payout": "결과대로 모두에게 지급됐어요.", "fair.key": "운의 열쇠", "fair.draws": "처음 나온 숫자", "fair.hash": "봉인",
    "sessions.head": "로그인한 곳", "sessions.this": "지금 이 기기", "sessions.unknown": "알 수 없는 기기", "sessions.game": "{game} 안", "sessions.now": "사용 중, {date}부터", "sessions.seen": "마지막 사용 {date}",
    "sessions.end": "로그아웃", "sessions.end_one": "{where} 로그아웃", "sessions.end_others": "다른 곳에서 모두 로그아웃", "sessions.ended": "그곳에서 로그아웃했어요.", "sessions.ended_n": "{n}곳에서 로그아웃했어요.",
    "ended.title": "로그아웃됐어요", "ended.by.player": "다른 기기에서 이 기기를 로그아웃했어요. 대전과 코인은 그대로 있어요.", "ended.by.operator": "운영자가 로그아웃했어요. 대전과 코인은 그대로 있어요.", "ended.by.sign_out": "대전과 코인은 그대로 있어요.", "ended.again": "다시 로그인",
    "games.none": "아직 게임이 없어요", "games.none_text": "운영자가 게임을 켜면 여기에 나와요.",
    "games.running": "진행 중인 대전이 있어요", "games.table": "{game} 이어서 하기", "games.play": "시작", "games.play_one": "{game} 시작", "games.starting": "준비 중…", "games.down": "이용 불가",
    "games.seats": "{n}인용", "games.free": "무료", "games.from_to": "{from}~{to}", "games.or": "{a} 또는 {b}",
    person: "{name} 님", "lost.watch": "그동안 대전은 계속돼요.",
    "watch.title": "대전 관전", "watch.badge": "관전 중", "watch.frame": "{game} 관전", "watch.joining": "대전을 불러오고 있어요…", "watch.joining_text": "관전 화면은 조금 늦게 보여요.",
    "watch.over": "대전이 끝났어요.", "watch.over_away": "자리를 비운 사이에 끝났어요.", "watch.won": "{who} 승리", "watch.leave": "게임 목록으로",
    "watch.no": "지금은 이 대전을 볼 수 없어요",
    "watch.no.match_unknown": "그런 대전이 없어요", "watch.no.match_unknown.text": "이미 끝났을 수 있어요. 대전은 진행 중일 때만 볼 수 있어요. 링크가 잘렸는지도 확인해 주세요.",
    "watch.no.match_ended": "이미 끝난 대전이에요", "watch.no.match_ended.text": "대전은 진행 중일 때만 볼 수 있어요.",
    "watch.no.no_spectators": "관전할 수 없는 대전이에요", "watch.no.no_spectators.text": "이 게임은 관전 없이 진행돼요.",
    "watch.no.too_many_spectators": "관전하는 사람이 너무 많아요", "watch.no.too_many_spectators.text": "누군가 나가면 바로 볼 수 있어요.",
    "watch.no.too_many_watches": "보고 있는 대전이 너무 많아요", "watch.no.too_many_watches.text": "하나를 닫고 다시 시도해 주세요.",
    "watch.no.no_page": "이 게임은 여기서 볼 수 없어요", "watch.no.no_page.text": "이 서버에 게임 화면이 없어요.",
    "share.open": "관전 초대", "share.title": "관전 초대", "share.text": "이 링크를 열면 {n}초 늦게 대전을 볼 수 있어요. 내 카드는 보이지 않아요.", "share.text_now": "이 링크를 열면 대전을 볼 수 있어요. 내 카드는 보이지 않아요.",
    "share.link": "이 대전의 관전 링크", "share.copy": "링크 복사", "share.telegram": "텔레그램으로 보내기", "share.send": "공유하기…", "share.copied": "복사했어요.", "share.by_hand": "복사하지 못했어요. 링크를 선택해 뒀으니 직접 복사해 주세요.", "share.failed": "공유하지 못했어요.", "share.words": "제 대전을 구경하세요: {game}",
    "broken.title": "게임을 중단했어요", "broken.goes_on": "진행 중인 대전은 계속돼요.", "broken.again": "다시 열기",
    "broken.elsewhere": "게임이 다른 페이지를 열려고 했어요.", "broken.flood": "게임이 메시지를 너무 많이 보냈어요.",
    "deposit.open": "입금", "deposit.title": "코인 입금", "deposit.asset": "코인", "deposit.note": "이 주소로는 체인 {chain}의 {asset}만 보내 주세요. 다른 코인은 되찾을 수 없어요. 블록이 확정되면 바로 입금돼요.",
    "deposit.picture": "{asset} 주소 QR 코드", "deposit.address": "내 {asset} 주소", "deposit.copy": "주소 복사", "deposit.by_hand": "복사하지 못했어요. 주소를 선택해 뒀으니 직접 복사해 주세요.",
    "deposit.pending": "오는 중", "deposit.coming": "확인 중, 아직 확정 전", "deposit.blocks": "{n}블록 남음", "deposit.deposits": "입금 내역", "deposit.credited": "입금 완료", "deposit.none": "아직 들어온 코인이 없어요.",
    "deposit.held": "운영자가 보관 중", "deposit.dust": "최소 단위보다 적어서 모일 때까지 보관해요", "deposit.failed": "입금 정보를 불러오지 못했어요", "reason.deposit": "입금",
    "error.chain_off": "이 서버에는 체인이 없어요.", "error.deposit_not_ready": "체인이 아직 응답하지 않아요. 잠시 후 다시 시도해 주세요.", "error.policy_telegram": "텔레그램 안에서는 입금할 수 없어요.",
    "wallet.free": "사용 가능", "wallet.held": "사용 가능, 대전 중 {amount}", history: "내역", "history.none": "아직 내역이 없어요.", more: "더 보기",
    "reason.mint": "테스트 코인", "reason.test_coins": "테스트 코인", "reason.stake": "참가금 맡김", "reason.hold": "맡김", "reason.release": "돌려받음", "reason.settle": "정산",
    "reason.match.lost": "대전 패배", "reason.match.back": "참가금 돌려받음", "reason.match.won": "대전 승리", "reason.other": "기타", stake_gone: "참가금 {amount} 차감",
    "approvals.none": "승인한 내역이 없어요", "approvals.none_text": "게임은 직접 승인한 금액까지만 코인을 쓸 수 있어요. 지금은 승인한 내역이 없어요.",
    "approvals.head": "게임이 쓸 수 있는 코인", "approvals.daily": "하루 {max} 중 {left} 남음, {date}까지", "approvals.once": "한 번 {max} 중 {left} 남음, {date}까지",
    revoke: "승인 취소", "revoke.one": "{game} 승인 취소", revoked: "승인을 취소했어요. {game} 게임은 다시 물어봐야 해요.",
    "sheet.asks": "{game} 요청", "sheet.title": "{amount} 사용을 승인할까요?", "sheet.have": "보유 금액은 {amount}이에요. 게임은 승인한 금액보다 더 쓰거나 다른 사람에게 보낼 수 없어요.",
    "sheet.short": "코인이 부족해요.", "sheet.once": "{amount} 한 번 승인", "sheet.daily": "하루 {amount}까지 승인", "sheet.maximum": "하루 한도", "sheet.times": "{n}회",
    "sheet.refuse": "거절", "sheet.wants": "게임이 코인을 사용하려고 해요.", "sheet.aside": "참가금은 대전이 끝날 때까지 따로 보관해요.",
    "sheet.pot": "모인 참가금 ({n}명)", "sheet.winner": "이기면 받는 금액", "sheet.draw": "비기거나 중단되면", "sheet.back": "{amount} 반환",
    "share.plugin": "게임 몫 {percent}", "share.author": "제작자 몫 {percent}", "share.treasury": "운영 금고 {percent}", "share.burn": "영구 소각 {percent}", "share.other": "{who} {percent}",
  },
};

export let language = "en";
export let t = texts(CATALOGUE, language);

/** Speaks the player's choice, else the first of `tags` that the shell knows. @param {string[]} tags */
export function speak(tags) {
  language = chooseLanguage([localStorage.getItem(CHOICE), ...tags], Object.keys(LANGUAGES));
  t = texts(CATALOGUE, language);
  document.documentElement.lang = language;
}
/** @param {string} chosen */
export function choose(chosen) {
  localStorage.setItem(CHOICE, chosen);
  speak([]);
}

/** Whether there is a text of this name. */
export const knows = (key) => Object.hasOwn(CATALOGUE.en, key);
/** What went wrong, for a person: in English the host says it best. @param {{code?: string, detail?: string}} error */
export function problem({ code = "unknown", detail }) {
  if (language === "en" && detail) return detail;
  return knows(`error.${code}`) ? t(`error.${code}`) : t("error.any", { code });
}
/** A game's own name or description: in the player's language when its manifest has it. @param {any} game @param {"name" | "description"} what */
export const ownText = (game, what) => game.translations?.[language]?.[what] || game[what];
/** @param {string} at a time of the host */
export const when = (at) => new Date(at).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
/** The same in short, for rows: the year only when it is another one. @param {string} at */
export function whenShort(at) {
  const year = new Date(at).getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  return new Date(at).toLocaleString(language, { year, month: "short", day: "numeric", hour: "numeric", minute: "2-digit" });
}
/** @param {number} bps hundredths of a percent */
export const percent = (bps) => (bps / 10000).toLocaleString(language, { style: "percent", maximumFractionDigits: 2 });
