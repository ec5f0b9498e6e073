"""qmail-tlsd and the programs that hand it their connections: STARTTLS, implicit TLS, AUTH."""
import json, os, pwd, re, signal, socket, ssl, subprocess, threading, time, unittest
from box import wait_for
from smtpd import SmtpRoot, b64, plain

M, R = "MAIL FROM:<s@example.net>", "RCPT TO:<joe@example.com>"
USER = ["-u", "nobody", "-g", "root"] if os.geteuid() == 0 else []


class Tls(unittest.TestCase):
    resident = False

    def setUp(self):
        self.root = SmtpRoot(self.resident)
        self.addCleanup(self.root.close)
        self.cert = self.root.certificate()
        self.auth = ["mail.example.com", self.root.checkpassword, "/bin/false", self.root.seen]

    def daemon(self, *args):
        self.log = open(self.root.path("tlsd.log"), "a+b")
        self.addCleanup(self.log.close)
        p = self.root.spawn(["qmail-tlsd", *USER, *args], stderr=self.log)
        wait_for(lambda: self.connects() or p.poll() is not None, what="qmail-tlsd")
        self.assertIsNone(p.poll())
        return p

    def connects(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            return s.connect_ex(self.root.path("run", "tls", "socket")) == 0

    def test_sandbox(self):
        """The daemon has given up what it does not need; SANDBOX=0 keeps it."""
        for sandbox, want in (("1", "2"), ("0", "0")):
            if os.environ.get("SAN") and sandbox == "1":
                continue
            with SmtpRoot() as root:
                root.certificate()
                with open(root.path("tlsd.log"), "a+b") as log:
                    p = root.spawn(["qmail-tlsd", *USER], stderr=log, env=root.env(SANDBOX=sandbox))
                    wait_for(lambda: os.path.exists(root.path("run", "tls", "socket")), what="qmail-tlsd")
                    status = lambda: open(f"/proc/{p.pid}/status").read()
                    wait_for(lambda: f"\nSeccomp:\t{want}\n" in status(), what="a filter")
                    self.assertIn(f"\nNoNewPrivs:\t{int(sandbox)}\n", status())
                    log.seek(0)
                    self.assertNotIn(b"sandbox", log.read())

    def both(self):
        """With a process for each connection, and with the daemon."""
        yield "alone"
        self.daemon()
        yield "daemon"

    def test_starttls(self):
        for how in self.both():
            with self.subTest(how), self.root.smtp(STARTTLS="1") as s:
                self.assertIn("STARTTLS", s.hello())
                self.assertEqual(s.cmd("STARTTLS x")[0], 501)
                s.starttls()
                self.assertEqual(s.cmd(M)[0], 503)  # nothing said before counts
                self.assertNotIn("STARTTLS", s.cmd("EHLO inside")[1])
                self.assertEqual(s.cmd("STARTTLS")[0], 503)
                s.cmd(M)
                s.cmd(R)
                s.cmd("DATA")
                s.send(b"Subject: " + b"x" * 500000 + b"\r\n.\r\n")
                self.assertEqual(s.reply()[0], 250)
                self.assertEqual(s.cmd("QUIT")[0], 221)
                self.assertTrue(s.ended())
                self.assertTrue(s.exits(0))
            mess = self.root.messages()[-1][0]
            self.assertRegex(mess, rb"\(HELO inside\) \(192\.0\.2\.7\)\n  by mail\.example\.com with ESMTPS \(TLSv1\.3 TLS_\w+\) id \S+; ")
            self.assertGreater(len(mess), 500000)

    def test_implicit(self):
        for how in self.both():
            with self.subTest(how), self.root.smtp(SMTPS="1") as s:
                context = ssl.create_default_context(cafile=self.cert)
                s.secure(context=context)
                s.hello()
                self.assertEqual(s.sock.version(), "TLSv1.3")
                self.assertEqual(s.cmd("QUIT")[0], 221)
                self.assertTrue(s.ended())

    def test_versions(self):
        self.daemon()
        for version, fine in ((ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_1, False)):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = version
            with self.subTest(version), self.root.smtp(SMTPS="1") as s:
                if fine:
                    s.secure(context=context)
                    s.hello()
                else:
                    with self.assertRaises((ssl.SSLError, OSError)):
                        s.secure(context=context)
                    self.assertTrue(s.exits(1))
                    self.assertIn("tlsfail", s.logged())

    def test_injected_plaintext(self):
        """What was sent in clear behind STARTTLS is not taken as said inside TLS."""
        self.daemon()
        with self.root.smtp(STARTTLS="1") as s:
            s.hello()
            s.send(b"STARTTLS\r\nEHLO evil\r\nMAIL FROM:<evil@example.net>\r\n")
            self.assertEqual(s.reply()[0], 220)
            s.secure()
            self.assertEqual(s.cmd("NOOP")[0], 250)  # the first reply inside
            self.assertEqual(s.cmd(R)[0], 503)

    def test_no_certificate(self):
        os.unlink(self.root.path("certs", "servercert.pem"))
        with self.root.smtp(STARTTLS="1") as s:
            self.assertNotIn("STARTTLS", s.hello())
            self.assertEqual(s.cmd("STARTTLS")[0], 454)
            self.assertEqual(s.cmd("NOOP")[0], 250)

    def test_not_tls(self):
        """A client that says it will and does not."""
        for how in self.both():
            with self.subTest(how), self.root.smtp(STARTTLS="1") as s:
                s.hello()
                self.assertEqual(s.cmd("STARTTLS")[0], 220)
                s.send(b"EHLO again\r\n")
                self.assertTrue(s.exits(1))
                self.assertIn("tlsfail", s.logged())

    def test_handshake_deadline(self):
        self.root.control("timeoutsmtpd", "1\n")
        for how in self.both():
            with self.subTest(how), self.root.smtp(STARTTLS="1") as s:
                s.hello()
                s.cmd("STARTTLS")
                self.assertTrue(s.exits(1))
                self.assertTrue(s.ended())

    def test_auth(self):
        self.daemon()
        # mechanism lines as sent, answers, the user it comes to
        cases = [
            ([f"AUTH PLAIN {plain('joe', 'secret')}"], [235], "joe"),
            ([f"AUTH PLAIN {plain('joe', 'secret', 'joe')}"], [235], "joe"),
            (["AUTH PLAIN", plain("joe", "secret")], [334, 235], "joe"),
            (["auth login", b64("joe"), b64("secret")], [334, 334, 235], "joe"),
            ([f"AUTH LOGIN {b64('joe')}", b64("secret")], [334, 235], "joe"),
            ([f"AUTH PLAIN {plain('joe', 'wrong')}"], [535], None),
            ([f"AUTH PLAIN {plain('joe', 'secret', 'jim')}"], [535], None),
            ([f"AUTH PLAIN {plain('', 'secret')}"], [535], None),
            ([f"AUTH PLAIN {plain('joe', 'x' * 600)}"], [535], None),
            ([f"AUTH PLAIN {plain('broken', 'secret')}"], [454], None),
            ([f"AUTH PLAIN {plain('odd', 'secret')}"], [454], None),
            (["AUTH PLAIN", "*"], [334, 501], None),
            (["AUTH LOGIN", b64("joe"), "*"], [334, 334, 501], None),
            (["AUTH PLAIN", "not base64"], [334, 501], None),
            (["AUTH PLAIN ="], [501], None),
            (["AUTH PLAIN " + b64("joe")], [501], None),
            (["AUTH PLAIN", "A" * 20000], [334, 500], None),
            (["AUTH CRAM-MD5"], [504], None),
            (["AUTH"], [501], None),
        ]
        for lines, codes, user in cases:
            with self.subTest(lines), self.root.smtp(self.auth, STARTTLS="1") as s:
                s.hello()
                s.starttls()
                self.assertIn("AUTH PLAIN LOGIN", s.cmd("EHLO x")[1])
                self.assertEqual([s.cmd(l)[0] for l in lines], codes)
                log = s.logged()
                self.assertNotIn("secret", log)
                self.assertNotIn(plain("joe", "secret"), log)
                self.assertEqual(s.cmd(M)[0], 250)
                self.assertEqual(s.cmd("RCPT TO:<a@example.org>")[0], 250 if user else 553)
                if user:
                    self.assertEqual(s.cmd("RSET")[0], 250)
                    self.assertEqual(s.cmd("AUTH PLAIN x")[0], 503)
                    self.assertIn(f"auth {lines[0].split()[1].upper()} joe", log)

    def test_auth_in_clear(self):
        with self.root.smtp(self.auth, STARTTLS="1") as s:
            self.assertNotIn("AUTH", " ".join(s.hello()))
            self.assertEqual(s.cmd(f"AUTH PLAIN {plain('joe', 'secret')}")[0], 538)
            self.assertFalse(os.path.exists(self.root.seen))
            self.assertNotIn(plain("joe", "secret"), s.logged())

    def test_auth_program(self):
        """What it is given, what it is not, and what the queue program learns."""
        self.daemon()
        with self.root.smtp(self.auth, SMTPS="1", SECRET_OF_OURS="x", RELAYCLIENT=None, REQUIREAUTH="1") as s:
            s.secure()
            s.hello()
            self.assertEqual(s.cmd(M)[0], 530)
            self.assertEqual(s.cmd(f"AUTH LOGIN {b64('joe')}")[0], 334)
            self.assertEqual(s.cmd(b64("secret"))[0], 235)
            with open(self.root.seen) as f:
                seen = json.load(f)
            self.assertEqual(bytes.fromhex(seen["data"]), b"joe\0secret\0\0\1\0")
            self.assertEqual(seen["argv"], ["/bin/false", self.root.seen])
            self.assertEqual([fd for fd in seen["fds"] if int(fd) > 5], [])  # 4 and 5: what it opened itself
            self.assertEqual(seen["stdout"], "/dev/null")
            self.assertNotIn("SECRET_OF_OURS", seen["env"])
            self.assertIn("TCPREMOTEIP", seen["env"])
            self.assertEqual([s.cmd(c)[0] for c in (M, "RCPT TO:<a@example.org>", "DATA")], [250, 250, 354])
            s.send(b".\r\n")
            self.assertEqual(s.reply()[0], 250)
        mess, _, _, vars = self.root.messages()[0]
        self.assertIn(b"(joe@192.0.2.7)\n  by mail.example.com with ESMTPSA ", mess)
        self.assertEqual((vars["TCPREMOTEINFO"], vars["AUTHINFO"], vars["RELAYCLIENT"]), ("joe", "joe", ""))

    def test_auth_without_relay(self):
        self.daemon()
        with self.root.smtp(self.auth, SMTPS="1", REQUIREAUTH="1") as s:
            s.secure()
            s.hello()
            self.assertEqual(s.cmd(f"AUTH PLAIN {plain('guest', 'secret')}")[0], 235)
            self.assertEqual([s.cmd(c)[0] for c in (M, "RCPT TO:<a@example.org>", R)], [250, 553, 250])

    def test_auth_limits(self):
        self.daemon()
        with self.root.smtp(self.auth, SMTPS="1") as s:
            s.secure()
            s.hello()
            for _ in range(4):
                self.assertEqual(s.cmd(f"AUTH PLAIN {plain('joe', 'wrong')}")[0], 535)
            s.send(f"AUTH PLAIN {plain('joe', 'wrong')}\r\n".encode())
            self.assertEqual([s.reply()[0], s.reply()[0]], [535, 421])
            self.assertTrue(s.ended())
        with self.root.smtp(self.auth, SMTPS="1", PENALTY="1") as s:
            s.secure()
            s.hello()
            start = time.monotonic()
            s.cmd(f"AUTH PLAIN {plain('joe', 'wrong')}")
            self.assertGreaterEqual(time.monotonic() - start, 1)

    def test_new_certificate(self):
        """Taken without a restart; a bad one leaves the good one in use."""
        d = self.daemon()

        def subject():
            with self.root.smtp(SMTPS="1") as s:
                s.secure()
                der = s.sock.getpeercert(True)
                s.hello()
                s.cmd("QUIT")
            return "other" if b"other.example.com" in der else "mail"

        self.assertEqual(subject(), "mail")
        with open(self.root.path("certs", "bad"), "w") as f:
            f.write("no certificate\n")
        os.rename(self.root.path("certs", "bad"), self.root.path("certs", "servercert.pem"))
        d.send_signal(signal.SIGHUP)
        wait_for(lambda: b"servercert.pem" in open(self.root.path("tlsd.log"), "rb").read(), what="a warning")
        self.assertEqual(subject(), "mail")
        self.root.certificate(cn="other.example.com")
        wait_for(lambda: subject() == "other", what="the new certificate")

    def shown(self, name):
        """The name in the certificate that a client sees who asks for name."""
        with self.root.smtp(SMTPS="1") as s:
            s.secure(name)
            der = s.sock.getpeercert(True)
            s.hello()
            s.cmd("QUIT")
        return re.findall(rb"(mail|one|two|new)\.example\.com", der)[0].decode()

    def test_names(self):
        """A certificate for each name a client asks for, taken anew when its file changes."""
        os.mkdir(self.root.path("certs", "names"))
        make = lambda file, cn: self.root.certificate(f"names/{file}.pem", cn=f"{cn}.example.com")
        make("one.example.com", "one")
        make("xn--bcher-kva.example", "two")
        os.symlink("one.example.com.pem", self.root.path("certs", "names", "alias.example.com.pem"))
        make("key", "new")
        for how in self.both():
            for asked, seen in (("one.example.com", "one"), ("ONE.example.COM", "one"), ("alias.example.com", "one"),
                                ("xn--bcher-kva.example", "two"), ("mail.example.com", "mail"), ("none.example.com", "mail"),
                                ("x" * 60, "mail"), (None, "mail")):
                with self.subTest(how=how, asked=asked):
                    self.assertEqual(self.shown(asked), seen)
        # the daemon is running now
        self.assertEqual(self.shown("late.example.com"), "mail")
        make("late.example.com", "two")
        wait_for(lambda: self.shown("late.example.com") == "two", what="a new file")
        make("one.example.com", "new")
        wait_for(lambda: self.shown("one.example.com") == "new", what="a changed file")
        with open(self.root.path("certs", "names", "bad"), "w") as f:
            f.write("no certificate\n")
        os.rename(self.root.path("certs", "names", "bad"), self.root.path("certs", "names", "one.example.com.pem"))
        wait_for(lambda: self.shown("one.example.com") and b"one.example.com" in open(self.root.path("tlsd.log"), "rb").read(),
                 what="a warning")
        self.assertEqual(self.shown("one.example.com"), "new")
        os.unlink(self.root.path("certs", "names", "late.example.com.pem"))
        wait_for(lambda: self.shown("late.example.com") == "mail", what="a file that is gone")

    def test_many_names(self):
        """More names than are kept do no harm. That none leads out of the directory: tests/unit/net/test_keeper."""
        os.mkdir(self.root.path("certs", "names"))
        self.root.certificate("out.pem", cn="two.example.com")
        for i in range(300):
            os.symlink("../out.pem", self.root.path("certs", "names", f"n{i}.example.com.pem"))
        self.daemon()
        for i in range(300):
            self.assertEqual(self.shown(f"n{i}.example.com"), "two")

    def test_daemon_stops(self):
        """TERM: what is under way is finished, what is new goes without the daemon."""
        d = self.daemon()
        with self.root.smtp(STARTTLS="1") as s:
            s.hello()
            s.starttls()
            s.cmd("EHLO x")
            d.terminate()
            wait_for(lambda: not self.connects(), what="the socket to go")
            self.assertEqual(s.cmd("NOOP")[0], 250)
            with self.root.smtp(STARTTLS="1") as t:
                t.hello()
                t.starttls()
                self.assertEqual(t.cmd("NOOP")[0], 250)
            self.assertIsNone(d.poll())
            self.assertEqual(s.cmd("QUIT")[0], 221)
        self.assertEqual(d.wait(10), 0)

    def test_daemon_killed(self):
        d = self.daemon()
        with self.root.smtp(STARTTLS="1") as s:
            s.hello()
            s.starttls()
            d.kill()
            d.wait()
            self.assertTrue(s.ended())
            self.assertTrue(s.exits(1))
        with self.root.smtp(STARTTLS="1") as s:
            s.hello()
            s.starttls()
            self.assertEqual(s.cmd("NOOP")[0], 250)

    def test_one_daemon(self):
        self.daemon()
        p = self.root.run(["qmail-tlsd", *USER])
        self.assertEqual(p.returncode, 111)
        self.assertIn(b"lock", p.stderr)

    def test_rights(self):
        """Nobody but the group may ask, and as root the daemon is not root for long."""
        d = self.daemon()
        mode = os.stat(self.root.path("run", "tls", "socket")).st_mode & 0o777
        if os.geteuid():
            self.assertEqual(mode, 0o600)
            return
        self.assertEqual(mode, 0o660)
        with open(f"/proc/{d.pid}/status") as f:
            status = dict(l.split(":\t", 1) for l in f)
        nobody = pwd.getpwnam("nobody").pw_uid
        self.assertEqual(status["Uid"].split(), [str(nobody)] * 4)
        self.assertEqual(status["CapEff"].strip("\n0"), "")

    def test_bad_requests(self):
        self.daemon()
        for text, fds in ((b"nonsense", 0), (b"TLS1 server 1000", 0), (b"TLS1 server 1000", 1), (b"TLS1 server 1000", 4),
                          (b"x" * 2000, 2), (b"TLS9 server 1000", 2)):
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
                s.connect(self.root.path("run", "tls", "socket"))
                pairs = [socket.socketpair() for _ in range(fds)]
                s.settimeout(10)
                socket.send_fds(s, [text], [b.fileno() for _, b in pairs])
                for a, b in pairs:
                    b.close()
                self.assertEqual(s.recv(1), b"")  # hung up
                for a, b in pairs:
                    a.settimeout(10)
                    self.assertEqual(a.recv(1), b"")  # and closed what it was given
                    a.close()
        with self.root.smtp(SMTPS="1") as s:
            s.secure()
            s.hello()

    def test_usage(self):
        for args in (["-z"], ["x"], ["-t", "many"]):
            p = self.root.run(["qmail-tlsd", *args])
            self.assertEqual(p.returncode, 100)
            self.assertRegex(p.stderr, rb"^usage: qmail-tlsd [^\n]*\n$")
        self.root.control("tlsservermethod", "SSLv3\n")
        p = self.root.run(["qmail-tlsd", *USER])
        self.assertEqual((p.returncode, p.stderr), (100, b"qmail-tlsd: not a TLS method (TLSv1_2, TLSv1_3 or lowest:highest): SSLv3\n"))


class Relay(unittest.TestCase):
    """The daemon alone, asked as tls_proto.h says, with Python on both sides."""

    def setUp(self):
        self.root = SmtpRoot()
        self.addCleanup(self.root.close)
        self.cert = self.root.certificate()
        self.p = self.root.spawn(["qmail-tlsd", *USER])
        self.path = self.root.path("run", "tls", "socket")
        wait_for(lambda: os.path.exists(self.path) and self.tries(), what="qmail-tlsd")

    def tries(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            return s.connect_ex(self.path) == 0

    def ask(self, text, net):
        a, b = socket.socketpair()
        a.settimeout(20)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.connect(self.path)
            socket.send_fds(s, [text], [net.fileno(), b.fileno()])
        b.close()
        net.close()
        return a

    def tcp(self):
        with socket.socket() as l:
            l.bind(("127.0.0.1", 0))
            l.listen(1)
            c = socket.create_connection(l.getsockname())
            s, _ = l.accept()
        c.settimeout(20)
        return c, s

    def server(self):
        """A TLS client's socket, and the plaintext end of the server."""
        c, s = self.tcp()
        a = self.ask(b"TLS1 server 10000", s)
        context = ssl.create_default_context(cafile=self.cert)
        t = context.wrap_socket(c, server_hostname="mail.example.com")
        return t, a, self.status(a)

    def status(self, a):
        line = b""
        while not line.endswith(b"\n"):
            line += a.recv(1)
        return line

    def test_status(self):
        t, a, line = self.server()
        self.assertRegex(line, rb"^\+TLSv1\.3\tTLS_\w+\tunverified\tmail\.example\.com\t[0-9a-f]{64}\t[0-9a-f]{64}\t\n$")
        t.close()
        a.close()

    def peer(self, cert):
        """A TLS server in Python: (socket to hand over, list that gets what it read)."""
        c, s = self.tcp()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.root.path("certs", "servercert.pem"))
        got = []

        def run():
            try:
                with context.wrap_socket(s, server_side=True) as t:
                    got.append(t.recv(100))
                    t.sendall(b"hello from there")
            except (ssl.SSLError, OSError) as e:
                got.append(e)

        thread = threading.Thread(target=run)
        thread.start()
        self.addCleanup(thread.join, 20)
        return c, got

    def test_client(self):
        c, got = self.peer(self.cert)
        a = self.ask(b"TLS1 client 10000 any mail.example.com", c)
        self.assertRegex(self.status(a), rb"^\+TLSv1\.3\tTLS_\w+\tunverified\t\t[0-9a-f]{64}\t[0-9a-f]{64}\t/CN=mail\.example\.com\n$")
        a.sendall(b"hi")
        data = b""
        while True:
            part = a.recv(100)
            if not part:
                break
            data += part
        self.assertEqual((data, got), (b"hello from there", [b"hi"]))
        a.close()

    def test_renegotiation(self):
        """A client of TLS 1.2 that asks for another handshake is refused, and the daemon serves others."""
        with socket.create_server(("127.0.0.1", 0)) as l:
            p = subprocess.Popen(["openssl", "s_client", "-tls1_2", "-connect", "127.0.0.1:%d" % l.getsockname()[1]],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.addCleanup(p.kill)
            s, _ = l.accept()
        a = self.ask(b"TLS1 server 10000", s)
        self.assertRegex(self.status(a), rb"^\+TLSv1\.2\t")
        p.stdin.write(b"before\n")
        p.stdin.flush()
        self.assertEqual(a.recv(100), b"before\n")
        a.sendall(b"answered\n")
        said = b""
        while b"answered\n" not in said:
            said += os.read(p.stdout.fileno(), 65536)
        p.stdin.write(b"R\n")  # s_client's order for it
        p.stdin.flush()
        said, _ = p.communicate(timeout=20)
        self.assertIn(b"RENEGOTIATING", said)
        self.assertIn(b"no renegotiation", said)
        self.assertEqual(a.recv(100), b"")
        a.close()
        t, a, line = self.server()
        self.assertRegex(line, rb"^\+TLSv1\.3\t")
        t.close()
        a.close()

    def test_client_verifies(self):
        """A certificate nobody vouches for is refused when it must be verified."""
        c, got = self.peer(self.cert)
        a = self.ask(b"TLS1 client 10000 verify mail.example.com", c)
        self.assertRegex(self.status(a), rb"^-self.signed certificate\n$")
        self.assertEqual(a.recv(1), b"")
        a.close()

    def test_half_close(self):
        """Each direction ends on its own."""
        t, a, _ = self.server()
        a.sendall(b"from the program")
        a.shutdown(socket.SHUT_WR)
        self.assertEqual(t.recv(100), b"from the program")
        self.assertEqual(t.recv(100), b"")  # its end, told by close_notify
        t.sendall(b"from the network")
        self.assertEqual(a.recv(100), b"from the network")
        t.unwrap().close()
        self.assertEqual(a.recv(100), b"")
        a.close()
        t, a, _ = self.server()
        a.sendall(b"x" * 100)
        raw = socket.socket(fileno=os.dup(t.fileno()))
        raw.shutdown(socket.SHUT_WR)  # the network says no more
        raw.close()
        self.assertEqual(a.recv(100), b"")
        a.sendall(b"y" * 100)
        data = b""
        while len(data) < 200:
            data += t.recv(200)
        self.assertEqual(data, b"x" * 100 + b"y" * 100)
        a.close()
        t.close()

    def test_last_words(self):
        """All a program said before it went away arrives."""
        t, a, _ = self.server()
        data = os.urandom(1 << 20)

        def say():
            a.sendall(data)
            a.close()

        thread = threading.Thread(target=say)
        thread.start()
        got = b""
        while True:
            part = t.recv(65536)
            if not part:
                break
            got += part
        thread.join(20)
        self.assertEqual(got == data, True)
        t.close()

    def test_back_pressure(self):
        """A side that does not read stops the other; memory stays where it is."""
        t, a, _ = self.server()
        before = self.memory()
        for side in (a, t):
            side.settimeout(1)
            sent = 0
            with self.assertRaises((socket.timeout, ssl.SSLWantWriteError)):
                while sent < 1 << 28:
                    sent += side.send(b"z" * 65536)
        self.assertLess(self.memory() - before, 512)
        t.close()
        a.close()

    def memory(self):
        if os.environ.get("SAN"):  # a sanitizer keeps books of its own
            return 0
        with open(f"/proc/{self.p.pid}/smaps_rollup") as f:
            return sum(int(l.split()[1]) for l in f if l.startswith("Anonymous:"))

    @unittest.skipIf(os.environ.get("SAN"), "a sanitizer keeps books of its own")
    def test_idle_memory(self):
        keep = [self.server() for _ in range(5)]
        before = self.memory()
        keep += [self.server() for _ in range(100)]
        self.assertLess((self.memory() - before) / 100, 60)
        for t, a, _ in keep:
            t.close()
            a.close()

    def test_many(self):
        """Connections side by side, none in the way of another."""
        pairs = [self.server() for _ in range(20)]
        for i, (t, a, _) in enumerate(pairs):
            t.sendall(b"%d" % i)
        for i, (t, a, _) in enumerate(pairs):
            self.assertEqual(a.recv(10), b"%d" % i)
            a.sendall(b"back")
        for t, a, _ in pairs:
            self.assertEqual(t.recv(10), b"back")
            t.close()
            self.assertEqual(a.recv(10), b"")
            a.close()
        wait_for(lambda: len(os.listdir(f"/proc/{self.p.pid}/fd")) < 20, what="descriptors closed")


class ResidentTls(Tls):
    """All of it once more with a server that stays."""
    resident = True


if __name__ == "__main__":
    unittest.main()
