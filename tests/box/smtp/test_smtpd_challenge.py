"""AUTH by CRAM and DIGEST-MD5: off until asked for, then judged by the program of the command line;
with real clients: swaks, curl, gsasl and Python's smtplib."""
import base64, hashlib, hmac, json, os, re, shutil, smtplib, subprocess, time, unittest
from box import BIN
from smtpd import SmtpRoot, plain
from usersite import UserSite

CRAM = {"CRAM-MD5": "md5", "CRAM-SHA1": "sha1", "CRAM-SHA224": "sha224", "CRAM-SHA256": "sha256", "CRAM-SHA384": "sha384",
        "CRAM-SHA512": "sha512"}
M = "MAIL FROM:<joe@example.com>"

# Knows joe/secret; the digest of RIPEMD is a fixed one.  Others are the next program's.
CHECKER = """#!/usr/bin/env python3
import hashlib, hmac, json, os, re, sys
data = os.read(3, 4096)
user, second, third, method = data.split(b"\\0")[:4]
with open(sys.argv[1], "a") as out:
    out.write(json.dumps({"data": data.decode(), "me": sys.argv[2]}) + "\\n")
if user != sys.argv[2].encode():
    r, w = os.pipe()
    os.write(w, data)
    os.close(w)
    os.dup2(r, 3)
    os.execv(sys.argv[3], sys.argv[3:])
names = {3: "md5", 4: "sha1", 5: "sha224", 6: "sha256", 7: "sha384", 8: "sha512"}
m = method[0]
if m in (1, 2): sys.exit(0 if second == b"secret" else 1)
if m == 9: sys.exit(0 if third == b"12" * 20 else 1)
if m in names: sys.exit(0 if hmac.new(b"secret", second, names[m]).hexdigest().encode() == third else 1)
f = {k: v for k, v in re.findall(r'([a-z-]+)="?([^",]*)"?', third.decode())}
h = lambda s: hashlib.md5(s).digest()
x = lambda s: h(s).hex()
a1 = x(h(f"{user.decode()}:{f['realm']}:secret".encode()) + f":{f['nonce']}:{f['cnonce']}".encode() + (":" + f["authzid"] if "authzid" in f else "").encode())
digest = lambda a2: x(f"{a1}:{f['nonce']}:{f['nc']}:{f['cnonce']}:auth:{x(a2.encode())}".encode())
if digest("AUTHENTICATE:" + f["digest-uri"]).encode() != second: sys.exit(1)
if "mute" not in sys.argv[1]: os.write(6, digest(":" + f["digest-uri"]).encode())
sys.exit(0)
"""


class Site(SmtpRoot, UserSite):
    pass


def coded(text):
    return base64.b64encode(text.encode()).decode()


