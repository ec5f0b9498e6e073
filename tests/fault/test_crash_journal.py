"""Power fails at any moment while qmail-queued takes batches of messages into the queue, their segments of the journal
are settled and used again, and earlier ones are delivered, put off and removed; while what was lost is brought back;
and while a journal is opened. See crashsim.py."""
import os, random, signal, socket, subprocess, sys, time, unittest

from box import FAULTY, wait_for
from crashsim import JOURNAL, CrashTest, Disk, Log, Message, Recording, Scenario, Slot, Story, Tree, digest, try_all

BODY, HALF = ("".join(f"line {i}\n" for i in range(n)) for n in (270, 140))


class Resident(Scenario):
    """One worker; three connections that are kept."""

    def prepare(self, site):
        self.start(site)
        self.open_journal(site)
        self.end(site)

    def start(self, site):
        site.acceptor = site.spawn(["qmail-queued", "-n", "1"], env=site.env())
        wait_for(lambda: os.path.exists(site.path("run/queue/socket")), what="qmail-queued")
        children = f"/proc/{site.acceptor.pid}/task/{site.acceptor.pid}/children"

        def workers():
            with open(children) as f:
                return f.read().split()

        site.worker = int(wait_for(workers, what="its worker")[0])

    def end(self, site):
        site.acceptor.terminate()
        site.acceptor.wait(10)
        site.children.remove(site.acceptor)
        os.unlink(site.path("run/queue/socket"))

    def open_journal(self, site):
        """With the first request, which may be a bad one."""
        with self.connect(site) as s:
            s.sendall(b"Q1 0 0 0 1 1\nxx")
            s.recv(100)

    def connect(self, site):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(20)
        s.connect(site.path("run/queue/socket"))
        return s

    @staticmethod
    def send(s, m):
        s.sendall(b"Q1 0 0 0 %d %d\n" % (len(m.text), len(m.envelope())) + m.text + m.envelope())

    @staticmethod
    def taken(s):
        answer = b""
        while not answer.endswith(b"\n"):
            answer += s.recv(100)
        if not answer.startswith(b"0 "):
            raise AssertionError(f"qmail-queued says {answer}")

    def batch(self, site, connections, messages):
        """All of them are there when the worker looks."""
        os.kill(site.worker, signal.SIGSTOP)
        for s, m in zip(connections, messages):
            self.send(s, m)
        os.kill(site.worker, signal.SIGCONT)
        for s, _ in zip(connections, messages):
            self.taken(s)

    def finish(self, site):
        """What was put off is tried until the queue is empty."""
        site.sink.script.clear()
        site.wait_log(lambda lines: lines, what="qmail-send")
        end = time.monotonic() + 30
        while site.ids_in("mess"):
            if time.monotonic() > end:
                raise AssertionError("not all is delivered:\n" + "\n".join(site.lines))
            site.manager.send_signal(signal.SIGALRM)
            time.sleep(0.2)


class Batches(Resident):
    """Each batch fills a segment, so that every one but the first settles the one before; some messages are gone by then,
    others wait with marks."""

    ROUNDS, WIDTH, body = 5, 3, BODY
    each = 5

    def __init__(self):
        self.messages = []
        for i in range(self.WIDTH * self.ROUNDS):
            to = {("joe", "ann", "bob")[i % 3] + "@local.example": "local"}
            if self.waits(i):
                to["later@far.example"] = "remote"
            self.messages.append(Message(f"batch{i}", to, body=self.body))

    @staticmethod
    def waits(i):
        return i % 3 == 1

    def run(self, site):
        site.sink.script["RCPT later@far.example"] = "450 not now"
        self.start(site)
        site.start()
        n = self.WIDTH
        connections = [self.connect(site) for _ in range(n)]
        for s, m in zip(connections, self.messages):
            self.send(s, m)
            self.taken(s)
        for i in range(1, self.ROUNDS):
            self.batch(site, connections, self.messages[n * i:n * i + n])
            if i % 2:
                site.wait_log(lambda lines: sum(l.startswith("delivery ") for l in lines) >= n * i, what="deliveries")
        for s in connections:
            s.close()
        self.finish(site)
        self.end(site)


