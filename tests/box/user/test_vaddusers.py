"""vaddusers: many users at once, on SQLite; whole, again, and what is refused."""
import os, subprocess, unittest
from usersite import HASH, UserSite


class Vaddusers(unittest.TestCase):
    def setUp(self):
        self.site = UserSite()
        self.addCleanup(self.site.close)
        self.site.add_domain()

    def load(self, text, *options, domain="example.com", code=0, **env):
        p = self.site.run(["vaddusers", *options, domain], input=text.encode(), env=self.site.env(**env))
        self.assertEqual(p.returncode, code, p.stderr.decode())
        return p.stderr.decode()

    def users(self):
        return dict((r[0], r[1:]) for r in self.site.sql("SELECT name, gecos, quota_bytes, quota_count, active, no_pop, no_imap FROM users"))

    def test_both_forms(self):
        said = self.load(f"# users\n\njoe:{HASH}\nAnn:{HASH}:Ann B.:1000,5\nold:{HASH}:1:10:Old:/home/v/old:2000S:clear", "-v", "-q", "10M")
        self.assertEqual(said, "added: 3, there before: 0\n")
        users = self.users()
        self.assertEqual(users["joe"], ("joe", 10485760, 0, 1, 0, 0))
        self.assertEqual(users["ann"], ("Ann B.", 1000, 5, 1, 0, 0))
        self.assertEqual(users["old"], ("Old", 2000, 0, 1, 1, 1))
        self.assertNotIn("clear", str(self.site.sql("SELECT * FROM users")))
        self.site.start_lookup("-i", "1", "-p", "1")
        self.assertEqual(self.site.query("verify", "ann@example.com", "imap", "192.0.2.1", password="secret")[0], 0)
        self.assertEqual(self.site.query("verify", "ann@example.com", "imap", "192.0.2.1", password="wrong")[0], 1)
        self.assertEqual(self.site.deliver("joe").returncode, 0)
        self.assertEqual(len(self.site.mails("joe@example.com")), 1)

    def test_again(self):
        lines = [f"u{i}:{HASH}\n" for i in range(2500)]
        self.load("".join(lines[:1200]))
        self.site.ok("vmoduser", "-c", "changed", "u7@example.com")
        self.assertEqual(self.load("".join(lines), "-v"), "added: 1300, there before: 1200\n")
        self.assertEqual(self.site.sql("SELECT gecos FROM users WHERE name = 'u7'"), [("changed",)])
        self.assertEqual(self.site.sql("SELECT count(*), count(DISTINCT dir) FROM users"), [(2501, 2501)])
        self.assertIn("u2499@example.com", self.site.ok("vuserinfo", "-n", "u2499@example.com"))

    def test_homes_are_kept(self):
        """As it is with vpopmail: the mail stays where it is."""
        home = self.site.path("home", "vpopmail", "domains", "example.com", "old")
        for name in ("cur", "new", "tmp"):
            os.makedirs(f"{home}/Maildir/{name}")
        with open(f"{home}/Maildir/new/1.a.b", "w") as f:
            f.write("Subject: from before\n\nx\n")
        if self.site.ids:
            subprocess.run(["chown", "-R", "nobody:nogroup", self.site.path("home")], check=True)
        self.load(f"old:{HASH}:1:0:Old:{home}:NOQUOTA\n", "-k")
        self.assertEqual(self.site.home("old@example.com"), home)
        self.site.start_lookup("-i", "1", "-p", "1")
        self.assertEqual(self.site.deliver("old").returncode, 0)
        self.assertEqual(len(self.site.mails("old@example.com")), 2)
        for line, said in ((f"new:{HASH}", "line 1: the directory is no"), (f"new:{HASH}:1:0:N:/srv/mail/other:NOQUOTA", "line 1: the directory does not end")):
            self.assertIn(said, self.load(line, "-k", code=100))

    def test_place_is_taken(self):
        """What lies where a home is to be may be another's mail: nobody of these is added, as with vadduser. An empty directory goes."""
        s = self.site
        s.add_user("gone", "-d")
        home = s.home("gone@example.com")
        os.rename(home, s.path("mail", "away"))
        s.ok("vdeluser", "gone@example.com")
        os.rename(s.path("mail", "away"), home)
        before = self.users()
        said = self.load(f"first:{HASH}\ngone:{HASH}\n", code=100)
        self.assertIn(home + ": lies there already", said)
        self.assertEqual(self.users(), before)
        self.assertIn("lies there already", s.run(["vadduser", "-e", "gone@example.com", "-"], input=HASH.encode()).stderr.decode())
        for sub in ("cur", "new", "tmp"):
            os.rmdir(f"{home}/Maildir/{sub}")
        os.rmdir(home + "/Maildir")
        self.load(f"first:{HASH}\ngone:{HASH}\n")
        self.assertEqual(set(self.users()) - set(before), {"first", "gone"})
        self.assertFalse(os.path.exists(home))

    def test_refused(self):
        before = self.users()
        for text, said in ((f"joe:{HASH}\nann:secret\n", "line 2: no hash"), (f"joe:{HASH}\n\nj/x:{HASH}\n", "line 3: "),
                           (f"joe:{HASH}\n" + "x" * 5000, "line 2: too long"), (f"joe:{HASH}:c:1Y\n", "line 1: not a quota"),
                           (f"joe:{HASH}\0\n", "line 1: there is a NUL")):
            self.assertIn(said, self.load(text, code=100))
            self.assertNotIn("secret", self.load(text, code=100))
        self.assertIn("there is no such domain", self.load(f"joe:{HASH}\n", domain="none.example", code=100))
        self.load(f"joe:{HASH}\n", domain="../x", code=100)
        self.load("", "-q", "x", code=100)
        self.assertEqual(self.users(), before)
        self.load("")
        self.assertEqual(self.users(), before)

    def test_limits(self):
        self.site.ok("vmoddomain", "-l", "1", "example.com")
        self.site.sql("INSERT INTO vlimits (domain, maxpopaccounts) VALUES ('example.com', 1001)")
        said = self.load("".join(f"u{i}:{HASH}\n" for i in range(1500)), code=100)
        self.assertIn("added: 1000, ", said)  # with postmaster that is all; the second thousand was taken back
        self.assertEqual(self.site.sql("SELECT count(*) FROM users"), [(1001,)])


if __name__ == "__main__":
    unittest.main()
