"""install_tables -t takes over a whole tree of vpopmail's: domains, users, aliases, with the mail where it is."""
import os, subprocess, unittest

from mariadbsite import MariaDB
from usersite import HASH, UserSite

MD5 = "$1$BjNbAalf$aeDKItGULt7d62tBB98iy."


class Tree(unittest.TestCase):
    def setUp(self):
        self.site = UserSite()
        self.addCleanup(self.site.close)
        self.vpopmail = self.site.path("vpopmail")
        self.assign = self.site.path("vpopmail", "assign")
        self.uid = 65534 if self.site.ids else os.geteuid()
        self.gid = 65534 if self.site.ids else os.getegid()
        os.mkdir(self.vpopmail)

    def dir(self, *names):
        return os.path.join(self.vpopmail, "domains", *names)

    def write(self, path, text, mode=0o644):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)

    def maildir(self, *names):
        for name in ("cur", "new", "tmp"):
            os.makedirs(self.dir(*names, "Maildir", name))
        self.write(self.dir(*names, "Maildir", "new", "1.a.b"), "Subject: from before\n\nx\n")

    def line(self, name, hash, domain="example.com", flags=0, comment="", quota="NOQUOTA", more=""):
        return f"{name}:{hash}:1:{flags}:{comment}:{self.dir(domain, name)}:{quota}{more}\n"

    def fill(self):
        ids = f"{self.uid}:{self.gid}"
        self.write(self.assign, "".join((
            f"+example.com-:example.com:{ids}:{self.dir('example.com')}:-::\n", f"+zwei.example-:zwei.example:{ids}:{self.dir('0', 'zwei.example')}:-::\n",
            f"+alias.example-:example.com:{ids}:{self.dir('example.com')}:-::\n", f"+root.example-:root.example:0:0:{self.dir('root.example')}:-::\n",
            f"+local-:local:{ids}:{self.dir('local')}:-::\n", f"+joe-:joe:{ids}:{self.dir('joe')}:-::\n", "=ann:ann:1000:1000:/home/ann:::\n",
            f"+bare.example-:bare.example:{ids}:{self.dir('bare.example')}:-::\n", ".\n")))
        self.write(self.dir("example.com", "vpasswd"), "".join((
            self.line("postmaster", HASH), self.line("joe", MD5, flags=0x82, comment="Joe O'Neil", quota="1000S,5C", more=":the password"),
            self.line("Ann", HASH).replace("/Ann:", "/ann:"), self.line("a/b", HASH), self.line("clear", "the password"), f"short:{HASH}\n", self.line("joe", HASH),
            self.line("other", HASH).replace("/other:", "/joe:"), "\n", "# a remark\n", "x" * 3000 + "\n", "the password\n", self.line("last", HASH).rstrip("\n"))))
        self.write(self.dir("0", "zwei.example", "vpasswd"), f"joe:{HASH}:1:0::{self.dir('0', 'zwei.example', 'joe')}:\n")
        self.write(self.dir("local", "vpasswd"), "")
        for domain in (("example.com",), ("0", "zwei.example"), ("local",)):
            self.write(self.dir(*domain, ".qmail-default"), "| /home/vpopmail/bin/vdelivermail '' delete\n")
        self.write(self.dir("bare.example", ".qmail-default"), "./Maildir/\n")
        self.write(self.dir("example.com", ".qmail-team"), "&joe@example.com\n# x\n&ann@example.com\n")
        self.write(self.dir("example.com", ".qmail-first:last"), "| program 'x'\n")
        self.write(self.dir("example.com", ".qmail-list"), "| ezmlm-send x\n")
        self.write(self.dir("example.com", ".qmailadmin-limits"), "maxpopaccounts 5\n")
        self.maildir("example.com", "joe")
        if self.site.ids:
            subprocess.run(["chown", "-R", "nobody:nogroup", self.vpopmail], check=True)

    def take(self, *options, code=1, **env):
        p = self.site.run(["install_tables", "-t", self.assign, *options], env=self.site.env(**env), timeout=60)
        self.said = p.stderr.decode()
        self.assertEqual(p.returncode, code, self.said)
        self.assertNotIn("the password", self.said)
        return p.stdout.decode()

    def left(self):
        return sorted(": ".join(l.split(": ")[1:3]) for l in self.said.splitlines() if ": not taken: " in l)

    LEFT = sorted(["domains: root.example", ".qmail files: .qmail-list", "vpasswd: example.com, line 4", "vpasswd: joe@example.com", "vpasswd: example.com, line 12",
                   "vpasswd: other@example.com", "vpasswd: short@example.com", "vpasswd: example.com, line 11"])

    def check(self):
        s = self.site
        self.assertEqual(s.sql("SELECT domain, uid, gid, dir FROM domains ORDER BY domain"),
                         [("bare.example", self.uid, self.gid, self.dir("bare.example")), ("example.com", self.uid, self.gid, self.dir("example.com")),
                          ("local", self.uid, self.gid, self.dir("local")),
                          ("zwei.example", self.uid, self.gid, self.dir("0", "zwei.example"))])
        self.assertEqual(s.sql("SELECT * FROM aliasdomain"), [("alias.example", "example.com")])
        self.assertEqual(s.sql("SELECT name, domain, hash, gecos, dir, quota_bytes, quota_count, active, no_pop, domain_admin FROM users ORDER BY domain, name"), [
            ("ann", "example.com", HASH, "ann", self.dir("example.com", "ann"), 0, 0, 1, 0, 0), ("clear", "example.com", "*", "clear", self.dir("example.com", "clear"), 0, 0, 1, 0, 0),
            ("joe", "example.com", MD5, "Joe O'Neil", self.dir("example.com", "joe"), 1000, 5, 1, 1, 0), ("last", "example.com", HASH, "last", self.dir("example.com", "last"), 0, 0, 1, 0, 0),
            ("postmaster", "example.com", HASH, "postmaster", self.dir("example.com", "postmaster"), 0, 0, 1, 0, 0),
            ("joe", "zwei.example", HASH, "joe", self.dir("0", "zwei.example", "joe"), 0, 0, 1, 0, 0)])
        self.assertEqual(s.sql("SELECT alias, domain, valias_line FROM valias ORDER BY alias, created"),
                         [("first.last", "example.com", "| program 'x'"), ("team", "example.com", "&joe@example.com"), ("team", "example.com", "&ann@example.com")])

    def test_sqlite(self):
        self.fill()
        before = subprocess.run(["find", self.vpopmail, "-printf", "%p %s %i\n"], capture_output=True, check=True).stdout
        self.assertIn("vpasswd: 6 taken, 0 there before, 6 not taken\n", self.take("-n"))
        self.assertEqual(self.left(), self.LEFT)
        self.assertEqual(subprocess.run(["find", self.vpopmail, "-printf", "%p %s %i\n"], capture_output=True, check=True).stdout, before)
        self.assertEqual(self.site.sql("SELECT COUNT(*) FROM domains"), [(0,)])
        out = self.take()
        for line in ("domains: 4 taken, 0 there before, 1 not taken", "alias domains: 1 taken", "vpasswd: 6 taken, 0 there before, 6 not taken",
                     ".qmail files: 2 taken, 0 there before, 1 not taken", "mailboxes: 1 there, 5 not there yet"):
            self.assertIn(line, out)
        self.assertEqual(self.left(), self.LEFT)
        for line in (".qmailadmin-limits: left aside", "bare.example: there is no vpasswd", "bare.example: has no .qmail-default that runs", "clear@example.com: taken without a password"):
            self.assertIn(line, self.said)
        self.check()
        out = self.take("-v")
        self.assertIn("vpasswd: 0 taken, 6 there before, 6 not taken\n", out)
        self.assertIn(".qmail files: 0 taken, 2 there before, 1 not taken\n", out)
        self.assertIn("is not there: the first delivery makes it", self.said)
        self.check()
        self.works()

    def works(self):
        """Mail comes in, and to where it was before; whoever knew the password of old still does."""
        s = self.site
        with open(s.path("control", "rcpthosts")) as f:
            self.assertEqual(sorted(f.read().split()), ["alias.example", "bare.example", "example.com", "local", "zwei.example"])
        with open(self.dir("example.com", ".qmail-default")) as f:
            self.assertEqual(f.read(), f"| {s.bin}/vdelivermail '' delete\n")
        with open(self.dir("bare.example", ".qmail-default")) as f:
            self.assertEqual(f.read(), "./Maildir/\n")
        s.start_lookup("-i", "1", "-p", "1")
        self.assertEqual(s.query("verify", "joe@alias.example", "imap", "192.0.2.1", password="p\xe4ss w0rd")[0], 0)
        self.assertEqual(s.query("verify", "clear@example.com", "imap", "192.0.2.1", password="the password")[0], 1)
        self.assertEqual(s.deliver("joe").returncode, 0)
        self.assertEqual(s.deliver("ann").returncode, 0)
        self.assertEqual([len(os.listdir(self.dir("example.com", n, "Maildir", "new"))) for n in ("joe", "ann")], [2, 1])

    def test_mariadb(self):
        self.fill()
        server = MariaDB()
        self.addCleanup(server.close)
        mysql = {"MYSQL_HOST": server.host()}
        for _ in range(2):
            self.take("-k", **mysql)
            self.assertEqual(self.left(), self.LEFT)
        self.site.ok("vconvert", "mysql", "sqlite", env=self.site.env(**mysql))
        self.check()

    def test_wrong_use(self):
        self.take(code=100)
        self.write(self.assign, "what is this\n.\n")
        self.take(code=100)
        self.write(self.assign, f"+gone.example-:gone.example:{self.uid}:{self.gid}:{self.dir('gone.example')}:-::\n.\n")
        self.take()
        self.assertIn("gone.example: unable to create", self.said)
        self.assertIn("gone.example", self.site.ok("vdominfo"))
        os.makedirs(self.dir())
        if self.site.ids:
            os.chown(self.dir(), 65534, 65534)
        self.take(code=0)
        self.assertTrue(os.path.exists(self.dir("gone.example", ".qmail-default")))


