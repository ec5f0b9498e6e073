#!/usr/bin/env python3
"""Measures the user database, inlookup and the logins: ours alone, against the goals we have set ourselves. SQLite in
a file, loopback only; the hash of the users is a cheap one (SHA-512, 1,000 rounds) where nothing else is said. Prints a
line per measure, and adds the rows to build/bench.tsv. SIZES=small tries it out."""
import glob, imaplib, os, re, socket, statistics, subprocess, sys, threading, time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "tools"))
from box import free_port, wait_for
from usersite import HASH, UserSite

SMALL = os.environ.get("SIZES") == "small"
LOADED, MANY = (1000, 5000) if SMALL else (100_000, 1_000_000)
IMAPD = "/usr/bin/imapd"


class Report:
    def __init__(self):
        os.makedirs(os.path.join(TOP, "build"), exist_ok=True)
        self.tsv = open(os.path.join(TOP, "build", "bench.tsv"), "a")

    def row(self, what, value, side=None, limit=None):
        verdict = "" if limit is None else f"   to be {side} {limit:g}: " + (
            "reached" if (value < limit if side == "below" else value > limit) else "missed")
        print(f"{what:76} {value:10.2f}{verdict}", flush=True)
        self.tsv.write(f"{int(time.time())}\t{what}\tindimail\t{value:.3f}\t\t\n")


def took(fn):
    start = time.monotonic()
    fn()
    return time.monotonic() - start


def load(site, first, n):
    lines = "".join(f"u{i}:{HASH}\n" for i in range(first, first + n)).encode()
    return took(lambda: site.ok("vaddusers", site.domain, input=lines, timeout=300))


def microseconds(site, op, address, times, *more, password=None):
    """The median of so many, one after another."""
    p = site.run(["inquerytest", "-v", "-t", "60", "-n", str(times), "-q", op, address, *more], input=(password or "").encode() + b"\n")
    return int(re.search(rb"median (\d+)", p.stderr).group(1))


def at_once(site, clients, op, addresses, times):
    """Queries a second of so many clients together."""
    ends = []

    def ask(address):
        ends.append(microseconds(site, op, address, times))

    threads = [threading.Thread(target=ask, args=(addresses[i],)) for i in range(clients)]
    seconds = took(lambda: ([t.start() for t in threads], [t.join() for t in threads]))
    assert len(ends) == clients
    return clients * times / seconds


def deliveries(*those):
    """For each (site, names): vdelivermail runs a second, one after another, each to another user who has had mail
    before (the first makes his home), when nothing else waits for the disk: the median of nine passes that take turns,
    for the disk of one minute is not that of the next."""
    seconds = [[] for _ in those]
    for site, names in those:
        for name in names:
            assert site.deliver(name).returncode == 0
    os.sync()
    for _ in range(9):
        for (site, names), passes in zip(those, seconds):
            passes.append(took(lambda: [site.deliver(name) for name in names]))
    return [len(names) / statistics.median(passes) for (_, names), passes in zip(those, seconds)]


def serve_imap(site):
    """Courier's imapd behind imaplogin and tcpserver: the port."""
    port = free_port()
    env = site.env(ALLOW_PLAINTEXT="1", PENALTY="0")
    site.spawn(["tcpserver", "-HRD", "-c", "100", "-C", "100", "-l", "localhost", "127.0.0.1", str(port), "imaplogin", IMAPD, "Maildir"], env=env,
               stderr=subprocess.DEVNULL)
    wait_for(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, what="tcpserver")
    return port


def logins(port, user, password, n):
    times = []
    for _ in range(n):
        start = time.monotonic()
        m = imaplib.IMAP4("127.0.0.1", port, timeout=30)
        m.login(user, password)
        m.select("INBOX")
        times.append(1000 * (time.monotonic() - start))
        m.logout()
    return statistics.median(times[n // 5:])


def idle_memory(site, port, n):
    """Proportional kB of a connection that has been greeted, and nothing more."""
    held = [imaplib.IMAP4("127.0.0.1", port, timeout=30) for _ in range(n)]
    sizes = []
    for path in glob.glob("/proc/[0-9]*/exe"):
        pid = path.split("/")[2]
        try:
            if os.readlink(path) == os.path.join(site.env()["QMAILBIN"], "imaplogin"):
                sizes += [int(l.split()[1]) for l in open(f"/proc/{pid}/smaps_rollup") if l.startswith("Pss:")]
        except OSError:
            continue
    for m in held:
        m.logout()
    assert len(sizes) == n, sizes
    return sum(sizes) / n


def verifies(site, address, password, clients, times):
    threads = [threading.Thread(target=microseconds, args=(site, "verify", address, times, "imap", "192.0.2.1"), kwargs={"password": password})
               for _ in range(clients)]
    return clients * times / took(lambda: ([t.start() for t in threads], [t.join() for t in threads]))


def main():
    report, site, small = Report(), UserSite(), UserSite()
    try:
        for s in (site, small):
            s.add_domain()
            load(s, 0, 100)
            s.start_lookup("-i", "2", "-p", "2", PASSWORD_HASH="SHA-512")  # cheap hashes stay what they are
        adds = [took(lambda: site.add_user(f"one{i}")) for i in range(20)]
        report.row("vadduser -e of one user, median ms", 1000 * statistics.median(adds), "below", 30)
        report.row(f"vaddusers of {LOADED:,} users, seconds", load(site, 100, LOADED), "below", 60)
        report.row("lookup of an account, one client, median us of 20,000", microseconds(site, "account", "u77@example.com", 20000), "below", 50)
        addresses = [f"u{i * 37}@example.com" for i in range(20)]
        report.row("lookups of accounts with 20 clients, 1/s", at_once(site, 20, "account", addresses, 5000), "above", 20000)
        load(site, 100 + LOADED, MANY - LOADED)
        assert site.sql("SELECT count(*), count(DISTINCT dir) FROM users") == [(MANY + 121, MANY + 121)]  # 20 by vadduser, postmaster
        few, many = deliveries((small, [f"u{i}" for i in range(100)]), (site, [f"u{i * (MANY // 110)}" for i in range(100)]))
        report.row(f"deliveries (vdelivermail run for each) with 100 users, 1/s", few)
        report.row(f"the same with {MANY:,} users, percent of that", 100 * many / few, "above", 90)
        report.row(f"lookup of an account among {MANY:,}, median us of 20,000", microseconds(site, "account", "u77777@example.com" if not SMALL else "u777@example.com", 20000))
        site.ok("vadduser", "joe@example.com", "-", input=b"secret\n")
        if os.path.exists(IMAPD):
            service = serve_imap(site)
            report.row("IMAP, connect to first SELECT (Courier), cheap hash, median ms", logins(service, "u1@example.com", "secret", 50), "below", 20)
            report.row("the same with yescrypt at its default cost, median ms", logins(service, "joe@example.com", "secret", 30))
            report.row("IMAP connection before login, proportional kB each of 50", idle_memory(site, service, 50), "below", 300)
        report.row("passwords checked by yescrypt at its default cost, 4 clients, 1/s", verifies(site, "joe@example.com", "secret", 4, 50), "above", 50)
    finally:
        site.close()
        small.close()


if __name__ == "__main__":
    main()
