"""AUTH with tokens: OAUTHBEARER and XOAUTH2, by hand and with curl and Python's smtplib."""
import base64, json, os, shutil, smtplib, ssl, subprocess, unittest
from smtpd import SmtpRoot
from usersite import UserSite

# Knows the token "good" (may relay), "less" (may not), broken (111); shows what it was given.
CHECKER = """#!/usr/bin/env python3
import json, os, sys
data = b""
while True:
    b = os.read(3, 65536)
    if not b: break
    data += b
f = data.split(b"\\0")
with open(sys.argv[1], "w") as out:
    json.dump({"data": data.decode(), "argv": sys.argv, "env": dict(os.environ)}, out)
sys.exit({b"good": 0, b"less": 3, b"broken": 111, b"A" * 6000: 0}.get(f[1], 1))
"""
M = "MAIL FROM:<joe@example.com>"


class Site(SmtpRoot, UserSite):
    pass


def coded(text):
    return base64.b64encode(text.encode()).decode()


def bearer(user, token):
    return f"n,a={user},\1host=mail.example.com\1port=25\1auth=Bearer {token}\1\1"


def xoauth2(user, token):
    return f"user={user}\1auth=Bearer {token}\1\1"


class Oauth(unittest.TestCase):
    resident = False

    def setUp(self):
        self.root = Site(resident=self.resident)
        self.addCleanup(self.root.close)
        self.cert = self.root.certificate(cn="localhost")
        self.seen = self.root.path("token.json")
        checker = self.root.script("checktoken", CHECKER)
        self.root.control("oauthprogram", f"{checker} {self.seen}  more\n")
        self.auth = ["mail.example.com", "/bin/false"]

    def session(self, **env):
        s = self.root.smtp(self.auth, STARTTLS="1", **env)
        self.addCleanup(s.close)
        s.hello()
        s.starttls(name="localhost")
        s.cmd("EHLO inside")
        return s

    def test_tokens(self):
        for mechanism, message in (("OAUTHBEARER", bearer), ("XOAUTH2", xoauth2)):
            for token, code in (("good", 235), ("less", 235), ("A" * 6000, 235), ("broken", 454)):
                with self.subTest((mechanism, token[:9])):
                    s = self.session()
                    self.assertIn("AUTH OAUTHBEARER XOAUTH2 PLAIN LOGIN", s.cmd("EHLO x")[1])
                    self.assertEqual(s.cmd(f"AUTH {mechanism} {coded(message('joe@example.com', token))}")[0], code)
                    with open(self.seen) as f:
                        seen = json.load(f)
                    method = {"OAUTHBEARER": "\x12", "XOAUTH2": "\x11"}[mechanism]
                    self.assertEqual(seen["data"], f"joe@example.com\0{token}\0\0{method}\0")
                    self.assertEqual(seen["argv"][2:], ["more"])
                    self.assertNotIn(token, " ".join(seen["argv"]) + str(seen["env"]))
                    self.assertNotIn(token, s.logged())
                    if code == 235:
                        self.assertEqual(s.cmd(M)[0], 250)
                        self.assertEqual(s.cmd("RCPT TO:<a@example.org>")[0], 553 if token == "less" else 250)

    def test_refused(self):
        for mechanism, message, last, want in (("OAUTHBEARER", bearer, "AQ==", {"status": "invalid_token", "scope": 'a"b'}),
                                               ("XOAUTH2", xoauth2, "", {"status": "400", "schemes": "Bearer", "scope": 'a"b'})):
            s = self.session(XOAUTH2_SCOPE='a"b')
            code, text = s.cmd(f"AUTH {mechanism} {coded(message('joe@example.com', 'wrong'))}")
            self.assertEqual(code, 334)
            self.assertEqual(json.loads(base64.b64decode(text[0])), want)
            self.assertEqual(s.cmd(last)[0], 535)
            self.assertIn(f"authfail {mechanism} joe@example.com", s.logged())
            # without an initial response, and given up
            self.assertEqual(s.cmd(f"AUTH {mechanism}"), (334, [""]))
            self.assertEqual(s.cmd(coded(message("joe@example.com", "wrong")))[0], 334)
            self.assertEqual(s.cmd("*")[0], 501)
            self.assertEqual(s.cmd(M)[0], 250)
            self.assertEqual(s.cmd("RCPT TO:<a@example.org>")[0], 553)

    def test_malformed(self):
        s = self.session()
        for line in ("OAUTHBEARER " + coded("n,,\1auth=Bearer good\1\1"), "OAUTHBEARER " + coded(bearer("joe", "go od")), "XOAUTH2 =",
                     "XOAUTH2 " + coded(bearer("joe", "good")), "OAUTHBEARER " + coded(bearer("jo\x7f", "good")), "XOAUTH2 !"):
            with self.subTest(line):
                self.assertEqual(s.cmd("AUTH " + line)[0], 501)
        self.assertFalse(os.path.exists(self.seen))

    def test_when_offered(self):
        s = self.root.smtp(self.auth, STARTTLS="1")
        self.addCleanup(s.close)
        self.assertNotIn("OAUTH", " ".join(s.hello()))
        self.assertEqual(s.cmd("AUTH OAUTHBEARER " + coded(bearer("joe", "good")))[0], 538)
        self.assertIn("AUTH PLAIN LOGIN", self.session(DISABLE_OAUTH2="1", DISABLE_AUTH_OAUTHBEARER="1").cmd("EHLO x")[1])
        self.root.control("oauthprogram", "\n")
        self.assertIn("AUTH PLAIN LOGIN", self.session().cmd("EHLO x")[1])
        self.root.control("oauthprogram", "/nonexistent x\n")
        self.assertEqual(self.session().cmd("AUTH XOAUTH2 " + coded(xoauth2("joe", "good")))[0], 454)

    def listener(self):
        return self.root.listen("qmail-smtpd", *self.auth, STARTTLS="1", TCPLOCALHOST="mail.example.com", QMAILQUEUE=self.root.queue,
                                QQ_DIR=self.root.path("qq")).port

    def test_curl(self):
        if not shutil.which("curl"):
            self.skipTest("the package curl is not installed")
        port = self.listener()
        message = self.root.path("message")
        with open(message, "w", newline="\r\n") as f:
            f.write("Subject: hello\n\nbody\n")
        for mechanism in ("OAUTHBEARER", "XOAUTH2"):
            for token in ("good", "wrong"):
                with self.subTest((mechanism, token)):
                    p = subprocess.run(["curl", "-sv", "--ssl-reqd", "--cacert", self.cert, "--login-options", f"AUTH={mechanism}",
                                        "--oauth2-bearer", token, "--user", "joe@example.com:", "--mail-from", "joe@example.com",
                                        "--mail-rcpt", "a@example.org", "--upload-file", message, f"smtp://localhost:{port}"],
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
                    self.assertEqual(p.returncode == 0, token == "good", p.stdout.decode())
        self.assertEqual([m[3]["AUTHINFO"] for m in self.root.messages()], ["joe@example.com"] * 2)

    def test_smtplib(self):
        port = self.listener()
        for token in ("good", "wrong"):
            with smtplib.SMTP("localhost", port, timeout=20) as s:
                s.starttls(context=ssl.create_default_context(cafile=self.cert))
                s.ehlo()
                s.user, s.password = "joe@example.com", token
                login = lambda challenge=None: xoauth2(s.user, s.password) if challenge is None else ""
                if token == "good":
                    self.assertEqual(s.auth("XOAUTH2", login)[0], 235)
                else:
                    with self.assertRaises(smtplib.SMTPAuthenticationError):
                        s.auth("XOAUTH2", login)


class ResidentOauth(Oauth):
    resident = True
    test_curl = test_smtplib = None  # of tcpserver's


if __name__ == "__main__":
    unittest.main()
