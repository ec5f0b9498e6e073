"""vadddomain, vadduser and their kin: what they make, refuse, print, and how they exit."""
import glob, json, os, pty, shutil, sqlite3, stat, subprocess, termios, time, unittest, xml.etree.ElementTree
from box import wait_for
from usersite import HASH, UserSite


class Base(unittest.TestCase):
    def setUp(self):
        self.site = UserSite()
        self.addCleanup(self.site.close)

    def text(self, *names):
        with open(self.site.path(*names)) as f:
            return f.read()

    def fails(self, code, *argv, input=b"", **kw):
        p = self.site.run(list(argv), input=input, **kw)
        self.assertEqual(p.returncode, code, (argv, p.stderr))
        self.assertEqual(p.stderr.count(b"\n"), 1, p.stderr)
        return p.stderr.decode()


class Programs(Base):
    def test_domain(self):
        s = self.site
        s.control("rcpthosts", "other.example\n")
        s.control("locals", "mail.example.com\nexample.com\n")
        s.ok("vadddomain", "-v", "-R", "example.com", "-", input=b"secret\n")
        self.assertEqual(self.text("control", "rcpthosts"), "other.example\nexample.com\n")
        self.assertEqual(self.text("control", "virtualdomains"), "example.com:example.com\n")
        self.assertEqual(self.text("control", "locals"), "mail.example.com\n")
        self.assertEqual(self.text("control", "chkrcptdomains"), "example.com\n")
        self.assertRegex(self.text("users", "assign"), r"^\+example\.com-:example\.com:\d+:\d+:/.*/domains/example\.com:-::\n\.\n$")
        self.assertTrue(os.path.getsize(s.path("users", "cdb")) > 2048)
        self.assertEqual(self.text("domains", "example.com", ".qmail-default"),
                         f"| {s.env()['QMAILBIN']}/vdelivermail '' bounce-no-mailbox\n")
        self.assertEqual(stat.S_IMODE(os.stat(s.path("domains", "example.com", ".qmail-default")).st_mode), 0o640)
        self.assertEqual(stat.S_IMODE(os.stat(s.path("userdb")).st_mode), 0o700)
        self.assertEqual(stat.S_IMODE(os.stat(s.db_path()).st_mode), 0o600)
        self.assertIn("postmaster@example.com", s.ok("vuserinfo", "-n", "postmaster@example.com"))
        self.assertEqual(s.ok("valias", "-s", "@example.com"),
                         "abuse -> &postmaster@example.com\nmailer-daemon -> &postmaster@example.com\n")
        before = self.text("domains", "example.com", ".qmail-default")
        self.assertIn("exists", self.fails(100, "vadddomain", "-e", "-E", "x@y.example", "example.com", "-",
                                           input=HASH.encode()))
        self.assertEqual(self.text("domains", "example.com", ".qmail-default"), before)
        self.assertEqual(s.ok("vdominfo", "-n"), "domain        : example.com\n")
        s.ok("vdeldomain", "example.com")
        self.assertEqual(self.text("control", "rcpthosts"), "other.example\n")
        self.assertEqual(self.text("control", "virtualdomains"), "")
        self.assertEqual(self.text("users", "assign"), ".\n")
        self.assertFalse(os.path.exists(s.path("domains", "example.com")))
        self.assertEqual(glob.glob(s.path("mail", "*", "*")), [])
        self.assertIn("no such domain", self.fails(100, "vdeldomain", "example.com"))
        self.fails(1, "vdominfo", "example.com")

    def test_domain_options(self):
        s = self.site
        base = s.path("elsewhere")
        s.add_domain("one.example", "-E", "catchall@one.example", "-B", base, "-q", "1M,10")
        self.assertTrue(self.text("domains", "one.example", ".qmail-default").endswith(" '' catchall@one.example\n"))
        self.assertIn(f"base dir      : {base}\n", s.ok("vdominfo", "one.example"))
        self.assertIn("quota         : 1048576S,10C\n", s.ok("vuserinfo", "postmaster@one.example"))
        self.assertTrue(s.home("postmaster@one.example").startswith(base + "/L2P/one.example/"))
        for args in (["-E", "no'quotes", "x.example"], ["-B", "relative", "x.example"], ["-q", "much", "x.example"],
                     ["-u", "no-such-account", "x.example"], ["-u", "root", "x.example"], ["-i", "0", "x.example"],
                     ["-h", "MD5", "x.example"], ["-h", "DES", "x.example"]):
            with self.subTest(args):
                self.fails(100, "vadddomain", *args, "-", input=b"secret\n")
                self.assertFalse(os.path.exists(s.path("domains", "x.example")))

    def test_bad_names(self):
        s = self.site
        s.add_domain()
        for domain in ("", "UPPER.example", "a..b", ".a", "a.", "-a.b", "a-.b", "a/b", "..", "a b", "a'b", 'a"b',
                       "a;b", "a:b", "x'; DROP TABLE users; --", "é.example", "a" * 64 + ".example",
                       ".".join(["abcdefgh"] * 30)):
            with self.subTest(domain):
                self.fails(100, "vadddomain", "-e", "--", domain, "-", input=HASH.encode())
        for user in ("", ".", "..", "a..b", ".a", "a.", "a/b", "../x", "a b", '"a b"', 'a"b', "A", "a:b", "a,b",
                     "a@b", "a;b", "a(b", "a\\b", "-a", "x' OR name='y'; --", "é", "a\nb", "a" * 65):
            with self.subTest(user):
                self.fails(100, "vadduser", "-e", "--", user + "@example.com", "-", input=HASH.encode())
        self.assertEqual(s.sql("SELECT name FROM users"), [("postmaster",)])

    def test_odd_names_are_stored_exactly(self):
        s = self.site
        s.add_domain()
        names = ["o'brien", "a" * 64, "x%y_z", "it's`{}|~", "1", "a", "a.b-c+d=e", "m$home", "x'--"]
        for name in names:
            address = s.add_user(name, "-d")
            self.assertEqual(s.ok("vuserinfo", "-n", address), f"name          : {address}\n")
            self.assertTrue(os.path.isdir(s.home(address) + "/Maildir/new"))
        self.assertEqual(sorted(n for n, in s.sql("SELECT name FROM users")), sorted(names + ["postmaster"]))
        self.assertEqual(len({s.home(f"{n}@example.com") for n in names}), len(names))
        for name in names:
            s.ok("vdeluser", f"{name}@example.com")
        self.assertEqual(s.sql("SELECT name FROM users"), [("postmaster",)])
        self.assertEqual(glob.glob(s.path("mail", "*", "example.com", "*")), [])

    def test_user(self):
        s = self.site
        s.add_domain()
        s.add_user("alice", "-c", "Alice Example", "-q", "10M,100")
        self.assertIn("exists", self.fails(100, "vadduser", "-e", "alice@example.com", "-", input=HASH.encode()))
        self.assertIn("no such domain", self.fails(100, "vadduser", "-e", "a@none.example", "-", input=HASH.encode()))
        info = s.ok("vuserinfo", "alice@example.com")
        self.assertIn("gecos         : Alice Example\n", info)
        self.assertIn("quota         : 10485760S,100C\n", info)
        self.assertIn("(missing)", info)
        self.assertNotIn("$6$", info)
        self.assertRegex(info, r"added +: \d{4}-")
        for quota in ("-1", "x", "99999999999999999999", "1,2,3", "1Q"):
            with self.subTest(quota):
                self.fails(100, "vadduser", "-e", "-q", quota, "q@example.com", "-", input=HASH.encode())
        self.fails(100, "vadduser", "-e", "-c", "a:b", "c@example.com", "-", input=HASH.encode())
        s.add_user("idle", "-i")
        self.assertIn("state         : inactive\n", s.ok("vuserinfo", "idle@example.com"))
        self.assertEqual(s.sql("SELECT pw_name FROM indibak"), [("idle",)])
        self.fails(1, "vuserinfo", "nobody@example.com")
        self.fails(100, "vuserinfo", "nobody")
        self.fails(100, "vdeluser", "nobody@example.com")
        s.ok("vdeluser", "-v", "alice@example.com")
        self.fails(100, "vdeluser", "alice@example.com")

    def test_what_leads_to_a_removed_user(self):
        """Aliases that name him, by his address or by his home, would bring his mail back."""
        s = self.site
        s.add_domain()
        for name in ("alice", "alice2"):
            s.add_user(name)
            for line in (s.home(name + "@example.com") + "/Maildir/", f"&{name}@example.com"):
                s.ok("valias", "-i", line, "team@example.com")
        s.ok("vdeluser", "alice@example.com")
        lines = s.ok("valias", "-s", "team@example.com").splitlines()
        self.assertEqual(sorted(lines), ["team -> &alice2@example.com", "team -> " + s.home("alice2@example.com") + "/Maildir/"])

    def test_home_that_is_there(self):
        """Mail of somebody else is not given to a new user of the name."""
        s = self.site
        s.add_domain()
        s.add_user("alice", "-d")
        home = s.home("alice@example.com")
        s.sql("DELETE FROM users WHERE name = 'alice'")
        for options in ([], ["-d"]):
            self.assertIn(home, self.fails(100, "vadduser", *options, "-e", "alice@example.com", "-", input=HASH.encode()))
        self.assertEqual(s.run(["vuserinfo", "alice@example.com"]).returncode, 1)
        shutil.rmtree(home)
        os.mkdir(home)  # with nothing in it
        if s.ids:
            os.chown(home, 65534, 65534)
        s.add_user("alice")
        self.assertEqual(s.home("alice@example.com"), home)

    def test_reserved_names_want_a_yes(self):
        s = self.site
        s.add_domain()
        for answer, code in ((b"", 100), (b"n\n", 100), (b"y\n", 0)):
            self.assertEqual(s.run(["vdeluser", "postmaster@example.com"], input=answer).returncode, code)

    def test_passwords(self):
        s = self.site
        s.add_domain()
        hash_of = lambda: s.sql("SELECT hash FROM users WHERE name = 'u'")[0][0]
        s.ok("vadduser", "u@example.com", "from-argv")
        self.assertTrue(hash_of().startswith("$y$"))
        s.ok("vpasswd", "-h", "SHA-512", "u@example.com", input=b"from stdin\n")
        self.assertTrue(hash_of().startswith("$6$"))
        s.ok("vpasswd", "-h", "BCRYPT", "u@example.com", "-", input=b"from stdin\n")
        self.assertTrue(hash_of().startswith("$2b$"))
        out = s.ok("vpasswd", "-r", "20", "u@example.com")
        self.assertRegex(out, r"^password: [A-Za-z0-9]{20}\n$")
        s.ok("vpasswd", "-e", "u@example.com", HASH)
        self.assertEqual(hash_of(), HASH)
        for args, text in ((["-e"], b"plain\n"), (["-e"], b"$1$abcdefgh$aaaaaaaaaaaaaaaaaaaaaa\n"),
                           (["-e"], b"abJnggxhB/yWI\n"), ([], b"\n"), ([], b""), (["-h", "MD5"], b"x\n"),
                           ([], b"x" * 300 + b"\n"), ([], b"nul\0\n"), (["-r", "0", "-h", "NONE"], b"x\n")):
            with self.subTest(args=args, text=text):
                self.fails(100, "vpasswd", *args, "u@example.com", "-", input=text)
                self.assertEqual(hash_of(), HASH)
        self.fails(100, "vpasswd", "-e", "nobody@example.com", "-", input=HASH.encode())

    def test_client_config(self):
        s = self.site
        s.control("me", "mail.example.com\n")
        text = s.ok("vdominfo", "--client-config", "example.com")
        self.assertIn("_imaps._tcp.example.com. IN SRV 0 1 993 mail.example.com.\n", text)
        self.assertIn("_submissions._tcp.example.com. IN SRV 0 1 465 mail.example.com.\n", text)
        got = json.loads(s.ok("vdominfo", "--client-config", "--json", "example.com"))
        root = xml.etree.ElementTree.fromstring(got["autoconfig"].split("?>", 1)[1])
        servers = [(e.tag, e.get("type"), e.findtext("hostname"), e.findtext("port"), e.findtext("socketType")) for e in root[0] if e.get("type")]
        self.assertEqual(servers[0], ("incomingServer", "imap", "mail.example.com", "993", "SSL"))
        self.assertIn(("outgoingServer", "smtp", "mail.example.com", "587", "STARTTLS"), servers)
        root = xml.etree.ElementTree.fromstring(got["autodiscover"].split("?>", 1)[1])
        ports = {p.findtext("{*}Type"): p.findtext("{*}Port") for p in root.iter() if p.tag.endswith("}Protocol")}
        self.assertEqual(ports, {"IMAP": "993", "POP3": "995", "SMTP": "465"})
        for argv in (["--client-config"], ["--client-config", "--check", "example.com"], ["--client-config", "a b"], ["--client-config", "<x>"]):
            self.assertEqual(s.run(["vdominfo", *argv]).returncode, 100, argv)

    def test_interrupted(self):
        """^C where a password is asked for leaves the terminal as it was."""
        s = self.site
        s.add_domain()
        for typed, text in ((b"secret\n", "Once more"), (b"", "New password")):
            ours, theirs = pty.openpty()
            p = s.spawn(["/usr/bin/setsid", "-w", "-c", s.env()["QMAILBIN"] + "/vadduser", "eve@example.com"], stdin=theirs, stdout=theirs, stderr=theirs)
            echo = lambda: termios.tcgetattr(theirs)[3] & termios.ECHO
            wait_for(lambda: not echo(), what="the question")
            os.write(ours, typed)
            seen = b""
            while text.encode() not in seen:
                seen += os.read(ours, 4096)
            os.write(ours, b"\x03")
            self.assertNotEqual(p.wait(20), 0)
            self.assertTrue(echo(), text)
            os.close(ours)
            os.close(theirs)
        self.assertEqual(s.run(["vuserinfo", "eve@example.com"]).returncode, 1)
        ours, theirs = pty.openpty()
        p = s.spawn(["/usr/bin/setsid", "-w", "-c", s.env()["QMAILBIN"] + "/vadduser", "eve@example.com"], stdin=theirs, stdout=theirs, stderr=theirs)
        for text in (b"New password", b"Once more"):
            seen = b""
            while text not in seen:
                seen += os.read(ours, 4096)
            os.write(ours, b"a secret word\n")
        self.assertEqual(p.wait(20), 0)
        os.close(ours)
        os.close(theirs)

    def test_argument_is_overwritten(self):
        """A password given as an argument does not stay in the list of processes."""
        s = self.site
        s.add_domain()
        s.sql("SELECT 1")
        db = sqlite3.connect(s.db_path(), isolation_level=None)
        db.execute("BEGIN EXCLUSIVE")  # vpasswd has hashed, and waits here
        p = s.spawn(["vpasswd", "postmaster@example.com", "hunter2hunter2"], stderr=subprocess.DEVNULL)
        seen = lambda: open(f"/proc/{p.pid}/cmdline", "rb").read()
        wait_for(lambda: b"vpasswd" in seen() and b"hunter2" not in seen(), what="the password to vanish")
        db.execute("ROLLBACK")
        db.close()
        self.assertEqual(p.wait(20), 0)

    def test_aliases(self):
        s = self.site
        s.add_domain()
        s.add_user("bob")
        s.ok("valias", "-i", "&bob@example.com", "team@example.com")
        s.ok("valias", "-i", "&ann@other.example", "team@example.com")
        s.ok("valias", "-i", "| cat 'x' > /dev/null", "prog@example.com")
        self.fails(1, "valias", "-i", "&bob@example.com", "team@example.com")
        self.fails(1, "valias", "-i", "&bob@example.com", "x@none.example")
        self.assertEqual(sorted(s.ok("valias", "-s", "TEAM@example.com").splitlines()),
                         ["team -> &ann@other.example", "team -> &bob@example.com"])
        self.assertEqual(s.ok("valias", "-S", "bob@example.com"), "team@example.com\n")
        s.ok("valias", "-u", "&ann@other.example", "-i", "&eve@other.example", "team@example.com")
        self.assertIn("eve@other.example", s.ok("valias", "-s", "team@example.com"))
        s.ok("valias", "-d", "&eve@other.example", "team@example.com")
        self.fails(1, "valias", "-d", "&eve@other.example", "team@example.com")
        self.fails(1, "valias", "-s", "none@example.com")
        for line in ("", "x", "a b@c", "&@c", "a@", "a@b\nc@d", "&" + "a" * 1100 + "@b"):
            with self.subTest(line):
                self.fails(100, "valias", "-i", line, "team@example.com")
        # removing a user removes it from the aliases of others
        s.ok("vdeluser", "bob@example.com")
        self.fails(1, "valias", "-s", "team@example.com")

    def test_usage(self):
        for argv in (["vadddomain"], ["vadddomain", "-Z", "x"], ["vadduser"], ["vadduser", "a", "b", "c"], ["vdeluser"],
                     ["vdeldomain"], ["vpasswd"], ["vuserinfo"], ["vdominfo", "a", "b"], ["valias", "x@y"],
                     ["valias", "-s", "-S", "x@y"], ["valias", "-u", "x", "x@y"], ["vdelivermail"],
                     ["vdelivermail", "", "no-such-action"], ["qmail-newu", "a", "b"], ["qmail-getpw"], ["maildirmake"],
                     ["qmaildirmake", "a", "b"], ["inlookup", "x"], ["inlookup", "-i", "0"], ["inquerytest", "x"],
                     ["inquerytest", "-q", "nothing", "x"], ["imaplogin"], ["imaplogin", "x"], ["pop3login", "x"],
                     ["vchkpass", "-x"]):
            with self.subTest(argv):
                env = self.site.env(EXT="a", HOST="b", SENDER="c")
                p = self.site.run(argv, env=env)
                self.assertEqual(p.returncode, 100, p.stderr)
                self.assertRegex(p.stderr, rb"\Ausage: [^\n]*\n\Z")

    def test_no_database(self):
        s = self.site
        for argv in (["vadduser", "-e", "a@example.com", "-"], ["vpasswd", "-e", "a@example.com", "-"],
                     ["vuserinfo", "a@example.com"], ["vdominfo"], ["valias", "-s", "a@example.com"],
                     ["vdeluser", "a@example.com"]):
            with self.subTest(argv):
                self.fails(111, *argv, input=HASH.encode())
        self.assertFalse(os.path.exists(s.db_path()))
        s.add_domain()
        with open(s.db_path(), "r+b") as f:
            f.write(b"this is no database any more" * 100)
        self.fails(111, "vuserinfo", "postmaster@example.com")
        self.fails(111, "vadduser", "-e", "a@example.com", "-", input=HASH.encode())

    def test_full_and_bad_control_files(self):
        s = self.site
        s.add_domain()
        with open(s.path("users", "assign"), "w") as f:
            f.write("garbage\n.\n")
        self.assertIn("assign:1", self.fails(111, "qmail-newu"))
        self.assertIn("assign:1", self.fails(100, "vadddomain", "-e", "two.example", "-", input=HASH.encode()))
        self.assertNotIn("two.example", self.text("control", "rcpthosts"))
        with open(s.path("users", "assign"), "w") as f:
            f.write(".\n")
        s.add_domain("two.example")  # what was left half made is finished
        self.assertIn("two.example", self.text("control", "rcpthosts"))
        s.control("timeoutread", "soon\n")
        self.assertIn("timeoutread:1", self.fails(100, "vdominfo"))

    def test_directories(self):
        """The two-hundredth user of a bucket goes two directories on."""
        s = self.site
        s.add_domain()
        for i in range(1, 7):
            s.add_user(f"bob{i}", "-l", "2")
        homes = [s.home(f"bob{i}@example.com") for i in range(1, 7)]
        base = s.path("mail", "A2E", "example.com")
        self.assertEqual(homes, [f"{base}/bob1", f"{base}/0/bob2", f"{base}/0/bob3", f"{base}/1/bob4", f"{base}/1/bob5",
                                 f"{base}/2/bob6"])

    def test_maildirmake(self):
        s = self.site
        d = s.path("run", "Maildir")
        for program in ("maildirmake", "qmaildirmake"):
            s.ok(program, d)
            self.assertEqual(sorted(os.listdir(d)), ["cur", "new", "tmp"])
            self.assertEqual({stat.S_IMODE(os.stat(os.path.join(d, x)).st_mode) for x in os.listdir(d)}, {0o700})
        self.fails(111, "maildirmake", s.path("none", "Maildir"))

    def test_getpw(self):
        s = self.site
        p = s.run(["qmail-getpw", "root"])
        self.assertNotIn(b"root\x000\x00", p.stdout)  # never root
        p = s.run(["qmail-getpw", "no-such-account-here"])
        try:
            import pwd
            alias = pwd.getpwnam("alias")
            self.assertEqual(p.stdout.split(b"\0")[:3], [b"alias", b"%d" % alias.pw_uid, b"%d" % alias.pw_gid])
            self.assertEqual(p.stdout.split(b"\0")[3:], [s.path("alias").encode(), b"-", b"no-such-account-here", b""])
        except KeyError:
            self.assertEqual(p.returncode, 116)


