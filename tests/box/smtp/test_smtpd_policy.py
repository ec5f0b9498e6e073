"""qmail-smtpd's checks over real sockets: what is refused, what is thrown away, what is left of one
recipient or message for the next."""
import glob, os, time, unittest
from box import wait_for
from dnsd import Dnsd
from smtpd import SmtpRoot

M, R = "MAIL FROM:<s@example.net>", "RCPT TO:<joe@example.com>"

# name, control files, variables, [(command, wanted code and start of text)]
DIALOGUES = [
    ("patterns", {"badmailfrom": "@bad.example\n", "badmailpatterns": "!ok*\n*spam*@*\n"}, {},
     [("EHLO x", "250"), ("MAIL FROM:<a@bad.example>", "553 5.7.1"), ("MAIL FROM:<okay@bad.example>", "250"), ("RSET", "250"),
      ("MAIL FROM:<myspam@example.net>", "553 5.7.1"), ("MAIL FROM:<>", "250")]),
    ("expressions", {"badrcptto": "^(a+)+@\n", "qregex": "1\n"}, {},
     [("EHLO x", "250"), (M, "250"), (R, "250"), ("RCPT TO:<aaa@example.com>", "553 5.7.1"), (R, "250")]),
    ("good recipient", {"badrcptto": "@example.com\n", "goodrcptto": "joe@example.com\n"}, {},
     [("EHLO x", "250"), (M, "250"), (R, "250"), ("RCPT TO:<jim@example.com>", "553 5.7.1"), (R, "250"), ("RCPT TO:<joe@example.org>", "553 5.7.1")]),
    ("relaymailfrom", {"relaymailfrom": "boss@example.net\n"}, {},
     [("EHLO x", "250"), ("MAIL FROM:<boss@example.net>", "250"), ("RCPT TO:<a@example.org>", "250"), ("RSET", "250"),
      (M, "250"), ("RCPT TO:<a@example.org>", "553 5.7.1"), ("RSET", "250"), ("MAIL FROM:<boss@example.net>", "250"), ("EHLO x", "250"),
      (M, "250"), ("RCPT TO:<a@example.org>", "553 5.7.1")]),
    ("authdomains", {"authdomains": "example.net\n"}, {},
     [("EHLO x", "250"), ("MAIL FROM:<a@example.org>", "250"), ("RSET", "250"), (M, "530 5.7.0"), ("MAIL FROM:<a@example.org>", "250")]),
    ("helo", {"badhelo": ".dyn.example\n"}, {"BADHELOCHECK": "1", "ENFORCE_FQDN_HELO": "1"},
     [("EHLO x", "550 5.7.1"), (M, "503"), ("HELO mail.example.com", "550 5.7.1"), ("EHLO a.dyn.example", "553 5.7.1"), (M, "503"),
      ("EHLO a.example", "250"), (M, "250"), ("EHLO x", "550"), (M, "503")]),
    ("bouncemail", {}, {"BOUNCEMAIL": "you are not welcome"}, [("EHLO x", "250"), (M, "553 5.7.1 you are not welcome")]),
    ("accesslist", {"accesslist": "rcpt:boss@example.net:all@example.com\n"}, {},
     [("EHLO x", "250"), (M, "250"), ("RCPT TO:<all@example.com>", "553 5.7.1"), (R, "250"), ("RSET", "250"), ("MAIL FROM:<boss@example.net>", "250"),
      ("RCPT TO:<all@example.com>", "250")]),
    ("hostaccess", {"hostaccess": "example.net:192.0.2.0/24\nexample.org:192.0.3.*\n"}, {},
     [("EHLO x", "250"), (M, "250"), ("RSET", "250"), ("MAIL FROM:<s@example.org>", "553 5.7.1"), ("MAIL FROM:<>", "250")]),
    ("closed group", {}, {"CUGMAIL": "1", "RELAYCLIENT": ""},
     [("EHLO x", "250"), (M, "553 5.7.1"), ("MAIL FROM:<joe@example.com>", "250"), ("RCPT TO:<a@example.org>", "553 5.7.1"), (R, "250")]),
    ("broken database", {"badrcptto.cdb": "this is none\n" + "x" * 3000}, {},
     [("EHLO x", "250"), (M, "250"), (R, "451 4.3.0"), (R, "451 4.3.0"), ("NOOP", "250")]),
    ("warn only", {"badrcptto": "joe@example.com\n", "blackholedsender": "@example.net\n", "policy": "badrcptto:warn\nblackholedsender:off\n"}, {},
     [("EHLO x", "250"), (M, "250"), (R, "250")]),
]


