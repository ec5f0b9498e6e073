"""The n-th allocation, open or read of qmail-smtpd fails, for every n (nth.py): what the lists and rules of its policy
forbid stays forbidden, what they allow is refused for now at worst, and no command is answered twice."""
import email, os, subprocess, unittest

from box import BIN, FAULTY
from nth import Failures
from smtpd import SmtpRoot

WORM = b"Content-Type: x/y; name=a.exe\r\n\r\nx\r\n.\r\n"

LAST = b"RCPT TO:<ann@example.com>\r\n"
# command, the codes its answer may begin with; None: no answer of its own
DIALOGUE = [
    (b"EHLO bad.dyn.example\r\n", ("553", "4")), (b"EHLO good.example\r\n", ("250", "4")),
    (b"MAIL FROM:<x@spam.example>\r\n", ("553", "503", "4")), (b"MAIL FROM:<y12@pattern.example>\r\n", ("553", "503", "4")),
    (b"MAIL FROM:<ruled@example.net>\r\n", ("250", "503", "4")), (b"RCPT TO:<bad@example.com>\r\n", ("553", "503", "4")),
    (b"RCPT TO:<x@example.org>\r\n", ("553", "503", "4")), (b"RCPT TO:<cdb@example.com>\r\n", ("553", "503", "4")),
    (b"RCPT TO:<gone@example.com>\r\n", ("550", "503", "4")), (b"RCPT TO:<joe@example.com>\r\n", ("250", "503", "4")),
    (LAST, ("452", "503", "4")),
]


class NthSmtpd(unittest.TestCase):
    def setUp(self):
        self.root = SmtpRoot()
        self.addCleanup(self.root.close)
        for name, text in {"badhelo": ".dyn.example\n", "badmailfrom": "@spam.example\n", "badmailpatterns": "y[0-9]*@pattern.*\n",
                           "badrcptto": "bad@example.com\n", "from.envrules": "ruled@*:MAXRECIPIENTS=1\n", "badext": ".exe\n",
                           "bodycheck": "secret\n", "recipients": "users/recipients.cdb\n", "spamignore": "@example.net\n",
                           "accesslist": "rcpt:boss@example.com:all@example.com\n", "hostaccess": "other.example:192.0.2.99\n"}.items():
            self.root.control(name, text)
        self.root.control("cdb", "cdb@example.com\n")
        with open(self.root.path("users", "recipients"), "w") as f:
            f.write("\n".join(u + "@example.com" for u in ("bad", "cdb", "joe", "ann")) + "\n")
        self.assertEqual(self.root.run(["qmail-cdb", "cdb"]).returncode, 0)
        os.rename(self.root.path("control", "cdb.cdb"), self.root.path("control", "badrcptto.cdb"))
        self.assertEqual(self.root.run(["recipient-cdb"]).returncode, 0)

    def talk(self, env):
        """The answers, each a list of lines."""
        vars = dict(TCPREMOTEIP="192.0.2.7", TCPLOCALIP="192.0.2.1", BADHELOCHECK="1", CHECKRECIPIENT="3", PENALTY="0",
                    QMAILQUEUE=os.path.join(BIN, "qmail-nullqueue"), **env)
        said = b"".join(c for c, _ in DIALOGUE) + b"DATA\r\n" + WORM + b"QUIT\r\n"
        p = subprocess.run([os.path.join(FAULTY, "qmail-smtpd")], input=said, env=self.root.env(**vars), stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=30)
        self.assertGreaterEqual(p.returncode, 0, (self.failures and str(self.failures), p.stderr[-300:]))
        answers, one = [], []
        for line in p.stdout.decode().splitlines():
            one.append(line)
            if line[3:4] != "-":
                answers.append(one)
                one = []
        return answers

    def check(self, answers):
        codes = [a[-1] for a in answers]
        if not codes or codes[0].startswith("421"):
            self.assertLessEqual(len(codes), 1)
            return
        self.assertTrue(codes[0].startswith("220"), codes)
        for i, ((command, may), got) in enumerate(zip(DIALOGUE, codes[1:])):
            if command == LAST and not codes[i].startswith("250"):
                may += ("250",)  # the one before was refused for now, so this one is the first
            self.assertTrue(got.startswith(may), (command, got))
        rest = codes[1 + len(DIALOGUE):]
        over = [i for i, c in enumerate(codes) if c.startswith("421")]
        self.assertIn(over, ([], [len(codes) - 1]), codes)  # nothing is said behind goodbye
        if rest and rest[0].startswith("354"):  # the worm, then QUIT
            self.assertTrue(len(rest) < 2 or rest[1].startswith(("552", "4")), rest)
            self.assertLessEqual(len(rest), 3, rest)

    def test_every(self):
        self.failures = None
        answers = self.talk({})
        self.check(answers)
        self.assertEqual([a[-1][:3] for a in answers], ["220", "553", "250", "553", "553", "250", "553", "553", "553", "550", "250", "452", "354",
                                                        "552", "221"])
        self.failures = Failures(self.root.dir, "qmail-smtpd", ("malloc", "open", "read", "pipe", "socket"))
        for env in self.failures:
            with self.subTest(str(self.failures)):
                self.check(self.talk(env))


