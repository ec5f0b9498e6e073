"""Limits on what one address, one network and one account may send, across processes and servers."""
import glob, os, stat, subprocess, unittest

from box import wait_for
from smtpd import SmtpRoot, plain

M, R = "MAIL FROM:<s@example.net>", "RCPT TO:<joe@example.com>"


class Rates(unittest.TestCase):
    resident = False

    def setUp(self):
        self.root = SmtpRoot(self.resident)
        self.addCleanup(self.root.close)

    def greeting(self, **env):
        with self.root.smtp(**env) as s:
            return s.reply()[0]

    def send(self, s, *commands):
        return [s.cmd(c)[0] for c in commands]

    def test_connections(self):
        self.root.control("rate_connections", "3/3600\n")
        self.assertEqual([self.greeting() for _ in range(5)], [220, 220, 220, 421, 421])
        self.assertEqual(self.greeting(TCPREMOTEIP="192.0.2.9"), 220)
        self.assertEqual(self.greeting(RELAYCLIENT=""), 220)
        self.assertEqual(self.greeting(RATE_CONNECTIONS="100/3600"), 220)
        path = self.root.path("run", "smtp", "rates")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertLess(os.stat(path).st_size, 2 << 20)

    def test_network(self):
        self.root.control("rate_connections_net", "2/3600\n")
        for first, same, other in (("192.0.2.9", "192.0.2.77", "192.0.3.9"), ("2001:db8:1:2::9", "2001:db8:1:2:ffff::1", "2001:db8:1:3::9")):
            self.assertEqual([self.greeting(TCPREMOTEIP=ip) for ip in (first, same, first, same, other)], [220, 220, 421, 421, 220])
        self.root.control("rate_prefix4", "16\n")
        self.assertEqual([self.greeting(TCPREMOTEIP=f"198.51.{i}.1") for i in range(3)], [220, 220, 421])

    def test_messages_and_recipients(self):
        self.root.control("rate_messages", "2/3600\n")
        self.root.control("rate_recipients", "3/3600\n")
        with self.root.smtp() as s:
            s.hello()
            self.assertEqual(self.send(s, M, R, R, "RSET", M, R, R, "RSET", M, "NOOP"), [250, 250, 250, 250, 250, 250, 450, 250, 450, 250])
        with self.root.smtp() as s:
            s.hello()
            self.assertEqual(s.cmd(M), (450, ["4.7.1 too much mail from your address or network, try again later"]))
            self.assertRegex(s.logged(), "rate_messages.* 450 4.7.1")

    def test_accounts(self):
        """Who has logged in, from wherever; the administrator hears of it once."""
        self.root.certificate()
        self.root.control("sendlimit_messages", "2/3600\n")
        self.root.control("sendlimit_recipients", "3/86400\n")
        self.root.control("rate_messages", "1/3600\n")  # not for those who log in

        def login(user, ip):
            s = self.root.smtp(["mail.example.com", self.root.checkpassword, "/bin/false", self.root.seen], STARTTLS="1", TCPREMOTEIP=ip)
            self.addCleanup(s.close)
            s.hello()
            s.starttls()
            s.cmd("EHLO x")
            self.assertEqual(s.cmd("AUTH PLAIN " + plain(user, "secret"))[0], 235)
            return s

        self.assertEqual(self.send(login("joe", "192.0.2.1"), M, R, "RSET", M, R, "RSET", M), [250, 250, 250, 250, 250, 250, 450])
        self.assertEqual(self.send(login("joe", "198.51.100.7"), M), [450])
        self.assertEqual(self.send(login("guest", "192.0.2.1"), M, R, R, R, R), [250, 250, 250, 250, 450])
        notices = sorted(m[0].decode() for m in self.root.messages())
        self.assertEqual(len(notices), 2)
        for text, user, limit in zip(notices, ("guest", "joe"), ("3/86400", "2/3600")) if "account guest" in notices[0] else zip(reversed(notices), ("guest", "joe"), ("3/86400", "2/3600")):
            self.assertIn(f"The account {user}\nhas reached its limit of {limit} ", text)
            self.assertIn("To: <postmaster@mail.example.com>\n", text)
        self.assertEqual({(m[1], tuple(m[2])) for m in self.root.messages()}, {(b"", (b"postmaster@mail.example.com",))})

    def test_an_hour_and_a_day(self):
        """Each account may send so much in either; what one limit refuses is not counted by the other."""
        self.root.certificate()
        self.root.control("sendlimit_recipients", "2/3600 4/31536000\n")
        with self.root.smtp(["mail.example.com", self.root.checkpassword, "/bin/false", self.root.seen], STARTTLS="1") as s:
            s.hello()
            s.starttls()
            s.cmd("EHLO x")
            s.cmd("AUTH PLAIN " + plain("joe", "secret"))
            self.assertEqual(self.send(s, M, R, R, R, R, R, R), [250, 250, 250, 450, 450, 450, 450])
        for limits, want in (("100/3600 4/31536000", [250, 250, 250, 450]), ("100/3600 100/31536000", [250] * 4)):
            with self.root.smtp(["mail.example.com", self.root.checkpassword, "/bin/false", self.root.seen], STARTTLS="1", SENDLIMIT_RECIPIENTS=limits) as s:
                s.hello()
                s.starttls()
                s.cmd("EHLO x")
                s.cmd("AUTH PLAIN " + plain("joe", "secret"))
                self.assertEqual(self.send(s, M, R, R, R), want)
        texts = [m[0].decode() for m in self.root.messages()]
        self.assertEqual(len(texts), 2)
        self.assertIn("has reached one of its limits, 2/3600 4/31536000 (recipients / seconds)", texts[0] + texts[1])

    def test_bad_settings(self):
        self.root.control("rate_messages", "many\n")
        with self.root.smtp() as s:
            self.assertEqual(s.reply()[0], 421)
            wait_for(lambda: "rate_messages: count/seconds is wanted, or up to four of these: many" in s.logged(), what="the reason in the log")

    def test_no_table(self):
        """Where it cannot be made, or is somebody else's, mail goes on."""
        self.root.control("rate_connections", "1/3600\n")
        os.makedirs(self.root.path("run", "smtp"))
        os.mkfifo(self.root.path("run", "smtp", "rates"))
        with self.root.smtp() as s:
            self.assertEqual(s.reply()[0], 220)
            self.assertIn("rates are not limited", s.logged())
        self.assertEqual([self.greeting() for _ in range(3)], [220] * 3)


class OtherTable(unittest.TestCase):
    def test_not_cut(self):
        """A table of another size is an older program's, which may have it in memory: what is cut off would kill it."""
        root = SmtpRoot()
        self.addCleanup(root.close)
        root.control("rate_messages", "1/3600\n")
        path = root.path("run", "smtp", "rates")

        def twice(s):
            s.hello()
            return [s.cmd(c)[0] for c in (M, "RSET", M)]

        with root.smtp() as old:
            self.assertEqual(twice(old), [250, 250, 450])
            size = os.stat(path).st_size + 65536
            with open(path, "r+b") as f:
                f.write(b"other...")
            os.truncate(path, size)
            with root.smtp() as new:
                self.assertEqual(twice(new), [250, 250, 450])
            self.assertEqual(os.stat(path).st_size, size)
            self.assertEqual([old.cmd(c)[0] for c in ("RSET", M)], [250, 450])
        with root.smtp() as s:
            s.hello()
            self.assertEqual(s.cmd(M)[0], 450)  # and it is kept


class Resident(Rates):
    resident = True


if __name__ == "__main__":
    unittest.main()
