"""Programs of small tables: vipmap, vatrn. Each test on SQLite and, where it is installed, on MariaDB."""
import os, shutil, unittest
from mariadbsite import MariaDB
from usersite import HASH, UserSite


class Base:
    server = None

    def setUp(self):
        self.site = s = UserSite()
        self.addCleanup(s.close)
        if self.server:
            self.server.use(s, f"indimail{self.database}")
        s.add_domain()
        s.ok("vaddaliasdomain", "alias.example", "example.com")
        s.add_user("alice")

    def fails(self, code, *argv, **kw):
        p = self.site.run(list(argv), **kw)
        self.assertEqual(p.returncode, code, (argv, p.stderr))
        self.assertEqual(p.stderr.count(b"\n"), 1, p.stderr)
        return p.stderr.decode()

    def test_vipmap(self):
        s = self.site
        self.fails(1, "vipmap", "-s")
        s.add_domain("other.example")
        s.ok("vipmap", "-i", "192.0.2.1", "example.com")
        s.ok("vipmap", "-v", "-i", "2001:DB8:0:0:0:0:0:1", "alias.example")
        self.assertEqual(s.ok("vipmap", "-s"), "192.0.2.1 -> example.com\n2001:db8::1 -> example.com\n")
        self.assertEqual(s.ok("vipmap", "-p"), s.ok("vipmap", "-s"))
        self.assertIn("already", self.fails(1, "vipmap", "-i", "192.0.2.1", "other.example"))
        s.ok("vipmap", "-u", "192.0.2.1", "other.example")
        s.ok("vipmap", "-u", "192.0.2.1", "other.example")
        self.assertIn("192.0.2.1 -> other.example\n", s.ok("vipmap", "-s"))
        self.fails(1, "vipmap", "-u", "192.0.2.9", "other.example")
        self.fails(1, "vipmap", "-i", "192.0.2.9", "none.example")
        self.fails(1, "vipmap", "-d", "192.0.2.1", "example.com")
        s.ok("vipmap", "-d", "2001:db8::1", "example.com")
        s.ok("vdeldomain", "other.example")  # with its entries
        self.fails(1, "vipmap", "-s")
        for ip in ("", "192.0.2", "192.0.2.1.", "192.0.2.256", "::g", "1.2.3.4/8", "localhost", "1.2.3.4'; --", "1.2.3.4\n", "é", "1" * 5000):
            self.fails(100, "vipmap", "-i", ip, "example.com")
        for domain in ("", "..", "a/b", "EXAMPLE.com", "x'; DROP TABLE domains; --", "é.example", "a" * 300):
            self.fails(100, "vipmap", "-i", "192.0.2.1", domain)
        for argv in ([], ["-s", "x", "y"], ["-i", "192.0.2.1"], ["-i", "-d", "192.0.2.1", "example.com"], ["192.0.2.1", "example.com"]):
            self.assertIn("usage:", self.fails(100, "vipmap", *argv))

    def test_vatrn(self):
        s = self.site
        s.add_user("bob")
        s.start_lookup("-i", "1", "-p", "1")
        self.assertEqual(s.query("atrn", "alice@example.com"), (1, ["none"]))
        self.fails(1, "vatrn", "-s")
        s.ok("vatrn", "-i", "a.example,b.example", "alice@example.com")
        s.ok("vatrn", "-v", "-i", "c.example", "alice@alias.example")
        s.ok("vatrn", "-i", "c.example", "bob@example.com")
        self.fails(1, "vatrn", "-i", "c.example", "alice@example.com")
        # what was stored is what inlookup answers
        self.assertEqual(s.query("atrn", "alice@example.com"), (0, ["ok", "a.example,b.example", "c.example"]))
        self.assertEqual(s.query("atrn", "alice@alias.example"), (0, ["ok", "a.example,b.example", "c.example"]))
        self.assertEqual(s.query("atrn", "bob@example.com"), (0, ["ok", "c.example"]))
        shown = "alice@example.com -> a.example,b.example\nalice@example.com -> c.example\n"
        self.assertEqual(s.ok("vatrn", "-s", "alice@example.com"), shown)
        for argv in ([], ["example.com"], ["alias.example"]):
            self.assertEqual(s.ok("vatrn", "-s", *argv), shown + "bob@example.com -> c.example\n")
        self.fails(1, "vatrn", "-s", "none.example")
        s.ok("vatrn", "-u", "c.example", "-i", "d.example", "alice@example.com")
        self.fails(1, "vatrn", "-u", "c.example", "-i", "e.example", "alice@example.com")
        self.fails(1, "vatrn", "-u", "d.example", "-i", "a.example,b.example", "alice@example.com")
        s.ok("vatrn", "-d", "a.example,b.example", "alice@alias.example")
        self.fails(1, "vatrn", "-d", "a.example,b.example", "alice@example.com")
        self.assertEqual(s.query("atrn", "alice@example.com"), (0, ["ok", "d.example"]))
        self.fails(1, "vatrn", "-i", "a.example", "nobody@example.com")
        self.fails(1, "vatrn", "-i", "a.example", "alice@none.example")
        s.ok("vrenameuser", "alice@example.com", "eve@example.com")
        self.assertEqual(s.query("atrn", "eve@example.com"), (0, ["ok", "d.example"]))
        s.ok("vdeluser", "bob@example.com")
        self.assertEqual(s.ok("vatrn", "-s"), "eve@example.com -> d.example\n")

    def test_vatrn_wrong(self):
        s = self.site
        for domains in ("", ",", "a.example,", ",a.example", "a.example,,b.example", "a.example, b.example", "..", "a/b", "A.example", "*",
                        "x'; DROP TABLE atrn_map; --", "é.example", ",".join(["abcdefgh.example"] * 20), "a\n"):
            self.fails(100, "vatrn", "-i", domains, "alice@example.com")
        for address in ("", "alice", "@example.com", "Alice@example.com", "a/../b@example.com", "x' OR 'a'='a@example.com"):
            self.fails(100, "vatrn", "-i", "a.example", address)
        self.fails(100, "vatrn", "-s", "x'; --")
        for argv in ([], ["-i", "a.example"], ["-s", "-d", "a", "b@c"], ["-u", "a.example", "b@c"], ["-s", "a", "b"], ["x@y"]):
            self.assertIn("usage:", self.fails(100, "vatrn", *argv))
        self.fails(1, "vatrn", "-s")

    def test_vfstab(self):
        s = self.site
        self.fails(1, "vfstab", "-s")
        self.fails(1, "vfstab", "-b")
        s.ok("vfstab", "-i", "-n", "10", "-q", "1M", "-m", "192.0.2.1", "/home/")
        s.ok("vfstab", "-i", "-q", "1G", "-m", "store.example.com", "/home")
        self.fails(1, "vfstab", "-i", "-q", "1G", "-m", "192.0.2.1", "/home")
        self.assertEqual(s.ok("vfstab", "-s"), "/home 192.0.2.1 online users 0/10 free 1048576/1048576\n"
                                               "/home store.example.com online users 0/0 free 1073741824/1073741824\n")
        s.ok("vfstab", "-u", "-n", "20", "-q", "2000", "-m", "192.0.2.1", "/home")
        s.ok("vfstab", "-v", "-o", "0", "-m", "192.0.2.1", "/home")
        self.assertEqual(s.ok("vfstab", "-s", "-m", "192.0.2.1"), "/home 192.0.2.1 offline users 0/20 free 1048576/2000\n")
        s.ok("vfstab", "-d", "-m", "192.0.2.1", "/home")
        for argv in (["-d"], ["-o", "1"], ["-u", "-q", "1"]):
            self.fails(1, "vfstab", *argv, "-m", "192.0.2.1", "/home")
        self.fails(1, "vfstab", "-s", "-m", "192.0.2.1")
        self.fails(1, "vfstab", "-b")  # of this host there is none

    def test_vfstab_chooses(self):
        s = self.site
        one, two = s.path("mail"), s.path("elsewhere")
        os.mkdir(two)
        if s.ids:
            os.chown(two, 65534, 65534)
        s.ok("vfstab", "-l", one)
        s.ok("vfstab", "-l", two, env=s.env(AVG_USER_QUOTA="1000"))
        self.assertRegex(s.ok("vfstab", "-s"), rf"{two} localhost online users 0/(\d+) free (\d+)/\2\n{one} localhost online users 0/\d+ free (\d+)/\3\n")
        self.assertEqual(s.ok("vfstab", "-b"), two + "\n")  # postmaster and alice are on the other
        with open(s.path("control", "lastfstab")) as f:
            self.assertEqual(f.read(), two + "\n")
        self.assertNotIn("lastfstab", s.ok("qmail-showctl"))
        for name in ("a", "b", "c"):
            s.add_user(name, "-B", two)
        self.assertEqual(s.ok("vfstab", "-b"), one + "\n")
        self.assertRegex(s.ok("vfstab", "-s"), rf"{two} localhost online users 3/(.*\n){one} localhost online users 2/")
        s.ok("vfstab", "-o", "0", one)
        self.assertEqual(s.ok("vfstab", "-b"), two + "\n")
        s.ok("vfstab", "-u", "-n", "3", "-q", "1G", two)
        self.assertIn("room", self.fails(1, "vfstab", "-b"))
        s.ok("vfstab", "-o", "1", one)
        os.rename(one, one + ".away")
        self.assertIn("room", self.fails(1, "vfstab", "-b"))  # what is not there is full
        self.fails(111, "vfstab", "-l", one)

    def test_vadduser_balances(self):
        s = self.site
        one, two = s.path("mail"), s.path("elsewhere")
        os.mkdir(two)
        if s.ids:
            os.chown(two, 65534, 65534)
        self.assertIn("no file systems", self.fails(100, "vadduser", "-b", "-e", "ann@example.com", HASH))
        for path in (one, two):
            s.ok("vfstab", "-i", "-n", "4", "-q", "1G", path)
        for name in ("ann", "bob", "cid", "dan"):  # postmaster and alice are on the first
            s.ok("vadduser", "-b", "-d", "-e", f"{name}@example.com", HASH)
        homes = {n: s.home(f"{n}@example.com") for n in ("ann", "bob", "cid", "dan")}
        there = [home.startswith(two + "/A2E/example.com/") for home in homes.values()]
        self.assertIn(there, ([True, True, False, True], [True, True, True, False]))  # the third finds both alike
        for name in ("ann", "dan"):
            self.assertTrue(os.path.isdir(homes[name] + "/Maildir/new"))
        self.fails(100, "vadduser", "-b", "-B", two, "-e", "eve@example.com", HASH)
        s.ok("vfstab", "-o", "0", one)
        s.ok("vfstab", "-o", "0", two)
        self.assertIn("room", self.fails(100, "vadduser", "-b", "-e", "eve@example.com", HASH))
        self.fails(1, "vuserinfo", "eve@example.com")

    def test_vfstab_wrong(self):
        s = self.site
        for fs in ("", "home", "./x", "/a/../b", "/a\nb", "/a:b", "/" + "a" * 300):
            self.fails(100, "vfstab", "-i", "-q", "1G", fs)
        for host in ("", "a b", "192.0.2.1'; --", "é", "a" * 70):
            self.fails(100, "vfstab", "-i", "-q", "1G", "-m", host, "/home")
        for size in ("", "much", "-1", "1,5", "99999999999999999999", "1T"):
            self.fails(100, "vfstab", "-i", "-q", size, "/home")
        for argv in ([], ["-s", "x"], ["-b", "x"], ["-i", "/home"], ["-d"], ["-o", "2", "/home"], ["-n", "-1", "-i", "-q", "1", "/home"],
                     ["-l", "-m", "192.0.2.1", "/home"], ["-d", "-q", "1", "/home"], ["-i", "-u", "-q", "1", "/home"]):
            self.assertIn("usage:", self.fails(100, "vfstab", *argv))
        self.fails(1, "vfstab", "-s")
        odd = "/it's `odd` \"; DROP TABLE fstab; --é"
        s.ok("vfstab", "-i", "-q", "1G", odd)
        self.assertEqual(s.ok("vfstab", "-s"), f"{odd} localhost online users 0/0 free 1073741824/1073741824\n")

    def logged_in(self, *ips):
        s = self.site
        s.ok("vpasswd", "alice@example.com", "-", input=b"secret\n")
        s.start_lookup("-i", "1", "-p", "1", OPEN_SMTP="1")
        for ip in ips:
            self.assertEqual(s.query("verify", "alice@example.com", "imap", ip, password="secret")[0], 0)

    def rule(self, ip):
        return self.site.ok("tcprulescheck", self.site.path("tcp", "tcp.smtp.cdb"), env=self.site.env(TCPREMOTEIP=ip))

    def test_clearopensmtp(self):
        """The table, the rules, or both; no rules are made where there are none."""
        s = self.site
        rules, cdb = s.path("tcp", "tcp.smtp"), s.path("tcp", "tcp.smtp.cdb")
        say = lambda *argv, **env: s.run(["clearopensmtp", "-v", *argv], env=s.env(**env)).stderr.decode()
        self.logged_in("192.0.2.7", "192.0.2.8")
        self.assertEqual(say(), "clearopensmtp: forgotten: 0\nclearopensmtp: addresses that may relay: 0\n")
        self.assertFalse(os.path.exists(cdb))
        with open(rules, "w") as f:
            f.write(':allow,ALL="1"\n')
        self.assertEqual(say("-s"), "clearopensmtp: forgotten: 0\n")
        self.assertFalse(os.path.exists(cdb))
        self.assertEqual(say("-t"), "clearopensmtp: addresses that may relay: 2\n")
        self.assertIn("RELAYCLIENT=", self.rule("192.0.2.7"))
        self.assertEqual(say("-t", RELAY_CLEAR_MINUTES="0"), "clearopensmtp: addresses that may relay: 0\n")
        self.assertEqual(say("-t"), "clearopensmtp: addresses that may relay: 2\n")  # nothing was forgotten
        self.assertEqual(say("-a"), "clearopensmtp: forgotten: 2\nclearopensmtp: addresses that may relay: 0\n")
        self.assertNotIn("RELAYCLIENT", self.rule("192.0.2.7"))
        self.assertIn("ALL=1", self.rule("192.0.2.7"))
        with open(rules, "a") as f:
            f.write("nonsense\n")
        before = open(cdb, "rb").read()
        self.assertIn("line 2", self.fails(100, "clearopensmtp"))
        self.assertEqual(open(cdb, "rb").read(), before)
        s.ok("clearopensmtp", "-s")
        for argv in (["-s", "-t"], ["-a", "-t"], ["x"]):
            self.fails(100, "clearopensmtp", *argv)

    def test_updaterules(self):
        s = self.site
        rules = s.path("tcp", "tcp.smtp")
        with open(rules, "w") as f:
            f.write('# rules\n192.0.2.1:deny\n198.51.100.:allow,GREETDELAY="5"\n203.0.113.:allow,RELAYCLIENT="x"\n:allow,ALL="1"\n')
        s.ok("updaterules")
        before = self.rule("192.0.2.7")
        self.assertNotIn("RELAYCLIENT", before)
        self.logged_in("192.0.2.1", "192.0.2.7", "198.51.100.9", "203.0.113.5", "2001:db8::1")
        self.assertEqual(self.rule("192.0.2.7"), before)
        p = s.run(["updaterules", "-v"])
        self.assertEqual((p.returncode, p.stderr), (0, b"updaterules: addresses that may relay: 3\n"))
        self.assertIn("RELAYCLIENT=", self.rule("192.0.2.7"))
        self.assertIn("ALL=1", self.rule("192.0.2.7"))
        self.assertIn("RELAYCLIENT=", self.rule("2001:db8::1"))
        for what in ("RELAYCLIENT=", "GREETDELAY=5"):
            self.assertIn(what, self.rule("198.51.100.9"))
        self.assertNotIn("RELAYCLIENT", self.rule("198.51.100.10"))
        self.assertIn("RELAYCLIENT=x", self.rule("203.0.113.5"))
        self.assertIn("deny", self.rule("192.0.2.1"))
        # what is long ago does not count, and a fault leaves all as it was
        with open(rules, "a") as f:
            f.write("rubbish\n")
        self.assertIn("line 6", self.fails(100, "updaterules"))
        self.assertIn("RELAYCLIENT=", self.rule("192.0.2.7"))
        other = s.path("tcp", "other")
        with open(other, "w") as f:
            f.write(":deny\n")
        s.ok("clearopensmtp", "-as")
        s.ok("updaterules", env=s.env(TCP_FILE=other))
        self.assertTrue(os.path.exists(other + ".cdb"))
        os.remove(rules)
        s.ok("updaterules")
        self.assertNotIn("RELAYCLIENT", self.rule("192.0.2.7"))

    def template(self, name, text):
        path = self.site.path(name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, 0o600)
        if self.site.ids:
            os.chown(path, 65534, 65534)
        return path

    def test_vtable(self):
        s = self.site
        phones = self.template("phones", "phones (user varchar(64) NOT NULL PRIMARY KEY, phone varchar(32) DEFAULT ');--')\n")
        cars = self.template("cars", "cars\n(car int)")
        p = s.run(["vtable", "-v", phones, cars])
        self.assertEqual((p.returncode, p.stderr.count(b"made the table")), (0, 2), p.stderr)
        self.assertIn("there is a table", self.fails(1, "vtable", phones))
        # tables of ours are there, whatever a template says they should be; views too
        for name in ("users", "USERS", "valias", "indimail"):
            if name == "USERS" and self.server:
                continue  # another name for a server on this system
            self.fails(1, "vtable", self.template("t", f"{name} (a int)"))
        # a bad one spoils all, before anything is done
        new = self.template("new", "newtable (a int)")
        for text in ("", "x", "x (a int", "x (a int); DROP TABLE users", "x (a int) AS SELECT * FROM users", "x (a int -- )", "users; --", "é (a int)"):
            self.fails(100, "vtable", new, self.template("t", text))
        self.fails(100, "vtable", self.template("t", "bad (a b c d e f (), )"))
        self.fails(100, "vtable", new, s.path("no-such-file"))
        s.ok("vtable", new)
        self.assertIn("alice@example.com", s.ok("vuserinfo", "-n", "alice@example.com"))
        self.assertIn("usage:", self.fails(100, "vtable"))

    def test_database_down(self):
        s = self.site
        env = s.env(MYSQL_HOST="127.0.0.1:x:y:1") if self.server else s.env()
        if not self.server:
            with open(s.db_path(), "w") as f:
                f.write("rubbish, not a database" * 100)
        for argv in (["updaterules"], ["vtable", self.template("t", "x (a int)")], ["vipmap", "-s"], ["vipmap", "-i", "192.0.2.1", "example.com"], ["vatrn", "-s"], ["vatrn", "-i", "a.example", "alice@example.com"],
                     ["vatrn", "-d", "a.example", "alice@example.com"], ["vfstab", "-s"], ["vfstab", "-b"], ["vfstab", "-i", "-q", "1G", "/home"]):
            self.fails(111, *argv, env=env)


