"""imaplogin, pop3login, vchkpass: the dialogue before login, TLS, what the mail server is given, and
Courier's own servers behind them."""
import base64, imaplib, os, socket, subprocess, unittest
from box import wait_for
from usersite import HASH, Raw, UserSite, client_context

IMAPD, POP3D = "/usr/bin/imapd", "/usr/lib/courier/courier/courierpop3d"

# Stands for a mail server: says how it was started, then echoes.
SERVER = """#!/usr/bin/env python3
import os, sys
e = os.environ
tag = e.get("IMAPLOGINTAG")
keys = ("AUTHENTICATED", "AUTHADDR", "AUTHFULLNAME", "HOME", "MAILDIR", "MAILDIRQUOTA", "PROTOCOL", "TCPREMOTEIP", "AUTHSERVICE")
for k in keys:
    sys.stdout.write("* %s=%s\\r\\n" % (k, e.get(k)))
sys.stdout.write("* ARGV=%s CWD=%s UID=%d FDS=%s SECRET=%s\\r\\n" % (sys.argv[1:], os.getcwd(), os.getuid(),
    sorted(f for f in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + f)), "secret" in str(dict(e))))
sys.stdout.write("%s OK ready\\r\\n" % tag if tag else "+OK ready\\r\\n")
sys.stdout.flush()
while True:
    b = os.read(0, 100)
    if not b: break
    os.write(1, b)
"""


def plain(user, password, authz=""):
    return base64.b64encode(f"{authz}\0{user}\0{password}".encode()).decode()


class Site(unittest.TestCase):
    def setUp(self):
        self.site = UserSite(privileged=self.privileged)
        self.addCleanup(self.site.close)
        self.site.add_domain()
        self.site.add_user("alice", "-q", "10M,100", "-c", "Alice")
        self.site.start_lookup("-i", "1", "-p", "1")
        self.server = self.site.path("server")
        with open(self.server, "w") as f:
            f.write(SERVER)
        os.chmod(self.server, 0o755)

    privileged = False

    def imap_raw(self, **env):
        return self.site.listen("imaplogin", self.server, "Maildir", **{"ALLOW_PLAINTEXT": "1", **env}).raw()

    def pop3_raw(self, **env):
        return self.site.listen("pop3login", self.server, "Maildir", **{"ALLOW_PLAINTEXT": "1", **env}).raw()

    def facts(self, lines):
        return dict(l[2:].split("=", 1) for l in lines if l.startswith("* ") and "=" in l)


class Addresses(Site):
    def test_name_alone(self):
        """The domain of a login without one follows from the address of ours; one that is given stays."""
        s = self.site
        s.add_domain("other.example")
        s.add_user("alice@other.example")
        s.ok("vipmap", "-i", "192.0.2.1", "example.com")
        s.ok("vipmap", "-i", "192.0.2.2", "other.example")
        for here, name, want in (("192.0.2.1", "alice", "alice@example.com"), ("192.0.2.2", "alice", "alice@other.example"),
                                 ("192.0.2.2", "alice@example.com", "alice@example.com"), ("192.0.2.3", "alice", None)):
            for command in (f"t LOGIN {name} secret", f"t AUTHENTICATE PLAIN {plain(name, 'secret')}"):
                with self.subTest((here, command)), self.imap_raw(TCPLOCALIP=here) as c:
                    c.line()
                    c.send(command + "\r\n")
                    lines = c.until("t ")
                    self.assertEqual(self.facts(lines).get("AUTHADDR"), want)
            with self.subTest((here, name, "pop3")), self.pop3_raw(TCPLOCALIP=here) as c:
                c.line()
                c.send(f"USER {name}\r\n")
                c.line()
                c.send("PASS secret\r\n")
                self.assertEqual(self.facts(c.until("+OK" if want else "-ERR")).get("AUTHADDR"), want)


