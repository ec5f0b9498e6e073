"""The user database on a real MariaDB server: the suites of the drivers, programs, and a server that dies."""
import glob, json, os, signal, subprocess, time, unittest

from box import TOP, wait_for
from mariadbsite import DATABASE, MariaDB
from usersite import HASH, UserSite

UNIT = os.path.join(TOP, os.environ.get("BUILD", "build"), "unit")


class Suites(unittest.TestCase):
    """What every driver must do, as SQLite's does."""

    @classmethod
    def setUpClass(cls):
        cls.server, cls.secure = MariaDB(), MariaDB(tls=True)

    @classmethod
    def tearDownClass(cls):
        cls.server.close()
        cls.secure.close()

    def suite(self, name, where):
        p = subprocess.run([os.path.join(UNIT, name)], env=dict(os.environ, TEST_MYSQL=where), capture_output=True, text=True, timeout=120)
        self.assertEqual(p.returncode, 0, p.stdout[-3000:] + p.stderr[-2000:])
        self.assertRegex(p.stdout, r"\d{3,} checks passed, 0 checks failed|\d\d checks passed, 0 checks failed")

    def test_driver(self):
        self.suite("sql/test_sql", self.server.where("indimail_sql"))

    def test_users(self):
        self.suite("user/test_userdb", self.server.where("indimail_users"))

    def test_tls(self):
        s = self.secure
        self.suite("sql/test_sql", s.where("indimail_tls", f"{s.port}:ssl", ssl_ca=s.path("ca.pem")))

    def opened(self, site, **env):
        p = site.run(["vdominfo"], env=site.env(**env))
        return p.returncode, p.stderr.decode()

    def test_refused(self):
        """What is wrong is said, and is never a site without domains."""
        site, s, t = UserSite(), self.server, self.secure
        self.addCleanup(site.close)
        ca = t.path("ca.pem")
        for env, said in (
            (dict(MYSQL_HOST=s.host(password="wrong")), "Access denied"),
            (dict(MYSQL_HOST=s.host(end="1")), "unable to connect"),
            (dict(MYSQL_HOST=s.host(end=f"{s.port}:ssl")), "SSL"),
            (dict(MYSQL_HOST=s.host(end="nonsense")), "not of the form"),
            (dict(MYSQL_HOST=s.host(), MYSQL_LIB="/nonexistent/lib.so"), "unable to load"),
            (dict(MYSQL_HOST=s.host(), MYSQL_LIB="libm.so.6"), "is not MariaDB's client library"),
            (dict(MYSQL_HOST=s.host(), MYSQL_OPT_READ_TIMEOUT="soon"), "must be a number"),
            (dict(MYSQL_HOST=s.host(), MYSQL_DATABASE="a`b"), "bad name"),
            (dict(MYSQL_HOST=s.host(), MYSQL_DATABASE="indimail_none"), "Unknown database"),
            (dict(MYSQL_HOST=t.host(f"{t.port}:ssl"), MYSQL_OPT_SSL_CA=t.path("other.pem")), "certificate"),
            (dict(MYSQL_HOST=t.host(f"{t.port}:ssl")), "certificate"),
            (dict(MYSQL_HOST=t.host(f"{t.port}:nossl"), MYSQL_OPT_SSL_CA=ca, MYSQL_DATABASE="indimail_none"), ""),
        ):
            code, err = self.opened(site, **env)
            self.assertEqual(code, 111, (env, err))
            self.assertIn(said, err)
            self.assertNotIn("se:cr", err)


