"""Checks that ask a greylisting daemon, look for signatures, tell recipients, and have settings for one recipient."""
import socket, threading, time, unittest

from box import wait_for
from smtpd import SmtpRoot

M, R = "MAIL FROM:<s@example.net>", "RCPT TO:<joe@example.com>"


class Daemon:
    """Says what it is told to of each question; None: nothing."""

    def __init__(self, answer):
        self.answer, self.asked = answer, []
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.where = f"127.0.0.1@{self.sock.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                question, peer = self.sock.recvfrom(5000)
            except OSError:
                return
            self.asked.append(question)
            if self.answer is not None:
                self.sock.sendto(self.answer, peer)

    def close(self):
        self.sock.close()


class MorePolicy(unittest.TestCase):
    resident = False

    def setUp(self):
        self.root = SmtpRoot(self.resident)
        self.addCleanup(self.root.close)

    def codes(self, *commands, **env):
        with self.root.smtp(**env) as s:
            s.hello()
            return [s.cmd(c)[0] for c in commands]

    def test_greylist(self):
        d = Daemon(b"\0\1")
        self.addCleanup(d.close)
        self.assertEqual(self.codes(M, R, R.replace("joe", "ann"), TCPREMOTEIP="192.0.2.7", GREYIP=d.where), [250, 450, 450])
        self.assertEqual(d.asked[0], b"I192.0.2.7\0Fs@example.net\0Tjoe@example.com\0\0")
        d.answer = b"\1\2"
        self.assertEqual(self.codes(M, R, GREYIP=d.where), [250, 250])
        self.assertEqual(self.codes("MAIL FROM:<>", R, GREYIP=d.where), [250, 250])
        n = len(d.asked)
        self.assertEqual(self.codes(M, R, GREYIP=d.where, RELAYCLIENT=""), [250, 250])
        self.assertEqual(self.codes(M, "RCPT TO:<x@elsewhere.example>", GREYIP=d.where), [250, 553])
        self.assertEqual(len(d.asked), n)
        for answer in (b"\1", b"\1\1\1", b"\7\0", b""):
            d.answer = answer
            self.assertEqual(self.codes(M, R, GREYIP=d.where), [250, 451], answer)
        for where in ("nonsense", "127.0.0.1@0", "127.0.0.1@1"):
            self.assertEqual(self.codes(M, R, GREYIP=where), [250, 451], where)

    def test_greylist_is_silent(self):
        """It is waited for, but not for long, and mail is put off, not lost."""
        d = Daemon(None)
        self.addCleanup(d.close)
        begin = time.monotonic()
        self.assertEqual(self.codes(M, R, GREYIP=d.where), [250, 451])
        self.assertLess(time.monotonic() - begin, 8)

    def deliver(self, message, *, size=0, **env):
        with self.root.smtp(**env) as s:
            s.hello()
            for c in (M, R, "RCPT TO:<ann@example.com>", "DATA"):
                s.cmd(c)
            return s.cmd(message.replace("\n", "\r\n") + "\r\n.")

    def test_signatures(self):
        self.root.control("signatures", "# programs\nTVqQAAMAA:no programs here\nUEsDBBQAA:-blackhole\n")
        part = "Content-Type: multipart/mixed; boundary=x\n\n--x\n\ntext\n--x\nContent-Transfer-Encoding: base64\n\n{}AAEAAAA//8AALgA\n--x--"
        exe, archive = part.format("TVqQAAMAA"), part.format("UEsDBBQAA")
        self.assertEqual(self.deliver(exe, VIRUSCHECK="1"), (552, ["5.7.1 no programs here"]))
        self.assertEqual(self.root.messages(), [])
        self.assertEqual(self.deliver("Subject: x\n\nTVqQAAMAAAA", VIRUSCHECK="4")[0], 552)
        self.assertEqual(self.deliver(archive, VIRUSCHECK="1")[0], 250)
        self.assertEqual(self.root.messages(), [])
        for message, env in ((exe, {}), (exe, {"VIRUSCHECK": "0"}), (exe, {"VIRUSCHECK": "5"}), (exe, {"VIRUSCHECK": "1", "SIGNATURES": ""}),
                             ("Subject: x\n\nfirst\nTVqQAAMAA", {"VIRUSCHECK": "1"}), ("TVqQAAMAA: x\n\n\n", {"VIRUSCHECK": "1"})):
            before = len(self.root.messages())
            self.assertEqual(self.deliver(message, **env)[0], 250, (message, env))
            self.assertEqual(len(self.root.messages()), before + 1)
        self.root.control("signatures", "short\n")
        with self.root.smtp(VIRUSCHECK="1") as s:
            self.assertEqual(s.reply()[0], 421)
            wait_for(lambda: "signatures: short: at least 9 characters of base64 are wanted" in s.logged(), what="the reason")

    def test_databytes_notify(self):
        self.root.control("databytes", "100\n")
        self.assertEqual(self.deliver("x" * 200)[0], 552)
        self.assertEqual(self.root.messages(), [])
        self.assertEqual(self.deliver("x" * 200, DATABYTES_NOTIFY="1")[0], 552)
        (text, sender, to, _), = self.root.messages()
        self.assertEqual((sender, to), (b"", [b"joe@example.com", b"ann@example.com"]))
        self.assertIn(b"A message to you from <s@example.net>\nwas refused: it was larger than 100 bytes.", text)

    def test_rcptrules(self):
        """Settings for the checks of one recipient, and of no other."""
        self.root.control("rcpt.envrules", "ann@example.com:BADRCPTTO=forann,TARPITCOUNT=\n*@example.com:DATABYTES=1\nbob@example.com:QREGEX=many,DATABYTES=x\n"
                                           "eve@example.com:RELAYCLIENT=,RCPTRULES=\n@elsewhere.example:RELAYCLIENT=\n")
        self.root.control("forann", "ann@example.com\n")
        ann, joe, bob = (f"RCPT TO:<{n}@example.com>" for n in ("ann", "joe", "bob"))
        self.assertEqual(self.codes(M, joe, ann, joe, bob, joe, "RCPT TO:<x@elsewhere.example>"), [250, 250, 553, 250, 451, 250, 553])
        with self.root.smtp() as s:
            s.hello()
            self.assertEqual([s.cmd(c)[0] for c in (M, joe, ann, "DATA")], [250, 250, 553, 354])
            self.assertEqual(s.cmd("Subject: longer than one byte\r\n\r\nx\r\n.")[0], 250)
            self.assertRegex(s.logged(), r"rcpt\.envrules")
        self.assertEqual(self.codes(M, ann, RCPTRULES=""), [250, 250])


class Resident(MorePolicy):
    resident = True


if __name__ == "__main__":
    unittest.main()
