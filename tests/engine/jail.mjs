// jail.mjs: what the tests of the jail and of the engine in it share: a folder that anybody may enter with copies of the programs, and as whom they are started.
import { chmodSync, copyFileSync, existsSync, linkSync, mkdirSync, mkdtempSync, chownSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { BUILD } from "../flow/host.mjs";

export const work = mkdtempSync(path.join(tmpdir(), "frond-jail-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));
chmodSync(work, 0o755);
export const at = (name) => path.join(work, name);

/** The path of a copy of a program of the build, there for every user. */
export function program(name) {
  const to = at(path.basename(name));
  if (!existsSync(to)) {
    try { linkSync(path.join(BUILD, name), to); } catch { copyFileSync(path.join(BUILD, name), to); }
  }
  return to;
}

const NOBODY = 65534;
/** As whom to start things: whoever runs the tests, and an ordinary user if that is root. */
export const users = process.getuid() === 0 ? [{ name: "root", ids: {} }, { name: "an ordinary user", ids: { uid: NOBODY, gid: NOBODY } }] : [{ name: "an ordinary user", ids: {} }];

/** A new folder that belongs to that user. */
export function folderOf(user, name) {
  const folder = at(name);
  mkdirSync(folder, { mode: 0o755 });
  if (user.ids.uid !== undefined) chownSync(folder, user.ids.uid, user.ids.gid);
  return folder;
}

/** Waits until what() is true; gives up after a time that only something broken takes. */
export async function until(what) {
  for (const end = Date.now() + 180000; !await what();) {
    if (Date.now() > end) throw new Error(`this never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export const gone = (pid) => { try { process.kill(pid, 0); return false; } catch (error) { return error.code === "ESRCH"; } };
