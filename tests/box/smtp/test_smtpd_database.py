"""What the SMTP server asks of the user database: lists kept there, and from where somebody has logged in."""
import os, unittest

from box import wait_for
from smtpd import SmtpRoot
from usersite import UserSite

M, R = "MAIL FROM:<s@example.net>", "RCPT TO:<joe@example.com>"


class Database(unittest.TestCase):
    resident = False

    def setUp(self):
        self.root = SmtpRoot(self.resident)
        self.addCleanup(self.root.close)
        self.users = UserSite()
        self.addCleanup(self.users.close)
        self.users.add_domain()
        self.users.add_user("alice")
        for name in ("sqllists", "badrcptto", "badmailfrom"):  # the settings of both are ours alone
            self.assertFalse(os.path.exists(self.root.path("control", name)))
        os.makedirs(self.root.path("run"), exist_ok=True)
        os.symlink(self.users.path("run", "inlookup"), self.root.path("run", "inlookup"))

    def codes(self, *commands, **env):
        with self.root.smtp(**env) as s:
            s.hello()
            return [s.cmd(c)[0] for c in commands]

    def sender(self, address, **env):
        return self.codes(f"MAIL FROM:<{address}>", **env)[0]

    def test_lists(self):
        root, users = self.root, self.users
        root.control("sqllists", "badmailfrom\nbadrcptto\n")
        users.start_lookup()
        self.assertEqual(self.sender("bad@spam.example"), 250)
        for entry in ("@spam.example", "!good@spam.example", ".dyn.example", "One@Example.net"):
            users.ok("qmail-sql", "-i", entry, "badmailfrom")
        for address, code in (("bad@spam.example", 553), ("BAD@SPAM.EXAMPLE", 553), ("good@spam.example", 250), ("x@a.dyn.example", 553),
                              ("x@dyn.example", 250), ("one@example.net", 553), ("two@example.net", 250), ("", 250)):
            self.assertEqual(self.sender(address), code, address)
        # the file counts more
        root.control("badmailfrom", "two@example.net\n!one@example.net\n")
        self.assertEqual([self.sender(a) for a in ("one@example.net", "two@example.net", "bad@spam.example")], [250, 553, 553])
        users.ok("qmail-sql", "-d", "@spam.example", "badmailfrom")
        self.assertEqual(self.sender("bad@spam.example"), 250)
        users.ok("qmail-sql", "-i", "bad@example.com", "badrcptto")
        self.assertEqual(self.codes(M, "RCPT TO:<bad@example.com>", R), [250, 553, 250])
        users.lookup.terminate()
        users.lookup.wait()
        self.assertEqual(self.sender("three@example.net"), 451)
        self.assertEqual(self.sender("two@example.net"), 553)
        root.control("sqllists", "badmailfrom\nnonsense\n")
        with root.smtp() as s:
            self.assertEqual(s.reply()[0], 421)
            wait_for(lambda: "sqllists: no list that can be kept in the user database: nonsense" in s.logged(), what="the reason")

    def test_qmail_sql(self):
        u = self.users
        with open(u.path("list"), "w") as f:
            f.write("# of spammers\n@A.example  \n\nb@c.example\n@a.example\n")
        os.chmod(u.path("list"), 0o644)
        u.ok("qmail-sql", "-i", "old@example.net", "badmailfrom")
        u.ok("qmail-sql", "-r", u.path("list"), "badmailfrom")
        self.assertEqual(u.ok("qmail-sql", "-s", "badmailfrom"), "@a.example\nb@c.example\n")
        code = lambda *argv: u.run(["qmail-sql", *argv]).returncode
        self.assertEqual(code("-i", "@a.example", "badmailfrom"), 1)
        self.assertEqual(code("-d", "none@x", "badmailfrom"), 1)
        self.assertEqual(code("-s", "badrcptto"), 1)
        for argv in (("-i", "*@x.example", "badmailfrom"), ("-i", "a b", "badmailfrom"), ("-i", "", "badmailfrom"), ("-i", "x" * 513, "badmailfrom"),
                     ("-i", "!", "badmailfrom"), ("-s", "../etc"), ("-s", "'; DROP TABLE users; --"), ("-s",), ("-i", "a", "-s", "badmailfrom")):
            self.assertEqual(code(*argv), 100, argv)
        with open(u.path("list"), "a") as f:
            f.write("a?b@example.net\n")
        self.assertEqual(code("-r", u.path("list"), "badmailfrom"), 100)
        self.assertEqual(code("-r", u.path("none"), "badmailfrom"), 111)
        self.assertEqual(u.ok("qmail-sql", "-s", "badmailfrom"), "@a.example\nb@c.example\n")
        quoted = "o'brien\"\\;--@example.net"
        u.ok("qmail-sql", "-i", quoted, "badmailfrom")
        self.assertIn(quoted, u.ok("qmail-sql", "-s", "badmailfrom"))

    def test_checkrelay(self):
        """Who has read mail may send from there, for a while, where both sides are set."""
        u, away = self.users, "RCPT TO:<x@elsewhere.example>"
        relays = lambda ip, **env: self.codes(M, away, TCPREMOTEIP=ip, **env)[1] == 250
        login = lambda service, ip: self.assertEqual(u.query("verify", "alice@example.com", service, ip, password="secret")[0], 0)
        u.start_lookup(OPEN_SMTP="1")
        login("imap", "192.0.2.50")
        login("pop3", "2001:db8::50")
        login("smtp", "192.0.2.51")
        login("webmail", "192.0.2.52")
        u.query("verify", "alice@example.com", "imap", "192.0.2.53", password="wrong")
        self.assertEqual([relays(ip, CHECKRELAY="1") for ip in ("192.0.2.50", "2001:db8::50", "192.0.2.51", "192.0.2.52", "192.0.2.53")],
                         [True, True, False, False, False])
        self.assertFalse(relays("192.0.2.50"))
        self.assertTrue(self.codes(M, R, TCPREMOTEIP="192.0.2.53", CHECKRELAY="1"), [250, 250])
        u.sql("UPDATE relay SET timestamp = timestamp - 1801 WHERE ipaddr = '192.0.2.50'")
        self.assertFalse(relays("192.0.2.50", CHECKRELAY="1"))
        self.assertIn("forgotten: 1\n", u.run(["clearopensmtp", "-v"]).stderr.decode())
        self.assertEqual(u.sql("SELECT ipaddr FROM relay"), [("2001:db8::50",)])
        u.ok("clearopensmtp", "-a")
        self.assertFalse(relays("2001:db8::50", CHECKRELAY="1"))
        # a user without the right
        u.sql("UPDATE users SET no_relay = 1")
        login("imap", "192.0.2.50")
        self.assertFalse(relays("192.0.2.50", CHECKRELAY="1"))
        u.lookup.terminate()
        u.lookup.wait()
        # with the database away mail for ourselves comes in, and who may have logged in tries again
        self.assertEqual(self.codes(M, R, away, TCPREMOTEIP="192.0.2.50", CHECKRELAY="1"), [250, 250, 451])
        self.assertEqual(self.codes(M, away, TCPREMOTEIP="192.0.2.50"), [250, 553])

    def test_off_by_default(self):
        self.users.start_lookup()
        self.assertEqual(self.users.query("verify", "alice@example.com", "imap", "192.0.2.50", password="secret")[0], 0)
        self.assertEqual(self.users.sql("SELECT * FROM relay"), [])


class Resident(Database):
    resident = True


if __name__ == "__main__":
    unittest.main()
