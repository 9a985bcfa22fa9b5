// access.test.mjs: what a screen reader is given (Chromium's own accessibility tree), where the focus goes, and what is left of the page at
// twice the size, with the system's colours, and for eyes that do not tell red from green. Pictures go to $BUILD/test-shots.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { audit } from "../flow/audit.mjs";
import { BUILD, checks, startHost } from "../flow/host.mjs";
import { answerSheet, frameOf, launch, person, until } from "./browser.mjs";

const SHOTS = path.join(BUILD, "test-shots"), STAKE = "10000000000";
mkdirSync(SHOTS, { recursive: true });
const { check, end } = checks();
const host = await startHost();
const browser = await launch();
const shot = (one, what) => one.page.screenshot({ path: path.join(SHOTS, `access-${what}.png`) });

// The tree as a screen reader walks it: "role name", depth first, without what is only layout.
const SPOKEN = new Set(["button", "link", "combobox", "radio", "radiogroup", "textbox", "heading", "dialog", "main", "navigation", "banner", "status", "alert", "img", "image", "list", "Iframe", "iframe", "group", "table", "log"]);
async function tree(one) {
  const cdp = await one.context.newCDPSession(one.page), { frameTree } = await cdp.send("Page.getFrameTree");
  const nodes = [];
  for (const frame of [frameTree.frame, ...(frameTree.childFrames ?? []).map((child) => child.frame)]) {
    try { nodes.push(...(await cdp.send("Accessibility.getFullAXTree", { frameId: frame.id })).nodes); } catch { /* a frame in another process: its own session below */ }
  }
  await cdp.detach();
  return speak(nodes);
}
function speak(nodes) {
  const byId = new Map(nodes.map((node) => [node.nodeId, node])), spoken = [];
  const walk = (node) => {
    if (!node) return;
    const facts = Object.fromEntries((node.properties ?? []).map((one) => [one.name, one.value.value]));
    if (!node.ignored && SPOKEN.has(node.role?.value)) spoken.push({ role: node.role.value, name: node.name?.value ?? "", modal: facts.modal ?? false, live: facts.live });
    for (const child of node.childIds ?? []) walk(byId.get(child));
  };
  for (const node of nodes) if (node.parentId === undefined) walk(node);
  return spoken;
}
async function gameTree(one) {
  const cdp = await one.context.newCDPSession(frameOf(one));
  const { nodes } = await cdp.send("Accessibility.getFullAXTree");
  await cdp.detach();
  return speak(nodes);
}
const NAMED = new Set(["button", "link", "combobox", "radio", "radiogroup", "textbox", "dialog", "navigation", "img", "image", "Iframe", "iframe"]);
function wellNamed(spoken, what) {
  assert.ok(spoken.length > 3, `${what}: ${JSON.stringify(spoken)}`);
  assert.deepEqual(spoken.filter((one) => NAMED.has(one.role) && !one.name.trim()), [], `${what}: everything one can reach has a name`);
}
const names = (spoken, role) => spoken.filter((one) => one.role === role).map((one) => one.name);

let ann, ben;

await check("access: the home screen as a screen reader walks it", async () => {
  ann = await person(browser, host.url, "Ann");
  await ann.page.getByTestId("open-duel").waitFor();
  const spoken = await tree(ann);
  wellNamed(spoken, "home");
  assert.deepEqual(spoken.filter((one) => ["main", "navigation", "banner"].includes(one.role)).map((one) => one.role).sort(), ["banner", "main", "navigation"]);
  assert.deepEqual(names(spoken, "button"), ["Wallet: 1,000 PALM", "Play Card Duel", "Play Quiz", "Games", "Ask", "Matches", "Wallet", "Account"]);
  assert.deepEqual(names(spoken, "heading"), ["Ann", "Card Duel", "Quiz"]);
  assert.ok(spoken.filter((one) => one.role === "status").length >= 2, "the line and short messages are told aloud");
  assert.equal(await ann.page.getByTestId("tab-games").getAttribute("aria-current"), "page");
});

