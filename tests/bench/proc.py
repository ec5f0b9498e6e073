"""Processes: what they cost, and how to wait for them."""
import glob, os, re, signal, socket, subprocess, sys, tempfile, time

HZ = os.sysconf("SC_CLK_TCK")


def sh(argv, **kw):
    p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kw)
    if p.returncode:
        sys.exit(f"bench: {' '.join(argv)}: {p.stdout.decode('utf-8', 'replace')}")
    return p.stdout.decode()


def port_open(port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


def wait(condition, what, seconds=120, every=0.01):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"bench: waited in vain for {what}")
        time.sleep(every)


def tree(root):
    """root and everything below it."""
    children = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            text = open(path).read()
        except OSError:
            continue
        children.setdefault(int(text.rsplit(")", 1)[1].split()[1]), []).append(int(path.split("/")[2]))
    todo, found = [root], []
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += children.get(pid, [])
    return found


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
    """Proportional memory in kB."""
    total = 0
    for pid in pids:
        try:
            for line in open(f"/proc/{pid}/smaps_rollup"):
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        except OSError:
            pass
    return total


SYNCS = ("fsync", "fdatasync", "sync", "syncfs")  # sync_file_range makes nothing safe


def count_calls(root, work):
    """System calls that these processes make while work() runs: (all, syncs, forks, execs)."""
    with tempfile.TemporaryDirectory(prefix="indimail-bench-") as d:
        argv = ["strace", "-f", "-qq", "-ff", "-o", os.path.join(d, "t")]
        for pid in tree(root):
            argv += ["-p", str(pid)]
        tracer = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
        time.sleep(2)  # strace says nowhere that it has attached to all of them
        work()
        time.sleep(0.5)
        tracer.send_signal(signal.SIGINT)
        tracer.wait()
        names = {}
        for path in glob.glob(os.path.join(d, "t.*")):
            for line in open(path, errors="replace"):
                m = re.match(r"(\w+)\(", line)
                if m:
                    names[m[1]] = names.get(m[1], 0) + 1
    return (sum(names.values()), sum(names.get(n, 0) for n in SYNCS),
            sum(names.get(n, 0) for n in ("fork", "vfork", "clone", "clone3")), names.get("execve", 0))