class Challenge(unittest.TestCase):
    resident = False

    def setUp(self):
        self.root = Site(resident=self.resident)
        self.addCleanup(self.root.close)
        self.cert = self.root.certificate(cn="localhost")
        self.seen = self.root.path("seen.json")
        self.checker = self.root.script("checkchallenge", CHECKER)
        self.auth = ["localhost", self.checker, self.seen, "joe", "/bin/false"]
        self.root.control("authmechanisms", " ".join([*CRAM, "CRAM-RIPEMD,DIGEST-MD5"]) + "\n")

    def session(self, auth=None, **env):
        s = self.root.smtp(auth or self.auth, **env)
        self.addCleanup(s.close)
        s.hello()
        return s

    def given(self):
        with open(self.seen) as f:
            return [json.loads(line) for line in f]

    def cram(self, s, mechanism, password="secret", user="joe", digest=None):
        code, text = s.cmd("AUTH " + mechanism)
        self.assertEqual(code, 334)
        self.challenge = base64.b64decode(text[0]).decode()
        self.assertRegex(self.challenge, r"^<[A-Za-z0-9+/]{24}\.[0-9]+@localhost>$")
        digest = digest or hmac.new(password.encode(), self.challenge.encode(), CRAM[mechanism]).hexdigest()
        return s.cmd(coded(f"{user} {digest}"))[0]

    def test_off(self):
        s = self.session(AUTHMECHANISMS="", SECUREAUTH="0")
        self.assertIn("AUTH PLAIN LOGIN", s.cmd("EHLO x")[1])
        for mechanism in [*CRAM, "CRAM-RIPEMD", "DIGEST-MD5"]:
            self.assertEqual(s.cmd("AUTH " + mechanism)[0], 504)
        s = self.session(DISABLE_CRAM_MD5="1", DISABLE_DIGEST_MD5="1", AUTHMECHANISMS="cram-md5 DIGEST-MD5,CRAM-SHA256")
        self.assertIn("AUTH CRAM-SHA256", s.cmd("EHLO x")[1])
        with self.root.smtp(self.auth, AUTHMECHANISMS="CRAM-MD4") as s:
            self.assertEqual(s.reply()[0], 421)
            self.assertTrue(s.exits(1))
            self.assertIn("authmechanisms", s.logged())

    def test_cram(self):
        methods = {"CRAM-MD5": 3, "CRAM-SHA1": 4, "CRAM-SHA224": 5, "CRAM-SHA256": 6, "CRAM-SHA384": 7, "CRAM-SHA512": 8}
        challenges = set()
        for mechanism, method in methods.items():
            with self.subTest(mechanism):
                s = self.session()
                self.assertEqual(self.cram(s, mechanism, "Secret"), 535)
                self.assertEqual(self.cram(s, mechanism), 235)
                fields = self.given()[-1]["data"].split("\0")
                self.assertEqual((fields[0], fields[1], fields[3], len(fields)), ("joe", self.challenge, chr(method), 5))
                self.assertEqual([s.cmd(l)[0] for l in (M, "RCPT TO:<a@example.org>")], [250, 250])
                challenges.add(self.challenge)
        self.assertEqual(len(challenges), len(CRAM))
        self.assertEqual(self.cram(self.session(), "CRAM-RIPEMD", digest="12" * 20), 235)
        self.assertEqual(self.cram(self.session(), "CRAM-RIPEMD", digest="13" * 20), 535)

    def test_cram_malformed(self):
        s = self.session()
        self.assertEqual(s.cmd("AUTH CRAM-MD5 " + coded("joe x"))[0], 501)
        for answer in ("", "joe", "joe ", " " + "0" * 32, "joe " + "0" * 31, "joe " + "0" * 33, "joe " + "G" * 32, "joe " + "A" * 32):
            self.assertEqual(s.cmd("AUTH CRAM-MD5")[0], 334)
            self.assertEqual(s.cmd(coded(answer))[0], 501)
        self.assertFalse(os.path.exists(self.seen))

    def test_replay(self):
        s = self.session()
        self.assertEqual(s.cmd("AUTH CRAM-MD5")[0], 334)
        code, text = self.session().cmd("AUTH CRAM-MD5")
        old = hmac.new(b"secret", base64.b64decode(text[0]), "md5").hexdigest()
        self.assertEqual(s.cmd(coded("joe " + old))[0], 535)

    def digest(self, s, spoil=lambda f: f, password="secret"):
        code, text = s.cmd("AUTH DIGEST-MD5")
        self.assertEqual(code, 334)
        c = dict(re.findall(r'([a-z-]+)="?([^",]*)"?', base64.b64decode(text[0]).decode()))
        self.assertEqual((c["realm"], c["qop"], c["algorithm"], c["charset"]), ("localhost", "auth", "md5-sess", "utf-8"))
        f = {"username": '"joe"', "realm": '"localhost"', "nonce": f'"{c["nonce"]}"', "nc": "00000001", "cnonce": '"abc"', "qop": "auth",
             "digest-uri": '"smtp/localhost"', "charset": "utf-8"}
        h = lambda t: hashlib.md5(t).digest()
        x = lambda t: h(t).hex()
        a1 = x(h(f"joe:localhost:{password}".encode()) + f":{c['nonce']}:abc".encode())
        f["response"] = x(f"{a1}:{c['nonce']}:00000001:abc:auth:{x(b'AUTHENTICATE:smtp/localhost')}".encode())
        self.rspauth = x(f"{a1}:{c['nonce']}:00000001:abc:auth:{x(b':smtp/localhost')}".encode())
        return s.cmd(coded(",".join(f"{k}={v}" for k, v in spoil(f).items())))

    def test_digest(self):
        s = self.session()
        self.assertEqual(self.digest(s, password="wrong")[0], 535)
        code, text = self.digest(s)
        self.assertEqual((code, base64.b64decode(text[0]).decode()), (334, "rspauth=" + self.rspauth))
        self.assertEqual(s.cmd("")[0], 235)
        fields = self.given()[-1]["data"].split("\0")
        self.assertEqual((fields[0], len(fields[1]), fields[3]), ("joe", 32, "\n"))
        self.assertRegex(fields[2], r'^realm="localhost",nonce="[^"]{32}",cnonce="abc",nc=00000001,qop=auth,digest-uri="smtp/localhost",charset=utf-8$')
        refused = {
            501: [{"username": '""'}, {"qop": "auth-int"}, {"charset": "latin1"}, {"response": "x"}, {"cnonce": '""'}, {"authzid": '"jim"'},
                  {"username": '"joe'}],
            535: [{"nonce": '"other"'}, {"nc": "00000002"}, {"realm": '"other"'}, {"digest-uri": '"imap/localhost"'},
                  {"digest-uri": '"smtp/elsewhere.example"'}, {"response": "0" * 32}, {"cnonce": '"abd"'}],
        }
        for code, changes in refused.items():
            for change in changes:
                with self.subTest(change):
                    self.assertEqual(self.digest(self.session(), lambda f: {**f, **change})[0], code)
        # a program that is right and says nothing
        mute = self.session(["localhost", self.checker, self.root.path("mute.json"), "joe", "/bin/false"])
        self.assertEqual(self.digest(mute)[0], 454)

    def test_every_module_in_turn(self):
        """Each program runs the next for a name it does not know, with the same on descriptor 3."""
        self.root.add_domain()
        self.root.add_user("ann")
        self.root.start_lookup()
        chain = ["localhost", os.path.join(BIN, "vchkpass"), self.checker, self.seen, "jim", self.checker, self.seen, "joe", "/bin/false"]
        for user, password, code, asked in (("ann@example.com", "secret", 235, []), ("jim", "secret", 235, ["jim"]),
                                            ("joe", "secret", 235, ["jim", "joe"]), ("joe", "wrong", 535, ["jim", "joe"]),
                                            ("ann@example.com", "wrong", 535, ["jim", "joe"])):
            with self.subTest((user, password)):
                s = self.session(chain, SECUREAUTH="0")
                self.assertEqual(s.cmd("AUTH PLAIN " + plain(user, password))[0], code)
                self.assertEqual([g["me"] for g in self.given()] if asked else [], asked)
                if os.path.exists(self.seen):
                    os.unlink(self.seen)
        s = self.session(chain)
        self.assertEqual(self.cram(s, "CRAM-SHA256"), 235)
        self.assertEqual([g["me"] for g in self.given()], ["jim", "joe"])

    def test_limits(self):
        s = self.session(MAXAUTHTRIES="2")
        self.assertEqual(self.cram(s, "CRAM-MD5", "x"), 535)
        self.assertEqual(self.cram(s, "CRAM-MD5", "x"), 535)
        self.assertEqual(s.reply()[0], 421)
        self.assertTrue(s.ended())

    def test_growing_delay(self):
        s = self.session(PENALTY="1")
        taken = []
        for _ in range(2):
            start = time.monotonic()
            self.assertEqual(self.cram(s, "CRAM-MD5", "x"), 535)
            taken.append(time.monotonic() - start)
        self.assertTrue(1 <= taken[0] < 2 <= taken[1], taken)

    def test_clients(self):
        port = self.root.listen("qmail-smtpd", *self.auth, STARTTLS="1", SECUREAUTH="0", TCPLOCALHOST="localhost", QMAILQUEUE=self.root.queue,
                                QQ_DIR=self.root.path("qq")).port
        message = self.root.path("message")
        with open(message, "w", newline="\r\n") as f:
            f.write("Subject: hello\n\nbody\n")
        swaks = lambda m, p: ["swaks", "--server", f"127.0.0.1:{port}", "--auth", m, "--auth-user", "joe", "--auth-password", p, "--from",
                              "joe@example.com", "--to", "a@example.org"]
        curl = lambda m, p: ["curl", "-sv", "--ssl-reqd", "--cacert", self.cert, "--login-options", f"AUTH={m}", "--user", f"joe:{p}",
                             "--mail-from", "joe@example.com", "--mail-rcpt", "a@example.org", "--upload-file", message, f"smtp://localhost:{port}"]
        gsasl = lambda m, p: ["gsasl", "--smtp", f"--connect=localhost:{port}", f"--x509-ca-file={self.cert}", "--hostname=localhost", "--realm=localhost",
                              "--service=smtp", "-m", m, "-a", "joe", "-z", "joe", "-p", p, "--quality-of-protection=qop-auth", "--verbose"]
        sent = 0
        for client, mechanisms in ((swaks, ("CRAM-MD5", "CRAM-SHA1")), (curl, ("CRAM-MD5", "DIGEST-MD5")), (gsasl, ("CRAM-MD5", "DIGEST-MD5"))):
            if not shutil.which(client("", "")[0]):
                continue
            for mechanism in mechanisms:
                for password in ("secret", "wrong"):
                    with self.subTest((client("", "")[0], mechanism, password)):
                        p = subprocess.run(client(mechanism, password), input=b"", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
                        self.assertEqual(p.returncode == 0, password == "secret", p.stdout.decode())
                        sent += p.returncode == 0 and client is not gsasl
        self.assertEqual(len(self.root.messages()), sent)
        for password in ("secret", "wrong"):
            with smtplib.SMTP("localhost", port, timeout=20) as s:
                s.ehlo()
                s.user, s.password = "joe", password
                if password == "secret":
                    self.assertEqual(s.auth("CRAM-MD5", s.auth_cram_md5)[0], 235)
                else:
                    with self.assertRaises(smtplib.SMTPAuthenticationError):
                        s.auth("CRAM-MD5", s.auth_cram_md5)


class ResidentChallenge(Challenge):
    resident = True
    test_clients = None  # of tcpserver's


if __name__ == "__main__":
    unittest.main()