class Imap(Site):
    def test_dialogue(self):
        with self.imap_raw() as c:
            self.assertRegex(c.line(), r"^\* OK \[CAPABILITY IMAP4rev1 .* AUTH=SCRAM-SHA-256 .*AUTH=PLAIN AUTH=LOGIN\]")
            for send, want in (("a1 CAPABILITY", ["* CAPABILITY IMAP4rev1", "a1 OK"]), ("a2 noop", ["a2 OK"]),
                               ('a3 ID ("name" "x" "version" NIL)', ["* ID (", "a3 OK"]), ("a4 ID NIL", ["* ID (", "a4 OK"]),
                               ("a5 SELECT INBOX", ["a5 BAD"]), ("a6 STARTTLS", ["a6 NO"]), ("a7", ["a7 BAD"]),
                               ("(bad NOOP", ["* BAD"]), ("a8 LOGIN alice", ["a8 BAD"]),
                               ("a9 LOGOUT", ["* BYE", "a9 OK"])):
                c.send(send + "\r\n")
                for w in want:
                    self.assertTrue(c.line().startswith(w), (send, w))
            self.assertEqual(c.line(), "")

    def test_login_forms(self):
        a = "alice@example.com"
        for name, pieces in {
            "atoms": [f"t1 LOGIN {a} secret\r\n"],
            "quoted": [f't1 login "{a}" "secret"\r\n'],
            "escaped": [f't1 LOGIN "al\\\\ice@example.com" "secret"\r\n'],
            "upper": ["t1 LOGIN Alice@EXAMPLE.com secret\r\n"],
            "lf": [f"t1 LOGIN {a} secret\n"],
            "literals": [f"t1 LOGIN {{{len(a)}}}\r\n", f"{a} {{6}}\r\n", "secret\r\n"],
            "literal+": [f"t1 LOGIN {{{len(a)}+}}\r\n{a} {{6+}}\r\nsecret\r\n"],
            "plain": ["t1 AUTHENTICATE PLAIN\r\n", plain(a, "secret") + "\r\n"],
            "plain ir": [f"t1 AUTHENTICATE PLAIN {plain(a, 'secret')}\r\n"],
            "plain authz": [f"t1 AUTHENTICATE PLAIN {plain(a, 'secret', a)}\r\n"],
            "login": ["t1 AUTHENTICATE LOGIN\r\n", base64.b64encode(a.encode()).decode() + "\r\n", "c2VjcmV0\r\n"],
        }.items():
            with self.subTest(name), self.imap_raw() as c:
                c.line()
                for piece in pieces[:-1]:
                    c.send(piece)
                    self.assertTrue(c.line().startswith("+ "))
                c.send(pieces[-1])
                lines = c.until("t1")
                if name == "escaped":
                    self.assertIn("t1 NO [AUTHENTICATIONFAILED]", lines[-1])
                    continue
                self.assertEqual(lines[-1], "t1 OK ready", lines)

    def test_what_the_server_gets(self):
        with self.imap_raw() as c:
            c.line()
            # what follows the LOGIN line is the server's
            c.send("tag.7 LOGIN Alice@example.com secret\r\nb NOOP\r\nmore")
            facts = self.facts(c.until("tag.7"))
            home = self.site.home("alice@example.com")
            self.assertEqual(facts["AUTHENTICATED"], "Alice@example.com")
            self.assertEqual(facts["AUTHADDR"], "alice@example.com")
            self.assertEqual(facts["AUTHFULLNAME"], "Alice")
            self.assertEqual((facts["HOME"], facts["MAILDIR"]), (home, home + "/Maildir"))
            self.assertEqual(facts["MAILDIRQUOTA"], "10485760S,100C")
            self.assertEqual((facts["PROTOCOL"], facts["AUTHSERVICE"], facts["TCPREMOTEIP"]), ("IMAP", "imap", "127.0.0.1"))
            uid = os.stat(self.site.db_path()).st_uid
            self.assertEqual(facts["ARGV"], f"['Maildir'] CWD={home} UID={uid} FDS=['0', '1', '2'] SECRET=False")
            self.assertEqual(c.line(), "b NOOP")
            self.assertEqual(c.f.read(4), b"more")
            self.assertEqual(sorted(os.listdir(home + "/Maildir")), ["cur", "new", "tmp"])  # made at first login

    def test_refused(self):
        with self.imap_raw() as c:
            c.line()
            for i, text in enumerate(('LOGIN alice@example.com wrong', 'LOGIN "" ""', 'LOGIN nobody@example.com secret',
                                      f'LOGIN alice@example.com {"x" * 600}')):
                c.send(f"t{i} {text}\r\n")
                lines = c.until(f"t{i}")
                self.assertIn("NO [AUTHENTICATIONFAILED]", lines[-1])
                if i == 2:
                    self.assertTrue(lines[0].startswith("* BYE"))
                    self.assertEqual(c.line(), "")
                    break
        with self.imap_raw() as c:
            c.line()
            for i, (text, want) in enumerate((("AUTHENTICATE CRAM-MD5", "NO"), ("AUTHENTICATE PLAIN !!!", "BAD"),
                                              ("AUTHENTICATE PLAIN =", "BAD"), ("AUTHENTICATE PLAIN AAAA", "NO"),
                                              ("AUTHENTICATE PLAIN " + plain("alice@example.com", "secret", "bob"), "NO"))):
                c.send(f"t{i} {text}\r\n")
                self.assertRegex(c.until(f"t{i}")[-1], f"^t{i} {want}", text)
            c.send("u AUTHENTICATE LOGIN\r\n")
            c.line()
            c.send("*\r\n")
            self.assertTrue(c.line().startswith("u BAD"))
        self.assertIn("login failed user alice@example.com ip 127.0.0.1 tls no", self.site.services[0].logged())
        self.assertNotIn("wrong", self.site.services[0].logged())

    def test_limits(self):
        with self.imap_raw() as c:
            c.line()
            c.send("a NOOP " + "x" * 100000 + "\r\n")
            self.assertTrue(c.line().startswith("* BAD"))
            c.send("b LOGIN {5000}\r\n")
            self.assertTrue(c.line().startswith("b BAD"))
            c.send("c LOGIN {99999999999999999999}\r\n")
            self.assertTrue(c.line().startswith("c BAD"))
            c.send("d LOGIN {5000+}\r\n")
            self.assertTrue(c.line().startswith("* BYE"))
            self.assertEqual(c.line(), "")
        with self.imap_raw() as c:
            c.line()
            for i in range(11):
                c.send("x FROB\r\n")
                got = c.line()
            self.assertTrue(got.startswith("* BYE"))
            self.assertEqual(c.line(), "")
        with self.imap_raw(TIMEOUTLOGIN="1") as c:  # one byte now and then does not help
            c.line()
            try:
                for _ in range(200):
                    c.send("x")
                    c.s.settimeout(0.02)
                    try:
                        self.assertEqual(c.s.recv(1), b"")
                        break
                    except TimeoutError:
                        continue
                else:
                    self.fail("the session did not end")
            except (BrokenPipeError, ConnectionResetError):
                pass

    def test_no_password_in_the_clear(self):
        for env in ({"ALLOW_PLAINTEXT": "0"}, {"TCPREMOTEIP": "192.0.2.1"}):
            with self.subTest(env), self.imap_raw(**env) as c:
                self.assertIn(" LOGINDISABLED]", c.line())
                for text in ("LOGIN alice@example.com secret", "AUTHENTICATE PLAIN " + plain("alice@example.com", "secret")):
                    c.send(f"a {text}\r\n")
                    self.assertIn("a NO [PRIVACYREQUIRED]", c.line())
                for text in ("LOGIN {5}", "login alice@example.com {6}"):  # nor is it asked for
                    c.send(f"b {text}\r\n")
                    self.assertIn("b NO [PRIVACYREQUIRED]", c.line())
                c.send("c NOOP\r\n")
                self.assertIn("c OK", c.line())

    def test_lookup_down(self):
        self.site.lookup.terminate()
        self.site.lookup.wait(10)
        with self.imap_raw() as c:
            c.line()
            c.send("a LOGIN alice@example.com secret\r\n")
            lines = c.until("a ")
            self.assertIn("a NO [UNAVAILABLE]", lines[-1])

    def test_service_refused(self):
        self.site.sql("UPDATE users SET no_imap = 1")
        with self.imap_raw() as c:
            c.line()
            c.send("a LOGIN alice@example.com secret\r\n")
            self.assertIn("a NO [CONTACTADMIN]", c.line())

    def test_tls(self):
        ca = self.site.certificate()
        service = self.site.listen("imaplogin", self.server, "Maildir", STARTTLS="1")
        m = service.imap()
        self.assertIn("STARTTLS", m.capabilities)
        self.assertIn("LOGINDISABLED", m.capabilities)
        m.starttls(client_context(ca))
        self.assertNotIn("STARTTLS", m.capabilities)
        self.assertIn("AUTH=PLAIN", m.capabilities)
        self.assertEqual(m.login("alice@example.com", "secret")[0], "OK")
        m.shutdown()
        service = self.site.listen("imaplogin", self.server, "Maildir", IMAPS="1")
        m = service.imap(client_context(ca))
        self.assertEqual(m.login("alice@example.com", "secret")[0], "OK")
        m.shutdown()
        wait_for(lambda: "tls yes" in service.logged())
        # what was sent in the clear behind STARTTLS is not taken for something said inside TLS
        with self.site.services[0].raw() as c:
            c.line()
            c.send("a STARTTLS\r\nb LOGIN alice@example.com secret\r\n")
            self.assertTrue(c.line().startswith("a OK"))
            rest = b""
            try:
                while True:
                    b = c.s.recv(1000)
                    if not b:
                        break
                    rest += b
            except ConnectionResetError:
                pass
            self.assertNotIn(b"b ", rest)

    def test_modules(self):
        """With module words between, credentials go down the chain on descriptor 3."""
        module = self.site.path("module")
        with open(module, "w") as f:
            f.write("#!/usr/bin/env python3\nimport os, sys\ndata = os.read(3, 512)\n"
                    "service, kind, user, password = data.decode().split('\\n')[:4]\n"
                    "if password == 'right':\n"
                    "    os.environ.update(AUTHENTICATED=user, AUTHADDR=user, HOME='/', MAILDIR='/')\n"
                    "    os.execv(sys.argv[-2], sys.argv[-2:])\n"
                    "argv = [os.environ['AUTHARGV%d' % i] for i in range(int(os.environ['AUTHARGC']))]\n"
                    "os.execv(os.environ['AUTHUSER'], argv)\n")
        os.chmod(module, 0o755)
        service = self.site.listen("imaplogin", module, "second", self.server, "Maildir", ALLOW_PLAINTEXT="1")
        with service.raw() as c:
            c.line()
            c.send("t1 LOGIN joe wrong\r\n")
            self.assertIn("t1 NO [AUTHENTICATIONFAILED]", c.line())  # and no second greeting
            c.send("t2 LOGIN joe right\r\n")
            self.assertEqual(c.until("t2")[-1], "t2 OK ready")
        service = self.site.listen("pop3login", module, self.server, "Maildir", ALLOW_PLAINTEXT="1")
        with service.raw() as c:
            c.line()
            c.send("USER joe\r\nPASS wrong\r\nUSER joe\r\nPASS right\r\n")
            self.assertTrue(c.line().startswith("+OK"))
            self.assertTrue(c.line().startswith("-ERR [AUTH]"))
            self.assertTrue(c.line().startswith("+OK"))
            self.assertEqual(c.until("+OK")[-1], "+OK ready")

    def test_whom_a_proxy_speaks_for(self):
        """Who is at the other end, by the PROXY protocol, ID and XCLIENT, from those we trust."""
        header = "PROXY TCP4 192.0.2.7 192.0.2.1 4567 143\r\n"
        login = "t1 LOGIN alice@example.com secret\r\n"
        for trusted in ("127.0.0.1", "127.0.0.0/8"):
            with self.imap_raw(PROXYHOSTS=self.listed(trusted)) as c:
                c.send(header)
                self.assertIn("LOGINDISABLED", c.line())  # the client itself is not on this host
        with self.imap_raw(PROXYHOSTS=self.listed("127.0.0.1")) as c:
            c.send("PROXY UNKNOWN\r\n" + login)
            self.assertIn("OK", c.line())
            self.assertEqual(self.facts(c.until("t1"))["TCPREMOTEIP"], "127.0.0.1")
        with self.imap_raw(PROXYHOSTS=self.listed("127.0.0.1")) as c:
            c.send("a NOOP\r\n")
            self.assertEqual(c.line(), "")
        with self.imap_raw(PROXYHOSTS=self.listed("192.0.2.1")) as c:
            c.line()
            c.send(header)
            self.assertIn("BAD", c.line())
        ca = self.site.certificate()
        service = self.site.listen("imaplogin", self.server, "Maildir", IMAPS="1", PROXYHOSTS=self.listed("127.0.0.1"))
        s = socket.create_connection(("127.0.0.1", service.port), timeout=20)
        s.sendall(header.encode())
        with Raw(client_context(ca).wrap_socket(s, server_hostname="localhost")) as c:
            c.line()
            c.send(login)
            self.assertEqual(self.facts(c.until("t1"))["TCPREMOTEIP"], "192.0.2.7")
        wait_for(lambda: "login user alice@example.com ip 192.0.2.7 tls yes" in service.logged())
        said = 'i ID ("name" "proxy" "x-originating-ip" "192.0.2.9" "x-originating-port" "99")\r\n'
        with self.imap_raw(XCLIENTHOSTS=self.listed("127.0.0.1")) as c:
            c.line()
            c.send(said.replace("192.0.2.9", "nonsense"))
            self.assertTrue(c.line().startswith("i BAD"))
            c.send(said)
            self.assertTrue(c.until("i ")[-1].startswith("i OK"))
            c.send(said.replace("192.0.2.9", "192.0.2.10"))  # one client, not one after another
            self.assertTrue(c.until("i ")[-1].startswith("i OK"))
            c.send(login)
            self.assertEqual(self.facts(c.until("t1"))["TCPREMOTEIP"], "192.0.2.9")
        with self.imap_raw() as c:
            c.line()
            c.send(said + login)
            self.assertEqual(self.facts(c.until("t1"))["TCPREMOTEIP"], "127.0.0.1")
        with self.pop3_raw(XCLIENTHOSTS=self.listed("127.0.0.1")) as c:
            c.line()
            c.send("XCLIENT ADDR=x\r\nXCLIENT NAME=a\r\nXCLIENT ADDR=IPV6:2001:db8::7 PORT=99\r\nXCLIENT ADDR=192.0.2.1\r\n")
            self.assertEqual([c.line()[:4] for _ in range(4)], ["-ERR", "-ERR", "+OK", "-ERR"])
            c.send("USER alice@example.com\r\nPASS secret\r\n")
            c.line()
            self.assertEqual(self.facts(c.until("+OK"))["TCPREMOTEIP"], "2001:db8::7")
        with self.pop3_raw() as c:
            c.line()
            c.send("XCLIENT ADDR=192.0.2.1\r\n")
            self.assertTrue(c.line().startswith("-ERR"))

    def listed(self, text):
        """Name of a control file with this line."""
        with open(self.site.path("control", "proxies"), "w") as f:
            f.write(text + "\n")
        return "proxies"

    def test_start(self):
        for env in ({"TCPREMOTEIP": None}, {"TCPREMOTEIP": "x"}):
            for program in ("imaplogin", "pop3login"):
                p = self.site.run([program, self.server, "Maildir"], env=self.site.env(**env))
                self.assertEqual((p.returncode, p.stderr.count(b"\n")), (111, 1))
        # on pipes too, byte by byte
        p = self.site.run(["imaplogin", self.server, "Maildir"], input=b"a LOGIN alice@example.com secret\r\nrest",
                          env=self.site.env(TCPREMOTEIP="::1", ALLOW_PLAINTEXT="1"))
        self.assertIn(b"a OK ready\r\nrest", p.stdout)


