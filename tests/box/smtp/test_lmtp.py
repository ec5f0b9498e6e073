"""qmail-lmtpd (RFC 2033): LHLO, and an answer for each recipient."""
import os, shutil, subprocess, unittest
from box import BIN
from smtpd import SmtpRoot


class Lmtp(unittest.TestCase):
    resident = False

    def setUp(self):
        self.root = SmtpRoot(self.resident, "qmail-lmtpd")
        self.addCleanup(self.root.close)

    def begin(self, s):
        self.assertEqual(s.reply()[0], 220)
        self.assertEqual(s.cmd("LHLO x")[0], 250)

    def test_an_answer_for_each(self):
        with self.root.smtp() as s:
            code, greeting = s.reply()
            self.assertRegex(greeting[0], "LMTP$")
            code, lines = s.cmd("LHLO client.example.net")
            self.assertEqual(code, 250)
            self.assertIn("PIPELINING", lines)
            s.cmd("MAIL FROM:<s@example.net>")
            self.assertEqual([s.cmd(f"RCPT TO:<{a}>")[0] for a in ("joe@example.com", "x@example.org", "ann@example.com")], [250, 553, 250])
            self.assertEqual(s.cmd("DATA")[0], 354)
            s.send(b"Subject: x\r\n\r\nhello\r\n.\r\nNOOP\r\n")
            self.assertEqual([s.reply()[0] for _ in range(3)], [250, 250, 250])
            self.assertEqual(s.cmd("QUIT")[0], 221)
            self.assertIn("qmail-lmtpd: ", s.logged())
            self.assertNotIn("qmail-smtpd: ", s.logged())
        (message, sender, recipients, _), = self.root.messages()
        self.assertEqual(recipients, [b"joe@example.com", b"ann@example.com"])
        self.assertIn(b"with LMTP", message)

    def test_refused_message(self):
        with self.root.smtp(QQ_EXIT="31") as s:
            self.begin(s)
            s.send(b"MAIL FROM:<s@example.net>\r\nRCPT TO:<joe@example.com>\r\nRCPT TO:<ann@example.com>\r\nDATA\r\n")
            self.assertEqual([s.reply()[0] for _ in range(4)], [250, 250, 250, 354])
            s.send(b"x\r\n.\r\nNOOP\r\n")
            self.assertEqual([s.reply()[0] for _ in range(3)], [554, 554, 250])

    RCPTS = b"MAIL FROM:<s@example.net>\r\n" + b"".join(b"RCPT TO:<%s@example.com>\r\n" % a for a in (b"joe", b"ann", b"jim"))

    def replies(self, s, n):
        """Of so many replies the codes, and nothing behind them but NOOP's."""
        s.send(b"NOOP\r\n")
        codes = [s.reply()[0] for _ in range(n + 1)]
        self.assertEqual(codes.pop(), 250)
        return codes

    def test_parts(self):
        """BDAT: one answer for a part, one for each recipient of the last, whatever they are."""
        self.root.control("databytes", "100\n")
        large, small = b"x" * 298 + b"\r\n", b"x" * 8 + b"\r\n"
        with self.root.smtp() as s:
            self.begin(s)
            for said, want in ((b"BDAT 10\r\n" + small + b"BDAT 10 LAST\r\n" + small, [250] * 4), (b"BDAT 300\r\n" + large, [552]),
                               (b"BDAT 10\r\n" + small + b"BDAT 300\r\n" + large + b"BDAT 0 LAST\r\n", [250, 552, 503]),
                               (b"BDAT 300 LAST\r\n" + large, [552] * 3), (b"BDAT 10\r\n" + small + b"BDAT 300 LAST\r\n" + large, [250] + [552] * 3)):
                with self.subTest(said):
                    s.send(self.RCPTS + said)
                    self.assertEqual(self.replies(s, 4 + len(want)), [250] * 4 + want)
        self.assertEqual([m[2] for m in self.root.messages()], [[b"joe@example.com", b"ann@example.com", b"jim@example.com"]])

    def test_parts_that_cannot_be_queued(self):
        self.root.control("domainqueue", "example.com:no assignment\n")
        with self.root.smtp() as s:
            self.begin(s)
            for said, want in ((b"BDAT 3\r\nx\r\n", [451]), (b"BDAT 3 LAST\r\nx\r\n", [451] * 3)):
                with self.subTest(said):
                    s.send(self.RCPTS + said)
                    self.assertEqual(self.replies(s, 4 + len(want)), [250] * 4 + want)

    def test_refused_recipients(self):
        self.root.control("max_rcpt_errcount", "2\n")
        with self.root.smtp() as s:
            self.begin(s)
            s.cmd("MAIL FROM:<s@example.net>")
            self.assertEqual([s.cmd("RCPT TO:<x@example.org>")[0] for _ in range(3)], [553, 553, 421])
            self.assertTrue(s.ended())

    def test_no_recipient_no_data(self):
        with self.root.smtp() as s:
            self.begin(s)
            s.cmd("MAIL FROM:<s@example.net>")
            self.assertEqual(s.cmd("DATA")[0], 503)

    def test_hello_of_the_other_protocol(self):
        with self.root.smtp() as s:
            s.reply()
            self.assertEqual(s.cmd("EHLO x")[0], 500)
            self.assertEqual(s.cmd("HELO x")[0], 500)
            self.assertEqual(s.cmd("MAIL FROM:<>")[0], 503)
            self.assertEqual(s.cmd("LHLO x")[0], 250)
        self.root.program = "qmail-smtpd"
        self.root.servers.clear()
        with self.root.smtp() as s:
            s.reply()
            self.assertEqual(s.cmd("LHLO x")[0], 500)
            self.assertEqual(s.cmd("EHLO x")[0], 250)


class Resident(Lmtp):
    resident = True


class Client(unittest.TestCase):
    @unittest.skipUnless(shutil.which("swaks"), "no swaks")
    def test_swaks(self):
        with_root = SmtpRoot(program="qmail-lmtpd")
        self.addCleanup(with_root.close)
        env = with_root.env(TCPREMOTEIP="192.0.2.7", QMAILQUEUE=with_root.queue, QQ_DIR=with_root.path("qq"))
        p = subprocess.run(["swaks", "--protocol", "LMTP", "--pipe", os.path.join(BIN, "qmail-lmtpd"), "--from", "s@example.net",
                            "--to", "joe@example.com,ann@example.com"], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, timeout=60)
        self.assertEqual(p.returncode, 0, p.stdout.decode())
        self.assertEqual(with_root.messages()[0][2], [b"joe@example.com", b"ann@example.com"])


if __name__ == "__main__":
    unittest.main()
