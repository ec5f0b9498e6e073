"""What a program of ours asks the system for: strace, where it is there and may look."""
import os, re, shutil, signal, subprocess, tempfile, unittest

CALL = re.compile(r'^(\d+) +(\w+)\((.*)')
STARTS = ("fork", "vfork", "clone", "clone3", "execve", "execveat")


def usable():
    """Not with a sanitizer, whose run-time has calls of its own."""
    return not os.environ.get("SAN") and shutil.which("strace") and subprocess.run(
        ["strace", "-o", "/dev/null", "true"], stderr=subprocess.DEVNULL).returncode == 0


class Calls(list):
    """(call, arguments as text) in their order."""

    @classmethod
    def read(cls, path, program=None):
        """program: those made after it was started, by the processes that are it."""
        with open(path, errors="replace") as f:
            calls = [m.groups() for m in map(CALL.match, f) if m]
        if program:
            first = {pid: i for i, (pid, call, rest) in reversed(list(enumerate(calls))) if call == "execve" and f'/{program}"' in rest}
            calls = [c for i, c in enumerate(calls) if i >= first.get(c[0], len(calls))]
        return cls(c[1:] for c in calls)

    def named(self, *calls):
        return [c for c in self if c[0] in calls]

    def paths(self):
        """The files named, each time."""
        return [m.group(1) for call, rest in self if call not in ("read", "write", "recvfrom", "sendto", "pwrite64", "symlink")
                for m in [re.match(r'(?:AT_FDCWD, |\d+, )?"([^"]+)"', rest)] if m]

    def starts(self):
        return self.named(*STARTS)


class Watch:
    """with Watch(pid) as w: ...; then w.calls are those the process made meanwhile."""

    def __init__(self, pid):
        self.pid = pid

    def __enter__(self):
        fd, self.path = tempfile.mkstemp()
        os.close(fd)
        self.p = subprocess.Popen(["strace", "-f", "-p", str(self.pid), "-o", self.path], stderr=subprocess.PIPE)
        line = self.p.stderr.readline()
        if b"attached" in line:
            return self
        self.p.wait(20)
        self.p.stderr.close()
        os.unlink(self.path)
        raise unittest.SkipTest("strace: " + line.decode().strip())  # who is not root may look at his children alone

    def __exit__(self, *exc):
        self.p.send_signal(signal.SIGINT)
        self.p.wait(20)
        self.p.stderr.close()
        self.calls = Calls.read(self.path)
        os.unlink(self.path)


def traced(argv, **kw):
    """Run it to its end: exit code and calls."""
    fd, path = tempfile.mkstemp()
    os.close(fd)
    try:
        os.chmod(path, 0o666)
        p = subprocess.run(["strace", "-f", "-o", path, *argv], stderr=subprocess.PIPE, timeout=60, **kw)
        return p.returncode, Calls.read(path)
    finally:
        os.unlink(path)
