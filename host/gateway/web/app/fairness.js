// fairness.js: whether a match was dealt as promised, checked in this browser and told in plain words: one step, one sentence, one tick.
import { html, useState } from "/app/lib/htm-preact.mjs";
import { t } from "/app/i18n.js";
import { Icon } from "/app/parts.js";
import { toldOf } from "/app/seeds.js";
import { verifyMatch } from "/sdk/verify.js";

function sentence({ step, seat, ok }, match) {
  if (step === "seat") return seat === match.seat ? t("fair.step.mine") : t("fair.step.other", { who: match.players.find((one) => one.seat === seat)?.name ?? "" });
  return t(step === "chain" && ok === null ? "fair.step.pruned" : `fair.step.${step}`);
}

const SIGNS = { true: "tick", false: "cross", null: "dots" };

/** @param {{match: any}} props what GET /v1/matches/{id} told */
export function Fairness({ match }) {
  const [steps, setSteps] = useState(null), [busy, setBusy] = useState(false);
  async function check() {
    setBusy(true);
    setSteps(await verifyMatch(match, toldOf(match.id)));
    setBusy(false);
  }
  const verdict = steps && (steps.some((one) => one.ok === false) ? false : steps.some((one) => one.ok) ? true : null);
  return html`<section class="fair" aria-labelledby="fair-title"><h3 id="fair-title">${t("fair.title")}</h3>
    <p class="hint small">${t("fair.about")}</p>
    ${!steps && html`<button class="button quiet wide" data-testid="verify" disabled=${busy} onClick=${check}><${Icon} name="shield" /> ${t("fair.check")}</button>`}
    <div role="status">${steps && html`<p class=${`verdict ${verdict}`} data-testid="verdict" data-verdict=${String(verdict)}><${Icon} name=${SIGNS[verdict]} /> ${t(`fair.verdict.${verdict}`)}</p>
      <ol class="steps" data-testid="steps">${steps.map((one) => html`<li class=${String(one.ok)}><${Icon} name=${SIGNS[one.ok]} /><span><span class="sr">${t(`fair.sign.${one.ok}`)} </span>${sentence(one, match)}
        ${one.data && html`<details><summary>${t("fair.data")}</summary><dl>${one.data.map(([name, value]) => html`<dt>${t(`fair.${name}`)}</dt><dd>${value}</dd>`)}</dl></details>`}</span></li>`)}</ol>`}</div>
  </section>`;
}
