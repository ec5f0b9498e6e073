"""resetquota, printdir, vreorg: mailboxes counted anew, where they lie, and how they are moved."""
import glob, json, os, pty, unittest
from usersite import UserSite


class Base(unittest.TestCase):
    def setUp(self):
        self.site = UserSite()
        self.addCleanup(self.site.close)
        self.site.add_domain()

    def fails(self, code, *argv, **kw):
        p = self.site.run(list(argv), **kw)
        self.assertEqual(p.returncode, code, p.stderr)
        return p.stderr.decode()

    def put(self, address, name="one", size=7):
        with open(self.site.home(address) + "/Maildir/new/" + name, "w") as f:
            f.write("x" * size)


class Quota(Base):
    def setUp(self):
        super().setUp()
        for name, size in (("ann", 10), ("zoe", 20)):
            self.put(self.site.add_user(name, "-d", "-q", "1M,7"), size=size)
        self.site.add_user("unused")

    def size(self, address):
        return open(self.site.home(address) + "/Maildir/maildirsize").read().split()

    def test_one_domain_all(self):
        s = self.site
        s.add_domain("other.example")
        self.put(s.add_user("eve@other.example", "-d", "-q", "NOQUOTA"), size=30)
        self.assertEqual(s.ok("resetquota", "-v", "ann@example.com"), "ann@example.com: 10 bytes, 1 messages\n")
        self.assertEqual(self.size("ann@example.com"), ["1048576S,7C", "10", "1"])
        self.assertEqual(s.ok("resetquota", "-v", "example.com"),
                         "ann@example.com: 10 bytes, 1 messages\nzoe@example.com: 20 bytes, 1 messages\n")
        self.assertEqual(s.ok("resetquota", "-a"), "")
        self.assertEqual(self.size("eve@other.example"), ["NOQUOTA", "30", "1"])
        s.ok("vaddaliasdomain", "new.example", "other.example")
        self.put("eve@other.example", "two", 5)
        self.assertEqual(s.ok("resetquota", "-v", "new.example"), "eve@other.example: 35 bytes, 2 messages\n")

    def test_maildir(self):
        s = self.site
        maildir = s.home("ann@example.com") + "/Maildir"
        s.ok("resetquota", "-q", "5,6", "-p", "640", maildir)
        self.assertEqual(self.size("ann@example.com"), ["5S,6C", "10", "1"])
        self.assertEqual(os.stat(maildir + "/maildirsize").st_mode & 0o777, 0o640)
        self.put("ann@example.com", "two")
        self.assertEqual(s.ok("resetquota", "-v", maildir), maildir + ": 17 bytes, 2 messages\n")
        self.assertEqual(self.size("ann@example.com"), ["5S,6C", "17", "2"])
        with open(maildir + "/maildirsize", "wb") as f:
            f.write(b"\xff" * 5000)
        s.ok("resetquota", maildir)
        self.assertEqual(self.size("ann@example.com"), ["NOQUOTA", "17", "2"])

    def test_one_that_fails(self):
        """The others are counted all the same; a link in the place of a mailbox's file is not followed."""
        s = self.site
        home = s.home("ann@example.com")
        os.rename(home + "/Maildir", home + "/aside")
        open(home + "/Maildir", "w").close()
        self.assertIn(home, self.fails(111, "resetquota", "example.com"))
        self.assertEqual(self.size("zoe@example.com"), ["1048576S,7C", "20", "1"])
        victim = s.path("run", "victim")
        open(victim, "w").close()
        os.unlink(s.home("zoe@example.com") + "/Maildir/maildirsize")
        os.symlink(victim, s.home("zoe@example.com") + "/Maildir/maildirsize")
        s.ok("resetquota", "-p", "600", s.home("zoe@example.com") + "/Maildir")
        self.assertEqual(os.path.getsize(victim), 0)
        self.assertFalse(os.path.islink(s.home("zoe@example.com") + "/Maildir/maildirsize"))

    def test_wrong(self):
        for argv in ([], ["-a", "example.com"], ["-q", "much", "/x/"], ["-p", "9", "/x/"], ["-p", "4755", "/x/"], ["-q", "1M", "example.com"],
                     ["-u", "nobody", "/x/"], ["none.example"], ["nobody@example.com"], ["a'b;--"], ["é@example.com"], ["x" * 300],
                     ["/no/such/Maildir"]):
            with self.subTest(argv):
                self.fails(100, "resetquota", *argv)
        with open(self.site.db_path(), "r+b") as f:
            f.write(b"this is no database any more" * 100)
        for what in ("-a", "example.com", "ann@example.com"):
            self.fails(111, "resetquota", what)
        self.fails(111, "printdir", "example.com")

    def test_bar(self):
        """On a terminal the work shows how far it is, and takes that away at the end."""
        s = self.site
        ours, theirs = pty.openpty()
        p = s.spawn(["resetquota", "-a"], stderr=theirs)
        os.close(theirs)
        seen = b""
        while True:
            try:
                seen += os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
        os.close(ours)
        self.assertEqual(p.wait(20), 0)
        self.assertIn(b"] 4/4", seen)
        self.assertTrue(seen.endswith(b"\r\x1b[K"), seen)


