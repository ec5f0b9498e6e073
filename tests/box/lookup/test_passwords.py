"""Passwords: those that other servers made, those of single programs, and what a guesser waits."""
import hashlib, base64, os, re, time, unittest

from mariadbsite import MariaDB
from usersite import HASH, UserSite


class Passwords(unittest.TestCase):
    def make(self):
        return UserSite()

    def setUp(self):
        self.site = self.make()
        self.addCleanup(self.site.close)
        self.site.add_domain()

    def verify(self, user, password, service="imap", ip="192.0.2.1"):
        return self.site.query("verify", f"{user}@example.com", service, ip, password=password)[1][0]

    def stored(self, user):
        line, = [l for l in self.site.ok("vuserinfo", "-p", f"{user}@example.com").splitlines() if l.startswith("passwd")]
        return line

    def test_rehash(self):
        """A password that came in another form is one of ours after its first login."""
        s = self.site
        old = "{SHA}" + base64.b64encode(hashlib.sha1(b"secret").digest()).decode()
        s.ok("vadduser", "-e", "old@example.com", "-", input=old.encode() + b"\n")
        s.ok("vadduser", "-e", "six@example.com", "-", input=HASH.encode() + b"\n")
        for bad in ("{SHA}xx", "{NONE}x", "$1$x$y", "plain"):
            p = s.run(["vadduser", "-e", "bad@example.com", "-"], input=bad.encode() + b"\n")
            self.assertEqual(p.returncode, 100)
            self.assertNotIn(bad.encode(), p.stderr)
        s.start_lookup(PASSWORD_HASH="YESCRYPT")
        self.assertIn("unknown", self.stored("old"))
        self.assertEqual(self.verify("old", "wrong"), "none")
        self.assertIn("unknown", self.stored("old"))
        for user in ("old", "six"):
            self.assertEqual(self.verify(user, "secret"), "ok")
            self.assertIn("YESCRYPT", self.stored(user))
            self.assertEqual(self.verify(user, "secret"), "ok")
            self.assertEqual(self.verify(user, "wrong"), "none")

    def test_not_weaker(self):
        s = self.site
        s.ok("vadduser", "-h", "YESCRYPT", "new@example.com", "-", input=b"secret\n")
        s.start_lookup(PASSWORD_HASH="SHA-256")
        self.assertEqual(self.verify("new", "secret"), "ok")
        self.assertIn("YESCRYPT", self.stored("new"))

    def test_app_passwords(self):
        s = self.site
        s.add_user("alice")
        s.start_lookup()
        add = lambda *a: re.fullmatch(r"password: ([A-Za-z0-9]{24})\n", s.ok("vapppass", *a, "alice@example.com"))[1]
        phone, printer = add("-a", "my phone"), add("-a", "printer", "-s", "smtp")
        self.assertNotEqual(phone, printer)
        for service, expected in (("imap", ["ok", "none"]), ("smtp", ["ok", "ok"]), ("pop3", ["ok", "none"]), ("webmail", ["none", "none"])):
            self.assertEqual([self.verify("alice", p, service) for p in (phone, printer)], expected, service)
        self.assertEqual(self.verify("alice", "secret"), "ok")
        self.assertEqual(self.verify("alice", phone[:-1]), "none")
        self.assertEqual(self.verify("alice", phone.swapcase()), "none")
        listed = s.ok("vapppass", "-l", "alice@example.com").splitlines()
        self.assertRegex(listed[0], r"^my phone: for imap pop3 smtp; made .*; used .*\d{4}")
        self.assertRegex(listed[1], r"^printer: for smtp; made ")
        self.assertNotIn(phone, "".join(listed))
        s.ok("vapppass", "-d", "my phone", "alice@example.com")
        self.assertEqual(self.verify("alice", phone), "none")
        self.assertEqual(self.verify("alice", printer, "smtp"), "ok")
        for argv in (["-a", "printer"], ["-d", "none"], ["-a", ""], ["-a", "x", "-s", "gopher"], ["-a", "x", "-s", ""], ["-a", "a\nb"], ["-a", "x" * 65],
                     ["-a", "x", "-d", "y"], []):
            self.assertEqual(s.run(["vapppass", *argv, "alice@example.com"]).returncode, 100, argv)
        self.assertEqual(s.run(["vapppass", "-a", "x", "nobody@example.com"]).returncode, 100)
        # they go with the user
        s.ok("vdeluser", "alice@example.com")
        s.add_user("alice")
        self.assertEqual(self.verify("alice", printer, "smtp"), "none")

    def test_guessing(self):
        """Wrong answers come later and later; right ones, and those for others, do not."""
        s = self.site
        s.add_user("alice")
        s.add_user("bob")
        s.start_lookup()
        took = []
        for i in range(9):
            begin = time.monotonic()
            self.assertEqual(self.verify("alice", f"guess{i}", ip=f"192.0.2.{i}"), "none")
            took.append(time.monotonic() - begin)
        self.assertGreater(took[8], 1.2)
        self.assertLess(took[8], 4)
        self.assertLess(took[0], took[8])
        begin = time.monotonic()
        self.assertEqual(self.verify("alice", "secret", ip="192.0.2.3"), "ok")
        self.assertEqual(self.verify("bob", "wrong", ip="192.0.2.100"), "none")
        self.assertLess(time.monotonic() - begin, took[8])


class OnMariaDB(Passwords):
    @classmethod
    def setUpClass(cls):
        cls.server = MariaDB()

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def make(self):
        site = UserSite()
        OnMariaDB.count = getattr(OnMariaDB, "count", 0) + 1
        site.control("host.mysql", self.server.host() + "\n")
        os.chmod(site.path("control", "host.mysql"), 0o600)
        if site.ids:
            os.chown(site.path("control", "host.mysql"), 65534, 65534)
        # each test has a database of its own
        env, database = site.env, f"indimail_{OnMariaDB.count}"
        site.env = lambda **extra: env(**{"MYSQL_DATABASE": database, **extra})
        return site


if __name__ == "__main__":
    unittest.main()
