"""pam-checkpwd with real PAM modules, in a directory of services of its own."""
import os, unittest

from usersite import UserSite

# Says what it was told, and lets "secret" in.
MODULE = """#!/usr/bin/env python3
import os, sys
password = sys.stdin.buffer.read().rstrip(b"\\0").decode()
with open("%s", "a") as f:
    print(os.environ["PAM_TYPE"], os.environ.get("PAM_USER"), os.environ.get("PAM_RHOST"), os.environ.get("PAM_SERVICE"), password, file=f)
sys.exit(0 if password == "secret" else 1)
"""


class PamCheckpwd(unittest.TestCase):
    def setUp(self):
        self.site = UserSite()
        self.addCleanup(self.site.close)
        os.mkdir(self.site.path("pam.d"))
        self.told = self.site.path("run", "told")
        with open(self.site.path("module"), "w") as f:
            f.write(MODULE % self.told)
        os.chmod(self.site.path("module"), 0o755)
        module = (f"auth [success=1 default=ignore] pam_exec.so quiet expose_authtok {self.site.path('module')}",
                  "auth requisite pam_deny.so", "auth required pam_permit.so")
        self.service("pam-checkpwd", *module, "account required pam_permit.so")
        self.service("expired", *module, "account required pam_deny.so")
        self.service("nobody", "auth required pam_deny.so", "account required pam_deny.so")
        self.service("broken", "auth required /no/such/module.so", "account required pam_permit.so")
        self.service("other", "auth required pam_deny.so", "account required pam_deny.so")

    def service(self, name, *lines):
        with open(self.site.path("pam.d", name), "w") as f:
            f.write("\n".join(lines) + "\n")

    def check(self, data, *argv, **env):
        return self.site.checker(["pam-checkpwd", *argv], data, PAM_CONFDIR=self.site.path("pam.d"), **env)

    def test_verdicts(self):
        good = b"nobody\0secret\0\0"
        for data, argv, code in ((good, (), 0), (b"nobody\0wrong\0\0", (), 1), (b"nobody\0\0\0", (), 1), (b"stranger@example.com\0secret\0\0", (), 0),
                                 (b"root\0secret\0\0", (), 1), (good, ("-s", "nobody"), 1), (good, ("-s", "expired"), 1),
                                 (good, ("-s", "missing"), 1), (b"nobody\0challenge\0digest\0\x03\0", (), 1), (b"nobody", (), 2),
                                 (b"' OR 1\0secr\xc3\xa9t\0\0", (), 1), (b"../x\0wrong\0\0", (), 1), (good, ("-s", "a/b"), 100), (good, ("-s", ""), 100)):
            p = self.check(data, *argv)
            self.assertEqual(p.returncode, code, (data, argv, p.stderr))
            self.assertNotIn(b"secret", p.stderr)
        self.assertEqual(self.check(good, PAM_SERVICE="expired").returncode, 1)

    def test_trouble(self):
        p = self.check(b"nobody\0secret\0\0", "-s", "broken", "-i", "checker", "/bin/true")
        self.assertEqual(p.returncode, 111, p.stderr)
        self.assertRegex(p.stderr, rb"\Achecker: service broken: .*\n\Z")

    def test_told(self):
        p = self.check(b"nobody\0se cret'\"$x\0\0", "-d", TCPREMOTEIP="192.0.2.7")
        self.assertEqual(p.returncode, 1)
        self.assertRegex(p.stderr, rb"\Apam-checkpwd: service pam-checkpwd: [^\n]*\n\Z")
        self.assertEqual(open(self.told).read(), "auth nobody 192.0.2.7 pam-checkpwd se cret'\"$x\n")

    def test_chain(self):
        nxt = self.site.path("next")
        with open(nxt, "w") as f:
            f.write("#!/bin/sh\ncat <&3 | od -An -c | tr -d ' \\n'; exit 7\n")
        os.chmod(nxt, 0o755)
        p = self.check(b"nobody\0wrong\0\0", "--", nxt)
        self.assertEqual((p.returncode, p.stdout), (7, b"nobody\\0wrong\\0\\0"))
        self.assertEqual(self.check(b"nobody\0secret\0\0", "--", nxt).returncode, 0)
        self.assertEqual(self.check(b"nobody\0secret\0\0", "-s", "expired", "--", nxt).returncode, 1)
        self.assertEqual(self.check(b"nobody\0wrong\0\0", "--", "/bin/true").returncode, 1)
        show = ("/bin/sh", "-c", 'echo "$USER $userdb_uid $EXTRA"')
        for argv, env in ((("-e", "-H", "--"), {}), (("--",), {"NATIVE_CHECKPASSWORD": "1"})):
            self.assertEqual(self.check(b"nobody\0secret\0\0", *argv, *show, **env).stdout, b"nobody 65534 userdb_uid userdb_gid\n")
        self.assertEqual(self.check(b"stranger@example.com\0secret\0\0", "-e", "--", *show).returncode, 111)


if __name__ == "__main__":
    unittest.main()
