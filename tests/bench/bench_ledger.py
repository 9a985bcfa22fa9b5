#!/usr/bin/env python3
"""bench_ledger.py PROGRAM FOLDER: durable transfers a second through `ledger`, over pgbench with the same transfer.

Both run on the same disk, in turns, 64 in flight, among 32 accounts; the median of three runs counts. Beside it ours with one account that is a
side of every transfer, and with 512 in flight. PostgreSQL runs with its
defaults (everything durable) in a cluster of its own, on a unix socket, and is stopped at the end. Its clients take the two accounts in
order of their numbers: otherwise they would deadlock. Ours has a reader beside it that never pauses; theirs has none.
"""
import glob
import json
import os
import pwd
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile

import kit

BAR = 5
SECONDS = int(os.environ.get("BENCH_SECONDS", "4"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
IN_FLIGHT, WIDE = 64, 512
ACCOUNTS = int(os.environ.get("BENCH_ACCOUNTS", "32"))

SCHEMA = f"""
create table account(id bigint primary key, owner text not null, asset text not null,
  free bigint not null check (free >= 0), held bigint not null default 0 check (held >= 0));
insert into account select g, 'p' || g, 'TEST', 1000000000 from generate_series(1, {ACCOUNTS}) g;
create table idempotency(key text primary key, at_ms bigint not null, content bytea not null);
create table journal(id bigserial primary key, at_ms bigint not null, kind text not null, key text not null, reason text not null,
  asset text not null, legs text not null, note text not null, hash bytea not null);
"""
# The hash is a constant here: computing it is extra work that only our side does.
TRANSFER = rf"""
\set a random(1, {ACCOUNTS})
\set b 1 + (:a + random(0, {ACCOUNTS - 2})) % {ACCOUNTS}
\set low least(:a, :b)
\set high greatest(:a, :b)
\set k random(1, 1000000000000000000)
\set u random(1, 9)
BEGIN;
INSERT INTO idempotency VALUES ('bench:' || :k, 1764000000000, '\x00112233445566778899aabbccddeeff');
UPDATE account SET free = free - :u WHERE id = :low;
UPDATE account SET free = free + :u WHERE id = :high;
INSERT INTO journal(at_ms, kind, key, reason, asset, legs, note, hash) VALUES (1764000000000, 'transfer', 'bench:' || :k, 'bench', 'TEST',
  '1:-5:0:7,2:5:0:8', '', '\x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff');
COMMIT;
"""


def find_binaries():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda p: int(p.split("/")[4]))
    if found:
        return os.path.dirname(found[-1])
    path = shutil.which("initdb")
    if not path:
        raise kit.Skip("PostgreSQL is missing: apt-get install postgresql")
    return os.path.dirname(path)


class Postgres:
    """A cluster of its own; as user postgres when we are root, which PostgreSQL refuses to be."""

    def __init__(self, folder):
        self.bin = find_binaries()
        self.user = "postgres" if os.geteuid() == 0 else None
        if self.user:
            os.chown(folder, pwd.getpwnam(self.user).pw_uid, -1)
        self.folder = folder
        self.data = os.path.join(folder, "data")
        self.run([f"{self.bin}/initdb", "-D", self.data, "-A", "trust", "-U", "bench"])
        log = open(os.path.join(folder, "log"), "wb")
        self.server = subprocess.Popen(self.as_user([f"{self.bin}/postgres", "-D", self.data, "-k", folder, "-h", ""]), stdout=log, stderr=log)
        for _ in range(100):
            if subprocess.run([f"{self.bin}/pg_isready", "-q", "-h", folder]).returncode == 0:
                break
            if self.server.poll() is not None:
                sys.exit("bench-ledger: PostgreSQL did not start:\n" + open(log.name).read())
            subprocess.run(["sleep", "0.1"])

    def as_user(self, command):
        return ["setpriv", "--reuid", self.user, "--regid", self.user, "--clear-groups"] + command if self.user else command

    def run(self, command, text=None):
        done = subprocess.run(self.as_user(command), input=text, capture_output=True, text=True, cwd=self.folder)
        if done.returncode != 0:
            sys.exit(f"bench-ledger: {' '.join(command[:1])} failed:\n{done.stderr[-2000:]}")
        return done.stdout

    def sql(self, text):
        return self.run(["psql", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-U", "bench", "postgres"], text)

    def cpu_seconds(self):
        """Of the server and everything it started: what has ended is counted by the parent."""
        ticks = 0
        pids = [self.server.pid] + [int(p) for p in subprocess.run(["pgrep", "-P", str(self.server.pid)], capture_output=True, text=True).stdout.split()]
        for pid in pids:
            try:
                fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            ticks += sum(int(fields[i]) for i in (11, 12, 13, 14))
        return ticks / os.sysconf("SC_CLK_TCK")

    def bench(self):
        script = os.path.join(self.folder, "transfer.sql")
        with open(script, "w") as f:
            f.write(TRANSFER)
        os.chmod(script, 0o644)
        server, client = self.cpu_seconds(), resource.getrusage(resource.RUSAGE_CHILDREN)
        out = self.run([f"{self.bin}/pgbench", "-n", "-M", "prepared", "-c", str(IN_FLIGHT), "-j", "2", "-T", str(SECONDS), "-f", script,
                        "-h", self.folder, "-U", "bench", "postgres"])
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = int(re.search(r"actually processed: (\d+)", out).group(1))
        failed = re.search(r"failed transactions: (\d+)", out)
        if failed and int(failed.group(1)):
            sys.exit("bench-ledger: pgbench had failures:\n" + out)
        cpu = self.cpu_seconds() - server + after.ru_utime + after.ru_stime - client.ru_utime - client.ru_stime
        return {"rate": float(re.search(r"tps = ([\d.]+)", out).group(1)), "cpu_us": cpu * 1e6 / done,
                "mean_ms": float(re.search(r"latency average = ([\d.]+)", out).group(1))}

    def stop(self):
        self.server.send_signal(signal.SIGINT)      # fast shutdown
        self.server.wait(60)


def reachable(folder):
    """Whether another user may come to this folder."""
    while folder != "/":
        if not os.stat(folder).st_mode & 0o001:
            return False
        folder = os.path.dirname(folder)
    return True


def work_folder(wanted):
    """Under the build folder; or, where PostgreSQL's user may not go there, in /var/tmp on the same disk."""
    wanted = os.path.abspath(wanted)
    os.makedirs(wanted, exist_ok=True)
    if os.geteuid() != 0 or reachable(wanted):
        return tempfile.mkdtemp(prefix="ledger-", dir=wanted)
    if os.stat("/var/tmp").st_dev != os.stat(wanted).st_dev:
        sys.exit(f"bench-ledger: user postgres cannot reach {wanted}: choose another BUILD folder")
    return tempfile.mkdtemp(prefix="frond-bench-", dir="/var/tmp")


def ours(program, folder, in_flight, *more):
    data = tempfile.mkdtemp(prefix="data", dir=folder)
    run = subprocess.run([program, data, str(SECONDS), str(in_flight), str(ACCOUNTS), *more], capture_output=True, text=True)
    shutil.rmtree(data, ignore_errors=True)
    if run.returncode != 0:
        sys.exit("bench-ledger: " + run.stderr)
    o = json.loads(run.stdout)
    print(f"  {f'ledger, {in_flight} in flight' + (', one hot account' if more else ''):38} {o['rate']:8.0f}/s  {o['cpu_us']:6.1f} us CPU with the reader  p50 {o['p50_ms']:.2f} ms  "
          f"p99 {o['p99_ms']:.2f} ms  {o['group_mean']:.0f} a commit, commit p50 {o['commit_us_p50']} us", flush=True)
    return o


def body():
    program, wanted = os.path.abspath(sys.argv[1]), sys.argv[2]
    folder = work_folder(wanted)
    os.chmod(folder, 0o755)
    many, hot, wide, theirs, postgres = [], [], [], [], None
    try:
        cluster = os.path.join(folder, "pg")
        os.mkdir(cluster, 0o700)
        try:
            postgres = Postgres(cluster)
            postgres.sql(SCHEMA)
        except kit.Skip as e:
            print(f"  without pgbench: {e}")
        for i in range(ROUNDS):
            many.append(ours(program, folder, IN_FLIGHT))
            if postgres:
                theirs.append(t := postgres.bench())
                print(f"  {f'pgbench, {IN_FLIGHT} in flight':38} {t['rate']:8.0f}/s  {t['cpu_us']:6.1f} us CPU with its clients  mean {t['mean_ms']:.2f} ms", flush=True)
            hot.append(ours(program, folder, IN_FLIGHT, "hot"))
            wide.append(ours(program, folder, WIDE))
    finally:
        if postgres:
            postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)
    m, h, w, cpu = (statistics.median(o[key] for o in x) for x, key in ((many, "rate"), (hot, "rate"), (wide, "rate"), (many, "cpu_us")))
    kit.result("ledger-hot", h / m, 0.7, f"{h:.0f}/s with one hot account", f"itself, {ACCOUNTS} accounts: {m:.0f}/s", low=False)
    if not theirs:
        raise kit.Skip("PostgreSQL is missing: apt-get install postgresql")
    t, their_cpu = (statistics.median(o[key] for o in theirs) for key in ("rate", "cpu_us"))
    kit.result("ledger-512", w / t, 5, f"{w:.0f}/s, {WIDE} in flight", f"pgbench {t:.0f}/s, {IN_FLIGHT} clients", f"{statistics.median(o['cpu_us'] for o in wide):.1f} / {their_cpu:.1f} us", low=False)
    kit.result("ledger", m / t, BAR, f"{m:.0f}/s, {IN_FLIGHT} in flight", f"pgbench {t:.0f}/s", f"{cpu:.1f} / {their_cpu:.1f} us", low=False)


kit.main("ledger", body)
