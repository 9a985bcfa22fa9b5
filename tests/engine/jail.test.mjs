// frond-jail: a helper that was taken over tries everything, as root's and as an ordinary user's; what it needs works; every step of the lockdown fails closed.
import { test } from "node:test";
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, lstatSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { ROOT } from "../flow/host.mjs";
import { at, folderOf, gone, program, until, users, work } from "./jail.mjs";

const JAIL = program("frond-jail");
const [WORKED, REFUSED] = [130, 131];
const MIB = 1024 * 1024, MEMORY = 64 * MIB, THREADS = 8;
const model = at("model"), other = at("other");
writeFileSync(model, "the model");
writeFileSync(other, "not for it");
chmodSync(other, 0o666);

let made = 0;
/** Starts `frond-jail .. -- frond-jail --probe NAME ARGUMENT` and gives exit code and output. */
function probe(user, name, argument = "", { folder = folderOf(user, `box${++made}`), before = [], parent = process.pid, reads = [model], helper = [JAIL, "--probe", name, argument] } = {}) {
  const args = [...before, JAIL, "--parent", String(parent), "--memory", String(MEMORY), "--threads", String(THREADS), "--folder", folder, ...reads.flatMap((file) => ["--read", file]), "--env", "TOLD", "--env", "ABSENT", "--", ...helper];
  const run = spawnSync(args[0], args.slice(1), { ...user.ids, cwd: "/", encoding: "utf8", env: { TOLD: "yes", SECRET: "hunter2" }, timeout: 60000 });
  return { code: run.status, signal: run.signal, out: run.stdout.trim(), err: run.stderr.trim(), folder };
}
const outside = (user, name, argument) => spawnSync(JAIL, ["--probe", name, argument], { ...user.ids, cwd: folderOf(user, `box${++made}`), encoding: "utf8", timeout: 60000 });