class Policy(unittest.TestCase):
    resident = False

    def setUp(self):
        self.root = SmtpRoot(self.resident)
        self.addCleanup(self.root.close)

    def expect(self, s, steps):
        for command, want in steps:
            code, text = s.cmd(command)
            self.assertTrue(f"{code} {text[-1]}".startswith(want), (command, code, text))

    def message(self, s, data=b"x\r\n.\r\n"):
        self.assertEqual(s.cmd("DATA")[0], 354)
        s.send(data)
        code, text = s.reply()
        self.assertEqual(code, 250, text)

    def test_tables(self):
        for name, files, vars, steps in DIALOGUES:
            with self.subTest(name), SmtpRoot(self.resident) as root:
                for f, text in files.items():
                    root.control(f, text)
                with root.smtp(**vars) as s:
                    self.assertEqual(s.reply()[0], 220)
                    self.expect(s, steps)
                    self.expect(s, [("NOOP", "250 2.0.0")])  # nothing was replied twice

    def test_dropped_recipients(self):
        """A recipient that is thrown away is one recipient: others get the message, and the next one too."""
        self.root.control("blackholedrcpt", "hole@example.com\n")
        with self.root.smtp() as s:
            s.hello()
            self.expect(s, [(M, "250"), ("RCPT TO:<Hole@example.com>", "250 2.1.5"), (R, "250 2.1.5"), ("RCPT TO:<hole@example.com>", "250"),
                            ("RCPT TO:<jim@example.com>", "250")])
            self.message(s, b"one\r\n.\r\n")
            self.expect(s, [(M, "250"), ("RCPT TO:<hole@example.com>", "250")])
            self.message(s, b"two\r\n.\r\n")
            self.expect(s, [(M, "250"), (R, "250")])
            self.message(s, b"three\r\n.\r\n")
            log = s.logged()
        got = sorted((m.rsplit(b"\n", 2)[1], t) for m, f, t, v in self.root.messages())
        self.assertEqual(got, [(b"one", [b"joe@example.com", b"jim@example.com"]), (b"three", [b"joe@example.com"])])
        self.assertEqual(log.count(" discard blackholedrcpt 250 2.0.0 auth - helo tester.example sender <s@example.net> recipient <"), 3)
        self.assertIn("accept qp 0 bytes 4 recipients 1 ", log)

    def test_dropped_sender(self):
        self.root.control("blackholedsender", "@example.net\n")
        with self.root.smtp() as s:
            s.hello()
            self.expect(s, [(M, "250"), (R, "250"), ("RCPT TO:<a@example.org>", "553")])
            self.message(s)
            self.expect(s, [("MAIL FROM:<s@example.org>", "250"), (R, "250")])
            self.message(s)
            log = s.logged()
        self.assertEqual([f for m, f, t, v in self.root.messages()], [b"s@example.org"])
        self.assertIn(" discard blackholedsender 250 2.0.0 ", log)

    def test_dropped_by_patterns(self):
        """blackholedpatterns and blackholedrcptpatterns, an exception last, beside the lists without wildcards."""
        self.root.control("blackholedpatterns", "*@*.example.net\n*spam*\n!boss@*\n")
        self.root.control("blackholedsender", "hole@example.net\n")
        self.root.control("blackholedrcptpatterns", "*@*.sub.example.com\nj?m@example.com\n!joe@*\n")
        self.root.control("blackholedrcpt", "jack@example.com\n")
        with self.root.smtp() as s:
            s.hello()
            for sender, kept in (("boss@x.example.net", True), ("a@x.example.net", False), ("myspam@example.org", False), ("hole@example.net", False),
                                 ("a@example.net", True)):
                with self.subTest(sender):
                    before = len(self.root.messages())
                    self.expect(s, [(f"MAIL FROM:<{sender}>", "250"), (R, "250")])
                    self.message(s)
                    self.assertEqual(len(self.root.messages()) - before, kept)
            self.assertEqual(s.logged().count(" discard blackholedsender 250 "), 3)
            self.expect(s, [(M, "250")] + [(f"RCPT TO:<{to}>", "250") for to in ("jim@example.com", "joe@x.sub.example.com", "a@x.sub.example.com",
                                                                                  "jam@example.com", "jack@example.com", "jimmy@example.com")])
            before = [m[2] for m in self.root.messages()]
            self.message(s)
            got = [m[2] for m in self.root.messages()]
            for to in before:
                got.remove(to)
            self.assertEqual(got, [[b"joe@x.sub.example.com", b"jimmy@example.com"]])
            self.assertEqual(s.logged().count(" discard blackholedrcpt 250 "), 4)

    def test_spamignore(self):
        self.root.control("spamignore", "@example.net\n")
        with self.root.smtp(SPAMFILTER="some filter") as s:
            s.hello()
            for sender in ("s@example.net", "s@example.org", "t@example.net"):
                self.expect(s, [(f"MAIL FROM:<{sender}>", "250"), (R, "250")])
                self.message(s)
        got = {f.decode(): v.get("SPAMFILTER") for m, f, t, v in self.root.messages()}
        self.assertEqual(got, {"s@example.net": None, "s@example.org": "some filter", "t@example.net": None})

    def test_warn_only_opens_nothing(self):
        """Checks that let relay, spare a filter, or make wait do not when they are only to warn."""
        cases = [("relaymailfrom", {"relaymailfrom": "s@example.net\n"}, {}, "RCPT TO:<a@example.org>", "553 5.7.1"),
                 ("goodrcptto", {"goodrcptto": "joe@example.com\n", "badrcptto": "joe@example.com\n"}, {}, R, "553 5.7.1"),
                 ("spamignore", {"spamignore": "s@example.net\n"}, {"SPAMFILTER": "seen"}, R, "250"),
                 ("blackholedrcpt", {"blackholedrcpt": "joe@example.com\n"}, {}, R, "250"),
                 ("tarpit", {"tarpitcount": "1\n", "tarpitdelay": "30\n"}, {}, R, "250")]
        for name, files, env, rcpt, want in cases:
            with self.subTest(name):
                for f, text in {**files, "policy": name + ":warn\n"}.items():
                    self.root.control(f, text)
                with self.root.smtp(**env) as s:
                    s.hello()
                    start = time.monotonic()
                    self.expect(s, [(M, "250"), (rcpt, want)])
                    self.assertLess(time.monotonic() - start, 20)
                    self.assertRegex(s.logged(), f" warn {name} 250 2.0.0 ")
                    if want == "250":
                        self.message(s)
                        self.assertEqual([m[3].get("SPAMFILTER") for m in self.root.messages()], [env.get("SPAMFILTER")])
                for path in [self.root.path("control", f) for f in [*files, "policy"]] + glob.glob(self.root.path("qq", "*")):
                    os.unlink(path)

    def test_warnmail(self):
        variables = dict(WARNMAIL="listed somewhere", WARNMAIL3="and elsewhere\nX-Injected: yes", WARNMAIL4="")
        self.root.process_env = variables  # no rule of tcpserver has a newline
        with self.root.smtp(**variables) as s:
            s.hello()
            self.expect(s, [(M, "250"), (R, "250")])
            self.message(s, b"Subject: x\r\n\r\n.\r\n")
        (mess, f, t, v), = self.root.messages()
        self.assertRegex(mess, rb"(?s)^Received: .*\nX-Spam-Warning: listed somewhere\nX-Spam-Warning: and elsewhere\nSubject: x\n\n$")

    def test_envrules(self):
        """Settings by sender: of that message alone, for us and for the queue program."""
        self.root.control("from.envrules", "@example.net:MAXRECIPIENTS=1,FILTERARGS=a\\,b,RELAYCLIENT=,TCPREMOTEIP=192.0.2.99,GONE=\n"
                                           "t@example.net:BADRCPTTO=other\n<>:FILTERARGS=null\nbad@*:DATABYTES=many\n")
        self.root.control("other", "jim@example.com\n")
        with self.root.smtp(GONE="here", FILTERARGS="of the connection") as s:
            s.hello()
            self.expect(s, [(M, "250"), (R, "250"), (R, "452"), ("RSET", "250"), ("MAIL FROM:<a@example.org>", "250"), (R, "250"), (R, "250"),
                            ("RCPT TO:<a@example.org>", "553")])
            self.message(s)
            self.expect(s, [(M, "250"), ("RCPT TO:<a@example.org>", "553"), ("RCPT TO:<jim@example.com>", "250")])
            self.message(s)
            self.expect(s, [("MAIL FROM:<t@example.net>", "250"), ("RCPT TO:<jim@example.com>", "553"), (R, "250"), ("EHLO y", "250"),
                            ("MAIL FROM:<bad@example.org>", "451 4.3.5"), (R, "503"), ("MAIL FROM:<>", "250"), (R, "250"), (R, "250")])
            self.message(s)
            log = s.logged()
        got = {f.decode(): [v.get(k) for k in ("FILTERARGS", "GONE", "RELAYCLIENT", "TCPREMOTEIP")] for m, f, t, v in self.root.messages()}
        self.assertEqual(got, {"a@example.org": ["of the connection", "here", None, "192.0.2.7"], "s@example.net": ["a,b", None, None, "192.0.2.7"],
                               "": ["null", "here", None, "192.0.2.7"]})
        self.assertIn(" envrules from.envrules lines 2 for t@example.net\n", log)
        self.assertRegex(log, " lookup envrules failed: DATABYTES: ")

    def test_authrules(self):
        self.root.control("auth.envrules", "<>:MAXRECIPIENTS=1\n")
        for vars, want in (({}, "250"), ({"RELAYCLIENT": ""}, "452")):
            with self.root.smtp(**vars) as s:
                s.hello()
                self.expect(s, [(M, "250"), (R, "250"), (R, want)])
        with self.root.smtp(RELAYCLIENT="", AUTHRULES="") as s:
            s.hello()
            self.expect(s, [(M, "250"), (R, "250"), (R, "250")])

    def test_deep_expressions(self):
        """Expressions as nested and as long as they may be do not need more stack than a session has."""
        self.root.control("qregex", "1\n")
        self.root.control("badmailfrom", "(" * 31 + "a+" + ")+" * 31 + "@bad\n" + "x(" * 31 + "y" + ")" * 31 + "z" * 3900 + "\n")
        with self.root.smtp() as s:
            s.hello()
            self.expect(s, [("MAIL FROM:<" + "a" * 800 + "@good.example>", "451"), ("MAIL FROM:<a@bad.example>", "553"), (M, "250")])
        self.root.control("badmailfrom", "(" * 200 + "a" + ")" * 200 + "\n")
        with self.root.smtp() as s:
            self.assertEqual(s.reply()[0], 421)

    def refused(self, s, data):
        self.expect(s, [(M, "250"), (R, "250"), ("DATA", "354")])
        s.send(data)
        code, text = s.reply()
        return f"{code} {text[-1]}"

    def test_content(self):
        """Lines and attachments that are not accepted; nothing of one message is left for the next."""
        self.root.control("bodycheck", "^Subject\\: win:no lotteries:-header\nsecret word::-bodyblackhole\n^(a+)+$\n")
        self.root.control("badext", ".exe\n!good.exe\n")
        self.root.control("badextpatterns", "*.v?s\n")
        with self.root.smtp() as s:
            s.hello()
            self.assertEqual(self.refused(s, b"Subject: WIN a car\r\n\r\n.\r\n"), "552 5.7.1 no lotteries")
            self.assertTrue(self.refused(s, b"Subject: a\r\n\r\nSubject: win\r\n.\r\n").startswith("250 2.0.0 ok "))
            self.assertTrue(self.refused(s, b"Subject: b\r\n\r\nthe secret word\r\n.\r\n").startswith("250 2.0.0 ok "))
            for name, want in (("a.exe", "552 5.7.1 attachments of this kind are not accepted here: a.exe"), ("x.VBS", "552"), ("good.exe", "250"),
                               ("a.exe.txt", "250")):
                self.assertTrue(self.refused(s, b"Subject: c\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\nContent-Type: x/y;\r\n"
                                                b" name=%s\r\n\r\nx\r\n--B--\r\n.\r\n" % name.encode()).startswith(want), name)
            self.assertTrue(self.refused(s, b"Subject: d\r\n\r\n" + b"a" * 60 + b"!\r\n.\r\n").startswith("250 "))  # nobody can say: it passes
            log = s.logged()
        self.assertIn(" lookup bodycheck failed: ", log)
        self.assertIn(" discard bodycheck 250 2.0.0 ", log)
        got = sorted(m.split(b"Subject: ", 1)[1][:1] for m, f, t, v in self.root.messages())
        self.assertEqual(got, [b"a", b"c", b"c", b"d"])
        with self.root.smtp(BODYCHECK="", BADEXT="") as s:
            s.hello()
            self.assertTrue(self.refused(s, b"Subject: win\r\n\r\nbegin 644 a.exe\r\n.\r\n").startswith("250 "))
        self.root.control("bodycheck", "fine\n(\n")
        with self.root.smtp() as s:
            self.assertEqual(s.reply()[0], 421)

    def test_names_of_attachments_that_cannot_be_read(self):
        self.root.control("badext", ".exe\n")
        header = b"Content-Type: multipart/mixed; boundary=%s\r\n\r\n--%s\r\nContent-Disposition: attachment;%sfilename=%s\r\n\r\nx\r\n.\r\n"
        with self.root.smtp() as s:
            s.hello()
            for boundary, blanks, name, want in ((b"B", b" ", b"a.exe", "552 5.7.1 attachments of this kind"), (b"B", b" ", b"a.txt", "250"),
                                                 (b"B" * 300, b" ", b"a.exe", "552 5.7.1 attachments whose names cannot be read"),
                                                 (b"B", b" " * 9000, b"a.exe", "552 5.7.1 attachments whose names cannot be read"),
                                                 (b"B", b"\r\n   " * 9000, b"a.exe", "552 5.7.1 attachments whose names cannot be read"),
                                                 (b"B" * 300 + b"\r\nX-Other: " + b"x" * 9000, b" ", b"a.exe", "552 5.7.1 attachments whose"),
                                                 (b"B\r\nX-Other: " + b"x" * 9000, b" ", b"a.txt", "250")):
                with self.subTest((boundary[:2], len(blanks))):
                    self.assertTrue(self.refused(s, header % (boundary, boundary.split(b"\r")[0], blanks, name)).startswith(want))

    def test_tarpit(self):
        """The third waits, and is told once; who may relay does not wait."""
        self.root.control("tarpitcount", "3\n")
        self.root.control("tarpitdelay", "1\n")
        for vars, waits in (({}, 2), ({"RELAYCLIENT": ""}, 0)):
            with self.root.smtp(**vars) as s:
                s.hello()
                self.expect(s, [(M, "250"), (R, "250"), (R, "250")])
                start = time.monotonic()
                self.expect(s, [(R, "250"), ("RCPT TO:<a@nowhere.example>", "250" if vars else "553"), ("NOOP", "250")])
                self.assertEqual(int(time.monotonic() - start + 0.1), waits)

    def test_tarpit_of_refused_recipients(self):
        self.root.control("tarpitcount", "3\n")
        self.root.control("tarpitdelay", "1\n")
        with self.root.smtp() as s:
            s.hello()
            start = time.monotonic()
            self.expect(s, [(M, "250")] + [("RCPT TO:<a@nowhere.example>", "553")] * 4)
            self.assertGreaterEqual(time.monotonic() - start, 2)

    def test_refused_recipients(self):
        """So many, of all messages of a connection; those who may relay are not counted."""
        bad = "RCPT TO:<a@nowhere.example>"
        for vars in ({"MAX_RCPT_ERRCOUNT": "3"}, {}):
            self.root.control("max_rcpt_errcount", "3\n")
            with self.root.smtp(**vars) as s:
                s.hello()
                self.expect(s, [(M, "250"), (R, "250"), (bad, "553"), (bad, "553"), (R, "250"), ("RSET", "250"), (M, "250"), (bad, "553"),
                                (R, "421 4.7.1 too many recipients were refused")])
                self.assertTrue(s.ended())
                self.assertIn(" reject rcpt_errors 421 4.7.1 ", s.logged())
        self.root.control("badrcptto", "bad@example.com\n")
        for vars in ({"RELAYCLIENT": ""}, {"MAX_RCPT_ERRCOUNT": "0"}):
            with self.root.smtp(**vars) as s:
                s.hello()
                self.expect(s, [(M, "250")] + [("RCPT TO:<bad@example.com>", "553")] * 5 + [(R, "250")])

    def test_greetdelay(self):
        with self.root.smtp(GREETDELAY="-60") as s:
            s.send(b"EHLO early.example\r\n")
            self.assertEqual(s.reply()[0], 554)
            self.assertEqual(s.reply()[0], 503)  # the EHLO
            self.assertIn(" reject greetdelay 554 ", s.logged())
        start = time.monotonic()
        for delay in ("-1", "1"):
            with self.root.smtp(GREETDELAY=delay) as s:
                self.assertEqual(s.reply()[0], 220)
        self.assertGreaterEqual(time.monotonic() - start, 2)
        with self.root.smtp(GREETDELAY="-60", RELAYCLIENT="") as s:
            s.send(b"EHLO early.example\r\n")
            self.assertEqual(s.reply()[0], 220)
        with self.root.smtp(GREETDELAY="soon") as s:
            self.assertEqual(s.reply()[0], 421)
            wait_for(lambda: "GREETDELAY: a number of seconds is wanted" in s.logged(), what="the error in the log")

    def test_dns(self):
        """Domains of senders, names in HELO, lists of addresses; what cannot be told is never a no."""
        zones = {"mx.example": {"MX": [(10, "h.mx.example")]}, "a.example": {"A": ["192.0.2.1"]}, "six.example": {"AAAA": ["2001:db8::1"]},
                 "null.example": {"MX": [(0, ".")]}, "txt.example": {"TXT": ["x"]}, "sick.example": "SERVFAIL", "deep.mx.example": {"TXT": ["x"]},
                 "7.2.0.192.bad.bl.example": {"A": ["127.0.0.2"]}, "7.2.0.192.odd.bl.example": {"A": ["192.0.2.9"]},
                 "7.2.0.192.no.bl.example": {"A": ["127.255.255.254"]}, "7.2.0.192.sick.bl.example": "SERVFAIL",
                 "client.example.net": {}, "8.b.d.0.1.0.0.2.bad.bl.example": {}}
        zones["1." + "0." * 23 + "8.b.d.0.1.0.0.2.bad.bl.example"] = {"A": ["127.0.0.3"]}
        self.root.control("nodnscheck", "special@gone.example\n")
        self.root.control("dnscheck", "1\n")
        with Dnsd(zones) as d:
            self.root.process_env["DNSCACHEIP"] = d.address
            with self.root.smtp(DNSCACHEIP=d.address, BADHELOCHECK="1") as s:
                self.assertEqual(s.reply()[0], 220)
                self.expect(s, [("EHLO gone.example", "553 5.1.8"), ("EHLO mx.example", "553 5.1.8"), ("EHLO sick.example", "451 4.4.3"),
                                ("EHLO [192.0.2.7]", "250"), ("EHLO client.example.net", "250"), ("EHLO six.example", "250"), ("EHLO a.example", "250")])
                for sender, want in (("s@mx.example", "250"), ("s@a.example", "250"), ("s@six.example", "250"), ("s@gone.example", "553 5.1.8"),
                                     ("special@gone.example", "250"), ("s@txt.example", "553 5.1.8"), ("s@null.example", "550 5.7.27"),
                                     ("s@sick.example", "451 4.4.3"), ("", "250"), ("s@example.com", "250"), ("s@[192.0.2.9]", "250"),
                                     ("postmaster", "250")):
                    self.expect(s, [(f"MAIL FROM:<{sender}>", want), ("RSET", "250")])
                self.assertIn(" lookup dnscheck failed: sick.example: temporary DNS failure", s.logged())
            with self.root.smtp(DNSCACHEIP=d.address, NODNSCHECK="1") as s:
                s.hello()
                self.expect(s, [("MAIL FROM:<s@gone.example>", "250")])
            self.root.control("dnscheck", "0\n")
            for zone, want in (("bad.bl.example", "554 5.7.1 your address is listed in bad.bl.example"), ("odd.bl.example", "250"), ("no.bl.example", "250"),
                               ("sick.bl.example\nbad.bl.example:go away", "554 5.7.1 go away"), ("sick.bl.example", "250"), ("other.bl.example", "250")):
                self.root.control("dnsbllist", zone + "\n")
                with self.root.smtp(DNSCACHEIP=d.address) as s:
                    s.hello()
                    self.expect(s, [(M, want)])
            self.root.control("dnsbllist", "bad.bl.example\n")
            for vars, want in (({"TCPREMOTEIP": "2001:db8::1"}, "554"), ({"TCPREMOTEIP": "2001:db8::2"}, "250"), ({"RELAYCLIENT": ""}, "250"),
                               ({"SKIPDNSBL": "1"}, "250"), ({"TCPREMOTEIP": "127.0.0.1"}, "250")):
                with self.root.smtp(DNSCACHEIP=d.address, **vars) as s:
                    s.hello()
                    self.expect(s, [(M, want)])
            asked = len(d.questions)
            self.root.control("dnsbllist", "")
            with self.root.smtp(DNSCACHEIP=d.address) as s:
                s.hello()
                self.expect(s, [(M, "250")])
            self.assertEqual(len(d.questions), asked)

    def test_changed_list(self):
        """A list that is exchanged counts for the next connection, and one that has begun keeps its own."""
        self.root.control("badmailfrom", "@example.net\n")
        with self.root.smtp() as s, self.root.smtp() as other:
            s.hello()
            self.expect(s, [(M, "553")])
            self.root.control("badmailfrom.new", "@example.org\n")
            os.rename(self.root.path("control", "badmailfrom.new"), self.root.path("control", "badmailfrom"))
            with self.root.smtp() as after:
                after.hello()
                self.expect(after, [(M, "250"), ("RSET", "250"), ("MAIL FROM:<s@example.org>", "553")])
            self.expect(s, [(M, "553"), ("MAIL FROM:<s@example.org>", "250")])

    def test_many_recipients(self):
        """Ten thousand, half of them thrown away, in bounded memory."""
        self.root.control("blackholedrcpt", "hole*@example.com\n")
        with self.root.smtp() as s:
            s.hello()
            self.expect(s, [(M, "250")])
            codes = []
            for i in range(100):
                s.send(b"".join(b"RCPT TO:<%s%d@example.com>\r\n" % (b"hole" if i % 2 else b"joe", i * 100 + j) for j in range(100)))
                codes += [s.reply()[0] for _ in range(100)]
            self.assertEqual(set(codes), {250})
            self.message(s)
        self.assertEqual(len(self.root.messages()[0][2]), 5000)


class ResidentPolicy(Policy):
    """All of it once more with a server that stays."""
    resident = True

    def test_slow_dns(self):
        """While one session waits for an answer others go on."""
        self.root.control("dnscheck", "1\n")
        with Dnsd({"mute.example": "DROP"}) as d:
            self.root.process_env["DNSCACHEIP"] = d.address
            with self.root.smtp() as s, self.root.smtp() as other:
                s.hello()
                other.hello()
                s.send(b"MAIL FROM:<s@mute.example>\r\n")
                wait_for(lambda: d.questions, what="the question")
                for _ in range(3):
                    self.expect(other, [("MAIL FROM:<s@gone.example>", "553 5.1.8")])
                self.assertEqual(s.buf, b"")
                self.assertEqual(s.reply()[0], 451)


if __name__ == "__main__":
    unittest.main()
