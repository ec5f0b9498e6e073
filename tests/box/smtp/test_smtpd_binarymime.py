"""BODY=BINARYMIME: binary parts come by BDAT, are kept as base64, and are read back byte for byte."""
import email, email.policy, os, random, unittest

from box import wait_for
from mailsite import MailSite
from smtpd import Smtp, SmtpRoot

M, R = "MAIL FROM:<s@example.net> BODY=BINARYMIME", "RCPT TO:<joe@example.com>"
CTE = b"Content-Transfer-Encoding: "
OCTETS = b"Content-Type: application/octet-stream\r\n" + CTE + b"binary\r\n\r\n"
MULTI = b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_b\"\r\n" + CTE + b"binary\r\n\r\n"
NASTY = bytes(range(256)) + b"\r\n.\r\n\n.\n\r.\r--=_b\n--=_\r\n\r\r\n\0\r"


GENERATED = int(os.environ.get("SESSIONS", "120"))


def bdat(data, last=True):
    return b"BDAT %d%s\r\n" % (len(data), b" LAST" if last else b"") + data


def leaves(message):
    """Content of each part that holds one, of messages inside too; of 8bit text as the lines of the network."""
    out = []
    for part in email.message_from_bytes(message, policy=email.policy.SMTP).walk():
        if part.is_multipart():
            continue
        body = part.get_payload(decode=True)
        lines = part.get("Content-Transfer-Encoding", "7bit") in ("7bit", "8bit")
        out.append(body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") if lines else body)
    return out


def private_kb(pid):
    """What this process alone costs; a sanitizer's bookkeeping is not counted."""
    if os.environ.get("SAN"):
        return 0
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return sum(int(l.split()[1]) for l in f if l.startswith("Anonymous:"))


class Maker:
    """Random messages of BINARYMIME, and what their parts hold."""

    def __init__(self, seed):
        self.r = random.Random(seed)
        self.want = []
        self.boundaries = []

    def data(self):
        r = self.r
        near = b"--" + r.choice(self.boundaries)  # no delimiter with what is behind it
        pieces = (near + b"\n", near + b"x", b"\r\n" + near + b"\n\r\n", b"\r\n" + near + b"-", b"\n" + near + b"\r\r", b"\r\n", b"\n", b"\r", b"\0", b"--", b"--=_1", b"--=_1--", b"\r\n--", b"\xff\xfe", b"text ", b".", b"\r\n.\r\n")
        return b"".join(r.choice(pieces) for _ in range(r.randrange(40))) if r.random() < .8 else r.randbytes(r.randrange(9000))

    def lines(self):
        return b"\r\n".join(self.r.choice((b"", b"a line", b"\xc3\xa4", b".", b"--", b"From x")) for _ in range(self.r.randrange(9)))

    def leaf(self):
        kind = self.r.randrange(4)
        if kind == 0:
            self.want.append(self.lines())
            return b"Content-Type: text/plain; charset=utf-8\r\n" + CTE + b"8bit\r\n\r\n" + self.want[-1]
        if kind == 1:
            self.want.append(self.lines())
            return CTE + b"binary\r\n\r\n" + self.want[-1]
        self.want.append(self.data())
        if kind == 2:
            return b"Content-Type: text/html;\r\n charset=utf-8\r\n" + CTE + b"binary\r\n\r\n" + self.want[-1]
        return CTE + b"BINARY\r\nContent-Type: image/x; name=a.b\r\n\r\n" + self.want[-1]

    def entity(self, depth=0):
        kind = self.r.random() if depth < 4 else 1
        if kind < .5 or depth == 0:
            b = b"==%d:%d" % (len(self.boundaries), self.r.randrange(9))
            self.boundaries.append(b)
            parts = b"".join(b"--" + b + b"\r\n" + self.entity(depth + 1) + b"\r\n" for _ in range(1 + self.r.randrange(4)))
            return b"Content-Type: multipart/mixed; boundary=\"" + b + b"\"\r\n" + CTE + b"binary\r\n\r\npreamble\r\n" + parts + b"--" + b + b"--"
        if kind < .6:
            return b"Content-Type: message/rfc822\r\n" + CTE + b"binary\r\n\r\nSubject: inner\r\n" + self.entity(depth + 1)
        return self.leaf()


class Binary(unittest.TestCase):
    resident = False

    def setUp(self):
        self.root = SmtpRoot(resident=self.resident)
        self.addCleanup(self.root.close)

    def send(self, s, data, want="250 2.0.0", cut=None):
        s.send((M + "\r\n" + R + "\r\n").encode())
        self.assertEqual([s.reply()[0] for _ in range(2)], [250, 250])
        if cut is None:
            s.send(bdat(data))
        else:
            s.send(bdat(data[:cut], False) + bdat(data[cut:]))
            self.assertEqual(s.reply()[0], 250)
        code, text = s.reply()
        self.assertTrue(f"{code} {text[-1]}".startswith(want), (code, text, data[:200]))

    def kept(self):
        """Messages as they were queued, without our Received field."""
        return [m[0][m[0].index(b"\nMIME") + 1 if b"\nMIME" in m[0] else m[0].index(b"Subject"):] for m in self.root.messages()]

    def test_generated(self):
        with self.root.smtp(BINARYMIME="1") as s:
            s.hello()
            for seed in range(GENERATED):
                for name in os.listdir(self.root.path("qq")):
                    os.unlink(self.root.path("qq", name))
                maker = Maker(seed)
                data = b"MIME-Version: 1.0\r\nSubject: x\r\n" + maker.entity() + b"\r\n"
                self.send(s, data, cut=maker.r.randrange(len(data)))
                [message] = self.kept()
                self.assertEqual(leaves(message), maker.want, seed)
                self.assertNotIn(b"\r", message)
                self.assertNotIn(b"\0", message)
                self.assertNotIn(b"binary", message.lower())
                self.assertLess(max(map(len, message.split(b"\n"))), 999)

    def test_not_said_to_be_binary(self):
        """Such a message is kept as it came."""
        data = b"MIME-Version: 1.0\r\n" + MULTI.replace(b"binary", b"8bit") + b"--=_b\r\n\r\n\xff.\r\n..\r\n--=_b--\r\n" + b"x" * 70000 + b"\r\n\r\n"
        with self.root.smtp(BINARYMIME="1") as s:
            s.hello()
            self.send(s, data)
            self.assertNotIn(" encoded ", s.logged())
        self.assertEqual(self.kept(), [data.replace(b"\r\n", b"\n")])

    def test_refused(self):
        signed = MULTI.replace(b"mixed", b"signed")
        part = b"--=_b\r\n" + OCTETS + NASTY + b"\r\n--=_b--\r\n"
        cases = ((b"Subject: x\r\n\r\na\nb\r\n", "554 5.6.0 bare CR, bare LF or NUL in a part whose encoding is not binary"),
                 (b"Sub\0ject: x\r\n\r\na\r\n", "554 5.6.0 binary data in a part whose header"),
                 (b"Subject: \0\r\n\r\na\r\n", "554 5.6.0 bare CR, bare LF or NUL in the header"),
                 (MULTI + b"\n" + part, "554 5.6.0 bare CR, bare LF or NUL outside"),
                 (signed + part, "554 5.6.3 binary data in multipart/signed"),
                 (b"Content-Type: message/partial\r\n" + CTE + b"binary\r\n\r\n\0", "554 5.6.3 binary data in a part of type message"),
                 (b"Content-Type: text/plain\r\n" + OCTETS + b"\n", "554 5.6.0 binary data in a part whose header can be read in two ways"))
        with self.root.smtp(BINARYMIME="1") as s:
            s.hello()
            for data, want in cases:
                self.send(s, data, want)
            self.send(s, MULTI + part)
        [message] = self.kept()
        self.assertEqual(leaves(message), [NASTY])

    def test_databytes(self):
        """It is about what the client sends, which SIZE tells it."""
        self.root.control("databytes", "10000\n")
        with self.root.smtp(BINARYMIME="1") as s:
            s.hello()
            self.send(s, OCTETS + b"\0" * (10000 - len(OCTETS)))
            self.send(s, OCTETS + b"\0" * (10001 - len(OCTETS)), "552 5.3.4")
            self.send(s, OCTETS + b"\0" * 100000, "552 5.3.4")
        self.assertEqual(len(self.root.messages()), 1)

    def test_checks_see_what_is_kept(self):
        self.root.control("bodycheck", "Content-Transfer-Encoding. base64:encoded\n")
        self.root.control("maxhops", "3\n")
        with self.root.smtp(BINARYMIME="1") as s:
            s.hello()
            self.send(s, b"Received: x\r\n" * 2 + b"Subject: x\r\n" + CTE + b"binary\r\n\r\na\r\n")
            self.send(s, b"Received: x\r\n" * 3 + b"Subject: x\r\n" + OCTETS, "554 5.4.6")
        with self.root.smtp(BINARYMIME="1", BODYCHECK="bodycheck") as s:
            s.hello()
            self.send(s, b"Subject: x\r\n" + OCTETS + b"a", "552 5.7.1 encoded")

    def test_bounded(self):
        """Whatever comes, a session needs no more than a megabyte of its own."""
        nested = b"".join(b"Content-Type: multipart/mixed; boundary=%d%s\r\n\r\n--%d%s\r\n" % (i, b"b" * 190, i, b"b" * 190) for i in range(10000, 12000))
        for flood in (CTE + b"binary\r\n\r\n" + b"x" * 1000000, CTE + b"binary\r\n\r\n" + b"line\r\n" * 150000, OCTETS + b"\r\n--" * 200000,
                      b"Content-Type: text/plain" + b"; a=b" * 200000, b"Content-Type: text/plain\r\n" + b" ;a=b\r\n" * 150000, nested,
                      MULTI + b"--=_b\r\n" + OCTETS + b"--=_" * 200000, CTE + b"binary\r\n" * 80000, (CTE + b"binary\r\n") * 30000):
            with self.root.smtp(BINARYMIME="1") as s:
                s.hello()
                s.send((M + "\r\n" + R + "\r\n").encode() + bdat(flood, False))
                self.assertEqual([s.reply()[0] for _ in range(3)], [250] * 3, flood[:100])
                self.assertLess(private_kb(s.p.pid), 1024, flood[:100])

    def test_submission(self):
        """What is missing is added, as for any message of an author."""
        with self.root.smtp(BINARYMIME="1", SUBMISSION="1") as s:
            s.hello()
            self.send(s, b"Subject: x\r\n" + OCTETS + NASTY)
            self.assertRegex(s.logged(), r" encoded 1 id \S+\n")
        [message] = self.kept()
        self.assertEqual(leaves(message), [NASTY])
        parsed = email.message_from_bytes(message)
        self.assertTrue(parsed["Date"] and parsed["Message-ID"])

    def test_order(self):
        with self.root.smtp(BINARYMIME="1") as s:
            self.assertIn("BINARYMIME", s.hello())
            for step, want in ((M, 250), (R, 250), ("DATA", 503), ("RSET", 250)):
                self.assertEqual(s.cmd(step)[0], want, step)
            s.send((M + "\r\n" + R + "\r\n").encode() + bdat(OCTETS + b"half", False) + b"RSET\r\n")
            self.assertEqual([s.reply()[0] for _ in range(4)], [250] * 4)
            self.send(s, OCTETS + b"\n")  # nothing of the message before is in it
        for env in ({}, {"BINARYMIME": "1", "DISABLE_CHUNKING": "1"}):
            with self.root.smtp(**env) as s:
                self.assertNotIn("BINARYMIME", s.hello())
                self.assertEqual(s.cmd(M)[0], 501)
        self.assertEqual([leaves(m) for m in (m[0] for m in self.root.messages())], [[b"\n"]])


class Resident(Binary):
    resident = True


class Delivered(unittest.TestCase):
    def test_attachment(self):
        """From the network through the queue into a Maildir."""
        site = MailSite()
        self.addCleanup(site.close)
        site.resident = False
        site.control("rcpthosts", "local.example\n")
        site.start()
        photo = random.Random(1).randbytes(3000000) + NASTY
        text = b"B\xc3\xa4r\r\n\r\n.\r\nFrom here\r\n"
        data = (b"From: a@b.example\r\n" + MULTI + b"--=_b\r\nContent-Type: text/plain; charset=utf-8\r\n" + CTE + b"binary\r\n\r\n" + text +
                b"\r\n--=_b\r\nContent-Disposition: attachment; filename=photo\r\n" + OCTETS + photo + b"\r\n--=_b--\r\n")
        with Smtp(site, (), {"QMAILQUEUE": "", "BINARYMIME": "1"}) as s:
            s.hello()
            for line in (M, "RCPT TO:<joe@local.example>"):
                self.assertEqual(s.cmd(line)[0], 250)
            for at in range(0, len(data), 1 << 20):
                s.send(bdat(data[at:at + (1 << 20)], at + (1 << 20) >= len(data)))
                self.assertEqual(s.reply()[0], 250)
        wait_for(lambda: site.mails(), what="the message")
        [message] = site.mails()
        self.assertEqual(leaves(message), [text, photo])
        parsed = email.message_from_bytes(message)
        self.assertEqual([p.get("Content-Transfer-Encoding") for p in parsed.walk()], ["8bit", "8bit", "base64"])
        self.assertEqual(parsed.get_payload(1).get_filename(), "photo")


if __name__ == "__main__":
    unittest.main()
