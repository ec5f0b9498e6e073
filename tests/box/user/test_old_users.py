"""vdeloldusers: who is old, what is done with him, and that nobody else is touched."""
import fcntl, glob, os, signal, time, unittest
from usersite import UserSite

DAY = 86400


class OldUsers(unittest.TestCase):
    def setUp(self):
        self.site = UserSite()
        self.addCleanup(self.site.close)
        s = self.site
        s.add_domain()
        for name in ("ann", "bob", "eve"):
            s.add_user(name, "-d", "-q", "1M")
        s.sql("UPDATE users SET created = created - ?", 400 * DAY)
        self.login("ann", 100)
        self.login("bob", 10)
        self.login("eve", 100)
        for name in ("ann", "bob", "eve"):
            self.put(name, "new/one", 40)
            self.quiet(name, 90)

    def login(self, user, days, service="imap"):
        self.site.sql("REPLACE INTO lastauth (name, domain, service, at) VALUES (?, 'example.com', ?, ?)", user, service, int(time.time()) - days * DAY)

    def maildir(self, user):
        return self.site.home(user + "@example.com") + "/Maildir/"

    def put(self, user, name, days):
        path = self.maildir(user) + name
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write("x" * 10)
        os.utime(path, (time.time() - days * DAY,) * 2)
        self.theirs(os.path.dirname(os.path.dirname(path)))

    def theirs(self, path):
        """What the test made belongs to those our programs run as."""
        for d, _, files in os.walk(path):
            for p in [d] + [os.path.join(d, f) for f in files]:
                if self.site.ids:
                    os.lchown(p, 65534, 65534)

    def quiet(self, user, days):
        os.utime(self.maildir(user) + "cur", (time.time() - days * DAY,) * 2)

    def users(self):
        return {n: a for n, a in self.site.sql("SELECT name, active FROM users")}

    def mails(self, user):
        d = self.maildir(user)
        return sorted(p[len(d):] for p in glob.glob(d + "**", recursive=True, include_hidden=True) if os.path.isfile(p) and "/maildirsize" not in p)

    def run_it(self, *argv):
        return self.site.ok("vdeloldusers", *argv).splitlines()

    def test_report_changes_nothing(self):
        before = {u: self.mails(u) for u in ("ann", "bob", "eve")}
        for argv in ([], ["-d", "example.com"], ["-r"], ["-n", "-p"], ["-r", "-i"], ["-n", "-c", "-u", "1", "-t", "1"], ["-u", "1"]):
            with self.subTest(argv):
                out = self.run_it(*argv)
                self.assertTrue(out[0].startswith("ann@example.com: ") and out[0].endswith("no login for 100 days"), out)
                self.assertEqual([l.split("@")[0] for l in out if "messages, 10 bytes; no login for 10 days" not in l], ["ann", "eve"])
                self.assertEqual(self.users(), dict.fromkeys(("ann", "bob", "eve", "postmaster"), 1))
                self.assertEqual({u: self.mails(u) for u in before}, before)

    def test_who_is_old(self):
        self.login("eve", 5, "smtp")
        self.assertEqual([l.split("@")[0] for l in self.run_it()], ["ann"])
        self.assertEqual(self.run_it("-a", "101"), [])
        self.assertEqual([l.split("@")[0] for l in self.run_it("-a", "9", "-f")], ["ann", "bob"])
        self.assertEqual([l.split("@")[0] for l in self.run_it("-a", "9")], ["ann", "bob"])
        self.quiet("ann", 50)
        self.assertEqual(self.run_it(), [])
        self.assertEqual([l.split("@")[0] for l in self.run_it("-f")], ["ann"])
        self.quiet("ann", 90)
        self.site.ok("vmoduser", "-c", "MailGroup of friends", "ann@example.com")
        self.assertEqual(self.run_it(), [])
        self.site.ok("vmoduser", "-c", "o'keep; é", "ann@example.com")
        self.assertEqual(len(self.run_it()), 1)
        self.assertEqual(self.run_it("-s", "other", "-s", "o'keep; é"), [])
        # one who never logged in is as old as his account
        self.site.sql("DELETE FROM lastauth WHERE name = 'bob'")
        self.assertIn("bob@example.com: old; no login for 400 days", self.run_it())

    def test_who_only_sends(self):
        """A login to send mail is one, as often as it comes."""
        s = self.site
        s.start_lookup(MIN_LOGIN_INTERVAL="3600")
        for _ in range(2):
            self.assertEqual(s.query("verify", "eve@example.com", "smtp", "192.0.2.1", password="secret")[1][0], "ok")
        self.assertEqual([l.split("@")[0] for l in self.run_it()], ["ann"])

    def test_purge(self):
        home = os.path.dirname(self.maildir("ann")[:-1])
        out = self.run_it("-p")
        self.assertEqual(out, [f"{u}@example.com: deleted; no login for 100 days" for u in ("ann", "eve")])
        self.assertEqual(sorted(self.users()), ["bob", "postmaster"])
        self.assertFalse(os.path.exists(home))
        self.assertEqual(self.mails("bob"), ["new/one"])

    def test_inactivate(self):
        home = os.path.dirname(self.maildir("ann")[:-1])
        self.assertEqual(len(self.run_it("-i")), 2)
        self.assertEqual(self.users(), {"ann": 0, "eve": 0, "bob": 1, "postmaster": 1})
        self.assertFalse(os.path.exists(home))
        self.assertEqual(self.run_it("-i"), [])
        self.assertEqual(self.users()["ann"], 0)
        os.makedirs(home + "/Maildir/cur")  # as after a kill between the two steps
        self.theirs(home)
        self.quiet("ann", 90)
        self.assertEqual(len(self.run_it("-i")), 1)
        self.assertFalse(os.path.exists(home))

    def test_clean(self):
        s = self.site
        self.put("ann", ".Old/cur/two:2,S", 1)
        s.ok("resetquota", "-a")
        self.quiet("ann", 90)
        out = self.run_it("-c", "-d", "example.com")
        self.assertEqual(out, ["ann@example.com: mail removed, 2 messages, 20 bytes; no login for 100 days",
                               "eve@example.com: mail removed, 1 messages, 10 bytes; no login for 100 days"])
        self.assertEqual((self.mails("ann"), self.mails("bob")), ([], ["new/one"]))
        self.assertEqual(open(self.maildir("ann") + "maildirsize").read().split(), ["1048576S", "0", "0"])
        self.assertEqual(self.run_it("-c", "-f"), [])

    def test_unread(self):
        for name, days in (("cur/read:2,S", 90), ("cur/unread:2,", 90), ("cur/young:2,", 5), (".Sub/new/far", 90), ("tmp/under way", 90)):
            self.put("bob", name, days)
        self.site.ok("resetquota", "-a")
        self.quiet("bob", 5)
        out = self.run_it("-c", "-a", "36500", "-u", "30")
        self.assertIn("bob@example.com: unread mail removed, 3 messages, 30 bytes; no login for 10 days", out)
        self.assertEqual(len(out), 3)
        self.assertEqual(self.mails("bob"), ["cur/read:2,S", "cur/young:2,", "tmp/under way"])
        self.assertEqual(open(self.maildir("bob") + "maildirsize").read().split(), ["1048576S", "20", "2"])

    def test_trash(self):
        for name, days in ((".Trash/cur/t1:2,S", 40), (".Trash/new/t2", 20), (".Junk/cur/j:2,S", 40), (".Other/cur/o:2,S", 40)):
            self.put("bob", name, days)
        out = self.run_it("-c", "-a", "36500", "-t", "30")
        self.assertEqual(out, ["bob@example.com: trash removed, 1 messages, 10 bytes; no login for 10 days"])
        self.assertEqual(self.mails("bob"), [".Junk/cur/j:2,S", ".Other/cur/o:2,S", ".Trash/new/t2", "new/one"])
        self.run_it("-c", "-a", "36500", "-t", "10", "-m", "Junk", "-m", "Trash")
        self.assertEqual(self.mails("bob"), [".Other/cur/o:2,S", "new/one"])

    def test_links_are_not_followed(self):
        s = self.site
        victim = s.path("run", "victim")
        os.makedirs(victim + "/cur")
        open(victim + "/cur/one", "w").close()
        os.utime(victim + "/cur/one", (0, 0))
        os.symlink(victim, self.maildir("bob") + ".Trash")
        os.symlink(victim, self.maildir("bob") + ".Sub")
        self.run_it("-c", "-a", "36500", "-t", "1", "-u", "1")
        self.run_it("-c", "-a", "1", "-f")
        self.run_it("-p", "-a", "1", "-f")
        self.assertTrue(os.path.exists(victim + "/cur/one"))

    def test_one_that_fails(self):
        """The others are treated all the same."""
        os.chmod(self.maildir("ann") + "new", 0)
        p = self.site.run(["vdeloldusers", "-c"])
        os.chmod(self.maildir("ann") + "new", 0o700)
        self.assertEqual(p.returncode, 111)
        self.assertIn(b"/ann/", p.stderr)
        self.assertEqual((self.mails("ann"), self.mails("eve")), (["new/one"], []))

    def test_one_instance(self):
        with open(self.site.path("users", ".vdeloldusers"), "w") as f:
            if self.site.ids:
                os.fchown(f.fileno(), 65534, 65534)
            fcntl.flock(f, fcntl.LOCK_EX)
            p = self.site.run(["vdeloldusers", "-p"])
        self.assertEqual(p.returncode, 111)
        self.assertIn(b"another", p.stderr)
        self.assertEqual(len(self.users()), 4)

    def test_signal(self):
        """SIGUSR1 that waits when it starts ends it before the first user."""
        def held():
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
            os.kill(os.getpid(), signal.SIGUSR1)
        p = self.site.spawn(["vdeloldusers", "-p"], preexec_fn=held)
        self.assertEqual(p.wait(20), 0)
        self.assertEqual(len(self.users()), 4)

    def test_wrong(self):
        for argv in (["-p", "-i"], ["-c", "-p"], ["-a", "0"], ["-a", "x"], ["-a", "36501"], ["-u", "0"], ["-u", "-2"], ["-t", "-1"], ["-m", "a/b", "-t", "1"],
                     ["-m", "../x", "-t", "1"], ["-m", "", "-t", "1"], ["-m", "Trash"], ["x"], ["-d", "none.example"], ["-d", "a'b"], ["-d", "../x"]):
            with self.subTest(argv):
                self.assertEqual(self.site.run(["vdeloldusers", *argv, ]).returncode, 100)
        with open(self.site.db_path(), "r+b") as f:
            f.write(b"this is no database any more" * 100)
        self.assertEqual(self.site.run(["vdeloldusers", "-p", "-f"]).returncode, 111)

    def test_no_answer_is_no_reason(self):
        """Logins that cannot be read make nobody old."""
        self.site.sql("DROP TABLE lastauth")
        self.assertEqual(self.site.run(["vdeloldusers", "-p", "-f"]).returncode, 111)
        self.assertEqual(len(self.users()), 4)


if __name__ == "__main__":
    unittest.main()
