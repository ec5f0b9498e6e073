"""SPF by a program: what it is asked, what its answers do at each behaviour, and what trouble with it does."""
import unittest
from smtpd import SmtpRoot

# Says what the sender's local part says.
PROGRAM = """#!/usr/bin/env python3
import os, sys, time
q = os.read(3, 65536)
open(sys.argv[1], "ab").write(q + b"\\n")
word = q.split(b"\\0")[1].split(b"@")[0].decode()
if word == "exit": sys.exit(5)
if word == "temp": sys.exit(111)
if word == "dead": os.kill(os.getpid(), 9)
print({"odd": "purple", "mute": "", "told": "fail see https://example.net/why\\x07", "long": "pass " + "x" * 100000, "postmaster": "fail"}.get(word, word))
"""
RESULTS = {"pass": 9, "fail": 3, "softfail": 4, "neutral": 5, "none": 6, "permerror": 6, "temperror": 2, "odd": 2, "mute": 2, "exit": 2, "temp": 2,
           "dead": 2, "long": 9}
FAILS = {"temperror", "odd", "mute", "exit", "temp", "dead"}


class Spf(unittest.TestCase):
    resident = False

    def setUp(self):
        self.root = SmtpRoot(self.resident)
        self.addCleanup(self.root.close)
        self.program = self.root.script("spf", PROGRAM) + " " + self.root.path("asked")

    def asked(self):
        try:
            return open(self.root.path("asked"), "rb").read()
        except FileNotFoundError:
            return b""

    def mail(self, *senders, **vars):
        with self.root.smtp(**vars) as s:
            s.hello()
            out = []
            for sender in senders:
                out.append(s.cmd(f"MAIL FROM:<{sender}>"))
                s.cmd("RSET")
            self.log = s.logged()
            return out

    def test_behaviours(self):
        for behaviour in range(7):
            with self.subTest(behaviour=behaviour):
                got = self.mail(*(r + "@example.net" for r in RESULTS), SPFBEHAVIOUR=str(behaviour), SPFPROGRAM=self.program)
                want = [250 if behaviour < at else 451 if r in FAILS else 550 for r, at in RESULTS.items()]
                self.assertEqual([code for code, text in got], want)

    def test_question_and_text(self):
        self.root.control("spfprogram", self.program + "\n")
        self.root.control("spfbehavior", "3\n")
        (code, text), (bounce, _) = self.mail("told@example.net", "")
        self.assertEqual((code, text, bounce), (550, ["5.7.23 see https://example.net/why?"], 550))
        self.assertEqual(self.asked(), b"192.0.2.7\0told@example.net\0tester.example\0mail.example.com\0\n"
                                       b"192.0.2.7\0postmaster@tester.example\0tester.example\0mail.example.com\0\n")
        self.assertIn("reject spf 550 5.7.23", self.log)

    def test_not_asked(self):
        """Without a program, for those who may relay, and where nothing would come of it."""
        for vars in ({"SPFBEHAVIOR": "6"}, {"SPFBEHAVIOR": "6", "SPFPROGRAM": self.program, "RELAYCLIENT": ""}, {"SPFBEHAVIOR": "1", "SPFPROGRAM": self.program}):
            self.assertEqual(self.mail("fail@example.net", **vars)[0][0], 250, vars)
        self.assertEqual(self.asked(), b"")

    def test_no_such_program(self):
        self.assertEqual(self.mail("pass@example.net", SPFBEHAVIOR="3", SPFPROGRAM="/nonexistent/spf")[0][0], 451)
        self.assertIn("lookup spf failed", self.log)


class ResidentSpf(Spf):
    resident = True


if __name__ == "__main__":
    unittest.main()
