"""Bounce tags: what we send is signed, its bounces come home, others do not."""
import hashlib, hmac, time, unittest
from smtpd import SmtpRoot


def tag(address, key="secret", days=0, kind="1"):
    head = kind + "%03d" % ((int(time.time()) // 86400 - days) % 1000)
    if kind == "1":
        digest = hmac.new(key.encode(), (head + address.lower()).encode(), hashlib.sha256).hexdigest()
    else:
        digest = hashlib.md5((head + address + key).encode()).hexdigest()
    return f"prvs={head}{digest[:6]}={address}"


class Batv(unittest.TestCase):
    resident = False

    def setUp(self):
        self.root = SmtpRoot(self.resident)
        self.addCleanup(self.root.close)
        self.root.control("batvkey", "new\n# of last week\nsecret\n")

    def rcpt(self, sender, *recipients, **vars):
        with self.root.smtp(**vars) as s:
            s.hello()
            self.assertEqual(s.cmd(f"MAIL FROM:<{sender}>")[0], 250)
            codes = [s.cmd(f"RCPT TO:<{r}>")[0] for r in recipients]
            if 250 in codes:
                self.assertEqual(s.cmd("DATA")[0], 354)
                s.send(b"\r\n.\r\n")
                self.assertEqual(s.reply()[0], 250)
            return codes

    def test_bounces(self):
        joe = "Joe@example.com"
        good = [tag(joe), tag(joe, "new"), tag(joe, kind="0"), tag(joe, days=7), "postmaster", "postmaster@example.com"]
        bad = [joe, tag(joe, "other"), tag(joe, days=8), tag(joe, days=-3), tag("x" + joe).replace("xJoe", "Joe"), "prvs=joe@example.com"]
        for sender in ("", "MAILER-DAEMON@example.net"):
            self.assertEqual(self.rcpt(sender, *good, *bad), [250] * len(good) + [553] * len(bad), sender)
        (_, _, to, _), _ = self.root.messages()
        self.assertEqual(to, [b"Joe@example.com"] * 4 + [b"postmaster@mail.example.com", b"postmaster@example.com"])

    def test_other_mail(self):
        """Who writes to the sender of a message reaches him, but not with a tag somebody made up."""
        self.assertEqual(self.rcpt("a@example.net", "joe@example.com", tag("joe@example.com"), "prvs=1000abcdef=joe@example.com"), [250, 250, 553])
        self.assertEqual(self.root.messages()[0][2], [b"joe@example.com"] * 2)

    def test_our_own_sender(self):
        self.rcpt(tag("joe@example.com"), "jim@example.com")
        self.assertEqual(self.root.messages()[0][1], b"joe@example.com")

    def test_exceptions(self):
        self.root.control("batvnosignremote", ".example.net\n")
        self.assertEqual(self.rcpt("", "joe@example.com"), [250])
        self.assertEqual(self.rcpt("", "joe@example.com", TCPREMOTEHOST="example.org"), [553])
        self.root.control("batvnosignlocals", "example.com\n")
        self.assertEqual(self.rcpt("", "joe@example.com", "joe@a.sub.example.com", TCPREMOTEHOST="example.org"), [250, 553])

    def test_relay(self):
        """Whoever may relay: bounces pass, tags of others stay."""
        other = tag("joe@example.org")
        self.assertEqual(self.rcpt("", "joe@example.com", other, tag("joe@example.com"), RELAYCLIENT=""), [250] * 3)
        self.assertEqual(self.root.messages()[0][2], [b"joe@example.com", other.encode(), b"joe@example.com"])

    def test_no_key(self):
        self.root.control("batvkey", "")
        self.assertEqual(self.rcpt("", "joe@example.com", tag("joe@example.com")), [250, 250])
        self.assertEqual(self.root.messages()[0][2][1], tag("joe@example.com").encode())


class Program(unittest.TestCase):
    def test_batv(self):
        with SmtpRoot() as root:
            run = lambda *a: (lambda p: (p.returncode, p.stdout.decode()))(root.run(["batv", *a]))
            self.assertEqual(run("-s", "joe@example.com")[0], 111)
            root.control("batvkey", "secret\nold\n")
            self.assertEqual(run("-s", "Joe@example.com"), (0, tag("Joe@example.com") + "\n"))
            for address, want in ((tag("joe@example.com", "old"), (0, "joe@example.com\n")), ("joe@example.com", (1, "")),
                                  (tag("joe@example.com", "other"), (2, "")), (tag("joe@example.com", days=8), (3, ""))):
                self.assertEqual(run("-v", address), want)
            self.assertEqual(run("-t", "8", "-v", tag("joe@example.com", days=8))[0], 0)
            for args in ((), ("-s", "a", "-v", "b"), ("-t", "x", "-s", "a"), ("-s", "a", "b")):
                self.assertEqual(run(*args)[0], 100, args)


class ResidentBatv(Batv):
    resident = True


if __name__ == "__main__":
    unittest.main()
