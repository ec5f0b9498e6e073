"""install_tables takes over an IndiMail that kept its users on MySQL: every table, row by row, into both kinds of database."""
import os, pty, subprocess, unittest

import oldsite
from mariadbsite import READER, USER, MariaDB
from usersite import HASH, UserSite

OLD = "indimail_old"
MD5, DES = "$1$BjNbAalf$aeDKItGULt7d62tBB98iy.", "abJnggxhB/yWI"
KEYS = "4096,c2FsdHNhbHRzYWx0,V0QyHMOrFdXl4o0yq6mVjbaBTX7aLVD0ScANuLEJYEU=,wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
AT = 1577934245  # 2020-01-02 03:04:05, as oldsite has it
BIG = 2**63 - 1


class Taken(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = MariaDB()

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def setUp(self):
        self.site = UserSite()
        self.addCleanup(self.site.close)
        self.addCleanup(self.server.sql, f"DROP DATABASE IF EXISTS {OLD}", "DROP DATABASE IF EXISTS indimail")
        self.place = self.site.path("old.mysql")
        with open(self.place, "w") as f:
            f.write(self.server.host().replace(f":{USER}:", f":{READER}:") + "\n")  # who may not write
        os.chmod(self.place, 0o644)

    # --- the old installation

    def ids(self):
        return "65534:65534" if self.site.ids else f"{os.geteuid()}:{os.getegid()}"

    def domain(self, name, ids=None):
        path = self.site.path("old", "domains", name)
        os.makedirs(path)
        with open(path + "/.qmail-default", "w") as f:
            f.write("| /var/indimail/sbin/vdelivermail '' bounce-no-mailbox\n")
        return f"+{name}-:{name}:{ids or self.ids()}:{path}:-::\n"

    def assign(self):
        """users/assign of old: two domains, another name of one, root's, one that is none, and what is no domain."""
        text = self.domain("example.com") + self.domain("zwei.example") + self.domain("root.example", "0:0") + "=joe:joe:1000:1000:/home/joe:::\n"
        with open(self.site.path("old", "domains", "zwei.example", ".base_path"), "w") as f:
            f.write(self.site.path("base") + "\n")
        os.symlink("example.com", self.site.path("old", "domains", "alias.example"))
        text += f"+alias.example-:alias.example:{self.ids()}:{self.site.path('old', 'domains', 'alias.example')}:-::\n"
        text += "+-bad.example-:-bad.example:65534:65534:/x:-::\n+autoturn-:autoturn:65534:65534:/var/autoturn:-::\n+joe-:joe:1000:1000:/home/joe:-::\n.\n"
        with open(self.site.path("old", "assign"), "w") as f:
            f.write(text)
        if self.site.ids:
            subprocess.run(["chown", "-R", "nobody:nogroup", self.site.path("old")], check=True)
        return self.site.path("old", "assign")

    def user(self, name, *args, **columns):
        oldsite.user(self.server, OLD, name, *args, **columns)

    def put(self, table, **columns):
        oldsite.insert(self.server, OLD, table, **columns)

    def home(self, name):
        path = self.site.path("old", "A2E", "example.com", name)
        for name in ("cur", "new", "tmp"):
            os.makedirs(f"{path}/Maildir/{name}")
        if self.site.ids:
            subprocess.run(["chown", "-R", "nobody:nogroup", self.site.path("old")], check=True)
        return path

    def fill(self, **kw):
        oldsite.make(self.server, OLD, **kw)
        self.fill_users()
        self.fill_tables()

    def fill_users(self):
        self.server.sql("ALTER TABLE indimail MODIFY pw_name varchar(100), MODIFY pw_dir text, MODIFY pw_gecos text", database=OLD)
        self.user("joe", pw_passwd=HASH, pw_gid=0x2 | 0x8 | 0x100 | 0x2000, pw_dir=self.home("joe"), pw_shell="1000S,5C", pw_gecos="O'Neil \\ \"é\" -- %_;")
        self.user("Big", pw_passwd=MD5, pw_dir="/nonexistent/big", pw_shell="10M", pw_gecos=b"M\xfcller")
        self.server.sql("UPDATE indimail SET pw_dir = '/nonexistent/a/big' WHERE pw_name = 'Big'", database=OLD)
        self.user("des", pw_passwd=DES, pw_shell="")
        self.user("keys", pw_passwd=HASH, scram="{SCRAM-SHA-256}" + KEYS + ":00ff:the password")
        self.user("cram", pw_passwd=HASH, scram="{CRAM}the password")
        self.user("clear", pw_passwd="the password")
        self.user("locked", pw_passwd="!" + HASH)
        self.user("none")
        self.user("o'x", pw_passwd=HASH)
        self.user("less", pw_passwd=HASH, pw_shell="-5")
        self.user("more", pw_passwd=HASH, pw_shell="99999999999999999999")
        self.user("bits", pw_passwd=HASH, pw_gid=0x4000 | 0x1)
        self.user("colon", pw_passwd=HASH, pw_gecos="a:b\nc" + "d" * 300)
        for name, columns in (("a/b", {}), (".dot", {}), ("x y", {}), ("é", {}), (b"nu\0l", {"pw_dir": "/a/b/nul"}), ("n" * 70, {}), ("here", {"domain": "none.example"}),
                              ("up", {"pw_dir": "/home/../etc/up"}), ("other", {"pw_dir": "/home/mail/joe"}), ("long", {"pw_dir": "/" + "d/" * 600 + "long"}),
                              ("nowhere", {"pw_dir": None})):
            self.user(name, **{"pw_passwd": HASH, **columns})
        self.user("bits", domain="zwei.example", pw_passwd=HASH, pw_dir="/nonexistent/A2E/example.com/bits")
        self.user("back", "indibak", domain="zwei.example", pw_passwd=HASH, timestamp="2021-01-01 00:00:00")
        self.user("joe", "indibak", pw_passwd=HASH)

    def fill_tables(self):
        for alias, line in (("team", "&joe@example.com"), ("team", "| program 'with' \"quotes\" %_\\"), ("Team2", "/home/x/Maildir/"), ("ham", "&Bham"), ("b/ad", "&a@b.example"),
                            ("uni", "&é@x.example")):
            self.put("valias", alias=alias, domain="example.com", valias_line=line, timestamp="2020-01-02 03:04:05")
        self.put("valias", alias="x", domain="none.example", valias_line="&a@b.example")
        self.put("vlimits", domain="example.com", maxpopaccounts=7, diskquota=2**64 - 1, disable_pop=1, perm_account=5)
        self.put("vlimits", domain="joe@example.com", passwd_expiry=2000000000)
        self.put("vlimits", domain="zwei.example", maxaliases=-7)
        self.put("vlimits", domain="none.example")
        for user in ("joe", "ghost"):
            self.put("userquota", user=user, domain="example.com", quota=2**64 - 1, timestamp="2020-01-02 03:04:05")
            self.put("lastauth", user=user, domain="example.com", service="imap", remote_ip="2001:db8::1", quota=3, gecos="x", timestamp="2020-01-02 03:04:05")
            self.put("atrn_map", pw_name=user, pw_domain="example.com", domain_list="odmr.example")
        self.put("lastauth", user="joe", domain="example.com", service="pass", remote_ip="", timestamp="2020-01-02 03:04:05")
        self.put("lastauth", user="joe", domain="example.com", service="ACTI", remote_ip="192.0.2.1", timestamp="2020-01-02 03:04:05")
        for ip, domain in (("192.0.2.1", "example.com"), ("2001:DB8:0::7", "zwei.example"), ("nonsense", "example.com"), ("192.0.2.2", "none.example")):
            self.put("ip_alias_map", ipaddr=ip, domain=domain)
        for i, rule in enumerate(((2, 3, "[é]", "Spam", "0"), (-1, 5, "", "Inbox", "1"), (1, 7, "^a+$", "Inbox", "2&x@y.example"), (99, 1, "k", "Inbox", "0"), (2, 9, "k", "Inbox", "0"),
                                  (2, 1, "k", "../x", "0"), (32, 6, "%p > 0.5", "/NoDeliver", "0"))):
            header, comparison, keyword, folder, action = rule
            self.put("vfilter", emailid="joe@example.com", filter_no=i + 1, filter_name=f"r{i}", header_name=header, comparision=comparison, keyword=keyword,
                     destination=folder, bounce_action=action)
        self.put("vfilter", emailid="prefilt@zwei.example", filter_no=0, filter_name="", header_name=28, comparision=0, keyword="virus found", destination="Quarantine",
                 bounce_action="0")
        self.put("bulkmail", emailid="joe@example.com", filename="news,all", zztimestamp="2020-01-02 03:04:05")
        self.put("bulkmail", emailid="joe@example.com", filename="../../etc/passwd")
        self.put("relay", email="joe@example.com", ipaddr="192.0.2.9", timestamp=AT)
        self.put("relay", email="joe@example.com", ipaddr="x", timestamp=AT)
        self.put("fstab", filesystem="/home/Mail", host="192.0.2.1", status=1, max_users=5, cur_users=2, max_size=10, cur_size=1)
        self.put("fstab", filesystem="/srv", host="192.0.2.1", status=1, max_users=-5)
        self.put("vlog", user="joe", passwd="tried", domain="example.com")
        self.put("hostcntrl", pw_name="joe", pw_domain="example.com")
        self.put("ischema", comment="x")
        self.put("badmailfrom", email="@spam.example")
        self.put("aliasdomain", alias="third.example", domain="zwei.example")
        self.put("aliasdomain", alias="alias.example", domain="example.com")
        self.put("aliasdomain", alias="lost.example", domain="none.example")
        self.put("dir_control_home_A2E", domain="example.com", cur_users=250, level_cur=1)
        self.put("dir_control_home_A2E", domain="none.example", cur_users=5)
        self.put("dir_controlroot_T2Z", domain="example.com", cur_users=-1)

    # --- taking it over

    def take(self, *options, code=1, **env):
        p = self.site.run(["install_tables", "-i", self.place, "-D", OLD, *options], env=self.site.env(**env), timeout=120)
        self.said = p.stderr.decode()
        self.assertEqual(p.returncode, code, self.said)
        return p.stdout.decode()

    def dump(self):
        names = [n for n, in self.site.sql("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'ischema' ORDER BY name")]
        return {n: sorted(self.site.sql(f"SELECT * FROM {n}")) for n in names}

    def wanted_users(self):
        rows, zero = {}, [0] * 14
        for name, hash, gecos, quota in (("bits", HASH, "bits", (0, 0)), ("clear", "*", "clear", (0, 0)), ("colon", HASH, "a b c" + "d" * 250, (0, 0)), ("cram", HASH, "cram", (0, 0)),
                                         ("des", DES, "des", (0, 0)), ("keys", HASH, "keys", (0, 0)), ("less", HASH, "less", (0, 0)), ("locked", "*", "locked", (0, 0)),
                                         ("more", HASH, "more", (0, 0)), ("none", "*", "none", (0, 0)), ("o'x", HASH, "o'x", (0, 0)), ("big", MD5, "Müller", (10 << 20, 0)),
                                         ("joe", HASH, "O'Neil \\ \"é\" -- %_;", (1000, 5))):
            rows[name] = [name, "example.com", hash, "", gecos, f"/nonexistent/A2E/example.com/{name}", *quota, 1, *zero, AT, AT]
        rows["keys"][3] = "{SCRAM-SHA-256}" + KEYS
        rows["big"][5] = "/nonexistent/a/big"
        rows["joe"][5] = self.site.path("old", "A2E", "example.com", "joe")
        for i in (1, 3, 8, 13):  # no_pop, no_imap, no_smtp, override_limits
            rows["joe"][9 + i] = 1
        rows["bits"][9] = 1
        back = ["back", "zwei.example", HASH, "", "back", "/nonexistent/A2E/zwei.example/back", 0, 0, 0, *zero, 1609459200, 1609459200]
        bits = ["bits", "zwei.example", *rows["bits"][2:9], *zero, AT, AT]
        return sorted(map(tuple, [*rows.values(), back, bits]))

    def check(self, got):
        self.maxDiff = None
        limits = [-1] * 7 + [0] * 18
        whole = limits.copy()
        whole[2], whole[7], whole[11], whole[18] = 7, BIG, 1, 5
        one = limits.copy()
        one[1] = 2000000000
        self.assertEqual(sorted(r[:1] + r[3:5] for r in got["domains"]), [("example.com", self.site.path("old", "domains", "example.com"), ""),
                                                                        ("zwei.example", self.site.path("old", "domains", "zwei.example"), self.site.path("base"))])
        self.assertEqual(got["users"], self.wanted_users())
        wanted = {
            "aliasdomain": [("alias.example", "example.com"), ("third.example", "zwei.example")],
            "valias": [("team", "example.com", "&joe@example.com", AT), ("team", "example.com", "| program 'with' \"quotes\" %_\\", AT),
                       ("team2", "example.com", "/home/x/Maildir/", AT), ("uni", "example.com", "&é@x.example", AT)],
            "vlimits": [("example.com", "", *whole), ("example.com", "joe", *one)],
            "userquota": [("joe", "example.com", BIG, AT)],
            "lastauth": [("joe", "example.com", "ACTI", "192.0.2.1", AT), ("joe", "example.com", "imap", "2001:db8::1", AT), ("joe", "example.com", "pass", "", AT)],
            "atrn_map": [("joe", "example.com", "odmr.example")],
            "ip_alias_map": [("192.0.2.1", "example.com"), ("2001:db8::7", "zwei.example")],
            "filters": [("joe", "example.com", 1, "r0", "subject", 3, "[é]", "Spam", "0"), ("joe", "example.com", 2, "r1", "", 5, "", "Inbox", "1"),
                        ("joe", "example.com", 3, "r2", "from", 7, "^a+$", "Inbox", "2&x@y.example"),
                        ("joe", "example.com", 7, "r6", "x-bogosity", 6, "%p > 0.5", "/NoDeliver", "0"),
                        ("prefilt", "zwei.example", 0, "filter", "x-qhpsi", 0, "virus found", "Quarantine", "0")],
            "bulkmail": [("joe@example.com", "news,all", AT)],
            "relay": [("192.0.2.9", "joe@example.com", AT)],
            "fstab": [("/home/Mail", "192.0.2.1", 1, 5, 2, 10, 1)],
            "address_lists": [("badmailfrom", "@spam.example")],
            "dir_control": [("example.com", "A2E", 250)],
            "secrets": [], "app_passwords": [], "totp": [],
        }
        self.assertEqual({k: v for k, v in got.items() if k not in ("domains", "users")}, wanted)

    LEFT = {  # what is said of each row that is not taken
        "domains": ["-bad.example", "root.example"],
        "aliasdomain": ["lost.example"],
        "indimail": [".dot@example.com", "a/b@example.com", "here@none.example", "long@example.com", "n" * 70 + "@example.com", "nowhere@example.com", "nu?l@example.com",
                     "other@example.com", "up@example.com", "x y@example.com", "é@example.com"],
        "indibak": ["joe@example.com"],
        "valias": ["b/ad@example.com", "ham@example.com", "x@none.example"],
        "vlimits": ["none.example", "zwei.example"],
        "userquota": ["ghost@example.com"],
        "lastauth": ["ghost@example.com"],
        "atrn_map": ["ghost@example.com"],
        "ip_alias_map": ["192.0.2.2", "nonsense"],
        "vfilter": ["joe@example.com"] * 3,
        "bulkmail": ["joe@example.com"],
        "relay": ["joe@example.com"],
        "fstab": ["/srv"],
        "dir_control_home_A2E": ["none.example"],
    }

    def left(self):
        got = {}
        for line in self.said.splitlines():
            parts = line.split(": ")
            if "not taken" in parts:
                got.setdefault(parts[1], []).append(parts[2])
        return {k: sorted(v) for k, v in got.items()}

    def test_sqlite(self):
        assign = self.assign()
        self.fill()
        before = oldsite.everything(self.server, OLD)
        out = self.take("-F", "new", "-n", "-a", assign)
        self.assertIn("nothing was changed", out)
        self.assertEqual(self.left(), self.LEFT)
        self.assertEqual({n for n, rows in self.dump().items() if rows}, set())
        out = self.take("-F", "new", "-a", assign)
        self.check(self.dump())
        self.assertEqual(self.left(), self.LEFT)
        for line in ("domains: 2 taken, 0 there before, 2 not taken", "alias domains: 1 taken, 0 there before, 0 not taken", "indimail: 14 taken, 0 there before, 11 not taken",
                     "indibak: 1 taken, 0 there before, 1 not taken", "valias: 4 taken, 0 there before, 3 not taken", "aliasdomain: 1 taken, 1 there before, 1 not taken",
                     "dir_control: 1 taken, 1 there before, 1 not taken", "mailboxes: 1 there, 14 not there yet"):
            self.assertIn(line + "\n", out)
        for line in ("vlog: 1 row: left aside: passwords", "hostcntrl: 1 row: left aside: of a cluster", "indimail: cram@example.com: its secret is left aside",
                     "indimail: locked@example.com: taken without a password", "indimail: none@example.com: has no password", "indimail: less@example.com: its quota",
                     "indimail: bits@example.com: flags", "indimail: colon@example.com: its comment",
                     "mailboxes: /nonexistent/A2E/example.com/bits: is the home of two users"):
            self.assertIn(line, self.said)
        self.assertNotIn("the password", self.said)
        self.assertNotIn(HASH, self.said)
        self.assertEqual(oldsite.everything(self.server, OLD), before)
        out = self.take("-F", "new", "-a", assign)  # once more
        self.check(self.dump())
        self.assertEqual(self.left(), self.LEFT)
        self.assertIn("indimail: 0 taken, 14 there before, 11 not taken\n", out)
        # the site works: what the files should say they say, and mail arrives where it was before
        self.assertEqual([l for l in self.site.run(["vdominfo", "--check"]).stdout.decode().splitlines() if "home" not in l and "postmaster" not in l], [])
        with open(self.site.path("old", "domains", "example.com", ".qmail-default")) as f:
            self.assertIn(self.site.bin + "/vdelivermail '' bounce-no-mailbox\n", f.read())
        self.assertIn("activated     : 2020-01-02 03:04:05 UTC from 192.0.2.1\n", self.site.ok("vuserinfo", "joe@example.com"))
        self.site.start_lookup("-i", "1", "-p", "1")
        self.assertEqual(self.site.query("verify", "keys@alias.example", "imap", "192.0.2.1", password="secret")[0], 0)
        self.assertEqual(self.site.query("verify", "locked@example.com", "imap", "192.0.2.1", password="!" + HASH)[0], 1)
        self.assertEqual(self.site.deliver("joe").returncode, 0)
        self.assertEqual(len(os.listdir(self.site.path("old", "A2E", "example.com", "joe", "Maildir", "new"))), 1)

    def test_mariadb(self):
        """The same on a server, which may be that of old, of another name: read back by the other driver."""
        assign = self.assign()
        self.fill(charset="utf8mb4", engine="MyISAM")
        self.server.sql("UPDATE indimail SET pw_gecos = 'Müller' WHERE pw_name = 'Big'", database=OLD)
        mysql = {"MYSQL_HOST": self.server.host()}
        for _ in range(2):
            self.take("-k", "-F", "new", "-a", assign, **mysql)
            self.assertEqual(self.left(), self.LEFT)
        self.assertFalse(os.path.exists(self.site.db_path()))
        self.site.ok("vconvert", "mysql", "sqlite", env=self.site.env(**mysql))
        self.check(self.dump())
        with open(self.site.path("old", "domains", "example.com", ".qmail-default")) as f:
            self.assertIn("/var/indimail/", f.read())  # -k

    def test_older_release(self):
        """Other flags, and columns that are missing."""
        assign = self.assign()
        oldsite.make(self.server, OLD, without=("scram", "zztimestamp"))
        self.server.sql("DROP TABLE vlog", "DROP TABLE atrn_map", database=OLD)
        self.server.sql(f"ALTER TABLE bulkmail ADD {oldsite.STAMP}", database=OLD)
        self.user("joe", pw_passwd=HASH, pw_gid=0x1 | 0x100 | 0x400)
        self.put("bulkmail", emailid="joe@example.com", filename="n", timestamp="2020-01-02 03:04:05")
        self.take("-a", assign, code=100)
        self.assertIn("joe@example.com: has flags (pw_gid) above 255", self.said)
        self.assertEqual(self.site.sql("SELECT COUNT(*) FROM domains"), [(0,)])
        self.take("-F", "old", "-a", assign)
        self.assertEqual(self.site.sql("SELECT no_passwd_change, no_smtp, override_limits, user0, user1 FROM users"), [(1, 0, 1, 1, 0)])
        self.assertEqual(self.site.sql("SELECT * FROM bulkmail"), [("joe@example.com", "n", AT)])

    def test_clear(self):
        """Texts that are no hash are passwords only where somebody says so."""
        assign = self.assign()
        oldsite.make(self.server, OLD)
        self.user("joe", pw_passwd="the password")
        self.take("-p", "-a", assign)
        self.assertTrue(self.site.sql("SELECT hash FROM users")[0][0].startswith("$y$"))
        self.site.start_lookup("-i", "1", "-p", "1")
        self.assertEqual(self.site.query("verify", "joe@example.com", "imap", "192.0.2.1", password="the password")[0], 0)
        self.assertIn("indimail: 0 taken, 1 there before", self.take("-p", "-a", assign))

    def test_changed_since(self):
        """What is there stays, and it is said."""
        assign = self.assign()
        self.fill()
        self.take("-F", "new", "-a", assign)
        self.site.ok("vmoduser", "-c", "changed", "joe@example.com")
        self.site.sql("UPDATE vlimits SET maxaliases = 3 WHERE name = ''")
        self.site.sql("UPDATE lastauth SET at = at + 5")
        self.site.sql("UPDATE ip_alias_map SET domain = 'zwei.example'")
        self.site.sql("UPDATE filters SET keyword = 'other' WHERE filter_no = 1")
        before = self.dump()
        self.take("-F", "new", "-a", assign)
        for line in ("indimail: joe@example.com: not taken: there is such a user, otherwise", "vlimits: example.com: not taken: we have other", "ip_alias_map: 192.0.2.1: not taken",
                     "vfilter: joe@example.com: not taken: another rule"):
            self.assertIn(line, self.said)
        self.assertEqual(self.dump(), before)

    def test_headers(self):
        """A site's own numbers of headers."""
        assign = self.assign()
        oldsite.make(self.server, OLD)
        for i in (0, 1, 2):
            self.put("vfilter", emailid="joe@example.com", filter_no=i, filter_name="f", header_name=i, comparision=1, keyword="k", destination="Spam", bounce_action="0")
        with open(self.site.path("headerlist"), "w") as f:
            f.write("X-First\nX-Second\n")
        self.take("-l", self.site.path("headerlist"), "-a", assign)
        self.assertEqual(self.site.sql("SELECT filter_no, header_name FROM filters"), [(0, "x-first"), (1, "x-second")])
        self.assertIn("vfilter: joe@example.com: not taken: its header's number", self.said)

    def test_cut_short(self):
        """Killed, or the server dies: nothing is there, and it can be done again."""
        assign = self.assign()
        self.fill()
        self.server.sql(f"INSERT INTO indimail (pw_name, pw_domain, pw_passwd, pw_gid, pw_gecos, pw_dir) SELECT CONCAT('u', seq), 'example.com', '{HASH}', 0, '',"
                        f" CONCAT('/home/mail/u', seq) FROM seq_1_to_30000", database=OLD)
        self.site.ok("install_tables")
        for who in ("program", "server"):
            p = self.site.spawn(["install_tables", "-i", self.place, "-D", OLD, "-F", "new", "-a", assign], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            while b"aliasdomain: 1 taken" not in (line := p.stdout.readline()):  # it is at the users now
                self.assertTrue(line)
            while b"colon@" not in (line := p.stderr.readline()):
                self.assertTrue(line)
            p.kill() if who == "program" else self.server.kill()
            p.communicate()
            if who == "server":
                # all rows of a table were on our side already, so it ends at the next
                self.assertEqual(p.returncode, 111)
                self.server.start()
            self.assertEqual({n for n, rows in self.dump().items() if rows}, set(), who)
        self.assertIn("indimail: 30014 taken", self.take("-F", "new", "-a", assign))

    def test_bar(self):
        """On a terminal a bar, and between its states what is to be said."""
        assign = self.assign()
        self.fill()
        ours, theirs = pty.openpty()
        p = self.site.spawn(["install_tables", "-i", self.place, "-D", OLD, "-F", "new", "-k", "-a", assign], stdout=theirs, stderr=theirs)
        os.close(theirs)
        seen = b""
        while True:
            try:
                seen += os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
        os.close(ours)
        self.assertEqual(p.wait(20), 1)
        rows = sum(int(n) for line in seen.decode().splitlines() if " taken, " in line and "domains:" not in line for n in line.replace(",", "").split() if n.isdigit())
        self.assertIn(b"] %d/%d" % (rows, rows), seen)
        self.assertIn(b"\r\x1b[Kinstall_tables: valias: ham@example.com: not taken", seen)

    def test_wrong_use(self):
        assign = self.assign()
        self.take("-a", assign, code=111)  # there is no such database
        self.assertIn("Unknown database", self.said)
        self.server.sql(f"CREATE DATABASE {OLD}")
        self.take("-a", assign, code=100)
        self.assertIn("no table indimail", self.said)
        self.take("-a", "/nonexistent", code=100)
        with open(self.site.path("empty"), "w") as f:
            f.write(".\n")
        self.take("-a", self.site.path("empty"), code=100)
        for argv in (["-i", "/nonexistent"], ["-i", self.place, "-F", "newer"], ["-i", self.place, "-t", "x"], ["-c", "-t", "x"], ["-t", "x", "-F", "old"], ["x"]):
            self.assertIn(self.site.run(["install_tables", *argv]).returncode, (100, 111), argv)

    def test_never_a_mixture(self):
        """Our tables are not made in a database of old, whatever release its own record names."""
        for last in (None, 3, 8):
            self.server.sql(f"DROP DATABASE IF EXISTS {OLD}")
            oldsite.make(self.server, OLD)
            if last:
                self.put("ischema", id=last, comment="x")
            before = self.server.sql("SHOW TABLES", database=OLD)
            for argv in (["install_tables"], ["install_tables", "-c"], ["vadddomain", "-e", "x.example", HASH], ["vdominfo"]):
                p = self.site.run(argv, env=self.site.env(MYSQL_HOST=self.server.host(), MYSQL_DATABASE=OLD))
                self.assertEqual(p.returncode, 111, argv)
                self.assertIn("an older IndiMail", p.stderr.decode())
            self.assertEqual(self.server.sql("SHOW TABLES", database=OLD), before)
        # where our settings still name it, an empty variable switches them off
        self.server.use(self.site, OLD)
        place = self.site.path("control", "host.mysql")
        self.assertEqual(self.site.run(["install_tables", "-i", place, "-D", OLD, "-a", self.assign(), "-n"]).returncode, 111)
        p = self.site.run(["install_tables", "-i", place, "-D", OLD, "-a", self.site.path("old", "assign"), "-n"], env=self.site.env(MYSQL_HOST=""))
        self.assertEqual(p.returncode, 1, p.stderr)
        self.assertIn(b"domains: 2 taken", p.stdout)


if __name__ == "__main__":
    unittest.main()
