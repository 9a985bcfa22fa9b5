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