class Crowded(Batches):
    """So many wait that a segment is settled by a sync of the file system."""

    ROUNDS, WIDTH, body = 3, 6, HALF

    @staticmethod
    def waits(i):
        return i % 6


class TooBig(Resident):
    """A message that no segment holds, alone and among others: they are synced one by one."""

    messages = [Message("first", {"joe@local.example": "local"}), Message("second", {"ann@local.example": "local"}),
                Message("big", {"joe@local.example": "local", "ann@local.example": "local"}, body=BODY * 6),
                Message("beside", {"bob@local.example": "local"}, body=BODY),
                Message("long", {f"joe-{'x' * 120}{i}@local.example": "local" for i in range(12)}),
                Message("last", {"bob@local.example": "local"})]
    each = 5

    def run(self, site):
        self.start(site)
        site.start()
        connections = [self.connect(site) for _ in range(2)]
        for s, m in zip(connections, self.messages):
            self.send(s, m)
            self.taken(s)
        self.batch(site, connections, self.messages[2:4])
        self.batch(site, connections, self.messages[4:6])
        for s in connections:
            s.close()
        self.finish(site)
        self.end(site)


class NoJournal(TooBig):
    """There is no journal/, or none can be written: all is as with qmail-queue."""

    def prepare(self, site):
        os.rmdir(site.path(JOURNAL))


class CrashJournal(CrashTest):
    def test_batches(self):
        self.crash(Batches)

    def test_crowded(self):
        self.crash(Crowded)

    def test_too_big(self):
        self.crash(TooBig)

    def test_no_journal(self):
        self.crash(NoJournal)

    def test_missing_syncs_are_seen(self):
        """That of a batch; and those of a segment that is settled."""
        self.crash_seen(Batches, r"/journal/\d+\.\d+$", r"/mess/\d+/\d+$", r"/(mess|info)/\d+$")
        self.crash_seen(Crowded, r"queue/queue1$")

    def test_recovery_cut_short(self):
        """qmail-clean -r, or a qmail-queued that is there before it, is cut at every point, and recovery runs again."""
        start = time.monotonic()
        s = Batches()
        recording = Recording(s)
        story = Story(recording, s.messages)
        slot = Slot(s, FAULTY)
        self.addCleanup(slot.close)
        rng = random.Random(5)
        picked = [x for x in story.disk.some_states(2) if len(story.duties(x[0])[1]) > 2]
        rng.shuffle(picked)
        states, duties, restored = {}, {}, 0
        for cut, state in picked[:16]:
            for early in (False, True):
                ops, before, inodes, n = self.recovery(s, slot, state, early)
                restored += n
                for _, again in Disk(ops, before, inodes).some_states(5):
                    key = digest(again)
                    states.setdefault(key, again)
                    duties.setdefault(key, set()).add(story.duties(cut))
        n, complaints = try_all(s, story, states, duties)
        print(f"\nshow: recovery: {restored} messages brought back, {n} states of the disk, {time.monotonic() - start:.1f} s", file=sys.stderr)
        self.assertGreater(restored, 5)
        self.assertFalse(complaints, "\n\n".join(complaints[:3]))

    def recovery(self, scenario, slot, state, early):
        """Recover a state: what happened, what was there before, how many were restored."""
        site = slot.site
        slot.put(state)
        inodes = {}
        before = Tree.read(site.dir, site.PARTS + [JOURNAL], inodes)
        if os.path.exists(site.path("fault.log")):
            os.unlink(site.path("fault.log"))
        site.log = Log(site.path("fault.log"), site.dir)
        if early:
            scenario.start(site)
            scenario.open_journal(site)
            scenario.end(site)
        p = site.ok("qmail-clean", "-r", cwd=site.path("queue/queue1"))
        n = int(p.stderr.split()[-1]) if p.stderr else 0
        ops = site.log.read()
        site.log.close()
        site.log = None
        return ops, before, inodes, n


if __name__ == "__main__":
    unittest.main()
