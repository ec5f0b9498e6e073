"""The n-th allocation, open, write, fsync ... fails while an administrator gives orders (nth.py), to a queue that nobody
serves and to a running qmail-send: what was confirmed is so and stays so, the orders before it stay, no other message is
touched, and the same order given once more is obeyed. And of drate, which sets rates and asks as slowq-send does."""
import os, re, signal, subprocess, sys, time, unittest

from box import wait_for
from crashsim import Message
from nth import Failures, QueueTest

KINDS = ("malloc", "open", "write", "fsync", "name", "read", "socket")
ORDERS = "queue/queue1/send/orders"
ONE = Message("one", {"x@far.example": "remote"})
OTHER = Message("other", {"y@other.example": "remote"})


class Orders(QueueTest):
    def setUp(self):
        super().setUp()
        self.site.ok("queue-fix", "-t", self.site.path("queue/queue1"))
        for m in (OTHER, ONE):
            self.site.ok("qmail-queue", stdin=self.pipe(m.text), stdout=self.pipe(m.envelope()))
            if m is OTHER:
                (self.other,) = self.site.ids_in("info")
        (self.one,) = self.site.ids_in("info") - {self.other}
        self.site.ok("qmail-rm", "-H", "-i", str(self.other))
        self.before = self.state()

    def state(self):
        kept = dict(self.files())
        for path in (ORDERS, *("queue/queue1/trash/" + n for n in os.listdir(self.site.path("queue/queue1/trash")))):
            with open(self.site.path(path), "rb") if not os.path.islink(self.site.path(path)) else open(os.devnull, "rb") as f:
                kept[path] = ("l", os.readlink(os.fsencode(self.site.path(path)))) if os.path.islink(self.site.path(path)) else ("f", f.read())
        return kept

    def restore(self):
        for path in self.state():
            os.unlink(self.site.path(path))
        for path, (kind, content) in self.before.items():
            if kind == "l":
                os.symlink(content, os.fsencode(self.site.path(path)))
            else:
                self.site.write(path, content)

    def order(self, program, argv, env={}):
        return self.site.run([program, *argv], env=self.site.env(**env))

    def written(self):
        """The orders that a qmail-send would find."""
        with open(self.site.path(ORDERS)) as f:
            return {line for line in f.read().split("\n")[:-1]}

    def ids(self):
        return {int(p.rsplit("/", 1)[1]) for p in self.files() if "/info/" in p}

    def removed(self):
        return self.ids() == {self.other} and {n.split(".")[0] for n in os.listdir(self.site.path("queue/queue1/trash"))} == {str(self.one)}

    def done(self, argv):
        """Was this order carried out?"""
        if "remove" in argv:
            return self.removed()
        return " ".join(argv) in self.written()

    # qmail-rm finds the messages, qmail-qorder is told; "release" and "expire" are lines of the same file.
    CASES = [["remove", "id", "ONE"], ["hold", "id", "ONE"], ["hold", "domain", "far.example"], ["expire", "id", "ONE"]]

    def argv(self, case):
        return [str(self.one) if word == "ONE" else word for word in case]

    def judge(self, f, case, p):
        said = f"{f}: {case}: exit code {p.returncode}, {p.stdout} {p.stderr}"
        done = self.done(case)
        if p.returncode == 0:
            self.assertTrue(done, said)
        else:
            self.assertEqual(p.returncode, 111, said)
            self.assertTrue(p.stderr or b": " in p.stdout, said)
        self.assertIn(f"hold id {self.other}", self.written(), said)
        self.assertIn(self.other, self.ids(), said)
        if self.one not in self.ids():  # then it is in the trash, and nothing of it is in the queue but what is swept
            self.assertIn("remove", case, said)
            self.assertTrue(self.removed(), said)
        self.assertEqual(len(self.swept()), 2 * len(self.ids()), said)

    def test_without_qmail_send(self):
        for program in ("qmail-qorder", "qmail-rm"):
            for case in self.CASES:
                case = self.argv(case)
                argv = case
                if program == "qmail-rm":
                    if case[1] == "domain":
                        continue
                    argv = {"remove": [], "hold": ["-H"], "expire": ["-x"]}[case[0]] + ["-i", case[2]]
                f = Failures(self.site.dir, program, KINDS)
                for env in f:
                    p = self.order(program, argv, env)
                    self.assertTrue(p.returncode == 0 or f.fired(), f"{f}: {p.stderr}")
                    self.judge(f, case, p)
                    p = self.order(program, argv)
                    self.assertTrue(self.done(case), f"{f}, and once more: {p.stdout} {p.stderr}")
                    self.restore()
                print(f"\nshow: {program} {argv}: {f.runs} runs", file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
