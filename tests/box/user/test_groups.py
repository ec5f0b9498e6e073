"""vgroup, vcalias, vcaliasrev.sh: groups, and aliases as files and back."""
import os, stat, unittest
from usersite import HASH, UserSite


class Base(unittest.TestCase):
    privileged = False

    def setUp(self):
        self.site = UserSite(privileged=self.privileged)
        self.addCleanup(self.site.close)
        self.site.add_domain()

    def fails(self, code, *argv, input=b""):
        p = self.site.run(list(argv), input=input)
        self.assertEqual(p.returncode, code, (argv, p.stderr))
        self.assertEqual(p.stderr.count(b"\n"), 1, p.stderr)
        return p.stderr.decode()

    def lines(self, alias, domain="example.com"):
        return [l for l, in self.site.sql("SELECT valias_line FROM valias WHERE alias = ? AND domain = ? ORDER BY created, valias_line", alias, domain)]


class Groups(Base):
    def test_members(self):
        s = self.site
        s.add_user("bob")
        s.ok("vgroup", "-a", "-e", "-c", "all of sales", "-q", "1M", "sales@example.com", "-", input=HASH.encode() + b"\n")
        self.assertIn("gecos         : MailGroup all of sales\n", s.ok("vuserinfo", "sales@example.com"))
        self.assertIn("quota         : 1048576S\n", s.ok("vuserinfo", "sales@example.com"))
        s.ok("vgroup", "-i", "&bob@example.com", "sales@example.com")
        s.ok("vgroup", "-n", "-i", "| true", "sales@example.com")
        self.assertIn("member already", self.fails(1, "vgroup", "-i", "| true", "sales@example.com"))
        s.ok("vgroup", "-u", "&eve@example.net", "-o", "| true", "sales@example.com")
        self.assertEqual(sorted(self.lines("sales")), ["&bob@example.com", "&eve@example.net"])
        self.fails(1, "vgroup", "-u", "&x@example.net", "-o", "| true", "sales@example.com")
        s.ok("vgroup", "-d", "&eve@example.net", "sales@example.com")
        self.fails(1, "vgroup", "-d", "&eve@example.net", "sales@example.com")
        self.assertEqual(self.lines("sales"), ["&bob@example.com"])
        s.ok("vdeluser", "bob@example.com")
        self.assertEqual(self.lines("sales"), [])

    def test_limits(self):
        """Members count as aliases and forwards of the domain do."""
        s = self.site
        s.ok("vgroup", "-a", "-e", "sales@example.com", "-", input=HASH.encode() + b"\n")
        s.ok("vmoddomain", "-l", "1", "example.com")
        s.sql("INSERT INTO vlimits (domain, maxforwards) VALUES ('example.com', 0)")
        said = self.fails(100, "vgroup", "-i", "&eve@example.net", "sales@example.com")
        self.assertIn("limit", said)
        self.assertEqual(self.lines("sales"), [])
        s.sql("UPDATE vlimits SET maxforwards = 1")
        s.ok("vgroup", "-i", "&eve@example.net", "sales@example.com")

    def test_alias_domain(self):
        s = self.site
        s.ok("vaddaliasdomain", "alias.example", "example.com")
        s.ok("vgroup", "-a", "-e", "sales@alias.example", "-", input=HASH.encode() + b"\n")
        s.ok("vgroup", "-i", "&bob@example.net", "sales@alias.example")
        self.assertIn("gecos         : MailGroup sales\n", s.ok("vuserinfo", "sales@example.com"))
        self.assertEqual(self.lines("sales"), ["&bob@example.net"])

    def test_wrong(self):
        s = self.site
        s.add_user("bob")
        s.ok("vgroup", "-a", "-e", "sales@example.com", "-", input=HASH.encode() + b"\n")
        self.assertIn("not a group", self.fails(100, "vgroup", "-i", "&a@b.example", "bob@example.com"))
        self.assertIn("exists", self.fails(100, "vgroup", "-a", "-e", "sales@example.com", "-", input=HASH.encode()))
        self.fails(100, "vgroup", "-a", "-e", "-c", "a:b", "x@example.com", "-", input=HASH.encode())
        self.fails(100, "vgroup", "-a", "-e", "-c", "a" * 246, "x@example.com", "-", input=HASH.encode())
        self.fails(100, "vgroup", "-a", "-e", "-q", "much", "x@example.com", "-", input=HASH.encode())
        self.fails(1, "vgroup", "-i", "&a@b.example", "none@example.com")
        for line in ("", "x", "a b@c", "a@b\nc@d", "&" + "a" * 1100 + "@b"):
            self.fails(100, "vgroup", "-i", line, "sales@example.com")
            self.fails(100, "vgroup", "-o", "&a@b", "-u", line, "sales@example.com")
        for address in ("", "sales", "@example.com", "a/../b@example.com", "x' OR 'a'='a@example.com", "é@example.com"):
            self.fails(100, "vgroup", "-i", "&a@b.example", address)
        for argv in ([], ["x@y"], ["-a", "-i", "&a@b", "x@y"], ["-u", "&a@b", "x@y"], ["-o", "&a@b", "x@y"],
                     ["-i", "&a@b", "-c", "x", "x@y"], ["-i", "&a@b", "x@y", "password"]):
            self.assertIn("usage:", self.fails(100, "vgroup", *argv))
        self.assertEqual(self.lines("sales"), [])
        odd = "&o'brien\"; DROP TABLE valias; --@b.example".replace(" ", "")
        s.ok("vgroup", "-i", odd, "sales@example.com")
        self.assertEqual(self.lines("sales"), [odd])

    def test_no_database(self):
        s = self.site
        with open(s.db_path(), "w") as f:
            f.write("rubbish, not a database" * 100)
        self.fails(111, "vgroup", "-i", "&a@b.example", "sales@example.com")
        self.fails(111, "vcalias", "example.com")
        self.fails(111, "vcaliasrev.sh", "example.com")


