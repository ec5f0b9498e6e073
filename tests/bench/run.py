#!/usr/bin/env python3
"""Measures our server beside its peers, in one run, on loopback. Prints a line per measure and
peer (median of the rounds, and their spread), ratios to the peer, and keeps the rows in
build/bench.tsv. Arguments pick measures by a part of their name. Needs root and the packages of
`make bench`. Durability: both sides sync message and mailbox to disk before they answer (ours:
file and directory; Postfix: its defaults)."""
import glob, os, platform, shutil, signal, socket, statistics, subprocess, sys, tempfile, time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WORK = os.environ.get("BENCH_DIR", "/var/tmp/indimail-bench")
BASE = 31000
ROUNDS = int(os.environ.get("ROUNDS", "3"))
HZ = os.sysconf("SC_CLK_TCK")


def sh(argv, **kw):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kw).stdout.decode()


def port_open(port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


def wait(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"bench: waited in vain for {what}")
        time.sleep(0.02)


def cpu_of(root):
    """CPU seconds of a process, all below it, and all their children that have ended."""
    total = 0
    for pid in tree(root):
        try:
            f = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += sum(map(int, f[11:15]))
    return total / HZ


def pss(pids):
    total = 0
    for pid in pids:
        try:
            for line in open(f"/proc/{pid}/smaps_rollup"):
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        except OSError:
            pass
    return total


def tree(root):
    """root and everything below it."""
    children = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            text = open(path).read()
        except OSError:
            continue
        pid = int(path.split("/")[2])
        children.setdefault(int(text.rsplit(")", 1)[1].split()[1]), []).append(pid)
    todo, found = [root], []
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += children.get(pid, [])
    return found


class Ours:
    name = "indimail"

    def __init__(self):
        self.dir = os.path.join(WORK, "ours")
        self.environ = dict(os.environ, DEMO_DIR=self.dir, DEMO_PORT_BASE=str(BASE), DEMO_SELFTEST="0", YES="1")
        control = os.path.join(WORK, "control")
        os.makedirs(control, exist_ok=True)
        for name, text in (("concurrencylocal", "20\n"), ("timeoutsmtpd", "600\n")):
            with open(os.path.join(control, name), "w") as f:
                f.write(text)
        self.environ["DEMO_CONTROL"] = control

    def start(self):
        sh(["sh", "src/sh/demo.sh", "start"], cwd=TOP, env=self.environ)
        self.env = dict(l.rstrip("\n").split("=", 1) for l in open(os.path.join(self.dir, "demo.env")))
        self.port = int(self.env["SMTP_PORT"])
        self.maildir = self.env["MAILDIR"]
        self.rcpt = self.env["USER"]
        self.pid = int(open(os.path.join(self.dir, "guard.pid")).read())
        self.version = sh(["git", "describe", "--always", "--dirty"], cwd=TOP).strip()

    def stop(self):
        sh(["sh", "src/sh/demo.sh", "stop"], cwd=TOP, env=self.environ)

    def pids(self):
        return tree(self.pid)


class Postfix:
    """Postfix from the distribution, its own virtual(8) delivery to a Maildir, defaults but for paths."""
    name = "postfix"

    def __init__(self):
        self.dir = os.path.join(WORK, "postfix")
        self.port = BASE + 2525
        self.maildir = os.path.join(self.dir, "mail", "u")
        self.rcpt = "u@virtual.example"

    def start(self):
        shutil.rmtree(self.dir, ignore_errors=True)
        etc = os.path.join(self.dir, "etc")
        for d in ("etc", "queue", "data", "mail"):
            os.makedirs(os.path.join(self.dir, d))
        shutil.chown(os.path.join(self.dir, "data"), "postfix")
        os.chmod(WORK, 0o755)
        for d in ("new", "cur", "tmp"):
            os.makedirs(os.path.join(self.maildir, d))
        for path in [os.path.join(self.dir, "mail"), self.maildir] + glob.glob(self.maildir + "/*"):
            os.chown(path, 65534, 65534)
        with open(os.path.join(etc, "main.cf"), "w") as f:
            f.write(f"""compatibility_level = 3.6
queue_directory = {self.dir}/queue
data_directory = {self.dir}/data
maillog_file = {self.dir}/log
maillog_file_prefixes = {self.dir}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = bench.example
mydestination =
mynetworks = 127.0.0.0/8
smtpd_client_connection_count_limit = 0
virtual_mailbox_domains = virtual.example
virtual_mailbox_base = {self.dir}/mail
virtual_mailbox_maps = inline:{{ u@virtual.example=u/ }}
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
virtual_minimum_uid = 1000
alias_maps =
""")
        master = open("/etc/postfix/master.cf" if os.path.exists("/etc/postfix/master.cf")
                      else "/usr/share/postfix/master.cf.dist").read()
        lines = [f"127.0.0.1:{self.port} inet n - n - - smtpd", "postlog unix-dgram n - n - 1 postlogd"]
        for line in master.splitlines():
            word = line.split()
            if len(word) >= 8 and word[0] in ("pickup", "cleanup", "qmgr", "tlsmgr", "rewrite", "bounce", "defer", "trace",
                                              "verify", "flush", "proxymap", "proxywrite", "smtp", "relay", "error", "retry",
                                              "discard", "local", "virtual", "lmtp", "anvil", "scache") and word[1] == "unix":
                word[4] = "n"
                lines.append(" ".join(word))
        with open(os.path.join(etc, "master.cf"), "w") as f:
            f.write("\n".join(lines) + "\n")
        sh(["postfix", "-c", etc, "start"])
        wait(lambda: port_open(self.port), "Postfix")
        self.pid = int(open(os.path.join(self.dir, "queue/pid/master.pid")).read())
        self.version = sh(["postconf", "-d", "-h", "mail_version"]).strip()

    def stop(self):
        sh(["postfix", "-c", os.path.join(self.dir, "etc"), "stop"])

    def pids(self):
        return tree(self.pid)


def count(directory):
    return len(os.listdir(directory))


def empty(directory):
    for name in os.listdir(directory):
        os.unlink(os.path.join(directory, name))


def smtp_to_maildir(peer, messages=2000, connections=20, size=2048, reuse=True):
    """messages per second, and CPU seconds per 1,000 without the load generator's own."""
    new = os.path.join(peer.maildir, "new")
    empty(new)
    cpu = cpu_of(peer.pid)
    start = time.monotonic()
    load = subprocess.Popen(["smtp-source"] + ["-d"] * reuse + ["-s", str(connections), "-m", str(messages), "-l", str(size), "-f",
                             "sender@bench.example", "-t", peer.rcpt, f"127.0.0.1:{peer.port}"])
    if load.wait():
        sys.exit(f"bench: smtp-source failed against {peer.name}")
    wait(lambda: count(new) >= messages, f"{messages} messages in {new} (there are {count(new)})", 120)
    seconds = time.monotonic() - start
    cpu = cpu_of(peer.pid) - cpu
    got = count(new)
    if got != messages:
        sys.exit(f"bench: {peer.name} delivered {got} of {messages}")
    empty(new)
    what = "smtp to maildir" if reuse else "same, new connection each"
    return {f"{what}, msg/s": messages / seconds, f"{what}, cpu s/1,000": cpu * 1000 / messages}


def smtp_to_maildir_new(peer):
    return smtp_to_maildir(peer, reuse=False)


def idle(peer):
    time.sleep(1)
    return {"idle system, PSS MB": pss(peer.pids()) / 1024}


def idle_connection(peer, n=100):
    before = pss(peer.pids())
    sockets = []
    for _ in range(n):
        s = socket.create_connection(("127.0.0.1", peer.port), 20)
        s.recv(512)
        s.sendall(b"EHLO bench.example\r\n")
        s.recv(2048)
        sockets.append(s)
    after = pss(peer.pids())
    for s in sockets:
        s.close()
    return {"idle SMTP connection, PSS kB": (after - before) / n}


MEASURES = [("idle", idle, 1), ("connection", idle_connection, 1), ("maildir", smtp_to_maildir, ROUNDS),
            ("maildir-new", smtp_to_maildir_new, ROUNDS)]
MORE_IS_BETTER = ("msg/s",)


def main():
    wanted = sys.argv[1:]
    if os.geteuid() != 0:
        sys.exit("bench: needs root, for the peers")
    os.makedirs(WORK, exist_ok=True)
    os.chmod(WORK, 0o755)
    results = {}
    peers = [Ours(), Postfix()]
    for peer in peers:
        peer.start()
    try:
        for name, fn, rounds in MEASURES:
            if wanted and not any(w in name for w in wanted):
                continue
            for i in range(rounds):
                for peer in peers if i % 2 == 0 else reversed(peers):
                    for what, value in fn(peer).items():
                        results.setdefault(what, {}).setdefault(peer.name, []).append(value)
    finally:
        for peer in peers:
            peer.stop()
    cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), "")
    print(f"{platform.machine()}, {os.cpu_count()} cores, {cpu}; " + ", ".join(f"{p.name} {p.version}" for p in peers))
    with open(os.path.join(TOP, "build", "bench.tsv"), "a") as tsv:
        for what, by_peer in results.items():
            ours = statistics.median(by_peer["indimail"])
            theirs = statistics.median(by_peer["postfix"])
            ratio = ours / theirs if what.endswith(MORE_IS_BETTER) else theirs / ours
            for peer, values in by_peer.items():
                print(f"{what:40} {peer:10} {statistics.median(values):10.2f}   ({min(values):.2f} .. {max(values):.2f})")
                tsv.write(f"{int(time.time())}\t{what}\t{peer}\t{statistics.median(values):.3f}\t{min(values):.3f}\t{max(values):.3f}\n")
            print(f"{'':40} {ratio:.2f} times as good as Postfix")


if __name__ == "__main__":
    main()
