"""What a caller with fewer rights may make the set-uid qmail-queue do: queue mail, and no more. Its
paths are compiled in, for variables that move them are not believed; so it is linked anew here."""
import os, shutil, subprocess, tempfile, unittest

from box import SOURCE
from mailsite import MailSite

OWNER = 65533  # stands for qmailq
STRANGER = 65534


@unittest.skipUnless(os.geteuid() == 0, "only root can make a program set-uid")
@unittest.skipIf(os.environ.get("SAN"), "a sanitizer's options come through the environment")
class Stranger(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.linked = tempfile.mkdtemp(prefix="indimail-setuid-")
        os.chmod(cls.linked, 0o755)
        paths = [f"{v}={cls.linked}" for v in ("QMAILHOME", "SYSCONFDIR")] + [f"PREFIX={cls.linked}", f"BIN={cls.linked}/sbin"]
        subprocess.run(["make", "-s", *paths, f"{cls.linked}/sbin/qmail-queue", f"{cls.linked}/sbin/qhpsi"], cwd=SOURCE, check=True,
                       stdout=subprocess.DEVNULL, timeout=300)
        os.chown(cls.linked + "/sbin/qmail-queue", OWNER, OWNER)
        os.chmod(cls.linked + "/sbin/qmail-queue", 0o4711)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.linked)

    def setUp(self):
        site = MailSite()
        self.addCleanup(site.close)
        for name in ("control", "queue", "log"):
            shutil.rmtree(os.path.join(self.linked, name), ignore_errors=True)
            os.mkdir(os.path.join(self.linked, name))
        self.control("me", "mail.example.com\n")
        os.chown(self.linked + "/log", OWNER, OWNER)
        os.unlink(site.queue() + "/lock/trigger")
        shutil.move(site.queue(), self.linked + "/queue/queue1")
        os.mkfifo(self.linked + "/queue/queue1/lock/trigger")
        for base, _, _ in os.walk(self.linked + "/queue"):
            os.chown(base, OWNER, OWNER)

    def control(self, name, text, mode=0o644):
        with open(os.path.join(self.linked, "control", name), "w") as f:
            f.write(text)
        os.chown(f.name, OWNER, OWNER)
        os.chmod(f.name, mode)
        return f.name

    def scanner(self):
        path = self.linked + "/scanner"
        with open(path, "w") as f:
            f.write(f"#!/bin/sh\n(id -u; id -ru; env) > {self.linked}/log/scan\nexit 0\n")
        os.chmod(path, 0o755)
        return path

    def queue(self, **env):
        """As a stranger with these variables: exit code, records of the envelope."""
        r, w = os.pipe()
        os.write(w, b"Fs@x\0Tjoe@a\0\0")
        os.close(w)
        p = subprocess.run([self.linked + "/sbin/qmail-queue"], input=b"Subject: secret\n\nbody\n", stdout=r, stderr=subprocess.PIPE,
                           env={"PATH": "/usr/bin:/bin", "QUEUE_COUNT": "1", **env}, user=STRANGER, group=STRANGER, extra_groups=[],
                           timeout=20)
        os.close(r)
        self.assertEqual(p.stderr, b"")
        info = [os.path.join(b, n) for b, _, names in os.walk(self.linked + "/queue/queue1/info") for n in names]
        records = [os.readlink(p).split("\n") for p in info]
        for path in info:
            os.unlink(path)
        return p.returncode, [r for all in records for r in all if r and r[0] in "Teh"]

    def test_files_and_programs_stay_ours(self):
        mine = self.control("private", "Subject\nT:*:leak@arc\n", 0o600)
        seen = self.queue(MAILARCHIVE=mine, LOGHEADERS=mine, ENVHEADERS=mine, REMOVEHEADERS=mine, QHPSI=self.scanner(),
                          VIRUSFORWARD="x@y", REJECTVIRUS="2", CONTROLDIR=self.linked, QMAILHOME="/", QMAILBIN="/")
        self.assertEqual(seen, (0, ["Tjoe@a"]))
        self.assertEqual(os.listdir(self.linked + "/log"), [])
        self.assertEqual(self.queue(QUEUEDIR="/tmp")[0], 61)
        self.assertEqual(self.queue(QUEUEDIR=self.linked + "/queue/../control")[0], 61)

    def test_no_evading(self):
        self.control("mailarchive", "F:*:arc@arc\n")
        self.control("extraqueue", "all@arc\n")
        want = (0, ["Tjoe@a", "Tall@arc", "Tmore@x", "Tarc@arc"])
        self.assertEqual(self.queue(MAILARCHIVE="", EXTRAQUEUE="more@x", REMOVEHEADERS=""), want)
        want[1].remove("Tmore@x")
        self.assertEqual(self.queue(MAILARCHIVE="", EXTRAQUEUE=""), want)
        self.control("quarantine", "prison@arc\n")
        self.assertEqual(self.queue(QUARANTINE="other@x")[1][0], "Tprison@arc")
        self.assertEqual(self.queue(QUARANTINE="")[1][0], "Tprison@arc")

    def test_own_wishes(self):
        self.assertEqual(self.queue(EXTRAQUEUE="more@x", QQEH="X-A: b"), (0, ["Tjoe@a", "Tmore@x", "eX-A: b%0A"]))
        self.assertEqual(self.queue(QUARANTINE="me@x")[1][0], "Tme@x")

    def test_scanner_is_not_the_callers(self):
        self.control("qhpsi", self.scanner() + "\n")
        self.assertEqual(self.queue(QHPSI="", LD_PRELOAD="/tmp/evil.so", EVIL="1", PLUGINDIR="/tmp"), (0, ["Tjoe@a", "eX-QHPSI: clean%0A"]))
        with open(self.linked + "/log/scan") as f:
            lines = f.read().split("\n")
        self.assertEqual(lines[:2], [str(OWNER)] * 2)
        self.assertFalse([l for l in lines if "evil" in l.lower() or l == "PLUGINDIR=/tmp"], lines)


if __name__ == "__main__":
    unittest.main()
