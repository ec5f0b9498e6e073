"""pam-checkpwd with real PAM modules, in a directory of services of its own; our own module pam-multi; and iauth."""
import os, time, unittest

from box import BIN
from usersite import HASH, UserSite

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


class Multi(unittest.TestCase):
    """pam-multi, loaded by PAM on behalf of pam-checkpwd; and iauth"""

    def setUp(self):
        self.site = UserSite()
        self.addCleanup(self.site.close)
        os.mkdir(self.site.path("pam.d"))
        self.site.add_domain()
        self.site.add_user("alice")
        self.site.start_lookup()

    def line(self, arguments="", service="imap"):
        module = os.path.join(BIN, "pam-multi.so")
        with open(self.site.path("pam.d", service), "w") as f:
            f.write(f"auth required {module} {arguments}\naccount required {module} {arguments}\n")

    def check(self, user, password, service="imap", **env):
        return self.site.checker(["pam-checkpwd", "-s", service, "-d"], f"{user}\0{password}\0\0".encode(), PAM_CONFDIR=self.site.path("pam.d"),
                                 **env).returncode

    def command(self, text):
        path = self.site.path("command")
        with open(path, "w") as f:
            f.write("#!/bin/sh\n" + text)
        os.chmod(path, 0o755)
        return path

    def test_inlookup(self):
        for arguments in ("", "args -s /usr/lib/indimail/modules/iauth.so -d"):
            self.line(arguments)
            for user, password, code in (("alice@example.com", "secret", 0), ("alice@example.com", "wrong", 1), ("nobody@example.com", "secret", 1),
                                         ("alice", "secret", 1), ("' OR 1=1 --@example.com", "secret", 1), ("../alice@example.com", "secret", 1)):
                self.assertEqual(self.check(user, password), code, (arguments, user, password))
        # the name of PAM's service decides what the password is for
        self.site.sql("UPDATE users SET no_pop = 1 WHERE name = 'alice'")
        self.line(service="pop3")
        self.assertEqual(self.check("alice@example.com", "secret", "pop3"), 1)
        self.line("service=smtp", service="pop3")
        self.assertEqual(self.check("alice@example.com", "secret", "pop3"), 0)
        self.site.lookup.terminate()
        self.site.lookup.wait(10)
        self.assertEqual(self.check("alice@example.com", "secret"), 111)

    def test_command(self):
        seen = self.site.path("run", "seen")
        script = f"""printf '%s|' "$@" >> {seen}; [ "$1" != stranger ] || exit 1; [ "$1" != trouble ] || exit 9
[ "$3" != "" ] || echo 'HASH'
"""
        command = self.command(script.replace("HASH", HASH))
        expiry = self.site.path("expiry")
        module = os.path.join(BIN, "pam-multi.so")

        def times(text):
            os.path.exists(expiry) and os.unlink(expiry)
            with open(expiry, "w") as f:
                f.write(f"#!/bin/sh\necho '{text}'\n")
            os.chmod(expiry, 0o755)
        with open(self.site.path("pam.d", "imap"), "w") as f:
            f.write(f"auth required {module} args -c [{command} %u %d%%]\naccount required {module} args -c {expiry}\n")
        times("-1,-1")
        odd = "o'$(id);\"x@ex ample"
        for user, password, code in (("joe@example.com", "secret", 0), ("joe@example.com", "wrong", 1), ("stranger@example.com", "secret", 1),
                                     ("trouble@example.com", "secret", 111), (odd, "secret", 0), ("-x@example.com", "secret", 1)):
            self.assertEqual(self.check(user, password), code, user)
        self.assertIn("joe|example.com%|", open(seen).read())
        self.assertIn("o'$(id);\"x|ex ample%|", open(seen).read())
        self.assertNotIn("-x", open(seen).read())
        now = int(time.time())
        for text, code in ((f"{now + 1000},{now + 1000}", 0), (f"{now - 1},-1", 1), (f"-1,{now - 1}", 1), ("soon,-1", 111), ("", 1)):
            times(text)
            self.assertEqual(self.check("joe@example.com", "secret"), code, text)

    def test_malformed(self):
        for arguments in ("args -m x", "-c", "-c relative", "-c /no/such/program", "-c [/bin/echo %x]", "nonsense", "-s /tmp/other.so"):
            self.line(arguments)
            self.assertEqual(self.check("alice@example.com", "secret"), 111, arguments)

    def iauth(self, password, *argv, **env):
        env = {"PAM_USER": "alice@example.com", "PAM_SERVICE": "imap", "PAM_TYPE": "auth", **env}
        return self.site.run(["iauth", *argv], input=password, env=self.site.env(**env)).returncode

    def test_iauth(self):
        for password, env, code in ((b"secret\0", {}, 0), (b"secret\n", {}, 0), (b"secret", {"PAM_TYPE": None}, 0), (b"wrong\0", {}, 1), (b"", {}, 1),
                                    (b"secret\0", {"PAM_USER": "bob@example.com"}, 1), (b"", {"PAM_TYPE": "account"}, 0),
                                    (b"", {"PAM_TYPE": "account", "PAM_USER": "bob@example.com"}, 1), (b"x" * 600, {}, 111),
                                    (b"secret\0", {"PAM_TYPE": "open_session"}, 100), (b"secret\0", {"PAM_USER": None}, 100)):
            self.assertEqual(self.iauth(password, **env), code, (password[:10], env))
        self.site.sql("UPDATE users SET no_imap = 1 WHERE name = 'alice'")
        self.assertEqual(self.iauth(b"secret\0"), 1)
        self.assertEqual(self.iauth(b"secret\0", "-s", "pop3"), 0)
        self.site.lookup.terminate()
        self.site.lookup.wait(10)
        for kind in ("auth", "account"):
            self.assertEqual(self.iauth(b"secret\0", PAM_TYPE=kind), 111)


if __name__ == "__main__":
    unittest.main()