class Pop3(Site):
    def test_dialogue(self):
        with self.pop3_raw() as c:
            self.assertTrue(c.line().startswith("+OK"))
            c.send("CAPA\r\n")
            lines = c.until(".")
            self.assertIn("SASL SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN", lines)
            self.assertIn("USER", lines)
            self.assertNotIn("STLS", lines)
            for send, want in (("NOOP", "+OK"), ("STAT", "-ERR"), ("PASS x", "-ERR"), ("USER", "-ERR"), ("", "-ERR"),
                               ("STLS", "-ERR"), ("AUTH CRAM-MD5", "-ERR"), ("USER alice@example.com", "+OK"),
                               ("PASS wrong", "-ERR [AUTH]"), ("PASS secret", "-ERR"), ("QUIT", "+OK")):
                c.send(send + "\r\n")
                self.assertTrue(c.line().startswith(want), send)
            self.assertEqual(c.line(), "")

    def test_logins(self):
        for pieces in (["user alice@example.com\r\n", "pass secret\r\n"], ["AUTH PLAIN\r\n", plain("alice@example.com", "secret") + "\r\n"],
                       [f"AUTH PLAIN {plain('alice@example.com', 'secret')}\r\n"],
                       ["AUTH LOGIN\r\n", base64.b64encode(b"alice@example.com").decode() + "\r\n", "c2VjcmV0\r\n"]):
            with self.subTest(pieces), self.pop3_raw() as c:
                c.line()
                for piece in pieces[:-1]:
                    c.send(piece)
                    self.assertTrue(c.line().startswith("+"))
                c.send(pieces[-1] + "after")
                facts = self.facts(c.until("+OK"))
                self.assertEqual((facts["AUTHADDR"], facts["PROTOCOL"], facts["AUTHSERVICE"]), ("alice@example.com", "POP3", "pop3"))
                self.assertEqual(c.f.read(5), b"after")

    def test_password_with_blanks(self):
        self.site.ok("vpasswd", "-h", "SHA-256", "alice@example.com", "-", input=b" two  words \n")
        with self.pop3_raw() as c:
            c.line()
            c.send("USER alice@example.com\r\nPASS  two  words \r\n")
            c.line()
            self.assertEqual(c.until("+OK")[-1], "+OK ready")

    def test_tls(self):
        ca = self.site.certificate()
        service = self.site.listen("pop3login", self.server, "Maildir", STARTTLS="1")
        with service.raw() as c:
            c.line()
            for text in ("USER alice@example.com", "AUTH PLAIN " + plain("alice@example.com", "secret")):
                c.send(text + "\r\n")
                self.assertEqual(c.line(), "-ERR no password without TLS")
        m = service.pop3()
        self.assertIn("STLS", m.capa())
        m.stls(client_context(ca))
        self.assertNotIn("STLS", m.capa())
        m.user("alice@example.com")
        m.close()
        service = self.site.listen("pop3login", self.server, "Maildir", POP3S="1")
        m = service.pop3(client_context(ca))
        self.assertTrue(m.user("alice@example.com").startswith(b"+OK"))
        m.close()