class Layout(Base):
    def test_printed(self):
        s = self.site
        for i in range(1, 6):
            s.add_user(f"bob{i}", "-l", "2")
        s.ok("vdeluser", "bob4@example.com")
        s.ok("vmoveuserdir", "bob1@example.com", s.path("elsewhere"))
        got = {row["bucket"]: row for row in json.loads(s.ok("printdir", "--json", "example.com"))}
        self.assertEqual(sorted(got), ["A2E", "F2K", "L2P", "Q2S", "T2Zsym"])
        self.assertEqual({k: got["A2E"][k] for k in ("users", "elsewhere", "domain", "per_directory")},
                         {"users": 4, "elsewhere": 1, "domain": "example.com", "per_directory": 100})
        self.assertEqual((got["L2P"]["users"], got["L2P"]["directory"], got["L2P"]["placed"], got["Q2S"]["placed"]), (1, "", 1, 0))
        with open(s.path("domains", "example.com", ".users_per_level"), "w") as f:
            f.write("2\n")
        out = s.ok("printdir", "-v", "example.com")
        self.assertIn("directory     : 2\nlevel         : 1\n", out)
        self.assertIn("in 0          : 2\nin 1          : 1\n", out)
        s.ok("vaddaliasdomain", "new.example", "example.com")
        self.assertEqual(s.ok("printdir", "-v", "new.example"), out)

    def test_wrong(self):
        for argv in ([], ["a", "b"], ["none.example"], ["../x"], ["a b"], ["--jsom", "example.com"]):
            with self.subTest(argv):
                self.fails(100, "printdir", *argv)


