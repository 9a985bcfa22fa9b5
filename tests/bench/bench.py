#!/usr/bin/env python3
"""All benches one after the other, then a table. Usage: bench.py COMMAND... (each a shell command that prints its own lines)"""
import json, os, subprocess, sys, tempfile, time

rows = tempfile.NamedTemporaryFile(prefix="frond-bench-rows-", suffix=".json", delete=False).name
began = time.time()
try:
    for command in sys.argv[1:]:
        print(f"\n== {command}   (load {open('/proc/loadavg').read().split()[0]})", flush=True)
        before = os.path.getsize(rows)
        try:
            done = subprocess.run(command, shell=True, env={**os.environ, "BENCH_ROWS": rows}, timeout=300)
            said = done.returncode == 0 and os.path.getsize(rows) > before
        except subprocess.TimeoutExpired:
            said = False
        if not said:
            with open(rows, "a") as f:
                f.write(json.dumps(dict(name=os.path.basename(command.split()[2])[6:-3], skipped="failed, see above")) + "\n")
    found = [json.loads(line) for line in open(rows)]
finally:
    os.unlink(rows)

print(f"\n{'bench':14} {'ratio':>9} {'bar':>6}      {'load':>5}  {'ours':44} {'against':44} CPU per operation")
for r in found:
    if "skipped" in r:
        print(f"{r['name']:14} skipped: {r['skipped']}")
        continue
    print(f"{r['name']:14} {r['ratio']:9.2f} {r['bar']:6g} {'met' if r['met'] else 'MISS':4} {r['load']:>5}  {r['ours']:44} {r['theirs']:44} {r['cpu']}{' | ratio is ' + r['of'] if r['of'] else ''}")
print(f"{sum(r.get('met', False) for r in found)} of {len(found)} met, {sum('skipped' in r for r in found)} skipped; {time.time() - began:.0f} s")
