"""vconvert: a site moves from SQLite to MariaDB and back, and what cuts it short leaves nothing half."""
import os, signal, subprocess, time, unittest

from box import wait_for
from mariadbsite import MariaDB
from usersite import HASH, UserSite


class Convert(unittest.TestCase):
    def setUp(self):
        self.server = MariaDB()
        self.addCleanup(self.server.close)
        self.site = UserSite()
        self.addCleanup(self.site.close)
        self.mysql = {"MYSQL_HOST": self.server.host()}

    def fill(self):
        s = self.site
        s.add_domain()
        s.add_domain("zwei.example")
        s.ok("vaddaliasdomain", "other.example", "example.com")
        s.add_user("alice", "-q", "1000,5", "-c", "O'Neil \\ \"é\" --")
        s.add_user("bob@zwei.example", "-i")
        s.ok("valias", "-i", "| program 'with' \"quotes\" %_\\", "team@example.com")
        s.ok("valias", "-i", "&é@x.example", "team@example.com")
        s.ok("vapppass", "-a", "phone", "alice@example.com")
        s.ok("qmail-sql", "-i", "!a%b_c@x.example", "badmailfrom")
        s.ok("vmoduser", "-pi3o", "bob@zwei.example")
        s.sql("INSERT INTO vlimits (domain, maxpopaccounts) VALUES ('example.com', 7)")
        s.sql("INSERT INTO filters VALUES ('alice', 'example.com', 1, 'f', 2, 3, 'k', 'd', 'b')")
        s.sql("INSERT INTO totp VALUES ('alice', 'example.com', 'GEZDGNBVGY3TQOJQ', 1700000000, 56666666)")
        s.sql("INSERT INTO lastauth VALUES ('alice', 'example.com', 'pop3', '2001:db8::1', 4102444800)")

    def convert(self, *argv, code=0, **env):
        p = self.site.run(["vconvert", *argv], env=self.site.env(**{**self.mysql, **env}), timeout=120)
        self.assertEqual(p.returncode, code, p.stderr)
        self.said = p.stderr.decode()
        return p.stdout.decode()

    def dump(self):
        """All of the file, without what the schema itself remembers."""
        names = [n for n, in self.site.sql("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'ischema' ORDER BY name")]
        return {n: sorted(self.site.sql(f"SELECT * FROM {n}")) for n in names}

    def test_there_and_back(self):
        s = self.site
        self.fill()
        before = self.dump()
        self.assertEqual(len(before), 18)
        shown = s.ok("vuserinfo", "bob@zwei.example"), s.ok("valias", "-s", "@example.com"), s.ok("vdominfo")
        out = self.convert("-n", "sqlite", "mysql")
        self.assertIn("users: 4 rows, compared\n", out)
        out = self.convert("sqlite", "mysql")
        self.assertEqual(len(out.splitlines()), 18)
        self.assertIn("valias: 6 rows, compared\n", out)
        mysql = s.env(**self.mysql)
        self.assertEqual((s.ok("vuserinfo", "bob@zwei.example", env=mysql), s.ok("valias", "-s", "@example.com", env=mysql), s.ok("vdominfo", env=mysql)), shown)
        self.assertIn("not empty", self.convert("sqlite", "mysql", code=100) + self.said)
        os.rename(s.db_path(), s.path("userdb", "old.db"))
        self.convert("mysql", "sqlite")
        self.assertEqual(self.dump(), before)
        self.convert("mysql", "sqlite", code=100)

    def test_cut_short(self):
        """Killed at any time, or the server dies: the target is empty, and it can be done again."""
        s = self.site
        self.fill()
        s.sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
              " INSERT INTO users (name, domain, hash, dir, created, changed) SELECT 'u' || i, 'example.com', 'h', '/d', 1, 1 FROM n")
        for who in ("program", "server"):
            p = s.spawn(["vconvert", "sqlite", "mysql"], env=s.env(**self.mysql), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertEqual(p.stdout.readline(), b"domains: 2 rows, compared\n")  # it is at the users now
            time.sleep(0.1)
            if who == "program":
                p.kill()
                p.communicate()
            else:
                self.server.kill()
                self.assertEqual(p.wait(60), 111)
                p.communicate()
                self.server.start()
            # the killed one's lock goes with its connection
            wait_for(lambda: s.run(["install_tables", "-c"], env=s.env(**self.mysql)).returncode == 0, what="the database")
            self.assertEqual(s.run(["vuserinfo", "alice@example.com"], env=s.env(**self.mysql)).returncode, 1)
        self.assertIn("users: 20004 rows, compared\n", self.convert("sqlite", "mysql"))

    def test_wrong_use(self):
        for argv in ((), ("sqlite",), ("sqlite", "sqlite"), ("mysql", "oracle"), ("-x", "sqlite", "mysql")):
            self.convert(*argv, code=100)
        self.convert("sqlite", "mysql", code=111)  # there is none
        self.assertIn("no server", self.convert("sqlite", "mysql", code=100, MYSQL_HOST="") + self.said) if self.fill() is None else None


if __name__ == "__main__":
    unittest.main()
