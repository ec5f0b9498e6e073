"""sslerator: TLS in front of a server, from the first byte and after STARTTLS, with a resident qmail-tlsd and without."""
import os, poplib, smtplib, socket, ssl, unittest

from box import wait_for
from usersite import Raw, UserSite, client_context

# Greets (with these lines), says how it was started, then echoes until the client ends.
SERVER = """#!/usr/bin/env python3
import os, sys
sys.stdout.write({greeting!r})
sys.stdout.flush()
e = os.environ
while True:
    line = sys.stdin.buffer.readline()
    if not line:
        break
    text = line.decode().strip()
    if text == "env":
        print(e.get("SSLERATOR", "-"), e.get("TLS_PROVIDER"), e.get("TLS_VERSION"), bool(e.get("TLS_CIPHER")), e.get("TLS_SNI") or "-", end="\\r\\n", flush=True)
    elif text.lower() in ("quit", "a2 logout"):
        print({bye!r}, end="\\r\\n", flush=True)
        sys.exit(7)
    elif text.lower().startswith("ehlo"):
        print("250 inside", end="\\r\\n", flush=True)
    else:
        print("echo", text, end="\\r\\n", flush=True)
"""


class Sslerator(unittest.TestCase):
    resident = False

    def setUp(self):
        self.site = UserSite()
        self.addCleanup(self.site.close)
        self.ca = self.site.certificate()
        if self.resident:
            self.site.spawn(["qmail-tlsd", "-u", "nobody", "-g", "nogroup"])
            wait_for(lambda: os.path.exists(self.site.path("run", "tls", "socket")), what="qmail-tlsd")

    def server(self, greeting, bye="bye"):
        path = self.site.path("server")
        with open(path, "w") as f:
            f.write(SERVER.format(greeting=greeting, bye=bye))
        os.chmod(path, 0o755)
        return path

    def tls(self, s):
        return Raw(client_context(self.ca).wrap_socket(s, server_hostname="localhost"))

    def say(self, c, text):
        c.send(text + "\r\n")
        return c.line()

    def test_first_byte(self):
        service = self.site.listen("sslerator", self.server("hello\r\n"))
        with service.raw() as c, self.tls(c.s) as t:
            self.assertEqual(t.line(), "hello")
            self.assertEqual(self.say(t, "env"), "- qmail-tlsd TLSv1.3 True localhost")
            t.send("x" * 100000 + "\r\n")
            self.assertEqual(t.line(), "echo " + "x" * 100000)
            self.assertEqual(self.say(t, "quit"), "bye")
            self.assertEqual(t.line(), "")

    def test_banner(self):
        """The reply to a STARTTLS that the caller has read."""
        server = self.server("")
        for argv, env in ((("-b", "+OK begin"), {}), ((), {"BANNER": "+OK begin"})):
            with self.site.listen("sslerator", *argv, server, **env).raw() as c:
                self.assertEqual(c.line(), "+OK begin")
                with self.tls(c.s) as t:
                    self.assertEqual(self.say(t, "env"), "1 qmail-tlsd TLSv1.3 True localhost")

    def test_smtp(self):
        service = self.site.listen("sslerator", "-S", "smtp", "-h", "mail.example.com", self.server("220-one\r\n220 two\r\n", "221 bye"))
        s = smtplib.SMTP("127.0.0.1", service.port, timeout=20)
        self.assertEqual(s.ehlo()[0], 250)
        self.assertTrue(s.has_extn("starttls"))
        self.assertEqual(s.docmd("AUTH PLAIN xxxx")[0], 530)
        self.assertEqual(s.starttls(context=client_context(self.ca))[0], 220)
        self.assertEqual(s.ehlo(), (250, b"inside"))
        self.assertEqual(s.docmd("quit"), (221, b"bye"))
        s.close()

    def test_pop3(self):
        service = self.site.listen("sslerator", "-S", "pop3", self.server("+OK two\r\n", "+OK bye"))
        m = poplib.POP3("127.0.0.1", service.port, timeout=20)
        self.assertIn("STLS", m.capa())
        with self.assertRaises(poplib.error_proto):
            m.user("joe")
        m.stls(client_context(self.ca))
        m._putcmd("env")
        self.assertEqual(m.file.readline(), b"- qmail-tlsd TLSv1.3 True -\r\n")  # the client names an address
        self.assertEqual(m.quit(), b"+OK bye")

    def test_imap(self):
        service = self.site.listen("sslerator", "-S", "imap", self.server("* OK two\r\n", "a2 OK bye"))
        with service.raw() as c:
            self.assertIn("STARTTLS LOGINDISABLED", c.line())
            self.assertTrue(self.say(c, "a0 LOGIN joe secret").startswith("a0 NO [PRIVACYREQUIRED]"))
            self.assertTrue(self.say(c, "a1 STARTTLS").startswith("a1 OK"))
            with self.tls(c.s) as t:
                self.assertTrue(self.say(t, "env").startswith("- qmail-tlsd"))
                self.assertEqual(self.say(t, "a2 logout"), "a2 OK bye")
        self.assertNotIn("secret", service.logged())

    def test_injected(self):
        """What was sent in the clear behind STARTTLS is not taken for something said inside TLS."""
        service = self.site.listen("sslerator", "-S", "smtp", self.server("220 x\r\n"))
        with service.raw() as c:
            c.line()
            c.send("STARTTLS\r\ninjected\r\n")
            self.assertTrue(c.line().startswith("220"))
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                with self.tls(c.s) as t:
                    self.assertNotEqual(self.say(t, "env"), "echo injected")
        wait_for(lambda: "sslerator: fatal" in service.logged(), what="the log")

    def test_trouble(self):
        service = self.site.listen("sslerator", "-S", "pop3", self.server("+OK x\r\n"))
        with service.raw() as c:
            c.line()
            for _ in range(11):
                last = self.say(c, "nonsense")
            self.assertTrue(last.startswith("-ERR"))
            self.assertEqual(c.line(), "")
        with self.site.listen("sslerator", self.server("hello\r\n")).raw() as c:  # no TLS from the client
            c.send("GET / HTTP/1.0\r\n\r\n")
            got = b""
            try:
                c.s.shutdown(socket.SHUT_WR)
                while b := c.s.recv(1000):
                    got += b
            except OSError:  # it may have hung up by then
                pass
            self.assertNotIn(b"hello", got)
        for argv in (["sslerator"], ["sslerator", "-S", "nntp", "x"], ["sslerator", "-T", "0", "x"], ["sslerator", "-n", "x", "x"]):
            self.assertEqual(self.site.run(argv).returncode, 100, argv)

    def test_no_program(self):
        service = self.site.listen("sslerator", "/no/such/program")
        with service.raw() as c, self.tls(c.s) as t:
            self.assertEqual(t.line(), "")
        self.assertIn("/no/such/program", service.logged())


class Resident(Sslerator):
    resident = True


if __name__ == "__main__":
    unittest.main()
