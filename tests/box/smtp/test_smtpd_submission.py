"""What users who have logged in may ask of a message: priority, delivery time, later release."""
import email, os, re, unittest
from smtpd import SmtpRoot, plain

M, R = "MAIL FROM:<s@example.net>", "RCPT TO:<joe@example.com>"


class Submission(unittest.TestCase):
    resident = False

    def setUp(self):
        self.root = SmtpRoot(self.resident)
        self.addCleanup(self.root.close)
        self.root.certificate()

    def session(self, login=True, **env):
        s = self.root.smtp(["mail.example.com", self.root.checkpassword, "/bin/false", self.root.seen], STARTTLS="1", **{"QMAILQUEUE": "", **env})
        self.addCleanup(s.close)
        s.hello()
        s.starttls()
        s.offered = s.cmd("EHLO x")[1]
        if login:
            self.assertEqual(s.cmd("AUTH PLAIN " + plain("joe", "secret"))[0], 235)
        return s

    def test_offered(self):
        self.root.control("maxrecipients", "7\n")
        offered = self.session().offered
        for keyword in ("MT-PRIORITY", "DELIVERBY", "LIMITS RCPTMAX=7"):
            self.assertIn(keyword, offered)
        self.assertTrue([k for k in offered if re.fullmatch(r"FUTURERELEASE 604800 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", k)], offered)
        offered = " ".join(self.session(FUTURERELEASE="0").offered)
        self.assertNotIn("FUTURERELEASE", offered)
        offered = " ".join(self.session(QMAILQUEUE="/bin/false").offered)
        self.assertNotIn("MT-PRIORITY", offered)
        with self.root.smtp() as s:
            self.assertNotIn("MT-PRIORITY", s.hello())
            self.assertEqual(s.cmd(M + " MT-PRIORITY=1")[0], 555)

    def queued(self, s, message, *how):
        """The header and the body of a message as queued, Received fields apart."""
        before = [m[0] for m in self.root.messages()]
        self.assertEqual([s.cmd(c)[0] for c in (M, R)], [250, 250])
        if how:
            data = message.replace("\n", "\r\n").encode()
            for i in range(0, len(data), how[0]):
                piece = data[i:i + how[0]]
                s.send(b"BDAT %d%s\r\n" % (len(piece), b" LAST" if i + how[0] >= len(data) else b"") + piece)
                self.assertEqual(s.reply()[0], 250)
        else:
            self.assertEqual(s.cmd("DATA")[0], 354)
            self.assertEqual(s.cmd(message.replace("\n", "\r\n") + ".")[0], 250)
        text, = [m[0].decode() for m in self.root.messages() if m[0] not in before]
        while re.match("Received: ", text):
            text = re.sub(r"\AReceived: .*\n([ \t].*\n)*", "", text)
        return text

    def test_completed(self):
        """Whoever logs in may leave Date and Message-ID to us; what is there is left alone."""
        s = self.session(QMAILQUEUE=self.root.queue)
        added = r"Date: \d\d? \w{3} \d{4} \d\d:\d\d:\d\d \+0000\nMessage-ID: <[0-9.]+@mail\.example\.com>\n"
        for how in ((), (1000,), (1,)):
            self.assertRegex(self.queued(s, "From: a\nSubject: b\n\nDate: no\n", *how), rf"\AFrom: a\nSubject: b\n{added}\nDate: no\n\Z")
        whole = "Date: x\nmessage-ID: <1@y>\nFrom: a\n\n" + ("x" * 70 + "\n") * 200
        self.assertEqual(self.queued(s, whole), whole)
        self.assertRegex(self.queued(s, "no header\n"), rf"\A{added}\nno header\n\Z")
        one, two = (re.search("Message-ID: (.*)", self.queued(s, "From: a\n\n"))[1] for _ in "12")
        self.assertNotEqual(one, two)

    def test_not_completed(self):
        """Mail of other servers is theirs, unless this one is there for those who write it."""
        for env, completed in (({}, False), ({"SUBMISSION": "1"}, True), ({"SUBMISSION": "0"}, False)):
            with self.root.smtp(RELAYCLIENT="", **env) as s:
                s.hello()
                self.assertEqual("Message-ID" in self.queued(s, "From: a\n\nb\n"), completed, env)

    def test_only_after_login(self):
        s = self.session(login=False)
        for p in ("MT-PRIORITY=1", "BY=1;R", "HOLDFOR=1", "HOLDUNTIL=2030-01-01T00:00:00Z"):
            self.assertEqual(s.cmd(M + " " + p)[0], 530, p)

    def test_requiretls(self):
        s = self.session(REQUIRETLS="1")
        self.assertIn("REQUIRETLS", s.offered)
        for p, want in (("REQUIRETLS", 250), ("REQUIRETLS=1", 501), ("REQUIRETLS REQUIRETLS", 501)):
            self.assertEqual(s.cmd(M + " " + p)[0], want)
            s.cmd("RSET")
        self.assertEqual(self.session().cmd(M + " REQUIRETLS")[0], 555)
        with self.root.smtp(REQUIRETLS="1", QMAILQUEUE="") as s:
            self.assertNotIn("REQUIRETLS", s.hello())
            self.assertEqual(s.cmd(M + " REQUIRETLS")[0], 555)

    def test_requiretls_is_not_forgotten(self):
        self.root.control("domainqueue", f"example.com:QMAILQUEUE={self.root.queue}\n")
        s = self.session(REQUIRETLS="1")
        for command, want in ((M + " REQUIRETLS", 250), (R, 250), ("DATA", 554)):
            self.assertEqual(s.cmd(command)[0], want)
        self.assertEqual(self.root.messages(), [])

    def test_promises_are_kept_or_refused(self):
        """EHLO knows the connection's queue program; that of the message may be one that forgets what was asked."""
        self.root.control("domainqueue", f"example.com:QMAILQUEUE={self.root.queue}\n")
        s = self.session(SMTPUTF8="1")
        for p, what in (("SMTPUTF8", "SMTPUTF8"), ("HOLDFOR=9", "HOLD"), ("HOLDUNTIL=2020-01-01T00:00:00Z", "HOLD"), ("BY=9;R", "BY"), ("BY=9;N", "BY")):
            for command in ("DATA", "BDAT 4 LAST\r\nab"):
                self.assertEqual([s.cmd(c)[0] for c in (M + " " + p, R)], [250, 250])
                code, text = s.cmd(command)
                self.assertEqual((code, text[0][:6]), (554, "5.3.3 "))
                self.assertIn(what, text[0])
                s.cmd("RSET")
        self.assertEqual(self.root.messages(), [])
        self.assertIn(" notqueued 0 ", s.logged())

    def test_promises_by_rules(self):
        """The same where a rule of the sender names the program."""
        self.root.control("from.envrules", f"s@example.net:QMAILQUEUE={self.root.queue}\n")
        s = self.session()
        self.assertEqual([s.cmd(c)[0] for c in (M + " HOLDFOR=9", R, "DATA")], [250, 250, 554])
        s.cmd("RSET")
        self.assertEqual(self.queued(s, "From: a\n\nb\n")[:8], "From: a\n")

    def test_what_may_be_forgotten(self):
        """Priority and notices: of a success that was asked for the sender hears that it was passed on."""
        self.root.control("from.envrules", f"s@example.net:QMAILQUEUE={self.root.queue}\n")
        for how, told in (("NOTIFY=SUCCESS,DELAY ORCPT=rfc822;old+2B1@example.com", True), ("NOTIFY=NEVER", False), ("NOTIFY=FAILURE", False), ("", False)):
            with self.root.smtp(QMAILQUEUE="") as s:
                s.hello()
                self.assertEqual([s.cmd(c)[0] for c in (M + " RET=HDRS ENVID=QQ+2B3", f"{R} {how}", "RCPT TO:<jim@example.com> NOTIFY=FAILURE", "DATA")], [250, 250, 250, 354])
                self.assertEqual(s.cmd("Subject: x\r\n\r\n.")[0], 250)
            self.assertEqual([m[2] for m in self.root.messages() if m[1]], [[b"joe@example.com", b"jim@example.com"]])
            notices = [m[:3] for m in self.root.messages() if not m[1]]
            for name in os.listdir(self.root.path("qq")):
                os.unlink(self.root.path("qq", name))
            self.assertEqual(len(notices), told)
            for text, sender, to in notices:
                self.assertEqual((sender, to), (b"", [b"s@example.net"]))
                report = email.message_from_bytes(text)
                status = report.get_payload()[1].get_payload()
                self.assertEqual((report.get_content_type(), report.get_param("report-type")), ("multipart/report", "delivery-status"))
                self.assertEqual((status[0]["Reporting-MTA"], status[0]["Original-Envelope-Id"]), ("dns; mail.example.com", "QQ+3"))
                self.assertEqual([dict(part) for part in status[1:]], [{"Original-Recipient": "rfc822; old+1@example.com", "Final-Recipient": "rfc822; joe@example.com",
                                                                        "Action": "relayed", "Status": "2.0.0"}])
                self.assertNotIn("jim@", report.get_payload()[0].get_payload())

    def test_values(self):
        s = self.session(FUTURERELEASE="1000")
        for p, want in (("MT-PRIORITY=-9", 250), ("MT-PRIORITY=9", 250), ("MT-PRIORITY=0", 250), ("MT-PRIORITY=10", 501), ("MT-PRIORITY=", 501),
                        ("MT-PRIORITY", 501), ("MT-PRIORITY=1 MT-PRIORITY=1", 501), ("BY=120;R", 250), ("BY=120;rt", 250), ("BY=+5;N", 250), ("BY=0;NT", 250), ("BY=0;RT", 501), ("BY=5;T", 501), ("BY=5;TR", 501),
                        ("BY=-5;N", 250), ("BY=0;N", 250), ("BY=0;R", 501), ("BY=-5;R", 501), ("BY=5", 501), ("BY=;R", 501), ("BY=1;RTX", 501),
                        ("BY=9999999999;N", 501), ("BY=1;N BY=1;N", 501), ("HOLDFOR=1000", 250), ("HOLDFOR=1001", 501), ("HOLDFOR=x", 501),
                        ("HOLDFOR=1 HOLDUNTIL=2020-01-01T00:00:00Z", 501), ("HOLDUNTIL=2020-01-01T00:00:00+01:00", 250),
                        ("HOLDUNTIL=2999-01-01T00:00:00Z", 501), ("HOLDUNTIL=2026-02-30T00:00:00Z", 501),
                        ("HOLDFOR=5 BY=100;R MT-PRIORITY=3 RET=HDRS", 250)):
            self.assertEqual(s.cmd(M + " " + p)[0], want, p)
            self.assertEqual(s.cmd("RSET")[0], 250)


class ResidentSubmission(Submission):
    resident = True


if __name__ == "__main__":
    unittest.main()
