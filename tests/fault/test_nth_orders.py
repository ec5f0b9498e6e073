"""The n-th allocation, open, write, fsync ... fails while an administrator gives orders (nth.py), to a queue that nobody
serves and to a running qmail-send: what was confirmed is so and stays so, the orders before it stay, no other message is
touched, and the same order given once more is obeyed. And of drate, which sets rates and asks as slowq-send does."""
import os, socket, sys, unittest

from box import FAULTY, become_ordinary, wait_for
from crashsim import Message
from nth import Failures, QueueTest
from sendsite import SendSite

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


class FaultySend(SendSite):
    bin = FAULTY
    fault = {}

    def env(self, **extra):
        return super().env(**self.fault, **extra)


class Running(unittest.TestCase):
    """qmail-send is asked; it is killed after its answers."""

    REQUESTS = ["hold id 7", "expire id 8", "hold domain far.example", "hold sender c@d.example", "release id 7", "hold id 9", "remove id 10"]
    KEPT = {"hold id 900", "expire id 8", "hold domain far.example", "hold sender c@d.example", "hold id 9"}

    @classmethod
    def setUpClass(cls):
        become_ordinary()

    def setUp(self):
        self.site = FaultySend()
        self.addCleanup(self.site.close)
        os.mkdir(self.site.queue() + "/send") if not os.path.isdir(self.site.queue() + "/send") else None
        with open(self.site.queue() + "/mess/3/900", "w") as f:
            f.write("a message that was held before")  # 900 mod 23 is 3

    def ask(self):
        """The answers, as far as they come."""
        here = os.getcwd()
        os.chdir(self.site.queue())
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(10)
                s.connect("send/control")
                s.sendall("".join(r + "\n" for r in self.REQUESTS).encode())
                s.shutdown(socket.SHUT_WR)
                got = b""
                while more := s.recv(65536):
                    got += more
                return got.decode().split("\n")[:-1]
        except (ConnectionError, FileNotFoundError, BrokenPipeError):
            return []
        finally:
            os.chdir(here)

    def end(self):
        site = self.site
        site.send.kill()
        site.send.wait()
        site.children.remove(site.send)
        for fd in filter(lambda fd: fd is not None, site.end.values()):
            os.close(fd)

    def one(self, f):
        site = self.site
        orders = site.queue() + "/send/orders"
        with open(orders, "w") as out:
            out.write("hold id 900\n")
        if os.path.exists(site.queue() + "/send/control"):
            os.unlink(site.queue() + "/send/control")
        over = lambda: site.send.poll() is not None
        try:
            site.run_send()
            for id in (7, 8, 9, 10):
                site.job(id, (b"R", f"x@{id}.example"), sender="a@b.example")
            # Of what there was no memory for, one may start later.
            site.until(lambda: over() or len(site.orders(3)) >= 3 or "out of memory" in site.log_text, f"{f}: the messages")
        except (BrokenPipeError, OSError):
            site.until(over, f"{f}: the end")
        answers = [] if over() else self.ask()
        self.assertTrue(f.fired() or len(answers) == len(self.REQUESTS), f"{f}: {answers}")
        self.end()
        with open(orders) as lines:
            state = {}
            for line in lines.read().split("\n")[:-1]:
                state[line.split(" ", 1)[1]] = line
        # Whatever the last one confirmed about something says, stands.
        confirmed = {r.split(" ", 1)[1]: r for r, a in zip(self.REQUESTS, answers) if a.startswith("ok") and not r.startswith("remove")}
        said = f"{f}: {answers}, and {sorted(state.values())}\n{site.log_text}"
        self.assertEqual(state.get("id 900"), "hold id 900", said)
        for what, order in confirmed.items():
            later = [r for r in self.REQUESTS if r.split(" ", 1)[1] == what]
            self.assertIn(state.get(what, "release " + what), later[later.index(order):], said)
        if not f.fired():
            self.assertEqual(set(state.values()) - {"release id 7"}, self.KEPT, said)

    def test_qmail_send(self):
        f = Failures(self.site.dir, "qmail-send", KINDS)
        for env in f:
            self.site.fault = env
            self.one(f)
        print(f"\nshow: {f.program}: {f.runs} runs", file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
