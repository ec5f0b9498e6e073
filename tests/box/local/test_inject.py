"""qmail-inject, and sendmail, which is the same engine behind other options: what becomes of the header, who gets the
message and from whom, with the queue a program that records."""
import os, re, unittest

from smtpd import SmtpRoot

TO = b"To: you@there.example\n"


class Inject(unittest.TestCase):
    def setUp(self):
        self.root = SmtpRoot()
        self.addCleanup(self.root.close)
        for name, text in (("defaulthost", "here.example"), ("defaultdomain", "example.com"), ("plusdomain", "plus.example"), ("idhost", "id.example")):
            self.root.control(name, text + "\n")

    def run_it(self, argv, mail, code=0, **env):
        env = self.root.env(**{"USER": "joe", "QMAILQUEUE": self.root.queue, "QQ_DIR": self.root.path("qq"), **env})
        p = self.root.run(argv, input=mail, env=env)
        self.assertEqual(p.returncode, code, p.stderr)
        self.said = p.stderr.decode()
        return p.stdout

    def queued(self, argv, mail, **env):
        """(header and body, sender, recipients) of the only message that came out of it."""
        self.run_it(argv, mail, **env)
        made = self.root.messages()
        self.assertEqual(len(made), 1)
        for name in os.listdir(self.root.path("qq")):
            os.unlink(self.root.path("qq", name))
        return made[0][:3]

    def test_recipients(self):
        header = b"To: a@x.example,\n b\nCc: Cc <c@x.example>\nBcc: d@x.example\nSubject: s\n\nbody\n"
        of_header = [b"a@x.example", b"b@here.example", b"c@x.example", b"d@x.example"]
        cases = (
            (["qmail-inject"], of_header),
            (["qmail-inject", "-A", "me"], [b"me@here.example"]),
            (["qmail-inject", "-a", "me@host", "you@host+"], [b"me@host.example.com", b"you@host.plus.example"]),
            (["qmail-inject", "-h", "me"], of_header),
            (["qmail-inject", "-H", "me"], [b"me@here.example"] + of_header),
            (["sendmail", "me"], [b"me@here.example"]),
            (["sendmail", "-i", "-oi", "--", "me"], [b"me@here.example"]),
            (["sendmail", "-t"], of_header),
            (["sendmail", "-ti", "me"], [b"me@here.example"] + of_header),
        )
        for argv, want in cases:
            with self.subTest(" ".join(argv)):
                text, sender, to = self.queued(argv, header)
                self.assertEqual((sender, to), (b"joe@here.example", want))
                self.assertNotIn(b"d@x.example", text)
                self.assertIn(b"\nTo: a@x.example,\n b@here.example\nCc: Cc <c@x.example>\nSubject: s\n\nbody\n", text)

    def test_forwarded_again(self):
        mail = b"From: a@x.example\nTo: b@x.example\nDate: then\nMessage-ID: <1@x>\nResent-To: c@x.example\nResent-Bcc: d@x.example\n\n"
        text, _, to = self.queued(["qmail-inject"], mail)
        self.assertEqual(to, [b"c@x.example", b"d@x.example"])
        self.assertRegex(text.decode(), r"^Resent-Date: .*\nResent-Message-ID: <.*@id\.example>\nResent-From: joe@here\.example\nFrom: a@x\.example\n")

    def test_what_is_missing(self):
        text, _, _ = self.queued(["qmail-inject", "you"], b"Subject: s\nContent-Length: 7\n\nbody")
        self.assertRegex(text.decode(), r"^Date: [0-9]+ [A-Z].* -0000\nMessage-ID: <[0-9.]+\.qmail@id\.example>\nFrom: joe@here\.example\n"
                                        r"Cc: recipient list not shown: ;\nSubject: s\n\nbody$")
        own = b"Date: d\nMessage-ID: <m@m>\nFrom: me@x.example\n" + TO
        self.assertEqual(self.queued(["qmail-inject"], own + b"\n")[0], own + b"\n")
        text, _, _ = self.queued(["qmail-inject"], own + b"\n", QMAILINJECT="fi")
        self.assertIn(b"\nFrom: joe@here.example\n", text)
        self.assertNotIn(b"m@m", text)

    def test_name(self):
        for argv, env, want in (
                (["qmail-inject"], {"QMAILNAME": 'Joe "the" \\ User'}, rb'From: "Joe the  User" <joe@here.example>'),
                (["qmail-inject"], {"NAME": "Joe\nBcc: all", "QMAILHOST": "h.example"}, rb'From: "JoeBcc: all" <joe@h.example>'),
                (["qmail-inject"], {"MAILNAME": "Joe (x)\nBcc: all", "QMAILINJECT": "c"}, rb"From: joe@here.example (Joe xBcc: all)"),
                (["sendmail", "-t", "-F", "Cron Daemon"], {"NAME": "no"}, rb'From: "Cron Daemon" <joe@here.example>'),
                (["sendmail", "-t", "-FCron"], {}, rb'From: "Cron" <joe@here.example>')):
            with self.subTest(argv=argv, **env):
                self.assertRegex(self.queued(argv, TO + b"\n", **env)[0], b"\n" + re.escape(want) + b"\n")

    def test_sender(self):
        path = b"Return-Path: <p@x.example>\n" + TO + b"\n"
        for argv, mail, env, want in (
                (["qmail-inject"], path, {}, b"p@x.example"),
                (["qmail-inject"], path, {"QMAILINJECT": "s"}, b"joe@here.example"),
                (["qmail-inject", "-f", "f"], path, {}, b"f@here.example"),
                (["qmail-inject", "-f", ""], path, {}, b""),
                (["qmail-inject"], TO, {"QMAILSUSER": "su", "QMAILSHOST": "sh.example"}, b"su@sh.example"),
                (["sendmail", "-t", "-f", "<>"], path, {}, b""),
                (["sendmail", "-ff@x.example", "-t"], path, {}, b"f@x.example"),
                (["sendmail", "-t", "-r", "r@x.example"], path, {}, b"r@x.example"),
                (["sendmail", "-t"], path, {}, b"p@x.example")):
            with self.subTest(argv=argv, **env):
                text, sender, _ = self.queued(argv, mail, **env)
                self.assertEqual(sender, want)
                self.assertNotIn(b"Return-Path", text)

    def test_refused(self):
        for argv, mail, env, code, why in (
                (["qmail-inject"], b"Subject: s\n\n", {}, 100, "no recipients"),
                (["sendmail"], TO + b"\n", {}, 100, "no recipients"),
                (["qmail-inject"], b"To: a@b, <c\n\n", {}, 100, "To"),
                (["qmail-inject", "-f", "a@b c@d", "you"], b"\n", {}, 100, "sender"),
                (["qmail-inject", "a@b <"], b"\n", {}, 100, "recipient"),
                (["qmail-inject"], TO + b"\n" + b"x" * 100, {"DATABYTES": "100"}, 100, "too big"),
                (["qmail-inject", "a", "b", "c"], b"\n", {"MAXRECIPIENTS": "2"}, 100, "too many"),
                (["sendmail", "-t"], TO + b"\n", {"QMAILQUEUE": "/nowhere/queue"}, 111, ""),
                (["sendmail", "-bd"], b"", {}, 100, "does not exist"),
                (["sendmail", "-Z"], b"", {}, 100, "usage"),
                (["sendmail", "-t"], TO + b"\n", {"QQ_EXIT": "31"}, 100, ""),
                (["sendmail", "-t"], TO + b"\n", {"QQ_EXIT": "53"}, 111, "")):
            with self.subTest(argv=argv, **env):
                self.run_it(argv, mail, code, **env)
                self.assertIn(why, self.said)
                if "QQ_EXIT" not in env:  # that one keeps what it refuses
                    self.assertEqual(self.root.messages(), [])

    def test_printed_only(self):
        out = self.run_it(["qmail-inject", "-n", "you"], b"X: 1\n\nbody\n")
        self.assertTrue(out.endswith(b"\nX: 1\n\nbody\n") and b"\nFrom: joe@here.example\n" in out, out)
        self.assertEqual(self.root.messages(), [])

    def test_sendmail_starts_nothing_of_its_own(self):
        """Not even qmail-inject: what a script sends costs one program, and the queue."""
        if not os.access("/usr/bin/strace", os.X_OK):
            self.skipTest("no strace")
        log = self.root.path("calls")
        env = self.root.env(USER="joe", QMAILQUEUE=self.root.queue, QQ_DIR=self.root.path("qq"))
        self.root.run(["/usr/bin/strace", "-e", "trace=execve,fork,vfork,clone", "-o", log, self.root.bin + "/sendmail", "-t"], input=TO + b"\n", env=env)
        with open(log) as f:
            calls = [line for line in f if line.startswith(("execve", "fork", "vfork", "clone"))]
        self.assertEqual([c.split("(")[0] for c in calls], ["execve", "vfork"], calls)
        self.assertEqual(len(self.root.messages()), 1)


if __name__ == "__main__":
    unittest.main()
