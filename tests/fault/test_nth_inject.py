"""The n-th allocation, open, write, fork ... of what hands mail to the queue fails, for every n (nth.py): the message is in
the queue, once, whole and for those it is for, or the program says "later" and there is nothing."""
import os, socket, sys, unittest

from box import wait_for
from nth import PERMANENT, Failures, QueueTest

KINDS = ("malloc", "open", "write", "fork", "exec", "read", "pipe", "socket")
TO = ["joe@local.example", "x@far.example"]
BODY = "body\n" * 2000
MESSAGE = f"Subject: nth\n\n{BODY}".encode()


class Injection(QueueTest):
    def found(self):
        """(text, recipients) of each message that was accepted."""
        mess = {p.rsplit("/", 2)[2]: v[1] for p, v in self.files().items() if "/mess/" in p}
        info = {p.rsplit("/", 2)[2]: os.fsdecode(v[1]) for p, v in self.files().items() if "/info/" in p}
        return [(mess[i], [r[1:] for r in info[i].replace("\0", "\n").split("\n") if r.startswith("T")]) for i in info]

    def judge(self, f, queued, to=TO, end=MESSAGE, lost_answer=False):
        """lost_answer: failure may be reported although the message was queued."""
        found = self.found()
        if queued or (found and lost_answer and f.fired()):
            self.assertEqual([r for _, r in found], [to], str(f))
            self.assertTrue(found[0][0].endswith(end), f"{f}, and the message is {found[0][0]!r}")
            self.assertEqual(len(self.swept()), 2, str(f))
        else:
            self.assertEqual(self.swept(), {}, str(f))
        self.empty()

    def every(self, program, run, kinds=KINDS, **judging):
        """run(env) gives the exit code of an injector of ours, which knows 0 and 111 here."""
        f = Failures(self.site.dir, program, kinds)
        for env in f:
            code = run(self.site.env(**env))
            self.assertIn(code, (0, 111) if f.fired() else (0,), str(f))
            if code and judging.get("lost_answer"):
                self.settle()
            self.judge(f, code == 0, **judging)
        print(f"\nshow: {program}: {f.runs} runs", file=sys.stderr)

    def settle(self):
        """What qmail-queued was handed before is over when it has answered this, which is no whole envelope."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(20)
            s.connect(self.site.path("run/queue/socket"))
            s.sendall(b"Q1 0 0 0 0 1\nX")
            self.assertEqual(s.makefile("rb").readline(), b"54 0\n")


class NthInject(Injection):
    def inject(self, *argv):
        return lambda env: self.site.run(list(argv), input=MESSAGE, env=env).returncode

    def forward(self, env):
        with open(self.site.path("message"), "wb+") as f:
            f.write(MESSAGE)
            f.flush()
            return self.site.run(["forward", *TO], stdin=f, env={**env, "NEWSENDER": "s@local.example", "DTLINE": "Delivered-To: me\n"}).returncode

    def test_programs(self):
        """qmail-queue is run."""
        self.every("qmail-inject", self.inject("qmail-inject", *TO), end=b"\n\n" + BODY.encode())
        self.every("sendmail", self.inject("sendmail", "-f", "s@local.example", "-oi", *TO), end=b"\n\n" + BODY.encode())
        self.every("forward", self.forward, end=b"Delivered-To: me\n" + MESSAGE)

    def test_resident(self):
        """qmail-queued takes it."""
        p = self.site.spawn(["qmail-queued", "-n", "1"], env=self.site.env())
        wait_for(lambda: os.path.exists(self.site.path("run/queue/socket")), what="qmail-queued")
        self.every("qmail-inject", self.inject("qmail-inject", *TO), end=b"\n\n" + BODY.encode(), lost_answer=True)
        self.every("forward", self.forward, end=b"Delivered-To: me\n" + MESSAGE, lost_answer=True)
        self.assertIsNone(p.poll())

    def test_domainqueue(self):
        """A queue that is not chosen is no reason to take another one."""
        self.site.ok("queue-fix", self.site.path("queue/other"))
        self.queues = ["queue/other"]
        self.site.control("domainqueue", f"far.example:QUEUEDIR={self.site.path('queue/other')}\n")

        def run(env):
            del env["QUEUEDIR"]
            return self.inject("qmail-inject", *TO)(env)

        self.every("qmail-inject", run, ("malloc", "open", "read"), end=b"\n\n" + BODY.encode())
        self.queues = ["queue/queue1"]
        self.assertEqual(self.files(), {})


class NthMulti(Injection):
    QUEUES = 3

    def multi(self, to=TO, end=MESSAGE, kinds=KINDS, **extra):
        """Through qmail-multi, whose exit codes are those of qmail-queue."""
        f = Failures(self.site.dir, "qmail-multi", kinds)
        for env in f:
            env = self.site.env(QUEUEDIR=None, QUEUE_COUNT="3", **extra, **env)
            fds = self.pipe(MESSAGE), self.pipe(b"Fs@local.example\0" + b"".join(b"T%s\0" % r.encode() for r in TO) + b"\0")
            code = self.site.run(["qmail-multi"], stdin=fds[0], stdout=fds[1], env=env).returncode
            for fd in fds:
                os.close(fd)
            self.assertNotIn(code, PERMANENT, str(f))
            self.assertTrue(code == 0 or f.fired(), f"{f}: exit code {code}")
            self.judge(f, code == 0, to=to, end=end)
        print(f"\nshow: {f.program} {' '.join(extra)}: {f.runs} runs", file=sys.stderr)

    def test_choice(self):
        self.multi()

    def test_filters(self):
        self.multi(end=b"\n\n" + BODY.replace("body", "two").encode(), SPAMFILTER="sed s/body/one/; exit 1", FILTERARGS="sed s/one/two/",
                   MAKE_SEEKABLE="1", MIN_FREE="1")

    def test_spam_goes_nowhere_else(self):
        self.multi(to=["spam@jail.example"], SPAMFILTER="cat; exit 0", SPAMREDIRECT="spam@jail.example")


if __name__ == "__main__":
    unittest.main()
