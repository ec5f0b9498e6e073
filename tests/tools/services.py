"""Service directories for tests of supervise, svscan and svctool."""
import glob, os

from box import wait_for


def alive(pid):
    """Running, and not merely waiting to be reaped."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def status(path):
    """pid, want and readiness from the status file."""
    try:
        with open(os.path.join(path, "supervise/status"), "rb") as f:
            b = f.read()
    except FileNotFoundError:
        return 0, "", 0
    return int.from_bytes(b[12:16], "little"), chr(b[17]).strip("\0"), b[20]


class Service:
    def __init__(self, root, name, run, log=None):
        self.root, self.name, self.dir = root, name, root.path("service", name)
        os.makedirs(self.dir)
        self.script("run", run)
        if log:
            os.mkdir(os.path.join(self.dir, "log"))
            self.script("log/run", log)

    def script(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path + ".new", "w") as f:
            f.write("#!/bin/sh\n" + text)
        os.chmod(path + ".new", 0o755)
        os.rename(path + ".new", path)

    def pid(self):
        return status(self.dir)[0]

    def started(self, other_than=0):
        return wait_for(lambda: self.pid() not in (0, other_than) and self.pid(), what=f"{self.name} to start")


def descendants(pid):
    """pids below a process."""
    parent = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path) as f:
                text = f.read()
        except OSError:
            continue
        parent[int(text.split()[0])] = int(text.rpartition(")")[2].split()[1])
    found, grown = {pid}, True
    while grown:
        more = {p for p, q in parent.items() if q in found} - found
        found |= more
        grown = bool(more)
    return found - {pid}
