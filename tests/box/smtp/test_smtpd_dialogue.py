"""qmail-smtpd: what it answers, command by command, and what reaches the queue."""
import os, re, signal, unittest
from box import wait_for
from smtpd import SmtpRoot

M, R = "MAIL FROM:<s@example.net>", "RCPT TO:<joe@example.com>"

# name, control files, variables, [(command or bytes, wanted code and start of text)]
DIALOGUES = [
    ("greeting", {}, {}, [("NOOP", "250 2.0.0"), ("QUIT", "221 2.0.0")]),
    ("order", {}, {}, [(M, "503 5.5.1"), ("DATA", "503 5.5.1"), ("EHLO x", "250"), (R, "503 5.5.1"), ("DATA", "503 5.5.1"),
                       (M, "250 2.1.0"), (M, "503 5.5.1"), ("DATA", "503 5.5.1"), (R, "250 2.1.5"), (M, "503 5.5.1"),
                       ("RSET", "250 2.0.0"), (R, "503 5.5.1")]),
    ("reset by greeting", {}, {}, [("HELO x", "250"), (M, "250"), (R, "250"), ("EHLO y", "250"), ("DATA", "503 5.5.1")]),
    ("arguments", {}, {}, [("HELO", "250"), ("RSET x", "501 5.5.4"), ("NOOP x", "250"), ("QUIT x", "501 5.5.4"), (M, "250"),
                           (R, "250"), ("DATA x", "501 5.5.4"), ("VRFY", "501 5.5.4"), ("VRFY joe", "252 2.7.0"),
                           ("EHLO " + "x" * 255, "250"), ("EHLO " + "x" * 256, "501 5.5.4")]),
    ("case and blanks", {}, {}, [("helo x", "250"), ("mail from: <s@x.example>", "250"), ("rCpT  to:<joe@EXAMPLE.com>  ", "250")]),
    ("unknown", {}, {}, [("HELO x", "250"), ("FOO", "500 5.5.1"), ("", "500 5.5.1"), ("EXPN x", "502 5.5.1"), ("HELP mail", "214 2.0.0 begin"), ("HELP FOO", "504 5.5.4"), ("MAILFROM:<>", "500 5.5.1")]),
    ("senders", {}, {}, [("EHLO x", "250"), ("MAIL FROM:", "501 5.1.7"), ("MAIL FROM:s@x", "501 5.1.7"), ("MAIL TO:<s@x>", "501 5.1.7"),
                         ("MAIL FROM:<a b@x>", "501 5.1.7"), ("MAIL FROM:<\xc3\xa9@x>", "553 5.6.7"),
                         ("MAIL FROM:<" + "a" * 900 + "@x>", "501 5.1.7"), ("MAIL FROM:<>", "250 2.1.0"), ("RSET", "250"),
                         ("MAIL FROM:<@r,@r2:s@x.example>", "250"), ("RSET", "250"), ('MAIL FROM:<"a b"@[IPv6:::1]>', "250")]),
    ("parameters", {}, {}, [("EHLO x", "250"), (M + " SIZE=1", "250"), ("RSET", "250"), (M + " SIZE=x", "501 5.5.4"),
                            (M + " SIZE", "501 5.5.4"), (M + " BODY=8bitmime", "250"), ("RSET", "250"), (M + " BODY=BINARYMIME", "501 5.5.4"),
                            (M + " BODY=7BITX", "501 5.5.4"), (M + " AUTH=<>", "250"), ("RSET", "250"), (M + " NONE=1", "555 5.5.4"),
                            (M + " =1", "501 5.5.4"), (M + "X", "501 5.1.7"), (M, "250"), (R + " NOTIFY=NEVER", "555 5.5.4")]),
    ("DSN", {}, {"QMAILQUEUE": ""},
     [("EHLO x", "250"), (M + " RET=FULL ENVID=QQ+2B1", "250"), ("RSET", "250"), (M + " ret=hdrs", "250"), ("RSET", "250"),
      (M + " RET=SOME", "501 5.5.4"), (M + " RET", "501 5.5.4"), (M + " RET=FULL RET=FULL", "501 5.5.4"),
      (M + " ENVID=a+2", "501 5.5.4"), (M + " ENVID=" + "x" * 101, "501 5.5.4"), (M + " NOTIFY=NEVER", "555 5.5.4"),
      (M + " SIZE=1 ENVID=" + "x" * 100 + " BODY=8BITMIME RET=HDRS", "250"),
      (R + " NOTIFY=NEVER", "250"), (R + " NOTIFY=SUCCESS,failure,DELAY ORCPT=rfc822;a+2Bb@c", "250"),
      (R + " NOTIFY=NEVER,SUCCESS", "501 5.5.4"), (R + " NOTIFY=SUCCESS,NEVER", "501 5.5.4"), (R + " NOTIFY=", "501 5.5.4"),
      (R + " NOTIFY", "501 5.5.4"), (R + " NOTIFY=DELAY,DELAY", "501 5.5.4"), (R + " NOTIFY=ALWAYS", "501 5.5.4"),
      (R + " NOTIFY=NEVER NOTIFY=NEVER", "501 5.5.4"), (R + " ORCPT=joe", "501 5.5.4"), (R + " ORCPT=rfc822;a=b", "501 5.5.4"),
      (R + " ORCPT=rfc822;" + "x" * 494, "501 5.5.4"), (R + " RET=FULL", "555 5.5.4"), (R + " ORCPT=rfc822;" + "x" * 493, "250")]),
    ("SMTPUTF8", {}, {"QMAILQUEUE": "", "SMTPUTF8": "1"},
     [("EHLO x", "250"), ("MAIL FROM:<\xc3\xb6@x>", "553 5.6.7"), ("MAIL FROM:<\xc3\xb6@x> SMTPUTF8", "250"), (R, "250"),
      ("RCPT TO:<\xc3\xb6@example.com>", "250"), ("RCPT TO:<\xc0\x80@example.com>", "501 5.1.3"), ("RCPT TO:<\xed\xa0\x80@example.com>", "501 5.1.3"),
      ("RCPT TO:<\xe9@example.com>", "501 5.1.3"), ("RCPT TO:<a@\xef\xbc\xa0.example.com>", "501 5.1.3"), ("RCPT TO:<a@\xc3\xbc.sub.example.com>", "250"),
      ("RCPT TO:<a@\xef\xbd\x93ub.sub.example.com>", "250"), ("RCPT TO:<a@ex\xc3\xa4mple.com>", "553 5.7.1"), ("RSET", "250"),
      (M + " SMTPUTF8=1", "501 5.5.4"), (M + " SMTPUTF8 SMTPUTF8", "501 5.5.4"), (M, "250"), ("RCPT TO:<\xc3\xb6@example.com>", "553 5.6.7"),
      ("VRFY \xc3\xb6", "252")]),
    ("no SMTPUTF8", {}, {"QMAILQUEUE": ""}, [("EHLO x", "250"), (M + " SMTPUTF8", "555 5.5.4")]),
    ("DSN switched off", {}, {"QMAILQUEUE": "", "DISABLE_DSN": "1"}, [("EHLO x", "250"), (M + " RET=FULL", "555 5.5.4"), (M, "250"), (R + " NOTIFY=NEVER", "555 5.5.4")]),
    ("relaying", {}, {}, [("EHLO x", "250"), (M, "250"), ("RCPT TO:<joe@example.org>", "553 5.7.1"), ("RCPT TO:<joe@xexample.com>", "553 5.7.1"),
                          ("RCPT TO:<joe@a.sub.example.com>", "250"), ("RCPT TO:<postmaster>", "250"), ("RCPT TO:<>", "501 5.1.3"),
                          ('RCPT TO:<"joe@example.com"@example.org>', "553 5.7.1"), ("RCPT TO:<@example.com:joe@example.org>", "553 5.7.1")]),
    ("relay client", {}, {"RELAYCLIENT": ""}, [("EHLO x", "250"), (M, "250"), ("RCPT TO:<joe@example.org>", "250")]),
    ("bad lists", {"badmailfrom": "@bad.example\n!ok@bad.example\n", "badrcptto": "joe@*\n"}, {},
     [("EHLO x", "250"), ("MAIL FROM:<s@BAD.example>", "553 5.7.1"), ("MAIL FROM:<ok@bad.example>", "250"), (R, "553 5.7.1"), ("RCPT TO:<jim@example.com>", "250")]),
    ("warn only", {"badmailfrom": "@bad.example\n", "policy": "badmailfrom:warn\n"}, {}, [("EHLO x", "250"), ("MAIL FROM:<s@bad.example>", "250")]),
    ("recipients", {"maxrecipients": "2\n"}, {}, [("EHLO x", "250"), (M, "250"), (R, "250"), (R, "250"), (R, "452 4.5.3"), ("RSET", "250"), (M, "250"), (R, "250")]),
    ("null sender", {}, {}, [("EHLO x", "250"), ("MAIL FROM:<>", "250"), (R, "250"), (R, "250")]),
    ("announced size", {"databytes": "1000\n"}, {}, [("EHLO x", "250"), (M + " SIZE=1001", "552 5.3.4"), (M + " SIZE=1000", "250")]),
    ("TLS first", {}, {"FORCE_TLS": "1"}, [("EHLO x", "250"), (M, "530 5.7.0"), ("STARTTLS", "502 5.5.1")]),
    ("login first", {}, {"REQUIREAUTH": "1"}, [("EHLO x", "250"), (M, "530 5.7.0"), ("AUTH PLAIN", "503 5.3.3")]),
    ("switched off", {}, {"DISABLE_VRFY": "1", "DISABLE_HELP": "1"}, [("EHLO x", "250"), ("VRFY x", "502 5.5.1"), ("HELP", "502 5.5.1")]),
    ("line ends", {}, {}, [("EHLO x", "250"), (b"NOOP\n", "500 5.5.2"), (b"NO\rOP\r\n", "500 5.5.2"), (b"NO\0OP\r\n", "500 5.5.2"), ("NOOP", "250")]),
    ("long line", {"maxcmdlen": "100\n"}, {}, [("NOOP " + "x" * 95, "250"), ("NOOP " + "x" * 96, "500 5.5.2"), ("NOOP", "250")]),
]


