"""proxyimap, proxypop3, vproxy: logins that are handed on to another host, Courier's servers there."""
import base64, os, socket, threading, unittest
from box import wait_for
from test_login import IMAPD, POP3D, SERVER, plain
from usersite import Raw, UserSite, client_context

ALICE = "alice@example.com"


class Fake:
    """A store that plays a script: what it says, a step for each line it gets; all it got is kept."""

    def __init__(self, greeting, *steps):
        self.greeting, self.steps, self.got = greeting, steps, b""
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        try:
            while True:
                c, _ = self.sock.accept()
                with c, c.makefile("rb") as f:
                    try:
                        c.sendall(self.greeting)
                        for step in self.steps:
                            line = f.readline()
                            self.got += line
                            if not line:
                                break
                            c.sendall(step)
                        c.shutdown(socket.SHUT_WR)  # it says no more
                        self.got += f.read()
                    except OSError:
                        pass
        except OSError:
            pass

    def close(self):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        self.thread.join(5)


# A POP3 server says nothing before its +OK.
POP3_SERVER = """#!/usr/bin/env python3
import os
os.write(1, ("+OK ready ip %s\\r\\n" % os.environ["TCPREMOTEIP"]).encode())
while True:
    b = os.read(0, 100)
    if not b: break
    os.write(1, b)
"""


