"""What the SMTP server asks of the user database: lists kept there, and from where somebody has logged in."""
import os, shutil, unittest

from box import wait_for
from mariadbsite import MariaDB
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
        self.begin()
        self.users.add_domain()
        self.users.add_user("alice")
        for name in ("sqllists", "badrcptto", "badmailfrom"):  # the settings of both are ours alone
            self.assertFalse(os.path.exists(self.root.path("control", name)))
        os.makedirs(self.root.path("run"), exist_ok=True)
        os.symlink(self.users.path("run", "inlookup"), self.root.path("run", "inlookup"))

    def begin(self):
        pass

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

    def attach(self, *names):
        parts = b"".join(b"--B\r\nContent-Type: x/y;\r\n name=\"" + n + b"\"\r\n\r\nx\r\n" for n in names)
        with self.root.smtp() as s:
            s.hello()
            for command, code in ((M, 250), (R, 250), ("DATA", 354)):
                self.assertEqual(s.cmd(command)[0], code)
            s.send(b"Subject: c\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n" + parts + b"--B--\r\n.\r\n")
            code, text = s.reply()
            return code, text[-1]

    def test_badext(self):
        root, users = self.root, self.users
        root.control("sqllists", "badext\n")
        users.start_lookup()
        self.assertEqual(self.attach(b"a.exe")[0], 250)
        for entry in (".exe", "!good.exe", "whole.txt", ".bat"):
            users.ok("qmail-sql", "-i", entry, "badext")
        for name, code in ((b"a.exe", 552), (b"A.EXE", 552), (b"good.exe", 250), (b"a.exe.txt", 250), (b"whole.txt", 552), (b"exe", 250), (b"x" * 3000 + b".exe", 552),
                           ("é.exe".encode(), 552), (b"\xff\xfe.exe", 552), (b"o'x; --.txt", 250), (b"%s%n.txt", 250), ("é".encode() * 150 + b".exe", 552)):
            self.assertEqual(self.attach(name)[0], code, name)
        self.assertEqual(self.attach(b"one.txt", b"two.txt", b"three.bat"), (552, "5.7.1 attachments of this kind are not accepted here: three.bat"))
        # files count more
        root.control("badext", ".zip\n!a.exe\n")
        self.assertEqual([self.attach(n)[0] for n in (b"a.zip", b"a.exe", b"b.exe")], [552, 250, 552])
        # one of many, and more than are looked up
        many = [b"%d.txt" % i for i in range(250)]
        self.assertEqual(self.attach(*many)[0], 250)
        self.assertEqual(self.attach(*many[1:], b"x.exe")[0], 552)
        self.assertEqual(self.attach(*many * 2)[0], 250)
        self.assertEqual(self.attach(*many, b"251.txt"), (552, "5.7.1 more attachments than are accepted here"))
        users.lookup.terminate()
        users.lookup.wait()
        self.assertEqual(self.attach(b"c.txt")[0], 451)  # nobody can say: later
        self.assertEqual(self.attach(b"a.zip")[0], 552)
        self.assertEqual(self.attach()[0], 250)

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


@unittest.skipUnless(shutil.which("mariadbd"), "MariaDB is not installed")
class Mariadb(Database):
    """Lists kept there, where text that is not UTF-8 is an error."""
    test_checkrelay = test_off_by_default = None

    def begin(self):
        server = MariaDB()
        self.addCleanup(server.close)
        server.use(self.users)


if __name__ == "__main__":
    unittest.main()