class Admission(Site):
    """User and password are right; may it come in?"""

    def answer(self, program="imaplogin", **env):
        if program == "imaplogin":
            with self.imap_raw(**env) as c:
                c.line()
                c.send("a LOGIN alice@example.com secret\r\n")
                return c.until("a ")[-1]
        with self.pop3_raw(**env) as c:
            c.line()
            c.send("USER alice@example.com\r\nPASS secret\r\n")
            c.line()
            return c.until("+OK" if not c.f.peek(1).startswith(b"-") else "-ERR")[-1]

    def restart(self, **env):
        self.site.lookup.terminate()
        self.site.lookup.wait(10)
        self.site.start_lookup("-i", "1", "-p", "1", **env)

    def test_nologin(self):
        for group, gecos in (("example.com", "Alice"), ("Staff", "Staff")):
            self.site.sql("UPDATE users SET gecos = ?", gecos)
            for service, program, other in (("imap", "imaplogin", "pop3login"), ("pop3", "pop3login", "imaplogin")):
                path = self.site.path("control", group, service, "nologin")
                os.makedirs(os.path.dirname(path), exist_ok=True)
                open(path, "w").close()
                self.assertIn("logins are closed", self.answer(program))
                self.assertIn("OK ready", self.answer(other))
                self.assertIn("login refused user alice@example.com ip 127.0.0.1 logins are closed", self.site.services[-2].logged())
                os.unlink(path)
        # a name that is none of a file closes nothing
        for gecos in ("../control/x", ".", "", "a/b"):
            self.site.sql("UPDATE users SET gecos = ?", gecos)
            self.assertIn("OK ready", self.answer())

    def test_switched_off(self):
        self.site.sql("UPDATE users SET no_pop = 1")
        self.assertEqual(self.answer("pop3login"), "-ERR [SYS/PERM] this service is switched off for the user")
        self.assertIn("OK ready", self.answer())

    def test_limits(self):
        for column, why in (("domain_expiry", "the domain has expired"), ("passwd_expiry", "the password has expired")):
            self.site.sql("DELETE FROM vlimits")
            self.site.sql(f"INSERT INTO vlimits (domain, {column}) VALUES ('example.com', 1000)")
            self.assertIn("OK ready", self.answer())  # they do not hold
            self.site.ok("vmoddomain", "-l", "1", "example.com")
            self.assertIn("[CONTACTADMIN] " + why, self.answer())
            self.site.sql("UPDATE users SET override_limits = 1")
            self.assertIn("OK ready", self.answer())
            self.site.sql("UPDATE users SET override_limits = 0")
            self.site.sql(f"UPDATE vlimits SET {column} = 4000000000")
            self.assertIn("OK ready", self.answer())
            self.site.sql(f"UPDATE vlimits SET {column} = 1000")
            self.site.ok("vmoddomain", "-l", "0", "example.com")
            self.restart(DOMAIN_LIMITS="1")
            self.assertIn("[CONTACTADMIN] " + why, self.answer())
            self.restart()

    def test_interval(self):
        self.restart(MIN_LOGIN_INTERVAL="1000")
        self.assertIn("OK ready", self.answer())
        self.assertIn("[UNAVAILABLE]", self.answer())
        self.assertIn("the last login was too short a time ago", self.site.services[-1].logged())
        self.assertIn("OK ready", self.answer("pop3login"))  # another service
        self.site.sql("UPDATE lastauth SET at = at - 1001")
        self.assertIn("OK ready", self.answer())

    def test_not_recorded(self):
        self.restart(NOLASTAUTH="1")
        self.assertIn("OK ready", self.answer())
        self.assertEqual(self.site.sql("SELECT service FROM lastauth WHERE service = 'imap'"), [])
        self.restart()
        self.assertIn("OK ready", self.answer())
        self.assertEqual(self.site.sql("SELECT service FROM lastauth WHERE service = 'imap'"), [("imap",)])


