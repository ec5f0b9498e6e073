"""Peers whose packages exclude Postfix and each other: each is unpacked with all that it needs into a
root of its own, below build/peers, and runs in a copy of it beside the other servers' files. Nothing
is installed on the machine."""
import glob, os, re, resource, shutil, signal, stat, subprocess, sys

from peers import BASE, CONNECTIONS, SINK, TOP, WORK, files_below
from proc import port_open, sh, tree, wait

ACCOUNTS = {"root": 0, "Debian-exim": 901, "opensmtpd": 902, "opensmtpq": 903, "vmail": 904, "nobody": 65534}
DEVICES = {"null": (1, 3), "zero": (1, 5), "random": (1, 8), "urandom": (1, 9)}


class NotToBeHad(Exception):
    pass


def call(argv, **kw):
    p = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kw)
    if p.returncode:
        lines = p.stdout.decode("utf-8", "replace").strip().splitlines() or ["it failed"]
        raise NotToBeHad(f"{argv[0]}: {lines[-1]}")
    return p.stdout.decode("utf-8", "replace")


def unpack(name, packages):
    """build/peers/NAME: these packages and what they depend on. apt is told that nothing is installed yet, so that it
    fetches all of it."""
    root = os.path.join(TOP, "build/peers", name)
    if os.path.exists(os.path.join(root, "complete")):
        return root
    shutil.rmtree(root, ignore_errors=True)
    debs = os.path.join(root, "debs")
    os.makedirs(os.path.join(debs, "partial"))
    open(os.path.join(root, "status"), "w").close()
    options = ["-o", f"Dir::State::status={root}/status", "-o", f"Dir::Cache::archives={debs}", "-o", "Debug::NoLocking=1",
               "-o", "APT::Sandbox::User=root"]
    call(["apt-get", *options, "-y", "-qq", "--no-install-recommends", "--download-only", "install", *packages])
    for deb in sorted(glob.glob(debs + "/*.deb")):
        call(["dpkg-deb", "-x", deb, os.path.join(root, "root")])
    shutil.rmtree(debs)
    open(os.path.join(root, "complete"), "w").close()
    return root


class Rooted:
    """A server in a root of its own: name, packages, port, and foreground, its command, are the subclass's."""

    def __init__(self):
        self.dir = os.path.join(WORK, self.name)
        self.source = unpack(self.name, self.packages)
        self.maildir = self.path("mail/u")
        self.rcpt = "u@virtual.example"
        self.held = False

    def path(self, name):
        return os.path.join(self.dir, name)

    def put(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w") as f:
            f.write(text)

    def directory(self, name, owner="root", mode=0o755):
        path = self.path(name)
        os.makedirs(path, exist_ok=True)
        os.chown(path, ACCOUNTS[owner], ACCOUNTS[owner])
        os.chmod(path, mode)

    def lay_out(self):
        shutil.rmtree(self.dir, ignore_errors=True)
        call(["cp", "-a", os.path.join(self.source, "root"), self.dir])
        self.put("etc/passwd", "".join(f"{name}:x:{n}:{n}::/mail:/bin/sh\n" for name, n in ACCOUNTS.items()))
        self.put("etc/group", "".join(f"{name}:x:{n}:\n" for name, n in {**ACCOUNTS, "mail": 8}.items()))
        self.put("etc/hosts", "127.0.0.1 localhost bench.example\n")
        self.put("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n")
        self.put("etc/mailname", "bench.example\n")
        os.makedirs(self.path("dev"), exist_ok=True)
        for name, number in DEVICES.items():
            os.mknod(self.path("dev/" + name), 0o666 | stat.S_IFCHR, os.makedev(*number))
            os.chmod(self.path("dev/" + name), 0o666)
        self.directory("tmp", mode=0o1777)
        self.directory("run")
        self.directory("var/run")
        for name in ("mail", "mail/u", "mail/u/new", "mail/u/cur", "mail/u/tmp"):
            self.directory(name, "vmail")

    def inside(self, *argv):
        return call(["chroot", self.dir, *argv])

    def start(self):
        self.lay_out()
        self.configure()
        self.version = self.ask_version()
        self.up()

    def up(self):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        self.log = open(self.path("stderr"), "a")
        argv = [sys.executable, "-S", "-E", os.path.join(TOP, "tests/bench/reaper.py"), "chroot", self.dir, *self.foreground()]
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True,
                                        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most)))
        self.pid = self.process.pid
        wait(lambda: port_open(self.port) or self.process.poll() is not None, self.name)
        if self.process.poll() is not None:
            raise NotToBeHad((open(self.path("stderr")).read().strip().splitlines() or ["it does not start"])[-1])

    def stop(self):
        """All of it, by the processes below the one we started."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            while self.pids():
                for pid in self.pids():
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
            self.process.wait()
        self.log.close()

    def pids(self):
        """Without the one that gathers them."""
        return tree(self.pid)[1:]


class Exim(Rooted):
    """Defaults but for paths, limits on connections and on messages of one, and a runner of the queue each 10 s."""
    name = "exim"
    packages = ["exim4-daemon-light"]
    port = BASE + 2527
    syncs = True
    durable = "syncs the message's two files and their directory before 250, and the mailbox file before it counts as delivered"

    def __init__(self):
        super().__init__()
        self.sendmail = ["chroot", self.dir, "/usr/sbin/exim4"]

    def configure(self):
        for name in ("var/spool/exim4", "var/log/exim4"):
            self.directory(name, "Debian-exim", 0o750)
        self.put("etc/exim4/exim4.conf", f"""primary_hostname = bench.example
