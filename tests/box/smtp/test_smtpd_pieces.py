"""Random sessions, of sense and nonsense, sent at once, in pieces and byte by byte, to a process of its own and to a
resident server: the same replies and the same messages. $SESSIONS says how many, 40 if it does not."""
import os, random, re, socket, threading, unittest
from smtpd import SmtpRoot

COUNT = int(os.environ.get("SESSIONS", "40"))
SEED = int(os.environ.get("SEED", "1"))
SENDERS = ("<s@example.net>", "<>", "<joe@example.com>", "<\"a b\"@example.net>", "<@x,@y:s@example.net>", "<s@[192.0.2.1]>", "<s@[IPv6:2001:db8::1]>",
           "<s@>", "s@example.net", "<s@exa mple>", "<" + "x" * 70 + "@example.net>", "<s@example.net", "<s\0@example.net>", "<j\u00f6rg@b\u00fccher.example>")
RECIPIENTS = ("<joe@example.com>", "<jim@sub.example.com>", "<a@example.org>", "<a%b@example.com>", "<Postmaster>", "<joe@example.com>>", "<>", "<a@b@example.com>")
MAIL = ("", "", " SIZE=100", " BODY=8BITMIME", " BODY=BINARYMIME", " BODY=7BIT SIZE=1 RET=HDRS ENVID=a+20b", " SMTPUTF8", " SMTPUTF8 BODY=BINARYMIME", " RET=X",
        " SIZE=99999999999999999999", " FOO=BAR", " SIZE", " BODY=BINARYMIME SIZE=5000", " AUTH=<>", " REQUIRETLS", " HOLDFOR=1", " =")
RCPT = ("", "", " NOTIFY=NEVER", " NOTIFY=SUCCESS,DELAY ORCPT=rfc822;joe@example.com", " NOTIFY=NEVER,DELAY", " ORCPT=x", " RRVS=2020-01-01T00:00:00Z")
OTHERS = ("NOOP", "NOOP x", "RSET", "RSET x", "VRFY joe", "EXPN x", "HELP", "HELP MAIL", "HELP XXX", "ETRN example.com", "ATRN", "AUTH", "AUTH PLAIN", "AUTH PLAIN AGpvZQBzZWNyZXQ=",
          "AUTH PLAIN AGpvZQB4", "AUTH LOGIN\r\nam9l\r\nc2VjcmV0", "AUTH LOGIN\r\n*", "AUTH FOO", "STARTTLS x", "QUIT x", "TURN", "", " ", "\t", "mail", "MAIL", "MAIL FROM", "RCPT TO:",
          "DATA x", "BDAT", "BDAT x", "BDAT 5 LASTX", "XCLIENT ADDR=192.0.2.1", "XFORWARD NAME=x", "\u00ff", "a" * 600, "NOOP " + "a" * 3000, "NO\0OP", "NOOP\rNOOP", "NOOP\nNOOP",
          "GET / HTTP/1.1", "EHLO", "EHLO [192.0.2.1]", "EHLO " + "x" * 300, "HELO x", "LHLO x")
BODIES = (b"Subject: x\r\n\r\nhello\r\n", b"", b"\r\n", b"no header\r\n..dot\r\n", b"Subject: x\r\n\r\na\nb\r\n", b"Subject: x\r\n\r\na\rb\r\n", b"a\0b\r\n",
          b"Content-Transfer-Encoding: binary\r\nContent-Type: image/x\r\n\r\n\0\n\r\r\n", b"x" * 5000 + b"\r\n", b"Received: x\r\n" * 3 + b"\r\n", b"Subject: x\r\n\r\n\xff\xfe\r\n.\r\n",
          b"Content-Type: multipart/x; boundary=B\r\n\r\n--B\r\nContent-Transfer-Encoding: binary\r\n\r\n\n\r\n--B--\r\n")


def stuffed(body):
    return b"".join((b"." if l.startswith(b".") else b"") + l for l in body.splitlines(True))


def usually(r, values, often=.8):
    return values[0] if r.random() < often else r.choice(values)