class Tasks(Site):
    """POSTAUTH and MIGRATEUSER."""

    TASK = """#!/usr/bin/env python3
import os, sys
with open({seen!r}, "a") as f:
    e = os.environ
    f.write(repr((sys.argv[1:], os.getcwd(), e["PWSTRUCT"], e["AUTHADDR"], e["AUTHSERVICE"], "secret" in str(dict(e)), sys.stdin.read(),
                   e.get("LAST_PASSWORD_CHANGE"))) + "\\n")
sys.exit(int(open({code!r}).read()))
"""

    def setUp(self):
        super().setUp()
        self.seen, self.code = self.site.path("seen"), self.site.path("code")
        open(self.seen, "w").close()
        os.chmod(self.seen, 0o666)
        self.task = self.site.path("task")
        with open(self.task, "w") as f:
            f.write(self.TASK.format(seen=self.seen, code=self.code))
        os.chmod(self.task, 0o755)
        with open(self.site.path("message"), "w") as f:
            f.write("we are tidying up\nmore\n")
        self.home = self.site.home("alice@example.com")

    def ends(self, code):
        with open(self.code, "w") as f:
            f.write(str(code))
        self.runs = open(self.seen).read().count("\n")

    def imap(self, code, **env):
        self.ends(code)
        with self.imap_raw(**env) as c:
            c.line()
            c.send("a LOGIN alice@example.com secret\r\n")
            lines = c.until("a ")
        self.ran = open(self.seen).read().count("\n") - self.runs
        return lines

    def test_postauth(self):
        env = {"POSTAUTH": self.task, "TMP_MAILDIR": self.site.path("aside"), "MSG_ONERROR": self.site.path("message")}
        os.mkdir(self.site.path("aside"))
        os.chmod(self.site.path("aside"), 0o777)
        lines = self.imap(0, **env)
        self.assertEqual((self.facts(lines)["HOME"], self.ran), (self.home, 1))
        uid = os.stat(self.site.db_path()).st_uid
        gid = os.stat(self.site.db_path()).st_gid
        self.assertEqual(eval(open(self.seen).read()),
                         (["alice@example.com", self.home], self.home, f"alice@example.com:x:{uid}:{gid}:Alice:{self.home}:10485760S,100C:0",
                          "alice@example.com", "imap", False, "", None))
        self.site.ok("vpasswd", "alice@example.com", input=b"secret\n")
        at = self.site.sql("SELECT at FROM lastauth WHERE service = 'pass'")[0][0]
        self.imap(0, **env)
        self.assertEqual(eval(open(self.seen).read().splitlines()[-1])[-1], str(at))
        for code in (2, 3):
            lines = self.imap(code, **env)
            facts = self.facts(lines)
            self.assertEqual((facts["HOME"], facts["MAILDIR"]), (env["TMP_MAILDIR"], env["TMP_MAILDIR"] + "/Maildir"))
            self.assertIn(f"CWD={env['TMP_MAILDIR']}", facts["ARGV"])
            self.assertEqual(lines[0].startswith("* OK [ALERT] we are"), code == 3)
        self.assertEqual(self.facts(self.imap(2, POSTAUTH=self.task))["HOME"], self.home)
        lines = self.imap(3, EXIT_ONERROR="1", **env)
        self.assertRegex(lines[-1], r"^a NO \[CONTACTADMIN\] we are")
        self.assertIn("login refused user alice@example.com ip 127.0.0.1 we are", self.site.services[-1].logged())
        self.assertEqual(self.imap(3, POSTAUTH=self.task, EXIT_ONERROR="1"), ["a NO [CONTACTADMIN] the mailbox is closed"])
        # one that fails otherwise, or is not there, keeps nobody out
        for env, said in (({"POSTAUTH": self.task}, "ended with code 111"), ({"POSTAUTH": "/nonexistent"}, "/nonexistent"),
                          ({"POSTAUTH": self.task, "MSG_ONERROR": "/nonexistent/m"}, "ended with code 111")):
            self.assertEqual(self.imap(111, **env)[-1], "a OK ready")
            self.assertIn(said, self.site.services[-1].logged())
        with self.pop3_raw(POSTAUTH=self.task, EXIT_ONERROR="1", MSG_ONERROR=self.site.path("message")) as c:
            self.ends(3)
            c.line()
            c.send("USER alice@example.com\r\nPASS secret\r\n")
            c.line()
            self.assertTrue(c.line().startswith("-ERR [SYS/PERM] we are"))

    def test_migrateuser(self):
        for flag in ("Qmail.txt", "done"):
            env = {"MIGRATEUSER": self.task, "MIGRATEFLAG": flag if flag == "done" else None}
            for code, ran in ((1, 1), (2, 1), (0, 1), (0, 0)):
                self.assertEqual(self.imap(code, **env)[-1], "a OK ready")
                self.assertEqual(self.ran, ran, (flag, code))
            self.assertEqual(os.stat(os.path.join(self.home, flag)).st_size, 0)


