// i18n.js: what /wallet/ says, in English and Korean (해요체).
import { chooseLanguage, texts } from "/sdk/i18n.js";

export const LANGUAGES = { en: "English", ko: "한국어" };
const CHOICE = "frond.language";      // shared with the shell: the player's choice in this browser

export const CATALOGUE = {
  en: {
    title: "Your wallets", language: "Language", loading: "One moment…", sign_out: "Sign out", retry: "Try again", cancel: "Cancel", back: "Back",
    "out.title": "Sign in to your player account", "out.telegram": "Sign in with Telegram", "out.telegram_text": "Telegram tells this page who you are. Use the account that you play with.",
    "out.app": "Open the app, go to Wallet, and choose “Make a link”. It opens this page signed in.", "out.none": "This host offers no way to sign in here yet. Ask its operator.",
    "balances": "Your coins", "balances.none": "You have no coins yet.", held: "{amount} set aside",
    "links": "Linked wallets", "links.none": "No wallet is linked yet. Withdrawals to a linked wallet become quick once it has been linked for a while.", "links.since": "Linked {date}", unlink: "Unlink", "unlink.one": "Unlink {address}", "unlink.sure": "Really unlink?", "unlinked": "Unlinked. A withdrawal to this address waits again.",
    "link.head": "Link a wallet", "link.with": "Link with {name}", "link.none": "No wallet was found in this browser", "link.none_text": "Install a wallet extension, or open this page in your wallet's own browser, then load it again.", "link.again": "Look again",
    "link.read": "Your wallet will show you exactly this message. Compare it, then sign. Signing costs nothing and moves nothing.", "link.sign": "Sign in the wallet", "link.waiting": "Waiting for your wallet…", "linked": "The wallet is linked.",
    "browser_wallet": "browser wallet",
    "withdraw": "Withdraw", "withdraw.off": "Nothing can be withdrawn on this host.", "withdraw.paused": "Withdrawals are paused by the operator.", asset: "Coin", amount: "Amount", "amount.hint": "{least} to {most}", to: "To", "to.other": "Another address", "to.address": "Address (0x…)",
    "withdraw.next": "Continue", "confirm.head": "Check everything", "confirm.warn": "A payment on a chain cannot be taken back. Check the address letter by letter.", "confirm.cooldown": "The first withdrawal to a new address waits {time}. Until then you can take it back.", "confirm.two": "This amount is looked at by two operators first.", "confirm.go": "Withdraw now", asked: "It is on its way. You see below how it fares.",
    "withdrawals": "Withdrawals", "withdrawals.none": "None yet.", "state.asked": "waits", "state.waiting": "in line", "state.batched": "being paid", "state.review": "looked into", "state.paid": "paid", "state.returned": "given back", "state.returning": "being given back",
    "asked.until": "Waits until {date}", "asked.approval": "Waits for {n} more approvals", take_back: "Take back", "take_back.one": "Take back {amount}", "taken_back": "It is given back to you as soon as the chain has been asked.", "paid.tx": "Transaction", "deposits": "Deposits", "deposit.to": "Send coins to your own address:", copy: "Copy the address", copied: "Copied.", "copy.by_hand": "It could not be copied. The address is selected: copy it by hand.",
    "deposit.only": "Send only {asset} on chain {chain} to this address. Other coins are lost. What arrives is yours as soon as its block is final.", "deposit.none": "Nothing has come yet.",
    "deposit.coming": "seen, not final", "deposit.blocks": { one: "{n} block to go", other: "{n} blocks to go" }, "deposit.credited": "credited", "deposit.dust": "less than the smallest amount: kept until it is enough", "deposit.kept": "kept for the operator",
    "error.any": "That did not work ({code}).", "error.offline": "The host cannot be reached.", "error.code_unknown": "This link was used already. Open another from the app.", "error.code_expired": "This link is too old. Open another from the app.", "error.session_expired": "You were signed out after a while. Sign in again.", "error.session_unknown": "You were signed out. Sign in again.", "error.session_revoked": "You were signed out. Sign in again.",
    "error.login_stale": "This sign-in is too old. Try again.", "error.login_bad_hash": "This sign-in was not accepted.", "error.player_unknown": "You have not played here yet. Open the app in Telegram first.",
    "error.rejected": "You refused it in your wallet.", "error.wallet": "Your wallet says: {detail}", "error.wallet_taken": "This wallet is linked to another player. Unlink it there first.", "error.wallet_contract": "Wallets that are contracts cannot be linked yet. Use an ordinary account.", "error.siwe_wrong_wallet": "It was signed by another account. Choose the right one in your wallet.", "error.wallets": "You have linked as many wallets as are possible.",
    "error.address_invalid": "This is no valid address. Mixed capitals must be exactly right.", "error.address_ours": "Coins that are sent to this address do not come back.", "error.withdrawal_small": "That is less than the least.", "error.withdrawal_large": "That is more than is possible at once.", "error.withdrawal_day": "That is more than you may withdraw today.", "error.withdrawal_day_all": "All that may leave today has been asked for. Try again tomorrow.", "error.funds": "You do not have enough.",
    "error.withdrawals_open": "Too many are under way. Wait for one.", "error.money_out_halted": "Nothing can be withdrawn now. The operator has been told.", "error.withdrawals_paused": "Withdrawals are paused by the operator.", "error.chain_off": "This host is not joined to a chain.", "error.amount": "Type an amount like 12.5.", "error.withdrawal_under_way": "It is on its way and cannot be taken back any more.",
  },
  ko: {
    title: "내 지갑", language: "언어", loading: "잠시만요…", sign_out: "로그아웃", retry: "다시 시도", cancel: "취소", back: "뒤로",
    "out.title": "플레이어 계정으로 로그인하세요", "out.telegram": "텔레그램으로 로그인", "out.telegram_text": "텔레그램이 이 페이지에 누구인지 알려 줘요. 게임할 때 쓰는 계정으로 로그인하세요.",
    "out.app": "앱의 지갑 화면에서 ‘링크 만들기’를 누르면 로그인된 채로 이 페이지가 열려요.", "out.none": "이 호스트에서는 아직 여기서 로그인할 수 없어요. 운영자에게 물어보세요.",
    "balances": "내 코인", "balances.none": "아직 코인이 없어요.", held: "{amount} 따로 둠",
    "links": "연결한 지갑", "links.none": "아직 연결한 지갑이 없어요. 연결한 지 얼마 지나면 그 지갑으로 빨리 출금할 수 있어요.", "links.since": "{date} 연결", unlink: "연결 해제", "unlink.one": "{address} 연결 해제", "unlink.sure": "정말 해제할까요?", "unlinked": "해제했어요. 이 주소로 출금하면 다시 기다려야 해요.",
    "link.head": "지갑 연결", "link.with": "{name}(으)로 연결", "link.none": "이 브라우저에 지갑이 없어요", "link.none_text": "지갑 확장 프로그램을 설치하거나, 지갑 앱의 브라우저에서 이 페이지를 다시 열어 주세요.", "link.again": "다시 찾기",
    "link.read": "지갑에 이 메시지가 그대로 보여요. 비교해 보고 서명하세요. 서명에는 비용이 들지 않고 아무것도 움직이지 않아요.", "link.sign": "지갑에서 서명", "link.waiting": "지갑을 기다리고 있어요…", "linked": "지갑을 연결했어요.",
    "browser_wallet": "브라우저 지갑",
    "withdraw": "출금", "withdraw.off": "이 호스트에서는 출금할 수 없어요.", "withdraw.paused": "운영자가 출금을 멈췄어요.", asset: "코인", amount: "금액", "amount.hint": "{least}부터 {most}까지", to: "받는 곳", "to.other": "다른 주소", "to.address": "주소 (0x…)",
    "withdraw.next": "계속", "confirm.head": "모두 확인하세요", "confirm.warn": "체인에서 보낸 돈은 되돌릴 수 없어요. 주소를 한 글자씩 확인하세요.", "confirm.cooldown": "새 주소로 하는 첫 출금은 {time} 기다려요. 그동안은 취소할 수 있어요.", "confirm.two": "이 금액은 먼저 운영자 두 명이 확인해요.", "confirm.go": "지금 출금", asked: "처리하고 있어요. 아래에서 상태를 볼 수 있어요.",
    "withdrawals": "출금 내역", "withdrawals.none": "아직 없어요.", "state.asked": "대기", "state.waiting": "차례 대기", "state.batched": "보내는 중", "state.review": "확인 중", "state.paid": "완료", "state.returned": "돌려받음", "state.returning": "돌려주는 중",
    "asked.until": "{date}까지 기다려요", "asked.approval": "승인 {n}번이 더 필요해요", take_back: "취소", "take_back.one": "{amount} 출금 취소", "taken_back": "체인을 확인한 뒤 바로 돌려드려요.", "paid.tx": "트랜잭션", "deposits": "입금", "deposit.to": "내 전용 주소로 코인을 보내세요:", copy: "주소 복사", copied: "복사했어요.", "copy.by_hand": "복사하지 못했어요. 주소를 선택해 뒀으니 직접 복사해 주세요.",
    "deposit.only": "이 주소로는 체인 {chain}의 {asset}만 보내 주세요. 다른 코인은 되찾을 수 없어요. 블록이 확정되면 바로 입금돼요.", "deposit.none": "아직 들어온 코인이 없어요.",
    "deposit.coming": "확인 중, 아직 확정 전", "deposit.blocks": "{n}블록 남음", "deposit.credited": "입금 완료", "deposit.dust": "최소 단위보다 적어서 모일 때까지 보관해요", "deposit.kept": "운영자가 보관 중",
    "error.any": "처리하지 못했어요 ({code}).", "error.offline": "호스트에 연결할 수 없어요.", "error.code_unknown": "이미 쓴 링크예요. 앱에서 다시 열어 주세요.", "error.code_expired": "오래된 링크예요. 앱에서 다시 열어 주세요.", "error.session_expired": "시간이 지나 로그아웃됐어요. 다시 로그인하세요.", "error.session_unknown": "로그아웃됐어요. 다시 로그인하세요.", "error.session_revoked": "로그아웃됐어요. 다시 로그인하세요.",
    "error.login_stale": "로그인한 지 오래됐어요. 다시 해 주세요.", "error.login_bad_hash": "로그인을 받아들일 수 없어요.", "error.player_unknown": "아직 여기서 게임한 적이 없어요. 먼저 텔레그램에서 앱을 열어 주세요.",
    "error.rejected": "지갑에서 거절했어요.", "error.wallet": "지갑 메시지: {detail}", "error.wallet_taken": "다른 플레이어와 연결된 지갑이에요. 먼저 거기서 해제하세요.", "error.wallet_contract": "컨트랙트 지갑은 아직 연결할 수 없어요. 일반 계정을 쓰세요.", "error.siwe_wrong_wallet": "다른 계정으로 서명했어요. 지갑에서 맞는 계정을 고르세요.", "error.wallets": "더는 지갑을 연결할 수 없어요.",
    "error.address_invalid": "올바른 주소가 아니에요. 대소문자도 정확해야 해요.", "error.address_ours": "이 주소로 보낸 코인은 돌아오지 않아요.", "error.withdrawal_small": "최소 금액보다 적어요.", "error.withdrawal_large": "한 번에 출금할 수 있는 금액보다 많아요.", "error.withdrawal_day": "오늘 출금할 수 있는 금액보다 많아요.", "error.withdrawal_day_all": "오늘 나갈 수 있는 금액이 모두 찼어요. 내일 다시 해 주세요.", "error.funds": "잔액이 부족해요.",
    "error.withdrawals_open": "진행 중인 출금이 너무 많아요. 하나가 끝날 때까지 기다려 주세요.", "error.money_out_halted": "지금은 출금할 수 없어요. 운영자에게 알렸어요.", "error.withdrawals_paused": "운영자가 출금을 멈췄어요.", "error.chain_off": "이 호스트는 체인에 연결되어 있지 않아요.", "error.amount": "12.5처럼 금액을 적어 주세요.", "error.withdrawal_under_way": "이미 처리 중이라 취소할 수 없어요.",
  },
};

const kept = () => { try { return localStorage.getItem(CHOICE); } catch { return null; } };
export let language = chooseLanguage([kept(), ...navigator.languages].filter(Boolean), Object.keys(LANGUAGES));
let say = texts(CATALOGUE, language);
export const t = (key, values) => say(key, values);
export const knows = (key) => key in CATALOGUE.en;
export function choose(next) {
  language = next;
  say = texts(CATALOGUE, next);
  document.documentElement.lang = next;
  try { localStorage.setItem(CHOICE, next); } catch { /* it holds for this page */ }
}
document.documentElement.lang = language;
export const when = (iso) => new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
/** So many seconds in the largest unit that says enough: "24 hours". */
export function span(seconds) {
  const [unit, size] = seconds >= 3600 ? ["hour", 3600] : seconds >= 60 ? ["minute", 60] : ["second", 1];
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" }).format(Math.ceil(seconds / size));
}
/** What to say of a refusal. @param {{code: string, detail?: string}} error */
export const problem = (error) => t(knows(`error.${error.code}`) ? `error.${error.code}` : "error.any", { code: error.code, detail: error.detail ?? "" });
