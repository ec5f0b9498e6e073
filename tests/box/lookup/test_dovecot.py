"""Dovecot's imap and pop3 behind imaplogin and pop3login (control/mailserver: dovecot)."""
import imaplib, os, shutil, subprocess, unittest
from box import BIN, TOP
from usersite import UserSite, client_context

UNPACKED = os.path.join(TOP, "build", "unpacked", "usr")  # by deps.sh
ALICE = "alice@example.com"

# The unpacked packages lie over /usr, for this program alone.
FRONT = """#!/bin/sh
exec unshare -m sh -c 'mount -t overlay -o lowerdir={unpacked}:/usr overlay /usr && exec "$@"' sh {program} "$@"
"""


def can_overlay():
    return os.geteuid() == 0 and os.path.exists(UNPACKED + "/lib/dovecot/imap") and subprocess.run(
        ["unshare", "-m", "mount", "-t", "overlay", "-o", f"lowerdir={UNPACKED}:/usr", "overlay", "/usr"],
        stderr=subprocess.DEVNULL).returncode == 0


@unittest.skipUnless(can_overlay(), "wants root, mount namespaces and Dovecot's packages, which deps.sh unpacks")
class Dovecot(unittest.TestCase):
    def setUp(self):
        self.site = UserSite(privileged=True)
        self.addCleanup(self.site.close)
        self.site.add_domain()
        self.site.add_user("alice", "-q", "100000,3", "-c", "Alice")
        self.site.start_lookup("-i", "1", "-p", "1")
        self.site.control("mailserver", "dovecot\n")
        shutil.copy(os.path.join(TOP, "control", "dovecot.conf"), self.site.path("control"))

    def listen(self, program, server, **env):
        front = self.site.path(program + ".front")
        with open(front, "w") as f:
            f.write(FRONT.format(unpacked=UNPACKED, program=os.path.join(BIN, program)))
        os.chmod(front, 0o755)
        return self.site.listen(front, f"/usr/lib/dovecot/{server}", "Maildir", **{"ALLOW_PLAINTEXT": "1", **env})

    def deliver(self, subject="first"):
        p = self.site.deliver("alice", f"Subject: {subject}\nFrom: a@b\n\nhello\n".encode())
        self.assertEqual(p.returncode, 0, p.stderr)
        # qmail-local would have run it as the owner, as which the mail server runs
        subprocess.run(["chown", "-R", "nobody:nogroup", self.site.home(ALICE)], check=True)

    def usage(self):
        lines = open(self.site.home(ALICE) + "/Maildir/maildirsize").read().split("\n")
        return lines[0], sum(int(l.split()[1]) for l in lines[1:] if l.strip())

    def test_imap(self):
        self.deliver()
        m = self.listen("imaplogin", "imap").imap()
        self.assertIn("CONDSTORE", m.capabilities)
        self.assertEqual(m.login(ALICE, "secret")[0], "OK")
        self.assertEqual(m.select("INBOX"), ("OK", [b"1"]))
        self.assertIn(b"Subject: first\r\n", m.fetch("1", "(BODY[])")[1][0][1])
        kind, (root, limits) = m.getquotaroot("INBOX")
        self.assertIn(b"STORAGE", limits[0])
        self.assertIn(b"MESSAGE 1 3", limits[0])
        self.assertEqual(m.append("INBOX", None, None, b"Subject: second\r\n\r\nx\r\n")[0], "OK")
        self.assertEqual(m.create("INBOX.Work")[0], "OK")
        self.assertTrue(os.path.isdir(self.site.home(ALICE) + "/Maildir/.Work/cur"))
        # a third fits, a fourth is more than the limits of the login allow; both agents count the same
        self.assertEqual(m.append("INBOX.Work", None, None, b"Subject: third\r\n\r\nx\r\n")[0], "OK")
        self.assertEqual(m.append("INBOX", None, None, b"Subject: fourth\r\n\r\nx\r\n")[0], "NO")
        m.logout()
        self.assertEqual(self.usage()[1], 3)
        self.assertIn("3C", self.site.ok("vuserinfo", "-m", ALICE))
        p = self.site.deliver("alice", b"Subject: fourth\n\nx\n")
        self.assertNotEqual(p.returncode, 0)
        self.assertIn(b"the mailbox is full", p.stderr + p.stdout)

    def test_idle(self):
        m = self.listen("imaplogin", "imap").imap()
        m.login(ALICE, "secret")
        m.select("INBOX")
        m.send(b"i IDLE\r\n")
        self.assertTrue(m.readline().startswith(b"+"))
        self.deliver()
        m.sock.settimeout(30)
        self.assertEqual(m.readline(), b"* 1 EXISTS\r\n")
        m.send(b"DONE\r\n")
        m.shutdown()

    def test_pop3_and_tls(self):
        self.deliver()
        cert = self.site.certificate()
        m = self.listen("pop3login", "pop3", POP3S="1").pop3(client_context(cert))
        m.user(ALICE)
        self.assertTrue(m.pass_("secret").startswith(b"+OK"))
        self.assertEqual(m.stat()[0], 1)
        self.assertIn(b"Subject: first", m.retr(1)[1])
        m.quit()
        m = self.listen("imaplogin", "imap", STARTTLS="1").imap()
        m.starttls(client_context(cert))
        with self.assertRaisesRegex(imaplib.IMAP4.error, "AUTHENTICATIONFAILED"):
            m.login(ALICE, "wrong")
        self.assertEqual(m.login(ALICE, "secret")[0], "OK")
        m.logout()

    def test_setting(self):
        self.site.control("mailserver", "other\n")
        p = self.site.run(["imaplogin", "x", "Maildir"], env=self.site.env(TCPREMOTEIP="127.0.0.1"))
        self.assertEqual((p.returncode, b"mailserver" in p.stderr), (111, True))


if __name__ == "__main__":
    unittest.main()