class Dialogue(unittest.TestCase):
    resident = False

    def setUp(self):
        self.root = SmtpRoot(self.resident)
        self.addCleanup(self.root.close)

    def message(self, s, data, want=250):
        self.assertEqual(s.cmd("DATA")[0], 354)
        s.send(data)
        code, text = s.reply()
        self.assertEqual(code, want, text)
        return text

    def envelope(self, s):
        s.hello()
        self.assertEqual(s.cmd(M)[0], 250)
        self.assertEqual(s.cmd(R)[0], 250)

    def test_tables(self):
        for name, files, vars, steps in DIALOGUES:
            with self.subTest(name), SmtpRoot(self.resident) as root:
                for f, text in files.items():
                    root.control(f, text)
                with root.smtp(**vars) as s:
                    self.assertEqual(s.reply(), (220, ["mail.example.com ESMTP"]))
                    for command, want in steps:
                        s.send(command if isinstance(command, bytes) else command.encode("latin-1") + b"\r\n")
                        code, text = s.reply()
                        self.assertTrue(f"{code} {text[-1]}".startswith(want), (command, code, text))

    def test_message(self):
        with self.root.smtp() as s:
            s.hello()
            s.cmd("MAIL FROM:<>")
            s.cmd('RCPT TO:<"a b"@example.com>')
            s.cmd("RCPT TO:<postmaster>")
            s.cmd("RCPT TO:<joe@[127.0.0.1]>")
            self.root.control("rcpthosts", "")  # read at start: no effect any more
            text = self.message(s, b"Subject: x\r\n\r\n..dot\r\n\xff8bit\r\n.\r\n")
            self.assertRegex(text[0], r"^2\.0\.0 ok \d{10} qp \d+ id \d{16}\.\d+$")
            self.assertEqual(s.cmd("DATA")[0], 503)
            self.assertEqual(s.cmd("QUIT")[0], 221)
            self.assertTrue(s.ended())
            self.assertTrue(s.exits(0))
        (mess, sender, rcpts, vars), = self.root.messages()
        head, body = mess.split(b"\nSubject", 1)
        self.assertRegex(head, rb"^Received: from client\.example\.net \(HELO tester\.example\) \(192\.0\.2\.7\)\n"
                               rb"  by mail\.example\.com with ESMTP id \d{16}\.\d+; \d+ \w{3} \d{4} \d\d:\d\d:\d\d -0000$")
        self.assertEqual(body, b": x\n\n.dot\n\xff8bit\n")
        self.assertEqual((sender, rcpts), (b"", [b"a b@example.com", b"postmaster@mail.example.com"]))
        self.assertNotIn("AUTHINFO", vars)

    def stop(self, s):
        s.p.send_signal(signal.SIGTERM)

    def refused(self, s):
        code, text = s.reply()
        self.assertEqual((code, text[0][:5]), (421, "4.3.2"))
        self.assertTrue(s.ended())
        self.assertTrue(s.exits(1))

    def test_stopped_idle(self):
        """At whatever command it waits, the session ends at once; nothing is queued."""
        for lines in ((), ("EHLO x",), ("EHLO x", M), ("EHLO x", M, R), ("EHLO x", M, R, "BDAT 3\r\nabc")):
            with SmtpRoot(self.resident) as root, root.smtp() as s:
                self.assertEqual(s.reply()[0], 220)
                for line in lines:
                    if "BDAT" in line:
                        s.send(line.encode())
                        self.assertEqual(s.reply()[0], 250)
                    else:
                        self.assertEqual(s.cmd(line)[0], 250)
                self.stop(s)
                self.refused(s)
                self.assertEqual(root.messages(), [])

    def test_stopped_in_message(self):
        """The message under way still counts."""
        with self.root.smtp() as s:
            self.envelope(s)
            self.assertEqual(s.cmd("DATA")[0], 354)
            s.send(b"one\r\n")
            self.stop(s)
            if self.resident:  # it is still handed connections, and says so to them
                with self.root.smtp() as other:
                    self.refused(other)
            s.send(b"two\r\n.\r\nNOOP\r\n")
            self.assertEqual(s.reply()[0], 250)
            self.refused(s)
        self.assertEqual(len(self.root.messages()), 1)
        if self.resident:
            self.assertEqual(s.p.wait(20), 0)

    def test_own_address(self):
        self.root.control("localiphost", "example.com\n")
        with self.root.smtp() as s:
            s.hello()
            s.cmd(M)
            self.assertEqual(s.cmd("RCPT TO:<joe@[127.0.0.1]>")[0], 250)
            self.assertEqual(s.cmd("RCPT TO:<joe@[127.0.0.2]>")[0], 553)
            self.message(s, b".\r\n")
        self.assertEqual(self.root.messages()[0][2], [b"joe@example.com"])

    def test_relay_suffix(self):
        with self.root.smtp(RELAYCLIENT="@gate.example") as s:
            s.hello()
            s.cmd(M)
            s.cmd("RCPT TO:<joe@example.org>")
            self.message(s, b".\r\n")
        self.assertEqual(self.root.messages()[0][2], [b"joe@example.org@gate.example"])

    def test_two_messages(self):
        """Nothing of the first is left in the second."""
        with self.root.smtp() as s:
            self.envelope(s)
            self.message(s, b"one\r\n.\r\n")
            s.cmd("MAIL FROM:<t@example.net>")
            s.cmd("RCPT TO:<jim@example.com>")
            self.message(s, b"two\r\n.\r\n")
        got = sorted((m.rsplit(b"\n", 2)[1], f, t) for m, f, t, v in self.root.messages())
        self.assertEqual(got, [(b"one", b"s@example.net", [b"joe@example.com"]), (b"two", b"t@example.net", [b"jim@example.com"])])

    def test_queue_codes(self):
        for code, text, want in ((31, "", "554 5.3.0"), (53, "", "451 4.3.0"), (11, "", "554 5.1.3"), (99, "", "451 4."),
                                 (88, "Dno thanks (#5.7.1)", "554 5.7.1 no thanks"), (88, "Zbusy (#4.3.2)", "451 4.3.2 busy"),
                                 (88, "Done\rmore", "554 5.3.0")):
            with self.subTest(code=code, text=text), self.root.smtp(QQ_EXIT=str(code), QQ_TEXT=text) as s:
                self.envelope(s)
                self.assertEqual(s.cmd("DATA")[0], 354)
                s.send(b"x\r\n.\r\n")
                got, lines = s.reply()
                self.assertTrue(f"{got} {lines[0]}".startswith(want), (got, lines))
                self.assertEqual(s.cmd(M)[0], 250)
        with self.root.smtp(QMAILQUEUE="/nonexistent") as s:
            self.envelope(s)
            self.assertEqual(s.cmd("DATA")[0], 451)

    def test_too_large(self):
        self.root.control("databytes", "1000\n")
        with self.root.smtp() as s:
            self.assertIn("SIZE 1000", s.hello())
            s.cmd(M)
            s.cmd(R)
            text = self.message(s, b"x" * 60 + b"\r\n" + b"y" * 1000000 + b"\r\n.\r\n", 552)
            self.assertTrue(text[0].startswith("5.3.4"))
            s.cmd(M)
            s.cmd(R)
            self.message(s, b"z" * 999 + b"\r\n.\r\n")
        self.assertEqual(len(self.root.messages()), 1)

    def test_loop(self):
        self.root.control("maxhops", "3\n")
        for field in (b"Received: x\r\n", b"delivered-to: x\r\n", b"RECEIVED: x\r\n y\r\n"):
            with self.root.smtp() as s:
                self.envelope(s)
                text = self.message(s, field * 3 + b"\r\nhi\r\n.\r\n", 554)
                self.assertTrue(text[0].startswith("5.4.6"))
                s.cmd(M)
                s.cmd(R)
                self.message(s, field * 2 + b"\r\n" + field + b".\r\n")
        self.assertEqual(len(self.root.messages()), 3)

    def test_greeting_lines(self):
        self.root.control("smtpgreeting", "mx.example.org hello\n# no\nno spam please\n")
        with self.root.smtp() as s:
            self.assertEqual(s.reply(), (220, ["mx.example.org hello", "no spam please ESMTP"]))
            self.assertEqual(s.cmd("HELO x"), (250, ["mx.example.org"]))
            self.assertEqual(s.cmd("EHLO x")[1], ["mx.example.org", "PIPELINING", "8BITMIME", "CHUNKING", "SIZE", "ENHANCEDSTATUSCODES", "HELP"])

    def test_shutdown(self):
        with self.root.smtp(SHUTDOWN="") as s:
            self.assertEqual(s.reply()[0], 421)
            self.assertTrue(s.ended())
        with self.root.smtp(SHUTDOWN="554 closed for good") as s:
            self.assertEqual(s.reply(), (554, ["closed for good"]))
            for c in ("EHLO x", M, "FOO"):
                self.assertEqual(s.cmd(c)[0], 503)
            self.assertEqual(s.cmd("QUIT")[0], 221)

    def test_settings(self):
        """A bad setting is named in the log, and nobody is served by guess."""
        self.root.control("databytes", "many\n")
        with self.root.smtp() as s:
            self.assertEqual(s.reply()[0], 421)
            self.assertTrue(s.ended())
            self.assertTrue(s.exits(1))
            self.assertIn("databytes:1", s.logged())
        self.root.control("databytes", "0\n")
        self.root.control("policy", "rcpthosts:off\n")
        with self.root.smtp() as s:
            self.assertEqual(s.reply()[0], 421)
            self.assertTrue(s.exits(1))
            self.assertIn("rcpthosts:off", s.logged())

    def test_log(self):
        with self.root.smtp() as s:
            s.hello()
            s.cmd("MAIL FROM:<s%n@example.net>")
            s.cmd("RCPT TO:<joe@example.org>")
            s.cmd(R)
            self.message(s, b".\r\n")
            s.cmd("BOGUS x")
            s.cmd("AUTH PLAIN AGpvZQBzZWNyZXQ=")
            s.cmd("AGpvZQBzZWNyZXQ=")
            log = s.logged().splitlines()
        pid = s.number
        ids = [re.search(r" id (\d{16}\.%d)( |$)" % pid, line)[1] for line in log]
        self.assertEqual(log[0], f"qmail-smtpd: 192.0.2.7 {pid} reject rcpthosts 553 5.7.1 auth - helo tester.example "
                                 f"sender <s_n@example.net> recipient <joe@example.org> id {ids[0]}")
        self.assertRegex(log[1], f"^qmail-smtpd: 192.0.2.7 {pid} accept qp \\d+ bytes 0 recipients 1 with ESMTP auth - helo tester.example "
                                 f"sender <s_n@example.net> recipient <joe@example.com> id {ids[0]}$")
        self.assertEqual(log[2], f"qmail-smtpd: 192.0.2.7 {pid} refuse 500 5.5.1 id {ids[2]} BOGUS x")
        self.assertNotEqual(ids[0], ids[2])
        self.assertEqual(log[3], f"qmail-smtpd: 192.0.2.7 {pid} refuse 503 5.3.3 id {ids[2]} AUTH PLAIN")
        self.assertEqual(log[4], f"qmail-smtpd: 192.0.2.7 {pid} refuse 500 5.5.1 id {ids[2]} ?")
        self.assertNotIn("AGpv", "".join(log[3:]))

    def test_usage(self):
        for args in (["-x"], ["host"]):
            p = self.root.run(["qmail-smtpd", *args])
            self.assertEqual((p.returncode, p.stdout), (100, b""))
            self.assertRegex(p.stderr, rb"^usage: qmail-smtpd [^\n]*\n$")

    def test_pipes(self):
        """Without a socket, as a filter between two pipes."""
        p = self.root.run(["qmail-smtpd"], input=b"EHLO x\r\nQUIT\r\n")
        self.assertEqual(p.returncode, 0, p.stderr)
        self.assertTrue(p.stdout.startswith(b"220 ") and p.stdout.endswith(b"221 2.0.0 goodbye\r\n"))

    def test_morercpthosts(self):
        with open(self.root.path("in"), "w") as f:
            f.write("+12,0:more.example->\n+14,0:.dots.example->\n\n".replace("+14,0", "+13,0"))
        with open(self.root.path("in")) as f:
            p = self.root.run(["cdbmake", self.root.path("control", "morercpthosts.cdb"), self.root.path("tmp")], stdin=f)
        self.assertEqual(p.returncode, 0, p.stderr)
        with self.root.smtp() as s:
            s.hello()
            s.cmd(M)
            for to, want in (("a@More.example", 250), ("a@x.dots.example", 250), ("a@dots.example", 553), ("a@example", 553)):
                self.assertEqual(s.cmd(f"RCPT TO:<{to}>")[0], want, to)
            with open(self.root.path("control", "morercpthosts.cdb"), "wb") as f:
                f.write(b"damaged")
            self.assertEqual(s.cmd("RCPT TO:<a@more.example>"), (451, ["4.3.0 unable to check that now, please try again later"]))
            self.assertEqual(s.cmd(R)[0], 250)


class ResidentDialogue(Dialogue):
    """All of it once more with a server that stays."""
    resident = True


if __name__ == "__main__":
    unittest.main()
