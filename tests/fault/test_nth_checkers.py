"""The n-th allocation, open, fork, exec, write or read of a program that knows passwords fails, for every n (nth.py): the
right password is at worst put off, the wrong one never let in, and one is refused only because it is wrong."""
import os, unittest

from box import FAULTY
from nth import Failures
from usersite import UserSite

KINDS = ("malloc", "open", "fork", "exec", "read", "write")
TROUBLE = {2, 100, 111}  # a server takes each of them for "could not be checked now"


class NthCheckers(unittest.TestCase):
    def setUp(self):
        self.site = UserSite()
        self.addCleanup(self.site.close)
        self.site.add_domain()
        self.site.add_user("joe")
        self.site.start_lookup("-i", "1", "-p", "1", PASSWORD_HASH="SHA-256", SCRAM_MECHANISMS="", PASSWORD_MIN="1")
        self.site.bin = FAULTY
        self.strangers = 0

    def stranger(self):
        """A name and an address that nobody has guessed with, so that the answer does not wait."""
        self.strangers += 1
        return f"s{self.strangers}@example.com", {"TCPREMOTEIP": f"192.0.{self.strangers // 250}.{self.strangers % 250}"}

    def check(self, argv, right, **env):
        if right:
            return self.site.checker(argv, b"joe@example.com\0secret\0\0", **env)
        name, ip = self.stranger()
        return self.site.checker(argv, name.encode() + b"\0secret\0\0", **ip, **env)

    def test_vchkpass(self):
        for argv in (["vchkpass"], ["vchkpass", "/bin/false"]):
            for right, code in ((True, 0), (False, 1)):
                for fault in (failures := Failures(self.site.dir, "vchkpass", KINDS)):
                    with self.subTest((argv, right, str(failures))):
                        p = self.check(argv, right, **fault)
                        self.assertIn(p.returncode, {code} | TROUBLE, p.stderr)
                        if p.returncode == 111:
                            self.assertEqual(p.stderr.count(b"\n"), 1, p.stderr)
                self.assertEqual(self.check(argv, right).returncode, code)

    def test_pam_checkpwd(self):
        os.mkdir(self.site.path("pam.d"))
        for name, module in (("yes", "pam_permit.so"), ("no", "pam_deny.so")):
            with open(self.site.path("pam.d", name), "w") as f:
                f.write(f"auth required {module}\naccount required {module}\n")
            data = b"nobody\0secret\0\0"
            for fault in (failures := Failures(self.site.dir, "pam-checkpwd", KINDS)):
                with self.subTest((name, str(failures))):
                    p = self.site.checker(["pam-checkpwd", "-s", name], data, PAM_CONFDIR=self.site.path("pam.d"), **fault)
                    self.assertIn(p.returncode, {0 if name == "yes" else 1} | TROUBLE, p.stderr)

    def stored(self):
        return self.site.sql("SELECT hash FROM users WHERE name = 'joe'")[0][0]

    def settle(self):
        """What vsetpass has asked for and did not wait for is over: there is one worker for passwords."""
        name, ip = self.stranger()
        self.site.query("verify", name, "imap", ip["TCPREMOTEIP"], password="x")

    def test_vsetpass(self):
        """What was said to be done is done; nothing is said to be refused."""
        passwords = ["secret", "another one"]
        for fault in (failures := Failures(self.site.dir, "vsetpass", KINDS)):
            with self.subTest(str(failures)):
                before = self.stored()
                p = self.site.checker(["vsetpass"], b"joe@example.com\0%s\0%s\0" % tuple(x.encode() for x in passwords), **fault)
                if p.returncode in TROUBLE:
                    self.settle()
                changed = self.stored() != before
                if changed:
                    passwords.reverse()
                self.assertIn(p.returncode, {0} | TROUBLE, p.stderr)
                self.assertTrue(changed or p.returncode != 0)
        self.assertEqual(self.site.query("verify", "joe@example.com", "imap", "192.0.2.1", password=passwords[0])[1][0], "ok")

    def test_authindi(self):
        """Whoever is let in has the right password; whoever is sent on has a wrong one."""
        again = {"AUTHUSER": "/bin/echo", "AUTHARGC": "2", "AUTHARGV0": "x", "AUTHARGV1": "refused", "TCPREMOTEIP": "192.0.2.1", "IMAPLOGINTAG": "t"}
        for right, said in ((True, b"server"), (False, b"refused")):
            for fault in (failures := Failures(self.site.dir, "authindi", KINDS)):
                with self.subTest((right, str(failures))):
                    name, ip = ("joe@example.com", {}) if right else self.stranger()
                    p = self.site.checker(["authindi", "/bin/echo", "server"], b"imap\nlogin\n%s\nsecret\n" % name.encode(), **{**again, **ip}, **fault)
                    self.assertTrue(p.stdout == said + b"\n" or p.returncode in TROUBLE, (p.returncode, p.stdout, p.stderr))


if __name__ == "__main__":
    unittest.main()
