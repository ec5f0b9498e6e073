"""authindi, the module between a login program and a mail server: what it lets in, what it hands on."""
import os, time, unittest

from box import BIN, wait_for
from usersite import UserSite

AUTHINDI = os.path.join(BIN, "authindi")

# Stands for a mail server: says as whom it was started.
SERVER = """#!/usr/bin/env python3
import os, sys
e = os.environ
tag = e.get("IMAPLOGINTAG")
print(tag + " OK ready" if tag else "+OK ready", *(e.get(n, "-") for n in ("AUTHENTICATED", "AUTHADDR", "AUTHSERVICE", "TCPREMOTEIP")),
      os.path.isdir("Maildir/new"), *sys.argv[1:], end="\\r\\n", flush=True)
"""
# Another module: takes what it was told apart, lets "other" in.
MODULE = """#!/usr/bin/env python3
import os, sys
data = os.read(3, 1000)
open("%s", "ab").write(data + b"--\\n")
fields = data.decode().split("\\n")
if fields[2:4] == ["other", "secret"]:
    os.environ.update(AUTHENTICATED="other", AUTHADDR="other")
    os.execv(sys.argv[-2], sys.argv[-2:])
r, w = os.pipe()
os.write(w, data)
os.close(w)
os.dup2(r, 3)
os.execv(sys.argv[1], sys.argv[1:])
"""


