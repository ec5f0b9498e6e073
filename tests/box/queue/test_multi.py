"""qmail-multi and the choice of a queue: filters, and where a message goes."""
import os, unittest

from box import wait_for
from mailsite import MailSite

ENVELOPE = b"Fs@x.example\0Tjoe@a.example\0\0"
MESSAGE = b"Subject: hello\n\nbody\n"


class Choice(unittest.TestCase):
    """A queue whose trigger somebody holds open has daemons, as far as anybody can tell."""

    def setUp(self):
        self.site = MailSite(queues=4)
        self.addCleanup(self.site.close)

    def run_daemons(self, *queues):
        for i in queues:
            fd = os.open(self.site.queue(i) + "/lock/trigger", os.O_RDWR | os.O_NONBLOCK)
            self.addCleanup(os.close, fd)

    def waiting(self, i, n):
        with open(self.site.queue(i) + "/lock/waiting", "w") as f:
            f.write(f"{n:020}\n")

    def used(self, messages=12):
        """Where so many messages went."""
        before = set(self.site.queued())
        for i in range(messages):
            self.assertEqual(self.site.queue_program(MESSAGE, ENVELOPE, program=("qmail-queue", "qmail-multi")[i % 2]), 0)
        return sorted({p.split("/queue/queue")[1].split("/")[0] for p in set(self.site.queued()) - before})

    def test_daemons(self):
        self.run_daemons(3)
        self.assertEqual(self.used(), ["3"])
        self.run_daemons(2)
        self.assertEqual(self.used(40), ["2", "3"])

    def test_fewest_waiting(self):
        self.run_daemons(1, 2, 3, 4)
        for i, n in enumerate((5000, 4000, 3000, 6000), 1):
            self.waiting(i, n)
        self.assertNotIn("4", self.used(40))  # whatever it is compared with is better

    def test_nonsense_is_no_trouble(self):
        self.run_daemons(1, 2, 3, 4)
        with open(self.site.queue(1) + "/lock/waiting", "w") as f:
            f.write("many")
        os.unlink(self.site.queue(2) + "/lock/waiting")
        os.unlink(self.site.queue(3) + "/lock/trigger")
        os.mkdir(self.site.queue(3) + "/lock/trigger")
        self.assertEqual(self.used(40), ["1", "2", "4"])

    def test_todo_proc_tells(self):
        def waiting():
            with open(self.site.queue() + "/lock/waiting") as f:
                return f.read()

        self.site.queues = 1
        self.site.control("holdlocal", "1\n")
        self.site.start()
        for _ in range(3):
            self.site.inject("joe@local.example")
        wait_for(lambda: waiting() == "0" * 19 + "3\n")
        os.unlink(self.site.path("control", "holdlocal"))
        self.site.daemon.send_signal(1)
        self.site.wait_empty()
        wait_for(lambda: waiting() == "0" * 20 + "\n")


class Filters(unittest.TestCase):
    def setUp(self):
        self.site = MailSite()
        self.addCleanup(self.site.close)

    def queue(self, want=0, message=MESSAGE, **env):
        before = set(self.site.queued())
        got = self.site.queue_program(message, ENVELOPE, env=self.site.env(**env), program="qmail-multi")
        self.assertEqual(got, want)
        new = set(self.site.queued()) - before
        mess = [p for p in new if "/mess/" in p]
        self.recipients = [r for p in new if "/info/" in p for r in os.readlink(p).split("\n") if r.startswith("T")]
        return open(mess[0], "rb").read() if mess else None

    def test_filterargs(self):
        self.assertTrue(self.queue(FILTERARGS="sed 's/body/changed/'").endswith(b"Subject: hello\n\nchanged\n"))
        self.assertTrue(self.queue(FILTERARGS="cat; echo \"$FILTERARGS$SPAMFILTER\"", SPAMFILTER="exit 1").endswith(b"\n\n"))
        for code, want in ((2, 0), (99, 0), (31, 31), (100, 31), (88, 88), (1, 71), (111, 71)):
            with self.subTest(code):
                self.assertIsNone(self.queue(want, FILTERARGS=f"cat; exit {code}"))
        self.assertIsNone(self.queue(123, FILTERARGS="kill -9 $$"))
        self.assertIsNone(self.queue(71, FILTERARGS="/nonexistent/filter"))
        self.assertIsNone(self.queue(68, FILTERARGS="cat", TMPDIR="/nonexistent"))

    def test_long_message(self):
        """More than fits into any pipe, and a filter that does not read it."""
        long = MESSAGE + b"x" * 3000000
        self.assertTrue(self.queue(message=long, FILTERARGS="cat").endswith(long))
        self.assertTrue(self.queue(message=MESSAGE, FILTERARGS="echo mine").endswith(b"\nmine\n"))

    def test_spamfilter(self):
        self.assertTrue(self.queue(SPAMFILTER="echo 'X-Spam: no'; cat; exit 1").endswith(b"X-Spam: no\n" + MESSAGE))
        spam = "echo 'X-Spam: yes'; cat; exit 0"
        self.assertTrue(self.queue(SPAMFILTER=spam).endswith(b"X-Spam: yes\n" + MESSAGE))
        self.assertIsNone(self.queue(32, SPAMFILTER=spam, REJECTSPAM="1"))
        self.assertIsNone(self.queue(0, SPAMFILTER=spam, REJECTSPAM="2"))
        self.queue(SPAMFILTER=spam, SPAMREDIRECT="spam@arc")
        self.assertEqual(self.recipients, ["Tspam@arc"])
        self.assertIsNone(self.queue(76, SPAMFILTER="cat; exit 3"))
        self.assertIsNone(self.queue(32, SPAMFILTER="cat; exit 7", SPAMEXITCODE="7", REJECTSPAM="1"))
        self.assertTrue(self.queue(SPAMFILTER=spam, REJECTSPAM="1", RELAYCLIENT="", RELAYCLIENT_NOSPAMFILTER="1").endswith(b"\n" + MESSAGE))

    def test_both(self):
        got = self.queue(SPAMFILTER="sed s/body/one/; exit 1", FILTERARGS="sed s/one/two/")
        self.assertTrue(got.endswith(b"\n\ntwo\n"))

    def test_make_seekable(self):
        seek = "python3 -c 'import os; os.lseek(0, 0, 0); os.write(1, os.read(0, 9999))'"
        self.assertTrue(self.queue(FILTERARGS=seek, MAKE_SEEKABLE="1").endswith(MESSAGE))
        self.assertIsNone(self.queue(71, FILTERARGS=seek + " 2>/dev/null"))

    def test_the_program_that_comes_next(self):
        self.assertIsNone(self.queue(0, QUEUEPROG="/bin/true", FILTERARGS="cat"))
        self.assertIsNone(self.queue(120, QUEUEPROG="/nonexistent/queue"))


if __name__ == "__main__":
    unittest.main()
