"""AUTH by SCRAM: qmail-smtpd between clients that know passwords and inlookup, which knows keys."""
import base64, os, shutil, ssl, subprocess, unittest
from box import BIN
from scram import Client, tls_exporter, tls_server_end_point
from smtpd import SmtpRoot, plain
from usersite import UserSite

MECHANISMS = ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"]
M = "MAIL FROM:<joe@example.com>"


class Site(SmtpRoot, UserSite):
    pass


def coded(text):
    return base64.b64encode(text.encode()).decode()


class Scram(unittest.TestCase):
    resident = False

    def setUp(self):
        self.root = Site(self.resident)
        self.addCleanup(self.root.close)
        self.root.certificate()
        self.root.add_domain()
        self.root.ok("vadduser", "joe@example.com", "-", input=b"secret\n")
        self.root.start_lookup()
        self.auth = ["mail.example.com", os.path.join(BIN, "vchkpass"), "/bin/false"]

    def session(self, auth=None, tls=True, version=None, **env):
        s = self.root.smtp(auth or self.auth, **{"STARTTLS": "1" if tls else "0", **env})
        self.addCleanup(s.close)
        s.hello()
        if tls:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            if version:
                context.maximum_version = version
            s.starttls(context=context)
            s.cmd("EHLO inside")
        return s

    def offered(self, s):
        return [l for l in s.cmd("EHLO x")[1] if l.startswith("AUTH ")][0].split()[1:]

    def challenge(self, s, c, mechanism, initial=True):
        if initial:
            code, text = s.cmd(f"AUTH {mechanism} {coded(c.first())}")
        else:
            self.assertEqual(s.cmd(f"AUTH {mechanism}"), (334, [""]))
            code, text = s.cmd(coded(c.first()))
        return code, base64.b64decode(text[0]).decode() if code == 334 else text

    def login(self, s, mechanism, user="joe@example.com", password="secret", initial=True, spoil=lambda t: t, **kw):
        """The code AUTH ends with."""
        c = Client(mechanism, user, password, **kw)
        code, text = self.challenge(s, c, mechanism, initial)
        if code != 334:
            return code
        code, text = s.cmd(coded(spoil(c.final(text))))
        if code != 334:
            return code
        self.assertTrue(c.right(base64.b64decode(text[0]).decode()))
        return s.cmd("")[0]

    def bindings(self, s):
        return {"tls-exporter": tls_exporter(s.sock), "tls-server-end-point": tls_server_end_point(s.sock)}

    def test_logins(self):
        for tls in (True, False):
            for mechanism in MECHANISMS:
                for initial in (True, False):
                    with self.subTest((tls, mechanism, initial)):
                        s = self.session(tls=tls)
                        self.assertIn(mechanism, self.offered(s))
                        self.assertEqual(self.login(s, mechanism, initial=initial), 235)
                        self.assertIn(f"auth {mechanism} joe@example.com", s.logged())
                        self.assertEqual([s.cmd(l)[0] for l in (M, "RCPT TO:<a@example.org>")], [250, 250])

    def test_names_beyond_ascii(self):
        """A name is who is meant by it, however it was typed; senders are compared with it as envelopes have it."""
        self.root.add_domain("xn--bcher-kva.example")
        self.root.ok("vadduser", "ann@xn--bcher-kva.example", "-", input=b"secret\n")
        ann = "ann@xn--bcher-kva.example"
        for user in ("ann@b\u00fccher.example", "ANN@B\u00dcCHER.EXAMPLE", "ann@bu\u0308cher.example", "ann@b\u00fc\uff43her.example", ann):
            for mechanism in ("SCRAM-SHA-256", "PLAIN"):
                with self.subTest((user, mechanism)):
                    s = self.session(ANTISPOOFING="1")
                    code = self.login(s, mechanism, user) if mechanism != "PLAIN" else s.cmd("AUTH PLAIN " + base64.b64encode(f"\0{user}\0secret".encode()).decode())[0]
                    self.assertEqual(code, 235)
                    self.assertIn(f"auth {mechanism} {user.split('@')[0]}@xn--bcher-kva.example", s.logged() + s.logged().lower())
                    self.assertEqual([s.cmd(l)[0] for l in (f"MAIL FROM:<{ann}>", "RSET", M)], [250, 250, 553])
        s = self.session()
        for user, code in (("j\u00f6rg@b\u00fccher.example", 535), ("ann@b\u00fccher.exemple", 535), ("ann@\u00ad", 535), ("ann@b\u0378cher.example", 535),
                           ("ann\x7f@b\u00fccher.example", 501)):
            with self.subTest(user):
                self.assertEqual(self.login(self.session(), "SCRAM-SHA-256", user), code)
        self.assertEqual(s.cmd("AUTH SCRAM-SHA-256 " + base64.b64encode(b"n,,n=j\xf6rg,r=" + b"x" * 20).decode())[0], 501)

    def test_tls_after_login(self):
        """A login outside TLS is not one inside."""
        s = self.session(tls=False, STARTTLS="1", SECUREAUTH="0")
        self.assertEqual(self.login(s, "SCRAM-SHA-256"), 235)
        s.starttls(name="mail.example.com")
        s.cmd("EHLO inside")
        self.assertEqual([s.cmd(l)[0] for l in (M, "RCPT TO:<a@example.org>", "RSET")], [250, 553, 250])
        self.assertEqual(self.login(s, "SCRAM-SHA-256-PLUS", gs2="p=tls-exporter,,", binding=tls_exporter(s.sock)), 235)

    def test_bound(self):
        for mechanism in MECHANISMS:
            for kind in ("tls-exporter", "tls-server-end-point"):
                with self.subTest((mechanism, kind)):
                    s = self.session()
                    self.assertIn(mechanism + "-PLUS", self.offered(s))
                    self.assertEqual(self.login(s, mechanism + "-PLUS", gs2=f"p={kind},,", binding=self.bindings(s)[kind]), 235)

    def test_bound_to_another(self):
        """Whoever sits between has a connection, and so a binding, of his own."""
        s, other = self.session(), self.session()
        ours, theirs = self.bindings(s), self.bindings(other)
        right = ours["tls-exporter"]
        for kind, binding in (("tls-exporter", theirs["tls-exporter"]), ("tls-exporter", b""), ("tls-exporter", right[:31]),
                              ("tls-exporter", right + b"x"), ("tls-exporter", ours["tls-server-end-point"]),
                              ("tls-server-end-point", bytes(32))):
            s = self.session()
            code = self.login(s, "SCRAM-SHA-256-PLUS", gs2=f"p={kind},,", binding=binding)
            self.assertEqual(code, 535)
            self.assertIn("authsuspect SCRAM-SHA-256-PLUS joe@example.com the login is bound to another connection", s.logged())
            self.assertEqual(s.cmd("RCPT TO:<a@example.org>")[0], 503)

    def test_header_changed(self):
        """What the client said about binding is signed."""
        for said, signed in (("n,,", "y,,"), ("n,,", "p=tls-exporter,,"), ("n,a=joe@example.com,", "n,,"), ("n,,", "n,")):
            s = self.session()
            c = Client("SCRAM-SHA-256", "joe@example.com", "secret", gs2=said)
            _, text = self.challenge(s, c, "SCRAM-SHA-256")
            c.gs2 = signed
            self.assertEqual(s.cmd(coded(c.final(text)))[0], 535)

    def test_downgrade(self):
        """A client that can bind, and was not shown that we do."""
        s = self.session()
        self.assertEqual(self.login(s, "SCRAM-SHA-256", gs2="y,,"), 535)
        self.assertIn("authsuspect SCRAM-SHA-256 joe@example.com the client was not shown", s.logged())
        # where it is true, all is well
        self.assertEqual(self.login(self.session(tls=False), "SCRAM-SHA-256", gs2="y,,"), 235)
        off = {f"DISABLE_SCRAM_{h}_PLUS": "1" for h in ("SHA1", "SHA256", "SHA512")}
        self.assertEqual(self.login(self.session(**off), "SCRAM-SHA-256", gs2="y,,"), 235)
        # the mechanism and the flag must say the same
        for mechanism, gs2 in (("SCRAM-SHA-256-PLUS", "n,,"), ("SCRAM-SHA-256-PLUS", "y,,"), ("SCRAM-SHA-256", "p=tls-exporter,,"),
                               ("SCRAM-SHA-256-PLUS", "p=tls-unique,,")):
            self.assertEqual(self.login(self.session(), mechanism, gs2=gs2), 501)

    def test_tls12(self):
        s = self.session(version=ssl.TLSVersion.TLSv1_2)
        self.assertEqual(self.login(s, "SCRAM-SHA-256-PLUS", gs2="p=tls-exporter,,"), 501)
        self.assertEqual(self.login(s, "SCRAM-SHA-256-PLUS", gs2="p=tls-server-end-point,,", binding=tls_server_end_point(s.sock)), 235)

    def test_wrong(self):
        s = self.session(MAXAUTHTRIES="100")
        for user, password in (("joe@example.com", "Secret"), ("jim@example.com", "secret"), ("joe@example.net", "secret")):
            self.assertEqual(self.login(s, "SCRAM-SHA-256", user, password), 535)
        change = {
            "proof": lambda t: t[:-8] + ("AAAA" if t[-8:-4] != "AAAA" else "BBBB") + t[-4:],
            "no proof": lambda t: t.split(",p=")[0] + ",p=" + base64.b64encode(bytes(32)).decode(),
            "short proof": lambda t: t.split(",p=")[0] + ",p=AAAA",
            "nonce": lambda t: t.replace(",r=", ",r=x"),
            "extension not signed": lambda t: t.replace(",p=", ",x=y,p="),
            "client's nonce alone": lambda t: t.replace(t.split(",r=")[1].split(",")[0][-32:], ""),
        }
        for name, spoil in change.items():
            with self.subTest(name):
                self.assertEqual(self.login(s, "SCRAM-SHA-256", spoil=spoil), 535)
        for bad in ("", "c=biws", "nonsense", "c=biws,r=x,p=", "p=x,c=biws,r=x"):
            c = Client("SCRAM-SHA-256", "joe@example.com", "secret")
            self.challenge(s, c, "SCRAM-SHA-256")
            self.assertEqual(s.cmd(coded(bad))[0], 501)
        self.assertNotIn("235", s.logged())

    def test_replay(self):
        """Everything one exchange showed is worth nothing in the next."""
        s = self.session(tls=False)
        c = Client("SCRAM-SHA-256", "joe@example.com", "secret")
        _, text = self.challenge(s, c, "SCRAM-SHA-256")
        final = c.final(text)
        self.assertEqual(s.cmd(coded(final))[0], 334)
        self.assertEqual(s.cmd("")[0], 235)
        again = self.session(tls=False)
        code, other = self.challenge(again, c, "SCRAM-SHA-256")
        self.assertNotEqual(text, other)
        self.assertEqual(again.cmd(coded(final))[0], 535)
        self.assertIn("authsuspect SCRAM-SHA-256 joe@example.com the nonce is not", again.logged())

    def test_first_messages(self):
        s = self.session()
        for bad in ("n", "n,,", "n,,r=x,n=u", "x,,n=u,r=y", "n,,m=x,n=u,r=y", "n,,n=u=2,r=y", "n,,n=u,r=", "n,,n=a\x01b,r=x",
                    "n,a=jim,n=joe@example.com,r=x", "n,,n=u,r=" + "x" * 300):
            with self.subTest(bad):
                self.assertEqual(s.cmd(f"AUTH SCRAM-SHA-256 {coded(bad)}")[0], 501)
        self.assertEqual(self.login(self.session(), "SCRAM-SHA-256", gs2="n,a=joe@example.com,"), 235)

    def test_given_up(self):
        s = self.session()
        for steps in range(3):
            c = Client("SCRAM-SHA-256", "joe@example.com", "secret")
            if steps == 0:
                s.cmd("AUTH SCRAM-SHA-256")
            if steps >= 1:
                _, text = self.challenge(s, c, "SCRAM-SHA-256")
            if steps == 2:
                self.assertEqual(s.cmd(coded(c.final(text)))[0], 334)
            self.assertEqual(s.cmd("*")[0], 501)
            self.assertEqual(s.cmd(M)[0], 250)
            self.assertEqual(s.cmd("RCPT TO:<a@example.org>")[0], 553)
            s.cmd("RSET")

    def test_strangers(self):
        """Nobody learns from the first answer who exists."""
        answers = []
        for name in ("joe@example.com", "nobody@example.com", "nobody@example.com"):
            c = Client("SCRAM-SHA-256", name, "x")
            s = self.session()
            _, text = self.challenge(s, c, "SCRAM-SHA-256")
            answers.append(dict(p.split("=", 1) for p in text.split(",")))
        self.assertEqual(len({(len(a["r"]) - len(c.nonce), len(a["s"]), a["i"]) for a in answers}), 1)
        self.assertNotEqual(answers[0]["s"], answers[1]["s"])
        self.assertEqual(answers[1]["s"], answers[2]["s"])

    def test_when_offered(self):
        checkpassword = ["mail.example.com", self.root.checkpassword, "/bin/false", self.root.seen]
        both = self.auth[:2] + [self.root.checkpassword, "/bin/false"]
        for auth in (checkpassword, both):
            s = self.session(auth)
            self.assertEqual(self.offered(s), ["PLAIN", "LOGIN"])
            self.assertEqual(self.login(s, "SCRAM-SHA-256"), 504)
        s = self.session(DISABLE_SCRAM_SHA1="1", DISABLE_SCRAM_SHA512_PLUS="1", DISABLE_AUTH_LOGIN="1")
        self.assertEqual(self.offered(s), ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"])
        self.assertEqual(self.login(s, "SCRAM-SHA-1"), 504)
        s = self.session(tls=False)
        self.assertEqual(self.offered(s), MECHANISMS[::-1])
        self.assertEqual(s.cmd("AUTH SCRAM-SHA-256-PLUS x")[0], 538)
        self.assertEqual(s.cmd(f"AUTH PLAIN {plain('joe@example.com', 'secret')}")[0], 538)
        for env in ({"FORCE_TLS": "1"}, {"STARTTLS": "1"}):
            s = self.session(tls=False, **env)
            self.assertNotIn("AUTH", " ".join(s.cmd("EHLO x")[1]))
            self.assertEqual(s.cmd("AUTH SCRAM-SHA-256 x")[0], 538)
        s = self.session(tls=False, SECUREAUTH="0")
        self.assertEqual(self.offered(s), MECHANISMS[::-1] + ["PLAIN", "LOGIN"])
        self.assertEqual(s.cmd(f"AUTH PLAIN {plain('joe@example.com', 'secret')}")[0], 235)

    def test_no_relay_and_no_smtp(self):
        self.root.sql("UPDATE users SET no_relay = 1 WHERE name = 'joe'")
        s = self.session()
        self.assertEqual(self.login(s, "SCRAM-SHA-256"), 235)
        self.assertEqual([s.cmd(l)[0] for l in (M, "RCPT TO:<a@example.org>")], [250, 553])
        self.root.sql("UPDATE users SET no_smtp = 1 WHERE name = 'joe'")
        self.assertEqual(self.login(self.session(), "SCRAM-SHA-256"), 535)

    def test_lookup_away(self):
        self.root.lookup.terminate()
        self.root.lookup.wait(10)
        self.assertEqual(self.login(self.session(), "SCRAM-SHA-256"), 454)

    def test_gsasl(self):
        """GNU SASL, with GnuTLS: another hand's idea of all this."""
        if not shutil.which("gsasl"):
            self.skipTest("the package gsasl is not installed")
        cert = self.root.certificate(cn="localhost")
        port = self.root.listen("qmail-smtpd", *self.auth, STARTTLS="1", TCPLOCALHOST="mail.example.com").port
        for mechanism in ("SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS", "PLAIN", "LOGIN"):
            for password in ("secret", "wrong"):
                with self.subTest((mechanism, password)):
                    p = subprocess.run(["gsasl", "--smtp", f"--connect=localhost:{port}", f"--x509-ca-file={cert}", "--hostname=mail.example.com",
                                        "-m", mechanism, "-a", "joe@example.com", "-z", "" if mechanism == "PLAIN" else "joe@example.com",
                                        "-p", password, "--no-cb" if not mechanism.endswith("PLUS") else "--verbose"],
                                       input=b"", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
                    self.assertEqual(p.returncode == 0, password == "secret", p.stdout.decode())


class ScramResident(Scram):
    resident = True


if __name__ == "__main__":
    unittest.main()
