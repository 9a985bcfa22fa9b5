// i18n.js: what the quiz's page says, in English and Korean. Questions and answers come from the match, in the language that was told to it.
// In Korean a person's name carries 님, so that every particle is right whoever plays.
import { chooseLanguage, isolated, texts } from "/sdk/i18n.js";

export const CATALOGUE = {
  en: {
    title: "Quiz", lead: "Seven questions, two players, one clock.", outside: "This page works inside Frond only.", person: "{name}", bot: "Bot", you: "You",
    topic: "Topic", "topic.mixed": "Mixed", "topic.numbers": "Numbers", "topic.words": "Words", "topic.world": "World", "topic.science": "Science",
    "topic.about": "When both choose differently, one of the two topics is drawn.",
    stake: "Stake", "stake.in": "Stake in {asset}", free: "Free", "free.about": "just play", none: "No stake", each: "{amount} {asset} each",
    "note.free": "No coins move. When nobody else is waiting, the bot sits down.", "note.paid": "The winner takes {amount} {asset}. You are asked before any coins are set aside.",
    find: "Find an opponent", practise: "Practise against the bot", cancel: "Cancel",
    "waiting.find": "Looking for an opponent…", "waiting.bot": "The bot sits down…", "waiting.again": "Waiting for {who} to say yes…",
    rules: "How to play", "rules.ask": "Seven questions, four answers each, 15 seconds. Both see the same ones.", "rules.points": "A right answer is worth 500 points and up to 500 more: the sooner, the more. A wrong one is worth nothing.",
    "rules.model": "A language model makes the questions. The game works out every right answer itself and drops what does not hold; then one that came with the game is asked. Each says where it is from.",
    "rules.end": "Most points wins. Three questions left unanswered in a row lose the match.", "rules.keys": "Keys: 1 to 4 answer.",
    board: "Quiz against {who}", "watch.board": "Quiz, {a} against {b}", preparing: "The model is writing the questions…", "preparing.text": "If it takes too long, questions that came with the game are asked.",
    question: "Question {n} of {rounds}", options: "Answers", "by.model": "by the model", "by.packaged": "packaged", "by.model.about": "A language model made this question; the game checked it.", "by.packaged.about": "This question came with the game.",
    option: "Answer {n}: {text}", right: "right", wrong: "wrong", chose: "{who} chose this", "score": "Score of {who}: {n}", thinking: "thinking…", answered: "has answered", away: "away", missed: "no answer",
    points: "+{n}", "clock": { one: "{n} second left", other: "{n} seconds left" },
    "say.choose": "Choose an answer.", "say.sent": "Sent. Waiting for {who}…", "say.move": "{who} has answered.", "say.right": "Right! {n} points.", "say.wrong": "Wrong. It is: {text}", "say.none": "Time is over. It is: {text}",
    "say.offline": "Connection lost. The match goes on when it is back.", "say.kept": "Connection lost. Your answer is kept and goes out when it is back.", "watch.choose": "Both are thinking.", "watch.right": "It is: {text}",
    "watch.wait": "The match comes in a moment…", "watch.sign": { one: "Watching, {n} second late", other: "Watching, {n} seconds late" }, "watch.sign_now": "Watching", "watch.final": "Score: {a} {first}, {b} {second}",
    "give_up": "Give up", "give_up.ask": "Give up this match?", "give_up.about": "The other player wins it.", "give_up.no": "Play on",
    cancelled: "Match cancelled", draw: "A draw", won: "You won!", lost: "{who} won", "score.final": "Score: you {mine}, {who} {theirs}",
    "why.cancelled": "All stakes went back.", "why.surrender.won": "{who} gave up.", "why.surrender.lost": "You gave up.", "why.away.won": "{who} was away too long.", "why.away.lost": "You were away too long.", "why.away.draw": "Both were away.",
    friendly: "Friendly match: no coins moved.", returned: "Your stake came back.", rematch: "Rematch", again: "Play again", leave: "Back to the lobby", receipt: "What was burned",
    "made.all": "All questions were made by the model.", "made.none": "All questions were packaged ones: the model was away, late, or what it made did not pass.", "made.some": { one: "{n} of {all} questions was made by the model, the others were packaged.", other: "{n} of {all} questions were made by the model, the others were packaged." },
    review: "The questions", "review.yours": "You: {text}", "review.right": "Right: {text}", "review.nothing": "no answer",
    explain: "Explain", "explain.one": "Explain question {n}", explaining: "The tutor is thinking…", "tutor": "Tutor", "tutor.note": "Written by a language model; it may be wrong.", "tutor.cut": "That was too long to show whole.",
    "tutor.away": "The tutor is not there just now. ({code})", "tutor.limit": "The tutor has said enough for now. Try again later. ({code})",
    "ended": "Your match has ended", "no_coins": "No coins moved.", "rematch.asks": "{who} wants a rematch", "rematch.yes": "Yes, play again",
    "problem": "That did not work", "problem.text": "Try again in a moment. ({code})", "problem.refused": "You did not approve the stake", "problem.refused.text": "No coins moved. Choose another stake, or play for free.",
    "problem.paused.text": "You refused several times, so the game may not ask again just now. No coins moved.", "problem.funds": "Not enough coins", "problem.funds.text": "Choose a smaller stake, or play for free. No coins moved.",
    "problem.lost": "The connection was lost", "problem.lost.text": "No match was found before that. Try again.", "problem.starting": "The game is just starting", "problem.starting.text": "Try again in a moment.",
    "problem.playing": "You are already playing", "problem.playing.text": "Finish that match first.", "problem.search.text": "Your search ended.",
    "refused.too_late": "Too late: the time was over.", "refused.match_over": "The match is over.", "refused.timeout": "No answer yet. Try again.", "refused.stale": "The question was over before the connection came back.", "refused.offline": "No connection for too long. Your answer did not count.", "refused.other": "That was not taken ({code}).",
  },
  ko: {
    title: "퀴즈 대결", lead: "문제 일곱 개, 두 사람, 그리고 시계.", outside: "이 페이지는 Frond 안에서만 열려요.", person: "{name} 님", bot: "봇", you: "나",
    topic: "주제", "topic.mixed": "골고루", "topic.numbers": "숫자", "topic.words": "말", "topic.world": "세계", "topic.science": "과학",
    "topic.about": "서로 다른 주제를 고르면 둘 중 하나를 뽑아요.",
    stake: "참가금", "stake.in": "참가금({asset})", free: "무료", "free.about": "가볍게", none: "참가금 없음", each: "각자 {amount} {asset}",
    "note.free": "코인은 움직이지 않아요. 기다리는 사람이 없으면 봇이 상대해요.", "note.paid": "이기면 {amount} {asset}을 받아요. 코인을 맡기기 전에 먼저 물어봐요.",
    find: "상대 찾기", practise: "봇과 연습하기", cancel: "취소",
    "waiting.find": "상대를 찾고 있어요…", "waiting.bot": "봇이 자리에 앉고 있어요…", "waiting.again": "{who}의 답을 기다리고 있어요…",
    rules: "게임 방법", "rules.ask": "문제는 일곱 개, 보기는 네 개, 시간은 15초예요. 두 사람이 같은 문제를 풀어요.", "rules.points": "맞히면 500점에, 빠를수록 500점까지 더 받아요. 틀리면 점수가 없어요.",
    "rules.model": "문제는 언어 모델이 만들어요. 정답은 게임이 직접 계산하고, 맞지 않는 문제는 버려요. 그때는 게임에 들어 있는 문제가 나와요. 어디서 온 문제인지 늘 적혀 있어요.",
    "rules.end": "점수가 많은 쪽이 이겨요. 세 문제를 연달아 답하지 않으면 져요.", "rules.keys": "키보드: 숫자 1~4로 답해요.",
    board: "퀴즈 대결, 상대는 {who}", "watch.board": "퀴즈 대결, {a} 대 {b}", preparing: "모델이 문제를 쓰고 있어요…", "preparing.text": "너무 오래 걸리면 게임에 들어 있는 문제가 나와요.",
    question: "{rounds}문제 중 {n}번", options: "보기", "by.model": "모델이 만든 문제", "by.packaged": "준비된 문제", "by.model.about": "언어 모델이 만들고 게임이 검사한 문제예요.", "by.packaged.about": "게임에 들어 있던 문제예요.",
    option: "보기 {n}: {text}", right: "정답", wrong: "오답", chose: "{who}의 답", "score": "{who}의 점수: {n}", thinking: "생각 중…", answered: "답했어요", away: "자리 비움", missed: "답 없음",
    points: "+{n}", "clock": "{n}초 남았어요",
    "say.choose": "답을 골라 주세요.", "say.sent": "보냈어요. {who}을 기다리고 있어요…", "say.move": "{who}은 답했어요.", "say.right": "맞았어요! {n}점.", "say.wrong": "틀렸어요. 정답: {text}", "say.none": "시간이 끝났어요. 정답: {text}",
    "say.offline": "연결이 끊겼어요. 다시 연결되면 대전이 이어져요.", "say.kept": "연결이 끊겼어요. 고른 답은 다시 연결되면 보낼게요.", "watch.choose": "둘 다 생각하고 있어요.", "watch.right": "정답: {text}",
    "watch.wait": "곧 대전이 보여요…", "watch.sign": "관전 중, {n}초 늦은 화면", "watch.sign_now": "관전 중", "watch.final": "점수: {a} {first}, {b} {second}",
    "give_up": "기권", "give_up.ask": "기권할까요?", "give_up.about": "기권하면 상대가 이겨요.", "give_up.no": "계속하기",
    cancelled: "대전이 취소됐어요", draw: "비겼어요", won: "이겼어요!", lost: "{who}이 이겼어요", "score.final": "점수: 나 {mine}, {who} {theirs}",
    "why.cancelled": "참가금을 모두 돌려줬어요.", "why.surrender.won": "{who}이 기권했어요.", "why.surrender.lost": "내가 기권했어요.", "why.away.won": "{who}이 너무 오래 자리를 비웠어요.", "why.away.lost": "너무 오래 자리를 비웠어요.", "why.away.draw": "둘 다 자리를 비웠어요.",
    friendly: "연습 대전이라 코인은 그대로예요.", returned: "참가금을 돌려받았어요.", rematch: "다시 대결", again: "한 판 더", leave: "로비로", receipt: "소각된 코인 보기",
    "made.all": "모든 문제를 모델이 만들었어요.", "made.none": "모두 준비된 문제였어요. 모델이 없거나 늦었거나, 만든 문제가 검사를 통과하지 못했어요.", "made.some": "{all}문제 중 {n}문제를 모델이 만들었고, 나머지는 준비된 문제예요.",
    review: "문제 다시 보기", "review.yours": "내 답: {text}", "review.right": "정답: {text}", "review.nothing": "답하지 않음",
    explain: "설명 듣기", "explain.one": "{n}번 문제 설명 듣기", explaining: "선생님이 생각하고 있어요…", "tutor": "선생님", "tutor.note": "언어 모델이 쓴 글이라 틀릴 수 있어요.", "tutor.cut": "너무 길어서 다 보여 주지 못했어요.",
    "tutor.away": "지금은 설명을 들을 수 없어요. ({code})", "tutor.limit": "지금은 설명을 더 들을 수 없어요. 나중에 다시 해 주세요. ({code})",
    "ended": "대전이 끝났어요", "no_coins": "코인은 그대로예요.", "rematch.asks": "{who}이 다시 대결하고 싶어 해요", "rematch.yes": "네, 다시 해요",
    "problem": "잘되지 않았어요", "problem.text": "잠시 뒤에 다시 해 주세요. ({code})", "problem.refused": "참가금을 승인하지 않았어요", "problem.refused.text": "코인은 그대로예요. 다른 참가금을 고르거나 무료로 해 보세요.",
    "problem.paused.text": "여러 번 거절해서 지금은 다시 물어볼 수 없어요. 코인은 그대로예요.", "problem.funds": "코인이 모자라요", "problem.funds.text": "더 적은 참가금을 고르거나 무료로 해 보세요. 코인은 그대로예요.",
    "problem.lost": "연결이 끊겼어요", "problem.lost.text": "아직 상대를 찾지 못했어요. 다시 해 주세요.", "problem.starting": "게임을 준비하고 있어요", "problem.starting.text": "잠시 뒤에 다시 해 주세요.",
    "problem.playing": "이미 대전 중이에요", "problem.playing.text": "그 대전을 먼저 끝내 주세요.", "problem.search.text": "상대 찾기가 끝났어요.",
    "refused.too_late": "늦었어요. 시간이 끝났어요.", "refused.match_over": "대전이 끝났어요.", "refused.timeout": "아직 답이 없어요. 다시 해 주세요.", "refused.stale": "다시 연결되기 전에 문제가 끝났어요.", "refused.offline": "너무 오래 연결되지 않아서 답이 들어가지 않았어요.", "refused.other": "답이 들어가지 않았어요. ({code})",
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
