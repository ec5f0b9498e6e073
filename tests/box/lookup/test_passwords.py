"""Passwords: those that other servers made, those of single programs, and what a guesser waits."""
import hashlib, base64, os, re, subprocess, threading, time, unittest

from mariadbsite import MariaDB
from usersite import HASH, UserSite, totp_code, totp_secret


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

    def change(self, old, new, user="alice"):
        return self.site.checker(["vsetpass"], f"{user}@example.com\0{old}\0{new}\0".encode()).returncode

    def test_codes(self):
        """Of a user with a secret the service that changes passwords wants a code too, and nobody else does."""
        s = self.site
        for name in ("alice", "bob", "dave"):
            s.add_user(name)
        s.start_lookup()
        code = totp_code(totp_secret(s, "alice@example.com"), 1)
        wrong = f"{(int(code) + 1) % 1000000:06}"
        phone = s.ok("vapppass", "-a", "phone", "alice@example.com").split()[1]
        for password, service, expected in (("secret", "passwd", "none"), ("secret" + wrong, "passwd", "none"), (phone + code, "passwd", "none"),
                                            ("secret" + code, "passwd", "ok"), ("secret" + code, "passwd", "ok"), ("secret" + code, "imap", "none"),
                                            ("secret", "imap", "ok"), (phone, "imap", "ok")):
            self.assertEqual(self.verify("alice", password, service), expected, (password, service))
        self.assertEqual(self.verify("bob", "secret", "passwd"), "ok")
        # a change that is refused does not use the code up; one that is made does
        secret = totp_secret(s, "dave@example.com")
        code = totp_code(secret, 1)
        self.assertEqual([self.change(old, new, "dave") for old, new in (
            ("secret", "another one"), ("secret" + wrong, "another one"), ("secret" + code, "short"), ("secret" + code, "secret"),
            ("secret" + code, "another one"), ("another one" + code, "secret again"))], [1, 1, 1, 1, 0, 1])
        self.assertEqual([self.verify("dave", p) for p in ("another one", "secret")], ["ok", "none"])
        shown = s.ok("vtotp", "-s", "dave@example.com")
        self.assertRegex(shown, r"^made .*\nlast code .*\n$")
        self.assertNotIn(secret, shown)
        # the phone is lost
        s.ok("vtotp", "-d", "dave@example.com")
        self.assertEqual(self.change("another one", "secret again", "dave"), 0)
        # it goes along with a new name, and away with the user
        secret = totp_secret(s, "dave@example.com")
        s.ok("vrenameuser", "dave@example.com", "carol@example.com")
        self.assertEqual([self.verify("carol", p, "passwd") for p in ("secret again", "secret again" + totp_code(secret, 1))], ["none", "ok"])
        s.ok("vdeluser", "carol@example.com")
        s.add_user("carol")
        self.assertEqual(self.verify("carol", "secret", "passwd"), "ok")

    def test_a_code_serves_once(self):
        """Many at once with the same code: one of them."""
        s = self.site
        s.add_user("alice")
        s.start_lookup()
        code, codes = totp_code(totp_secret(s, "alice@example.com"), 1), []
        threads = [threading.Thread(target=lambda i=i: codes.append(self.change("secret" + code, f"another one {i}"))) for i in range(6)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(sorted(codes), [0, 1, 1, 1, 1, 1])

    def test_codes_set_up(self):
        s = self.site
        s.add_user("alice")
        s.start_lookup()
        for given in (b"000000\n", b"", b"\n", b"x" * 1000, b"1234567\n"):
            p = s.run(["vtotp", "-a", "alice@example.com"], input=given)
            self.assertEqual(p.returncode, 1, given)
            self.assertRegex(p.stdout.decode(), r"^otpauth://totp/mail\.example\.com:alice@example\.com\?secret=[A-Z2-7]{32}&issuer=mail\.example\.com&[^\n]*\n$")
        self.assertEqual(self.change("secret", "another one"), 0)  # nothing was kept
        totp_secret(s, "alice@example.com")
        for argv in (["-a", "alice@example.com"], ["-a", "nobody@example.com"], ["-s", "nobody@example.com"], ["-d", "nobody@example.com"], ["-a", "x@none.example"],
                     ["-a", "-d", "alice@example.com"], ["alice@example.com"], ["-s", "alice"], ["-s"]):
            p = s.run(["vtotp", *argv], input=b"123456\n")
            self.assertEqual((p.returncode, p.stdout), (100, b""), argv)

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