@unittest.skipUnless(os.geteuid() == 0, "needs root: programs that give up root")
class AsRoot(Tree):
    """The same by root, of an owner who is nobody of ours: his files are read as his, and stay so."""

    def setUp(self):
        import pwd
        self.site = UserSite(privileged=True)
        self.addCleanup(self.site.close)
        self.vpopmail = self.site.path("vpopmail")
        self.assign = self.site.path("vpopmail", "assign")
        games = pwd.getpwnam("games")
        self.uid, self.gid = games.pw_uid, games.pw_gid
        os.mkdir(self.vpopmail)

    def fill(self):
        super().fill()
        subprocess.run(["chown", "-R", "games:games", self.vpopmail], check=True)
        os.chmod(self.dir("example.com", "vpasswd"), 0o600)
        os.chmod(self.dir("example.com"), 0o700)
        os.chmod(self.dir("example.com", ".qmail-team"), 0o600)

    def works(self):
        s = self.site
        self.assertEqual(s.ok("vdominfo", "--check", "example.com"), "")
        for path, uid in ((self.dir("example.com"), self.uid), (self.dir("example.com", ".qmail-default"), self.uid), (self.dir("example.com", "vpasswd"), self.uid),
                          (s.db_path(), 65534), (s.path("mail", "A2E", "example.com"), self.uid)):
            self.assertEqual(os.stat(path).st_uid, uid, path)


if __name__ == "__main__":
    unittest.main()
