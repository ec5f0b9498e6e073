"""qmail-qmqpd and qmail-qmqpc, with each other and with those who do not know the protocol."""
import os, socket, subprocess, threading, unittest
from box import BIN
from smtpd import SmtpRoot


def netstring(b):
    return b"%d:%s," % (len(b), b)


def packet(message, sender, *recipients):
    return netstring(netstring(message) + netstring(sender) + b"".join(map(netstring, recipients)))


GOOD = packet(b"Subject: x\n\nhello\n", b"s@example.net", b"a@example.org", b"b@example.org")


class Server(unittest.TestCase):
    def setUp(self):
        self.root = SmtpRoot()
        self.addCleanup(self.root.close)

    def talk(self, data, end=True, **env):
        """What the server says to this, and how it ends."""
        ours, theirs = socket.socketpair()
        ours.settimeout(30)
        vars = dict(TCPREMOTEIP="192.0.2.7", TCPREMOTEHOST="client.example.net", TCPLOCALHOST="mail.example.com",
                    QMAILQUEUE=self.root.queue, QQ_DIR=self.root.path("qq"))
        vars.update(env)
        with open(self.root.path("qmqpd.log"), "w") as log:
            p = self.root.spawn(["qmail-qmqpd"], env=self.root.env(**vars), stdin=theirs, stdout=theirs, stderr=log)
        theirs.close()
        with ours:
            for piece in data if isinstance(data, list) else [data]:
                ours.sendall(piece)
            if end:
                ours.shutdown(socket.SHUT_WR)
            said = b""
            while True:
                got = ours.recv(4096)
                if not got:
                    break
                said += got
        code = p.wait(30)
        self.log = open(self.root.path("qmqpd.log")).read()
        return said, code

    def test_good(self):
        said, code = self.talk(GOOD, end=False)
        self.assertRegex(said, rb"^\d+:Kok \d+ qp \d+ id \d+\.\d+,$")
        self.assertEqual(code, 0)
        (message, sender, recipients, vars), = self.root.messages()
        self.assertEqual((sender, recipients), (b"s@example.net", [b"a@example.org", b"b@example.org"]))
        self.assertRegex(message, rb"(?s)^Received: from client\.example\.net \(192\.0\.2\.7\)\s+by mail\.example\.com with QMQP.*\n"
                                  rb"Subject: x\n\nhello\n$")
        self.assertIn("accept qp", self.log)
        self.assertIn("with QMQP", self.log)

    def test_byte_by_byte(self):
        said, code = self.talk([GOOD[i:i + 1] for i in range(len(GOOD))])
        self.assertEqual((said[said.index(b":") + 1:][:1], code), (b"K", 0))

    def test_empty_message_and_null_sender(self):
        said, code = self.talk(packet(b"", b"", b"a@example.org"))
        self.assertEqual(code, 0)
        self.assertEqual(self.root.messages()[0][1:3], (b"", [b"a@example.org"]))

    def test_every_beginning_queues_nothing(self):
        for n in range(0, len(GOOD), 7):
            with self.subTest(n):
                said, code = self.talk(GOOD[:n])
                self.assertEqual((said, code), (b"", 111))
                self.assertIn("close", self.log)
        self.assertEqual(self.root.messages(), [])

    def test_nonsense(self):
        inner = netstring(b"m\n") + netstring(b"s@example.net")
        for data in (b"EHLO x\r\n", b":,", b"07:3:m\n,0:,,", netstring(b""), netstring(netstring(b"m\n")), netstring(inner),
                     netstring(inner + netstring(b"a" * 1000 + b"@example.org")), netstring(inner + netstring(b"a\0b@example.org")),
                     netstring(inner + b"5:ab,"), netstring(inner + b"99:ab,"), GOOD[:-1] + b";",
                     b"10:" + b"99999:" + b"x" * 4 + b",", b"9" * 30 + b":"):
            with self.subTest(data[:40]):
                said, code = self.talk(data)
                self.assertEqual((said, code), (b"", 111))
        self.assertEqual(self.root.messages(), [])

    def test_too_big(self):
        self.root.control("databytes", "1000\n")
        said, code = self.talk(packet(b"x" * 1001, b"s@example.net", b"a@example.org"))
        self.assertEqual((said[said.index(b":") + 1:][:1], code), (b"D", 0))
        self.assertIn(b"5.3.4", said)
        self.assertEqual(self.talk(packet(b"x" * 1000, b"s@example.net", b"a@example.org"))[1], 0)
        self.assertEqual(len(self.root.messages()), 1)

    def test_hops(self):
        """Hosts that trust each other may send mail in a circle."""
        self.root.control("maxhops", "3\n")
        hop = b"Received: x\n\tby y\n"
        for header, letter in ((hop * 2, b"K"), (hop * 2 + b"Delivered-To: a@b\n", b"D"), (hop * 2 + b"\n" + hop, b"K")):
            data = packet(header + b"\nx\n", b"s@example.net", b"a@example.org")
            said, code = self.talk([data[i:i + 7] for i in range(0, len(data), 7)])
            self.assertEqual((said[said.index(b":") + 1:][:1], code), (letter, 0))
            if letter == b"D":
                self.assertIn(b"5.4.6", said)
                self.assertIn("too many hops", self.log)
        self.assertEqual(len(self.root.messages()), 2)

    def test_queue_refuses(self):
        for code, letter in ((31, b"D"), (53, b"Z"), (71, b"Z"), (11, b"D")):
            with self.subTest(code):
                said, status = self.talk(GOOD, QQ_EXIT=str(code))
                self.assertEqual((said[said.index(b":") + 1:][:1], status), (letter, 0))
                self.assertIn(f"notqueued {code}", self.log)

    def test_slow_client_is_left(self):
        self.root.control("timeoutsmtpd", "1\n")
        said, code = self.talk(GOOD[:10], end=False)
        self.assertEqual((said, code), (b"", 111))
        self.assertIn("timed out", self.log)


    def test_no_check_is_asked(self):
        """Nor is anything looked for in the message."""
        self.root.control("badmailfrom", "s@example.net\n")
        self.root.control("bodycheck", "hello\n")
        data = packet(b"Received: x\nReceived: y\n\nhello\r \0\n", b"s@example.net", b"a@example.org")
        said, code = self.talk(data, BODYCHECK="bodycheck", MAXRECIPIENTS="1")
        self.assertEqual((said[said.index(b":") + 1:][:1], code), (b"K", 0))
        self.assertTrue(self.root.messages()[0][0].endswith(b"\n\nhello\r \0\n"))

    def test_any_number_of_recipients(self):
        to = [b"u%d@example.org" % i for i in range(100000)]
        said, code = self.talk(packet(b"x\n", b"s@example.net", *to))
        self.assertEqual(code, 0)
        self.assertEqual(self.root.messages()[0][2], to)
        self.assertIn("recipients 100000", self.log)

    def test_bad_settings(self):
        self.root.control("databytes", "many\n")
        said, code = self.talk([])
        self.assertEqual((said, code), (b"62:Zthis server is misconfigured, please try again later (#4.3.5),", 1))

    def test_behind_a_balancer(self):
        self.root.control("proxyhosts", "192.0.2.7\n")
        said, code = self.talk(b"PROXY TCP4 198.51.100.9 203.0.113.1 5678 628\r\n" + GOOD)
        self.assertEqual(code, 0)
        self.assertIn(b"(198.51.100.9)", self.root.messages()[0][0])
        self.assertEqual(self.talk(b"1"), (b"", 111))

    def test_fields_that_are_missing(self):
        """SUBMISSION is for clients that write messages, whatever they speak."""
        self.talk(packet(b"Subject: x\n\ny\n", b"s@example.net", b"a@example.org"), SUBMISSION="1")
        message = self.root.messages()[0][0]
        self.assertRegex(message, rb"(?s)\nDate: .*\nMessage-ID: <.*@mail\.example\.com>\n\ny\n$")


