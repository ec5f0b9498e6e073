"""BDAT: what comes in parts is what reaches the queue, and no byte of a part is ever a command."""
import unittest
from smtpd import SmtpRoot

M, R = "MAIL FROM:<s@example.net>", "RCPT TO:<joe@example.com>"
TEXT = b"Subject: x\r\n\r\nhello\r\n.\r\n..two\r\n"
KEPT = TEXT.replace(b"\r\n", b"\n")


def bdat(data, last=False):
    return b"BDAT %d%s\r\n" % (len(data), b" LAST" if last else b"") + data


class Chunking(unittest.TestCase):
    resident = False

    def setUp(self):
        self.root = SmtpRoot(resident=self.resident)
        self.addCleanup(self.root.close)

    def begin(self, s, mail=M):
        self.assertIn("CHUNKING", s.hello())
        for line in (mail, R):
            self.assertEqual(s.cmd(line)[0], 250)

    def talk(self, s, steps):
        for data, want in steps:
            s.send(data if isinstance(data, bytes) else data.encode() + b"\r\n")
            code, text = s.reply()
            self.assertTrue(f"{code} {text[-1]}".startswith(want), (data, want, code, text))

    def bodies(self):
        return [m[0][m[0].index(b"Subject: x"):] for m in self.root.messages()]

    def test_whole_and_cut_everywhere(self):
        with self.root.smtp() as s:
            s.hello()
            for cut in range(len(TEXT) + 1):
                self.talk(s, [(M, "250"), (R, "250"), (bdat(TEXT[:cut]), "250 2.0.0 received"), (bdat(TEXT[cut:], True), "250 2.0.0 ok")])
            self.talk(s, [(M, "250"), (R, "250")])
            s.send(b"".join(bdat(TEXT[i:i + 1]) for i in range(len(TEXT))) + b"BDAT 0 LAST\r\n")
            self.assertEqual([s.reply()[0] for _ in range(len(TEXT) + 1)], [250] * (len(TEXT) + 1))
        self.assertEqual(self.bodies(), [KEPT] * (len(TEXT) + 2))

    def test_pipelined(self):
        with self.root.smtp() as s:
            s.hello()
            s.send((M + "\r\n" + R + "\r\n").encode() + bdat(TEXT, True) + b"NOOP\r\n")
            self.assertEqual([s.reply()[0] for _ in range(4)], [250] * 4)
        self.assertEqual(self.bodies(), [KEPT])

    def test_large(self):
        data = b"Subject: x\r\n\r\n" + b"0123456789abcdef" * 4 * 1024 * 8 + b"\r\n" + b"line\r\n" * 100000
        with self.root.smtp() as s:
            self.begin(s)
            self.talk(s, [(bdat(data[:300001]), "250"), (bdat(data[300001:], True), "250 2.0.0 ok")])
        self.assertEqual(self.bodies(), [data.replace(b"\r\n", b"\n")])

    def test_order(self):
        """What a part holds is dropped with its refusal, and never obeyed."""
        evil = b"QUIT\r\n"
        with self.root.smtp() as s:
            self.assertEqual(s.reply()[0], 220)
            self.talk(s, [(bdat(evil), "503 5.5.1"), ("EHLO x", "250"), (bdat(evil, True), "503 5.5.1"), (M, "250"), (bdat(evil), "503 5.5.1"),
                          (R, "250"), (bdat(evil), "250"), ("DATA", "503 5.5.1"), (M, "503 5.5.1"), (R, "503 5.5.1"), ("AUTH PLAIN", "503"),
                          ("NOOP", "250"), ("RSET", "250"), (bdat(evil), "503 5.5.1"), (M, "250"), (R, "250"), (bdat(evil), "250"),
                          ("EHLO y", "250"), ("DATA", "503"), (M, "250"), (R, "250"), (b"bdat 6   last\r\n" + evil, "250 2.0.0 ok"),
                          (bdat(evil), "503 5.5.1"), ("QUIT", "221")])
        self.assertEqual(len(self.root.messages()), 1)

    def test_size_unknown(self):
        for line in ("BDAT", "BDAT x", "BDAT -1", "BDAT 1 2", "BDAT 1 LASTLY", "BDAT 99999999999999999999999", "BDAT 0x10"):
            with self.root.smtp() as s:
                self.begin(s)
                self.talk(s, [(line, "501 5.5.4")])
                self.assertTrue(s.ended(), line)
        self.assertEqual(self.root.messages(), [])

    def test_switched_off(self):
        with self.root.smtp(DISABLE_CHUNKING="1") as s:
            self.assertNotIn("CHUNKING", s.hello())
            self.talk(s, [("BDAT 6", "502 5.5.4")])
            self.assertTrue(s.ended())

    def test_databytes(self):
        self.root.control("databytes", "100\n")
        with self.root.smtp() as s:
            self.begin(s)
            self.talk(s, [(bdat(b"x" * 50), "250"), (bdat(b"x" * 51), "552 5.3.4"), (bdat(b"NOOP\r\n"), "503"), (M, "250"), (R, "250"),
                          (bdat(b"x" * 500000, True), "552 5.3.4"), (M, "250"), (R, "250"), (bdat(b"x" * 100, True), "250")])
        self.assertEqual(len(self.root.messages()), 1)

    def test_line_ends(self):
        for bad in (b"a\nb\r\n", b"a\r", b"a\rb", b"a\0b"):
            with self.root.smtp() as s:
                s.hello()
                self.talk(s, [(M, "250"), (R, "250"), (bdat(bad, True), "554 5.6.0"), ("NOOP", "250")])
        self.assertEqual(self.root.messages(), [])

    def test_lost(self):
        """A connection lost in a part, or between two, leaves nothing."""
        for tail in (b"BDAT 100\r\nhalf", bdat(b"whole")):
            with self.root.smtp() as s:
                self.begin(s)
                s.send(tail)
        self.assertEqual(self.root.messages(), [])

    def test_queue_refuses(self):
        with self.root.smtp(QQ_EXIT="53") as s:
            self.begin(s)
            self.talk(s, [(bdat(TEXT), "250"), (bdat(TEXT, True), "451 4."), (bdat(TEXT), "503")])
        with self.root.smtp(QMAILQUEUE="/nonexistent") as s:
            self.begin(s)
            self.talk(s, [(bdat(TEXT, True), "451 4.3.0"), ("NOOP", "250")])


class Resident(Chunking):
    resident = True


if __name__ == "__main__":
    unittest.main()
