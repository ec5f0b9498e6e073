"""vbulletin: everybody gets it once, and nobody else anything."""
import glob, os, time, unittest
from usersite import UserSite

TEXT = b"From: admin@example.com\nSubject: hello\nDate: Thu, 26 Nov 2026 12:00:00 +0000\n\n\xc3\xa9 '; DROP\n"


class Bulletin(unittest.TestCase):
    def setUp(self):
        self.site = UserSite()
        self.addCleanup(self.site.close)
        s = self.site
        s.add_domain()
        s.add_domain("other.example")
        s.add_user("ann", "-d", "-q", "1M")
        s.add_user("bob")
        s.add_user("eve@other.example")
        self.text = self.file("text", TEXT)

    def file(self, name, data):
        path = self.site.path("run", name)
        with open(path, "wb") as f:
            f.write(data)
        os.chmod(path, 0o644)
        return path

    def send(self, *argv, text=None):
        return self.site.ok("vbulletin", "-f", text or self.text, *argv).splitlines()

    def count(self):
        return {a: len(self.site.mails(a)) for a in ("ann@example.com", "bob@example.com", "postmaster@example.com", "eve@other.example")}

    def test_all_once(self):
        s = self.site
        s.ok("resetquota", "-a")
        self.assertEqual(self.send(), ["5 got it, 0 had it before"])
        self.assertEqual(set(self.count().values()), {1})
        mail, = s.mails("ann@example.com")
        self.assertEqual(mail, b"Return-Path: <>\nDelivered-To: ann@example.com\n" + TEXT)
        self.assertEqual(open(s.home("ann@example.com") + "/Maildir/maildirsize").read().splitlines()[2].split(), [str(len(mail)), "1"])
        s.add_user("late")
        self.assertEqual(self.send("-v")[-1], "1 got it, 5 had it before")
        self.assertEqual(set(self.count().values()), {1})
        self.assertEqual(self.send(text=self.file("another", TEXT + b"more\n")), ["6 got it, 0 had it before"])
        self.assertEqual(set(self.count().values()), {2})

    def test_who(self):
        s = self.site
        s.ok("vaddaliasdomain", "alias.example", "example.com")
        s.ok("vmoduser", "-n", "bob@example.com")
        s.ok("vmoduser", "-c", "MailGroup all", "eve@other.example")
        dry = self.send("-n", "alias.example", "other.example")
        self.assertEqual(dry, ["ann@example.com: would get it", "postmaster@example.com: would get it", "postmaster@other.example: would get it",
                               "3 would get it, 0 had it before"])
        self.assertEqual(set(self.count().values()), {0})
        self.assertFalse(os.path.exists(s.home("bob@example.com")))
        names = self.file("names", b"\nANN@Example.com\r\npostmaster@other.example\nnobody@example.com\n")
        self.assertEqual(self.send("-v", "-e", names), ["postmaster@example.com: got it", "1 got it, 0 had it before"])
        self.assertEqual(self.send("-v", "-S", names), ["ann@example.com: got it", "postmaster@other.example: got it", "2 got it, 0 had it before"])
        self.assertEqual(self.count(), {"ann@example.com": 1, "bob@example.com": 0, "postmaster@example.com": 1, "eve@other.example": 0})

    def test_one_that_fails(self):
        """The others get it; what a user has put in the place of our files is not followed."""
        s = self.site
        maildir = s.home("ann@example.com") + "/Maildir"
        os.chmod(maildir + "/tmp", 0)
        p = s.run(["vbulletin", "-f", self.text])
        self.assertEqual((p.returncode, p.stdout), (111, b"4 got it, 0 had it before\n"))
        self.assertIn(maildir.encode(), p.stderr)
        os.chmod(maildir + "/tmp", 0o700)
        victim = self.file("victim", b"")
        os.symlink(victim, maildir + "/BulkMail")
        p = s.run(["vbulletin", "-f", self.text])
        self.assertEqual(p.returncode, 111)
        self.assertEqual(os.path.getsize(victim), 0)

    def test_wrong(self):
        s = self.site
        empty, good = self.file("empty", b""), self.file("good", b"ann@example.com\n")
        for argv in ([], ["-f"], ["-f", empty], ["-f", s.path("none")], ["-f", self.file("no", b"hello\n")], ["-f", self.file("nul", TEXT + b"\0\n")],
                     ["-f", self.file("cut", TEXT[:-1])], ["-f", self.file("blank", b"a b: c\n\n")], ["-f", self.text, "-e", empty],
                     ["-f", self.text, "-S", s.path("none")], ["-f", self.text, "none.example"], ["-f", self.text, "../x"],
                     ["-f", self.text, "example.com", "a'b"], ["-h", "-f", self.text]):
            with self.subTest(argv):
                self.assertEqual(s.run(["vbulletin", *argv]).returncode, 100)
        self.assertEqual(set(self.count().values()), {0})
        with open(s.db_path(), "r+b") as f:
            f.write(b"this is no database any more" * 100)
        self.assertEqual(s.run(["vbulletin", "-S", good, "-f", self.text]).returncode, 111)