class Authindi(unittest.TestCase):
    def setUp(self):
        self.site = UserSite()
        self.addCleanup(self.site.close)
        self.site.add_domain()
        self.site.add_user("alice")
        self.site.start_lookup()
        self.told = self.site.path("run", "told")
        self.server, self.module = self.site.path("server"), self.site.path("module")
        for path, text in ((self.server, SERVER), (self.module, MODULE % self.told)):
            with open(path, "w") as f:
                f.write(text)
            os.chmod(path, 0o755)

    def imap(self, *modules, **env):
        return self.site.listen("imaplogin", *(modules or (AUTHINDI,)), self.server, "Maildir", ALLOW_PLAINTEXT="1", **env)

    def test_imap(self):
        service = self.imap()
        with service.raw() as c:
            c.line()
            c.send('a1 LOGIN alice@example.com wrong\r\n')
            self.assertIn("a1 NO [AUTHENTICATIONFAILED]", c.line())
            c.send("a2 LOGIN nobody@example.com secret\r\n")
            self.assertIn("a2 NO [AUTHENTICATIONFAILED]", c.line())
            c.send("a3 LOGIN alice@example.com secret\r\n")
            self.assertEqual(c.line(), "a3 OK ready alice@example.com alice@example.com imap 127.0.0.1 True Maildir")
        self.assertIn("AUTHFAILURE", service.logged())
        self.assertIn("authindi: login failed user alice@example.com ip 127.0.0.1 tls no", service.logged())
        self.assertNotIn("secret", service.logged())

    def test_pop3(self):
        service = self.site.listen("pop3login", AUTHINDI, self.server, "Maildir", ALLOW_PLAINTEXT="1")
        with service.raw() as c:
            c.line()
            for password, want in (("wrong", "-ERR [AUTH]"), ("secret", "+OK ready alice@example.com alice@example.com pop3 127.0.0.1 True Maildir")):
                c.send(f"USER alice@example.com\r\nPASS {password}\r\n")
                self.assertTrue(c.line().startswith("+OK"))
                self.assertTrue(c.line().startswith(want))

    def test_chain(self):
        """In front of another module and behind it; odd bytes arrive as they were."""
        with self.imap(AUTHINDI, self.module, AUTHINDI).raw() as c:
            c.line()
            c.send('b1 LOGIN other secret\r\n')
            self.assertEqual(c.line(), "b1 OK ready other other - 127.0.0.1 False Maildir")
        with self.imap(self.module, AUTHINDI).raw() as c:
            c.line()
            c.send('b1 LOGIN "x\' OR 1=1;--" "p \\"w\\\\ \u00e9"\r\n'.encode())
            self.assertIn("b1 NO", c.line())
            c.send('b2 LOGIN alice@example.com secret\r\n')
            self.assertIn("b2 OK ready alice@example.com", c.line())
        self.assertIn("imap\nlogin\nother\nsecret\n--\n", open(self.told).read())
        self.assertIn("imap\nlogin\nx' OR 1=1;--\np \"w\\ \u00e9\n--\n", open(self.told, encoding="utf-8").read())

    def test_dovecot(self):
        """The user, whom Dovecot's programs are told of, is not known yet in front of a module."""
        self.site.control("mailserver", "dovecot\n")
        with open(self.module, "w") as f:
            f.write(f"#!/bin/sh\necho ${{USER-none}} >{self.told}\nexec \"$@\"\n")
        with self.imap(self.module, AUTHINDI, USER="service", AUTHADDR="x@example.com").raw() as c:
            c.line()
            c.send('f1 LOGIN alice@example.com secret\r\n')
            self.assertIn("f1 OK ready alice@example.com alice@example.com imap 127.0.0.1", c.line())
        self.assertEqual(open(self.told).read(), "service\n")

    def test_dovecot_for_another_module(self):
        """Whom a module of the site's own lets in, Dovecot's programs are told of too, and how they are to be run."""
        self.site.control("mailserver", "dovecot\n")
        with open(self.module, "w") as f:
            f.write("#!/bin/sh\nAUTHADDR=other@far.example AUTHENTICATED=other exec \"$@\"\n")
        with open(self.server, "a") as f:
            f.write('print(*(e.get(n, "-") for n in ("USER", "IP", "DOVECOT_PRESERVE_ENVS")), end="\\r\\n", flush=True)\n')
        conf = self.site.path("control", "dovecot.conf")
        with self.imap(self.module, AUTHINDI, USER="service").raw() as c:
            c.line()
            c.send("g1 LOGIN other secret\r\n")
            self.assertEqual(c.line(), f"g1 OK ready other other@far.example - 127.0.0.1 False -c {conf}")
            self.assertEqual(c.line(), "other@far.example 127.0.0.1 IMAPLOGINTAG")
        with self.site.listen("pop3login", self.module, AUTHINDI, self.server, "Maildir", ALLOW_PLAINTEXT="1", USER="service").raw() as c:
            c.line()
            c.send("USER other\r\nPASS secret\r\n")
            self.assertTrue(c.line().startswith("+OK"))
            self.assertEqual([c.line(), c.line(), c.line()], ["+OK logged in", f"+OK ready other other@far.example - 127.0.0.1 False -c {conf}",
                                                              "other@far.example 127.0.0.1 IMAPLOGINTAG"])

    def test_too_often(self):
        """Wrong passwords that modules refuse are counted and paid for like others."""
        with self.imap(MAXLOGINTRIES="2").raw() as c:
            c.line()
            for i in range(2):
                c.send(f"c{i} LOGIN alice@example.com wrong\r\n")
            self.assertTrue(c.line().startswith("c0 NO"))
            self.assertTrue(c.line().startswith("* BYE"))
            self.assertTrue(c.line().startswith("c1 NO"))
            self.assertEqual(c.line(), "")
        service = self.site.listen("pop3login", AUTHINDI, self.server, "Maildir", ALLOW_PLAINTEXT="1", MAXLOGINTRIES="1")
        with service.raw() as c:
            c.line()
            c.send("USER alice@example.com\r\nPASS wrong\r\n")
            self.assertTrue(c.line().startswith("+OK"))
            self.assertTrue(c.line().startswith("-ERR [AUTH]"))
            self.assertEqual(c.line(), "")
        with self.imap(PENALTY="1").raw() as c:
            c.line()
            begin = time.monotonic()
            c.send("d1 LOGIN alice@example.com wrong\r\n")
            self.assertTrue(c.line().startswith("d1 NO"))
            self.assertGreater(time.monotonic() - begin, 0.9)

    def test_barred(self):
        self.site.sql("UPDATE users SET no_imap = 1 WHERE name = 'alice'")
        with self.imap().raw() as c:
            c.line()
            c.send("d1 LOGIN alice@example.com secret\r\n")
            self.assertIn("d1 NO", c.line())
        with self.imap(AUTHINDI, self.module).raw() as c:
            c.line()
            c.send("d1 LOGIN alice@example.com secret\r\n")
            self.assertIn("d1 NO", c.line())
        self.assertFalse(os.path.exists(self.told))  # nobody else was asked

    def test_trouble(self):
        self.site.lookup.terminate()
        self.site.lookup.wait(10)
        service = self.imap(AUTHINDI, self.module)
        with service.raw() as c:
            c.line()
            c.send("e1 LOGIN alice@example.com secret\r\n")
            self.assertIn("e1 NO [UNAVAILABLE]", c.line())
            self.assertEqual(c.line(), "")
        self.assertFalse(os.path.exists(self.told))  # nobody else was asked
        wait_for(lambda: "authindi: warning: unable to ask inlookup" in service.logged(), what="the log")

    def run_module(self, data, *argv, **env):
        return self.site.checker([AUTHINDI, *(argv or (self.server, "Maildir"))], data, TCPREMOTEIP="192.0.2.1", **env)

    def test_by_hand(self):
        for data in (b"", b"imap\nlogin\n", b"imap", b"x" * 600, b"imap\nlogin\na\0b\nsecret\n"):
            self.assertEqual(self.run_module(data).returncode, 2, data[:20])
        # nobody started us who could be started again
        p = self.run_module(b"imap\nlogin\nalice@example.com\nwrong\n")
        self.assertEqual(p.returncode, 111)
        self.assertIn(b"AUTHFAILURE\n", p.stderr)
        again = {"AUTHUSER": "/bin/echo", "AUTHARGC": "12", **{f"AUTHARGV{i}": f"w{i}" for i in range(12)}}
        for data in (b"imap\nlogin\nalice@example.com\nwrong\n", b"imap\ncram-md5\nYQ==\nYQ==\n", b"imap\npass\nalice@example.com\nsecret\nnew one\n",
                     b"webmail\nlogin\nalice@example.com\nsecret\n", b"imap\nlogin\n\n\n"):
            p = self.run_module(data, **again)
            self.assertEqual((p.returncode, p.stdout), (0, b"w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11\n"), data)
        for bad in ({"AUTHARGC": "99"}, {"AUTHARGC": "13"}, {"AUTHARGC": "x"}, {"AUTHUSER": "echo"}, {"AUTHUSER": None}):
            self.assertEqual(self.run_module(b"imap\nlogin\nalice@example.com\nwrong\n", **{**again, **bad}).returncode, 111, bad)
        p = self.run_module(b"", AUTHADDR="joe", AUTHENTICATED="joe")
        self.assertEqual(p.stdout, b"+OK ready joe joe - 192.0.2.1 False Maildir\r\n")
        self.assertEqual(self.site.run([AUTHINDI, "one"]).returncode, 100)


if __name__ == "__main__":
    unittest.main()