@unittest.skipUnless(os.geteuid() == 0, "needs root: the login programs give up root")
class AsRoot(Site):
    privileged = True

    def test_becomes_the_owner(self):
        s = self.site
        s.ok("vadddomain", "-e", "-i", "4321", "-g", "4322", "own.example", "-", input=HASH.encode())
        with self.imap_raw() as c:
            c.line()
            c.send("a LOGIN postmaster@own.example secret\r\n")
            facts = self.facts(c.until("a "))
            self.assertIn("UID=4321", facts["ARGV"])
        st = os.stat(s.home("postmaster@own.example") + "/Maildir")
        self.assertEqual((st.st_uid, st.st_gid), (4321, 4322))
        # inlookup sees the files of the domain's directory all the same
        self.assertEqual(s.query("user", "stray@own.example"), (1, ["none"]))
        s.ok("vmoddomain", "-l", "1", "own.example")
        s.ok("vmoddomain", "-h", "postmaster@own.example", "own.example")
        self.assertEqual(s.query("user", "stray@own.example"), (0, ["ok", "alias"]))
        s.sql("INSERT INTO vlimits (domain, domain_expiry) VALUES ('own.example', 1000)")
        with self.imap_raw() as c:
            c.line()
            c.send("a LOGIN postmaster@own.example secret\r\n")
            self.assertIn("the domain has expired", c.until("a ")[-1])