class Proxy(unittest.TestCase):
    def setUp(self):
        self.site = UserSite()
        self.addCleanup(self.site.close)
        self.site.add_domain()
        self.site.add_user("alice", "-q", "10M,100", "-c", "Alice")
        self.site.start_lookup("-i", "1", "-p", "1")
        self.cert = self.site.certificate()
        self.server, self.pop3_server = self.site.path("server"), self.site.path("pop3server")
        for path, text in ((self.server, SERVER), (self.pop3_server, POP3_SERVER)):
            with open(path, "w") as f:
                f.write(text)
            os.chmod(path, 0o755)

    def listed(self, text):
        with open(self.site.path("control", "trusted"), "w") as f:
            f.write(text + "\n")
        return "trusted"

    def store(self, program="imaplogin", server=None, **env):
        return self.site.listen(program, server or self.server, "Maildir", **{"ALLOW_PLAINTEXT": "1", "XCLIENTHOSTS": self.listed("127.0.0.1"), **env})

    def proxy(self, port, service="imap", host="localhost 127.0.0.1", **env):
        return self.site.listen("proxy" + service, "/nonexistent", "Maildir",
                                **{"ALLOW_PLAINTEXT": "1", "MAILSTORE": host, "DESTPORT": f"{service}:{port}", "MAILSTORE_TLS": "none",
                                   "SSL_CERT_FILE": self.cert, "MAXLOGINTRIES": "20", **env})

    MODES = (("none", {}), ("starttls", {"STARTTLS": "1"}), ("tls", {"IMAPS": "1", "POP3S": "1"}))

    @unittest.skipUnless(os.path.exists(IMAPD), "package courier-imap is not installed")
    def test_imap(self):
        big = b"Subject: big\r\n\r\n" + b"0123456789" * 100000 + b"\r\n"
        for i, (mode, env) in enumerate(self.MODES):
            with self.subTest(mode):
                proxy = self.proxy(self.store(server=IMAPD, **env).port, MAILSTORE_TLS=mode, STARTTLS="1")
                m = proxy.imap()
                if i:
                    m.starttls(client_context(self.cert))
                self.assertEqual(m.login(ALICE, "secret")[0], "OK")
                self.assertEqual(m.select("INBOX"), ("OK", [b"%d" % i]))
                self.assertEqual(m.append("INBOX", None, None, big)[0], "OK")
                m.noop()
                self.assertEqual(m.fetch(str(i + 1), "(BODY[])")[1][0][1], big)
                m.logout()
                wait_for(lambda: f"logout user {ALICE} ip 127.0.0.1 in " in proxy.logged())
        self.assertIn(f"login user {ALICE} ip 127.0.0.1 tls yes", proxy.logged())

    @unittest.skipUnless(os.path.exists(POP3D), "package courier-pop is not installed")
    def test_pop3(self):
        self.assertEqual(self.site.deliver("alice", b"Subject: first\nFrom: a@b\n\nhello\n").returncode, 0)
        for mode, env in self.MODES:
            with self.subTest(mode):
                m = self.proxy(self.store("pop3login", POP3D, **env).port, "pop3", MAILSTORE_TLS=mode).pop3()
                m.user(ALICE)
                self.assertTrue(m.pass_("secret").startswith(b"+OK"))
                self.assertEqual(m.stat()[0], 1)
                self.assertIn(b"Subject: first", m.retr(1)[1])
                m.quit()

    def facts(self, lines):
        return dict(l[2:].split("=", 1) for l in lines if l.startswith("* ") and "=" in l)

    def test_forms(self):
        port = self.store().port
        for pieces in ([f"t1 LOGIN {ALICE} secret\r\n"], [f"t1 LOGIN {{{len(ALICE)}}}\r\n", f"{ALICE} {{6}}\r\n", "secret\r\n"],
                       [f"t1 AUTHENTICATE PLAIN {plain(ALICE, 'secret')}\r\n"], ["t1 AUTHENTICATE PLAIN\r\n", plain(ALICE, "secret") + "\r\n"],
                       ["t1 AUTHENTICATE LOGIN\r\n", base64.b64encode(ALICE.encode()).decode() + "\r\n", "c2VjcmV0\r\n"]):
            with self.subTest(pieces), self.proxy(port).raw() as c:
                greeting = c.line()
                self.assertIn("AUTH=PLAIN AUTH=LOGIN]", greeting)
                self.assertNotIn("SCRAM", greeting)  # nobody here could judge it
                for piece in pieces[:-1]:
                    c.send(piece)
                    self.assertTrue(c.line().startswith("+ "))
                c.send(pieces[-1] + "after")
                self.assertEqual(c.until("t1")[-1], "t1 OK ready")
                self.assertEqual(c.f.read(5), b"after")
        with self.proxy(self.store("pop3login", self.pop3_server).port, "pop3").raw() as c:
            c.line()
            c.send(f"AUTH PLAIN {plain(ALICE, 'secret')}\r\nafter")
            self.assertEqual(c.line(), "+OK ready ip 127.0.0.1")
            self.assertEqual(c.f.read(5), b"after")

    def test_password_with_odd_characters(self):
        odd = 'a "b\\c} {3}'
        self.site.ok("vpasswd", "-h", "SHA-256", ALICE, "-", input=odd.encode() + b"\n")
        for env in ({}, {"DISABLE_AUTH_PLAIN": "1"}):  # so that the proxy says LOGIN
            with self.proxy(self.store(**env).port).raw() as c:
                c.line()
                c.send(f"t1 AUTHENTICATE PLAIN {plain(ALICE, odd)}\r\n")
                self.assertEqual(c.until("t1")[-1], "t1 OK ready", env)

    def test_whom_it_speaks_for(self):
        header = "PROXY TCP4 192.0.2.7 192.0.2.1 4567 143\r\n"
        store, by_header = self.store(), {"PROXYHOSTS": "trusted"}
        for way, port, want in (("said", store.port, "192.0.2.7"), ("none", store.port, "127.0.0.1"),
                                ("proxy", self.store(XCLIENTHOSTS="none", IMAPS="1", **by_header).port, "192.0.2.7")):
            proxy = self.proxy(port, MAILSTORE_CLIENT=way, MAILSTORE_TLS="tls" if way == "proxy" else "none", IMAPS="1", **by_header)
            s = socket.create_connection(("127.0.0.1", proxy.port), timeout=20)
            s.sendall(header.encode())
            with Raw(client_context(self.cert).wrap_socket(s, server_hostname="localhost")) as c:
                c.line()
                c.send(f"t1 LOGIN {ALICE} secret\r\n")
                self.assertEqual(self.facts(c.until("t1"))["TCPREMOTEIP"], want, way)
        wait_for(lambda: f"proxyimap: login user {ALICE} ip 192.0.2.7 tls yes" in store.logged())
        proxy = self.proxy(self.store("pop3login", self.pop3_server).port, "pop3", POP3S="1", **by_header)
        s = socket.create_connection(("127.0.0.1", proxy.port), timeout=20)
        s.sendall(b"PROXY TCP6 2001:db8::7 2001:db8::1 4567 110\r\n")
        with Raw(client_context(self.cert).wrap_socket(s, server_hostname="localhost")) as c:
            c.line()
            c.send(f"USER {ALICE}\r\nPASS secret\r\n")
            c.line()
            self.assertEqual(c.line(), "+OK ready ip 2001:db8::7")

    def login(self, c, password="secret"):
        c.send(f"t1 LOGIN {ALICE} {password}\r\n")
        return c.until("t1")[-1]

    def test_refused(self):
        proxy = self.proxy(self.store().port)
        with proxy.raw() as c:
            c.line()
            self.assertEqual(self.login(c, "wrong"), "t1 NO [AUTHENTICATIONFAILED] wrong user or password")
            self.assertIn(f"proxyimap: login failed user {ALICE}", proxy.logged())
            self.site.sql("UPDATE users SET no_imap = 1")
            self.assertEqual(self.login(c), "t1 NO [CONTACTADMIN] this service is switched off for the user")
            self.site.sql("UPDATE users SET no_imap = 0, no_pop = 1")
            self.assertEqual(self.login(c), "t1 OK ready")
        self.assertNotIn("secret", proxy.logged())
        with self.proxy(self.store("pop3login", self.pop3_server).port, "pop3").raw() as c:
            c.line()
            for password, want in (("wrong", "-ERR [AUTH]"), ("secret", "-ERR [SYS/PERM] this service is switched off")):
                c.send(f"USER {ALICE}\r\nPASS {password}\r\n")
                c.line()
                self.assertTrue(c.line().startswith(want))
        self.site.lookup.terminate()
        self.site.lookup.wait(10)
        with proxy.raw() as c:
            c.line()
            self.assertIn("[UNAVAILABLE]", self.login(c))

    def unavailable(self, proxy, service="imap"):
        with proxy.raw() as c:
            c.line()
            if service == "imap":
                self.assertIn("[UNAVAILABLE]", self.login(c))
            else:
                c.send(f"USER {ALICE}\r\nPASS secret\r\n")
                c.line()
                self.assertIn("-ERR [SYS/TEMP]", c.line())

    def test_no_password_to_who_is_not_the_store(self):
        """Down, no TLS where TLS is wanted, a certificate that is not valid, or of another name."""
        nobody = socket.create_server(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        nobody.close()
        for service in ("imap", "pop3"):
            self.unavailable(self.proxy(port, service), service)
        plain_store = Fake(b"* OK hello\r\n", b"* CAPABILITY IMAP4rev1\r\np OK\r\n")
        self.addCleanup(plain_store.close)
        self.unavailable(self.proxy(plain_store.port, MAILSTORE_TLS="starttls"))
        pop3 = Fake(b"+OK hello\r\n", b"+OK\r\nUSER\r\n.\r\n")
        self.addCleanup(pop3.close)
        self.unavailable(self.proxy(pop3.port, "pop3", MAILSTORE_TLS="starttls"), "pop3")
        self.assertNotIn(b"secret", plain_store.got + pop3.got)
        self.assertNotIn(base64.b64encode(b"\0alice")[:6], plain_store.got)
        port = self.store(STARTTLS="1").port
        for env in ({"SSL_CERT_FILE": "/dev/null"}, {"host": "otherhost 127.0.0.1"}):
            self.unavailable(self.proxy(port, MAILSTORE_TLS="starttls", **env))
        with self.proxy(port, MAILSTORE_TLS="starttls", MAILSTORE_VERIFY="0", SSL_CERT_FILE="/dev/null").raw() as c:
            c.line()
            self.assertEqual(self.login(c), "t1 OK ready")

    def test_odd_stores(self):
        ok = b"* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\np OK\r\n"
        for service, want, script in (
                ("imap", "[UNAVAILABLE]", (b"",)), ("imap", "[UNAVAILABLE]", (b"* BYE full\r\n",)), ("imap", "[UNAVAILABLE]", (b"x" * 20000,)),
                ("imap", "[UNAVAILABLE]", (b"* PREAUTH hello\r\n",)), ("imap", "[UNAVAILABLE]", (b"* OK hi\r\n", b"p BAD\r\n")),
                ("imap", "[UNAVAILABLE]", (b"* OK hi\r\n", b"* CAPABILITY x\r\n" * 101)), ("imap", "[UNAVAILABLE]", (b"* OK hi\r\n", ok, b"+ \r\n")),
                ("imap", "[UNAVAILABLE]", (b"* OK hi\r\n", ok, b"p BAD what\r\n")), ("imap", "[UNAVAILABLE]", (b"* OK hi\r\n", ok, b"p NO [INUSE] x\r\n")),
                ("imap", "[AUTHENTICATIONFAILED]", (b"* OK hi\r\n", ok, b"p NO no\r\n")),
                ("imap", "[CONTACTADMIN] gone", (b"* OK hi\r\n", ok, b"p NO [EXPIRED] gone\r\n")),
                ("imap", "t1 OK [CAPABILITY IDLE] in", (b"* OK [CAPABILITY AUTH=PLAIN SASL-IR] hi\r\n", b"* OK more\r\np OK [CAPABILITY IDLE] in\r\n")),
                ("imap", "t1 OK in", (b"* OK hi\n", b"* CAPABILITY IMAP4rev1\np OK\n", b"+ go\r\n", b"+ go\r\n", b"p OK in\r\n")),
                ("imap", "[UNAVAILABLE]", (b"* OK hi\r\n", b"* CAPABILITY IMAP4rev1\r\np OK\r\n", b"p OK not yet\r\n")),
                ("pop3", "[SYS/TEMP]", (b"-ERR full\r\n",)), ("pop3", "[SYS/TEMP]", (b"+OK\r\n", b"+OK\r\n" + b"x\r\n" * 101)),
                ("pop3", "+OK in", (b"+OK\r\n", b"-ERR no CAPA\r\n", b"+OK\r\n", b"+OK in\r\n")),
                ("pop3", "[AUTH]", (b"+OK\r\n", b"-ERR\r\n", b"-ERR who?\r\n")), ("pop3", "[AUTH]", (b"+OK\r\n", b"-ERR\r\n", b"+OK\r\n", b"-ERR no\r\n")),
                ("pop3", "[SYS/TEMP]", (b"+OK\r\n", b"-ERR\r\n", b"+OK\r\n", b"-ERR [IN-USE] x\r\n")),
                ("pop3", "[SYS/TEMP]", (b"+OK\r\n", b"-ERR\r\n", b"+OK\r\n"))):
            with self.subTest((service, script[-1][:40])):
                store = Fake(*script)
                with self.proxy(store.port, service, TIMEOUTLOGIN="4").raw() as c:
                    c.line()
                    if service == "imap":
                        c.send(f"t1 LOGIN {ALICE} secret\r\n")
                        got = c.until("t1")[-1]
                    else:
                        c.send(f"USER {ALICE}\r\nPASS secret\r\n")
                        c.line()
                        got = c.line()
                    self.assertIn(want, got)
                store.close()

    def test_here(self):
        """Without a mail store users are served here."""
        for service, program in (("imap", "proxyimap"), ("pop3", "proxypop3")):
            proxy = self.site.listen(program, self.server, "Maildir", ALLOW_PLAINTEXT="1")
            with proxy.raw() as c:
                c.line()
                c.send(f"t1 LOGIN {ALICE} secret\r\n" if service == "imap" else f"USER {ALICE}\r\nPASS secret\r\n")
                self.assertIn("OK ready", c.until("t1")[-1] if service == "imap" else (c.line(), c.until("+OK"))[1][-1])

    def test_settings(self):
        for env, said in (({"MAILSTORE_TLS": "maybe"}, "mailstore_tls"), ({"MAILSTORE_CLIENT": "x"}, "mailstore_client"),
                          ({"DESTPORT": "pop3:143"}, "DESTPORT"), ({"DESTPORT": "imap:0"}, "DESTPORT"), ({"DESTPORT": "imap:99999"}, "DESTPORT"),
                          ({"MAILSTORE": "host notanaddress"}, "mailstore")):
            p = self.site.run(["proxyimap", "x", "Maildir"], env=self.site.env(TCPREMOTEIP="127.0.0.1", **{"MAILSTORE": "127.0.0.1", **env}))
            self.assertEqual(p.returncode, 111, env)
            self.assertIn(said, p.stderr.decode())
        for argv in (["proxyimap", "x"], ["proxypop3"], ["proxyimap", "a", "b", "c"], ["vproxy", "x"], ["vproxy"]):
            self.assertEqual(self.site.run(argv, env=self.site.env(TCPREMOTEIP="127.0.0.1")).returncode, 100, argv)

    def test_vproxy(self):
        port = str(self.store().port)
        p = self.site.run(["vproxy", "127.0.0.1", port, "a NOOP", f"b LOGIN {ALICE} secret"], input=b"echo")
        self.assertEqual(p.returncode, 0, p.stderr)
        self.assertIn(b"a OK", p.stdout)
        self.assertTrue(p.stdout.endswith(b"b OK ready\r\necho"), p.stdout)
        for argv, code in ((["127.0.0.1", "0"], 100), (["127.0.0.1", "x"], 100), (["127.0.0.1", "1"], 111)):
            self.assertEqual(self.site.run(["vproxy", *argv]).returncode, code)


if __name__ == "__main__":
    unittest.main()
