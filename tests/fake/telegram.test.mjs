// telegram.test.mjs: grammY, a client that thousands of bots are written with, takes our Bot API for Telegram's.
import test from "node:test";
import assert from "node:assert/strict";
import { FakeTelegram } from "./telegram/server.mjs";

const grammy = await import("grammy").catch(() => null);
const skip = grammy ? false : "grammy is not installed";
const TOKEN = "1234567:FAKE-token-for-tests-only-aaaaaaaaaaaa";

async function start(t, bots = [{ token: TOKEN, username: "quiz_bot", first_name: "Quiz" }]) {
  const fake = new FakeTelegram({ bots });
  await fake.listen();
  t.after(() => fake.close());
  return fake;
}
const bot = (fake, token = TOKEN, more = {}) => new grammy.Bot(token, { client: { apiRoot: fake.url, ...more } });
async function refusal(promise) {
  const error = await promise.then(() => null, (one) => one);
  assert.ok(error instanceof grammy.GrammyError, String(error));
  return { code: error.error_code, description: error.description, parameters: error.parameters };
}

test("who the bot is", { skip }, async (t) => {
  const me = await bot(await start(t)).api.getMe();
  assert.equal(me.id, 1234567);
  assert.equal(me.username, "quiz_bot");
  assert.equal(me.is_bot, true);
});

test("the menu button, for everybody and for one chat", { skip }, async (t) => {
  const { api } = bot(await start(t));
  const button = { type: "web_app", text: "Play", web_app: { url: "https://play.example.org/app/" } };
  assert.deepEqual(await api.getChatMenuButton(), { type: "default" });
  assert.equal(await api.setChatMenuButton({ menu_button: button }), true);
  assert.deepEqual(await api.getChatMenuButton(), button);
  assert.deepEqual(await api.getChatMenuButton({ chat_id: 42 }), button);
  await api.setChatMenuButton({ chat_id: 42, menu_button: { type: "commands" } });
  assert.deepEqual(await api.getChatMenuButton({ chat_id: 42 }), { type: "commands" });
  const no = await refusal(api.setChatMenuButton({ menu_button: { ...button, web_app: { url: "http://play.example.org/" } } }));
  assert.equal(no.code, 400);
  assert.match(no.description, /^Bad Request: .*Only HTTPS/);
  assert.deepEqual(await api.getChatMenuButton(), button);
});

test("a wrong token, an unknown method, too many requests", { skip }, async (t) => {
  const fake = await start(t);
  assert.deepEqual(await refusal(bot(fake, "1234567:another-token-that-nobody-gave-out").api.getMe()), { code: 401, description: "Unauthorized", parameters: {} });
  assert.equal((await refusal(bot(fake).api.raw.exportChatInviteLink({ chat_id: 1 }))).code, 404);
  fake.fail({ status: 429, description: "Too Many Requests: retry after 7", parameters: { retry_after: 7 } });
  assert.deepEqual(await refusal(bot(fake).api.getMe()), { code: 429, description: "Too Many Requests: retry after 7", parameters: { retry_after: 7 } });
  assert.equal((await bot(fake).api.getMe()).id, 1234567);
});

test("a bot that polls hears a message and answers it", { skip }, async (t) => {
  const fake = await start(t), quiz = bot(fake);
  quiz.on("message:text", (ctx) => ctx.reply(`You said ${ctx.message.text}`));
  const running = quiz.start();
  fake.receive(TOKEN, { id: 42, first_name: "Ann" }, "hello");
  for (let i = 0; i < 400 && !fake.bots.get(TOKEN).sent.length; i++) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(fake.bots.get(TOKEN).sent.map(({ chat, text }) => [chat.id, text]), [[42, "You said hello"]]);
  await quiz.stop();
  await running;
});

test("the test servers' path, forms and queries", { skip }, async (t) => {
  const fake = await start(t);
  assert.equal((await bot(fake, TOKEN, { environment: "test" }).api.getMe()).id, 1234567);
  assert.equal(fake.asked.at(-1).test, true);
  const menu = JSON.stringify({ type: "web_app", text: "Play", web_app: { url: "https://a.example/" } });
  const form = new FormData();
  form.set("menu_button", menu);
  for (const ask of [{ method: "POST", body: new URLSearchParams({ menu_button: menu }) }, { method: "POST", body: form }])
    assert.deepEqual(await (await fetch(`${fake.url}/bot${TOKEN}/setChatMenuButton`, ask)).json(), { ok: true, result: true });
  assert.equal((await (await fetch(`${fake.url}/bot${TOKEN}/getchatmenubutton?chat_id=5`)).json()).result.text, "Play");
  assert.equal((await fetch(`${fake.url}/getMe`)).status, 404);
});
