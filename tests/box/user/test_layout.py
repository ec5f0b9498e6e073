"""resetquota and printdir: mailboxes counted anew, and where they lie."""
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
