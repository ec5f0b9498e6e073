"""Who the client is when a proxy says so: PROXY headers, XCLIENT, XFORWARD."""
import socket, time, unittest
from smtpd import SmtpRoot

M, R = "MAIL FROM:<s@example.net>", "RCPT TO:<joe@example.com>"
V1 = b"PROXY TCP4 198.51.100.9 203.0.113.1 5678 2525\r\n"
V2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0f" + socket.inet_aton("198.51.100.9") + socket.inet_aton("203.0.113.1") + b"\x16\x2e\x09\xdd" + b"\x04\0\0"


class Peer(unittest.TestCase):
    resident = False

    def setUp(self):
        self.root = SmtpRoot(resident=self.resident)
        self.addCleanup(self.root.close)

    def deliver(self, s):
        for command, want in ((M, 250), (R, 250), ("DATA", 354)):
            self.assertEqual(s.cmd(command)[0], want)
        s.send(b"Subject: x\r\n\r\n.\r\n")
        self.assertEqual(s.reply()[0], 250)
        return self.root.messages()[-1]


class Proxy(Peer):
    def setUp(self):
        super().setUp()
        self.root.control("proxyhosts", "192.0.2.0/24\n")

    def test_client(self):
        for header in (V1, V2):
            for step in (len(header), 1):
                with self.root.smtp(RELAYCLIENT="", TCPREMOTEINFO="root", TCPPARANOID="1") as s:
                    for i in range(0, len(header), step):
                        s.send(header[i:i + step])
                    s.hello()
                    message, _, _, variables = self.deliver(s)
                    self.assertEqual(s.cmd("RSET")[0], 250)
                    self.assertEqual(s.cmd(M)[0], 250)
                    self.assertEqual(s.cmd("RCPT TO:<joe@example.org>")[0], 553)  # the proxy may relay, its clients not
                    self.assertIn("198.51.100.9", s.logged())
                self.assertIn(b"from unknown (HELO tester.example) (198.51.100.9)\n", message)
                got = {k: v for k, v in variables.items() if (k.startswith("TCP") and k != "TCPRULES") or k == "RELAYCLIENT"}
                self.assertEqual(got, dict(TCPREMOTEIP="198.51.100.9", TCPREMOTEPORT="5678", TCPREMOTEHOST="", TCPLOCALIP="203.0.113.1",
                                           TCPLOCALPORT="2525", TCPLOCALHOST="mail.example.com"))

    def test_commands_behind_it(self):
        with self.root.smtp() as s:
            s.send(V1 + b"EHLO x\r\nNOOP\r\n")
            self.assertEqual([s.reply()[0] for _ in range(3)], [220, 250, 250])

    def test_implicit_tls_behind_it(self):
        self.root.certificate()
        with self.root.smtp(SMTPS="1") as s:
            s.send(V2)
            s.secure()
            s.hello()
            self.assertIn(b"(198.51.100.9)", self.deliver(s)[0])

    def test_about_itself(self):
        for header in (b"PROXY UNKNOWN\r\n", V2[:12] + b"\x20\0\0\0"):
            with self.root.smtp() as s:
                s.send(header)
                s.hello()
                self.assertIn(b"(192.0.2.7)", self.deliver(s)[0])

    def test_malformed(self):
        for header in (b"EHLO x\r\n", b"PROXY TCP4 1 2 3 4\r\n", b"PROXY " + b"x" * 200, V2[:13] + b"\x11\xff\xff", b"\r\n\r\n\0\r\nQUIX\n"):
            with self.root.smtp() as s:
                s.send(header)
                self.assertTrue(s.ended(), header)
                self.assertTrue(s.exits(1))
                self.assertIn(" close ", s.logged())

    def test_lost(self):
        with self.root.smtp() as s:
            s.send(V1[:20])
            s.sock.shutdown(socket.SHUT_WR)
            self.assertTrue(s.exits(1))

    def test_from_others(self):
        with self.root.smtp(TCPREMOTEIP="192.0.3.7") as s:
            self.assertEqual(s.reply()[0], 220)
            s.send(V1)
            self.assertEqual(s.reply()[0], 500)
            s.send(V2 + b"\r\n")
            self.assertEqual(s.reply()[0], 500)
        with self.root.smtp(TCPREMOTEIP="192.0.3.7") as s:
            s.hello()
            self.assertIn(b"(192.0.3.7)", self.deliver(s)[0])


class ProxyResident(Proxy):
    resident = True