await check("access: every section has names, one heading for each part, and the place in the menu is told", async () => {
  for (const [tab, headings] of [["history", ["Your matches", "No matches yet"]], ["wallet", ["History"]], ["account", ["What games may spend", "Where you are signed in", "Language"]]]) {
    await ann.page.getByTestId(`tab-${tab}`).click();
    await until(`${tab} to be there`, async () => await ann.page.getByTestId("loading").count() === 0);
    const spoken = await tree(ann);
    wellNamed(spoken, tab);
    assert.deepEqual(names(spoken, "heading"), ["Ann", ...headings], tab);
    assert.equal(await ann.page.locator("[aria-current=page]").count(), 1);
  }
});

await check("access: the approval is a modal dialog with a name; the lobby and the table tell everything in words", async () => {
  ben = await person(browser, host.url, "Ben", { colorScheme: "dark" });
  for (const one of [ann, ben]) {
    if (one === ann) await ann.page.getByTestId("tab-games").click();
    await one.page.getByTestId("open-duel").click();
    await one.game.getByTestId(`stake-${STAKE}`).check();
    const lobby = await gameTree(one);
    wellNamed(lobby, "lobby");
    assert.equal(names(lobby, "radio").length, 4);
    await one.game.getByTestId("find").click();
    await one.page.getByTestId("approval").waitFor();
    const spoken = await tree(one), dialog = spoken.find((each) => each.role === "dialog");
    assert.equal(dialog?.name, "Use 10 PALM?");
    assert.equal(dialog.modal, true);
    await answerSheet(one, one === ann ? "approve-daily" : "approve-once");
  }
  for (const one of [ann, ben]) await one.game.getByTestId("table").waitFor();
  const spoken = await gameTree(ann);
  wellNamed(spoken, "table");
  assert.equal(names(spoken, "button").filter((name) => /^[1-6] of (fire|leaf|wave)$/.test(name)).length, 6, "each card says its number and suit");
  assert.ok(names(spoken, spoken.some((one) => one.role === "image") ? "image" : "img").some((name) => /Ben still holds 1, 2, 3, 4, 5, 6/.test(name)), "what the other may still hold is told");
  assert.ok(spoken.some((one) => one.role === "status" && one.live === "polite"), "what happens is told aloud");
});

await check("access: for eyes that do not tell red from green, signs and words say the same", async () => {
  for (const [one, card] of [[ann, "last"], [ben, "first"]]) {
    await one.game.locator("[data-testid=hand] .card:not([disabled])")[card]().click();
    await one.game.getByTestId("play").click();
  }
  await until("the round", async () => await ann.game.locator(".round.won, .round.lost, .round.tie").count() === 1);
  await ann.page.waitForTimeout(900);
  // Chromium shows such eyes only to the top frame's own process, so these pictures are taken where the game's page shares it.
  const eyes = await launch(["--disable-features=IsolateSandboxedIframes"]);
  for (const colorScheme of ["light", "dark"]) {
    const one = await person(eyes, host.url, `Eyes${colorScheme}`, { colorScheme }), cdp = await one.context.newCDPSession(one.page);
    await one.page.getByTestId("open-duel").click();
    await one.game.getByTestId("bot").click();
    await one.game.locator("[data-testid=hand] .card").last().click();
    await one.game.getByTestId("play").click();
    await until("a round", async () => await one.game.locator(".round.won, .round.lost, .round.tie").count() === 1);
    await one.page.waitForTimeout(900);
    for (const type of ["deuteranopia", "protanopia", "achromatopsia"]) {
      await cdp.send("Emulation.setEmulatedVisionDeficiency", { type });
      await shot(one, `table-${type}-${colorScheme}`);
    }
    await one.context.close();
  }
  await eyes.close();
  // Each suit has a shape of its own, each result of a round a sign of its own, and both are said.
  const shapes = await frameOf(ann).evaluate(() => ["f", "l", "w"].map((id) => document.getElementById(id).firstElementChild.getAttribute("d")));
  assert.equal(new Set(shapes).size, 3);
  assert.equal(await ann.game.locator("[data-testid=hand] .card").count(), await ann.game.locator("[data-testid=hand] .card svg use[href]").count(), "every card shows its suit's shape");
  const round = ann.game.locator(".round.won, .round.lost, .round.tie").first();
  assert.match(await round.locator("b").textContent(), /^[+−=]/);
  assert.match(await round.locator(".sr").textContent(), /won|lost|tie/);
});

