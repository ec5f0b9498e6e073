"""Flags that administrators know from other programs of these names: done, or refused in a sentence, and in the manual either way."""
import os, re, unittest

from box import TOP
from usersite import HASH, UserSite

# program, letters refused, arguments that would be right, a word of the sentence
REFUSED = (
    ("vadddomain", "T", ["192.0.2.1", "new.example"], "by ETRN or ATRN"),
    ("vadddomain", "DHUPp", ["x", "new.example"], "one user database"),
    ("vadddomain", "sc", ["new.example"], "one user database"),
    ("vadduser", "HM", ["x", "new@example.com"], "one mail store"),
    ("vgroup", "HM", ["x", "new@example.com"], "one mail store"),
    ("vmoduser", "D", ["%Y", "joe@example.com"], "vcfilter"),
    ("vdominfo", "p", ["example.com"], "mail stores"),
    ("clearopensmtp", "C", [], "one user database"),
    ("vtable", "SpsDUP", ["x", "/dev/null"], "MYSQL_HOST"),
    ("vbulletin", "hs", ["-f", "/dev/null"], "copy of its own"),
    ("sslerator", "dnCcM", ["x", "true"], "qmail-tlsd"),
    ("sslerator", "N", ["true"], "qmail-tlsd"),
    ("sslerator", "tf", ["1", "true"], "-T says"),
    ("sslerator", "es", ["true"], "-T says"),
)


def page(program):
    for base, _, names in os.walk(os.path.join(TOP, "man")):
        for name in names:
            if name.rsplit(".", 1)[0] == program:
                return open(os.path.join(base, name)).read()