@unittest.skipUnless(os.geteuid() == 0, "needs root: programs that give up root")
class AsRoot(unittest.TestCase):
    def test_another_place(self):
        """A home in a directory of root's: its owner is let in, with -B and -b, so that mail can be delivered."""
        import pwd
        with UserSite(privileged=True) as s:
            games = pwd.getpwnam("games").pw_uid
            s.ok("vadddomain", "-e", "-u", "games", "games.example", "-", input=HASH.encode())
            os.mkdir(s.path("disk"))
            s.ok("vfstab", "-i", "-q", "1G", s.path("disk"))
            for option, name in ((["-B", s.path("disk")], "ann"), (["-b"], "bob")):
                s.ok("vadduser", "-d", "-e", *option, f"{name}@games.example", "-", input=HASH.encode())
                home = s.home(f"{name}@games.example")
                self.assertTrue(home.startswith(s.path("disk", "A2E", "games.example")))
                self.assertEqual(os.stat(home + "/Maildir/new").st_uid, games)
            self.assertEqual(os.stat(s.path("control", "lastfstab")).st_uid, 0)

    def test_everything_belongs_to_the_mail_user(self):
        with UserSite(privileged=True) as s:
            s.add_domain()
            s.add_user("alice", "-d")
            for path in (s.path("userdb"), s.db_path(), s.path("domains", "example.com"),
                         s.path("domains", "example.com", ".qmail-default"), s.home("alice@example.com") + "/Maildir/new"):
                self.assertEqual(os.stat(path).st_uid, 65534, path)
            self.assertIn(":65534:", open(s.path("users", "assign")).read())
            s.ok("vadddomain", "-e", "-u", "games", "games.example", "-", input=HASH.encode())
            s.add_user("player@games.example", "-d")
            import pwd
            games = pwd.getpwnam("games").pw_uid
            self.assertEqual(os.stat(s.home("player@games.example") + "/Maildir").st_uid, games)
            self.assertEqual(os.stat(s.db_path()).st_uid, 65534)
            s.ok("vdeluser", "player@games.example")
            s.ok("vdeldomain", "games.example")
            s.ok("vdeldomain", "example.com")

    def test_missing_mail_user(self):
        with UserSite(privileged=True) as s:
            p = s.run(["vadddomain", "-e", "example.com", "-"], input=HASH.encode(),
                      env=s.env(INDIMAILUSER="no-such-account"))
            self.assertIn(p.returncode, (100, 111))
            self.assertIn(b"no-such-account", p.stderr)

