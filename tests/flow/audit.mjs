// audit.mjs: what a page owes everybody, measured in the page itself: its language, its width, contrast (WCAG 2.2 AA), names of controls,
// labels of dialogs. `audit` runs inside the browser and returns one sentence per fault.

/** @param {{language: string, names?: string[]}} want `names` may stand in any language @returns {string[]} */
export function audit({ language, names = [] }) {
  const faults = [];
  const say = (kind, text) => { if (!faults.includes(`${kind}: ${text}`)) faults.push(`${kind}: ${text}`); };
  const visible = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && element.getClientRects().length > 0;
  const forReaders = (element) => element.closest(".sr") !== null;
  const brief = (element) => `${element.tagName.toLowerCase()}.${element.className?.baseVal ?? element.className} "${element.textContent.trim().slice(0, 40)}"`;
  const open = [...document.querySelectorAll("dialog[open], [aria-modal=true]")].at(-1) ?? document.body;       // what lies behind a dialog is behind it

  if (document.documentElement.lang !== language) say("lang", document.documentElement.lang);

  // ---- language: Latin words are left only in names, texts of plugins and data
  const bare = (text) => names.reduce((rest, name) => rest.replaceAll(name, ""), text);
  const foreign = (text) => (bare(text).match(/[A-Za-z]{2,}/g) ?? []);
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const shown = [];
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const at = node.parentElement;
    if (!node.data.trim() || at.closest("script, style, noscript") || !visible(at)) continue;
    shown.push(at);
    if (at.closest("[data-plain], dd") || (at.closest("[lang]") ?? document.documentElement).lang !== language) continue;
    if (foreign(node.data).length) say("foreign", `${foreign(node.data).join(" ")} in ${brief(at)}`);
  }
  for (const element of document.querySelectorAll("[aria-label], [title], [placeholder], [alt]")) {
    for (const name of ["aria-label", "title", "placeholder", "alt"]) {
      const text = element.getAttribute(name) ?? "";
      if (foreign(text).length) say("foreign", `${name} ${text}`);
    }
  }

  // ---- width
  if (document.documentElement.scrollWidth > innerWidth) {
    const widest = [...document.querySelectorAll("body *")].filter((one) => visible(one) && !forReaders(one) && one.getBoundingClientRect().right > innerWidth + 1);
    say("wide", `${document.documentElement.scrollWidth} in ${innerWidth}: ${widest.slice(0, 3).map(brief).join(", ")}`);
  }
  for (const box of document.querySelectorAll("main, section, div, ul")) {
    const style = getComputedStyle(box);
    if (visible(box) && !forReaders(box) && /auto|scroll/.test(style.overflowX) && box.scrollWidth > box.clientWidth + 1) say("wide", `${brief(box)} scrolls sideways`);
  }
  for (const at of shown) {
    const style = getComputedStyle(at);
    if (!forReaders(at) && style.overflowX === "hidden" && style.textOverflow !== "ellipsis" && at.scrollWidth > at.clientWidth + 1) say("wide", `${brief(at)} is cut`);
  }

  // ---- contrast: colours are drawn on a canvas, so that every way of writing one is understood
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], below) => [r, g, b].map((value, i) => value * a + below[i] * (1 - a));
  const luminance = (color) => {
    const [r, g, b] = color.map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => { const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y); return (light + 0.05) / (dark + 0.05); };
  const COLORS = /(?:rgba?|hsla?|color|oklab|oklch|color-mix)\((?:[^()]|\([^()]*\))*\)/g;
  // All colours that may lie behind an element: a gradient may show any of its own.
  function behind(element) {
    const layers = [];
    const { x, y, width, height } = element.getBoundingClientRect();
    for (let at = element; at; at = at.parentElement) {
      const box = at.getBoundingClientRect(), cx = x + width / 2, cy = y + height / 2;
      if (at.parentElement && at !== document.body && (cx < box.left || cx > box.right || cy < box.top || cy > box.bottom)) continue;      // it hangs outside
      const style = getComputedStyle(at), before = getComputedStyle(at, "::before"), painted = [];
      if (at.classList.contains("pot")) painted.push(...(before.backgroundImage.match(COLORS) ?? []).map(rgba));       // the coin is drawn by ::before
      else painted.push(...(style.backgroundImage.match(COLORS) ?? []).map(rgba));
      const plain = rgba(style.backgroundColor);
      if (painted.some((color) => color[3] > 0)) layers.push(plain[3] === 1 ? painted.flatMap((color) => [[...over(color, plain), 1]]) : painted);
      else if (plain[3] > 0) layers.push([plain]);
      if (layers.length && layers.at(-1).every((color) => color[3] === 1)) break;
    }
    let colors = [rgba("Canvas").slice(0, 3)];
    for (const layer of layers.reverse()) colors = layer.flatMap((color) => colors.map((below) => over(color, below)));
    return colors;
  }
  for (const at of new Set(shown)) {
    if (forReaders(at) || !open.contains(at) || at.closest(":disabled, [aria-disabled=true], option")) continue;     // what cannot be used may be faint
    if (at.tagName === "OPTION") continue;
    const style = getComputedStyle(at), px = parseFloat(style.fontSize), large = px >= 24 || (px >= 18.66 && Number(style.fontWeight) >= 700);
    let opacity = 1;
    for (let up = at; up; up = up.parentElement) opacity *= Number(getComputedStyle(up).opacity);
    const color = rgba(style.color);
    const worst = Math.min(...behind(at).map((below) => ratio(over([color[0], color[1], color[2], color[3] * opacity], below), below)));
    if (worst < (large ? 3 : 4.5)) say("contrast", `${worst.toFixed(2)} of ${large ? 3 : 4.5} for ${brief(at)}`);
  }

  // ---- names and labels
  const nameOf = (element) => {
    const by = (element.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => id && document.getElementById(id)?.textContent).join(" ").trim();
    return by || element.getAttribute("aria-label")?.trim() || element.getAttribute("title")?.trim() || [...(element.labels ?? [])].map((one) => one.textContent).join("").trim()
      || (/^(INPUT|SELECT|IFRAME)$/.test(element.tagName) ? "" : element.textContent.trim());
  };
  for (const element of document.querySelectorAll("button, a[href], input, select, textarea, iframe, summary, [role=button], [role=img], [role=radiogroup]")) {
    if (visible(element) && !nameOf(element)) say(element.tagName.toLowerCase(), `has no name: ${brief(element)}`);
  }
  for (const dialog of document.querySelectorAll("dialog[open], [role=dialog]")) if (!nameOf(dialog) || !dialog.getAttribute("aria-labelledby")) say("dialog", `has no label: ${brief(dialog)}`);
  for (const image of document.querySelectorAll("img:not([alt])")) say("img", `has no alt: ${image.src}`);
  for (const svg of document.querySelectorAll("svg")) if (svg.getAttribute("aria-hidden") !== "true" && !nameOf(svg)) say("svg", "is neither hidden nor named");
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) say("id", `${id} stands twice`);
  for (const button of document.querySelectorAll("button, select, summary, a[href], input:not([type=radio])")) {
    const box = button.getBoundingClientRect();
    if (visible(button) && (box.height < 24 || box.width < 24) && button.tagName !== "A") say("small", `${brief(button)} is ${Math.round(box.width)} by ${Math.round(box.height)}`);
  }
  return faults;
}