class Flags(unittest.TestCase):
    def setUp(self):
        self.site = UserSite()
        self.addCleanup(self.site.close)
        self.site.add_domain()
        self.site.add_user("joe")

    def lines(self, name):
        try:
            return open(self.site.path("control", name)).read().splitlines()
        except FileNotFoundError:
            return []

    def code(self, *argv, input=b""):
        return self.site.run(list(argv), input=input).returncode

    def test_refused(self):
        for program, letters, rest, word in REFUSED:
            for letter in letters:
                p = self.site.run([program, f"-{letter}", *rest])
                self.assertEqual(p.returncode, 100, (program, letter))
                self.assertRegex(p.stderr.decode(), rf"\A{program}: fatal: -{letter}: [^\n]*\n\Z")
                self.assertIn(word, p.stderr.decode())
                self.assertRegex(page(program), rf"\\fB\\-{letter}\\fR", (program, letter))

    def test_mail_that_is_fetched(self):
        s = self.site
        s.control("locals", "Fetch.example\nother.example\n")
        s.ok("vadddomain", "-t", "fetch.example")
        self.assertEqual((self.lines("etrnhosts"), self.lines("locals")), (["fetch.example"], ["other.example"]))
        self.assertIn("fetch.example", self.lines("rcpthosts"))
        self.assertNotIn("fetch.example", self.lines("chkrcptdomains"))
        self.assertFalse(any("fetch" in l for l in self.lines("virtualdomains")))
        self.assertNotIn("fetch", open(s.path("users", "assign")).read())
        self.assertEqual(s.sql("SELECT * FROM domains WHERE domain LIKE 'fetch%'"), [])
        self.assertFalse(os.path.exists(s.path("domains", "fetch.example")))
        self.assertEqual(self.code("vadddomain", "-t", "fetch.example"), 100)
        # half done: the second time ends it
        s.control("rcpthosts", "example.com\n")
        s.ok("vadddomain", "-tR", "fetch.example")
        self.assertIn("fetch.example", self.lines("rcpthosts"))
        self.assertEqual(self.lines("chkrcptdomains"), ["fetch.example"])
        for argv in (["vadddomain", "-t", "example.com"], ["vdeldomain", "-T", "example.com"], ["vdeldomain", "-T", "none.example"],
                     ["vadddomain", "-t", "-B", "/x", "a.example"], ["vadddomain", "-t", "-f", "a.example"], ["vadddomain", "-t", "a.example", "secret"],
                     ["vadddomain", "-t", "Bad.example"], ["vadddomain", "-t", "../x"], ["vadddomain", "-t", "a b"]):
            self.assertEqual(self.code(*argv), 100, argv)
        s.ok("vaddaliasdomain", "alias.example", "example.com")
        self.assertEqual(self.code("vadddomain", "-t", "alias.example"), 100)
        self.assertEqual(self.code("vdeldomain", "-T", "alias.example"), 100)
        with open(s.path("control", "odmrhosts"), "w") as f:
            f.write("fetch.example\nturned.example\n")
        # one becomes a domain with mailboxes
        s.ok("vadddomain", "-t", "turned.example")
        s.add_domain("turned.example")
        self.assertEqual((self.lines("etrnhosts"), self.lines("odmrhosts")), (["fetch.example"], ["fetch.example"]))
        self.assertEqual(s.ok("vdominfo", "--check"), "")
        s.ok("vdeldomain", "turned.example")
        s.ok("vdeldomain", "-T", "fetch.example")
        for name in ("rcpthosts", "chkrcptdomains", "etrnhosts", "odmrhosts"):
            self.assertNotIn("fetch.example", self.lines(name), name)
        self.assertEqual(s.sql("SELECT count(*) FROM users WHERE domain = 'example.com'"), [(2,)])
        # -c: no other host knows of it
        s.ok("vdeldomain", "-c", "example.com")
        self.assertEqual(s.sql("SELECT * FROM domains"), [])

    def test_how_a_password_is_kept(self):
        s = self.site
        scram = lambda: s.sql("SELECT scram FROM users WHERE name = 'joe'")[0][0]
        s.ok("vmoduser", "-P", "-", "-h", "SHA-512", "-m", "SCRAM-SHA-1", "-I", "5000", "joe@example.com", input=b"a new one\n")
        self.assertRegex(scram(), r"\A\{SCRAM-SHA-1\}5000,[^{]*\Z")
        self.assertTrue(s.sql("SELECT hash FROM users WHERE name = 'joe'")[0][0].startswith("$6$"))
        was = scram()
        for argv in (["-C"], ["-S", "c2FsdA=="], ["-m", "CRAM"], ["-m", "SCRAM-MD5"]):
            p = s.run(["vmoduser", "-P", "-", *argv, "joe@example.com"], input=b"another\n")
            self.assertEqual(p.returncode, 100, argv)
            self.assertNotIn(b"another", p.stderr)
        for argv in (["-m", "SCRAM-SHA-1"], ["-I", "5000"], ["-e"], ["-h", "SHA-512"], ["-C"], ["-S", "x"]):
            p = s.run(["vmoduser", *argv, "-c", "Joe", "joe@example.com"])
            self.assertEqual(p.returncode, 100, argv)
            self.assertIn(b"-P", p.stderr)
        self.assertEqual(scram(), was)
        self.assertEqual(s.sql("SELECT gecos FROM users WHERE name = 'joe'"), [("joe",)])

    def test_help(self):
        self.assertRegex(self.site.ok("vmoduser", "-H"), r"\Ausage: vmoduser \[")
        self.assertEqual(self.code("vmoduser"), 100)

    def test_accepted(self):
        s = self.site
        s.ok("vcfilter", "-i", "-r", "-v", "-h", "Subject", "-k", "x", "joe@example.com")
        self.assertEqual(s.ok("vcfilter", "-s", "-r", "joe@example.com"), s.ok("vcfilter", "-s", "joe@example.com"))
        s.start_lookup("-c", "86400")
        self.assertEqual(s.query("user", "joe@example.com"), (0, ["ok", "active"]))


if __name__ == "__main__":
    unittest.main()
