#!/usr/bin/env python3
"""CPU of a JSON call through the sandbox, with 1, 4 and 16 workers, over the same work in nginx with LuaJIT and cjson. Usage: bench_call.py BUILD

POST /v1/call/benchcall/round over HTTP, 64 kept-alive connections (wrk), CPU of the host and all its workers over CPU of nginx's one
worker, in turns. CPU, not requests a second: the two must share the machine with wrk. A plugin has at most 8 workers, so 16 are two
plugins; a host whose manifests know no limits.workers gets as many plugins of one worker. ROUNDS may be set.
"""
import http.client, json, os, random, shutil, signal, subprocess, sys, tempfile, time

import kit
from kit import children, cpu_s

BUILD = sys.argv[1]
HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS, CONNECTIONS, ROUNDS = 3, 64, int(os.environ.get("ROUNDS", "3"))
BARS = {1: 1.0, 4: 1.3, 16: 2.0}
WORKERS_PER_PLUGIN_MAX = 8
BODY = '{"id":"u12345","name":"Ann","level":7,"coins":1250,"stake":50,"cards":[3,9,12]}'


def load(folder, port, paths, headers, pids):
    """Requests go round the paths."""
    script = os.path.join(folder, "post.lua")
    lines = [f"wrk.method = 'POST'", f"wrk.body = '{BODY}'"] + [f"wrk.headers['{k}'] = '{v}'" for k, v in headers.items()]
    if len(paths) > 1:
        lines += ["local paths, at = {" + ",".join(f"'{p}'" for p in paths) + "}, 0", "function request() at = at % #paths + 1 return wrk.format(nil, paths[at]) end"]
    open(script, "w").write("\n".join(lines))
    run = ["wrk", "-t1", f"-c{CONNECTIONS}", "-s", script, f"http://127.0.0.1:{port}{paths[0]}"]
    subprocess.run(run[:1] + ["-d1s"] + run[1:], capture_output=True, check=True)      # warm
    before, at = cpu_s(pids()), time.time()
    out = subprocess.run(run[:1] + [f"-d{SECONDS}s"] + run[1:], capture_output=True, text=True, check=True).stdout
    used, wall = cpu_s(pids()) - before, time.time() - at
    if "Non-2xx" in out:
        sys.exit(f"bench-call: refusals among the answers of {paths[0]}:\n{out}")
    done = int(out.split(" requests in")[0].split()[-1])
    return used / done * 1e6, done / wall


def post(port, path, body, headers={}):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    c.request("POST", path, body, {"Content-Type": "application/json", **headers})
    r = c.getresponse()
    text = r.read()
    return r.status, text


def wait_for(port):
    for _ in range(200):
        try:
            http.client.HTTPConnection("127.0.0.1", port, timeout=1).request("GET", "/")
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"bench-call: nothing listens on {port}")


def check_answer(what, status, text):
    want = {"id": "u12345", "name": "Ann", "level": 8, "coins": 1200, "total": 24, "best": 12, "won": True, "text": "Ann plays 24"}
    if status != 200 or json.loads(text) != want:
        sys.exit(f"bench-call: {what} answered {status} {text[:300]}")


def nginx(folder):
    port = random.randint(20000, 60000)
    modules = "/usr/lib/nginx/modules"
    conf = f"""
daemon off; worker_processes 1; pid nginx.pid; error_log stderr crit;
load_module {modules}/ndk_http_module.so; load_module {modules}/ngx_http_lua_module.so;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000000; client_body_buffer_size 16k;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  lua_package_path "{HERE}/call/?.lua;;"; lua_package_cpath "/usr/lib/x86_64-linux-gnu/lua/5.1/?.so;;";
  server {{
    listen 127.0.0.1:{port};
    location = /round {{
      content_by_lua_block {{
        local cjson, round = require "cjson", require "round"
        ngx.req.read_body()
        ngx.header.content_type = "application/json"
        local text = cjson.encode(round(cjson.decode(ngx.req.get_body_data())))
        ngx.header.content_length = #text
        ngx.print(text)
      }}
    }}
  }}
}}
"""
    open(os.path.join(folder, "n.conf"), "w").write(conf)
    p = subprocess.Popen(["nginx", "-p", folder, "-c", "n.conf", "-e", "stderr"])
    try:
        wait_for(port)
        check_answer("nginx", *post(port, "/round", BODY))
        return load(folder, port, ["/round"], {"Content-Type": "application/json"}, lambda: children(p.pid))
    finally:
        p.terminate()
        p.wait()


