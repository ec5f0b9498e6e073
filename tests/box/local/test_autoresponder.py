"""autoresponder as a .qmail line: what it sends, to whom, and how often; with the queue a program that records."""
import email, email.policy, os, time, unittest

from mailsite import MailSite
from smtpd import SmtpRoot

MAIL = b"From: Ann <ann@b.example>\nTo: joe@example.com\nSubject: caf\xc3\xa9\nMessage-ID: <1@b.example>\n\nhello\n"


class Autoresponder(unittest.TestCase):
    def setUp(self):
        self.root = SmtpRoot()
        self.addCleanup(self.root.close)
        with open(self.root.path("message"), "w") as f:
            f.write("I am away; you wrote about %S.\n")

    def run_it(self, *options, mail=MAIL, code=0, directory=None, message=None, **env):
        with open(self.root.path("incoming"), "wb") as f:
            f.write(mail)
        env = self.root.env(**{"SENDER": "ann@b.example", "RECIPIENT": "joe@example.com", "QMAILQUEUE": self.root.queue, "QQ_DIR": self.root.path("qq"), **env})
        with open(self.root.path("incoming"), "rb") as f:
            p = self.root.run(["autoresponder", *options, message or self.root.path("message"), directory or self.root.path("answered")], env=env, stdin=f)
        self.assertEqual(p.returncode, code, p.stderr)
        self.said = p.stderr.decode()
        return p.stdout

    def test_answer(self):
        self.run_it(SERVICE_RESPONDER="Joe")
        (text, sender, to, _), = self.root.messages()
        self.assertEqual((sender, to), (b"", [b"ann@b.example"]))
        m = email.message_from_bytes(text, policy=email.policy.default)
        self.assertEqual(m.defects, [])
        self.assertEqual((m["From"], m["To"], m["Auto-Submitted"], m["In-Reply-To"]), ("Joe <joe@example.com>", "ann@b.example", "auto-replied", "<1@b.example>"))
        self.assertTrue(m["Subject"].startswith("Re: caf"))
        self.assertEqual(m.get_content(), "I am away; you wrote about café.\n")
        # an answer is not answered
        self.run_it(mail=text.replace(b"To: ann@b.example", b"To: joe@example.com"), directory=self.root.path("other"))
        self.assertIn("sent automatically", self.said)
        self.assertEqual(len(self.root.messages()), 1)

    def test_once(self):
        for i in range(3):
            self.run_it()
        self.assertIn("has had an answer", self.said)
        self.run_it(SENDER="ANN@b.example")
        self.assertEqual(len(self.root.messages()), 1)
        self.run_it("-q", SENDER="bob@b.example")
        self.run_it("-q", SENDER="bob@b.example")
        self.assertEqual((len(self.root.messages()), self.said), (2, ""))
        self.run_it("-n", "2", SENDER="bob@b.example")
        self.assertEqual(len(self.root.messages()), 3)
        self.assertEqual(sorted(os.listdir(self.root.path("answered"))), ["ann@b.example", "bob@b.example"])
        self.assertEqual(os.stat(self.root.path("answered")).st_mode & 0o777, 0o700)

    def test_not_answered(self):
        for env, mail in (({"SENDER": ""}, MAIL), ({"SENDER": "#@[]"}, MAIL), ({}, b"List-Id: <x>\n" + MAIL), ({}, b"To: others@example.com\n\n"), ({}, b"")):
            self.run_it(mail=mail, **env)
            self.assertIn("not answered: ", self.said)
        self.assertEqual(self.root.messages(), [])
        self.run_it("-l", mail=b"To: others@example.com\n\n")
        self.assertEqual(len(self.root.messages()), 1)

    def test_times(self):
        day = lambda days: time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() + days * 86400))
        self.run_it("-b", day(1))
        self.assertIn("has not come", self.said)
        self.run_it("-e", day(-1))
        self.assertIn("is over", self.said)
        self.run_it("-b", day(-1), "-e", day(1))
        self.assertEqual(len(self.root.messages()), 1)
        for bad in ("tomorrow", "2026-13-01 00:00:00", "2026-01-01", ""):
            self.run_it("-e", bad, code=100 if bad else 0)

    def test_options(self):
        out = self.run_it("-N", "-c", "-S", "Away", "-f", "office@example.com", "-T", "text/plain; charset=iso-8859-1").decode()
        self.assertIn("\nSubject: Away\n", out)
        self.assertIn("\nFrom: office@example.com\n", out)
        self.assertIn("\nContent-Type: text/plain; charset=iso-8859-1\n", out)
        self.assertIn("\n> Subject: café\n", out)
        self.assertTrue(out.endswith("> hello\n"))
        self.assertFalse(os.path.exists(self.root.path("answered")))
        self.assertEqual(self.root.messages(), [])

    def test_bad(self):
        self.run_it("-S", "two\nBcc: x@y", code=100)
        self.run_it(SERVICE_RESPONDER="x>\nBcc: <y@z", code=100)
        self.run_it(message=self.root.path("none"), code=111)
        self.run_it(directory=self.root.path("message"), code=111)
        self.run_it(QMAILQUEUE="/bin/false", code=111)
        self.run_it("-Z", code=100)
        p = self.root.run(["autoresponder", "a", "b"])
        self.assertEqual(p.returncode, 100)
        # what was not sent for now is not forgotten, and not sent twice
        self.assertEqual(self.root.messages(), [])


class Whole(unittest.TestCase):
    def test_delivered(self):
        """With the real queue: the mail is stored, the answer arrives, and nothing goes round."""
        site = MailSite()
        self.addCleanup(site.close)
        for name in ("ann", "ann/new", "ann/cur", "ann/tmp"):
            site.mkdir("home/" + name)
        site.dotqmail(".qmail-ann", f"./ann/\n| {site.bin}/autoresponder -l message seen\n")
        site.dotqmail(".qmail", f"| {site.bin}/autoresponder -l .message .seen\n./Maildir/\n")
        for name in (".message", "message"):
            site.dotqmail(name, "away\n")
        site.start()
        site.inject("joe@local.example", sender="joe-ann@local.example", subject="hi")
        site.wait_empty()
        self.assertEqual(len(site.mails("ann")), 1)
        self.assertIn(b"Subject: Re: hi\n", site.mails("ann")[0])
        self.assertEqual(len(site.mails()), 1)


if __name__ == "__main__":
    unittest.main()
