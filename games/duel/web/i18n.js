// i18n.js: what the duel says, in English and Korean. The shell tells which of them its player reads.
// In Korean a person's name carries 님 and the suits are 불, 잎, 물, so that every particle is right whoever plays.
import { chooseLanguage, isolated, texts } from "/sdk/i18n.js";

export const CATALOGUE = {
  en: {
    title: "Card Duel", lead: "Six cards, six prizes, one bluff.", outside: "This page works inside Frond only.",
    person: "{name}", bot: "Bot", you: "You", they: "They",
    "suit.f": "fire", "suit.l": "leaf", "suit.w": "wave", card: "{value} of {suit}", "charge.double": "Double", "charge.shield": "Shield",
    stake: "Stake", "stake.in": "Stake in {asset}", free: "Free", "free.about": "just play", none: "No stake", each: "{amount} {asset} each",
    "note.free": "No coins move. When nobody else is waiting, the bot sits down.", "note.paid": "The winner takes {amount} {asset}. You are asked before any coins are set aside.",
    find: "Find an opponent", practise: "Practise against the bot", cancel: "Cancel",
    "waiting.find": "Looking for an opponent…", "waiting.bot": "The bot sits down…", "waiting.again": "Waiting for {who} to say yes…",
    rules: "How to play", "rules.hand": "Both hold the cards 1 to 6, two of each suit. Which suit is on which number differs, and stays hidden.",
    "rules.round": "Each round a prize comes up. Both choose a card in secret; the higher one takes it.", "rules.suits": "The better suit adds 3:", beats: "{a} beats {b}",
    "rules.tie": "A tie leaves the prize on the table for the next round.", "rules.charge": "Once in the match: Double doubles your card, Shield turns a loss into a tie.",
    "rules.end": "Most points wins. 20 seconds a round; twice too late in a row loses the match.", "rules.keys": "Keys: 1 to 6 pick a card, D and S the charges, Enter plays.",
    table: "Card Duel against {who}", hand: "Your hand", rounds: "Rounds so far", actions: "Your move", reactions: "Reactions", score: "Score of {who}:", "score.mine": "Your score:",
    away: "away", ready: "ready", choosing: "choosing…", missed: "too late once: twice in a row loses",
    "holds": "{who} still holds {numbers}; {suits}", nothing: "nothing", "holds.suit": "{n} {suit}", "charge.left": "charge not used yet", "charge.used": "charge used", "holds.charge": "{a}; {b}",
    stays: "stays", points: { one: "{n} point", other: "{n} points" }, point: { one: "point", other: "points" }, tied: "{prize} + {carry} tied",
    "double.about": "Doubles your card, once in the match", "shield.about": "Turns a loss into a tie, once in the match", shield: "shield",
    pick: "Pick a card", play: "Play {value}", "play.double": "Play {value} ×2", "play.shield": "Play {value} + shield", sent: "Waiting…",
    "react.nice": "Nice!", "react.ouch": "Ouch", "react.hm": "Hm…", "react.hurry": "Hurry!", said: "{who}: {what}",
    "give_up": "Give up", "give_up.ask": "Give up this match?", "give_up.about": "The other player wins it.", "give_up.no": "Play on",
    "round.won": "won", "round.lost": "lost", "round.tie": "tie", round: "Round {n}, {points}: {result}. You {mine}, they {theirs}", "round.now": "Round {n}, now: {points}", "round.later": "Round {n}, later: {prizes} points", "or": "{a} or {b}",
    "say.late": "Too late: your lowest card was played.", "say.beats": "{a} beats {b}.", "say.win": "{a} against {b}: you take {pot}!", "say.lose": "{a} against {b}: {who} takes {pot}.",
    "say.tie": "{a} against {b}: a tie. {pot} stays on the table.", "say.shield": "{a} against {b}: the shield holds. {pot} stays on the table.",
    "say.over": "The match is over.", "say.away": "{who} is away. The clock runs.", "say.wait": "Waiting for {who}…", "say.move": "{who} is ready. Your move.",
    "say.last": "Last round: {pot} on the table.", "say.round": "Round {n} of {rounds}. Choose a card.", "say.offline": "Connection lost. The match goes on when it is back.", "say.kept": "Connection lost. Your card is kept and goes out when it is back.",
    "watch.table": "Card Duel, {a} against {b}", "watch.wait": "The table comes in a moment…", "watch.sign": { one: "Watching, {n} second late", other: "Watching, {n} seconds late" }, "watch.sign_now": "Watching",
    "watch.hand": { one: "{who} holds {n} card, face down", other: "{who} holds {n} cards, face down" }, "watch.takes": "{who} takes it", "watch.round": "Round {n}, {points}: {result}. {a} {first}, {b} {second}", "watch.late": "{who} was too late: the lowest card was played.",
    "watch.offline": "Connection lost. You see the match again when it is back.", "watch.choose": "Round {n} of {rounds}. Both choose a card.", "watch.final": "Score: {a} {first}, {b} {second}",
    clock: { one: "{n} second left", other: "{n} seconds left" },
    cancelled: "Match cancelled", draw: "A draw", won: "You won!", lost: "{who} won", "score.final": "Score: you {mine}, {who} {theirs}",
    "why.cancelled": "All stakes went back.", "why.surrender.won": "{who} gave up.", "why.surrender.lost": "You gave up.", "why.away.won": "{who} was away too long.", "why.away.lost": "You were away too long.", "why.away.draw": "Both were away.",
    friendly: "Friendly match: no coins moved.", returned: "Your stake came back.", rematch: "Rematch", again: "Play again", leave: "Back to the lobby", receipt: "What was burned",
    "fair.true": "Fair deal, checked", "fair.false": "The deal does NOT match what the host promised", "fair.null": "Fairness data",
    "fair.about": "Before the cards were dealt, the host and both players each fixed a secret number by its hash. The cards follow from all of them, so nobody could choose them.",
    "fair.promise": "Host promised (hash)", "fair.secret": "Host's secret", "fair.hash": "State hash of the match",
    "ended": "Your match has ended", "no_coins": "No coins moved.",
    "rematch.asks": "{who} wants a rematch", "rematch.yes": "Yes, play again",
    "problem": "That did not work", "problem.text": "Try again in a moment. ({code})",
    "problem.refused": "You did not approve the stake", "problem.refused.text": "No coins moved. Choose another stake, or play for free.", "problem.paused.text": "You refused several times, so the game may not ask again just now. No coins moved.",
    "problem.funds": "Not enough coins", "problem.funds.text": "Choose a smaller stake, or play for free. No coins moved.",
    "problem.lost": "The connection was lost", "problem.lost.text": "No match was found before that. Try again.",
    "problem.starting": "The game is just starting", "problem.starting.text": "Try again in a moment.",
    "problem.playing": "You are already playing", "problem.playing.text": "Finish that match first.", "problem.search.text": "Your search ended.",
    "refused.not_in_hand": "You do not hold that card.", "refused.charge_used": "You have used your charge.", "refused.match_over": "The match is over.", "refused.timeout": "No answer yet. Try again.", "refused.stale": "That round was over before the connection came back, so your card was not played.", "refused.offline": "No connection for too long. Your card was not played.", "refused.other": "That was not taken ({code}).",
  },
  ko: {
    title: "카드 대결", lead: "카드 여섯 장, 점수 여섯 개, 그리고 눈치 싸움.", outside: "이 페이지는 Frond 안에서만 열려요.",
    person: "{name} 님", bot: "봇", you: "나", they: "상대",
    "suit.f": "불", "suit.l": "잎", "suit.w": "물", card: "{suit} {value}", "charge.double": "두 배", "charge.shield": "방패",
    stake: "참가금", "stake.in": "참가금({asset})", free: "무료", "free.about": "가볍게", none: "참가금 없음", each: "각자 {amount} {asset}",
    "note.free": "코인은 움직이지 않아요. 기다리는 사람이 없으면 봇이 상대해요.", "note.paid": "이기면 {amount} {asset}을 받아요. 코인을 맡기기 전에 먼저 물어봐요.",
    find: "상대 찾기", practise: "봇과 연습하기", cancel: "취소",
    "waiting.find": "상대를 찾고 있어요…", "waiting.bot": "봇이 자리에 앉고 있어요…", "waiting.again": "{who}의 답을 기다리고 있어요…",
    rules: "게임 방법", "rules.hand": "둘 다 1부터 6까지 카드를 가져요. 불, 잎, 물이 두 장씩이고, 어느 숫자가 어느 속성인지는 서로 다르고 보이지 않아요.",
    "rules.round": "라운드마다 점수가 하나 걸려요. 둘 다 몰래 카드를 고르고, 더 센 카드가 점수를 가져가요.", "rules.suits": "속성이 이기면 3이 더해져요.", beats: "{a} > {b}",
    "rules.tie": "비기면 그 점수는 다음 라운드로 넘어가요.", "rules.charge": "한 판에 한 번, ‘두 배’는 카드 숫자를 두 배로 만들고 ‘방패’는 질 때 비기게 해 줘요.",
    "rules.end": "점수가 많은 쪽이 이겨요. 한 라운드는 20초이고, 두 번 연달아 늦으면 져요.", "rules.keys": "키보드: 숫자 1~6으로 카드를, D와 S로 두 배와 방패를 고르고 엔터로 내요.",
    table: "카드 대결, 상대는 {who}", hand: "내 카드", rounds: "라운드 결과", actions: "내 차례", reactions: "반응 보내기", score: "{who}의 점수:", "score.mine": "내 점수:",
    away: "자리 비움", ready: "준비 완료", choosing: "고르는 중…", missed: "한 번 늦었어요. 또 늦으면 져요",
    "holds": "{who}에게 남은 카드: {numbers}. {suits}", nothing: "없음", "holds.suit": "{suit} {n}장", "charge.left": "특수 카드를 아직 안 썼어요", "charge.used": "특수 카드를 썼어요", "holds.charge": "{a}. {b}",
    stays: "이월", points: "{n}점", point: "점", tied: "{prize} + 이월 {carry}",
    "double.about": "카드 숫자를 두 배로 만들어요. 한 판에 한 번만 쓸 수 있어요.", "shield.about": "질 때 비기게 해 줘요. 한 판에 한 번만 쓸 수 있어요.", shield: "방패",
    pick: "카드 고르기", play: "{value} 내기", "play.double": "{value} ×2 내기", "play.shield": "{value} + 방패", sent: "대기 중…",
    "react.nice": "좋아요!", "react.ouch": "아야!", "react.hm": "음…", "react.hurry": "빨리요!", said: "{who}: {what}",
    "give_up": "기권", "give_up.ask": "기권할까요?", "give_up.about": "기권하면 상대가 이겨요.", "give_up.no": "계속하기",
    "round.won": "이김", "round.lost": "짐", "round.tie": "비김", round: "{n}라운드, {points}: {result}. 나는 {mine}, 상대는 {theirs}", "round.now": "{n}라운드, 지금: {points}", "round.later": "{n}라운드, 나중: {prizes}점", "or": "{a} 또는 {b}",
    "say.late": "늦어서 가장 낮은 카드를 냈어요.", "say.beats": "{a}이 {b}을 이겨요.", "say.win": "{a} 대 {b}, {pot}점을 얻었어요!", "say.lose": "{a} 대 {b}, {who}이 {pot}점을 가져가요.",
    "say.tie": "{a} 대 {b}, 비겼어요. {pot}점은 다음 라운드로 넘어가요.", "say.shield": "{a} 대 {b}, 방패로 막았어요. {pot}점은 다음 라운드로 넘어가요.",
    "say.over": "대전이 끝났어요.", "say.away": "{who}이 자리를 비웠어요. 시간은 계속 가요.", "say.wait": "{who}을 기다리고 있어요…", "say.move": "{who}은 골랐어요. 내 차례예요.",
    "say.last": "마지막 라운드예요. {pot}점이 걸려 있어요.", "say.round": "{rounds}라운드 중 {n}라운드. 카드를 골라 주세요.", "say.offline": "연결이 끊겼어요. 다시 연결되면 대전이 이어져요.", "say.kept": "연결이 끊겼어요. 고른 카드는 다시 연결되면 낼게요.",
    "watch.table": "카드 대결, {a} 대 {b}", "watch.wait": "곧 대전이 보여요…", "watch.sign": "관전 중, {n}초 늦은 화면", "watch.sign_now": "관전 중",
    "watch.hand": "{who}의 뒤집힌 카드 {n}장", "watch.takes": "{who}이 가져감", "watch.round": "{n}라운드, {points}: {result}. {a} {first}, {b} {second}", "watch.late": "{who}이 늦어서 가장 낮은 카드를 냈어요.",
    "watch.offline": "연결이 끊겼어요. 다시 연결되면 이어서 볼 수 있어요.", "watch.choose": "{rounds}라운드 중 {n}라운드. 둘 다 카드를 고르고 있어요.", "watch.final": "점수: {a} {first}, {b} {second}",
    clock: "{n}초 남았어요",
    cancelled: "대전이 취소됐어요", draw: "비겼어요", won: "이겼어요!", lost: "{who}이 이겼어요", "score.final": "점수: 나 {mine}, {who} {theirs}",
    "why.cancelled": "참가금을 모두 돌려줬어요.", "why.surrender.won": "{who}이 기권했어요.", "why.surrender.lost": "내가 기권했어요.", "why.away.won": "{who}이 너무 오래 자리를 비웠어요.", "why.away.lost": "너무 오래 자리를 비웠어요.", "why.away.draw": "둘 다 자리를 비웠어요.",
    friendly: "연습 대전이라 코인은 그대로예요.", returned: "참가금을 돌려받았어요.", rematch: "다시 대결", again: "한 판 더", leave: "로비로", receipt: "소각된 코인 보기",
    "fair.true": "공정하게 나눴어요 (확인 완료)", "fair.false": "카드 분배가 서버의 약속과 달라요", "fair.null": "공정성 정보",
    "fair.about": "카드를 나누기 전에 서버와 두 사람이 각자 비밀 숫자를 해시로 정해 둬요. 카드는 그 숫자들로 정해져서 아무도 고를 수 없어요.",
    "fair.promise": "서버의 약속(해시)", "fair.secret": "서버의 비밀 숫자", "fair.hash": "대전 상태 해시",
    "ended": "대전이 끝났어요", "no_coins": "코인은 그대로예요.",
    "rematch.asks": "{who}이 다시 하자고 해요", "rematch.yes": "좋아요, 다시 하기",
    "problem": "문제가 생겼어요", "problem.text": "잠시 뒤에 다시 해 주세요. ({code})",
    "problem.refused": "참가금을 승인하지 않았어요", "problem.refused.text": "코인은 그대로예요. 다른 참가금을 고르거나 무료로 해 보세요.", "problem.paused.text": "여러 번 거절해서 잠시 동안은 다시 물어볼 수 없어요. 코인은 그대로예요.",
    "problem.funds": "코인이 부족해요", "problem.funds.text": "더 적은 참가금을 고르거나 무료로 해 보세요. 코인은 그대로예요.",
    "problem.lost": "연결이 끊겼어요", "problem.lost.text": "아직 상대를 찾지 못했어요. 다시 해 주세요.",
    "problem.starting": "게임을 준비하고 있어요", "problem.starting.text": "잠시 뒤에 다시 해 주세요.",
    "problem.playing": "이미 대전 중이에요", "problem.playing.text": "그 대전을 먼저 끝내 주세요.", "problem.search.text": "상대 찾기가 끝났어요.",
    "refused.not_in_hand": "없는 카드예요.", "refused.charge_used": "특수 카드를 이미 썼어요.", "refused.match_over": "대전이 끝났어요.", "refused.timeout": "아직 답이 없어요. 다시 해 주세요.", "refused.stale": "연결되기 전에 라운드가 끝나서 고른 카드를 내지 않았어요.", "refused.offline": "너무 오래 연결되지 않아서 카드를 내지 않았어요.", "refused.other": "카드를 내지 못했어요. ({code})",
  },
};

export let language = "en";
export let t = texts(CATALOGUE, language);

/** @param {string[]} wanted language tags, best first */
export function speak(wanted) {
  language = chooseLanguage(wanted, Object.keys(CATALOGUE));
  t = texts(CATALOGUE, language);
  document.documentElement.lang = language;
  document.title = t("title");
}
/** How a player is called in a sentence. @param {{name: string, bot: boolean}} player */
export const called = (player) => (player.bot ? t("bot") : t("person", { name: isolated(player.name) }));
export const knows = (key) => Object.hasOwn(CATALOGUE.en, key);