class Changes(Base):
    """vmoduser, vsetuserquota, vaddaliasdomain."""

    def setUp(self):
        super().setUp()
        self.site.add_domain()
        self.site.add_user("alice", "-q", "1000,5")

    def show(self, what, user="alice"):
        return self.site.ok("vuserinfo", what, f"{user}@example.com").splitlines()[0].split(": ", 1)[1]

    def mod(self, *argv, user="alice", **kw):
        return self.site.ok("vmoduser", *argv, f"{user}@example.com", **kw)

    def flags(self, user="alice"):
        return self.site.sql("SELECT pw_gid FROM allusers WHERE pw_name = ?", user)[0][0]

    def test_flags(self):
        bits = dict(zip("dpwibruas0123o", (1 << i for i in range(14))))
        for letter, bit in bits.items():
            self.mod("-x", "-" + letter)
            self.assertEqual(self.flags(), bit, letter)
        self.mod("-xpi")
        self.mod("-s")
        self.assertEqual(self.flags(), bits["p"] | bits["i"] | bits["s"])
        self.mod("-tpd")
        self.assertEqual(self.flags(), bits["d"] | bits["i"] | bits["s"])
        self.mod("-x")
        self.assertEqual(self.flags(), 0)
        self.assertEqual(self.flags("postmaster"), 0)

    def test_changes(self):
        s = self.site
        odd = "O'Neil; DROP TABLE users; -- $(id) é"
        self.mod("-c", odd)
        self.assertIn(odd, s.ok("vuserinfo", "-c", "alice@example.com"))
        s.start_lookup()
        self.mod("-n")
        self.assertEqual(s.query("user", "alice@example.com"), (0, ["ok", "inactive"]))
        self.mod("-n")
        self.assertEqual(s.query("user", "alice@example.com"), (0, ["ok", "active"]))
        self.mod("-P", "-", input=b"another\n")
        self.assertEqual(s.query("verify", "alice@example.com", "imap", "192.0.2.1", password="another")[0], 0)
        self.assertEqual(s.query("verify", "alice@example.com", "imap", "192.0.2.1", password="secret")[0], 1)
        self.mod("-e", "-P", HASH)
        self.assertEqual(s.query("verify", "alice@example.com", "imap", "192.0.2.1", password="secret")[0], 0)

    def test_quota(self):
        s = self.site
        s.start_lookup()
        self.assertEqual(s.deliver("alice").returncode, 0)
        size = os.path.getsize(glob.glob(s.home("alice@example.com") + "/Maildir/new/*")[0])
        self.assertEqual(s.ok("vsetuserquota", "alice@example.com", "2M,10"), f"{size} bytes, 1 messages\n")
        self.assertIn("2097152S,10C", s.ok("vuserinfo", "alice@example.com"))
        maildirsize = open(s.home("alice@example.com") + "/Maildir/maildirsize").read().splitlines()
        self.assertEqual(maildirsize[0], "2097152S,10C")
        self.assertEqual([int(w) for w in maildirsize[1].split()], [size, 1])
        for by, then in (("+1M", "3145728S,10C"), ("-2M", "1048576S,10C")):
            self.mod("-q", by)
            self.assertIn(then, s.ok("vuserinfo", "alice@example.com"))
        for bad in ("-1M", "-9G", "+", "+0", "+1,1", "much", "-", "+9223372036854775807", "99999999999999999999"):
            self.assertIn("quota", self.fails(100, "vmoduser", "-q", bad, "alice@example.com"), bad)
        self.assertIn("1048576S,10C", s.ok("vuserinfo", "alice@example.com"))
        self.mod("-q", "NOQUOTA")
        self.assertIn("could be changed", self.fails(100, "vmoduser", "-q", "+1M", "alice@example.com"))
        s.add_user("unused")
        self.assertEqual(s.ok("vsetuserquota", "unused@example.com", "1M"), "0 bytes, 0 messages\n")

    def test_bad_changes(self):
        for argv in (["-c", "a:b"], ["-c", "a\nb"], ["-c", "x" * 256], [], ["-v"], ["-Z"], ["-q"]):
            self.assertEqual(self.site.run(["vmoduser", *argv, "alice@example.com"]).returncode, 100, argv)
        for who in ("nobody@example.com", "alice@other.example", "alice", "a'b;--@example.com"):
            self.fails(100, "vmoduser", "-p", who)
            self.fails(100, "vsetuserquota", who, "1M")
        self.fails(100, "vmoduser", "-P", "-", "alice@example.com", input=b"\n")

    def test_json(self):
        """What programs read says the same as what people read, and holds any text."""
        s = self.site
        odd = "O'Neil \"é€📧\" \\\\ {}"
        self.mod("-c", odd)
        self.mod("-pb")
        for line in ("| echo '\"\\\\é\"'", "&bob@far.example"):
            s.ok("valias", "-i", line, "alice@example.com")
        s.ok("valias", "-i", "&alice@example.com", "team@example.com")
        s.ok("vaddaliasdomain", "other.example", "example.com")
        user = json.loads(s.ok("vuserinfo", "--json", "alice@other.example"))
        self.assertEqual(user["address"], "alice@example.com")
        self.assertEqual((user["gecos"], user["flags"], user["active"], user["dir_state"]), (odd, ["no POP3", "mail bounces"], True, "missing"))
        self.assertEqual((user["quota_bytes"], user["quota_count"], user["mailbox"], user["passwd"]), (1000, 5, False, "SHA-512"))
        self.assertEqual(sorted(user["forwards"]), ["&bob@far.example", "| echo '\"\\\\é\"'"])
        self.assertTrue(abs(user["added"] - time.time()) < 60)
        self.assertEqual(list(json.loads(s.ok("vuserinfo", "-nq", "--json", "alice@example.com"))), ["address", "quota_bytes", "quota_count"])
        self.assertNotIn("$6$", s.ok("vuserinfo", "--json", "alice@example.com"))
        rows = json.loads(s.ok("valias", "-s", "--json", "alice@other.example"))
        self.assertEqual(sorted(r["line"] for r in rows), sorted(user["forwards"]))
        self.assertEqual({(r["alias"], r["domain"]) for r in rows}, {("alice", "example.com")})
        self.assertIn({"alias": "team", "domain": "example.com", "line": "&alice@example.com"},
                      json.loads(s.ok("valias", "--json", "-s", "@other.example")))
        self.assertEqual(json.loads(s.ok("valias", "--json", "-S", "alice@example.com")), [{"alias": "team", "domain": "example.com"}])
        domain = json.loads(s.ok("vdominfo", "--json", "other.example"))
        self.assertEqual((domain["domain"], domain["users"], domain["active"], domain["limits"], domain["aliases"]),
                         ("example.com", 2, 2, False, ["other.example"]))
        self.assertEqual([d["domain"] for d in json.loads(s.ok("vdominfo", "-n", "--json"))], ["example.com"])
        for argv in (["vuserinfo", "--jsom", "alice@example.com"], ["valias", "--json", "-i", "| x", "a@example.com"], ["valias", "--", "-s"],
                     ["vdominfo", "--json=1"]):
            self.fails(100, *argv)
        self.fails(1, "vuserinfo", "--json", "nobody@example.com")
        self.fails(1, "valias", "-s", "--json", "none@example.com")

    def test_alias_domain(self):
        s = self.site
        s.control("locals", "mail.example.com\nnew.example\n")
        s.ok("vaddaliasdomain", "-v", "new.example", "example.com")
        s.ok("vaddaliasdomain", "newer.example", "new.example")
        self.assertEqual(self.text("control", "virtualdomains"), "example.com:example.com\nnew.example:example.com\nnewer.example:example.com\n")
        self.assertEqual(self.text("control", "rcpthosts").split(), ["example.com", "new.example", "newer.example"])
        self.assertEqual(self.text("control", "locals"), "mail.example.com\n")
        s.start_lookup()
        self.assertEqual(s.query("domain", "newer.example"), (0, ["ok", "example.com"]))
        self.assertEqual(s.query("verify", "alice@new.example", "imap", "192.0.2.1", password="secret")[0], 0)
        self.assertEqual(s.deliver("alice", host="new.example").returncode, 0)
        self.assertEqual(len(s.mails("alice@example.com")), 1)
        for argv in (["example.com", "example.com"], ["x.example", "none.example"], ["a/b", "example.com"], ["x.example", "a b"]):
            self.fails(100, "vaddaliasdomain", *argv)
        s.add_domain("other.example")
        self.assertIn("exists", self.fails(100, "vaddaliasdomain", "other.example", "example.com"))
        self.assertIn("exists", self.fails(100, "vaddaliasdomain", "new.example", "other.example"))
        s.ok("vaddaliasdomain", "new.example", "example.com")  # again: as after a program that was stopped
        self.assertEqual(self.text("control", "virtualdomains").count("new.example"), 1)
        s.ok("vdeldomain", "new.example")
        self.assertEqual(self.text("control", "rcpthosts").split(), ["example.com", "newer.example", "other.example"])
        self.assertEqual(s.query("domain", "new.example"), (1, ["none"]))
        self.assertEqual(len(s.mails("alice@example.com")), 1)
        s.ok("vdeldomain", "example.com")
        self.assertEqual(self.text("control", "rcpthosts").split(), ["other.example"])
        self.assertEqual(self.text("control", "virtualdomains"), "other.example:other.example\n")
        self.assertEqual(s.sql("SELECT COUNT(*) FROM aliasdomain"), [(0,)])


if __name__ == "__main__":
    unittest.main()
