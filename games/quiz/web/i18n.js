// i18n.js: what the quiz's page says, in English and Korean; what every game says stands in the kit. Questions and answers come from the match, in the language that was told to it.
import { words } from "/sdk/kit.js";

export const own = words({
  en: {
    title: "Quiz", lead: "Seven questions, two players, one clock.",
    topic: "Topic", "topic.mixed": "Mixed", "topic.numbers": "Numbers", "topic.words": "Words", "topic.world": "World", "topic.science": "Science",
    "topic.about": "When both choose differently, one of the two topics is drawn.",
    "rules.ask": "Seven questions, four answers each, 15 seconds. Both see the same ones.", "rules.points": "A right answer is worth 500 points and up to 500 more: the sooner, the more. A wrong one is worth nothing.",
    "rules.model": "A language model makes the questions. The game works out every right answer itself and drops what does not hold; then one that came with the game is asked. Each says where it is from.",
    "rules.end": "Most points wins. Three questions left unanswered in a row lose the match.", "rules.keys": "Keys: 1 to 4 answer.",
    board: "Quiz against {who}", "watch.board": "Quiz, {a} against {b}", preparing: "The model is writing the questions…", "preparing.text": "If it takes too long, questions that came with the game are asked.",
    question: "Question {n} of {rounds}", options: "Answers", "by.model": "by the model", "by.packaged": "packaged", "by.model.about": "A language model made this question; the game checked it.", "by.packaged.about": "This question came with the game.",
    option: "Answer {n}: {text}", right: "right", wrong: "wrong", chose: "{who} chose this", "score": "Score of {who}: {n}", thinking: "thinking…", answered: "has answered",
    points: "+{n}",
    "say.choose": "Choose an answer.", "say.sent": "Sent. Waiting for {who}…", "say.move": "{who} has answered.", "say.right": "Right! {n} points.", "say.wrong": "Wrong. It is: {text}", "say.none": "Time is over. It is: {text}",
    "say.kept": "Connection lost. Your answer is kept and goes out when it is back.", "watch.choose": "Both are thinking.", "watch.right": "It is: {text}",
    "made.all": "All questions were made by the model.", "made.none": "All questions were packaged ones: the model was away, late, or what it made did not pass.", "made.some": { one: "{n} of {all} questions was made by the model, the others were packaged.", other: "{n} of {all} questions were made by the model, the others were packaged." },
    review: "The questions", "review.yours": "You: {text}", "review.right": "Right: {text}", "review.nothing": "no answer",
    explain: "Explain", "explain.one": "Explain question {n}", explaining: "The tutor is thinking…", "tutor": "Tutor", "tutor.note": "Written by a language model; it may be wrong.",
    "tutor.away": "The tutor is not there just now. ({code})", "tutor.limit": "The tutor has said enough for now. Try again later. ({code})",
    "refused.too_late": "Too late: the time was over.", "refused.stale": "The question was over before the connection came back.", "refused.offline": "No connection for too long. Your answer did not count.",
  },
  ko: {
    title: "퀴즈 대결", lead: "문제 일곱 개, 두 사람, 그리고 시계.",
    topic: "주제", "topic.mixed": "골고루", "topic.numbers": "숫자", "topic.words": "말", "topic.world": "세계", "topic.science": "과학",
    "topic.about": "서로 다른 주제를 고르면 둘 중 하나를 뽑아요.",
    "rules.ask": "문제는 일곱 개, 보기는 네 개, 시간은 15초예요. 두 사람이 같은 문제를 풀어요.", "rules.points": "맞히면 500점에, 빠를수록 500점까지 더 받아요. 틀리면 점수가 없어요.",
    "rules.model": "문제는 언어 모델이 만들어요. 정답은 게임이 직접 계산하고, 맞지 않는 문제는 버려요. 그때는 게임에 들어 있는 문제가 나와요. 어디서 온 문제인지 늘 적혀 있어요.",
    "rules.end": "점수가 많은 쪽이 이겨요. 세 문제를 연달아 답하지 않으면 져요.", "rules.keys": "키보드: 숫자 1~4로 답해요.",
    board: "퀴즈 대결, 상대는 {who}", "watch.board": "퀴즈 대결, {a} 대 {b}", preparing: "모델이 문제를 쓰고 있어요…", "preparing.text": "너무 오래 걸리면 게임에 들어 있는 문제가 나와요.",
    question: "{rounds}문제 중 {n}번", options: "보기", "by.model": "모델이 만든 문제", "by.packaged": "준비된 문제", "by.model.about": "언어 모델이 만들고 게임이 검사한 문제예요.", "by.packaged.about": "게임에 들어 있던 문제예요.",
    option: "보기 {n}: {text}", right: "정답", wrong: "오답", chose: "{who}의 답", "score": "{who}의 점수: {n}", thinking: "생각 중…", answered: "답했어요",
    points: "+{n}",
    "say.choose": "답을 골라 주세요.", "say.sent": "보냈어요. {who}을 기다리고 있어요…", "say.move": "{who}은 답했어요.", "say.right": "맞았어요! {n}점.", "say.wrong": "틀렸어요. 정답: {text}", "say.none": "시간이 끝났어요. 정답: {text}",
    "say.kept": "연결이 끊겼어요. 고른 답은 다시 연결되면 보낼게요.", "watch.choose": "둘 다 생각하고 있어요.", "watch.right": "정답: {text}",
    "made.all": "모든 문제를 모델이 만들었어요.", "made.none": "모두 준비된 문제였어요. 모델이 없거나 늦었거나, 만든 문제가 검사를 통과하지 못했어요.", "made.some": "{all}문제 중 {n}문제를 모델이 만들었고, 나머지는 준비된 문제예요.",
    review: "문제 다시 보기", "review.yours": "내 답: {text}", "review.right": "정답: {text}", "review.nothing": "답하지 않음",
    explain: "설명 듣기", "explain.one": "{n}번 문제 설명 듣기", explaining: "선생님이 생각하고 있어요…", "tutor": "선생님", "tutor.note": "언어 모델이 쓴 글이라 틀릴 수 있어요.",
    "tutor.away": "지금은 설명을 들을 수 없어요. ({code})", "tutor.limit": "지금은 설명을 더 들을 수 없어요. 나중에 다시 해 주세요. ({code})",
    "refused.too_late": "늦었어요. 시간이 끝났어요.", "refused.stale": "다시 연결되기 전에 문제가 끝났어요.", "refused.offline": "너무 오래 연결되지 않아서 답이 들어가지 않았어요.",
  },
});

export const { t, called, refused, sign, language, catalogue: CATALOGUE } = own;
