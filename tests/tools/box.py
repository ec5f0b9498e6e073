"""What box tests stand on: a root directory of their own, our programs run in it with
bounded time, and everything started ended again by pid."""
import os, shutil, signal, socket, subprocess, tempfile, time

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOP = os.environ.get("BOX_TOP") or SOURCE  # a copy that unprivileged programs can reach, see run.py
BIN = os.path.abspath(os.path.join(TOP, os.environ.get("BUILD", "build"), "bin"))
FAULTY = os.path.abspath(os.path.join(TOP, os.environ.get("BUILD", "build"), "faulty"))  # see fault.c


def become_ordinary():
    """This process is nobody's from now on, where it was root's: for tests that start thousands of programs. A child of
    root's that is to be nobody's costs a copy of our memory map; one that stays what we are does not (vfork)."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)


def free_port(kind=socket.SOCK_STREAM):
    """A loopback port nobody uses now."""
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(condition, timeout=20, what="condition"):
    """Poll until condition() gives something true; that something."""
    end = time.monotonic() + timeout
    while True:
        got = condition()
        if got:
            return got
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout} s in vain for {what}")
        time.sleep(0.01)


def listening(port, host="127.0.0.1"):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex((host, port)) == 0


class Root:
    """A qmail home in a scratch directory: control, users, alias, queue, run ..."""

    bin = BIN

    def __init__(self, me="mail.example.com", unprivileged=False):
        """unprivileged: a test run by root runs our programs as nobody, so that they behave as
        for an ordinary user and need no mail users on the machine."""
        self.dir = tempfile.mkdtemp(prefix="indimail-")
        os.chmod(self.dir, 0o755)
        self.ids = {"user": 65534, "group": 65534, "extra_groups": []} if unprivileged and os.geteuid() == 0 else {}
        self.children = []
        for name in ("control", "users", "alias", "queue", "run", "tcp", "certs", "domains", "mail", "log"):
            os.mkdir(self.path(name))
            if self.ids:
                os.chown(self.path(name), 65534, 65534)
        self.control("me", me + "\n")

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def control(self, name, text):
        with open(self.path("control", name), "w") as f:
            f.write(text)

    def env(self, **extra):
        """The environment of our programs; a value of None takes a variable out."""
        e = {"PATH": self.bin + ":/usr/sbin:/usr/bin:/sbin:/bin", "QMAILBIN": self.bin, "QMAILHOME": self.dir,
             "CONTROLDIR": self.path("control"), "LANG": "C"}
        if os.environ.get("SAN"):
            e["SANDBOX"] = "0"  # a sanitizer wants more calls than we do
        for keep in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if keep in os.environ:
                e[keep] = os.environ[keep]
        e.update(extra)
        return {k: v for k, v in e.items() if v is not None}

    def run(self, argv, input=b"", env=None, timeout=20, **kw):
        """Run one of our programs (by name) to its end."""
        argv = [os.path.join(self.bin, argv[0]) if "/" not in argv[0] else argv[0]] + list(argv[1:])
        if "stdin" not in kw:
            kw["input"] = input
        return subprocess.run(argv, env=env or self.env(), stdout=kw.pop("stdout", subprocess.PIPE),
                              stderr=kw.pop("stderr", subprocess.PIPE), timeout=timeout,
                              cwd=kw.pop("cwd", self.dir), **self.ids, **kw)

    def spawn(self, argv, env=None, **kw):
        """Start one of our programs; it is ended with the root."""
        argv = [os.path.join(self.bin, argv[0]) if "/" not in argv[0] else argv[0]] + list(argv[1:])
        p = subprocess.Popen(argv, env=env or self.env(), cwd=kw.pop("cwd", self.dir), **self.ids, **kw)
        self.children.append(p)
        return p

    def close(self):
        for p in self.children:
            if p.poll() is None:
                p.send_signal(signal.SIGTERM)
        for p in self.children:
            try:
                p.wait(5)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
            for f in (p.stdin, p.stdout, p.stderr):
                if f:
                    f.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
