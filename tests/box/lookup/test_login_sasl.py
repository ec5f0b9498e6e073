"""imaplogin, pop3login: logins without saying the password (SCRAM), and with tokens (OAUTHBEARER, XOAUTH2)."""
import base64, imaplib, os, shutil, subprocess, unittest
from scram import Client, tls_exporter, tls_server_end_point
from test_login import SERVER, IMAPD
from usersite import UserSite, client_context

CHECKER = """#!/usr/bin/env python3
import os, sys
data = b""
while True:
    b = os.read(3, 65536)
    if not b: break
    data += b
user, token, _, method = data.split(b"\\0")[:4]
open(sys.argv[1], "ab").write(b"%s %s %d %s\\n" % (user, method.hex().encode(), len(token), os.environ["AUTHSERVICE"].encode()))
sys.exit({b"good": 0, b"broken": 111, b"A" * 8000: 0}.get(token, 1))
"""
ALICE = "alice@example.com"


def bearer(user, token):
    return f"n,a={user},\1host=mail.example.com\1port=993\1auth=Bearer {token}\1\1"


def xoauth2(user, token):
    return f"user={user}\1auth=Bearer {token}\1\1"


def coded(text):
    return base64.b64encode(text.encode()).decode()


class Sasl(unittest.TestCase):
    def setUp(self):
        self.site = UserSite()
        self.addCleanup(self.site.close)
        self.site.add_domain()
        self.site.ok("vadduser", ALICE, "-", input=b"secret\n")
        self.site.start_lookup("-i", "1", "-p", "1")
        self.cert = self.site.certificate()
        self.server = self.script("server", SERVER)

    def script(self, name, text):
        path = self.site.path(name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, 0o755)
        return path

    def imap(self, **env):
        self.service = self.site.listen("imaplogin", self.server, "Maildir", **{"IMAPS": "1", "MAXLOGINTRIES": "9", **env})
        m = self.service.imap(client_context(self.cert))
        self.addCleanup(m.shutdown)
        return m

    def pop3(self, **env):
        self.service = self.site.listen("pop3login", self.server, "Maildir", **{"POP3S": "1", "MAXLOGINTRIES": "9", **env})
        m = self.service.pop3(client_context(self.cert))
        self.addCleanup(m.close)
        return m

    def scram(self, m, mechanism, user=ALICE, password="secret", signature=True, spoil=lambda t: t, **kw):
        """AUTHENTICATE with imaplib: the words of its end."""
        c = Client(mechanism, user, password, **kw)
        steps = iter((c.first, lambda t: spoil(c.final(t)), lambda t: self.assertTrue(c.right(t)) or ""))

        def answer(challenge):
            step = next(steps)
            return (step(challenge.decode()) if challenge else step()).encode()

        try:
            kind, data = m.authenticate(mechanism, answer)
            if signature:
                self.assertEqual(next(steps, None), None)  # the server has shown that it knows us
            return kind
        except imaplib.IMAP4.error as e:
            return str(e)

    def test_scram(self):
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512", "SCRAM-SHA-1"):
            m = self.imap()
            self.assertIn("AUTH=" + mechanism, m.capabilities)
            for user, password in ((ALICE, "wrong"), ("nobody@example.com", "secret")):
                self.assertIn("[AUTHENTICATIONFAILED]", self.scram(m, mechanism, user, password))
            self.assertEqual(self.scram(m, mechanism), "OK")
        self.assertIn(f"login user {ALICE} ip 127.0.0.1 tls yes", self.service.logged())
        self.assertIn("login failed user nobody@example.com", self.service.logged())

    def test_names_beyond_ascii(self):
        """By every login, the account is the one that is meant."""
        self.site.add_domain("xn--bcher-kva.example")
        self.site.ok("vadduser", "ann@xn--bcher-kva.example", "-", input=b"secret\n")
        for user in ("ann@b\u00fccher.example", "\uff21nn@BU\u0308CHER.example"):
            self.assertEqual(self.scram(self.imap(), "SCRAM-SHA-256", user), "OK")
            self.assertEqual(self.imap().authenticate("PLAIN", lambda _: f"\0{user}\0secret".encode())[0], "OK")
            m = self.imap()
            m._encoding = "utf-8"
            self.assertEqual(m.login(user, "secret")[0], "OK")
            p = self.pop3()
            self.assertIn("+OK", self.pop3_line(p, f"USER {user}"))
            self.assertIn("AUTHENTICATED=", self.pop3_line(p, "PASS secret"))
        m = self.imap()
        for user in ("j\u00f6rg@b\u00fccher.example", "ann@b\u00fccher.exemple", "ann@\u00fc..example"):
            self.assertIn("[AUTHENTICATIONFAILED]", self.scram(m, "SCRAM-SHA-256", user))

    def test_bound_to_the_connection(self):
        for mechanism in ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-512-PLUS"):
            for kind, binding in (("tls-exporter", tls_exporter), ("tls-server-end-point", tls_server_end_point)):
                m = self.imap()
                self.assertIn("AUTH=" + mechanism, m.capabilities)
                bound = {"gs2": f"p={kind},,", "binding": binding(m.sock)}
                self.assertIn("[AUTHENTICATIONFAILED]", self.scram(m, mechanism, **{**bound, "binding": b"x" * 32}))
                self.assertIn("login suspect user alice@example.com", self.service.logged())
                self.assertEqual(self.scram(m, mechanism, **bound), "OK")
        # it can bind, and was not shown that we can
        m = self.imap()
        self.assertIn("[AUTHENTICATIONFAILED]", self.scram(m, "SCRAM-SHA-256", gs2="y,,"))
        m = self.imap(DISABLE_SCRAM_SHA1_PLUS="1", DISABLE_SCRAM_SHA256_PLUS="1", DISABLE_SCRAM_SHA512_PLUS="1")
        self.assertNotIn("-PLUS", " ".join(m.capabilities))
        self.assertEqual(self.scram(m, "SCRAM-SHA-256", gs2="y,,"), "OK")

    def test_scram_malformed(self):
        m = self.imap()
        self.assertRegex(self.scram(m, "SCRAM-SHA-256", spoil=lambda t: t[1:]), "BAD|malformed")
        self.assertIn("[AUTHENTICATIONFAILED]", self.scram(m, "SCRAM-SHA-256", spoil=lambda t: t.replace(",r=", ",r=x")))
        with self.site.listen("imaplogin", self.server, "Maildir", ALLOW_PLAINTEXT="1").raw() as c:
            self.assertNotIn("-PLUS", c.line())  # no TLS
            for message, want in (("n,,n=a", "BAD"), ("p=tls-exporter,,n=alice,r=abc", "BAD"), ("n,a=bob,n=alice@example.com,r=abcdef", "BAD")):
                c.send(f"a AUTHENTICATE SCRAM-SHA-256 {coded(message)}\r\n")
                self.assertTrue(c.line().startswith("a " + want), message)
            c.send(f"b AUTHENTICATE SCRAM-SHA-256 {coded('n,,n=alice@example.com,r=abcdef')}\r\n")
            self.assertTrue(c.line().startswith("+ "))
            c.send("*\r\n")
            self.assertTrue(c.line().startswith("b BAD"))
            c.send(f"c AUTHENTICATE SCRAM-SHA-256-PLUS {coded('p=tls-exporter,,n=alice@example.com,r=abcdef')}\r\n")
            self.assertTrue(c.line().startswith("c NO"))
        # a client that goes in the middle
        with self.service.raw() as c:
            c.send("x")

    def test_database_away(self):
        m = self.imap()
        self.site.lookup.terminate()
        self.site.lookup.wait(10)
        self.assertIn("not available now", self.scram(m, "SCRAM-SHA-256", signature=False))

    def pop3_line(self, m, text):
        m.sock.sendall(text.encode() + b"\r\n")
        return m.file.readline().decode().rstrip("\r\n")

    def test_pop3(self):
        m = self.pop3()
        self.assertIn("SCRAM-SHA-256-PLUS", m.capa()["SASL"])
        for initial in (True, False):
            for password, want in (("wrong", "-ERR [AUTH]"), ("secret", "+ ")):
                c = Client("SCRAM-SHA-256", ALICE, password)
                if initial:
                    line = self.pop3_line(m, f"AUTH SCRAM-SHA-256 {coded(c.first())}")
                else:
                    self.assertEqual(self.pop3_line(m, "AUTH SCRAM-SHA-256"), "+ ")
                    line = self.pop3_line(m, coded(c.first()))
                line = self.pop3_line(m, coded(c.final(base64.b64decode(line[2:]).decode())))
                self.assertTrue(line.startswith(want), line)
            self.assertTrue(c.right(base64.b64decode(line[2:]).decode()))
            m.sock.sendall(b"\r\n")
            while not line.startswith("+OK"):
                line = m.file.readline().decode()
                self.assertTrue(line)
            m = self.pop3()
        self.assertEqual(self.pop3_line(m, "AUTH"), "+OK")
        lines = [m.file.readline().decode().strip() for _ in range(9)]
        self.assertEqual((lines[0], lines[-1]), ("SCRAM-SHA-512-PLUS", "."))

    # --- tokens

    def tokens(self):
        self.seen = self.site.path("seen")
        open(self.seen, "w").close()
        os.chmod(self.seen, 0o666)
        return {"OAUTHPROGRAM": f"{self.script('checktoken', CHECKER)} {self.seen}"}

    def token(self, m, mechanism, message):
        answers = iter((message, "\1" if mechanism == "OAUTHBEARER" else ""))
        try:
            return m.authenticate(mechanism, lambda challenge: next(answers).encode())[0]
        except imaplib.IMAP4.error as e:
            return str(e)

    def test_tokens(self):
        env = self.tokens()
        for mechanism, message, method in (("OAUTHBEARER", bearer, "12"), ("XOAUTH2", xoauth2, "11")):
            m = self.imap(**env)
            self.assertIn("AUTH=" + mechanism, m.capabilities)
            self.assertIn("[AUTHENTICATIONFAILED]", self.token(m, mechanism, message(ALICE, "wrong")))
            self.assertIn("[AUTHENTICATIONFAILED]", self.token(m, mechanism, message("nobody@example.com", "good")))
            self.assertRegex(self.token(m, mechanism, message(ALICE, "wr ong")), "BAD|malformed")
            self.assertEqual(self.token(m, mechanism, message(ALICE, "good")), "OK")
            self.assertEqual(self.token(self.imap(**env), mechanism, message(ALICE, "A" * 8000)), "OK")
            self.assertIn("not available now", self.token(self.imap(**env), mechanism, message(ALICE, "broken")))
            self.assertIn(f"{ALICE} {method} 4 imap\n", open(self.seen).read())
        self.assertNotIn("good", self.service.logged())
        rows = self.site.sql("SELECT service, remote_ip FROM lastauth WHERE service = 'imap'")
        self.assertEqual(rows, [("imap", "127.0.0.1")])

    def test_tokens_where_the_service_is_refused(self):
        env = self.tokens()
        self.site.sql("UPDATE users SET no_imap = 1")
        self.assertIn("[CONTACTADMIN]", self.token(self.imap(**env), "XOAUTH2", xoauth2(ALICE, "good")))
        self.site.sql("UPDATE users SET no_imap = 0, no_pop = 1")
        m = self.pop3(**env)
        line = self.pop3_line(m, "AUTH OAUTHBEARER " + coded(bearer(ALICE, "good")))
        self.assertTrue(line.startswith("-ERR [SYS/PERM]"), line)
        self.assertEqual(self.pop3_line(m, "AUTH OAUTHBEARER " + coded(bearer(ALICE, "bad")))[:2], "+ ")
        self.assertTrue(self.pop3_line(m, "AQ==").startswith("-ERR [AUTH]"))

    def test_when_tokens_are_offered(self):
        self.assertNotIn("OAUTH", " ".join(self.imap().capabilities))
        env = self.tokens()
        self.assertNotIn("OAUTH", " ".join(self.imap(DISABLE_OAUTH2="1", DISABLE_AUTH_OAUTHBEARER="1", **env).capabilities))
        with self.site.listen("imaplogin", self.server, "Maildir", **env).raw() as c:  # no TLS
            self.assertIn("LOGINDISABLED", c.line())
            c.send("a AUTHENTICATE XOAUTH2 " + coded(xoauth2(ALICE, "good")) + "\r\n")
            self.assertIn("a NO [PRIVACYREQUIRED]", c.line())
        m = self.imap(OAUTHPROGRAM="/nonexistent x")
        self.assertIn("not available now", self.token(m, "XOAUTH2", xoauth2(ALICE, "good")))

    @unittest.skipUnless(shutil.which("curl") and os.path.exists(IMAPD), "packages curl and courier-imap are not installed")
    def test_curl(self):
        env = self.tokens()
        for program, scheme, tls, server in (("imaplogin", "imaps", "IMAPS", IMAPD),
                                             ("pop3login", "pop3s", "POP3S", "/usr/lib/courier/courier/courierpop3d")):
            port = self.site.listen(program, server, "Maildir", **{tls: "1", **env}).port
            for mechanism in ("OAUTHBEARER", "XOAUTH2"):
                for token in ("good", "wrong"):
                    with self.subTest((scheme, mechanism, token)):
                        p = subprocess.run(["curl", "-sv", "--cacert", self.cert, "--login-options", f"AUTH={mechanism}", "--oauth2-bearer",
                                            token, "--user", f"{ALICE}:", f"{scheme}://localhost:{port}/"],
                                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
                        self.assertEqual(p.returncode == 0, token == "good", p.stdout.decode())


if __name__ == "__main__":
    unittest.main()
