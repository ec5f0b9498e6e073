"""What is measured. A measure is a function of a peer that gives {what: value}; MEASURES says how
often, whether the server holds what it takes meanwhile, and what to reach."""
import os, smtplib, socket, statistics, subprocess, sys, tempfile, threading, time

from peers import BASE, SINK, TOP, WORK
from proc import count_calls, cpu_of, port_open, pss, sh, tree, wait

SENDER = "sender@bench.example"


def count(directory):
    return len(os.listdir(directory))


def empty(directory):
    """The mail is moved aside, not deleted: nobody deletes all mail at once, and a file system that keeps no journal
    (ext4) searches past every inode that was freed in the last minutes whenever a file is created."""
    aside = f"{directory}.{time.monotonic_ns()}"
    st = os.stat(directory)
    os.rename(directory, aside)
    os.mkdir(directory)
    os.chown(directory, st.st_uid, st.st_gid)
    os.chmod(directory, st.st_mode & 0o7777)


def source(peer, messages, connections=1, size=1024, reuse=True, rcpt=None, recipients=1):
    """The seconds Postfix's load generator needs."""
    argv = ["smtp-source"] + ["-d"] * reuse + ["-s", str(connections), "-m", str(messages), "-l", str(size), "-f", SENDER,
                                             "-t", rcpt or peer.rcpt, "-r", str(recipients), f"127.0.0.1:{peer.port}"]
    start = time.monotonic()
    p = subprocess.Popen(argv)
    end = threading.Timer(600, p.kill)
    end.start()
    p.wait()  # with a time-out it would look every 50 ms
    seconds = time.monotonic() - start
    end.cancel()
    if p.returncode:
        sys.exit(f"bench: smtp-source failed against {peer.name}")
    return seconds


def drained(peer, seconds=300):
    left = getattr(peer, "backlog", 0)
    wait(lambda: peer.queued() <= left, f"an empty queue of {peer.name} ({peer.queued()} left)", seconds, 0.2 if left else 0.01)


# --- to the Maildir of a virtual user ---------------------------------------------------------------

def to_maildir(peer, messages, connections, reuse, size=1024):
    new = os.path.join(peer.maildir, "new")
    empty(new)
    start = time.monotonic()
    source(peer, messages, connections, size, reuse)
    wait(lambda: count(new) >= messages, f"{messages} messages in {new}", every=0.005)
    seconds = time.monotonic() - start
    drained(peer)
    if count(new) != messages:
        sys.exit(f"bench: {peer.name} delivered {count(new)} of {messages}")
    return seconds


def maildir(peer, messages=2000, reuse=True):
    cpu = cpu_of(peer.pid)
    seconds = to_maildir(peer, messages, 20, reuse)
    cpu = cpu_of(peer.pid) - cpu
    what = "SMTP to Maildir, 20 connections " + ("kept" if reuse else "new for each")
    return {f"{what}, msg/s": messages / seconds, f"{what}, CPU s/1,000": cpu * 1000 / messages}


def maildir_new(peer):
    return maildir(peer, 1000, False)


def calls(peer, messages=1000):
    to_maildir(peer, messages, 20, True)  # whoever is to be resident is started
    names = ("system calls", "syncs", "forks", "execs")
    got = count_calls(peer.pid, lambda: to_maildir(peer, messages, 20, True))
    return {f"SMTP to Maildir, {n} a message": c / messages for n, c in zip(names, got)}


def latency(peer, messages=300):
    new = os.path.join(peer.maildir, "new")
    empty(new)
    out = sh([os.path.join(TOP, "build/bench/latency"), str(peer.port), SENDER, peer.rcpt, new, str(messages)])
    accept, deliver = zip(*((float(x) / 1000 for x in line.split()) for line in out.splitlines()))
    drained(peer)
    deliver = sorted(deliver)
    return {"MAIL to 250, median ms": statistics.median(accept),
            "250 to file in Maildir, median ms": statistics.median(deliver),
            "250 to file in Maildir, 99th ms": deliver[int(len(deliver) * 0.99)]}


def sendmail(peer, messages=500):
    """The mail has to be delivered as well before it counts."""
    new = os.path.join(peer.maildir, "new")
    empty(new)
    with tempfile.NamedTemporaryFile("w", suffix=".eml") as f:
        f.write(f"From: {SENDER}\nTo: {peer.rcpt}\nSubject: bench\n\nhello\n")
        f.flush()
        loop = f'i=0; while [ $i -lt {messages} ]; do "$@" -t < {f.name} || exit 1; i=$((i + 1)); done'
        start = time.monotonic()
        sh(["sh", "-c", loop, "sh", *peer.sendmail])
        seconds = time.monotonic() - start
    wait(lambda: count(new) >= messages, "what sendmail queued")
    drained(peer)
    return {"sendmail -t, one after the other, msg/s": messages / seconds}


