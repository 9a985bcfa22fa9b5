// patience.mjs: a host with the game of these tests beside the usual ones, and people at its table.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { ROOT, startHost } from "../flow/host.mjs";
import { Player } from "../flow/player.mjs";
import { frameOf, person, until } from "./browser.mjs";

export async function startPatience(options = {}) {
  const folder = mkdtempSync(path.join(tmpdir(), "frond-page-")), config = path.join(folder, "config.json");
  writeFileSync(config, JSON.stringify({ plugins: [path.join(ROOT, "games"), path.join(ROOT, "tests/page/games")] }));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return startHost({ ...options, args: ["--config", config] });
}

/** A page (at `url`, which may be a wire to the host) and a player without one, both at the same table. @returns {Promise<{ann: any, ben: Player, match: any}>} */
export async function atTheTable(browser, host, name, url = host().url) {
  const ann = await person(browser, url, name, { address: `/app/?as=${name}&game=patience` });
  const ben = (await new Player(() => host().url, 500000 + Math.floor(Math.random() * 400000), `Ben${name}`).signIn()).connect();
  await until("Ben's line", () => ben.open);
  await ann.game.locator("#status", { hasText: "ready" }).waitFor();
  await ann.game.locator("#find").click();
  await until("the queue", async () => await ann.game.locator("#status").textContent() === "waiting");
  await ben.find({ game: "patience", mode: "talk", stake: "0" });
  const match = await ben.until(() => [...ben.matches.values()].find((one) => !one.over), 20000, "a match");
  await until("the table", async () => await idOf(ann) === match.id);
  return { ann, ben, match };
}

export const idOf = (one) => one.game.locator("#match").textContent();
export const said = (one) => one.game.locator("#said li").allTextContents();
/** Says a word and does not wait for the answer. */
export const say = (one, word, still = false) => frameOf(one, "patience").evaluate(([text, insist]) => { window.say(text, insist); }, [word, still]);
export const answers = (one) => frameOf(one, "patience").evaluate(() => window.answers);
export const inputsSent = (one) => one.sent.filter((text) => text.includes('"match.input"')).map((text) => JSON.parse(text));
