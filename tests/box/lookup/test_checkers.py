"""Programs behind descriptor 3: systpass with the accounts of a host of its own, vsetpass, and qmail-poppass in
front of them."""
import os, shutil, subprocess, time, unittest

from box import BIN, wait_for
from usersite import HASH, Raw, UserSite, client_context, totp_code, totp_secret

# In a mount namespace of its own, so that the machine's files are neither read nor touched.
PRIVATE = ["unshare", "-m", "--propagation", "private"] if os.geteuid() == 0 else ["unshare", "-rm"]
HAVE_PRIVATE = subprocess.run(PRIVATE + ["true"], stderr=subprocess.DEVNULL).returncode == 0


class Change(unittest.TestCase):
    """vsetpass"""

    def setUp(self):
        self.site = UserSite()
        self.addCleanup(self.site.close)
        self.site.add_domain()
        self.site.add_user("alice")
        self.site.start_lookup()

    def change(self, *fields, argv=(), **env):
        return self.site.checker(["vsetpass", *argv], b"".join(f.encode() + b"\0" for f in fields), **env)

    def right(self, password, service="imap"):
        return self.site.query("verify", "alice@example.com", service, "192.0.2.1", password=password)[1][0] == "ok"

    def test_change(self):
        alice = "alice@example.com"
        self.assertEqual(self.change(alice, "secret", "another one").returncode, 0)
        self.assertTrue(self.right("another one"))
        self.assertFalse(self.right("secret"))
        line, = self.site.sql("SELECT scram FROM users WHERE name = 'alice'")
        self.assertIn("SCRAM-SHA-256", line[0])
        # the older form, and what must be stored as it is
        odd = "x'\"; DROP TABLE users; -- \u00e9 \\ $HOME `id` %s ../.. "
        self.assertEqual(self.change(alice, "another one", "", odd).returncode, 0)
        self.assertTrue(self.right(odd))

    def test_refused(self):
        alice = "alice@example.com"
        for fields, code in (((alice, "wrong", "another one"), 1), (("nobody@example.com", "secret", "another one"), 1),
                             (("", "secret", "another one"), 1), ((alice, "", "another one"), 1), ((alice, "secret", ""), 1),
                             ((alice, "<challenge>", "digest", "another one"), 1), (("../alice", "secret", "another one"), 1),
                             ((alice, "secret"), 2), ((alice,), 2), ((alice, "secret", "a", "b", "c"), 2), ((alice, "secret", "x" * 600), 2)):
            p = self.change(*fields)
            self.assertEqual((p.returncode, p.stdout), (code, b""), fields)
        for new, why in (("short", b"too short"), ("secret", b"too short"), ("x" * 300, b""), ("tab\there now", b"control")):
            p = self.change(alice, "secret", new)
            self.assertEqual(p.returncode, 1, new)
            self.assertIn(why, p.stdout)
            self.assertEqual(p.stdout.count(b"\n"), 1)
        self.assertTrue(self.right("secret"))
        self.site.sql("UPDATE users SET no_passwd_change = 1 WHERE name = 'alice'")
        p = self.change(alice, "secret", "another one")
        self.assertEqual((p.returncode, p.stdout), (1, b"the password may not be changed\n"))
        self.assertFalse(self.right("secret", "passwd"))
        self.assertTrue(self.right("secret"))

    def test_app_password(self):
        """One of a single program opens a mailbox, but changes nothing."""
        made = self.site.ok("vapppass", "-a", "phone", "alice@example.com").split()[1]
        self.assertTrue(self.right(made))
        self.assertFalse(self.right(made, "passwd"))
        self.assertEqual(self.change("alice@example.com", made, "another one").returncode, 1)
        self.assertTrue(self.right("secret"))

    def test_chain(self):
        nxt = self.site.path("next")
        with open(nxt, "w") as f:
            f.write("#!/bin/sh\ncat <&3 | od -An -c | tr -d ' \\n'; exit 7\n")
        os.chmod(nxt, 0o755)
        p = self.change("bob", "old", "new", argv=[nxt])
        self.assertEqual((p.returncode, p.stdout), (7, b"bob\\0old\\0new\\0"))
        self.assertEqual(self.change("bob", "old", "new", argv=["/bin/true"]).returncode, 1)

    def test_post_handle(self):
        handle, told = self.site.path("handle"), self.site.path("run", "told")
        with open(handle, "w") as f:
            f.write(f'#!/bin/sh\necho "$*" >> {told}; exit 9\n')
        os.chmod(handle, 0o755)
        self.assertEqual(self.change("alice@example.com", "wrong", "another one", POST_HANDLE=handle).returncode, 1)
        self.assertFalse(os.path.exists(told))
        self.assertEqual(self.change("alice@example.com", "secret", "another one", POST_HANDLE=handle).returncode, 0)
        self.assertEqual(open(told).read(), "alice@example.com\n")

    def test_away(self):
        self.site.lookup.terminate()
        self.site.lookup.wait(10)
        p = self.change("alice@example.com", "secret", "another one", argv=["/bin/true"])
        self.assertEqual((p.returncode, p.stdout, p.stderr.count(b"\n")), (111, b"", 1))