class Sqlite(Base, unittest.TestCase):
    @unittest.skipUnless(shutil.which("sqlite3"), "sqlite3 is not installed")
    def test_execmysql(self):
        s = self.site
        sql = "SELECT name FROM users WHERE name = 'alice'; DELETE FROM domains; SELECT COUNT(*) FROM users;\n"
        self.assertEqual(s.ok("execmysql", "-d", "example.com", "--", "-batch", input=sql.encode()), "alice\n0\n")
        os.remove(s.db_path())
        self.fails(111, "execmysql", input=b"SELECT 1;\n")
        self.assertFalse(os.path.exists(s.db_path()))

    def test_execmysql_without_a_client(self):
        self.assertIn("sqlite3", self.fails(100, "execmysql", env=self.site.env(PATH="/nowhere::relative")))


@unittest.skipUnless(shutil.which("mariadbd"), "MariaDB is not installed")
class Mariadb(Base, unittest.TestCase):
    database = 0

    @classmethod
    def setUpClass(cls):
        cls.server = MariaDB()

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def setUp(self):
        type(self).database += 1
        self.database = type(self).database
        super().setUp()


class Client(unittest.TestCase):
    """What the client of a server is told, and how."""

    FAKE = """#!/bin/sh
cat "${1#--defaults-extra-file=}" > "$SEEN/file" && stat -L -c %a "${1#--defaults-extra-file=}" > "$SEEN/mode"
shift
echo "$*" > "$SEEN/arguments"
tr '\\\\0' ' ' < /proc/$$/cmdline > "$SEEN/cmdline"
env > "$SEEN/environment"
cat
exit 3
"""

    def setUp(self):
        self.site = s = UserSite()
        self.addCleanup(s.close)
        s.control("host.mysql", "db.example:indi:se\\:cr:3307\n")
        os.mkdir(s.path("clients"))
        os.mkdir(s.path("seen"))
        os.chmod(s.path("seen"), 0o777)

    def install(self, name):
        path = self.site.path("clients", name)
        with open(path, "w") as f:
            f.write(self.FAKE.replace("\\\\0", "\\0"))
        os.chmod(path, 0o755)

    def seen(self, name):
        with open(self.site.path("seen", name)) as f:
            return f.read()

    def test_client(self):
        s = self.site
        env = s.env(SEEN=s.path("seen"), PATH=s.path("clients") + ":/usr/bin:/bin", MYSQL_DATABASE="mail")
        for name in ("mysql", "mariadb"):
            self.install(name)
            p = s.run(["execmysql", "--", "-e", "SELECT 1"], env=env, input=b"typed\n")
            self.assertEqual((p.returncode, p.stdout), (3, b"typed\n"), p.stderr)
            self.assertEqual(self.seen("file"), '[client]\nuser="indi"\npassword="se:cr"\nhost="db.example"\nport="3307"\nprotocol=tcp\n')
            self.assertEqual(self.seen("mode"), "600\n")
            self.assertEqual(self.seen("arguments"), "--database=mail -e SELECT 1\n")
            self.assertIn(name, self.seen("cmdline"))
            self.assertNotIn("se:cr", self.seen("cmdline") + self.seen("environment"))

    def test_none(self):
        p = self.site.run(["execmysql"], env=self.site.env(PATH=self.site.path("clients")))
        self.assertEqual((p.returncode, p.stderr.count(b"\n")), (100, 1), p.stderr)


if __name__ == "__main__":
    unittest.main()