for (const user of users) {
  // Somebody of the same user, to be attacked; a socket that anybody may talk to.
  const victim = spawn("sleep", ["600"], { ...user.ids, stdio: "ignore" });
  process.on("exit", () => victim.kill("SIGKILL"));
  const door = at(`door of ${user.name}`);
  let knocks = 0;
  const server = net.createServer((socket) => { knocks++; socket.destroy(); });
  const pid = String(victim.pid), own = String(process.pid);

  // name, argument, what it must be answered, and whether it works outside (then it is the jail that refuses)
  const attacks = [
    ["read", "/etc/passwd", "EACCES", true], ["read", other, "EACCES", true], ["read", `/proc/${own}/environ`, "EACCES"], ["read", `/proc/${pid}/environ`, "EACCES", true], ["read", "/proc/self/environ", "EACCES", true],
    ["read", "/dev/zero", "EACCES", true], ["list", "/", "EACCES", true], ["list", ".", "EACCES", true], ["list", "/proc/self/fd", "EACCES", true], ["write", other, "EACCES", true], ["write", "/proc/self/fd/3", "EACCES"], ["write", "/dev/null", "EACCES", true],
    ["create", "x", "EACCES", true], ["create", `/tmp/frond-jail-${own}`, "EACCES"], ["create", "/dev/shm/frond-jail", "EACCES"], ["truncate", other, "EPERM", true], ["unlink", other, "EPERM"], ["mkdir", "x", "EPERM", true], ["mkfifo", "x", "EPERM", true],
    ["symlink", "x", "EPERM", true], ["rename", other, "EPERM"], ["chmod", ".", "EPERM", true], ["chdir", "/", "EPERM", true], ["chroot", ".", "EPERM"], ["mount", ".", "EPERM"],
    ["inet", "", "EPERM", true], ["inet6", "", "EPERM"], ["netlink", "", "EPERM", true], ["datagram", "", "EPERM", true], ["connect", door, "EPERM", true], ["send_to", door, "EPERM"], ["send_message", "", "EPERM"],
    ["listen", "/tmp/frond-jail.sock", "EACCES"], ["listen", path.join(work, "frond-jail.sock"), "EACCES"],
    ["fork", "", "EPERM", true], ["new_user", "", "EPERM"], ["clone3", "", "ENOSYS", true], ["vfork", "", "EPERM", true], ["exec", "/bin/sh", "EPERM"], ["exec", JAIL, "EPERM"], ["exec", "/proc/self/exe", "EPERM"],
    ["exec_at", "/bin/sh", "EPERM"], ["exec_at", JAIL, "EPERM"], ["exec_at", "/proc/self/exe", "EPERM"],
    ["kill", own, "EPERM"], ["kill", pid, "EPERM"], ["kill", "-1", "EPERM"], ["thread_kill", pid, "EPERM"], ["owner", pid, "EPERM"], ["pidfd", pid, "EPERM", true], ["ptrace", pid, "EPERM"], ["ptrace", own, "EPERM"],
    ["vm_read", pid, "EPERM"], ["vm_write", pid, "EPERM"], ["limit_of", pid, "EPERM"], ["limit", "", "EPERM", true], ["priority", pid, "EPERM", true], ["affinity", pid, "EPERM", true],
    ["set_user", "", "EPERM"], ["outlive", "", "EPERM", true], ["dumpable", "", "EPERM", true], ["unshare", "", "EPERM"],
    ["io_uring", "", "EPERM"], ["bpf", "", "EPERM"], ["keyctl", "", "EPERM"], ["perf", "", "EPERM"], ["userfault", "", "EPERM"], ["memfd", "", "EPERM", true], ["seccomp", "", "EPERM"],
    ["code", "", "EPERM", true], ["make_code", "", "EPERM", true], ["memory", String(2 * MEMORY), "ENOMEM", true],
  ];

  test(`whatever a helper of ${user.name} tries is refused`, async () => {
    await new Promise((resolve) => server.listen(door, resolve));
    chmodSync(door, 0o777);
    for (const [name, argument, want] of attacks) {
      const got = probe(user, name, argument);
      assert.deepEqual([got.code, got.out, got.err], [REFUSED, want, ""], `${name} ${argument}`);
    }
    assert.equal(victim.exitCode ?? victim.signalCode, null);
    assert.equal(readFileSync(other, "utf8"), "not for it");
  });

  test(`the same things work for ${user.name} outside: it is the jail that refuses them`, async () => {
    const clumsy = [];
    for (const [name, argument, , works] of attacks) {
      if (!works || (name === "truncate")) continue;
      const got = outside(user, name, argument);
      if (got.status !== WORKED) clumsy.push(`${name} ${argument}: ${got.stdout.trim() || got.status}`);
    }
    assert.deepEqual(clumsy, []);
    await until(() => knocks > 0);               // the one connection is that of outside
    assert.equal(knocks, 1);
    server.close();
  });

  test(`what a helper of ${user.name} needs works`, () => {
    for (const [name, argument] of [["read", "/proc/self/fd/3"], ["listen", "some.sock"], ["thread", ""], ["own_kill", ""], ["memory", String(MEMORY / 4)]]) {
      const got = probe(user, name, argument);
      assert.deepEqual([got.code, got.out, got.err], [WORKED, "worked", ""], `${name} ${argument}`);
      if (name === "listen") assert.deepEqual([readdirSync(got.folder), lstatSync(path.join(got.folder, "some.sock")).mode & 0o777, lstatSync(got.folder).mode & 0o777], [["some.sock"], 0o700, 0o700]);
    }
    assert.equal(probe(user, "nonsense").code, 132);
    const crash = probe(user, "dump");
    assert.equal(crash.signal, "SIGABRT");       // abort() is no other call
    assert.deepEqual(readdirSync(crash.folder), []);
  });

  test(`a helper of ${user.name} has what it was told, and nothing else`, () => {
    const got = probe(user, "show"), lines = got.out.split("\n"), some = (what) => lines.filter((line) => line.startsWith(what));
    assert.equal(got.code, WORKED);
    assert.deepEqual(some("env "), ["env TOLD=yes"]);
    assert.deepEqual(some("fd "), ["fd 0", "fd 1", "fd 2", "fd 3"]);
    assert.deepEqual(some("folder "), [`folder ${got.folder}`]);
    const limit = Object.fromEntries(some("limit ").map((line) => line.split(" ").slice(1).map(Number)));
    assert.deepEqual([limit[1], limit[2], limit[4], limit[7], limit[8]], [0, MEMORY, 0, 256, 0]);       // files written, data, core, open, locked
    assert.ok(limit[9] > MEMORY && limit[9] < MEMORY + 4.1 * 1024 * MIB);
    if (user.name === "root") {
      const [, uid, gid] = some("user ")[0].split(" ").map(Number);
      assert.ok(uid >= 61000 && uid < 61184 && gid === uid);
      assert.equal(lstatSync(got.folder).uid, uid);
    }
  });

  test(`threads of a helper of ${user.name} are counted where it has a user of its own`, () => {
    const alone = user.name === "root" || spawnSync("unshare", ["-U", "true"], user.ids).status === 0, got = probe(user, "threads", "40");
    assert.deepEqual([got.code, got.out], alone ? [REFUSED, "EAGAIN"] : [WORKED, "worked"]);
  });

  test(`a helper dies with the host of ${user.name}`, async () => {
    const script = `"$0" --parent $$ --memory ${MEMORY} --threads ${THREADS} --folder . -- "$0" --probe stay & echo $!; wait`;
    const host = spawn("sh", ["-c", script, JAIL], { ...user.ids, cwd: folderOf(user, `box${++made}`), stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    host.stdout.on("data", (bytes) => { said += bytes; });
    await until(() => /here/.test(said));
    const helper = Number(/\d+/.exec(said)[0]);
    assert.ok(!gone(helper));
    host.kill("SIGKILL");
    try {
      await until(() => gone(helper));
    } finally {
      if (!gone(helper)) process.kill(helper, "SIGKILL");
    }
  });

  test(`every step of the lockdown fails closed for ${user.name}`, () => {
    const without = (call) => ["python3", path.join(ROOT, "tests/engine/without.py"), call], ids = user.name === "root" ? ["setgroups", "setresgid", "setresuid", "fchown"] : [];
    assert.equal(probe(user, "read", "/proc/self/fd/3", { before: without("execveat").slice(0, 2).concat("fchown") }).code === WORKED, user.name !== "root");      // the filter alone breaks nothing
    for (const call of ["close_range", "prctl", "capset", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "prlimit64", "seccomp", "fchmod", "execveat", ...ids]) {
      const got = probe(user, "read", model, { before: without(call) });
      assert.ok(got.code >= 121 && got.code <= 123, `${call}: ${got.code} ${got.out}`);
      assert.equal(got.out, "");
      assert.match(got.err, /^frond-jail: [^\n]*Function not implemented[^\n]*$/, call);
    }
  });

  test(`what cannot be jailed is refused with a sentence, for ${user.name}`, () => {
    const said = (code, text, options) => {
      const got = probe(user, "read", model, options);
      assert.equal(got.out, "");
      assert.equal(got.code, code, got.err);
      assert.match(got.err, text);
    };
    const closed = at("closed");
    writeFileSync(closed, "x", { mode: 0o600 });
    said(121, /^frond-jail: .*\/absent: No such file or directory$/, { reads: [at("absent")] });
    said(121, /^frond-jail: .*this is no file$/, { reads: [work] });
    said(121, /^frond-jail: .*\/nowhere: No such file or directory$/, { folder: at("nowhere") });
    if (process.getuid() === 0) said(121, /closed: (Permission denied|user 61\d\d\d, as whom the helper runs, may not read it \(Permission denied\))$/, { reads: [closed] });
    said(121, /No such file/, { helper: [at("absent"), "x"] });
    said(123, /true cannot be started: Permission denied \(it has to be static, and anybody's to run\)$/, { helper: ["/bin/true"] });
    said(122, /^frond-jail: getppid: the host \(1\) is gone/, { parent: 1 });
    said(120, /number from/, { parent: "x" });
    said(120, /over 64 arguments/, { helper: Array(65).fill(JAIL) });
    said(120, /unknown, or too often/, { reads: Array(9).fill(model) });
    const bare = spawnSync(JAIL, [], { encoding: "utf8" });
    assert.deepEqual([bare.status, /not started by hand/.test(bare.stderr)], [120, true]);
    rmSync(closed);
  });

  test.after(() => { victim.kill("SIGKILL"); server.close(); });
}