# --- to the queue, nothing delivered ----------------------------------------------------------------

def accept(peer, connections, reuse, size, messages):
    seconds = source(peer, messages, connections, size, reuse)
    peer.empty_queue()
    kb = "1 MB" if size > 100000 else f"{size // 1024} kB"
    how = "kept" if reuse else "new for each"
    return {f"SMTP to queue, {kb}, {connections} connections {how}, msg/s": messages / seconds}


def accept_all(peer):
    got = {}
    for size in (1024, 10240):
        for connections, messages in ((1, 500), (10, 1500), (50, 1500)):
            got.update(accept(peer, connections, True, size, messages))
            got.update(accept(peer, connections, False, size, messages // 2))
    return got


def accept_large(peer):
    return accept(peer, 10, True, 1 << 20, 200)


# --- to another host --------------------------------------------------------------------------------

sinks = []


def with_sink(work):
    """The remote host is there until the end of the run: a server that has met it once need not find out that it went."""
    if not sinks:
        sinks.append(subprocess.Popen(["smtp-sink", "-u", "nobody", "-c", f"127.0.0.1:{SINK}", "1000"], stdout=subprocess.DEVNULL))
        wait(lambda: port_open(SINK), "smtp-sink")
    return work()


def end_sink():
    for sink in sinks:
        sink.terminate()
        sink.wait()


def relay(peer, messages=2000):
    if peer.name == "opensmtpd":
        return {}  # its queue to one host was not empty after five minutes

    def work():
        cpu = cpu_of(peer.pid)
        start = time.monotonic()
        source(peer, messages, 20, 1024, True, "u@sink.example")
        drained(peer)
        return time.monotonic() - start, cpu_of(peer.pid) - cpu
    seconds, cpu = with_sink(work)
    what = "SMTP to remote sink, one recipient each"
    return {f"{what}, msg/s": messages / seconds, f"{what}, CPU s/1,000": cpu * 1000 / messages}


def recipients(peer, n=1000, messages=10):
    def work():
        start = time.monotonic()
        source(peer, messages, 1, 1024, True, "u@sink.example", n)
        drained(peer)
        return time.monotonic() - start
    return {"one message to 1,000 recipients of a domain, rcpt/s": n * messages / with_sink(work)}


# --- connections ------------------------------------------------------------------------------------

def idle(peer):
    time.sleep(1)
    return {"idle system, PSS MB": pss(peer.pids()) / 1024}


def idle_connection(peer, n=1000):
    before = pss(peer.pids())
    sockets = []
    for _ in range(n):
        s = socket.create_connection(("127.0.0.1", peer.port), 60)
        s.settimeout(60)
        if not s.recv(512).startswith(b"220"):
            sys.exit(f"bench: {peer.name} does not greet")
        s.sendall(b"EHLO bench.example\r\n")
        s.recv(2048)
        sockets.append(s)
    after = pss(peer.pids())
    for s in sockets:
        s.close()
    return {f"idle SMTP connection, {n} open, PSS kB": (after - before) / n}


def connects(peer, most=10000):
    if peer.name == "opensmtpd":
        return {}  # stops answering in the midst of it, for good

    def rate(total):
        return float(sh([os.path.join(TOP, "build/bench/connect"), str(peer.port), "20", str(total)]))
    return {"connect, banner, QUIT, 20 at once, /s": rate(min(most, max(200, int(10 * rate(200)))))}  # ten seconds of a slow one


# --- TLS --------------------------------------------------------------------------------------------

def with_tls(peer, work):
    """Those of them that we set up for it."""
    if not hasattr(peer, "tls"):
        return {}
    peer.tls(True)
    with smtplib.SMTP("127.0.0.1", peer.port, timeout=60) as s:  # whoever is to be resident is started
        s.starttls()
        s.ehlo()
    got = work()
    peer.tls(False)
    return got


def tls_sessions(peer, total=2000):
    program = os.path.join(TOP, "build/bench/tls_sessions")

    def work():
        cpu = cpu_of(peer.pid)
        rate = float(sh([program, str(peer.port), "20", str(total)]))
        return {"TLS 1.3 sessions, 20 at once, /s": rate, "TLS 1.3 sessions, CPU s/1,000": (cpu_of(peer.pid) - cpu) * 1000 / total}
    return with_tls(peer, work)


def tls_connection(peer, n=500):
    def work():
        before, sessions = pss(peer.pids()), []
        for _ in range(n):
            s = smtplib.SMTP("127.0.0.1", peer.port, timeout=60)
            s.starttls()
            s.ehlo()
            sessions.append(s)
        after = pss(peer.pids())
        for s in sessions:
            s.close()
        return {f"idle SMTP connection under TLS, {n} open, PSS kB": (after - before) / n}
    return with_tls(peer, work)


# --- lists ------------------------------------------------------------------------------------------

def lists(peer, messages=1000):
    """What 100,000 lines in each list cost a message, where none of them is for it. Each way in turn, again and again, for
    the machine is not the same all the time."""
    if not hasattr(peer, "lists"):
        return {}
    took = {"none": [], "cdb": [], "text": []}
    for _ in range(5):
        for how in took:
            peer.lists(how)
            source(peer, 100, 20)  # every resident has read them
            took[how].append(source(peer, messages, 1) / messages * 1000)
            peer.empty_queue()
    peer.lists("none")
    none = statistics.median(took["none"])
    return {"a message with no lists, 1 connection, ms": none,
            **{f"lists of 100,000 lines, {how}, more time than without, %": 100 * statistics.median(took[how]) / none - 100 for how in ("cdb", "text")}}


# --- a long queue -----------------------------------------------------------------------------------

def quiet(peer):
    """Until it has nothing to do: it reads what a long queue holds for some seconds after it has begun to deliver."""
    for _ in range(120):
        cpu = cpu_of(peer.pid)
        time.sleep(0.5)
        if cpu_of(peer.pid) - cpu < 0.03:
            return


def deferred(peer, n=100000, messages=1000):
    """Only of servers whose queue we can fill without sending all that mail."""
    if not hasattr(peer, "fill"):
        return {}
    got = {}
    rate, accepted = {}, {}

    def look(when):
        to_maildir(peer, messages, 10, True)  # whoever is to be resident is started, the disk is awake
        rates = [messages / to_maildir(peer, messages, 10, True) for _ in range(5)]
        latencies = [latency(peer, 100) for _ in range(3)]
        rate[when] = got[f"SMTP to Maildir, 10 connections, {when}, msg/s"] = statistics.median(rates)
        for what in latencies[0]:
            got[f"{what[:-3]}, {when}, ms"] = statistics.median(one[what] for one in latencies)
        accepted[when] = got[f"MAIL to 250, median, {when}, ms"]

    look("queue empty")
    peer.send("-d")
    peer.fill(n)
    os.sync()  # the disk is to be ours again, and not still busy with the files just made
    empty(os.path.join(peer.maildir, "new"))
    peer.send("-u")
    start = time.monotonic()
    source(peer, 1)
    wait(lambda: count(os.path.join(peer.maildir, "new")) == 1, "the first message")
    got[f"start on {n} deferred messages until a fresh one is delivered, s"] = time.monotonic() - start
    peer.backlog = n
    quiet(peer)
    look(f"{n} deferred")
    got[f"{n} deferred, rate of the empty queue's, %"] = 100 * rate[f"{n} deferred"] / rate["queue empty"]
    got[f"{n} deferred, time to 250 of the empty queue's, %"] = 100 * accepted[f"{n} deferred"] / accepted["queue empty"]
    peer.backlog = 0
    peer.empty_queue()
    return got


# name, function, rounds (0: as many as asked for), held, {part of what: factor to be better than Postfix}
MEASURES = [
    ("idle", idle, 1, False),
    ("connection", idle_connection, 1, False),
    ("connects", connects, 0, False),
    ("maildir", maildir, 0, False),
    ("maildir-new", maildir_new, 0, False),
    ("latency", latency, 0, False),
    ("sendmail", sendmail, 0, False),
    ("relay", relay, 0, False),
    ("recipients", recipients, 0, False),
    ("calls", calls, 1, False),
    ("accept", accept_all, 0, True),
    ("accept-1MB", accept_large, 0, True),
    ("lists", lists, 1, True),
    ("tls", tls_sessions, 0, False),
    ("tls-connection", tls_connection, 1, False),
    ("deferred", deferred, 1, False),  # last: it leaves 200,000 inodes behind that were just freed, see empty()
]

# Beginning of what is measured, and on which side of what ours is to be.
LIMITS = (
    ("SMTP to Maildir, system calls", "below", 150), ("SMTP to Maildir, syncs", "below", 2.005),
    ("SMTP to Maildir, forks", "below", 0.005), ("SMTP to Maildir, execs", "below", 0.005),
    ("idle SMTP connection, ", "below", 23), ("start on", "below", 2),
    ("lists of 100,000 lines, cdb", "below", 10), ("lists of 100,000 lines, text", "below", 20),
    ("100000 deferred, rate", "above", 90), ("100000 deferred, time", "below", 110),
)

# Beginning of what is measured: how many times as good as the fastest peer we want to be.
GOALS = (
    ("SMTP to Maildir, 20 connections", 2), ("SMTP to queue, 1 MB", 1.3), ("SMTP to queue", 2), ("SMTP to remote", 2),
    ("one message to 1,000", 2), ("250 to file", 2), ("MAIL to 250", 2), ("sendmail", 2), ("connect, banner", 1.5), ("TLS 1.3 sessions, 20", 1),
    ("idle SMTP connection under TLS", 3),
)
