"""vlimit, and who heeds what it sets."""
import json, os, subprocess, time, unittest
from usersite import HASH, UserSite


class Limits(unittest.TestCase):
    def setUp(self):
        self.site = UserSite()
        self.addCleanup(self.site.close)
        self.site.add_domain()
        self.site.ok("vmoddomain", "-l", "1", "example.com")

    def fails(self, code, *argv, **kw):
        p = self.site.run(list(argv), **kw)
        self.assertEqual(p.returncode, code, p.stderr)
        self.assertEqual(p.stdout, b"")
        return p.stderr.decode()

    def shown(self, what="example.com"):
        return json.loads(self.site.ok("vlimit", "-s", "--json", what))

    def test_set_show_delete(self):
        s = self.site
        self.assertIn("no limits", self.fails(1, "vlimit", "-s", "example.com"))
        out = s.ok("vlimit", "-e", "31122037235958", "-N", "-1", "-Q", "2M", "-M", "7", "-q", "1k", "-m", "3", "-P", "5", "-A", "4",
                   "-F", "3", "-R", "2", "-L", "0", "-p", "c", "-a", "a", "-f", "md", "-r", "0", "-l", "c", "-u", "m", "-o", "d",
                   "-x", "c", "-z", "m", "-g", "uds", "example.com")
        self.assertRegex(out, r"domain expires +: 2037-12-31 23:59:58 UTC\n")
        self.assertRegex(out, r"passwords expire +: never\n")
        self.assertRegex(out, r"refused for aliases +: create, modify, delete\n")
        self.assertRegex(out, r"switched off +: dialup, password change, SMTP login\n")
        self.assertEqual(self.shown(), {
            "domain": "example.com", "in_force": True, "domain_expiry": 2145916798, "passwd_expiry": -1, "maxpopaccounts": 5,
            "maxaliases": 4, "maxforwards": 3, "maxautoresponders": 2, "maxmailinglists": 0, "diskquota": 2 << 20, "maxmsgcount": 7,
            "defaultquota": 1024, "defaultmaxmsgcount": 3, "disable_pop": 0, "disable_imap": 0, "disable_dialup": 1,
            "disable_passwordchanging": 1, "disable_webmail": 0, "disable_relay": 0, "disable_smtp": 1, "perm_account": 1,
            "perm_alias": 7, "perm_forward": 6, "perm_autoresponder": 0, "perm_maillist": 1 | 2 << 3 | 4 << 6, "perm_quota": 1,
            "perm_defaultquota": 2})
        s.ok("vlimit", "-P", "9", "-g", "sp", "-T", "-a", "0", "example.com")
        now = self.shown()
        self.assertEqual([now[k] for k in ("maxpopaccounts", "disable_smtp", "disable_pop", "disable_dialup", "perm_alias", "maxaliases")],
                         [9, 0, 1, 1, 0, 4])
        before = time.time()
        s.ok("vlimit", "-n", "10", "-N", "0", "-g", "xi", "example.com")
        now = self.shown()
        self.assertTrue(before - 2 < now["domain_expiry"] - 864000 < time.time() + 2)
        self.assertEqual((now["disable_imap"], now["disable_dialup"]), (1, 0))
        s.ok("vmoddomain", "-l", "0", "example.com")
        self.assertFalse(self.shown()["in_force"])
        s.ok("vlimit", "-v", "-D", "example.com")
        self.fails(1, "vlimit", "-D", "example.com")
        self.fails(1, "vlimit", "-s", "example.com")

    def test_lists(self):
        """There are none: a number of them is not promised."""
        s = self.site
        self.assertIn("no program here makes mailing lists", self.fails(100, "vlimit", "-L", "3", "-P", "5", "example.com"))
        self.fails(1, "vlimit", "-s", "example.com")
        s.ok("vlimit", "-L", "-1", "-l", "a", "example.com")
        s.ok("vlimit", "-L", "0", "example.com")

    def reply(self, user, text=b"I am away\n", code=0):
        p = self.site.run(["vacation", user + "@example.com", "+" if text else "-"], input=text or b"")
        self.assertEqual(p.returncode, code, p.stderr)
        return p.stderr.decode()

    def test_vacation_replies(self):
        s = self.site
        for name in ("ann", "bob", "carl"):
            s.add_user(name)
        s.ok("vlimit", "-R", "2", "example.com")
        self.reply("ann")
        self.reply("bob")
        self.assertIn("as many vacation replies", self.reply("carl", code=100))
        self.assertFalse(os.path.exists(s.home("carl@example.com") + "/.qmail"))
        self.fails(100, "vmoduser", "-l", "+", "carl@example.com", input=b"away\n")
        self.reply("ann", b"Another text\n")  # it is one already
        self.reply("ann", None)
        self.reply("carl")
        self.assertIn("as many", self.reply("ann", code=100))
        # who is above the limits, a limit of the user's own, and no limits in force
        s.ok("vmoduser", "-o", "ann@example.com")
        self.reply("ann")
        s.ok("vlimit", "-R", "0", "bob@example.com")
        self.reply("bob", b"Another text\n")
        self.reply("bob", None)
        self.assertIn("as many", self.reply("bob", code=100))
        s.ok("vmoddomain", "-l", "0", "example.com")
        self.reply("bob")

    def test_vacation_permissions(self):
        s = self.site
        s.add_user("ann")
        for refused, on, again, off in (("c", 100, None, 0), ("m", 0, 100, 0), ("d", 0, 0, 100), ("a", 100, None, 100)):
            s.ok("vlimit", "-r", refused, "example.com")
            self.assertIn("do not allow" if on else "", self.reply("ann", code=on))
            if not on:
                self.assertIn("do not allow another" if again else "", self.reply("ann", b"Another\n", code=again))
            self.reply("ann", None, code=off)
        self.assertTrue(os.path.exists(s.home("ann@example.com") + "/.vacation.msg"))

    def test_what_logins_heed(self):
        """Dialup and the change of a password, of a domain and of a user, as IMAP and the others."""
        s = self.site
        s.add_user("ann")
        s.start_lookup()
        ask = lambda service: s.query("verify", "ann@example.com", service, "192.0.2.1", password="secret")[1]
        change = lambda: s.checker(["vsetpass"], b"ann@example.com\0secret\0another one\0")
        closed = ["none", "this service is switched off for the domain"]
        dialup = lambda: s.checker(["vchkpass", "/bin/false"], b"ann@example.com\0secret\0\0", AUTHSERVICE="dialup").returncode
        self.assertEqual((ask("dialup")[0], ask("passwd")[0], dialup()), ("ok", "ok", 0))
        s.ok("vlimit", "-g", "ud", "example.com")
        self.assertEqual((ask("dialup"), ask("passwd"), ask("imap")[0], dialup()), (closed, closed, "ok", 1))
        p = change()
        self.assertEqual((p.returncode, p.stdout), (1, b"this service is switched off for the domain\n"))
        s.ok("vmoduser", "-o", "ann@example.com")
        self.assertEqual((ask("dialup")[0], ask("passwd")[0]), ("ok", "ok"))
        s.ok("vmoduser", "-x", "-ud", "ann@example.com")
        s.ok("vlimit", "-g", "x", "example.com")
        closed = ["none", "this service is switched off for the user"]
        self.assertEqual((ask("dialup"), ask("passwd"), ask("imap")[0], dialup()), (closed, closed, "ok", 1))
        self.assertEqual(change().returncode, 1)
        s.ok("vmoduser", "-x", "ann@example.com")
        self.assertEqual((change().returncode, dialup()), (0, 1))

    def test_of_a_user(self):
        s = self.site
        s.add_user("ann")
        s.ok("vaddaliasdomain", "other.example", "example.com")
        s.ok("vlimit", "-Q", "1M", "example.com")
        s.ok("vlimit", "-Q", "2M", "ann@other.example")
        self.assertEqual(self.shown("ann@example.com")["user"], "ann")
        self.assertEqual(self.shown("ann@example.com")["diskquota"], 2 << 20)
        s.ok("vsetuserquota", "ann@example.com", "2M")
        self.fails(100, "vsetuserquota", "ann@example.com", "3M")
        self.fails(100, "vsetuserquota", "postmaster@example.com", "2M")
        s.ok("vdeluser", "ann@example.com")
        self.assertEqual(s.sql("SELECT COUNT(*) FROM vlimits"), [(1,)])

    def test_wrong(self):
        s = self.site
        for argv in (["-e", "31022030000000"], ["-e", "1122030000000"], ["-e", "0112203000000x"], ["-e", "01132030000000"],
                     ["-e", "01011969000000"], ["-e", "01012030250000"], ["-n", "-2"], ["-n", "100001"], ["-n", "x"], ["-Q", ""],
                     ["-Q", "-1"], ["-Q", "1,1"], ["-Q", "99999999999999999999"], ["-M", "-1"], ["-P", "-2"], ["-P", "1x"],
                     ["-P", "9223372036854775808"], ["-p", ""], ["-p", "q"], ["-g", "q"], ["-g", "pq"],
                     ["-A", "1; DROP TABLE vlimits"]):
            with self.subTest(argv):
                self.fails(100, "vlimit", "-P", "1", *argv, "example.com")
        self.assertEqual(s.sql("SELECT COUNT(*) FROM vlimits"), [(0,)])
        for argv in ([], ["example.com"], ["-s", "-D", "example.com"], ["-s", "-P", "1", "example.com"], ["-T", "example.com"],
                     ["-P", "1"], ["-s", "a", "b"], ["-s", "--jsom", "example.com"]):
            with self.subTest(argv):
                self.fails(100, "vlimit", *argv)
        for who in ("a b", "../x", "x@..", "é@example.com", "o'x;--", "a" * 300, ""):
            self.fails(100, "vlimit", "-P", "1", who)
        self.fails(1, "vlimit", "-P", "1", "none.example")
        self.fails(1, "vlimit", "-P", "1", "nobody@example.com")
        self.fails(1, "vlimit", "-D", "example.com")
        with open(s.db_path(), "r+b") as f:
            f.write(b"this is no database any more" * 100)
        self.fails(111, "vlimit", "-s", "example.com")
        self.fails(111, "vlimit", "-P", "1", "example.com")

    def test_quota(self):
        s = self.site
        s.add_user("ann", "-q", "1000")
        s.ok("vlimit", "-Q", "1M", "-M", "10", "example.com")
        for argv in (["vsetuserquota", "ann@example.com", "2M,5"], ["vsetuserquota", "ann@example.com", "NOQUOTA"],
                     ["vmoduser", "-q", "2M,5", "ann@example.com"], ["vmoduser", "-q", "+1M", "ann@example.com"],
                     ["vsetuserquota", "ann@example.com", "1M,11"]):
            with self.subTest(argv):
                self.assertIn("limits", self.fails(100, *argv))
        self.assertIn("1000S\n", s.ok("vuserinfo", "-q", "ann@example.com"))
        s.ok("vmoduser", "-q", "1M,10", "ann@example.com")
        s.ok("vlimit", "-x", "m", "example.com")
        self.assertIn("limits", self.fails(100, "vsetuserquota", "ann@example.com", "1k"))
        s.ok("vmoduser", "-c", "still", "ann@example.com")  # what is no quota may change
        s.ok("vmoduser", "-o", "ann@example.com")
        s.ok("vsetuserquota", "ann@example.com", "5G")
        s.ok("vmoddomain", "-l", "0", "example.com")
        s.ok("vsetuserquota", "postmaster@example.com", "5G")

    def test_aliases(self):
        s = self.site
        add = lambda line, name: ["valias", "-i", line, name + "@example.com"]
        s.ok("vlimit", "-A", "2", "-F", "1", "example.com")
        s.ok(*add("&postmaster@example.com", "one"))
        s.ok(*add("| true", "two"))
        s.ok(*add("/var/mail/x/", "two"))
        s.ok(*add("&postmaster@example.com", "spam"))  # every domain must have it
        self.assertIn("aliases", self.fails(100, *add("&postmaster@EXAMPLE.com", "three")))
        s.ok(*add("&joe@far.example", "three"))
        s.ok(*add("&eve@far.example", "three"))
        self.assertIn("forwards", self.fails(100, *add("joe@far.example", "four")))
        s.ok("valias", "-d", "&joe@far.example", "three@example.com")
        self.assertIn("forwards", self.fails(100, *add("joe@far.example", "four")))
        self.assertIn("forwards", self.fails(100, "valias", "-u", "| true", "-i", "joe@far.example", "two@example.com"))
        s.ok("valias", "-d", "&eve@far.example", "three@example.com")
        s.ok(*add("joe@far.example", "four"))
        s.ok("vlimit", "-a", "d", "-f", "cm", "-F", "-1", "example.com")
        self.fails(100, "valias", "-d", "| true", "two@example.com")
        self.fails(100, *add("joe@far.example", "five"))
        self.fails(100, *add("eve@far.example", "four"))
        s.ok("valias", "-d", "joe@far.example", "four@example.com")
        self.assertEqual(s.ok("valias", "-s", "two@example.com"), "two -> | true\ntwo -> /var/mail/x/\n")

    def test_limit_holds_for_many_at_once(self):
        """Of those who come together only as many as there is room for get in."""
        s = self.site
        s.ok("vlimit", "-P", "4", "-A", "3", "example.com")
        for room, argv in ((3, lambda i: ["vadduser", "-e", f"u{i}@example.com", HASH]), (3, lambda i: ["valias", "-i", "| true", f"a{i}@example.com"])):
            running = [s.spawn(argv(i), stderr=subprocess.PIPE) for i in range(8)]
            codes = [(p.wait(60), p.stderr.read()) for p in running]
            for p in running:
                p.stderr.close()
            self.assertEqual(sorted(c for c, _ in codes), [0] * room + [100] * (8 - room), codes)

    def test_logins(self):
        """What is switched off for the domain is off for its users, and who may override is not touched."""
        s = self.site
        s.add_user("ann")
        s.add_user("boss")
        s.ok("vmoduser", "-o", "boss@example.com")
        s.start_lookup()
        ask = lambda user, service: s.query("verify", user + "@example.com", service, "192.0.2.1", password="secret")
        for letter, service in (("p", "pop3"), ("i", "imap"), ("w", "webmail"), ("s", "smtp")):
            with self.subTest(service):
                s.ok("vlimit", "-g", "x" + letter, "example.com")
                off = ask("ann", service)
                self.assertEqual((off[0], off[1][0]), (1, "none"))
                self.assertIn("switched off for the domain", " ".join(off[1]))
                self.assertEqual({o: ask("ann", o)[0] for o in ("pop3", "imap", "webmail", "smtp") if o != service}, {o: 0 for o in ("pop3", "imap", "webmail", "smtp") if o != service})
                self.assertEqual(ask("boss", service)[0], 0)
        before = ask("ann", "imap")[1]
        s.ok("vlimit", "-g", "xr", "example.com")
        self.assertEqual([(a, b) for a, b in zip(before, ask("ann", "imap")[1]) if a != b], [("256", "32")])  # the flags: no SMTP, then no relaying
        s.ok("vlimit", "-g", "xi", "example.com")
        s.ok("vmoddomain", "-l", "0", "example.com")
        self.assertEqual(ask("ann", "imap")[0], 0)
        s.ok("vmoddomain", "-l", "1", "example.com")
        self.assertEqual(ask("ann", "imap")[0], 1)
        s.ok("vlimit", "-e", "01012020000000", "-g", "x", "example.com")
        self.assertIn("expired", " ".join(ask("ann", "imap")[1]))

    def test_handles(self):
        s = self.site
        s.add_user("ann")
        handle = s.path("run", "handle")
        with open(handle, "w") as f:
            f.write("#!/bin/sh\nprintf '%s|' \"$@\"\nexit 7\n")
        os.chmod(handle, 0o755)
        run = lambda *argv: s.run(list(argv), env=s.env(POST_HANDLE=handle))
        p = run("vmoduser", "-c", "O'Neil $(id)", "-P", "not to be seen", "ann@example.com")
        self.assertEqual((p.returncode, p.stdout), (7, b"-c|O'Neil $(id)|-P||ann@example.com|"))
        p = run("vaddaliasdomain", "new.example", "example.com")
        self.assertEqual((p.returncode, p.stdout), (7, b"new.example|example.com|"))
        p = run("vmoduser", "-c", "a:b", "ann@example.com")
        self.assertEqual((p.returncode, p.stdout), (100, b""))


if __name__ == "__main__":
    unittest.main()
