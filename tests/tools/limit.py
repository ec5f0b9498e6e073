"""limit.py SECONDS PROGRAM [ARGUMENT ...]: runs a test for so long, and ends what it has started and left behind, each by
its number: daemons too, whose parent has ended. A test that is over its time is interrupted first, so that it can remove its
files. Exit code: the test's; 124 when it was over its time; said when there was something left. A LIMIT_GRACE in the environment is how
many seconds the clearing up may take."""
import ctypes, os, signal, sys, time

PR_SET_CHILD_SUBREAPER = 36


def children():
    """pid -> (parent, has it not ended yet?) of all processes"""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as f:
                    state, parent = f.read().rsplit(")", 1)[1].split()[:2]
                found[int(name)] = int(parent), state != "Z"
            except (FileNotFoundError, ProcessLookupError):
                pass
    return found


def below(pid):
    """All that stand below it in the tree of processes, and those of them that run."""
    found, known = children(), {pid}
    while True:
        more = {p for p, (parent, _) in found.items() if parent in known} - known
        if not more:
            return known - {pid}, {p for p in known - {pid} if found[p][1]}
        known |= more


def end_left():
    """So many had to be ended."""
    ended = set()
    while True:
        left, running = below(os.getpid())
        if not left:
            return len(ended)
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        ended |= running
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass
        time.sleep(0.01)


def start(argv):
    """It hears of SIGINT even where a shell has started us in the background; and we wait for SIGCHLD."""
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        try:
            os.execvp(argv[0], argv)
        finally:
            os._exit(127)
    return pid


def wait(test, end):
    """Its exit code, or None when it is late. What it leaves to us in the meantime is taken off when it ends."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return None
        if pid == test:
            return os.waitstatus_to_exitcode(status)
        if not pid:
            seconds = end - time.monotonic()
            if seconds <= 0:
                return None
            signal.sigtimedwait({signal.SIGCHLD}, seconds)


def main():
    seconds, argv = float(sys.argv[1]), sys.argv[2:]
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        sys.exit("limit.py: the system does not do that")
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    test = start(argv)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(test, signal.SIGTERM))
    code = wait(test, time.monotonic() + seconds)
    late = code is None
    if late:
        print(f"\nno end after {seconds:g} s", flush=True)
        os.kill(test, signal.SIGINT)
        wait(test, time.monotonic() + float(os.environ.get("LIMIT_GRACE", "30")))
    left = end_left()
    if left and not late:
        print(f"show: left behind: {left} processes", flush=True)
    sys.exit(124 if late else code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main()
