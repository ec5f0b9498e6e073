"""The whole server as `make demo` starts it, in a directory and on ports of its own: for tests
that need every process at once. Works as root, with the mail users, and as an ordinary user."""
import fcntl, glob, imaplib, os, poplib, random, re, shutil, signal, smtplib, socket, ssl, subprocess, tempfile, time

from box import SOURCE, wait_for

HOST = "127.0.0.1"
BUILD = os.environ.get("BUILD", "build")
SAN = os.environ.get("SAN", "")
PORTS = {"smtp": 25, "sink": 26, "pop3": 110, "imap": 143, "smtps": 465, "submission": 587, "imaps": 993, "pop3s": 995}
START_LIMIT = 120
COURIER = ("/usr/bin/imapd", "/usr/lib/courier/courier/courierpop3d")


def missing():
    """Why the server cannot be started here, or None."""
    for program in COURIER:
        if not os.access(program, os.X_OK):
            return f"no {program}: install courier-imap and courier-pop"
    return None


def free_base():
    """A port base whose ports nobody uses, below those that the system hands out."""
    for _ in range(200):
        base = random.randrange(11000, 31000, 10)
        try:
            for number in PORTS.values():
                with socket.socket() as s:
                    s.bind((HOST, base + number))
        except OSError:
            continue
        return base
    raise AssertionError("no free ports")


