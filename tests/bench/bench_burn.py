#!/usr/bin/env python3
"""bench_burn.py BURN_TOOL BENCH_LEDGER FOLDER: accruals a second from the ledger into planned batches, over plain durable transfers a second of the same ledger.

An accrual is a transfer too; what the ratio shows is what finding it, its leaf, its tree, the hold and the payment cost on top. In turns, 64 in flight each, the median of the
rounds. A real node with the real contracts stands behind (no batch is planned without), and every batch is burned there before the next round. Gas is printed beside it.
"""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import kit

BAR = 0.4                                      # our own: giving up costs at most two and a half transfers
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
SECONDS = int(os.environ.get("BENCH_SECONDS", "4"))
COUNT = int(os.environ.get("BENCH_ACCRUALS", "8000"))      # under 8 batches of 1,024: more wait for the chain
IN_FLIGHT, CHAIN = 64, 31337
NPM = os.environ.get("NPM", os.path.join(kit.BUILD, "npm"))
ANVIL = os.environ.get("ANVIL", os.path.join(NPM, "contracts/node_modules/.bin/anvil"))


def artifact(name):
    return json.load(open(os.path.join(kit.BUILD, "gen/contracts", name + ".json")))


def words(*values):
    return "".join((v[2:] if isinstance(v, str) else f"{v:x}").lower().rjust(64, "0") for v in values)