class Site(unittest.TestCase):
    def setUp(self):
        self.server = MariaDB()
        self.addCleanup(self.server.close)
        self.site = UserSite()
        self.addCleanup(self.site.close)
        self.server.use(self.site)

    def test_users(self):
        s = self.site
        s.add_domain()
        s.add_user("alice", "-q", "1000,5")
        s.ok("valias", "-i", "&alice@example.com", "team@example.com")
        self.assertFalse(os.path.exists(s.db_path()))
        self.assertIn("alice@example.com", s.ok("vuserinfo", "alice@example.com"))
        self.assertEqual(s.run(["vadduser", "-e", "alice@example.com", "-"], input=HASH.encode()).returncode, 100)
        s.start_lookup()
        self.assertEqual(s.query("user", "ALICE@example.com"), (0, ["ok", "active"]))
        self.assertEqual(s.query("user", "nobody@example.com"), (1, ["none"]))
        self.assertEqual(s.query("alias", "team@example.com"), (0, ["ok", "&alice@example.com"]))
        self.assertEqual(s.query("verify", "alice@example.com", "imap", "192.0.2.1", password="secret")[1][:2], ["ok", "alice"])
        self.assertEqual(s.query("verify", "alice@example.com", "imap", "192.0.2.1", password="wrong"), (1, ["none"]))
        self.assertEqual(s.deliver("alice").returncode, 0)
        self.assertEqual(len(s.mails("alice@example.com")), 1)
        s.ok("vdeluser", "alice@example.com")
        self.assertEqual(s.query("user", "alice@example.com"), (1, ["none"]))
        s.ok("vdeldomain", "example.com")
        self.assertEqual(s.query("domain", "example.com"), (1, ["none"]))

    def test_accounts(self):
        """The programs that look after accounts say the same as of SQLite."""
        s = self.site
        s.add_domain()
        for i in range(1, 6):
            s.add_user(f"bob{i}", "-d")
        s.ok("vaddaliasdomain", "alias.example", "example.com")
        s.ok("vmoddomain", "-l", "1", "example.com")
        for number in ("7", "6"):
            limits = json.loads(s.ok("vlimit", "-P", number, "-A", "1", "-Q", "1M", "example.com") and s.ok("vlimit", "-s", "--json", "alias.example"))
            self.assertEqual((limits["maxpopaccounts"], limits["maxaliases"], limits["in_force"]), (int(number), 1, True))
        self.assertEqual(s.run(["vadduser", "-e", "ann@example.com", "-"], input=HASH.encode()).returncode, 100)
        self.assertEqual(s.run(["vsetuserquota", "bob1@example.com", "2M"]).returncode, 100)
        s.ok("valias", "-i", "| true", "one@example.com")
        self.assertEqual(s.run(["valias", "-i", "| true", "two@example.com"]).returncode, 100)
        self.assertEqual(s.run(["vlimit", "-P", "1", "none.example"]).returncode, 1)
        s.ok("vlimit", "-D", "example.com")
        s.ok("vdeluser", "bob1@example.com")
        self.assertEqual(len(s.ok("vreorg", "-v", "-l", "2", "-d", "example.com").splitlines()), 3)
        rows = {r["bucket"]: r for r in json.loads(s.ok("printdir", "--json", "example.com"))}
        self.assertEqual((rows["A2E"]["placed"], rows["A2E"]["users"], rows["A2E"]["directory"]), (4, 4, "1"))
        self.assertEqual(s.ok("vdominfo", "--check"), "")
        self.assertEqual(s.ok("resetquota", "-v", "bob2@example.com"), "bob2@example.com: 0 bytes, 0 messages\n")
        self.assertEqual(s.ok("vdeloldusers", "-a", "1", "-p", "-f"), "")
        self.server.kill()
        for argv in (["vdeloldusers", "-p", "-f"], ["vreorg", "-d", "example.com"], ["vlimit", "-s", "example.com"], ["vdominfo", "--repair"],
                     ["resetquota", "-a"], ["printdir", "example.com"]):
            self.assertEqual(s.run(argv).returncode, 111, argv)

    def test_install_tables(self):
        s = self.site
        self.assertEqual(s.run(["install_tables", "-c"]).returncode, 111)
        for _ in range(2):
            self.assertEqual(s.ok("install_tables"), "mysql: all tables are there, release 4\n")
        self.assertEqual(s.ok("install_tables", "-c"), "mysql: all tables are there, release 4\n")
        os.unlink(s.path("control", "host.mysql"))
        self.assertEqual(s.ok("install_tables"), "sqlite: all tables are there, release 4\n")
        with open(s.db_path(), "r+b") as f:
            f.seek(3000)
            f.write(b"x" * 6000)
        p = s.run(["install_tables", "-c"])
        self.assertEqual(p.returncode, 111)
        self.assertRegex(p.stderr.decode(), "damaged|malformed")

    def test_many_at_once(self):
        """Programs that change it at the same time wait for each other."""
        s = self.site
        s.add_domain()
        for round in range(2):
            running = [s.spawn(["vadduser", "-e", f"u{round}{i}@example.com", "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
                       for i in range(8)]
            for p in running:
                p.stdin.write(HASH.encode() + b"\n")
                p.stdin.close()
            for p in running:
                self.assertEqual(p.wait(60), 0, p.stderr.read())
                p.stderr.close()
        listed = s.ok("vdominfo", "example.com")
        self.assertRegex(listed, r"(?m)users.*\b17\b")

    def test_limit_holds_for_many_at_once(self):
        """Of those who come together only as many as there is room for get in."""
        s = self.site
        s.add_domain()
        s.ok("vmoddomain", "-l", "1", "example.com")
        s.ok("vlimit", "-P", "4", "-A", "3", "example.com")
        for room, argv in ((3, lambda i: ["vadduser", "-e", f"u{i}@example.com", HASH]), (3, lambda i: ["valias", "-i", "| true", f"a{i}@example.com"])):
            running = [s.spawn(argv(i), stderr=subprocess.PIPE) for i in range(8)]
            codes = [(p.wait(60), p.stderr.read()) for p in running]
            for p in running:
                p.stderr.close()
            self.assertEqual(sorted(c for c, _ in codes), [0] * room + [100] * (8 - room), codes)

    def test_server_dies(self):
        """Meanwhile nobody is unknown; then all goes on, in the same processes."""
        s = self.site
        s.add_domain()
        s.add_user("alice")
        s.start_lookup("-i", "1", "-p", "1", MYSQL_RETRY_INTERVAL="1")
        for who, found in (("alice", (0, ["ok", "active"])), ("nobody", (1, ["none"]))):
            self.assertEqual(s.query("user", f"{who}@example.com"), found)
        workers = s.workers()
        self.assertEqual(len(workers), 2)
        self.assertEqual(s.query("domain", "alice@example.com"), (1, ["none"]))
        self.server.kill()
        for _ in range(8):  # more than the attempts before a pause
            # who was there is there, for a while; that somebody is not is never said of what cannot be asked
            self.assertEqual(s.query("user", "alice@example.com"), (0, ["kept", "active"]))
            for who in ("nobody", "bob"):
                self.assertEqual(s.query("user", f"{who}@example.com")[1][0], "temporary", who)
        self.assertEqual(s.query("account", "alice@example.com")[1][0], "temporary")  # nobody had asked that
        self.assertEqual(s.query("verify", "alice@example.com", "imap", "192.0.2.1", password="secret")[1][0], "temporary")
        self.assertEqual(s.deliver("alice").returncode, 111)
        self.assertEqual(s.run(["vuserinfo", "alice@example.com"]).returncode, 111)
        self.server.start()
        wait_for(lambda: s.query("user", "nobody@example.com") == (1, ["none"]), 20, "inlookup to find its database again")
        self.assertEqual(s.query("user", "alice@example.com"), (0, ["ok", "active"]))
        wait_for(lambda: s.deliver("alice").returncode == 0, 20, "a delivery")
        self.assertEqual(s.workers(), workers)

    def test_deliveries_go_on(self):
        """What was known of a user is enough for a delivery, but not for another asker, nor for ever."""
        s = self.site
        s.add_domain()
        s.add_user("alice", "-q", "1M")
        s.start_lookup("-i", "1", "-p", "1", MYSQL_RETRY_INTERVAL="1")
        self.assertEqual(s.deliver("alice").returncode, 0)
        home = s.home("alice@example.com")
        s.ok("vsetuserquota", "alice@example.com", "2M")
        self.assertIn("2097152S", s.query("account", "alice@example.com")[1])  # a change is true at once
        self.server.kill()
        self.assertEqual(s.deliver("alice").returncode, 0)
        self.assertEqual(len(glob.glob(home + "/Maildir/new/*")), 2)
        self.assertEqual(s.query("verify", "alice@example.com", "imap", "192.0.2.1", password="secret")[1][0], "temporary")
        s.lookup.send_signal(signal.SIGUSR1)
        wait_for(lambda: " kept 1" in s.logged() or " kept 2" in s.logged(), what="the counters")
        s.lookup.terminate()
        s.lookup.wait(10)
        s.start_lookup("-i", "1", "-p", "1", MYSQL_RETRY_INTERVAL="1", LOOKUP_STALE="0")
        self.assertEqual(s.deliver("alice").returncode, 111)

    def test_moved_and_removed(self):
        """What was known is forgotten with the user, and makes no home anew: it may have been moved or removed since."""
        s = self.site
        s.add_domain()
        for name in ("alice", "bob", "carol"):
            s.add_user(name)
        s.start_lookup("-i", "1", "-p", "1", MYSQL_RETRY_INTERVAL="1")
        for name in ("alice", "bob", "carol"):
            self.assertEqual(s.deliver(name).returncode, 0)
        home, other = s.home("alice@example.com"), s.home("carol@example.com")
        self.assertEqual(s.query("user", "alice@example.com"), (0, ["ok", "active"]))
        s.ok("vmoveuserdir", "alice@example.com", s.path("elsewhere"))
        s.ok("vdeluser", "bob@example.com")
        s.ok("vdeluser", "carol@example.com")
        self.assertEqual(s.query("user", "bob@example.com"), (1, ["none"]))
        self.assertEqual(s.query("account", "bob@example.com"), (1, ["none"]))
        self.server.kill()
        self.assertEqual(s.query("account", "bob@example.com")[1][0], "temporary")  # it was asked since: nothing is known
        self.assertEqual(s.query("account", "carol@example.com")[1][0], "kept")
        for name in ("alice", "bob", "carol"):
            self.assertEqual(s.deliver(name).returncode, 111, name)
        self.assertFalse(os.path.exists(home) or os.path.exists(other))
        self.assertEqual(s.query("user", "alice@example.com"), (0, ["kept", "active"]))
        s.lookup.send_signal(signal.SIGHUP)
        wait_for(lambda: s.query("user", "alice@example.com")[1][0] == "temporary", what="inlookup to forget")

    def test_server_hangs(self):
        s = self.site
        s.add_domain()
        s.add_user("alice")
        s.start_lookup("-i", "1", "-p", "1", MYSQL_OPT_READ_TIMEOUT="1", LOOKUP_STALE="0", MYSQL_OPT_CONNECT_TIMEOUT="1", MYSQL_RETRY_INTERVAL="1")
        self.assertEqual(s.query("user", "alice@example.com"), (0, ["ok", "active"]))
        self.server.freeze()
        try:
            begin = time.monotonic()
            self.assertEqual(s.query("user", "alice@example.com")[0], 111)
            self.assertLess(time.monotonic() - begin, 15)
        finally:
            self.server.thaw()
        wait_for(lambda: s.query("user", "alice@example.com") == (0, ["ok", "active"]), 20, "inlookup to find its database again")


if __name__ == "__main__":
    unittest.main()
