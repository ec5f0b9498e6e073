"""qmail-smtpd and clients that mean harm, or do not know better."""
import os, socket, struct, threading, time, unittest
from box import wait_for
from smtpd import SmtpRoot

M, R = b"MAIL FROM:<s@example.net>\r\n", b"RCPT TO:<joe@example.com>\r\n"
HELLO = b"EHLO x\r\n"
INNER = b"MAIL FROM:<evil@example.net>\r\nRCPT TO:<joe@example.com>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n"


def private_kb(pid):
    """What this process alone costs; a sanitizer's bookkeeping is not counted against it."""
    if os.environ.get("SAN"):
        return 0
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return sum(int(l.split()[1]) for l in f if l.startswith("Anonymous:"))


class Hostile(unittest.TestCase):
    resident = False

    def setUp(self):
        self.root = SmtpRoot(self.resident)
        self.addCleanup(self.root.close)

    def in_data(self, s):
        s.hello()
        s.send(M + R + b"DATA\r\n")
        self.assertEqual([s.reply()[0] for _ in range(3)], [250, 250, 354])

    def test_smuggling(self):
        """Only CRLF.CRLF ends a message; whatever else looks like it queues nothing."""
        for end in (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r\n", b"\r.\n", b"\n\n.\n", b"\r\n.\r.\r\n", b"\r.\r"):
            with self.subTest(end), self.root.smtp() as s:
                self.in_data(s)
                s.send(b"Subject: outer\r\n\r\nhi" + end + INNER + b"\r\n.\r\nNOOP\r\n")
                code, text = s.reply()
                self.assertEqual((code, text[0][:5]), (554, "5.6.0"), text)
        self.assertEqual(self.root.messages(), [])

    def test_last_words(self):
        """Who is hung up on reads why, however much he has said meanwhile."""
        for end in (b"DATA\r\n" + b"x" * 5000 + b"\r\n\n.\r\n", b"BDAT x\r\n", b"FOO\r\n" * 100):
            for _ in range(25):
                with self.root.smtp() as s:
                    s.hello()
                    s.send(M + R)
                    self.assertEqual([s.reply()[0] for _ in range(2)], [250] * 2)
                    s.send(end + b"NOOP\r\n" * 2000)
                    codes = []
                    while not codes or codes[-1] in (354, 500):
                        codes.append(s.reply()[0])
                    self.assertIn(codes[-1], (554, 501, 421), end)

    def test_flaws(self):
        """Refused at the proper end, and the session goes on in step."""
        for body in (b"a\nb\r\n", b"a\rb\r\n", b"a\0b\r\n", b"\n", b"a\r\r\n", b"a\n..\r\n"):
            with self.subTest(body), self.root.smtp() as s:
                self.in_data(s)
                s.send(body + b"\r\n.\r\nNOOP\r\n" if not body.endswith(b"\n") else body + b".\r\nNOOP\r\n" if body.endswith(b"\r\n")
                       else body + b"\r\n.\r\nNOOP\r\n")
                self.assertEqual(s.reply()[0], 554)
                self.assertEqual(s.reply()[0], 250)
        self.assertEqual(self.root.messages(), [])

    def test_much_ahead_of_a_long_message(self):
        """More is read at a time within a long message: what came with its end is not lost, nor
        where it is too much for the buffer before."""
        lines = b"".join(b"%06d %s\r\n" % (i, b"x" * 60) for i in range(3000))
        with self.root.smtp() as s:
            s.hello()
            for ahead in (0, 10, 1000, 0):
                s.send(M + R + b"DATA\r\n")
                self.assertEqual([s.reply()[0] for _ in range(3)], [250, 250, 354])
                s.send(lines + b".\r\n" + b"NOOP\r\n" * ahead)
                self.assertEqual([s.reply()[0] for _ in range(1 + ahead)], [250] * (1 + ahead))
        messages = self.root.messages()
        self.assertEqual(len(messages), 4)
        for text, *_ in messages:
            self.assertTrue(text.endswith(lines.replace(b"\r\n", b"\n")))

    def test_pipelining(self):
        """A batch gets its answers in order; DATA's come when the message is queued."""
        with self.root.smtp() as s:
            self.assertEqual(s.reply()[0], 220)
            s.send(HELLO + M + R + b"RCPT TO:<x@example.org>\r\n" + b"DATA\r\n")
            self.assertEqual([s.reply()[0] for _ in range(5)], [250, 250, 250, 553, 354])
            s.send(b"one\r\n.\r\n" + M + R + b"DATA\r\ntwo\r\n.\r\nQUIT\r\nNOOP\r\n")
            self.assertEqual([s.reply()[0] for _ in range(6)], [250, 250, 250, 354, 250, 221])
            self.assertTrue(s.ended())
        self.assertEqual(len(self.root.messages()), 2)

    def test_bytewise(self):
        with self.root.smtp() as s:
            s.reply()
            for b in HELLO + M + R + b"DATA\r\n..x\r\n.\r\nQUIT\r\n":
                s.send(bytes([b]))
            self.assertEqual([s.reply()[0] for _ in range(6)], [250, 250, 250, 354, 250, 221])
        self.assertTrue(self.root.messages()[0][0].endswith(b"\n.x\n"))

    def test_ten_thousand_recipients(self):
        n = 10000
        with self.root.smtp() as s:
            s.hello()
            s.send(M)
            s.reply()
            for i in range(0, n, 500):
                s.send(b"".join(b"RCPT TO:<user%d@example.com>\r\n" % j for j in range(i, i + 500)))
                self.assertEqual({s.reply()[0] for _ in range(500)}, {250})
            self.assertLess(private_kb(s.p.pid), 1024)
            s.send(b"DATA\r\n")
            s.reply()
            s.send(b"x\r\n.\r\n")
            self.assertEqual(s.reply()[0], 250)
        rcpts = self.root.messages()[0][2]
        self.assertEqual((len(rcpts), rcpts[0], rcpts[-1]), (n, b"user0@example.com", b"user9999@example.com"))

    def test_recipients_bounded(self):
        """Long addresses without number, or short ones of which much is said: a temporary answer, and
        memory stays small."""
        for many, line in ((1000, b"RCPT TO:<" + b"x" * 800 + b"%d@example.com>\r\n"),
                           (4000, b"RCPT TO:<a%d@example.com> NOTIFY=NEVER ORCPT=rfc822;" + b"x" * 470 + b"\r\n")):
            with self.subTest(line[:40]), self.root.smtp(QMAILQUEUE="") as s:
                s.hello()
                s.send(M)
                s.reply()
                codes = set()
                for i in range(0, many, 50):
                    s.send(b"".join(line % j for j in range(i, i + 50)))
                    codes |= {s.reply()[0] for _ in range(50)}
                self.assertEqual(codes, {250, 452})
                self.assertLess(private_kb(s.p.pid), 1024)

    def test_long_lines(self):
        with self.root.smtp() as s:
            s.reply()
            s.send(b"NOOP " + b"x" * 100000 + b"\r\n")
            self.assertEqual(s.reply(), (500, ["5.5.2 line too long"]))
            s.send(b"NOOP\r\n")
            self.assertEqual(s.reply()[0], 250)
            self.assertLess(private_kb(s.p.pid), 512)
            try:
                for _ in range(64):
                    s.send(b"y" * 65536)
            except OSError:
                pass  # it hung up on us
            self.assertEqual(s.reply()[0], 421)
            self.assertTrue(s.exits(1))

    def test_endless_login(self):
        """Lines of AUTH may be longer than others: within bounds, and what is too long is not kept."""
        auth = ["mail.example.com", self.root.checkpassword, "/bin/false", self.root.seen]
        for ask in (b"AUTH PLAIN ", b"AUTH PLAIN\r\n", b"AUTH LOGIN\r\n"):
            with self.subTest(ask), self.root.smtp(auth, SECUREAUTH="0") as s:
                s.hello()
                s.send(ask + b"A" * 100000 + b"\r\n")
                if ask.endswith(b"\n"):
                    self.assertEqual(s.reply()[0], 334)
                self.assertEqual(s.reply()[0], 500)
                self.assertEqual(s.cmd("NOOP")[0], 250)
                self.assertLess(private_kb(s.p.pid), 1024)
                s.send(ask)
                if ask.endswith(b"\n"):
                    self.assertEqual(s.reply()[0], 334)
                try:
                    for _ in range(64):
                        s.send(b"QUJD" * 16384)
                except OSError:
                    pass  # it hung up on us
                if self.resident:
                    self.assertLess(private_kb(s.p.pid), 1024)
                self.assertEqual(s.reply()[0], 421)
                self.assertTrue(s.ended())
                self.assertTrue(s.exits(1))
                self.assertNotIn("QUJD", s.logged())
        self.assertFalse(os.path.exists(self.root.seen))

    def test_logins_without_end(self):
        """Begun and given up, again and again: counted as any command that makes no sense."""
        auth = ["mail.example.com", self.root.checkpassword, "/bin/false", self.root.seen]
        with self.root.smtp(auth, SECUREAUTH="0") as s:
            s.hello()
            codes = []
            while not codes or codes[-1] != 421:
                self.assertLess(len(codes), 200)
                s.send(b"AUTH LOGIN\r\n*\r\n")
                codes += [s.reply()[0]]
                if codes[-1] == 334:
                    codes += [s.reply()[0]]
            self.assertTrue(s.ended())

    def test_long_body_line(self):
        with self.root.smtp() as s:
            self.in_data(s)
            s.send(b"z" * (1 << 22) + b"\r\n.\r\n")
            self.assertEqual(s.reply()[0], 250)
            self.assertLess(private_kb(s.p.pid), 512)
        self.assertEqual(len(self.root.messages()[0][0].split(b"\n")[-2]), 1 << 22)

    def test_errors_end(self):
        with self.root.smtp() as s:
            s.reply()
            s.send(b"GET / HTTP/1.1\r\n" * 30)
            codes = [s.reply()[0] for _ in range(21)]
            self.assertEqual(codes, [500] * 20 + [421])
            self.assertTrue(s.ended())

    def test_slow_command(self):
        """A byte now and then does not keep a session alive."""
        self.root.control("timeoutsmtpd", "1\n")
        with self.root.smtp() as s:
            s.reply()
            start = time.monotonic()
            s.sock.settimeout(0.2)
            got = b""
            while not got:
                s.send(b"N")
                try:
                    got = s.sock.recv(100)
                except socket.timeout:
                    pass
            self.assertTrue(got.startswith(b"421 4.4.2"), got)
            self.assertLess(time.monotonic() - start, 5)
            self.assertTrue(s.exits(1))

    def test_slow_data(self):
        self.root.control("timeoutsmtpd", "1\n")
        with self.root.smtp() as s:
            self.in_data(s)
            s.sock.settimeout(0.2)
            got = b""
            while not got:
                s.send(b"N\r\n")
                try:
                    got = s.sock.recv(100)
                except socket.timeout:
                    pass
            self.assertTrue(got.startswith(b"421 4.4.2"), got)
        self.assertEqual(self.root.messages(), [])

    def test_lost_in_data(self):
        """No end, no message."""
        with self.root.smtp() as s:
            self.in_data(s)
            s.send(b"half a message\r\n")
            s.sock.shutdown(socket.SHUT_WR)
            self.assertTrue(s.exits(1))
        self.assertEqual(self.root.messages(), [])

    def test_half_close(self):
        """A client that sends all and closes its side still gets its answers."""
        with self.root.smtp() as s:
            s.send(HELLO + M + R + b"DATA\r\nx\r\n.\r\nQUIT\r\n")
            s.sock.shutdown(socket.SHUT_WR)
            self.assertEqual([s.reply()[0] for _ in range(7)], [220, 250, 250, 250, 354, 250, 221])
        self.assertEqual(len(self.root.messages()), 1)

    def test_client_that_does_not_read(self):
        """Replies nobody takes end the session at its deadline."""
        self.root.control("timeoutsmtpd", "1\n")
        with self.root.smtp() as s:
            s.sock.setblocking(False)
            stuck = None
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:
                try:
                    s.sock.send(b"HELP\r\n" * 1000)
                except BlockingIOError:
                    time.sleep(0.01)
                except OSError:
                    break
            self.assertTrue(s.exits(1))

    def test_queue_program_that_does_not_read(self):
        """One that ends at once, long before the message does."""
        quick = self.root.script("quick", "#!/bin/sh\nexit 53\n")
        with self.root.smtp(QMAILQUEUE=quick) as s:
            self.in_data(s)
            s.send(b"x" * 500000 + b"\r\n.\r\n")
            self.assertEqual(s.reply()[0], 451)
            s.send(b"NOOP\r\n")
            self.assertEqual(s.reply()[0], 250)

    def test_idle_memory(self):
        with self.root.smtp() as s:
            s.hello()
            self.assertLess(private_kb(s.p.pid), 250)


class ResidentHostile(Hostile):
    """All of it once more with a server that stays."""
    resident = True

    def test_rules_that_take_their_time(self):
        """A message that is made for the rules of bodycheck to be slow holds up its own session, and
        not even that for long: whether a rule takes too long for a line, or almost."""
        self.root.control("bodycheck", "".join(f"foo.*bar.*b.{i}\n" for i in range(10)))
        for words, lines in ((160, 5000), (30, 25000)):
            line = b"foobar" * words + b" 0123456789\r\n"
            with self.subTest(words), self.root.smtp() as slow, self.root.smtp() as other:
                other.hello()
                self.in_data(slow)
                slow.sock.settimeout(60)
                sender = threading.Thread(target=slow.send, args=(line * lines + b".\r\n",))
                answers, longest = [], 0
                reader = threading.Thread(target=lambda: answers.append(slow.reply()))
                sender.start()
                reader.start()
                while reader.is_alive():
                    before = time.monotonic()
                    self.assertEqual(other.cmd("NOOP")[0], 250)
                    longest = max(longest, time.monotonic() - before)
                    time.sleep(0.001)
                sender.join()
                self.assertEqual(answers[0][0], 250)
                self.assertLess(longest, 1)
                self.assertIn(" lookup bodycheck failed: ", slow.logged())

    def test_thousands(self):
        """Connections one after another, good and bad, cost the server no memory for good."""
        def one(i):
            with self.root.smtp() as s:
                s.hello()
                s.send((M + R + R + b"RSET\r\n", b"x" * 3000 + b"\r\n" + M, b"MAIL", b"NOOP\r\n" * 50)[i % 4])
                if i % 8:
                    s.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
                return s.p.pid

        for i in range(500):
            pid = one(i)
        before = private_kb(pid)
        for i in range(3000):
            self.assertEqual(one(i), pid)
        self.assertLess(private_kb(pid) - before, 64)
        self.assertLess(len(os.listdir(f"/proc/{pid}/fd")), 32)


if __name__ == "__main__":
    unittest.main()