class Checkpassword(Site):
    def check(self, data, *argv, **env):
        return self.site.checker(["vchkpass", *argv], data, **env)

    def test_codes(self):
        good = b"alice@example.com\0secret\0\0"
        for data, code in ((good, 0), (good + b"\x01\0", 0), (good + b"\x02\0", 0), (b"alice@example.com\0wrong\0\0", 1),
                           (b"nobody@example.com\0secret\0\0", 1), (b"\0\0\0", 1), (b"alice@example.com\0secret\0", 0),
                           (b"alice@example.com\0<challenge>\0digest\0\x03\0", 1), (b"alice@example.com\0secret", 2), (b"", 2),
                           (b"x" * 600, 2), (b"a\0b\0" + b"c" * 510, 2)):
            self.assertEqual(self.check(data).returncode, code, data[:60])
        self.site.sql("UPDATE users SET no_relay = 1 WHERE name = 'alice'")
        self.assertEqual(self.check(good).returncode, 3)
        self.site.sql("UPDATE users SET no_smtp = 1 WHERE name = 'alice'")
        self.assertEqual(self.check(good).returncode, 1)
        self.assertEqual(self.check(good, AUTHSERVICE="pop3").returncode, 3)
        self.site.lookup.terminate()
        self.site.lookup.wait(10)
        p = self.check(good)
        self.assertEqual((p.returncode, p.stderr.count(b"\n")), (111, 1))

    def test_name_alone(self):
        self.site.ok("vipmap", "-i", "192.0.2.1", "example.com")
        for here, code in (("192.0.2.1", 0), ("192.0.2.2", 1), ("", 1)):
            self.assertEqual(self.check(b"alice\0secret\0\0", TCPLOCALIP=here).returncode, code, here)

    def test_chain(self):
        """What we do not accept is the next program's, with the same bytes; "true" never makes a success of it."""
        nxt = self.site.path("next")
        with open(nxt, "w") as f:
            f.write("#!/bin/sh\ncat <&3 | od -An -c | tr -d ' \\n'; exit 7\n")
        os.chmod(nxt, 0o755)
        p = self.check(b"other\0secret\0\0\x01\0", nxt)
        self.assertEqual((p.returncode, p.stdout), (7, b"other\\0secret\\0\\0001\\0"))
        self.assertEqual(self.check(b"alice@example.com\0secret\0\0", nxt).returncode, 0)
        self.assertEqual(self.check(b"alice@example.com\0wrong\0\0", "/bin/true").returncode, 1)
        self.assertEqual(self.check(b"alice@example.com\0wrong\0\0", "/bin/false").returncode, 1)
        self.assertEqual(self.check(b"alice@example.com\0wrong\0\0", "/no/such/program").returncode, 111)

    def test_postauth(self):
        """Run for who is let in; what it says is what is said, but relaying it allows nobody."""
        good, seen = b"alice@example.com\0secret\0\0", self.site.path("run", "seen")
        program = self.site.path("program")
        with open(program, "w") as f:
            f.write(f'#!/bin/sh\necho "$@" >> {seen}; cat; cat <&3 >> {seen} 2>/dev/null; echo out; exit ${{CODE-0}}\n')
        os.chmod(program, 0o755)
        for code, expected in (("0", 0), ("1", 1), ("3", 3), ("7", 7), ("111", 111)):
            p = self.check(good, POSTAUTH=program, CODE=code)
            self.assertEqual((p.returncode, p.stdout), (expected, b""), code)
        self.assertEqual(open(seen).read(), "alice@example.com\n" * 5)
        self.assertEqual(self.check(b"alice@example.com\0wrong\0\0", "/bin/false", POSTAUTH=program).returncode, 1)
        self.assertEqual(self.check(good, "/bin/true", POSTAUTH=program, NATIVE_CHECKPASSWORD="1").returncode, 0)
        self.assertEqual(open(seen).read().count("\n"), 5)
        p = self.check(good, POSTAUTH="/no/such/program")
        self.assertEqual((p.returncode, b"/no/such/program" in p.stderr), (111, True))
        self.site.sql("UPDATE users SET no_relay = 1 WHERE name = 'alice'")
        self.assertEqual([self.check(good, POSTAUTH=program, CODE=c).returncode for c in ("0", "1")], [3, 1])

    def test_native(self):
        p = self.check(b"alice@example.com\0secret\0\0", "/bin/sh", "-c", 'echo "$USER $HOME $userdb_uid $userdb_gid $EXTRA"',
                       NATIVE_CHECKPASSWORD="1", EXTRA="more")
        st = os.stat(self.site.db_path())
        self.assertEqual(p.stdout.decode(), f"alice@example.com {self.site.home('alice@example.com')} {st.st_uid} {st.st_gid} "
                                            "userdb_uid userdb_gid more\n")
        self.assertEqual(self.check(b"alice@example.com\0wrong\0\0", "/bin/false", NATIVE_CHECKPASSWORD="1").returncode, 1)


