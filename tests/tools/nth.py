"""The n-th call of a kind fails, for every n until there are no more: see fault.c."""
import errno, os, signal, subprocess, sys, time, unittest
from concurrent.futures import ThreadPoolExecutor

from box import FAULTY, become_ordinary, wait_for
from crashsim import CrashSite, Message, Scenario, Slot, Tree, copies
from usersite import HASH

# kind -> errors; 0 is a short write
KINDS = {"malloc": [errno.ENOMEM], "open": [errno.EMFILE, errno.EIO], "write": [errno.ENOSPC, errno.EIO, 0], "fsync": [errno.EIO],
         "fork": [errno.EAGAIN], "exec": [errno.ENOMEM], "name": [errno.ENOSPC, errno.EIO], "read": [errno.EIO],
         "pipe": [errno.EMFILE], "socket": [errno.EMFILE]}


def rounds(kinds):
    """A kind, with all its errors, or a pair of a kind and one of them."""
    return [(kind, number) for kind in kinds if isinstance(kind, str) for number in KINDS[kind]] + [k for k in kinds if not isinstance(k, str)]


class Failures:
    """for env in Failures(directory, program, kinds): run with this environment; .fired() says whether the
    call was reached. The round of a kind ends with the first run in which it was not."""

    def __init__(self, directory, program, kinds=tuple(KINDS), ids=None):
        self.mark = os.path.join(directory, "fired")
        self.program, self.runs = program, 0
        self.rounds = rounds(kinds)
        self.now = None

    def fired(self):
        return os.path.exists(self.mark)

    def __iter__(self):
        for kind, number in self.rounds:
            n = 0
            while True:
                n += 1
                if self.fired():
                    os.unlink(self.mark)
                self.now = kind, n, number
                self.runs += 1
                yield {"FAULT_FAIL": f"{self.program} {kind} {n} {number}", "FAULT_FIRED": self.mark}
                if not self.fired():
                    break
                if n > 5000:
                    raise AssertionError(f"no end of {kind} in {self.program}")

    def __str__(self):
        kind, n, number = self.now
        return f"{self.program}: {kind} number {n} failed with {errno.errorcode.get(number, 'a short write')}"


# --- a queue that nobody serves ------------------------------------------------------------------

PERMANENT = set(range(11, 41)) | {115}  # of qmail-queue's exit codes


class QueueTest(unittest.TestCase):
    """What is in the queue after a program has run, and what of it stays."""

    QUEUES = 1

    @classmethod
    def setUpClass(cls):
        become_ordinary()

    def setUp(self):
        self.site = CrashSite(FAULTY)
        self.addCleanup(self.site.close)
        self.queues = [f"queue/queue{i}" for i in range(1, self.QUEUES + 1)]
        for q in self.queues[1:]:
            self.site.ok("queue-fix", self.site.path(q))

    def files(self):
        parts = [f"{q}/{k}" for q in self.queues for k in ("mess", "info", "done", "bounce")]
        return {p: v for p, v in Tree.read(self.site.dir, parts).items() if v[0] != "d"}

    def swept(self):
        """What is left when qmail-clean has swept out what is old."""
        old = time.time() - 2 * 86400
        for path in self.files():
            os.utime(self.site.path(path), (old, old), follow_symlinks=False)
        for q in self.queues:
            self.assertEqual(self.site.run(["qmail-clean"], cwd=self.site.path(q)).returncode, 0)
        return self.files()

    def empty(self):
        for path in self.files():
            os.unlink(self.site.path(path))

    def pipe(self, data):
        r, w = os.pipe()
        os.write(w, data)
        os.close(w)
        return r


# --- the daemons of a queue --------------------------------------------------------------------

LIMIT = 20
SLOTS = 3
PATIENCE = 2  # seconds in which a daemon has to go on, end, or say what it waits for
WORDS = ("warning", "alert", "unable", "deferral")