SERVER = "#!/bin/sh\necho \"$IMAPLOGINTAG OK ready\"\n"


class Waiting(unittest.TestCase):
    """Those that come at a login (vbulletin -a)."""

    def setUp(self):
        self.site = s = UserSite()
        self.addCleanup(s.close)
        s.add_domain()
        s.add_domain("other.example")
        s.add_user("ann", "-q", "1M")
        s.add_user("eve@other.example")
        s.start_lookup("-i", "1", "-p", "1")
        self.server = s.path("server")
        with open(self.server, "w") as f:
            f.write(SERVER)
        os.chmod(self.server, 0o755)
        self.dir = s.path("domains", "example.com", "bulk_mail")

    def leave(self, name, data=TEXT, *domains):
        path = self.site.path("run", name)
        with open(path, "wb") as f:
            f.write(data)
        os.chmod(path, 0o644)
        return self.site.ok("vbulletin", "-a", "-f", path, *domains)

    def login(self, user="ann@example.com", **env):
        with self.site.listen("imaplogin", self.server, "Maildir", ALLOW_PLAINTEXT="1", **env).raw() as c:
            c.line()
            c.send(f"a LOGIN {user} secret\r\n")
            self.assertEqual(c.until("a ")[-1], "a OK ready")
        return len(self.site.mails(user))

    def test_login(self):
        s = self.site
        self.assertEqual(self.login(), 0)
        s.ok("resetquota", "ann@example.com")
        self.leave("one", TEXT, "example.com")
        self.assertEqual(os.listdir(self.dir), ["one,all"])
        self.assertEqual(len(s.mails("ann@example.com")), 0)  # not before
        self.assertEqual([self.login(), self.login()], [1, 1])
        mail, = s.mails("ann@example.com")
        self.assertEqual(mail, b"Return-Path: <>\nDelivered-To: ann@example.com\n" + TEXT)
        lines = open(s.home("ann@example.com") + "/Maildir/maildirsize").read().splitlines()
        self.assertEqual(lines[-1].split(), [str(len(mail)), "1"])
        self.assertEqual([self.login("eve@other.example"), self.login("postmaster@example.com")], [0, 1])
        self.leave("two,all.eml", TEXT)  # in all domains
        self.assertEqual([self.login(), self.login(), self.login("eve@other.example")], [2, 2, 1])
        # put there anew it comes anew; removed it comes to nobody
        os.utime(self.dir + "/one,all", (0, 1000000000))
        self.assertEqual([self.login(), self.login()], [3, 3])
        os.unlink(self.dir + "/one,all")
        s.add_user("late")
        self.assertEqual(self.login("late@example.com"), 1)

    def test_with_the_others(self):
        """A message put into mailboxes and one that waits do not know each other, and share the file."""
        s = self.site
        self.leave("one")
        self.assertEqual(self.login(), 1)
        path = s.path("run", "one")
        self.assertIn("got it, 0 had it before", s.ok("vbulletin", "-f", path, "example.com"))
        self.assertEqual(self.login(), 2)
        self.assertIn("0 got it", s.ok("vbulletin", "-f", path, "example.com"))
        self.assertEqual(len(open(s.home("ann@example.com") + "/Maildir/BulkMail").read().splitlines()), 2)

    def put_there(self, name, data=TEXT, seconds=0):
        """By hand, and so long ago."""
        os.makedirs(self.dir, exist_ok=True)
        path = os.path.join(self.dir, name)
        with open(path, "wb") as f:
            f.write(data)
        os.chmod(path, 0o644)
        os.chmod(self.dir, 0o755)
        os.utime(path, (0, time.time() - seconds))

    def test_welcome(self):
        """Who is made later than the message was put there gets it, once; whoever was there never does."""
        s = self.site
        env = {"WELCOMEMAIL": "welcome.txt"}
        self.assertEqual(self.login(**env), 0)  # there is none
        s.sql("UPDATE lastauth SET at = at - 1000 WHERE service = 'add'")
        self.put_there("welcome.txt", seconds=500)
        self.assertEqual([self.login(**env), self.login(**env)], [0, 0])
        s.add_user("new")
        self.assertEqual([self.login("new@example.com", **env), self.login("new@example.com", **env), self.login(**env)], [1, 1, 0])
        mail, = s.mails("new@example.com")
        self.assertEqual(mail, b"Return-Path: <>\nDelivered-To: new@example.com\n" + TEXT)
        s.add_user("other")
        self.assertEqual(self.login("other@example.com"), 0)  # the setting decides
        self.assertEqual(self.login("other@example.com", WELCOMEMAIL="../../../etc/passwd"), 0)

    def test_activated(self):
        s = self.site
        self.put_there("activate.txt")
        self.assertEqual(self.login(), 0)  # he is active
        s.ok("vmoduser", "-n", "ann@example.com")
        self.assertEqual(s.query("account", "ann@example.com")[1][9], "0")
        self.assertEqual([self.login(ACTIVATEMAIL=""), self.login()], [0, 0])
        s.ok("vmoduser", "-n", "ann@example.com")
        self.assertEqual([self.login(), self.login()], [1, 1])
        self.assertEqual(s.query("account", "ann@example.com")[1][9], "1")

    def test_what_is_none(self):
        """Directories, links, FIFOs and hidden files are no bulletins; what cannot be read keeps nobody out."""
        s = self.site
        self.leave("good")
        os.mkdir(self.dir + "/dir,all")
        os.symlink("/etc/passwd", self.dir + "/link,all")
        os.mkfifo(self.dir + "/fifo,all")
        for name in (".hidden,all", "x", "a b,all"):
            with open(f"{self.dir}/{name}", "w") as f:
                f.write("Subject: no\n\n")
        self.assertEqual([self.login(), self.login()], [1, 1])
        with open(self.dir + "/bad,all", "w") as f:
            f.write("Subject: no\n\n")
        os.chmod(self.dir + "/bad,all", 0)
        self.assertEqual(self.login(), 1 if os.geteuid() or s.ids else 2)
        self.assertIn("bad,all", s.services[-1].logged())
        self.assertEqual(self.login(BULK_MAILDIR="elsewhere"), 1)

    def test_refused(self):
        s = self.site
        text = s.path("run", "text")
        with open(text, "wb") as f:
            f.write(TEXT)
        odd = s.path("run", "a b")
        os.link(text, odd)
        for argv in (["-a", "-f", text, "-e", text], ["-a", "-f", text, "-S", text], ["-a", "-n", "-f", text], ["-a"], ["-a", "-f", odd], ["-a", "-f", "/none"],
                     ["-a", "-f", text, "none.example"], ["-a", "-f", self.server]):
            self.assertEqual(s.run(["vbulletin", *argv]).returncode, 100, argv)
        self.assertFalse(os.path.exists(self.dir) and os.listdir(self.dir))
        self.assertEqual(s.run(["vbulletin", "-a", "-f", text], env=s.env(BULK_MAILDIR="../x")).returncode, 100)


if __name__ == "__main__":
    unittest.main()