class Courier(Site):
    def deliver(self):
        self.assertEqual(self.site.deliver("alice", b"Subject: first\nFrom: a@b\n\nhello\n").returncode, 0)

    @unittest.skipUnless(os.path.exists(IMAPD), "package courier-imap is not installed")
    def test_imap(self):
        self.deliver()
        m = self.site.listen("imaplogin", IMAPD, "Maildir", ALLOW_PLAINTEXT="1").imap()
        self.assertEqual(m.login("alice@example.com", "secret")[0], "OK")
        self.assertEqual(m.select("INBOX"), ("OK", [b"1"]))
        body = m.fetch("1", "(BODY[])")[1][0][1]
        self.assertIn(b"Delivered-To: example.com-alice@example.com\r\nSubject: first\r\n", body)
        self.assertEqual(m.append("INBOX", None, None, b"Subject: second\r\n\r\nx\r\n")[0], "OK")
        self.assertIn(b"STORAGE", m.getquotaroot("INBOX")[1][1][0])
        self.assertEqual(m.create("INBOX.Work")[0], "OK")
        m.logout()
        # both count the same way
        text = open(self.site.home("alice@example.com") + "/Maildir/maildirsize").read().split("\n")
        self.assertEqual(text[0], "10485760S,100C")
        self.assertEqual(sum(int(l.split()[1]) for l in text[1:] if l), 2)
        self.assertIn("2C", self.site.ok("vuserinfo", "-m", "alice@example.com"))

    @unittest.skipUnless(os.path.exists(IMAPD), "package courier-imap is not installed")
    def test_imap_first_login(self):
        """A Maildir that is not there yet, behind TLS, with a wrong password first."""
        ca = self.site.certificate()
        m = self.site.listen("imaplogin", IMAPD, "Maildir", IMAPS="1").imap(client_context(ca))
        with self.assertRaises(imaplib.IMAP4.error):
            m.login("alice@example.com", "wrong")
        self.assertEqual(m.authenticate("PLAIN", lambda _: b"\0alice@example.com\0secret")[0], "OK")
        self.assertEqual(m.select("INBOX"), ("OK", [b"0"]))
        m.logout()

    @unittest.skipUnless(os.path.exists(POP3D), "package courier-pop is not installed")
    def test_pop3(self):
        self.deliver()
        ca = self.site.certificate()
        for connect in (lambda: self.site.listen("pop3login", POP3D, "Maildir", ALLOW_PLAINTEXT="1").pop3(),
                        lambda: self.site.listen("pop3login", POP3D, "Maildir", POP3S="1").pop3(client_context(ca))):
            m = connect()
            m.user("alice@example.com")
            self.assertTrue(m.pass_("secret").startswith(b"+OK"))
            self.assertEqual(m.stat()[0], 1)
            self.assertIn(b"Subject: first", m.retr(1)[1])
            m.quit()


if __name__ == "__main__":
    unittest.main()