@unittest.skipUnless(HAVE_PRIVATE, "no mount namespaces here")
class System(unittest.TestCase):
    """systpass, where /etc/passwd and /etc/shadow are ours"""

    def setUp(self):
        self.site = UserSite(privileged=True)
        self.addCleanup(self.site.close)
        self.passwd = ["root:x:0:0:root:/root:/bin/sh", "nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin",
                       "joe:x:4001:4001:Joe:/home/joe:/bin/sh", "old:x:4002:4002::/home/old:/bin/sh", "locked:x:4003:4003::/:/bin/sh",
                       "open:x:4004:4004::/:/bin/sh", f"classic:{HASH}:4005:4005::/:/bin/sh", "lost:x:4006:4006::/:/bin/sh",
                       "qmaild:x:4007:4007::/:/bin/sh", "indimail:x:4008:4008::/:/bin/sh"]
        self.shadow = [f"root:{HASH}:19000:0:99999:7:::", "nobody:*:19000:0:99999:7:::", f"joe:{HASH}:19000:0:99999:7:::",
                       f"old:{HASH}:19000:0:99999:7::1:", f"locked:!{HASH}:19000:0:99999:7:::", "open::19000:0:99999:7:::"]
        for name, lines in (("etc-passwd", self.passwd), ("etc-shadow", self.shadow), ("etc-nsswitch", ["passwd: files", "shadow: files", "group: files"])):
            with open(self.site.path(name), "w") as f:
                f.write("\n".join(lines) + "\n")
        os.chmod(self.site.path("etc-shadow"), 0o640)

    def check(self, user, password, *argv, tail=b"\0", uid=None, program="systpass", options=(), **env):
        mounts = "".join(f"mount --bind {self.site.path('etc-' + n)} /etc/{f} && " for n, f in
                         (("passwd", "passwd"), ("shadow", "shadow"), ("nsswitch", "nsswitch.conf")))
        become = f"setpriv --reuid {uid} --regid {uid} --clear-groups " if uid is not None else ""
        return self.site.checker([shutil.which("unshare"), *PRIVATE[1:], "sh", "-c", mounts + f'exec {become}"$0" "$@"',
                                  os.path.join(BIN, program) if "/" not in program else program, *options, *argv],
                                 user.encode() + b"\0" + password.encode() + b"\0" + tail, INDIMAILUSER="nobody", **env)

    def test_verdicts(self):
        for user, password, code in (("joe", "secret", 0), ("joe", "wrong", 1), ("joe", "", 1), ("nobody", "secret", 1), ("nobody", "*", 1),
                                     ("stranger", "secret", 1), ("root", "secret", 1), ("old", "secret", 1), ("locked", "secret", 1),
                                     ("open", "secret", 1), ("open", "", 1), ("classic", "secret", 0), ("classic", "wrong", 1),
                                     ("lost", "secret", 111), ("../joe", "secret", 1), ("joe:x", "secret", 1), ("JOE", "secret", 1),
                                     ("' OR 1", "secret", 1), ("\u00e9" * 100, "secret", 1)):
            p = self.check(user, password)
            self.assertEqual(p.returncode, code, (user, password, p.stderr))
            self.assertNotIn(b"saltsalt", p.stderr)
        self.assertEqual(self.check("joe", "<challenge>", tail=b"digest\0\x03\0").returncode, 1)

    def test_chain(self):
        nxt = self.site.path("next")
        with open(nxt, "w") as f:
            f.write("#!/bin/sh\ncat <&3 | od -An -c | tr -d ' \\n'; id -g; exit 7\n")
        os.chmod(nxt, 0o755)
        p = self.check("stranger", "secret", nxt)
        self.assertEqual(p.returncode, 7)
        self.assertTrue(p.stdout.startswith(b"stranger\\0secret\\0\\0"), p.stdout)
        self.assertEqual(self.check("joe", "secret", nxt).returncode, 0)
        self.assertEqual(self.check("old", "secret", nxt).returncode, 1)  # nobody else is asked
        p = self.check("joe", "secret", "sh", "-c", 'echo "$USER $HOME $userdb_uid $userdb_gid"', options=["-e"])
        self.assertEqual(p.stdout, b"joe /home/joe 4001 4001\n")
        self.assertEqual(self.check("joe", "wrong", "/bin/true", options=["-e"]).returncode, 1)

    @unittest.skipUnless(os.geteuid() == 0, "only root can install it")
    def test_rights(self):
        """With a group that may read the shadow file: who may ask, and that nobody gets the group."""
        group = 4242
        program = self.site.path("systpass")
        shutil.copy(os.path.join(BIN, "systpass"), program)
        os.chown(program, 0, group)
        os.chmod(program, 0o2755)
        os.chown(self.site.path("etc-shadow"), 0, group)
        os.chmod(self.site.path("run"), 0o755)
        show = ("sh", "-c", "id -G; grep Gid /proc/self/status; head -c 1 /etc/shadow")
        for uid, code in ((4007, 0), (4008, 0), (4001, 0), (4002, 111), (65534, 111), (5555, 111)):
            p = self.check("joe", "secret", uid=uid, program=program)
            self.assertEqual(p.returncode, code, (uid, p.stderr))
        p = self.check("joe", "wrong", uid=4002, program=program)
        self.assertEqual(p.returncode, 111)  # which tells no more than with the right one
        self.assertIn(b"may ask", p.stderr)
        for user, password, tail, options in (("joe", "wrong", b"\0", []), ("stranger", "x", b"\0", []), ("joe", "", b"\0", []),
                                              ("joe", "x", b"digest\0\x03\0", []), ("joe", "secret", b"\0", ["-e"])):
            p = self.check(user, password, *show, tail=tail, uid=4001 if user == "joe" else 4007, program=program, options=options)
            self.assertNotIn(str(group).encode(), p.stdout, (user, options))
            self.assertIn(b"Gid", p.stdout)
            self.assertIn(b"Permission denied", p.stderr)
        # without the group it cannot know
        os.chmod(program, 0o755)
        p = self.check("joe", "secret", "/bin/true", uid=4007, program=program)
        self.assertEqual(p.returncode, 111, p.stderr)


