"""The n-th allocation, open, write, fsync, fork ... of what takes mail into a queue fails: a temporary error or success,
no message lost, nothing left behind."""
import collections, os, socket, sys, unittest

from box import FAULTY, wait_for
from crashsim import JOURNAL, Disk, Log, Message, Tree
from nth import PERMANENT, Failures, QueueTest
from test_crash_import import Import, ImportSlot

SHORT = Message("short", {"joe@local.example": "local"}, body="x\n" * 3000)
LONG = Message("long", {f"joe-{'x' * 120}{i}@local.example": "local" for i in range(10)})


class NthQueue(QueueTest):
    def judge(self, failures, m, code):
        """After an attempt with this exit code."""
        listed = self.site.ok("qmail-qread").stdout.decode()
        if failures.now[0] == "fsync" and failures.fired() and failures.program == "qmail-queue":
            self.assertNotEqual(code, 0, f"{failures}, and success was reported")
        if code == 0:
            (mess,) = [v[1] for p, v in self.files().items() if "/mess/" in p]
            self.assertTrue(m.whole(mess), f"{failures}, and the message is {len(mess)} bytes")
            self.assertEqual([l.split()[-1] for l in listed.splitlines()[1:]], list(m.to))
            self.assertEqual(len(self.swept()), 2)
        else:
            self.assertNotIn(code, PERMANENT, str(failures))
            self.assertEqual(self.swept(), {}, f"{failures}: exit code {code}")
        self.empty()

    def test_qmail_queue(self):
        for m in (SHORT, LONG):
            f = Failures(self.site.dir, "qmail-queue", ("malloc", "open", "write", "fsync", "name", "read"))
            for env in f:
                fds = self.pipe(m.text), self.pipe(m.envelope())
                code = self.site.run(["qmail-queue"], stdin=fds[0], stdout=fds[1], env=self.site.env(**env)).returncode
                for fd in fds:
                    os.close(fd)
                if not f.fired():
                    self.assertEqual(code, 0)
                self.judge(f, m, code)
            print(f"\nshow: {f.program}, {m.token} envelope: {f.runs} runs", file=sys.stderr)

    def ask(self, m):
        """The exit code qmail-queued answers, or None."""
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(10)
                s.connect(self.site.path("run/queue/socket"))
                s.sendall(b"Q1 0 0 0 %d %d\n" % (len(m.text), len(m.envelope())) + m.text + m.envelope())
                answer = s.makefile("rb").readline()
            return int(answer.split()[0]) if answer.endswith(b"\n") else None
        except (ConnectionError, FileNotFoundError):
            return None

    def test_qmail_queued(self):
        """A journal that is there; see below for one that is made."""
        self.queued()

    def test_qmail_queued_new(self):
        self.queued(new=True)

    def queued(self, new=False):
        journal = self.site.path(JOURNAL)
        f = Failures(self.site.dir, "qmail-queued", ("malloc", "open", "write", "fsync", "name", "fork", "read", "socket"))
        for env in f:
            if os.path.exists(self.site.path("run/queue/socket")):
                os.unlink(self.site.path("run/queue/socket"))
            for name in os.listdir(journal) if new else ():
                os.unlink(os.path.join(journal, name))
            self.site.log = None
            if f.now[0] in ("fsync", "write"):
                inodes = {}
                before = Tree.read(self.site.dir, self.site.PARTS + [JOURNAL], inodes)
                with open(self.site.path("fault.log"), "w"):
                    pass
                self.site.log = Log(self.site.path("fault.log"), self.site.dir)
            p = self.site.spawn(["qmail-queued", "-n", "1"], env=self.site.env(**env), stderr=-3)
            wait_for(lambda: p.poll() is not None or os.path.exists(self.site.path("run/queue/socket")), what="qmail-queued")
            try:
                code = wait_for(lambda: self.ready(p), what="an answer, or an end")
            except (AssertionError, TimeoutError) as e:
                raise AssertionError(f"{f}: {e}") from e
            p.terminate()
            p.wait(10)
            self.site.children.remove(p)
            if self.site.log:
                ops = self.site.log.read()
                self.site.log.close()
                self.site.log = None
                if code == "0":
                    self.safe(f, Disk(ops, before, inodes))
            if code in ("dead", "silent") and len(self.files()) == 2 and self.site.ok("qmail-qread").stdout:
                self.assertTrue(f.fired())  # the answer was lost: the client tries again, and may have it twice
                self.empty()
            else:
                self.judge(f, SHORT, 111 if code in ("dead", "silent") else int(code))
        print(f"\nshow: {f.program}: {f.runs} runs", file=sys.stderr)

    def safe(self, f, disk):
        """Success means that the message is on disk: itself, or its record in a segment which no sync has failed for."""
        at = next(i for i, op in enumerate(disk.ops) if op.what == "say" and op.s.startswith(b"0 "))
        number = disk.ops[at].s.split()[1].decode()
        begun, ended = (collections.Counter(op.a for op in disk.ops[:at] if op.what == what and op.b == 0) for what in ("syncing", "synced"))
        made = next((i, op.a) for i, op in enumerate(disk.ops) if op.what == "create" and op.s.endswith(f"/{number}") and "/mess/" in op.s)
        names = made[0], disk.made[f"queue/queue1/info/{int(number) % 23}/{number}"]
        contents = disk.files[made[1]].contents(at)
        itself = len(contents) == 1 and SHORT.whole(contents[0]) and all(disk.name_safe(n) <= at for n in names)
        segments = {ino: file for ino, file in disk.files.items() if ino not in begun - ended and file.start[:8] == b"IMjournl"}
        segments.update((op.a, disk.files[op.a]) for op in disk.ops if op.what == "create" and op.s.startswith(JOURNAL) and op.a not in begun - ended)
        recorded = any(all(f", id {number}); ".encode() in c and SHORT.text in c for c in file.contents(at)) for file in segments.values())
        self.assertTrue(itself or recorded, f"{f}, and success was reported")

    def ready(self, p):
        """What came of one message: an exit code as text, "silent" when it was dropped, "dead" when the daemon is."""
        if p.poll() is not None:
            return "dead"
        code = self.ask(SHORT)
        if code is None:
            # Not listening yet, or without an answer: it has no worker, or that one died.
            return None if not self.listening() else "silent"
        return str(code)

    def listening(self):
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(self.site.path("run/queue/socket"))
            return True
        except (ConnectionError, FileNotFoundError):
            return False


class NthImport(unittest.TestCase):
    def test_queue_fix(self):
        s = Import()
        slot = ImportSlot(s, FAULTY)
        self.addCleanup(slot.close)
        before = slot.base
        f = Failures(slot.site.dir, "queue-fix", ("malloc", "open", "write", "fsync", "name", "read"))
        for env in f:
            slot.put({**before, **slot.sentinel})
            p = s.run_import(slot.site, env=slot.site.env(**env))
            self.assertIn(p.returncode, (0, 1, 111), f"{f}: {p.stderr}")
            if f.fired() and f.now[0] == "fsync":
                self.assertNotEqual((p.returncode, p.stderr), (0, b""), f"{f}, and nobody was told")
            p = s.run_import(slot.site)
            self.assertEqual((p.returncode, p.stderr), (0, b""), str(f))
            if f.runs % 7 == 0 or not f.fired():  # what was made of it
                del slot.site.sink.messages[:]
                slot.deliver()
                tree = Tree.read(slot.site.dir, slot.site.PARTS)
                wrong = s.arrived(tree, [(to, data) for _, tos, data in slot.site.sink.messages for to in tos])
                self.assertEqual(wrong, [], str(f))
        print(f"\nshow: {f.program} -i: {f.runs} runs", file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