class Reorganized(Base):
    def setUp(self):
        super().setUp()
        self.base = self.site.path("mail", "A2E", "example.com")
        with open(self.site.path("domains", "example.com", ".users_per_level"), "w") as f:
            f.write("2\n")
        if self.site.ids:
            os.chown(f.name, 65534, 65534)
        for i in range(1, 8):
            self.put(self.site.add_user(f"bob{i}", "-d"), f"mail{i}")
        for i in (1, 2, 3, 5):
            self.site.ok("vdeluser", f"bob{i}@example.com")

    def homes(self):
        return {n: h[len(self.base) + 1:] for n, h in self.site.sql("SELECT name, dir FROM users WHERE name LIKE 'bob%'")}

    def placed(self):
        return self.site.sql("SELECT cur_users FROM dir_control WHERE bucket = 'A2E'")[0][0]

    def whole(self):
        for name in self.homes():
            self.assertEqual(os.listdir(self.site.home(name + "@example.com") + "/Maildir/new"), ["mail" + name[3]])
        self.assertEqual(len(glob.glob(self.base + "/**/new/mail*", recursive=True)), len(self.homes()))

    def test_ranks_are_closed(self):
        s = self.site
        self.assertEqual(self.homes(), {"bob4": "1/bob4", "bob6": "2/bob6", "bob7": "2/bob7"})
        self.assertEqual(s.ok("vreorg", "-n", "-d", "example.com").splitlines(),
                         [f"bob4: {self.base}/1/bob4 -> {self.base}/bob4", f"bob6: {self.base}/2/bob6 -> {self.base}/0/bob6",
                          f"bob7: {self.base}/2/bob7 -> {self.base}/0/bob7"])
        self.assertEqual((self.homes()["bob4"], self.placed()), ("1/bob4", 7))
        s.ok("valias", "-i", s.home("bob4@example.com") + "/Maildir/", "team@example.com")
        self.assertEqual(len(s.ok("vreorg", "-v", "-d", "example.com").splitlines()), 3)
        self.assertEqual(self.homes(), {"bob4": "bob4", "bob6": "0/bob6", "bob7": "0/bob7"})
        self.assertEqual(self.placed(), 3)
        self.assertIn(s.home("bob4@example.com") + "/Maildir/", s.ok("valias", "-s", "team@example.com"))
        self.whole()
        self.assertEqual(s.ok("vreorg", "-v", "-d", "example.com"), "")
        s.add_user("bob9")
        self.assertEqual(self.homes()["bob9"], "1/bob9")

    def test_empty_directories_go(self):
        """Those of this layout alone: what else stands there, or is no directory, or is outside, stays."""
        s = self.site
        outside = s.path("run", "outside")
        for path in ("9/8/7", "9/Z", "Q", "x/kept", "two", "a,"):
            os.makedirs(f"{self.base}/{path}")
        os.makedirs(outside + "/1")
        os.symlink(outside, self.base + "/y")
        if s.ids:
            for where, dirs, files in os.walk(s.path("mail")):
                for name in dirs:
                    os.lchown(os.path.join(where, name), 65534, 65534)
        s.ok("vreorg", "-n", "-d", "example.com")
        self.assertEqual(sorted(os.listdir(self.base)), ["0", "1", "2", "9", "Q", "a,", "two", "x", "y"])
        s.ok("vreorg", "-d", "example.com")
        self.assertEqual(sorted(os.listdir(self.base)), ["0", "a,", "bob4", "two", "x", "y"])
        self.assertEqual(os.listdir(outside), ["1"])
        self.whole()

    def test_vacation(self):
        """A reply that is set up goes along."""
        s = self.site
        s.ok("vacation", "bob4@example.com", "+", input=b"away\n")
        s.ok("vreorg", "-d", "example.com")
        home = s.home("bob4@example.com")
        self.assertEqual(home, self.base + "/bob4")
        lines = open(home + "/.qmail").read().splitlines()
        self.assertEqual((lines[0].split(" -q ")[1], lines[1:]), (f"'{home}/.vacation.msg' '{home}/.vacation.dir'", [home + "/Maildir/"]))

    def test_some_only(self):
        s = self.site
        names = s.path("run", "names")
        with open(names, "w") as f:
            f.write("bob6\n\n")
        os.chmod(names, 0o644)
        s.ok("vreorg", "-R", "-d", "example.com", names)
        self.assertEqual(self.homes(), {"bob4": "1/bob4", "bob6": "bob6", "bob7": "2/bob7"})
        self.assertEqual(self.placed(), 7)
        s.ok("vreorg", "-d", "example.com", "-", input=b"bob7\nbob4")
        self.assertEqual(self.homes(), {"bob4": "0/bob4", "bob6": "bob6", "bob7": "0/bob7"})
        s.ok("vreorg", "-r", "-d", "example.com")
        self.assertEqual(self.homes(), {"bob4": "bob4", "bob6": "0/bob6", "bob7": "0/bob7"})
        self.whole()

    def test_another_size(self):
        s = self.site
        s.add_user("a", "-d")
        s.ok("vmoveuserdir", "bob7@example.com", s.path("elsewhere"))
        s.ok("vreorg", "-l", "1", "-d", "example.com")
        self.assertEqual(s.sql("SELECT dir FROM users WHERE name = 'a'"), [(f"{self.base}/0/a,",)])
        self.assertEqual([self.homes()[n] for n in ("bob4", "bob6")], ["1/bob4", "2/bob6"])
        self.assertTrue(s.home("bob7@example.com").startswith(s.path("elsewhere")))
        s.add_user("bob8")
        self.assertEqual(self.homes()["bob8"], "3/bob8")

    def test_one_in_the_way(self):
        """What lies there stays, the user too, and nobody is given his place."""
        s = self.site
        os.mkdir(self.base + "/bob4")
        self.assertIn("in the way", self.fails(111, "vreorg", "-d", "example.com"))
        self.assertEqual(self.homes(), {"bob4": "1/bob4", "bob6": "0/bob6", "bob7": "0/bob7"})
        self.assertEqual(self.placed(), 7)
        self.whole()
        os.rmdir(self.base + "/bob4")
        s.ok("vreorg", "-d", "example.com")
        self.assertEqual((self.homes()["bob4"], self.placed()), ("bob4", 3))

    def test_wrong(self):
        empty = self.site.path("run", "empty")
        open(empty, "w").close()
        os.chmod(empty, 0o644)
        for argv in ([], ["-d"], ["-l", "0x", "-d", "example.com"], ["-d", "none.example"], ["-d", "../x"], ["-d", "example.com", "nobody"],
                     ["-d", "example.com", "bob4", "o'x;--"], ["-d", "example.com", "/no/such/list"], ["-d", "example.com", empty], ["-d", "example.com", "-"]):
            with self.subTest(argv):
                self.fails(100, "vreorg", *argv)
        self.assertEqual(self.placed(), 7)


@unittest.skipUnless(os.geteuid() == 0, "needs root: programs that give up root")
class AsRoot(unittest.TestCase):
    def test_owner(self):
        with UserSite(privileged=True) as s:
            s.add_domain()
            s.add_user("ann", "-d")
            maildir = s.home("ann@example.com") + "/Maildir"
            for argv in (["ann@example.com"], ["example.com"], ["-a"], [maildir], ["-u", "nobody", "-g", "nogroup", maildir]):
                with self.subTest(argv):
                    for path in glob.glob(maildir + "/maildirsize"):
                        os.unlink(path)
                    s.ok("resetquota", *argv)
                    self.assertEqual(os.stat(maildir + "/maildirsize").st_uid, 65534)
            os.chown(maildir, 0, 0)
            self.assertEqual(s.run(["resetquota", maildir]).returncode, 100)
            self.assertEqual(s.run(["resetquota", "-u", "root", maildir]).returncode, 100)
            os.chown(maildir, 65534, 65534)


if __name__ == "__main__":
    unittest.main()