local_interfaces = 127.0.0.1
daemon_smtp_ports = {self.port}
tls_advertise_hosts =
smtp_accept_max = {CONNECTIONS}
smtp_accept_max_per_connection = 0
smtp_accept_queue_per_connection = 0
smtp_connect_backlog = 1000
remote_max_parallel = 20
recipients_max = 0
acl_smtp_rcpt = everything
queue_only = {'true' if self.held else 'false'}
begin acl
everything:
  accept
begin routers
virtual:
  driver = accept
  domains = virtual.example
  transport = maildir
sink:
  driver = manualroute
  domains = sink.example
  route_list = * 127.0.0.1
  self = send
  transport = sink
begin transports
maildir:
  driver = appendfile
  maildir_format
  directory = /mail/u
  user = vmail
  group = vmail
sink:
  driver = smtp
  port = {SINK}
begin retry
* * F,2h,10s
""")

    def foreground(self):
        return ["/usr/sbin/exim4", "-bdf"] + ([] if self.held else ["-q10s"])

    def ask_version(self):
        return re.search(r"Exim version (\S+)", self.inside("/usr/sbin/exim4", "-bV")).group(1)

    def hold(self, yes):
        self.stop()
        self.held = yes
        self.configure()
        self.up()

    def empty_queue(self):
        for name in ("input", "msglog"):
            for base, _, names in os.walk(self.path("var/spool/exim4/" + name)):
                for n in names:
                    os.unlink(os.path.join(base, n))

    def queued(self):
        return files_below(self.path("var/spool/exim4/input"))


class OpenSMTPD(Rooted):
    """Defaults but for paths and for limits on messages and recipients of a session."""
    name = "opensmtpd"
    packages = ["opensmtpd", "dash"]  # /bin/sh starts its mail.maildir
    port = BASE + 2528
    syncs = False
    durable = "syncs nothing before 250 (as strace shows), and the mailbox file before it counts as delivered"

    def __init__(self):
        super().__init__()
        self.sendmail = ["chroot", self.dir, "/usr/sbin/sendmail"]

    def configure(self):
        for name in ("var/spool/smtpd", "var/lib/opensmtpd/empty", "var/lib/opensmtpd"):
            self.directory(name, mode=0o711)
        os.chown(self.path("usr/sbin/smtpctl"), 0, ACCOUNTS["opensmtpq"])
        os.chmod(self.path("usr/sbin/smtpctl"), 0o2755)
        self.put("etc/smtpd.conf", f"""listen on 127.0.0.1 port {self.port} hostname bench.example
smtp limit max-mails 1000000
smtp limit max-rcpt 10000
smtp max-message-size 50M
action "users" maildir "/mail/u" virtual {{ "@" = "vmail" }}
action "out" relay host smtp://127.0.0.1:{SINK}
match from any for domain "virtual.example" action "users"
match from any for domain "sink.example" action "out"
""")

    def foreground(self):
        return ["/usr/sbin/smtpd", "-F"]

    def ask_version(self):
        p = subprocess.run(["chroot", self.dir, "/usr/sbin/smtpd", "-h"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return next((w for l in p.stdout.decode().splitlines() if "version" in l for w in l.split() if w[0].isdigit()), "?")

    def hold(self, yes):
        self.held = yes
        for part in ("mda", "mta"):
            self.inside("/usr/sbin/smtpctl", "pause" if yes else "resume", part)

    def empty_queue(self):
        self.stop()
        for name in ("queue", "incoming"):
            shutil.rmtree(self.path("var/spool/smtpd/" + name), ignore_errors=True)
        self.up()
        if self.held:
            self.hold(True)

    def queued(self):
        return files_below(self.path("var/spool/smtpd/queue"))