def message(r, chunked):
    body = r.choice(BODIES)
    if not chunked:
        return [b"DATA\r\n", stuffed(body), r.choice((b".\r\n",) * 8 + (b"\r\n.\r\n", b".\n", b"\n.\r\n"))]
    at = r.randrange(len(body) + 1) if r.random() < .5 else 0
    return ([b"BDAT %d\r\n" % at + body[:at]] if at else []) + [b"BDAT %d LAST\r\n" % len(body[at:]) + body[at:]]


def session(r):
    """What a client says in one session; most of it makes sense, so that it gets somewhere."""
    out = [b"EHLO tester.example\r\n"] if r.random() < .95 else []
    for _ in range(r.randrange(1, 8)):
        if r.random() < .25:
            out.append(r.choice(OTHERS).encode() + r.choice((b"\r\n",) * 8 + (b"\n", b"\r\r\n")))
            continue
        parameters = usually(r, MAIL, .3) if r.random() < .5 else " BODY=BINARYMIME"
        out.append(f"MAIL FROM:{usually(r, SENDERS)}{parameters}\r\n".encode())
        out += [f"RCPT TO:{usually(r, RECIPIENTS)}{usually(r, RCPT)}\r\n".encode() for _ in range(r.choice((0, 1, 1, 1, 2, 3)))]
        if r.random() < .1:
            out.append(r.choice(OTHERS).encode() + b"\r\n")
        if r.random() < .9:
            out += message(r, "BINARYMIME" in parameters or r.random() < .3)
        if r.random() < .5:
            out.append(b"RSET\r\n")
    return b"".join(out) + (b"QUIT\r\n" if r.random() < .8 else b"")


class Pieces(unittest.TestCase):
    def setUp(self):
        self.roots = []
        for resident in (False, True):
            root = SmtpRoot(resident=resident)
            self.addCleanup(root.close)
            root.control("databytes", "4000\n")
            self.roots.append(root)

    def replies(self, root, data, pieces):
        """All that the server said, without what differs each time, and whether all of it has come: where it hangs up on what
        the client says, what it said last may be lost."""
        args = ["mail.example.com", root.checkpassword, "/bin/false", root.seen]
        with root.smtp(args, BINARYMIME="1", SMTPUTF8="1", SECUREAUTH="0", MAXAUTHTRIES="3") as s:
            s.sock.settimeout(60)
            said, reset = [], []

            def read():
                try:
                    said.extend(iter(lambda: s.sock.recv(65536), b""))
                except ConnectionResetError:
                    reset.append(True)

            reader = threading.Thread(target=read)
            reader.start()
            try:
                for piece in pieces(data):
                    s.sock.sendall(piece)
                s.sock.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # it has hung up
            reader.join()
        return re.sub(rb"ok \d+ qp \d+ id \S+", b"ok", b"".join(said)), not reset

    def queued(self, root):
        ours = rb"(?sm)\AReceived: .*? \d\d\d\d \d\d:\d\d:\d\d [+-]\d+\n|^(Date|Message-ID): [^\n]*\n"
        out = sorted((re.sub(ours, b"", m[0]), m[1], m[2]) for m in root.messages())
        for name in os.listdir(root.path("qq")):
            os.unlink(root.path("qq", name))
        return out

    def test_pieces(self):
        for seed in range(SEED, SEED + COUNT):
            r = random.Random(seed)
            data = session(r)
            cuts = sorted(r.randrange(len(data) + 1) for _ in range(9))
            ways = {"at once": lambda d: [d], "byte by byte": lambda d: [d[i:i + 1] for i in range(len(d))],
                    "in pieces": lambda d: [d[a:b] for a, b in zip([0] + cuts, cuts + [len(d)])]}
            results = {}
            for root in self.roots:
                for name, pieces in ways.items():
                    results[f"{name}, {'resident' if root.resident else 'its own'}"] = self.replies(root, data, pieces), self.queued(root)
            most, queued = max((said, queued) for (said, _), queued in results.values())
            for name, ((said, whole), messages) in results.items():
                self.assertEqual((messages, said), (queued, most if whole else most[:len(said)]), (seed, name, data))
            for line in most.split(b"\r\n")[:-1]:
                self.assertRegex(line, rb"^[2345]\d\d[ -]", (seed, data))
            self.assertNotIn(b"\n", most.replace(b"\r\n", b""))


if __name__ == "__main__":
    unittest.main()
