"""--json of the programs that read: one list or object, whatever stands in the database; people see the same."""
import glob, json, os, unittest

from usersite import HASH, UserSite

ODD = "O'Neil \"x\" \\ é"


class Json(unittest.TestCase):
    def setUp(self):
        self.site = UserSite()
        self.addCleanup(self.site.close)
        s = self.site
        s.add_domain()
        s.add_user("joe", "-d", "-c", ODD)

    def json(self, *argv):
        return json.loads(self.site.ok(argv[0], "--json", *argv[1:]))

    def test_readers(self):
        s = self.site
        s.ok("valias", "-i", f"| echo {ODD}", "team@example.com")
        s.ok("vipmap", "-i", "192.0.2.1", "example.com")
        s.ok("vipmap", "-i", "2001:db8::1", "example.com")
        s.ok("vatrn", "-i", "a.example,b.example", "joe@example.com")
        s.ok("vfstab", "-i", "-n", "5", "-q", "1M", "/srv/mail")
        s.ok("vcfilter", "-i", "-t", ODD, "-h", "subject", "-c", "starts", "-k", ODD, "-f", "Spam", "joe@example.com")
        s.ok("vcfilter", "-i", "-c", "nottome", "-b", "1", "joe@example.com")
        s.ok("qmail-sql", "-i", "@spam.example", "badmailfrom")
        s.ok("qmail-sql", "-i", "x'y@spam.example", "badmailfrom")
        for argv, wanted, lines in (
            (["vipmap", "-s"], [{"address": "192.0.2.1", "domain": "example.com"}, {"address": "2001:db8::1", "domain": "example.com"}],
             "192.0.2.1 -> example.com\n2001:db8::1 -> example.com\n"),
            (["vatrn", "-s"], [{"user": "joe", "domain": "example.com", "domains": "a.example,b.example"}], "joe@example.com -> a.example,b.example\n"),
            (["vfstab", "-s"], [{"filesystem": "/srv/mail", "host": "localhost", "online": True, "users": 0, "max_users": 5, "free_bytes": 1048576, "max_bytes": 1048576}],
             "/srv/mail localhost online users 0/5 free 1048576/1048576\n"),
            (["vcfilter", "-s", "joe@example.com"],
             [{"number": 1, "name": ODD, "header": "subject", "comparison": "starts", "keyword": ODD, "folder": "Spam", "action": "0"},
              {"number": 2, "name": "filter", "header": "", "comparison": "nottome", "keyword": "", "folder": "Inbox", "action": "1"}],
             f"1 {ODD}: subject starts {ODD} -> Spam, 0\n2 filter: nottome -> Inbox, 1\n"),
            (["valias", "-s", "team@example.com"], [{"alias": "team", "domain": "example.com", "line": f"| echo {ODD}"}], f"team -> | echo {ODD}\n"),
            (["valias", "-S", "postmaster@example.com"], [{"alias": "abuse", "domain": "example.com"}, {"alias": "mailer-daemon", "domain": "example.com"}],
             "abuse@example.com\nmailer-daemon@example.com\n"),
            (["qmail-sql", "-s", "badmailfrom"], {"list": "badmailfrom", "entries": ["@spam.example", "x'y@spam.example"]}, "@spam.example\nx'y@spam.example\n"),
        ):
            with self.subTest(argv):
                self.assertEqual(self.json(*argv), wanted)
                self.assertEqual(s.ok(*argv), lines)

    def test_passwords(self):
        made = self.json("vapppass", "-a", ODD, "joe@example.com")
        self.assertEqual((list(made), len(made["password"])), (["password"], 24))
        one, = self.json("vapppass", "-l", "joe@example.com")
        self.assertGreater(one.pop("created"), 1700000000)
        self.assertEqual(one, {"label": ODD, "services": "imap pop3 smtp", "used": 0})
        self.assertRegex(self.site.ok("vapppass", "-l", "joe@example.com"), r"^O'Neil .*: for imap pop3 smtp; made .*; used never\n$")
        self.assertRegex(self.site.ok("vapppass", "-a", "other", "joe@example.com"), r"^password: \w{24}\n$")

    def test_groups(self):
        s = self.site
        for name in ("sales", "all"):
            s.ok("vgroup", "-a", "-e", "-c", ODD, f"{name}@example.com", HASH)
        for line in ("&joe@example.com", f"| echo {ODD}"):
            s.ok("vgroup", "-i", line, "sales@example.com")
        sales = {"group": "sales@example.com", "comment": ODD, "members": ["&joe@example.com", f"| echo {ODD}"]}
        self.assertEqual(self.json("vgroup", "-s", "sales@example.com"), [sales])
        self.assertEqual(self.json("vgroup", "-s", "example.com"), [{"group": "all@example.com", "comment": ODD, "members": []}, sales])
        self.assertEqual(s.ok("vgroup", "-s", "sales@example.com"),
                         f"group   : sales@example.com\ncomment : {ODD}\nmember  : &joe@example.com\nmember  : | echo {ODD}\n")
        for argv, code in ((["-s", "joe@example.com"], 100), (["-s", "nobody@example.com"], 1), (["-s", "none.example"], 1), (["-s", "-a", "x@example.com"], 100),
                           (["--json", "-i", "&a@b.example", "sales@example.com"], 100)):
            self.assertEqual(s.run(["vgroup", *argv]).returncode, code, argv)

    def test_long_ones(self):
        """What changes something says in the end what was done."""
        s = self.site
        for name in ("ann", "bob"):
            s.add_user(name, "-d")
        with open(s.path("run", "text"), "w") as f:
            f.write("Subject: x\n\nhello\n")
        os.chmod(s.path("run", "text"), 0o644)
        names = ["ann", "bob", "joe", "postmaster"]
        row = lambda u, had, got: {"user": u, "domain": "example.com", "had": had, "got": got}
        self.assertEqual(self.json("vbulletin", "-n", "-f", s.path("run", "text")), [row(u, False, False) for u in names])
        self.assertEqual(self.json("vbulletin", "-f", s.path("run", "text")), [row(u, False, True) for u in names])
        self.assertEqual(self.json("vbulletin", "-f", s.path("run", "text")), [row(u, True, False) for u in names])
        maildir = s.home("joe@example.com") + "/Maildir"
        size = {u: os.path.getsize(glob.glob(s.home(u + "@example.com") + "/Maildir/new/*")[0]) for u in names}
        self.assertEqual(self.json("resetquota", "-a"), [{"user": u, "domain": "example.com", "bytes": size[u], "messages": 1} for u in names])
        self.assertEqual(self.json("resetquota", maildir), [{"maildir": maildir, "bytes": size["joe"], "messages": 1}])
        self.assertEqual(s.ok("resetquota", "-v", "joe@example.com"), f"joe@example.com: {size['joe']} bytes, 1 messages\n")
        moved = self.json("vreorg", "-n", "-l", "1", "-d", "example.com")
        self.assertEqual(self.json("vreorg", "-l", "1", "-d", "example.com"), moved)
        self.assertIn({"user": "bob", "domain": "example.com", "from": s.path("mail", "A2E", "example.com", "bob"), "to": s.path("mail", "A2E", "example.com", "1", "bob")}, moved)
        self.assertEqual(self.json("vreorg", "-l", "1", "-d", "example.com"), [])
        s.sql("UPDATE users SET created = 1000000000 WHERE name = 'ann'")
        s.sql("UPDATE lastauth SET at = 1000000000 WHERE name = 'ann'")
        old, = self.json("vdeloldusers", "-f", "-n", "-p")
        self.assertGreater(old.pop("days"), 3000)
        self.assertEqual({k: old[k] for k in ("user", "domain")}, {"user": "ann", "domain": "example.com"})
        self.assertEqual(s.ok("vdeloldusers", "-f", "-n", "-p"), f"ann@example.com: {old['what']}; no login for " + s.ok("vdeloldusers", "-f", "-n", "-p").split("for ")[1])

    def test_chosen(self):
        s = self.site
        s.ok("vfstab", "-l", s.path("mail"))
        chosen = self.json("vfstab", "-b")
        self.assertEqual((chosen["filesystem"], chosen["online"], chosen["users"]), (s.path("mail"), True, 2))
        self.assertEqual(s.ok("vfstab", "-b"), s.path("mail") + "\n")

    def test_wrong_use(self):
        """Only what reads has it, and no other long option."""
        for argv in (["vipmap", "--json", "-i", "192.0.2.1", "example.com"], ["vatrn", "--json", "-i", "a.example", "joe@example.com"],
                     ["vcfilter", "--json", "-d", "1", "joe@example.com"], ["qmail-sql", "--json", "-i", "a", "b"], ["vfstab", "--json", "-d", "/x"],
                     ["valias", "--json", "-i", "&a@b.example", "x@example.com"], ["vipmap", "-s", "--yaml"], ["vreorg", "--jso", "-d", "example.com"]):
            self.assertEqual(self.site.run(argv).returncode, 100, argv)


if __name__ == "__main__":
    unittest.main()