class Mixed(Scenario):
    messages = [Message("mixed", {"joe@local.example": "local", "x@far.example": "remote", "fail@local.example": "fail",
                                  "alice@example.com": "local"}, body="y\n" * 5000),
                Message("single", {"ann@local.example": "local"})]

    def prepare(self, site):
        site.ok("vadddomain", "-e", "example.com", "-", input=HASH.encode() + b"\n")
        site.ok("vadduser", "-e", "-q", "1000000", "alice@example.com", "-", input=HASH.encode() + b"\n")
        site.spawn(["inlookup", "-i", "1", "-p", "1"], env=site.env(), stderr=subprocess.DEVNULL)
        wait_for(lambda: os.path.exists(site.path("run/inlookup/socket")), what="inlookup")


class NthTest(unittest.TestCase):
    """Every message is delivered all the same, at once, after a retry or after a restart, no failure is reported to a
    sender, nothing is left behind, and nothing hangs without a word in the log."""

    scenario = Mixed

    @classmethod
    def setUpClass(cls):
        become_ordinary()

    def prepare(self):
        """Roots to run in, several at once: most of a run is waiting. And what is in the queue."""
        scenario = self.scenario()
        slots = []
        for _ in range(SLOTS):
            slots.append(Slot(scenario, FAULTY))
            self.addCleanup(slots[-1].close)
        slot = slots[0]
        slot.clear()
        for m in scenario.messages:
            scenario.inject(slot.site, m)
        self.queued = {p: v for p, v in Tree.read(slot.site.dir, slot.site.PARTS).items() if p.startswith("queue/") and v[0] != "d"}
        self.messages = scenario.messages
        return slots

    def deliver(self, slot, f, env):
        """Until the queue is empty: what is due later is due now, daemons that ended are started again."""
        site = slot.site
        site.start(**env)
        began = moved = alarm = time.monotonic()
        said = []
        while not site.empty():
            now = time.monotonic()
            self.assertLess(now - began, LIMIT, f"{f}: no end:\n" + "\n".join(said + site.lines))
            told = any(w in l for l in site.lines for w in WORDS)
            if site.over.is_set() or now - moved > (0.4 if told else PATIENCE):
                if not site.over.is_set():  # it waits, as it must have said
                    self.assertTrue(told, f"{f}: it hangs without a word:\n" + "\n".join(said + site.lines))
                site.stop()
                said += site.lines + ["--- again"]
                slot.age()  # what is no message any more is swept out
                site.start(**env)
                moved = alarm = time.monotonic()
            elif site.lines and now - alarm > 0.1:
                alarm = now
                site.manager.send_signal(signal.SIGALRM)
            time.sleep(0.003)
        site.stop()
        return said + site.lines

    def one(self, slot, f, env):
        """A run: what is wrong."""
        slot.put({**slot.base, **self.queued})
        del slot.site.sink.messages[:], slot.site.sink.commands[:]
        log = self.deliver(slot, f, env)
        tree = Tree.read(slot.site.dir, slot.site.PARTS)
        taken = [(to, data) for _, tos, data in slot.site.sink.messages for to in tos]
        wrong = self.judge(f, tree, taken, log)
        self.assertEqual(wrong, [], f"{f}:\n" + "\n".join(wrong + log + slot.site.sink.commands))

    def judge(self, f, tree, taken, log):
        found, wrong = copies(self.messages, tree, taken)
        for m in self.messages:
            for to in m.to:
                if not 1 <= found[m.token, to] <= (2 if f.fired() else 1):
                    wrong.append(f"{m.token} for {to}: {found[m.token, to]} copies")
        return wrong

    def every(self, program, *kinds):
        start = time.monotonic()
        open_, failed, runs = iter(rounds(kinds)), [], []

        def worker(slot):
            f = Failures(slot.site.dir, program)
            f.rounds = open_  # each is somebody's
            try:
                for env in f:
                    if failed:
                        return
                    self.one(slot, f, env)
                runs.append(f.runs)
            except Exception as e:
                failed.append(e)

        with ThreadPoolExecutor(SLOTS) as pool:
            list(pool.map(worker, self.prepare()))
        if failed:
            raise failed[0]
        print(f"\nshow: {program}: {sum(runs)} runs, {time.monotonic() - start:.1f} s", file=sys.stderr)
