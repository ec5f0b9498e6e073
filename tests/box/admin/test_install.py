"""make install and uninstall, into a directory."""
import os, stat, subprocess, unittest

from box import BIN, TOP, Root


def rows():
    out = subprocess.run(["awk", "-v", "mode=install", "-f", "src/gen/programs.awk", "src/PROGRAMS"], cwd=TOP,
                         stdout=subprocess.PIPE, check=True).stdout.decode()
    return [line.split() for line in out.splitlines()]


class InstallTest(unittest.TestCase):
    def setUp(self):
        self.root = Root(unprivileged=True)
        self.addCleanup(self.root.close)
        self.dest = self.root.path("run/dest")

    def install(self, what, code=0):
        env = dict(os.environ, PREFIX="/usr", SYSCONFDIR="/etc/indimail", QMAILHOME="/var/indimail", LOGDIR="/var/log/svc",
                   RUNDIR="/run/indimail", SERVICEDIR="/service", MAILBASE="/home/mail", DESTDIR=self.dest, BIN=BIN,
                   MAN=os.path.join(TOP, "man"))
        p = self.root.run(["/bin/sh", os.path.join(TOP, "src/sh/install.sh"), *what], env=env, cwd=TOP, timeout=60)
        self.assertEqual(p.returncode, code, p.stderr)
        return p

    def files(self):
        return {os.path.relpath(os.path.join(d, f), self.dest) for d, _, names in os.walk(self.dest) for f in names}

    def test_install_and_uninstall(self):
        said = self.install(["install"]).stdout.decode()
        there = self.files()
        for name, directory, mode, owner in rows():
            path = f"usr/{directory}/{name}"
            self.assertIn(path, there)
            # Nothing gets rights it cannot get safely: an ordinary user's copy is never setuid.
            self.assertEqual(stat.S_IMODE(os.stat(os.path.join(self.dest, path)).st_mode), 0o755)
            if mode != "0755":
                self.assertIn(f"usr/{directory}/{name}: owner {owner} and mode {mode} left out", said)
        self.assertIn("usr/share/man/man8/svctool.8", there)
        self.assertIn("usr/share/indimail/boot/SERVICES", there)
        self.assertIn("usr/share/indimail/fail2ban/indimail.conf", there)
        self.assertIn("usr/share/indimail/boot/templates/smtp.run", there)
        with open(os.path.join(self.dest, "usr/share/indimail/boot/indimail.service")) as f:
            self.assertIn("ExecStart=/usr/sbin/svscanboot\n", f.read())
        for d in ("etc/indimail/control", "etc/indimail/certs", "var/indimail/queue"):
            self.assertTrue(os.path.isdir(os.path.join(self.dest, d)))
        self.install(["install"])  # again, over itself
        self.assertEqual(self.files(), there)
        me = os.path.join(self.dest, "etc/indimail/control/me")
        with open(me, "w") as f:
            f.write("kept\n")
        self.install(["uninstall"])
        self.assertEqual(self.files(), {"etc/indimail/control/me"})

    def test_usage(self):
        self.assertTrue(self.install(["remove"], code=100).stderr.startswith(b"usage: "))


if __name__ == "__main__":
    unittest.main()