class Files(Base):
    def path(self, name):
        return self.site.path("domains", "example.com", ".qmail-" + name)

    def give(self, path):
        if os.geteuid() == 0:
            os.chown(path, 65534, 65534)

    def write(self, name, text, mode=0o600):
        with open(self.path(name), "w") as f:
            f.write(text)
        os.chmod(self.path(name), mode)
        self.give(self.path(name))

    def text(self, name):
        with open(self.path(name)) as f:
            return f.read()

    def convert(self, program, *argv, code=0):
        """name -> what was said of it"""
        p = self.site.run([program, "-v", *argv, "example.com"])
        self.assertEqual(p.returncode, code, p.stderr)
        said = {}
        for line in p.stderr.decode().splitlines():
            what, rest = line.removeprefix(program + ": ").split(": ", 1)
            name, _, why = rest.partition(": ")
            said[name.removeprefix(".qmail-")] = why if what == "left as it is" else "converted"
        return said

    def test_there_and_back(self):
        s = self.site
        dir = s.path("domains", "example.com")
        self.write("sales", "# comment\n|true 'x'\n/var/tmp/Maildir/  \n&ann@other.example\nbob@other.example\n\n&ann@other.example\n")
        self.write("j:smith", "./Maildir/\n")
        before = self.text("default")
        self.assertEqual(self.convert("vcalias"), {"sales": "converted", "j:smith": "converted"})
        self.assertTrue(os.path.exists(self.path("sales")))
        self.assertEqual(self.convert("vcalias", "-r"), {"sales": "converted", "j:smith": "converted"})
        self.assertFalse(os.path.exists(self.path("sales")))
        self.assertEqual(self.lines("sales"), ["|true 'x'", "/var/tmp/Maildir/", "&ann@other.example", "bob@other.example"])
        self.assertEqual(self.lines("j.smith"), [dir + "/Maildir/"])
        self.assertEqual(self.text("default"), before)
        self.assertEqual(self.convert("vcalias", "-r"), {})
        # and back
        names = {"sales", "j.smith", "abuse", "mailer-daemon"}
        self.assertEqual(self.convert("vcaliasrev.sh"), dict.fromkeys(names, "converted"))
        self.assertEqual(len(self.lines("sales")), 4)
        self.assertEqual(self.convert("vcaliasrev.sh", "-r"), dict.fromkeys(names, "converted"))
        self.assertEqual(self.text("sales"), "|true 'x'\n/var/tmp/Maildir/\n&ann@other.example\nbob@other.example\n")
        self.assertEqual(self.text("j:smith"), dir + "/Maildir/\n")
        self.assertEqual(s.sql("SELECT * FROM valias"), [])
        st = os.stat(self.path("sales"))
        self.assertEqual(stat.S_IMODE(st.st_mode), 0o600)
        if os.geteuid() == 0:
            self.assertEqual((st.st_uid, st.st_gid), (65534, 65534))
        self.assertEqual(self.text("default"), before)

    def test_what_cannot_be_said(self):
        s = self.site
        s.ok("valias", "-i", "&other@example.net", "taken@example.com")
        outside = s.path("secret")
        with open(outside, "w") as f:
            f.write("&a@b.example\n")
        left = {"mbox": "./mailbox\n", "hidden": ".dot\n", "nodomain": "bob\n", "list": "&a@b.example\n", "list-owner": "&c@d.example\n",
                "x-default": "&a@b.example\n", "empty": "", "comments": "# nothing\n", "ezmlm": "|/usr/bin/ezmlm-send '/list'\n",
                "long": "&" + "a" * 1100 + "@b.example\n", "nul": "&a@b.exa\0mple\n", "taken": "&a@b.example\n", "plus": "+list\n",
                "up": "/a/../../etc/\n", "UPPER": "&a@b.example\n", "dot.name": "&a@b.example\n", "a'; DROP TABLE valias;--": "&a@b.example\n",
                "é": "&a@b.example\n", "huge": "&a@b.example\n" * 6000, "-a": "&a@b.example\n", ":": "&a@b.example\n", "a::b": "&a@b.example\n"}
        for name, text in left.items():
            self.write(name, text)
        self.write("unreadable", "&a@b.example\n", 0)
        self.write("exec", "&a@b.example\n", 0o700)
        os.symlink(outside, self.path("link"))
        os.mkdir(self.path("dir"))
        os.mkfifo(self.path("fifo"), 0o600)
        self.give(self.path("fifo"))
        self.write("good", "&a@b.example\n")
        self.write("good.123.tmp", "&a@b.exa")  # what a killed program left
        before = s.sql("SELECT alias, valias_line FROM valias ORDER BY 1, 2")
        said = self.convert("vcalias", "-r", code=1)
        self.assertEqual(said.pop("good"), "converted")
        self.assertNotIn("converted", said.values())
        self.assertEqual(len(said), len(left) + 5, said)
        self.assertEqual(s.sql("SELECT alias, valias_line FROM valias WHERE alias != 'good' ORDER BY 1, 2"), before)
        for name, text in left.items():
            self.assertEqual(self.text(name), text)
        self.assertTrue(os.path.islink(self.path("link")) and os.path.isdir(self.path("dir")))

    def test_files_in_the_way(self):
        s = self.site
        for alias in ("default", "x-default", "list-owner", "there", "same"):
            s.ok("valias", "-i", "a@b.example", alias + "@example.com")
        self.write("there", "&other@b.example\n")
        self.write("same", "a@b.example\n")
        before = self.text("default")
        said = self.convert("vcaliasrev.sh", "-r", code=1)
        self.assertEqual({n for n, why in said.items() if why == "converted"}, {"same", "abuse", "mailer-daemon"})
        self.assertEqual(self.text("default"), before)
        self.assertEqual(self.text("there"), "&other@b.example\n")
        self.assertEqual({a for a, in s.sql("SELECT alias FROM valias")}, {"default", "x-default", "list-owner", "there"})

    def test_wrong(self):
        for program in ("vcalias", "vcaliasrev.sh"):
            self.assertIn("no such domain", self.fails(100, program, "none.example"))
            for domain in ("", "..", "../example.com", "example.com/", "EXAMPLE.COM", "x'; --", "é.example"):
                self.fails(100, program, domain)


@unittest.skipUnless(os.geteuid() == 0, "root only")
class FilesAsRoot(Files):
    privileged = True


class Order(Base):
    def test_lines_keep_their_order(self):
        """| before / before &, the reverse of how they sort."""
        s = self.site
        path = s.path("domains", "example.com", ".qmail-sales")
        with open(path, "w") as f:
            f.write("|exit 99\n/tmp/x/\n&a@b.example\n")
        s.ok("vcalias", "-r", "example.com")
        s.start_lookup()
        self.assertEqual(s.query("alias", "sales@example.com"), (0, ["ok", "|exit 99", "/tmp/x/", "&a@b.example"]))