class Poppass(unittest.TestCase):
    def setUp(self):
        self.site = UserSite()
        self.addCleanup(self.site.close)
        self.site.add_domain()
        self.site.add_user("alice")
        self.site.start_lookup()

    def serve(self, *check, **env):
        return self.site.listen("qmail-poppass", "mail.example.com", *(check or ("vchkpass", "/bin/false")), **{"ALLOW_PLAINTEXT": "1", **env})

    def say(self, c, text):
        c.send(text + "\r\n")
        return c.line()

    def right(self, password):
        return self.site.query("verify", "alice@example.com", "imap", "192.0.2.1", password=password)[1][0] == "ok"

    def test_dialogue(self):
        service = self.serve()
        with service.raw() as c:
            self.assertEqual(c.line(), "200 mail.example.com hello, who are you?")
            self.assertEqual(self.say(c, "user alice@example.com"), "200 Your password please.")
            self.assertEqual(self.say(c, "PASS secret"), "200 Your new password please.")
            self.assertTrue(self.say(c, "newpass short").startswith("500 Not changed: the new password is too short"))
            self.assertEqual(self.say(c, "newpass an other one "), "200 Password changed, thank-you.")
            self.assertTrue(self.say(c, "newpass once more").startswith("500"))
            self.assertEqual(self.say(c, "quit"), "200 Bye.")
            self.assertEqual(c.line(), "")
        self.assertTrue(self.right("an other one "))
        self.assertFalse(self.right("secret"))
        wait_for(lambda: "password changed user alice@example.com ip 127.0.0.1 tls no" in service.logged(), what="the log")
        self.assertNotIn("secret", service.logged())
        self.assertNotIn("an other", service.logged())

    def test_code(self):
        """Behind the password of who has a secret; the same serves for the whole session, and for no other."""
        code = totp_code(totp_secret(self.site, "alice@example.com"), 1)
        service = self.serve()
        with service.raw() as c:
            c.line()
            self.say(c, "user alice@example.com")
            self.assertEqual(self.say(c, "pass secret"), "500 Wrong user or password.")
            self.say(c, "user alice@example.com")
            self.assertEqual(self.say(c, "pass secret" + code), "200 Your new password please.")
            self.assertTrue(self.say(c, "newpass short").startswith("500 Not changed"))
            self.assertEqual(self.say(c, "newpass another one"), "200 Password changed, thank-you.")
            self.say(c, "user alice@example.com")
            self.assertEqual(self.say(c, "pass another one" + code), "500 Wrong user or password.")
        self.assertTrue(self.right("another one"))
        self.assertNotIn(code, service.logged())

    def test_guessing_codes(self):
        """A wrong code waits as a wrong password does."""
        code = totp_code(totp_secret(self.site, "alice@example.com"), 1)
        took = []
        for i in range(1, 10):
            begin = time.monotonic()
            answer = self.site.query("verify", "alice@example.com", "passwd", f"192.0.2.{i}", password=f"secret{(int(code) + i) % 1000000:06}")
            self.assertEqual(answer[1], ["none"])
            took.append(time.monotonic() - begin)
        self.assertGreater(took[8], 1.2)
        self.assertLess(took[0], took[8])

    def test_order_and_faults(self):
        with self.serve().raw() as c:
            c.line()
            for line in ("pass secret", "newpass another one", "user", "nonsense", "", "user a\tb", "user a\0b", "x" * 30000):
                self.assertTrue(self.say(c, line).startswith("500"), line[:20])
            self.assertTrue(self.say(c, "user alice@example.com").startswith("200"))
            self.assertTrue(self.say(c, "newpass another one").startswith("500"))
            for _ in range(2):
                reply = self.say(c, "nonsense")
            self.assertEqual(reply, "500 Too many bad commands.")
        self.assertTrue(self.right("secret"))

    def test_wrong(self):
        service = self.serve()
        with service.raw() as c:
            c.line()
            for user, password in (("alice@example.com", "wrong"), ("nobody@example.com", "secret"), ("' OR 1=1 --", "x")):
                self.assertTrue(self.say(c, "user " + user).startswith("200"))
                self.assertEqual(self.say(c, "pass " + password), "500 Wrong user or password.")
                self.assertTrue(user == "' OR 1=1 --" or self.say(c, "newpass another one").startswith("500"))
            self.assertEqual(c.line(), "")  # three were enough
        with service.raw() as c:
            c.line()
            self.say(c, "user " + "a" * 300)
            self.assertEqual(self.say(c, "pass " + "b" * 300), "500 Wrong user or password.")
        self.assertEqual(service.logged().count("login failed user"), 4)

    def test_barred(self):
        self.site.sql("UPDATE users SET no_passwd_change = 1 WHERE name = 'alice'")
        with self.serve(NATIVE_CHECKPASSWORD="1").raw() as c:
            c.line()
            self.say(c, "user alice@example.com")
            self.assertTrue(self.say(c, "pass secret").startswith("500"))

    def test_trouble(self):
        with self.serve("/no/such/program").raw() as c:
            c.line()
            self.say(c, "user alice@example.com")
            self.assertTrue(self.say(c, "pass secret").startswith("400"))
        with self.serve(PASSWORD_COMMAND="/bin/sh -c exit${IFS}111").raw() as c:
            c.line()
            self.say(c, "user alice@example.com")
            self.say(c, "pass secret")
            self.assertTrue(self.say(c, "newpass another one").startswith("400"))
        self.site.lookup.terminate()
        self.site.lookup.wait(10)
        with self.serve().raw() as c:
            c.line()
            self.say(c, "user alice@example.com")
            self.assertTrue(self.say(c, "pass secret").startswith("400"))
            self.assertTrue(self.say(c, "newpass another one").startswith("500"))

    def test_tls(self):
        ca = self.site.certificate()
        for env in ({"ALLOW_PLAINTEXT": "0"}, {"TCPREMOTEIP": "192.0.2.1"}):
            with self.serve(**env).raw() as c:
                c.line()
                self.assertEqual(self.say(c, "user alice@example.com"), "500 No password without TLS.")
                self.assertTrue(self.say(c, "pass secret").startswith("500"))
                self.assertTrue(self.say(c, "stls").startswith("500"))
        with self.serve(ALLOW_PLAINTEXT="0", STARTTLS="1").raw() as c:
            c.line()
            self.assertTrue(self.say(c, "stls").startswith("200"))
            with Raw(client_context(ca).wrap_socket(c.s, server_hostname="localhost")) as t:
                self.assertTrue(self.say(t, "stls").startswith("500"))
                self.change(t, "secret", "another one")
        with self.serve(ALLOW_PLAINTEXT="0", POPPASS_TLS="1").raw() as c:
            with Raw(client_context(ca).wrap_socket(c.s, server_hostname="localhost")) as t:
                self.assertTrue(t.line().startswith("200"))
                self.change(t, "another one", "yet another")
        self.assertTrue(self.right("yet another"))

    def change(self, c, old, new):
        self.assertTrue(self.say(c, "user alice@example.com").startswith("200"))
        self.assertTrue(self.say(c, "pass " + old).startswith("200"))
        self.assertTrue(self.say(c, "newpass " + new).startswith("200"))


if __name__ == "__main__":
    unittest.main()