class ResidentServer(unittest.TestCase):
    def test_clients_one_after_another(self):
        with SmtpRoot(True, "qmail-qmqpd") as root:
            for data, letter in ((GOOD, b"K"), (b"nonsense", b""), (GOOD, b"K")):
                with root.smtp() as s:
                    s.send(data)
                    s.sock.shutdown(socket.SHUT_WR)
                    said = b""
                    while True:
                        got = s.sock.recv(4096)
                        if not got:
                            break
                        said += got
                    self.assertEqual(said[said.find(b":") + 1:][:1], letter)
            self.assertEqual(len(root.messages()), 2)


class Client(unittest.TestCase):
    def setUp(self):
        self.root = SmtpRoot()
        self.addCleanup(self.root.close)

    def server(self, answer=None):
        """A port where somebody listens who says this to a packet (None: closes at once), and [what it got]."""
        l = socket.socket()
        l.bind(("127.0.0.1", 0))
        l.listen(5)
        got = []

        def serve():
            c, _ = l.accept()
            with c, l:
                if answer is None:
                    return
                data = b""
                while not (b":" in data and len(data) > int(data[:data.index(b":")]) + data.index(b":") + 1):
                    piece = c.recv(65536)
                    if not piece:
                        break
                    data += piece
                got.append(data)
                c.sendall(answer)
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        self.addCleanup(thread.join, 20)
        return l.getsockname()[1], got

    def closed_port(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            return s.getsockname()[1]

    def send(self, *args, message=b"Subject: x\n\nhello\n", envelope=b"Fs@example.net\0Ta@example.org\0Tb@example.org\0\0", **env):
        """Exit code, and what came on the error descriptor."""
        m, e, said = (self.root.path(n) for n in ("message", "envelope", "said"))
        open(m, "wb").write(message)
        open(e, "wb").write(envelope)
        with open(m) as fm, open(e) as fe, open(said, "w+b") as fs:
            argv = ["sh", "-c", 'exec "$0" "$@" 3>&2', os.path.join(BIN, "qmail-qmqpc"), *args]
            p = subprocess.run(argv, env=self.root.env(**env), stdin=fm, stdout=fe, stderr=fs, timeout=60)
            fs.seek(0)
            return p.returncode, fs.read()

    def test_answers(self):
        for answer, code in ((b"3:Kok,", 0), (b"4:Znot,", 71), (b"4:Dnot,", 31), (b"1:K,", 0), (b"0:,", 74),
                             (b"3:Xok,", 74), (b"220 ESMTP\r\n", 74), (b"3:Ko", 74), (b"", 74), (b"2000:K" + b"x" * 1999 + b",", 74)):
            with self.subTest(answer[:20]):
                port, got = self.server(answer)
                self.assertEqual(self.send(f"127.0.0.1:{port}")[0], code)
                self.assertEqual(got, [GOOD])

    def test_servers_in_turn(self):
        """Those that cannot be reached are passed over; the first that takes the connection decides."""
        port, got = self.server(b"3:Kok,")
        second, unused = self.server(b"3:Kok,")
        self.root.control("qmqpservers", f"127.0.0.1:{self.closed_port()}\n127.0.0.1:{port}\n127.0.0.1:{second}\n")
        self.assertEqual(self.send()[0], 0)
        self.assertEqual((len(got), len(unused)), (1, 0))
        self.send(f"127.0.0.1:{second}")  # its thread ends

    def test_no_answer_is_no_reason_to_send_it_twice(self):
        port, _ = self.server(None)
        second, got = self.server(b"3:Kok,")
        self.assertEqual(self.send(f"127.0.0.1:{port}", f"127.0.0.1:{second}")[0], 74)
        self.assertEqual(got, [])
        self.send(f"127.0.0.1:{second}")

    def test_nobody(self):
        self.assertEqual(self.send()[0], 55)
        self.assertEqual(self.send("example.org")[0], 55)
        self.assertEqual(self.send(f"127.0.0.1:{self.closed_port()}")[0], 73)
        self.assertEqual(self.send("127.0.0.1", PORT_QMQP=str(self.closed_port()))[0], 73)

    def test_bad_envelope(self):
        self.assertEqual(self.send("127.0.0.1:9", envelope=b"Fs@example.net\0Ta@example.org\0")[0], 54)
        self.assertEqual(self.send("127.0.0.1:9", envelope=b"Xs@example.net\0\0")[0], 79)

    def test_words_of_the_server(self):
        port, _ = self.server(b"19:Dnot today (#5.7.1),")
        code, said = self.send(f"127.0.0.1:{port}", ERROR_FD="3", QMAIL_QUEUE_CUSTOM_ERROR="1")
        self.assertEqual((code, said), (88, b"Dnot today (#5.7.1)\n"))

    def test_with_our_server(self):
        """From sendmail's qmail-inject through both into the queue of the other side."""
        l = socket.socket()
        l.bind(("127.0.0.1", 0))
        l.listen(1)
        port = l.getsockname()[1]
        body = b"".join(b"%05d %s\n" % (i, b"x" * 70) for i in range(5000))
        env = dict(QMAILQUEUE=os.path.join(BIN, "qmail-qmqpc") + f" 127.0.0.1:{port}", PORT_QMQP="1")
        p = self.root.spawn(["qmail-inject", "-fjane@example.com", "joe@example.org"], env=self.root.env(**env), stdin=subprocess.PIPE)
        sender = threading.Thread(target=lambda: (p.stdin.write(b"Subject: y\n\n" + body), p.stdin.close()))
        sender.start()
        c, _ = l.accept()
        vars = dict(TCPREMOTEIP="127.0.0.1", QMAILQUEUE=self.root.queue, QQ_DIR=self.root.path("qq"))
        q = self.root.spawn(["qmail-qmqpd"], env=self.root.env(**vars), stdin=c, stdout=c)
        c.close()
        l.close()
        sender.join(30)
        self.assertEqual((p.wait(30), q.wait(30)), (0, 0))
        (message, sender, recipients, _), = self.root.messages()
        self.assertEqual((sender, recipients), (b"jane@example.com", [b"joe@example.org"]))
        self.assertTrue(message.endswith(b"\n\n" + body))


if __name__ == "__main__":
    unittest.main()
