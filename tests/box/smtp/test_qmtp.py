"""qmail-qmtpd: packets, the checks, and clients that do not know the protocol."""
import os, socket, time, unittest
from smtpd import SmtpRoot


def netstring(b):
    return b"%d:%s," % (len(b), b)


def packet(message, sender, *recipients):
    return netstring(message) + netstring(sender) + netstring(b"".join(map(netstring, recipients)))


class Qmtp(unittest.TestCase):
    resident = False

    def setUp(self):
        self.root = SmtpRoot(self.resident, "qmail-qmtpd")
        self.addCleanup(self.root.close)

    def answers(self, said):
        out = []
        while said:
            n, rest = said.split(b":", 1)
            out.append(rest[:int(n)])
            self.assertEqual(rest[int(n):int(n) + 1], b",")
            said = rest[int(n) + 1:]
        return out

    def talk(self, data, end=True, **env):
        """The answers to this, to the end of the connection."""
        with self.root.smtp(**env) as s:
            for piece in data if isinstance(data, list) else [data]:
                s.send(piece)
            if end:
                s.sock.shutdown(socket.SHUT_WR)
            said = b""
            while True:
                got = s.sock.recv(65536)
                if not got:
                    break
                said += got
            answers = self.answers(said)
            self.log = s.logged()
        return answers

    GOOD = packet(b"\nSubject: x\n\nhello\n", b"s@example.net", b"joe@example.com", b"x@example.org", b"ann@example.com")

    def test_a_packet(self):
        answers = self.talk(self.GOOD)
        self.assertEqual([a[:1] for a in answers], [b"K", b"D", b"K"])
        self.assertRegex(answers[0], rb"^Kok \d+ qp \d+ id \d+\.\d+$")
        self.assertIn(b"(#5.7.1)", answers[1])
        (message, sender, recipients, vars), = self.root.messages()
        self.assertEqual((sender, recipients), (b"s@example.net", [b"joe@example.com", b"ann@example.com"]))
        self.assertRegex(message, rb"(?s)^Received: from client\.example\.net \(192\.0\.2\.7\)\s+by mail\.example\.com with QMTP.*\n"
                                  rb"Subject: x\n\nhello\n$")
        self.assertIn("with QMTP", self.log)
        self.assertIn("qmail-qmtpd: ", self.log)

    def test_dropped(self):
        """Recipients that are thrown away: others get the message, and without any nobody does."""
        self.root.control("blackholedrcpt", "joe@example.com\n")
        alone = packet(b"\nSubject: y\n\n", b"s@example.net", b"joe@example.com")
        self.assertEqual([a[:1] for a in self.talk(self.GOOD + alone)], [b"K", b"D", b"K", b"K"])
        self.assertEqual([r for m, f, r, v in self.root.messages()], [[b"ann@example.com"]])
        self.assertEqual(self.log.count(" discard blackholedrcpt "), 2)

    def test_byte_by_byte(self):
        self.assertEqual([a[:1] for a in self.talk([self.GOOD[i:i + 1] for i in range(len(self.GOOD))])], [b"K", b"D", b"K"])
        self.assertEqual(len(self.root.messages()), 1)

    def test_packets_without_waiting(self):
        many = b"".join(packet(b"\n%d\n" % i, b"s@example.net", b"joe@example.com") for i in range(20))
        self.assertEqual([a[:1] for a in self.talk(many)], [b"K"] * 20)
        self.assertEqual(sorted(int(m.splitlines()[-1]) for m, *_ in self.root.messages()), list(range(20)))

    def test_lines_that_end_in_crlf(self):
        self.talk(packet(b"\rSubject: x\r\n\r\n.\r\n..two\r\n", b"", b"joe@example.com"))
        self.assertTrue(self.root.messages()[0][0].endswith(b"Subject: x\n\n.\n..two\n"))

    def test_what_cannot_be_a_line_end(self):
        for body in (b"\ra\nb\r\n", b"\ra\rb\r\n", b"\ra\r", b"\na\rb\n", b"\na\0b\n", b"\ra\0\r\n"):
            with self.subTest(body):
                answer, = self.talk(packet(body, b"s@example.net", b"joe@example.com"))
                self.assertTrue(answer.startswith(b"D") and answer.endswith(b"(#5.6.0)"), answer)
        self.assertEqual(self.root.messages(), [])

    def test_long_message(self):
        lines = b"".join(b"%06d %s\n" % (i, b"y" * 60) for i in range(5000))
        self.assertEqual([a[:1] for a in self.talk(packet(b"\n" + lines, b"s@example.net", b"joe@example.com") * 2)], [b"K", b"K"])
        for m, *_ in self.root.messages():
            self.assertTrue(m.endswith(lines))

    def test_relay_client(self):
        self.talk(packet(b"\nx\n", b"s@example.net", b"x@example.org"), RELAYCLIENT="@gate.example")
        self.assertEqual(self.root.messages()[0][2], [b"x@example.org@gate.example"])

    def test_sender_refused(self):
        self.root.control("badmailfrom", "s@example.net\n")
        answers = self.talk(self.GOOD + packet(b"\nx\n", b"t@example.net", b"joe@example.com"))
        self.assertEqual([a[:1] for a in answers], [b"D", b"D", b"D", b"K"])
        self.assertEqual(len(self.root.messages()), 1)

    def test_no_greeting_to_wait_for(self):
        for delay in ("-60", "60"):
            self.root.control("greetdelay", delay + "\n")
            start = time.monotonic()
            self.assertEqual([a[:1] for a in self.talk(self.GOOD)], [b"K", b"D", b"K"])
            self.assertLess(time.monotonic() - start, 30)

    def test_addresses(self):
        """As in SMTP, but without quotes."""
        self.root.control("localiphost", "example.com\n")
        given = ((b"", b"D"), (b"a\0b@example.com", b"D"), (b"a\nb@example.com", b"D"), (b"joe@example.com", b"K"), (b"x" * 950 + b"@example.com", b"D"),
                 (b"a b<c>\x01@example.com", b"D"), (b"a\x7f@example.com", b"D"), (b"a b<c>@example.com", b"K"), (b"J\xc3\xb6@example.com", b"D"),
                 (b"a@", b"D"), (b"@example.com", b"D"), (b"a@example.com x", b"D"), (b"joe@[127.0.0.1]", b"K"), (b"joe@[127.0.0.2]", b"D"),
                 (b"postmaster", b"K"))
        answers = self.talk(packet(b"\nx\n", b"s@example.net", *(a for a, _ in given)))
        self.assertEqual([(a, answer[:1]) for (a, _), answer in zip(given, answers)], list(given))
        self.assertTrue(answers[8].endswith(b"(#5.6.7)"), answers)
        self.assertEqual(self.root.messages()[0][2], [b"joe@example.com", b"a b<c>@example.com", b"joe@example.com", b"postmaster@mail.example.com"])
        for sender, code in ((b"s\x02@example.net", b"(#5.1.7)"), (b"\xc3\xb6@example.net", b"(#5.6.7)"), (b"s@-x-", b"(#5.1.7)")):
            answer, = self.talk(packet(b"\nx\n", sender, b"joe@example.com"))
            self.assertTrue(answer.endswith(code), (sender, answer))

    def test_too_big(self):
        self.root.control("databytes", "1000\n")
        answers = self.talk(packet(b"\n" + b"x" * 1001, b"s@example.net", b"joe@example.com") +
                            packet(b"\n" + b"x" * 1000, b"s@example.net", b"joe@example.com"))
        self.assertEqual([a[:1] for a in answers], [b"D", b"K"])
        self.assertEqual(len(self.root.messages()), 1)

    def test_queue_says_no(self):
        for code, letter in ((31, b"D"), (53, b"Z")):
            answers = self.talk(self.GOOD, QQ_EXIT=str(code))
            self.assertEqual([a[:1] for a in answers], [letter, b"D", letter])

    def test_no_recipients(self):
        self.assertEqual(self.talk(packet(b"\nx\n", b"s@example.net") + self.GOOD)[0][:1], b"K")
        self.assertEqual(len(self.root.messages()), 1)

    def test_refused_recipients(self):
        """After so many the rest of the packet is to be tried again, and there is no other packet."""
        self.root.control("max_rcpt_errcount", "3\n")
        bad = b"x@example.org"
        answers = self.talk(packet(b"\nx\n", b"s@example.net", b"joe@example.com", bad, b"", bad, b"ann@example.com", bad) + self.GOOD)
        self.assertEqual([a[:1] for a in answers], [b"K", b"D", b"D", b"D", b"Z", b"Z"])
        self.assertTrue(answers[4].endswith(b"(#4.7.1)"), answers)
        self.assertEqual([m[2] for m in self.root.messages()], [[b"joe@example.com"]])

    def test_every_beginning_queues_nothing(self):
        for n in range(1, len(self.GOOD), 7):
            with self.subTest(n):
                self.assertEqual(self.talk(self.GOOD[:n]), [])
                self.assertIn(" close ", self.log)
        self.assertEqual(self.root.messages(), [])

    def test_nonsense(self):
        for data in (b"EHLO x\r\n", b":,", b"05:\nx\n,", b"0:,", netstring(b"x\n"), self.GOOD[:-1] + b";",
                     netstring(b"\nx\n") + netstring(b"a" * 1001), netstring(b"\nx\n") + b"1:s;",
                     netstring(b"\nx\n") + netstring(b"s@example.net") + netstring(b"3:joe,4:x,"),
                     netstring(b"\nx\n") + netstring(b"s@example.net") + b"999999:", b"9" * 40):
            with self.subTest(data[:40]):
                self.assertEqual(self.talk(data), [])
                self.assertIn(" close ", self.log)
        self.assertEqual(self.root.messages(), [])

    def test_thousands_of_recipients(self):
        self.root.control("max_rcpt_errcount", "0\n")
        rcpts = [b"u%d@example.%s" % (i, b"com" if i % 2 else b"org") for i in range(5000)]
        answers = self.talk(packet(b"\nx\n", b"s@example.net", *rcpts))
        self.assertEqual([a[:1] for a in answers], [b"D", b"K"] * 2500)
        self.assertEqual(self.root.messages()[0][2], rcpts[1::2])


    # What the sender or a recipient has a say in: the message waits for them.

    def test_rules_for_senders(self):
        """As in SMTP: the queue program's variables, and the checks, of each packet's sender alone."""
        self.root.control("from.envrules", "list@example.net:QQ_MARK=yes,TCPREMOTEIP=192.0.2.99\nsmall@example.net:DATABYTES=10\n"
                                           "bad@example.net:DATABYTES=x\nnobody@example.net:BOUNCEMAIL=no mail today\n"
                                           "strict@example.net:BODYCHECK=words\n")
        self.root.control("words", "forbidden\n")
        body = b"\nSubject: x\n\na forbidden word\n"
        senders = (b"list", b"small", b"bad", b"nobody", b"strict", b"other")
        answers = self.talk(b"".join(packet(body, s + b"@example.net", b"joe@example.com") for s in senders))
        self.assertEqual([a[:1] for a in answers], [b"K", b"D", b"Z", b"D", b"D", b"K"])
        for answer, code in zip(answers[1:5], (b"(#5.3.4)", b"(#4.3.5)", b"(#5.7.1)", b"(#5.7.1)")):
            self.assertTrue(answer.endswith(code), answers)
        got = {m[1]: (m[0], m[3]) for m in self.root.messages()}
        self.assertEqual(sorted(got), [b"list@example.net", b"other@example.net"])
        self.assertEqual([got[s][1].get("QQ_MARK") for s in sorted(got)], ["yes", None])
        self.assertEqual(got[b"list@example.net"][1]["TCPREMOTEIP"], "192.0.2.7")
        self.assertTrue(all(m.endswith(body[1:]) for m, _ in got.values()))
        self.assertIn("lookup envrules failed", self.log)

    def test_rules_for_those_who_relay(self):
        self.root.control("auth.envrules", "<>:QQ_MARK=yes\n")
        for vars, want in (({}, None), ({"RELAYCLIENT": ""}, "yes")):
            self.talk(packet(b"\nx\n", b"s@example.net", b"joe@example.com"), **vars)
        self.assertEqual(sorted(str(m[3].get("QQ_MARK")) for m in self.root.messages()), ["None", "yes"])

    def test_rules_for_recipients(self):
        self.root.control("rcpt.envrules", "ann@example.com:MAXRECIPIENTS=1\nbad@example.com:DATABYTES=x\n")
        answers = self.talk(packet(b"\nx\n", b"s@example.net", b"joe@example.com", b"ann@example.com", b"bad@example.com", b"tom@example.com"))
        self.assertEqual([a[:1] for a in answers], [b"K", b"Z", b"Z", b"K"])
        self.assertTrue(answers[2].endswith(b"(#4.3.5)"))

    def test_spamignore(self):
        self.root.control("spamignore", "friend@example.net\n")
        for sender in (b"friend@example.net", b"other@example.net"):
            self.talk(packet(b"\nx\n", sender, b"joe@example.com"), SPAMFILTER="false")
        self.assertEqual({m[1]: m[3].get("SPAMFILTER") for m in self.root.messages()}, {b"friend@example.net": None, b"other@example.net": "false"})

    def test_held_as_it_came(self):
        """Of every length around what stays in memory, with either end of lines, whole and in pieces."""
        self.root.control("from.envrules", "x@example.net:A=b\n")
        for n in (1, 100, 32700, 32767, 32768, 32769, 40000, 300000):
            text = (b"0123456789abcde\n" * (n // 16 + 1))[:n]
            for first, sent in ((b"\n", text), (b"\r", text.replace(b"\n", b"\r\n"))):
                data = packet(first + sent, b"s@example.net", b"joe@example.com")
                step = max(1, len(data) // 50)
                answer, = self.talk([data[i:i + step] for i in range(0, len(data), step)])
                self.assertEqual(answer[:1], b"K")
                m = self.root.messages()
                self.assertEqual(len(m), 1)
                self.assertTrue(m[0][0].endswith(b"\n" + text), n)
                for f in os.listdir(self.root.path("qq")):
                    os.unlink(self.root.path("qq", f))

    def test_held_and_too_large(self):
        self.root.control("from.envrules", "x@example.net:A=b\n")
        self.root.control("databytes", "1000\n")
        answers = self.talk(b"".join(packet(b"\n" + b"x" * n, b"s@example.net", b"joe@example.com") for n in (1000, 1001, 2001, 200000)))
        self.assertEqual([a[:1] for a in answers], [b"K", b"D", b"D", b"D"])
        self.assertTrue(all(a.endswith(b"(#5.3.4)") for a in answers[1:]))

    def test_held_and_broken(self):
        self.root.control("from.envrules", "x@example.net:A=b\n")
        for body in (b"\na\rb\n", b"\ra\nb\r\n", b"\na\0b\n", b"\ra\r"):
            answer, = self.talk(packet(body, b"s@example.net", b"joe@example.com"))
            self.assertTrue(answer.endswith(b"(#5.6.0)"), answer)
        self.test_every_beginning_queues_nothing()

    def test_held_and_no_room(self):
        """A message that cannot be kept is to be tried again; what is short needs no file."""
        self.root.control("from.envrules", "x@example.net:A=b\n")
        self.root.process_env = dict(TMPDIR="/nonexistent")
        answers = self.talk(packet(b"\n" + b"x" * 100000, b"s@example.net", b"joe@example.com") + self.GOOD, TMPDIR="/nonexistent")
        self.assertEqual([a[:1] for a in answers], [b"Z", b"K", b"D", b"K"])
        self.assertIn("notqueued 0", self.log)

    def test_held_and_queue_says_no(self):
        self.root.control("from.envrules", "x@example.net:A=b\n")
        self.test_queue_says_no()

    def test_behind_a_balancer(self):
        self.root.control("proxyhosts", "192.0.2.7\n")
        self.talk(b"PROXY TCP4 198.51.100.9 203.0.113.1 5678 209\r\n" + self.GOOD)
        self.assertIn(b"(198.51.100.9)", self.root.messages()[0][0])
        self.assertEqual(self.talk([b"1", b"", b""], end=True), [])
        self.assertEqual(len(self.root.messages()), 1)


class Resident(Qmtp):
    resident = True


if __name__ == "__main__":
    unittest.main()
