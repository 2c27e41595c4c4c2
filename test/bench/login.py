"""./onegate bench login: sign-ins beside plain Argon2id threads.

Also what sign-ins do to everybody else (health under load against idle),
whether time tells a known name from an unknown one, and what checking a token
costs. Sign-ins are counted against the sessions that the database has.
"""
import concurrent.futures
import http.client
import json
import statistics
import subprocess
import threading
import time
import uuid

import stack as running

CLIENTS = 8
PEOPLE = 8
HEALTH_PER_SECOND = 200
TIMED_TRIES = 60
UNSTEADY = 0.15 # how far the two baselines may differ
PASSWORD = "correct horse battery"


def call(connection, method, path, body):
    connection.request(method, path, json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def connect(stack):
    return http.client.HTTPConnection("127.0.0.1", running.port(stack, "auth"), timeout=30)


def register(stack, count):
    connection, names = connect(stack), []
    for _ in range(count):
        name = "bench" + uuid.uuid4().hex[:16]
        phone = "08" + str(uuid.uuid4().int)[:11]
        if call(connection, "POST", "/api/auth/register", {"username": name, "email": name + "@example.com",
                "phone": phone, "password": PASSWORD}) != 201:
            raise SystemExit("bench: a person could not be registered")
        names.append(name)
    return names


def health(run, seconds):
    """Open loop: latency counts from when a request was due."""
    out = subprocess.run([run.program("load"), "-p", str(running.port(run.stack, "auth")), "-P", "/health/live",
                          "-c", "4", "-r", str(HEALTH_PER_SECOND), "-w", "1", "-d", str(seconds)],
                         check=True, stdout=subprocess.PIPE).stdout
    return json.loads(out)


def hashes(run, seconds, cost):
    out = subprocess.run([run.program("hashes"), "-t", str(cost["threads"]), "-m", str(cost["memory"]),
                          "-p", str(cost["passes"]), "-d", str(seconds)], check=True, stdout=subprocess.PIPE).stdout
    return json.loads(out)["per_second"]


def sign_in_until(stack, name, stop):
    connection, done = connect(stack), 0
    while not stop.is_set():
        status = call(connection, "POST", "/api/auth/login", {"username": name, "password": PASSWORD})
        if status != 200:
            raise SystemExit("bench: a sign-in was answered %d" % status)
        done += 1
    return done


def saturate(run, names):
    """Sign-ins per second, and health meanwhile."""
    stop = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        began = time.monotonic()
        clients = [pool.submit(sign_in_until, run.stack, names[n % len(names)], stop) for n in range(CLIENTS)]
        meanwhile = health(run, run.seconds)
        stop.set()
        done = sum(client.result() for client in clients)
        return done, done / (time.monotonic() - began), meanwhile


def sessions(db, names):
    return db.execute("select count(*) from auth.sessions s join auth.users u on u.id = s.user_id"
                      " where u.username = any(%s)", (names,)).fetchone()[0]


def cost_of(db, name):
    """Memory and passes as they are stored; threads as configured."""
    text = db.execute("select password from auth.users where username = %s", (name,)).fetchone()[0]
    parts = dict(part.split("=") for part in text.split("$")[3].split(","))
    return {"memory": int(parts["m"]), "passes": int(parts["t"])}


def timed(stack, known):
    """Milliseconds of wrong passwords for a known and for unknown names, in turns."""
    connection, took = connect(stack), {"known": [], "unknown": []}
    for _ in range(TIMED_TRIES):
        for kind in took:
            name = known if kind == "known" else "nobody" + uuid.uuid4().hex[:16]
            began = time.perf_counter()
            if call(connection, "POST", "/api/auth/login", {"username": name, "password": "not the password"}) != 401:
                raise SystemExit("bench: a wrong password was not refused")
            took[kind].append((time.perf_counter() - began) * 1e3)
    return took


def distribution(kind, took):
    tenths = statistics.quantiles(took, n=10)
    return [kind + " name", "%.1f" % tenths[0], "%.1f" % statistics.median(took), "%.1f" % tenths[-1],
            "%.1f" % statistics.fmean(took), "%.1f" % statistics.stdev(took)]


def login(run, db, arguments):
    table, say = run.table, run.say
    names = register(run.stack, PEOPLE)
    cost = {**cost_of(db, names[0]), "threads": arguments.threads}
    say("plain Argon2id on %(threads)d threads, m=%(memory)d KiB, t=%(passes)d" % cost)
    plain = [hashes(run, run.seconds, cost)]
    say("health, idle")
    idle = health(run, run.seconds)
    say("%d clients sign in" % CLIENTS)
    before = sessions(db, names)
    done, per_second, meanwhile = saturate(run, names)
    stored = sessions(db, names) - before
    if stored != done:
        raise SystemExit("bench: %d sign-ins were answered, %d sessions are stored: no figure" % (done, stored))
    plain.append(hashes(run, run.seconds, cost))
    base = statistics.fmean(plain)
    if abs(plain[0] - plain[1]) > UNSTEADY * base:
        say("the machine was busy with something else: the baselines differ, believe no ratio")
    print()
    table([["", "per second", "ratio"], ["plain Argon2id threads, before and after", "%.1f %.1f" % tuple(plain), "1.00"],
           ["sign-ins", "%.1f" % per_second, "%.2f" % (per_second / base)]])
    print()
    table([["GET /health/live, 200 a second", "p50 ms", "p99 ms", "ratio of p99"],
           ["idle", "%.2f" % idle["p50_ms"], "%.2f" % idle["p99_ms"], "1.00"],
           ["while signing in", "%.2f" % meanwhile["p50_ms"], "%.2f" % meanwhile["p99_ms"],
            "%.2f" % (meanwhile["p99_ms"] / max(idle["p99_ms"], 0.001))]])
    say("wrong passwords, known and unknown names in turns")
    took = timed(run.stack, names[0])
    print()
    table([["wrong password, ms", "p10", "p50", "p90", "mean", "deviation"],
           *[distribution(kind, values) for kind, values in took.items()]])
    say("%d token checks of each kind" % arguments.checks)
    out = subprocess.run([run.program("tokens"), "-n", str(arguments.checks)], check=True, stdout=subprocess.PIPE).stdout
    print()
    table([["token check", "first time us", "known us"],
           *[["%(algorithm)s" % row, "%(first_us).1f" % row, "%(known_us).2f" % row]
             for row in map(json.loads, out.splitlines())]])
