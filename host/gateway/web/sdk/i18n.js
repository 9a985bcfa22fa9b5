// i18n.js: texts in the player's language, for the shell and for plugins' pages. A catalogue holds one object of texts per language, all
// with the same keys; what a language lacks is shown in the first one.
//
//   import { texts } from "/sdk/i18n.js";
//   const t = texts({ en: { won: { one: "{n} point", other: "{n} points" } }, ko: { won: "{n}점" } }, frond.info.language);
//   t("won", { n: 3 })                                  // "3 points", "3점"

/**
 * @param {string[]} wanted language tags, best first ("ko-KR") @param {string[]} offered
 * @returns {string} one of `offered`; the first when none fits
 */
export function chooseLanguage(wanted, offered) {
  for (const tag of wanted) {
    const found = offered.find((one) => one === String(tag).toLowerCase().split(/[-_]/)[0]);
    if (found) return found;
  }
  return offered[0];
}

/**
 * A text is a string, or one per plural category, chosen by the value `n`. `{name}` stands for a value; numbers are written as the language does.
 * @param {Object<string, Object<string, string | Object<string, string>>>} catalogue @param {string} [wanted]
 * @returns {(key: string, values?: Object<string, any>) => string}
 */
export function texts(catalogue, wanted) {
  const language = chooseLanguage([wanted], Object.keys(catalogue));
  const own = catalogue[language], first = Object.values(catalogue)[0];
  const plurals = new Intl.PluralRules(language), numbers = new Intl.NumberFormat(language);
  return (key, values = {}) => {
    let text = own[key] ?? first[key] ?? key;
    if (typeof text === "object") text = text[plurals.select(values.n)] ?? text.other;
    return text.replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === "number" ? numbers.format(values[name]) : String(values[name] ?? "")));
  };
}

const RIGHT_TO_LEFT = /[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufeff]/;
/** Somebody's name within a sentence: one that is written from right to left must not turn the rest of it around. @param {string} name */
export const isolated = (name) => (RIGHT_TO_LEFT.test(name) ? `\u2068${name}\u2069` : name);
