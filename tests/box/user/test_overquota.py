"""A mailbox that holds more than it may: the server that brings mail is told, until there is room again; the database is written when
that changes, and not by each delivery."""
import glob, os, shutil, unittest

from box import wait_for
from chainsite import ChainSite
from mariadbsite import MariaDB

BODY = "x" * 500


class Overquota(unittest.TestCase):
    program = False
    server = None

    def setUp(self):
        self.site = s = ChainSite(("alice", "bob"), self.program, self.server)
        self.addCleanup(s.close)
        s.start_lookup()
        s.start()
        s.start_smtp()

    def row(self):
        return self.site.sql("SELECT u.bounce_mail, q.quota, q.at FROM users u LEFT JOIN userquota q USING (name, domain) WHERE name = 'alice'")[0]

    def age(self, seconds):
        self.site.sql(f"UPDATE userquota SET at = at - {seconds}")

    def fill(self, quota):
        """Some mail, then a quota that is smaller than what is there."""
        s = self.site
        for n in range(3):
            self.assertEqual(s.offer("alice", mark=f"fill{n}"), 250)
        s.wait_empty()
        s.ok("vsetuserquota", "alice@example.com", quota)

    def empty(self):
        for path in glob.glob(self.site.homes["alice"] + "/Maildir/new/*"):
            os.unlink(path)
        os.unlink(self.site.homes["alice"] + "/Maildir/maildirsize")  # as a mail server notes what it deletes

    def bounced(self):
        return len(self.site.got("sender"))

    def test_refused_and_taken(self):
        s = self.site
        self.fill("500")
        self.assertEqual((self.row()[0], s.offer("alice", mark="first")), (0, 250))
        s.wait_empty()
        flag, usage, at = self.row()
        self.assertEqual((flag, usage > 500, self.bounced()), (1, True, 1))
        self.assertEqual(s.query("user", "alice@example.com"), (0, ["ok", "overquota"]))
        # at the door; others are let in
        self.assertEqual((s.offer("alice", mark="second"), s.offer("bob", mark="other")), (552, 250))
        self.assertIn("mail bounces", s.ok("vuserinfo", "alice@example.com"))
        # now and then one message, whose delivery looks again
        self.age(3601)
        before = self.row()
        self.assertEqual(s.offer("alice", mark="third"), 250)
        s.wait_empty()
        self.assertEqual((self.row()[0], self.row()[2] > before[2], self.bounced()), (1, True, 2))
        self.assertEqual(s.offer("alice", mark="fourth"), 552)
        # there is room: a message from here gets in and tells
        self.empty()
        s.queue_message("alice", "fifth")
        s.wait_empty()
        self.assertEqual(self.row()[:2], (0, 0))
        self.assertEqual(s.query("user", "alice@example.com"), (0, ["ok", "active"]))

    def test_no_write_per_delivery(self):
        """Where nothing changes nothing is asked but who it is for."""
        s = self.site
        s.ok("vsetuserquota", "alice@example.com", "1M")
        for n in range(5):
            s.queue_message("alice", f"m{n}")
        s.wait_empty()
        self.assertEqual(len(s.got("alice")), 5)
        self.assertEqual(self.row(), (0, None, None))

    def test_login(self):
        """He has deleted, and logs in."""
        s = self.site
        self.fill("500")
        s.offer("alice", mark="first")
        s.wait_empty()
        self.assertEqual(self.row()[0], 1)
        service = s.listen("pop3login", "/bin/true", "Maildir", ALLOW_PLAINTEXT="1")
        self.login(service)
        self.assertEqual(self.row()[0], 1)
        self.empty()
        self.login(service)
        wait_for(lambda: self.row()[:2] == (0, 0), what="the flag to go")
        self.assertEqual(s.offer("alice", mark="second"), 250)

    def login(self, service):
        with service.raw() as c:
            c.line()
            c.send("USER alice@example.com\r\n")
            c.line()
            c.send("PASS secret\r\n")
            while c.line():
                pass

    def test_another_quota(self):
        """Or none: the mailbox is open at once. One that is too small still changes nothing."""
        s = self.site
        for argv, flag in ((["vsetuserquota", "alice@example.com", "600"], 1), (["vsetuserquota", "alice@example.com", "1M"], 0),
                           (["vsetuserquota", "alice@example.com", "NOQUOTA"], 0), (["vmoduser", "-q", "1M", "alice@example.com"], 0)):
            if not s.got("alice"):
                self.fill("500")
            s.ok("vsetuserquota", "alice@example.com", "500")
            self.assertEqual(s.query("overquota", "alice@example.com", "700"), (0, ["ok", "changed"]))
            s.ok(*argv)
            self.assertEqual(self.row()[0], flag, argv)
            if not flag:
                self.assertEqual(s.offer("alice", mark="x"), 250)
                s.wait_empty()
            s.query("overquota", "alice@example.com", "0")
        # counted anew
        s.ok("vsetuserquota", "alice@example.com", "500")
        self.assertEqual(s.query("overquota", "alice@example.com", "700"), (0, ["ok", "changed"]))
        self.assertEqual(s.query("overquota", "alice@example.com", "800"), (0, ["ok", "same"]))  # within a minute
        self.empty()
        s.ok("resetquota", "-a")
        self.assertEqual(self.row()[0], 0)

    def test_administrator(self):
        """What he has set stays, and what he clears is cleared."""
        s = self.site
        s.ok("vsetuserquota", "alice@example.com", "1M")
        s.ok("vmoduser", "-b", "alice@example.com")
        s.queue_message("alice", "one")
        s.wait_empty()
        self.assertEqual(self.row(), (1, None, None))
        self.assertEqual(s.query("overquota", "alice@example.com", "0"), (0, ["ok", "same"]))
        s.ok("vmoduser", "-t", "-b", "alice@example.com")
        self.assertEqual(s.query("overquota", "alice@example.com", "700"), (0, ["ok", "changed"]))
        self.assertEqual(self.row()[:2], (1, 700))
        s.ok("vmoduser", "-b", "alice@example.com")
        self.assertEqual(s.query("overquota", "alice@example.com", "0"), (0, ["ok", "same"]))
        self.assertEqual(self.row()[:2], (1, 0))
        for address, bytes_ in (("alice@example.com", "-1"), ("alice@example.com", "x"), ("alice@example.com", ""), ("alice@example.com", "9" * 30)):
            self.assertEqual(s.query("overquota", address, bytes_)[1][0], "bad", bytes_)
        self.assertEqual(s.query("overquota", "nobody@example.com", "7"), (1, ["none"]))

    def test_mail_that_waits(self):
        """Where it waits for room it is not refused at the door."""
        s = self.site
        self.fill("500")
        open(s.homes["alice"] + "/Maildir/holdoverquota", "w").close()
        s.offer("alice", mark="first")
        wait_for(lambda: s.deferrals(), what="a deferral")
        self.assertEqual(self.row(), (0, None, None))
        self.empty()
        s.ok("vsetuserquota", "alice@example.com", "1M")
        s.wait_empty()
        self.assertEqual(s.got("alice"), ["first"])


class OverquotaByProgram(Overquota):
    program = True


@unittest.skipUnless(shutil.which("mariadbd"), "MariaDB is not installed")
class OverquotaOnMariaDB(Overquota):
    def setUp(self):
        self.server = MariaDB()
        self.addCleanup(self.server.close)
        super().setUp()

    def row(self):
        rows = self.server.sql("SELECT u.bounce_mail, q.quota, q.at FROM users u LEFT JOIN userquota q USING (name, domain) WHERE name = 'alice'",
                               database="indimail")
        return tuple(None if v is None else int(v) for v in rows[0])

    def age(self, seconds):
        self.server.sql(f"UPDATE userquota SET at = at - {seconds}", database="indimail")


if __name__ == "__main__":
    unittest.main()