class Node:
    """anvil with PALM and the burn module, whose burner is the tool's key; a block every 100 ms."""

    def __init__(self):
        self.port = kit.free_port()
        self.p = subprocess.Popen([ANVIL, "--port", str(self.port), "--chain-id", str(CHAIN), "--silent"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.url = f"http://127.0.0.1:{self.port}"
        for _ in range(400):
            try:
                self.ask("eth_chainId")
                break
            except OSError:
                time.sleep(0.025)
        else:
            raise SystemExit("bench-burn: anvil does not answer")
        me, deployer, liquidity, reserve, owner = self.ask("eth_accounts")[:5]
        palm_json, module_json = artifact("PALM"), artifact("BurnModule")
        self.palm = self.send(deployer, None, palm_json["bytecode"] + words(liquidity, reserve))["contractAddress"]
        self.module = self.send(deployer, None, module_json["bytecode"] + words(self.palm, liquidity, owner, me, 10**17))["contractAddress"]
        self.send(liquidity, self.palm, palm_json["functions"]["approve(address,uint256)"] + words(self.module, 10**17))
        self.total = module_json["functions"]["totalBurned()"]
        self.ask("anvil_mine", "0x8")
        self.over = threading.Event()
        self.miner = threading.Thread(target=self.mine, daemon=True)
        self.miner.start()

    def ask(self, method, *params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})
        answer = json.load(urllib.request.urlopen(request, timeout=20))
        if "error" in answer:
            raise SystemExit(f"bench-burn: {method}: {answer['error']}")
        return answer["result"]

    def send(self, sender, to, data):
        sent = self.ask("eth_sendTransaction", {"from": sender, "data": data, **({"to": to} if to else {})})
        while not (receipt := self.ask("eth_getTransactionReceipt", sent)):
            time.sleep(0.02)
        if receipt["status"] != "0x1":
            raise SystemExit("bench-burn: a deployment reverted")
        return receipt

    def mine(self):
        while not self.over.wait(0.1):
            try:
                self.ask("anvil_mine", "0x1")
            except OSError:
                return

    def burned(self):
        return int(self.ask("eth_call", {"to": self.module, "data": self.total}, "latest"), 16)

    def stop(self):
        self.over.set()
        self.miner.join()
        self.p.kill()
        self.p.wait()


class Tool:
    def __init__(self, program, folder, node):
        self.p = subprocess.Popen([program, str(CHAIN), folder, node.module, node.palm, "threshold=1", "age_ms=1", f"a={node.url}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, line):
        self.p.stdin.write(line + "\n")
        self.p.stdin.flush()

    def ask(self, line):
        self.tell(line)
        for answer in self.p.stdout:
            found = json.loads(answer)
            if "ack" not in found and "news" not in found:
                return found
        raise SystemExit("bench-burn: the tool is gone")

    def until(self, what, line, test):
        for _ in range(1200):
            found = self.ask(line)
            if test(found):
                return found
            time.sleep(0.05)
        raise SystemExit(f"bench-burn: waited for {what}: {found}")

    def quiet(self):
        return self.until("all to be burned", "books", lambda b: b["pending"] == 0 and b["held"] == 0 and b["open"] == 0)

    def stop(self):
        if self.p.poll() is None:
            self.tell("quit")
            self.p.wait(20)


def gas(tool, node, batch):
    shown = tool.until(f"{batch} to be burned", f"show {batch}", lambda b: b.get("state") == "burned")
    return int(node.ask("eth_getTransactionReceipt", shown["tx"])["gasUsed"], 16)


def transfers(program, folder):
    data = tempfile.mkdtemp(prefix="ledger", dir=folder)
    run = subprocess.run([program, data, str(SECONDS), str(IN_FLIGHT)], capture_output=True, text=True)
    shutil.rmtree(data, ignore_errors=True)
    if run.returncode != 0:
        raise SystemExit("bench-burn: " + run.stderr)
    rate = json.loads(run.stdout)["rate"]
    print(f"  {f'plain transfers, {IN_FLIGHT} in flight':38} {rate:8.0f}/s", flush=True)
    return rate


def accruals(tool):
    r = tool.ask(f"bench {COUNT}")
    into_ledger, into_batches = COUNT / r["credited_ms"] * 1000, COUNT / r["batched_ms"] * 1000
    print(f"  {f'{COUNT} accruals, {IN_FLIGHT} in flight':38} {into_ledger:8.0f}/s into the ledger, {into_batches:.0f}/s into batches", flush=True)
    tool.quiet()
    return into_ledger, into_batches


def body():
    program, ledger, wanted = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), os.path.abspath(sys.argv[3])
    if not os.path.exists(ANVIL):
        raise kit.Skip("anvil is missing: make contracts")
    os.makedirs(wanted, exist_ok=True)
    folder, node, tool = tempfile.mkdtemp(prefix="burn-", dir=wanted), None, None
    ours, plain = [], []
    try:
        data = os.path.join(folder, "data")
        os.mkdir(data)
        node = Node()
        tool = Tool(program, data, node)
        tool.ask("credit duel 500 1")
        first = gas(tool, node, "b1")
        tool.ask("credit duel 500 1")
        one = gas(tool, node, "b2")
        tool.ask("pause")
        tool.ask("credit duel 500 1000")
        tool.ask("resume")
        thousand = gas(tool, node, "b3")
        print(f"  gas of a batch of 1: {one}, of 1,000: {thousand} ({thousand / 1000:.0f} an accrual); of the first of all: {first}", flush=True)
        for _ in range(ROUNDS):
            ours.append(accruals(tool))
            plain.append(transfers(ledger, folder))
        books = tool.quiet()
        if books["burned"] != node.burned() or books["sum"] != 0 or not books["audit"]:
            raise SystemExit(f"bench-burn: the books are wrong afterwards: {books}, {node.burned()} on chain")
    finally:
        if tool:
            tool.stop()
        if node:
            node.stop()
        shutil.rmtree(folder, ignore_errors=True)
    into_ledger, into_batches = (statistics.median(r[i] for r in ours) for i in (0, 1))
    transfers_s = statistics.median(plain)
    kit.result("burn", into_batches / transfers_s, BAR, f"{into_batches:.0f}/s into batches, {into_ledger:.0f}/s into the ledger", f"plain transfers {transfers_s:.0f}/s", f"gas: {one} of 1, {thousand} of 1,000", low=False)


kit.main("burn", body)
