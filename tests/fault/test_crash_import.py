"""queue-fix -i: a classic queue, in all its states, becomes messages of ours; also if it is killed before any of its
system calls, or the power fails."""
import fcntl, os, re, sys, time, unittest

from box import FAULTY
from classicqueue import ClassicQueue
from crashsim import CrashSite, Disk, Recording, Scenario, Slot, Tree, digest

TEXT = b"Received: (qmail 1 invoked by uid 0); 1 Jan 2024 00:00:00 -0000\nSubject: %s\n\nbody of %s\n"


def text(token):
    return TEXT.replace(b"%s", token.encode())


class Import(Scenario):
    """What is in the classic queue, and who must get it: token -> recipient -> copies."""

    want = {"todo": {"joe@local.example": 1, "x@far.example": 1, "user@virt.example": 1},
            "begun": {"ann@local.example": 1, "y@far.example": 1, "user@virt.example": 1},
            "finished": {},
            "bounced": {"bob@local.example": 1}}
    split_todo = False

    def prepare(self, site):
        site.PARTS = CrashSite.PARTS + ["classic"]
        site.control("virtualdomains", "virt.example:ann\n")
        site.write("home/ann/.qmail-default", "./Maildir/\n")
        q = site.classic = ClassicQueue(site.path("classic"), site.uid, site.gid, split_todo=self.split_todo)
        q.add(text("todo"), "bob@local.example", todo=["joe@local.example", "x@far.example", "user@virt.example"])
        q.add(text("begun"), "bob@local.example", local=[("joe@local.example", True), ("ann-user@virt.example", False), ("ann@local.example", False)],
              remote=[("x@far.example", True), ("y@far.example", False)])
        q.add(text("finished"), "bob@local.example", local=[("joe@local.example", True)])
        q.add(text("bounced"), "bob@local.example", remote=[("gone@far.example", True)], bounce=b"<gone@far.example>:\nno such user\n\n")
        q.add(text("unaccepted"), "bob@local.example", only_mess=True)

    def run_import(self, site, **kw):
        return site.run(["queue-fix", "-i", site.path("classic"), site.path("queue/queue1")], **kw)

    def arrived(self, tree, taken):
        """(token, recipient) -> copies, and complaints."""
        found, wrong = {}, []
        copies = [(None, c) for p, (k, c) in tree.items() if k == "f" and "/Maildir/new/" in p]
        for to, c in copies + [(to, data.replace(b"\r\n", b"\n")) for to, data in taken]:
            token = re.findall(rb"^Subject: (\S+)$", c, re.M)[-1].decode()
            to = to or re.search(rb"^Delivered-To: (\S+)$", c, re.M).group(1).decode()
            if to.endswith("@virt.example"):
                to = to.replace("ann-", "", 1)
            if b"Hi. This is the IndiMail" in c:
                if b"<gone@far.example>:\nno such user\n" not in c or not re.search(re.escape(text(token)) + rb"\n*--\S+--\n$", c):
                    wrong.append(f"a damaged notice: {c!r}")
            elif not re.fullmatch(rb"(Return-Path: [^\n]*\n)?(Delivered-To: [^\n]*\n)?" + re.escape(text(token)), c):
                wrong.append(f"{token} for {to} is damaged: {c!r}")
            found.setdefault(token, {}).setdefault(to, 0)
            found[token][to] += 1
        if found != {t: w for t, w in self.want.items() if w}:
            wrong.append(f"not what was wanted: {found}")
        return wrong


class SplitTodo(Import):
    split_todo = True


class ImportSlot(Slot):
    def recover(self, scenario, state, between):
        """Runs the import again, after the daemons have run or before. What is wrong."""
        site = self.site
        self.put({**state, **self.sentinel})
        del site.sink.messages[:]
        if between:
            self.deliver()
        p = scenario.run_import(site)
        if p.returncode:
            return [f"queue-fix ended with {p.returncode}: {p.stderr.decode()}"]
        if between:
            for path, v in self.sentinel.items():
                self.put_one(path, *v)
        self.deliver()
        tree = Tree.read(site.dir, site.PARTS)
        taken = [(to, data) for _, tos, data in site.sink.messages for to in tos]
        wrong = scenario.arrived(tree, taken)
        left = [p for p in site.classic.left() if not p.startswith("mess/") or p not in self.unaccepted()]
        wrong += [f"left in the classic queue: {p}" for p in left]
        wrong += [f"left in our queue: {p}" for p, v in tree.items() if p.startswith("queue/queue1/") and v[0] != "d" and "/lock/" not in p]
        return wrong

    def unaccepted(self):
        return [p for p in self.site.classic.left() if p == self.site.classic.place("mess", self.site.classic.next)]

    def put_one(self, path, kind, content):
        full = self.site.path(path)
        if kind == "l":
            os.symlink(content, os.fsencode(full))
        else:
            self.site.write(path, content)
        if os.geteuid() == 0:
            os.lchown(full, self.site.uid, self.site.gid)


class ImportTest(unittest.TestCase):
    def slot(self, scenario):
        slot = ImportSlot(scenario)
        self.addCleanup(slot.close)
        return slot

    def test_import(self):
        for kind in (Import, SplitTodo):
            s = kind()
            slot = self.slot(s)
            self.assertEqual(slot.recover(s, slot.base, False), [])
            p = s.run_import(slot.site)  # there is nothing left to do
            self.assertEqual((p.returncode, p.stderr), (0, b""))

    def test_refused(self):
        s = Import()
        site = self.slot(s).site
        p = site.run(["queue-fix", "-i", site.path("queue/queue1"), site.path("queue/queue2")])
        self.assertEqual((p.returncode, os.path.exists(site.path("queue/queue2"))), (111, False))
        with open(site.path("classic/lock/sendmutex")) as f:
            fcntl.flock(f, fcntl.LOCK_EX)
            p = s.run_import(site)
            self.assertEqual(p.returncode, 111)
            self.assertIn(b"is qmail-send running there?", p.stderr)
        self.assertEqual(site.run(["queue-fix", "-n", "-i", "x", "y"]).returncode, 100)

    def test_damaged(self):
        s = Import()
        site = self.slot(s).site
        q = site.classic
        bad = q.add(text("damaged"), "bob@local.example", todo=["joe@local.example"])
        q.write(q.place("todo", bad), b"Fbob@local.example\0Tjoe@local.exam")
        q.own()
        p = s.run_import(site)
        self.assertEqual(p.returncode, 1)
        self.assertIn(f"damaged, left alone: todo/{bad}".encode(), p.stderr)
        self.assertEqual(q.left(), sorted([q.place("mess", bad), q.place("mess", bad - 7), q.place("todo", bad), q.place("intd", bad)]))

    def test_power_loss(self):
        start = time.monotonic()
        s = Import()
        s.run = lambda site: self.assertEqual(s.run_import(site).returncode, 0)
        recording = Recording(s)
        disk = Disk(recording.ops, *recording.before, parts=CrashSite.PARTS + ["classic"])
        states = {}
        for cut, state in disk.states():
            states.setdefault(digest(state), state)
        slot = self.slot(s)
        slot.times.update({p + ".imported": t for p, t in slot.times.items()})
        for i, state in enumerate(states.values()):
            wrong = slot.recover(s, state, i % 2)
            self.assertEqual(wrong, [], f"{wrong}\n" + "\n".join(f"{p} {v[1]!r:.150}" for p, v in sorted(state.items()) if v[0] != "d"))
        print(f"\nshow: queue-fix -i: {len(recording.ops)} operations, {len(states)} states of the disk, {time.monotonic() - start:.1f} s",
              file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