class XClient(Peer):
    def setUp(self):
        super().setUp()
        self.root.control("xclienthosts", "192.0.2.7\n")
        self.root.control("xforwardhosts", "192.0.2.*\n")

    def test_client(self):
        with self.root.smtp(RELAYCLIENT="") as s:
            offered = s.hello()
            self.assertIn("XCLIENT NAME ADDR PORT LOGIN DESTADDR DESTPORT", offered)
            self.assertEqual(s.cmd("XCLIENT NAME=mx.other.example ADDR=IPv6:2001:db8::9 PORT=99 DESTADDR=203.0.113.1")[0], 220)
            self.assertEqual(s.cmd(M)[0], 503)
            self.assertEqual(s.cmd("EHLO inner")[0], 250)
            message, _, _, variables = self.deliver(s)
            self.assertIn("2001:db8::9 ", s.logged())
            s.cmd(M)
            self.assertEqual(s.cmd("RCPT TO:<joe@example.org>")[0], 553)
            self.assertEqual(s.cmd("XCLIENT ADDR=198.51.100.1")[0], 503)  # in a transaction
            s.cmd("RSET")
            self.assertEqual(s.cmd("XCLIENT ADDR=198.51.100.1")[0], 220)  # the connection is trusted still
        self.assertIn(b"from mx.other.example (HELO inner) (2001:db8::9)\n", message)
        self.assertEqual((variables["TCPREMOTEIP"], variables["TCPREMOTEHOST"], variables["TCPREMOTEPORT"], variables["TCPLOCALIP"]),
                         ("2001:db8::9", "mx.other.example", "99", "203.0.113.1"))
        self.assertNotIn("RELAYCLIENT", variables)

    def test_login(self):
        with self.root.smtp() as s:
            s.hello()
            s.cmd("XCLIENT ADDR=198.51.100.1 LOGIN=joe+40example.com")
            s.cmd("EHLO inner")
            _, _, _, variables = self.deliver(s)
            self.assertEqual((variables["AUTHINFO"], variables["RELAYCLIENT"]), ("joe@example.com", ""))
            self.assertEqual(s.cmd("XCLIENT ADDR=198.51.100.2")[0], 220)
            s.cmd("EHLO inner")
            s.cmd(M)
            self.assertEqual(s.cmd("RCPT TO:<joe@example.org>")[0], 553)

    def test_judged_anew(self):
        with self.root.smtp() as s:
            s.hello()
            for bad in ("", "ADDR=1", "ADDR=2001:db8::1", "NAME=a NAME=b", "HELO=x", "X=y", "PORT=99999"):
                self.assertEqual(s.cmd("XCLIENT " + bad)[0], 501, bad)
            self.assertEqual(s.cmd("XCLIENT ADDR=[UNAVAILABLE] NAME=[TEMPUNAVAIL]")[0], 220)

    def test_from_others(self):
        with self.root.smtp(TCPREMOTEIP="192.0.2.8") as s:
            self.assertNotIn("XCLIENT", " ".join(s.hello()))
            self.assertEqual(s.cmd("XCLIENT ADDR=198.51.100.1")[0], 550)
        with self.root.smtp(TCPREMOTEIP="192.0.3.8") as s:
            self.assertNotIn("XFORWARD", " ".join(s.hello()))
            self.assertEqual(s.cmd("XFORWARD ADDR=198.51.100.1")[0], 550)

    def test_proxied_client_is_not_trusted(self):
        """Who is behind a balancer is not the balancer."""
        self.root.control("proxyhosts", "192.0.2.7\n")
        with self.root.smtp() as s:
            s.send(V1)
            s.hello()
            self.assertEqual(s.cmd("XCLIENT ADDR=192.0.2.7")[0], 550)

    def test_forward(self):
        with self.root.smtp() as s:
            self.assertIn("XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE", s.hello())
            self.assertEqual(s.cmd("XFORWARD ADDR=198.51.100.1 NAME=[UNAVAILABLE] HELO=some+20name IDENT=4711")[0], 250)
            message = self.deliver(s)[0]
            self.assertRegex(s.logged(), r" forward 198\.51\.100\.1 name - helo some\S+name ident 4711 id (\S+)\n(?s:.*) id \1\n")
            self.assertIn(b"(192.0.2.7)", message)
            s.cmd(M)
            self.assertEqual(s.cmd("XFORWARD ADDR=198.51.100.1")[0], 503)


class XClientResident(XClient):
    resident = True


class XClientJudged(Peer):
    """The greeting before XCLIENT judges nobody: whom the proxy speaks for is judged by the one after it."""

    def setUp(self):
        super().setUp()
        self.root.control("xclienthosts", "192.0.2.7\n")

    def proxied(self, ip):
        with self.root.smtp() as s:
            self.assertEqual(s.reply()[0], 220)
            code = s.cmd(f"XCLIENT ADDR={ip}")[0]
            self.assertEqual(s.ended() if code == 421 else s.cmd("NOOP")[0], True if code == 421 else 250)
            return code

    def test_rate(self):
        self.root.control("rate_connections", "2/3600\n")
        self.assertEqual([self.proxied(f"198.51.100.{i}") for i in (1, 2, 3, 4, 1, 1)], [220, 220, 220, 220, 220, 421])
        with self.root.smtp() as s:
            s.hello()
            self.assertEqual([s.cmd(f"XCLIENT ADDR=198.51.100.{i}")[0] for i in (5, 6, 4, 5, 4)], [220, 220, 220, 220, 421])

    def test_others_are_judged(self):
        self.root.control("rate_connections", "1/3600\n")
        for want in (220, 421):
            with self.root.smtp(TCPREMOTEIP="192.0.2.8") as s:
                self.assertEqual(s.reply()[0], want)

    def test_greetdelay(self):
        """Waited for once, by whom the proxy speaks for."""
        self.root.control("greetdelay", "-1\n")
        with self.root.smtp() as s:
            start = time.monotonic()
            s.send(b"EHLO x\r\n")
            self.assertEqual([s.reply()[0] for _ in range(2)], [220, 250])
            self.assertLess(time.monotonic() - start, 1)
            self.assertEqual(s.cmd("XCLIENT ADDR=198.51.100.1")[0], 220)
            self.assertGreater(time.monotonic() - start, 0.9)


class XClientJudgedResident(XClientJudged):
    resident = True


if __name__ == "__main__":
    unittest.main()
