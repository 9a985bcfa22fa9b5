// telegram.js: the few things the shell needs from Telegram's web view, spoken directly: their script lives on a foreign host, which our
// Content-Security-Policy does not load. Outside Telegram everything here does nothing.

const WEB_CLIENTS = /^https:\/\/([a-z0-9-]+\.)?telegram\.org$/;
const COLOR = /^#[0-9a-f]{6}$/i;

/** Launch parameters from the fragment, which is then removed from the address: it is a secret and has no place in a history.
 * @returns {{initData: string, themeParams: Object<string, string>, startParam: string, platform: string} | null} */
export function takeLaunch() {
  const params = new URLSearchParams(location.hash.slice(1));
  const initData = params.get("tgWebAppData");
  if (!initData) return null;
  history.replaceState(null, "", location.pathname + location.search);
  return { initData, themeParams: readTheme(params.get("tgWebAppThemeParams")), platform: params.get("tgWebAppPlatform") ?? "",
    startParam: params.get("tgWebAppStartParam") ?? new URLSearchParams(initData).get("start_param") ?? "" };
}

/** The language of the player's Telegram ("ko"), as launch data tells it; "" when it does not. The host checks launch data, this only reads. @param {string | null} initData */
export function languageOf(initData) {
  try { return String(JSON.parse(new URLSearchParams(initData ?? "").get("user")).language_code ?? ""); } catch { return ""; }
}

/** @param {string | null} text JSON of colours; anything that is none is left out */
function readTheme(text) {
  try { return pickColors(JSON.parse(text ?? "{}")); } catch { return {}; }
}
function pickColors(params) {
  return Object.fromEntries(Object.entries(params ?? {}).filter(([name, value]) => /^[a-z_]{1,40}$/.test(name) && COLOR.test(value)));
}

/** @param {string} type @param {Object<string, any>} [data] */
export function postEvent(type, data = {}) {
  if (window.TelegramWebviewProxy) window.TelegramWebviewProxy.postEvent(type, JSON.stringify(data));
  else if (typeof window.external?.notify === "function") window.external.notify(JSON.stringify({ eventType: type, eventData: data }));
  else if (window.parent !== window && inWebClient()) window.parent.postMessage(JSON.stringify({ eventType: type, eventData: data }), "*");
}
/** Whether this page runs inside Telegram, as far as one can see. */
export const inTelegram = () => Boolean(window.TelegramWebviewProxy) || typeof window.external?.notify === "function" || (window.parent !== window && inWebClient());
// A parent of our own origin is the development page, not Telegram.
function inWebClient() {
  return WEB_CLIENTS.test(document.location.ancestorOrigins?.[0] ?? originOf(document.referrer));
}
function originOf(url) {
  try { return new URL(url).origin; } catch { return ""; }
}

/** Calls listener(type, data) for what Telegram tells the page: "theme_changed", "back_button_pressed", ... */
export function onEvent(listener) {
  const receive = (type, data) => listener(String(type), type === "theme_changed" ? pickColors(data?.theme_params) : data ?? {});
  window.Telegram = { ...window.Telegram, WebView: { receiveEvent: receive } };          // Android, iOS
  window.TelegramGameProxy_receiveEvent = receive;                                        // desktop
  addEventListener("message", (event) => {
    if (event.source !== window.parent || !WEB_CLIENTS.test(event.origin) || typeof event.data !== "string") return;
    try {
      const { eventType, eventData } = JSON.parse(event.data);
      receive(eventType, eventData);
    } catch { /* not a message of the bridge */ }
  });
}

const IMPACT = new Set(["light", "medium", "heavy"]);
const NOTICE = new Set(["success", "warning", "error"]);

/** @param {string} kind from a plugin's page: unknown kinds do nothing */
export function haptic(kind) {
  if (IMPACT.has(kind)) postEvent("web_app_trigger_haptic_feedback", { type: "impact", impact_style: kind });
  else if (NOTICE.has(kind)) postEvent("web_app_trigger_haptic_feedback", { type: "notification", notification_type: kind });
  else if (kind === "select") postEvent("web_app_trigger_haptic_feedback", { type: "selection_change" });
}

const LIGHT = {
  bg_color: "#ffffff", secondary_bg_color: "#f1f2f5", section_bg_color: "#ffffff", text_color: "#16181d", hint_color: "#666d7a", link_color: "#14785a",
  button_color: "#187a5b", button_text_color: "#ffffff", accent_text_color: "#14785a", destructive_text_color: "#c4342b", header_bg_color: "#ffffff",
  section_separator_color: "#e3e5ea",
};
const DARK = {
  bg_color: "#15181c", secondary_bg_color: "#0e1013", section_bg_color: "#1b1f25", text_color: "#f1f3f5", hint_color: "#9aa3af", link_color: "#5fd0a5",
  button_color: "#2fa37c", button_text_color: "#06130e", accent_text_color: "#5fd0a5", destructive_text_color: "#ff7a70", header_bg_color: "#15181c",
  section_separator_color: "#2a3038",
};

/** CSS variables for Telegram's colours, filled up with ours. @param {Object<string, string>} params */
export function themeOf(params) {
  const scheme = params.bg_color ? (luminance(params.bg_color) < 0.4 ? "dark" : "light") : matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const colors = { ...(scheme === "dark" ? DARK : LIGHT), ...params };
  return { scheme, vars: Object.fromEntries(Object.entries(colors).map(([name, value]) => [`--tg-theme-${name.replaceAll("_", "-")}`, value])) };
}
function luminance(color) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16) / 255);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