await check("access: with the system's own colours every control still has an edge and the focus is seen", async () => {
  const one = await person(browser, host.url, "Cem", { forcedColors: "active", colorScheme: "dark" });
  await one.page.getByTestId("open-duel").waitFor();
  await shot(one, "forced-home");
  const edges = (frame) => frame.evaluate(() => [...document.querySelectorAll("button, select")].filter((each) => each.checkVisibility() && !each.closest("nav") && !each.matches(".back, .card, .plain, .row-button"))
    .filter((each) => { const style = getComputedStyle(each); return parseFloat(style.borderTopWidth) === 0 || style.borderTopStyle === "none"; }).map((each) => each.className));
  assert.deepEqual(await edges(one.page.mainFrame()), []);
  await one.page.getByTestId("open-duel").click();
  await one.game.getByTestId("bot").waitFor();
  await shot(one, "forced-lobby");
  assert.deepEqual(await edges(frameOf(one)), []);
  await one.game.getByTestId("bot").click();
  await one.game.getByTestId("table").waitFor();
  await one.game.locator("[data-testid=hand] .card").first().click();
  await shot(one, "forced-table");
  assert.deepEqual(await edges(frameOf(one)), []);
  assert.notEqual(await one.game.locator("[data-testid=hand] .card.selected").evaluate((card) => getComputedStyle(card).outlineStyle), "none", "the chosen card is marked by more than a shadow");
  await one.context.close();
});

await check("access: at twice the size, zoomed or only the text, nothing is cut off sideways and everything can be reached", async () => {
  const wide = (frame) => frame.evaluate(audit, { language: "en" }).then((faults) => faults.filter((fault) => fault.startsWith("wide")));
  for (const [what, options, text] of [["zoom", { viewport: { width: 512, height: 384 }, deviceScaleFactor: 2 }, false], ["narrow", { viewport: { width: 320, height: 256 }, deviceScaleFactor: 4 }, false], ["text", {}, true]]) {
    const one = await person(browser, host.url, `Dan${what}`, options);
    const grow = async (frame) => { if (text) await frame.evaluate(() => { document.documentElement.style.fontSize = "200%"; }); };
    await grow(one.page.mainFrame());
    for (const tab of ["games", "history", "wallet", "account"]) {
      await one.page.getByTestId(`tab-${tab}`).click();
      await until(`${tab} to be there`, async () => await one.page.getByTestId("loading").count() === 0);
      await shot(one, `${what}-${tab}`);
      assert.deepEqual(await wide(one.page.mainFrame()), [], `${what} ${tab}`);
    }
    await one.page.getByTestId("tab-games").click();
    await one.page.getByTestId("open-duel").click();
    await one.game.getByTestId("lobby").waitFor();
    await grow(frameOf(one));
    await shot(one, `${what}-lobby`);
    assert.deepEqual(await wide(frameOf(one)), [], `${what} lobby`);
    await one.game.getByTestId("bot").click();
    await one.game.getByTestId("table").waitFor();
    await one.game.getByTestId("surrender").scrollIntoViewIfNeeded();
    await shot(one, `${what}-table`);
    assert.deepEqual(await wide(frameOf(one)), [], `${what} table`);
    assert.ok(await one.game.getByTestId("surrender").isVisible());
    await one.context.close();
  }
});

await browser.close();
await host.stop();
host.clean();
end();
process.exit();