class NthBinary(unittest.TestCase):
    """The same of a binary message: it is kept whole, or refused for now."""

    DATA = b"\0\n\r\r\n--B\n" * 3000
    TEXT = b"line\r\n\xc3\xa4"

    def setUp(self):
        self.root = SmtpRoot()
        self.addCleanup(self.root.close)

    def talk(self, env):
        cte = b"Content-Transfer-Encoding: binary\r\n"
        body = (b"Content-Type: multipart/x; boundary=B\r\n" + cte + b"\r\n--B\r\n" + cte + b"\r\n" + self.TEXT + b"\r\n--B\r\nContent-Type: image/x\r\n" +
                cte + b"\r\n" + self.DATA + b"\r\n--B--\r\n")
        said = b"EHLO x\r\nMAIL FROM:<a@b.example> BODY=BINARYMIME\r\nRCPT TO:<joe@example.com>\r\nBDAT %d LAST\r\n" % len(body) + body + b"QUIT\r\n"
        vars = dict(TCPREMOTEIP="192.0.2.7", TCPLOCALIP="192.0.2.1", BINARYMIME="1", QMAILQUEUE=self.root.queue, QQ_DIR=self.root.path("qq"), **env)
        p = subprocess.run([os.path.join(FAULTY, "qmail-smtpd")], input=said, env=self.root.env(**vars), stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=30)
        self.assertGreaterEqual(p.returncode, 0, p.stderr[-300:])
        lines = p.stdout.decode().splitlines()
        cut = ["4 hung up within an answer"] if lines and lines[-1][3:4] == "-" else []
        return [l for l in lines if l[3:4] != "-"] + cut

    def kept(self):
        """The parts of what was queued, and no trace of it is left."""
        parts = [[p.get_payload(decode=True) for p in email.message_from_bytes(m[0]).walk() if not p.is_multipart()] for m in self.root.messages()]
        for name in os.listdir(self.root.path("qq")):
            os.unlink(self.root.path("qq", name))
        return parts

    def test_every(self):
        whole = [[self.TEXT.replace(b"\r\n", b"\n"), self.DATA]]
        self.assertEqual(self.talk({})[-2][:3], "250")
        self.assertEqual(self.kept(), whole)
        failures = Failures(self.root.dir, "qmail-smtpd", ("malloc",))
        refused = 0
        for env in failures:
            with self.subTest(str(failures)):
                codes = self.talk(env)
                taken = len(codes) == 6 and codes[4].startswith("250")
                self.assertEqual(self.kept(), whole if taken else [])
                if not taken:
                    refused += 1
                    self.assertTrue(not codes or any(c.startswith("4") for c in codes), codes)
        self.assertGreater(refused, 10)


if __name__ == "__main__":
    unittest.main()