class Demo:
    """control: NAME -> text of a control file. variables: SERVICE -> {NAME: value}, where SERVICE is a
    key of PORTS or the name of a service; a value gets its line end here."""

    def __init__(self, control=None, variables=None):
        # The mail users must be able to reach it, which a private TMPDIR of root need not allow.
        self.dir = tempfile.mkdtemp(prefix="indimail-demo-", dir="/var/tmp" if os.geteuid() == 0 else None)
        os.chmod(self.dir, 0o755)
        self.base = free_base()
        self.env = {}
        self.log = ""
        self.flushed = 0
        self.configure(control, variables)

    def path(self, *names):
        return os.path.join(self.dir, "demo", *names)

    def service(self, name):
        """svctool's name of a service that listens."""
        names = {"smtp": "qmail-smtpd.%d", "smtps": "qmail-smtpd.%d", "submission": "qmail-smtpd.%d", "imap": "qmail-imapd.%d",
                 "imaps": "qmail-imapd-ssl.%d", "pop3": "qmail-pop3d.%d", "pop3s": "qmail-pop3d-ssl.%d"}
        return names[name] % (self.base + PORTS[name]) if name in names else name

    def configure(self, control=None, variables=None):
        """What DEMO_CONTROL and DEMO_ENV give at the next start."""
        variables = {name: dict(v) for name, v in (variables or {}).items()}
        if SAN:  # its shadow memory does not fit under a limit
            for name in list(PORTS) + ["inlookup.infifo", "qmail-tlsd", "qmail-queued", "qmail-send.25"]:
                if name != "sink":
                    variables.setdefault(name, {})["SOFT_MEM"] = "0"
        for kind in ("control", "variables"):
            shutil.rmtree(os.path.join(self.dir, kind), ignore_errors=True)
            os.mkdir(os.path.join(self.dir, kind))
        for name, text in (control or {}).items():
            with open(os.path.join(self.dir, "control", name), "w") as f:
                f.write(text)
        for name, values in variables.items():
            folder = os.path.join(self.dir, "variables", self.service(name))
            os.mkdir(folder)
            for variable, value in values.items():
                with open(os.path.join(folder, variable), "w") as f:
                    f.write(value + "\n")

    def script(self, verb):
        e = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k not in ("MFLAGS", "T", "DESTDIR")}
        e.update(DEMO_DIR=self.path(), DEMO_PORT_BASE=str(self.base), DEMO_SELFTEST="0", YES="1",
                 DEMO_CONTROL=os.path.join(self.dir, "control"), DEMO_ENV=os.path.join(self.dir, "variables"),
                 # of the build that is tested; manual pages, which name the paths, in a place of their own
                 MAKEFLAGS=f" -- BUILD={BUILD} MAN={self.path('man')}" + (f" SAN={SAN}" if SAN else ""))
        p = subprocess.run(["sh", "src/sh/demo.sh", verb], cwd=SOURCE, env=e, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, timeout=START_LIMIT)
        self.log = p.stdout.decode(errors="replace")
        if p.returncode != 0:
            raise AssertionError(f"demo.sh {verb} ended with {p.returncode}:\n{self.log}{self.logs()}")

    def start(self):
        # One at a time: make, and the mail users of a machine that has none yet, are shared.
        with open(os.path.join(SOURCE, BUILD, "demo.lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.script("start")
        with open(self.path("demo.env")) as f:
            self.env = dict(line.rstrip("\n").split("=", 1) for line in f)

    def stop(self):
        self.script("stop")

    def close(self):
        """Stop, end what is left by pid, remove the directory."""
        try:
            if os.path.exists(self.path()):
                self.stop()
        finally:
            wait_for(self.nothing_left, what="the end of the demo's processes")
            shutil.rmtree(self.dir, ignore_errors=True)

    def nothing_left(self):
        left = self.processes()
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return not left

    def name_of(self, pid):
        """The name of a living process if it belongs to the instance: its program or its environment names our
        directory."""
        mark = self.dir.encode() + b"/"
        try:
            with open(f"/proc/{pid}/stat") as f:
                stat = f.read()
            if stat.rsplit(")", 1)[1].split()[0] in "ZX":
                return None
            exe = os.readlink(f"/proc/{pid}/exe").encode()
            with open(f"/proc/{pid}/environ", "rb") as f:
                environ = f.read()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            return None
        return stat.split("(", 1)[1].rsplit(")", 1)[0] if exe.startswith(mark) or mark in environ else None

    def processes(self):
        """pid -> name of every living process of the instance."""
        names = {int(pid): self.name_of(pid) for pid in os.listdir("/proc") if pid.isdigit()}
        return {pid: name for pid, name in names.items() if name}

    def named(self, *names):
        """pids of processes of these names (the kernel keeps 15 characters)."""
        return sorted(pid for pid, name in self.processes().items() if name in {n[:15] for n in names})

    def tools(self, **extra):
        """The environment of an administrator's shell."""
        bin = self.env.get("PREFIX", self.path("usr"))
        e = {"PATH": f"{bin}/bin:{bin}/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": self.dir,
             "QUEUE_BASE": self.path("var", "queue"), "QUEUE_COUNT": "2"}
        for keep in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if keep in os.environ:
                e[keep] = os.environ[keep]
        e.update(extra)
        return e

    def run(self, *argv, input=b"", env=None, timeout=30, check=True):
        p = subprocess.run(argv, input=input.encode() if isinstance(input, str) else input, env=env or self.tools(),
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, cwd=self.dir)
        if check and p.returncode != 0:
            raise AssertionError(f"{argv} ended with {p.returncode}:\n{p.stdout.decode(errors='replace')}"
                                 f"{p.stderr.decode(errors='replace')}")
        return p

    def svc(self, flags, *services):
        self.run("svc", flags, *(self.path("service", self.service(s)) for s in services))

    def add_user(self, address, password="", *options):
        self.run("vadduser", *options, address, "-", input=password + "\n")

    def maildir(self, address):
        out = self.run("vuserinfo", "-d", address).stdout.decode()
        return re.search(r"^dir *: *(\S+)", out, re.M).group(1) + "/Maildir"

    def mails(self, maildir):
        """The messages of a Maildir, whole files."""
        found = []
        for path in sorted(glob.glob(maildir + "/new/*") + glob.glob(maildir + "/cur/*")):
            try:
                with open(path, "rb") as f:
                    found.append(f.read())
            except FileNotFoundError:
                pass  # read by a client at this moment: new/ to cur/
        return found

    def mail_with(self, maildir, text, timeout=20):
        """Wait for one message that holds text."""
        text = text.encode() if isinstance(text, str) else text
        return wait_for(lambda: next((m for m in self.mails(maildir) if text in m), None), timeout, f"mail with {text!r}")

    def queued(self):
        """Files of messages in the queues."""
        return [p for p in glob.glob(self.path("var/queue/queue*/*/*/*")) + glob.glob(self.path("var/queue/queue*/bounce/*"))
                if os.path.basename(p).isdigit() and not os.path.isdir(p)]

    def flush(self):
        """What was deferred is due now.  Called in a loop it acts once a second: the signal ends a program that
        is just starting."""
        if time.monotonic() - self.flushed > 1:
            self.flushed = time.monotonic()
            self.svc("-a", "qmail-send.25")

    def logs(self, name="*"):
        """The current logs, all or of one service's log directory."""
        text = ""
        for path in sorted(glob.glob(self.path("log", name, "current")) + glob.glob(self.path("log", name, "@*"))):
            with open(path, errors="replace") as f:
                text += f"--- {os.path.relpath(path, self.path('log'))}\n{f.read()}"
        return text

    # --- clients
    def tls(self):
        return ssl.create_default_context(cafile=self.env["CAFILE"])

    def port(self, name):
        return self.base + PORTS[name]

    def smtp(self, timeout=20):
        return smtplib.SMTP(HOST, self.port("smtp"), local_hostname="client.example", timeout=timeout)

    def submission(self, user=None, password=None):
        s = smtplib.SMTP(HOST, self.port("submission"), local_hostname="client.example", timeout=20)
        s.starttls(context=self.tls())
        s.login(user or self.env["USER"], self.env["PASSWORD"] if password is None else password)
        return s

    def imap(self, user=None, password=None):
        m = imaplib.IMAP4_SSL(HOST, self.port("imaps"), ssl_context=self.tls(), timeout=20)
        m.login(user or self.env["USER"], self.env["PASSWORD"] if password is None else password)
        m.select("INBOX")
        return m

    def pop3(self, user=None, password=None):
        p = poplib.POP3_SSL(HOST, self.port("pop3s"), context=self.tls(), timeout=20)
        p.user(user or self.env["USER"])
        p.pass_(self.env["PASSWORD"] if password is None else password)
        return p

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