def frond(folder, workers):
    games = os.path.join(folder, "games")
    count, each = -(-workers // WORKERS_PER_PLUGIN_MAX), min(workers, WORKERS_PER_PLUGIN_MAX)
    if kit.plugin(games, "call", "benchcall", workers=each).get("workers", 1) != each:
        count, each = workers, 1
    names = ["benchcall"] + [f"benchcall-{i}" for i in range(1, count)]
    for name in names[1:]:
        kit.plugin(games, "call", name, workers=each)
    s = kit.Frond(folder)
    try:
        s.wait_ready()
        headers = {"Authorization": "Bearer " + s.sessions(1)[0], "Content-Type": "application/json"}
        for name in names:
            for _ in range(100):
                status, text = post(s.port, f"/v1/call/{name}/round", BODY, headers)
                if status != 503:
                    break
                time.sleep(0.05)
            check_answer("frond", status, text)
        us, rate = load(folder, s.port, [f"/v1/call/{n}/round" for n in names], headers, s.pids)
        return us, rate, f"{count} plugin{'s' if count > 1 else ''} of {each}"
    finally:
        s.stop()


def sandbox_alone():
    best = None
    for _ in range(3):
        out = subprocess.run([f"{BUILD}/bench/bench_call", os.path.abspath(f"{BUILD}/frond-worker"), os.path.join(HERE, "call"), "300000"], capture_output=True, text=True, check=True)
        r = json.loads(out.stdout)
        if not best or r["host_us"] + r["worker_us"] < best["host_us"] + best["worker_us"]:
            best = r
    return best


def nginx_there():
    if not shutil.which("nginx") or not os.path.exists("/usr/lib/nginx/modules/ngx_http_lua_module.so"):
        raise kit.Skip("nginx with Lua is missing: apt-get install nginx-light libnginx-mod-http-lua lua-cjson")
    if not shutil.which("wrk"):
        raise kit.Skip("wrk is missing: apt-get install wrk")


def body():
    nginx_there()
    alone = sandbox_alone()
    print(f"  sandbox alone: {alone['host_us']:.2f} us of CPU in the host and {alone['worker_us']:.2f} us in the worker per call, {alone['per_second']:.0f} a second")
    theirs, ours, how = [], {w: [] for w in BARS}, {}
    for _ in range(ROUNDS):
        with kit.Folder() as folder:
            us, rate = nginx(folder)
        theirs.append(us)
        print(f"  {'nginx + LuaJIT + cjson':42} {us:6.2f} us of CPU per request  {rate:8.0f} a second", flush=True)
        for workers in BARS:
            with kit.Folder() as folder:
                us, rate, how[workers] = frond(folder, workers)
            ours[workers].append(us)
            print(f"  {f'frond, {workers} workers ({how[workers]})':42} {us:6.2f} us of CPU per request  {rate:8.0f} a second", flush=True)
    for workers, bar in sorted(BARS.items(), reverse=True):
        ratio = kit.median([o / t for o, t in zip(ours[workers], theirs)])
        name = "call" if workers == 1 else f"call-{workers}"
        kit.result(name, ratio, bar, f"{kit.median(ours[workers]):.2f} us, {how[workers]}", f"nginx + LuaJIT {kit.median(theirs):.2f} us", f"{kit.median(ours[workers]):.2f} us")


kit.main("call", body)
