"""What a caller with fewer rights may make the set-uid qmail-queue do: queue mail, and no more. Its
paths are compiled in, for variables that move them are not believed; so it is linked anew here."""
import os, shutil, subprocess, tempfile, unittest

from box import SOURCE
from mailsite import MailSite
from smtpd import SmtpRoot

OWNER = 65533  # stands for qmailq
STRANGER = 65534


@unittest.skipUnless(os.geteuid() == 0, "only root can make a program set-uid")
@unittest.skipIf(os.environ.get("SAN"), "a sanitizer's options come through the environment")
class Linked(unittest.TestCase):
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

    def scanner(self, code=0):
        path = self.linked + "/scanner"
        with open(path, "w") as f:
            f.write(f"#!/bin/sh\n(id -u; id -ru; env) > {self.linked}/log/scan\nexit {code}\n")
        os.chmod(path, 0o755)
        return path

    def taken(self):
        """Records of what was queued, which is taken out; the last message is in .text."""
        for mess in [os.path.join(b, n) for b, _, names in os.walk(self.linked + "/queue/queue1/mess") for n in names]:
            with open(mess, "rb") as f:
                self.text = f.read()
            os.unlink(mess)
        info = [os.path.join(b, n) for b, _, names in os.walk(self.linked + "/queue/queue1/info") for n in names]
        records = [os.readlink(p).split("\n") for p in info]
        for path in info:
            os.unlink(path)
        return [r for all in records for r in all if r and r[0] in "Teh"]


class Stranger(Linked):
    def queue(self, message=b"Subject: secret\n\nbody\n", said=b"", **env):
        """As a stranger with these variables: exit code, records of the envelope."""
        r, w = os.pipe()
        os.write(w, b"Fs@x\0Tjoe@a\0\0")
        os.close(w)
        p = subprocess.run([self.linked + "/sbin/qmail-queue"], input=message, stdout=r, stderr=subprocess.PIPE,
                           env={"PATH": "/usr/bin:/bin", "QUEUE_COUNT": "1", **env}, user=STRANGER, group=STRANGER, extra_groups=[],
                           timeout=20)
        os.close(r)
        self.assertEqual(p.stderr, said)
        return p.returncode, self.taken()

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

    def test_control_files_by_name(self):
        """Another control file, which the caller could read himself, adds to what is set; no other file is read."""
        self.control("removeheaders", "X-Ours\n")
        self.control("mine", "subject\nX-Own:9\n")
        self.control("archive", "T:joe@a:copy@arc\n")
        self.control("mailarchive", "F:s@x:all@arc\n")
        got = self.queue(message=b"Subject: secret\nX-Ours: 1\nX-Other: 2\n\nbody\n", REMOVEHEADERS="mine", MAILARCHIVE="archive")
        self.assertEqual(got, (0, ["Tjoe@a", "Tcopy@arc", "Tall@arc"]))
        self.assertTrue(self.text.endswith(b" -0000\nX-Other: 2\n\nbody\n"), self.text)
        self.assertEqual(self.queue(ENVHEADERS="mine"), (0, ["Tjoe@a", "Tall@arc", "hSubject: secret%0A"]))
        self.assertEqual(self.queue(LOGHEADERS="mine", said=b"Subject: secret\n")[0], 0)
        self.control("private", "Subject\nT:*:leak@arc\n", 0o600)
        os.symlink("mine", self.linked + "/control/.mine")
        for name in ("private", "../control/mine", self.linked + "/control/mine", ".mine", "none", ""):
            with self.subTest(name):
                self.assertEqual(self.queue(ENVHEADERS=name, LOGHEADERS=name, MAILARCHIVE=name), (0, ["Tjoe@a", "Tall@arc"]))

    def test_infected_mail(self):
        """A caller may say what becomes of his, where the administrator has not."""
        self.control("qhpsi", self.scanner(1) + "\n")
        self.assertEqual(self.queue(VIRUSFORWARD="mine@x")[1][0], "Tmine@x")
        self.assertEqual(self.queue(QHPSIFORWARD="mine@x")[1][0], "Tmine@x")
        self.assertEqual(self.queue(REJECTVIRUS="1"), (33, []))
        self.assertEqual(self.queue(REJECTVIRUS="2"), (0, []))
        self.control("virusforward", "prison@arc\n")
        self.assertEqual(self.queue(VIRUSFORWARD="mine@x")[1][0], "Tprison@arc")
        self.control("rejectvirus", "1\n")
        self.assertEqual(self.queue(REJECTVIRUS="0"), (33, []))

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


class Servers(Linked):
    """Variables of the service or of a rule of tcpserver, and of envrules, for a qmail-smtpd whose qmail-queue is set-uid."""

    resident = False

    def setUp(self):
        super().setUp()
        self.root = SmtpRoot(self.resident, unprivileged=True)
        self.addCleanup(self.root.close)
        for name in (self.linked + "/control", self.root.path("control")):  # one directory on a real system
            for file, text in (("mine", "x-own\n"), ("archive", "T:*@example.com:copy@arc\n"), ("kept", "Subject\n")):
                with open(os.path.join(name, file), "w") as f:
                    f.write(text)

    def send(self, sender="a@b.example", code=250, **env):
        """What became of a message: records of its envelope."""
        with self.root.smtp(QMAILQUEUE=self.linked + "/sbin/qmail-queue", QUEUE_COUNT="1", **env) as s:
            s.hello()
            self.assertEqual([s.cmd(c)[0] for c in (f"MAIL FROM:<{sender}>", "RCPT TO:<joe@example.com>", "DATA")], [250, 250, 354])
            s.send(b"Subject: x\r\nX-Own: 1\r\n\r\nbody\r\n.\r\n")
            self.assertEqual(s.reply()[0], code)
        return self.taken()

    def test_what_has_an_effect(self):
        self.control("qhpsi", self.scanner(0) + "\n")
        base = ["Tjoe@example.com", "eX-QHPSI: clean%0A"]
        self.assertEqual(self.send(), base)
        self.assertIn(b"\nX-Own: 1\n", self.text)
        self.assertEqual(self.send(REMOVEHEADERS="mine"), base)
        self.assertNotIn(b"\nX-Own: 1\n", self.text)
        self.assertEqual(self.send(MAILARCHIVE="archive", EXTRAQUEUE="more@arc"), [base[0], "Tmore@arc", "Tcopy@arc", base[1]])
        self.assertEqual(self.send(ENVHEADERS="kept", QQEH="X-A: b"), [base[0], "eX-QHPSI: clean%0AX-A: b%0A", "hSubject: x%0A"])
        self.assertEqual(self.send(QUARANTINE="prison@arc")[0], "Tprison@arc")
        self.scanner(1)
        self.assertEqual(self.send(REJECTVIRUS="1", code=554), [])
        self.assertEqual(self.send(VIRUSFORWARD="virus@arc")[0], "Tvirus@arc")

    def test_what_has_none(self):
        """It would run as qmailq, or take away what the administrator has set for all."""
        program = self.linked + "/sbin/qmail-queue"
        self.root.process_env = {"QHPSI": self.scanner(1), "QMAILQUEUE": program}
        self.assertEqual(self.send(QHPSI=self.scanner(1), REJECTVIRUS="1"), ["Tjoe@example.com"])
        with open(self.root.path("smtpd.log")) as f:
            self.assertEqual(f.read().count("the variable QHPSI has no effect here"), int(self.resident))
        self.control("extraqueue", "all@arc\n")
        self.assertEqual(self.send(EXTRAQUEUE="", MAILARCHIVE=""), ["Tjoe@example.com", "Tall@arc"])

    def test_variables_of_the_service(self):
        self.root.process_env = {"REMOVEHEADERS": "mine", "MAILARCHIVE": "archive"}  # where it is resident; else a connection's
        self.assertEqual(self.send(**({} if self.resident else self.root.process_env)), ["Tjoe@example.com", "Tcopy@arc"])
        self.assertNotIn(b"\nX-Own: 1\n", self.text)

    def test_rules_by_sender(self):
        self.root.control("from.envrules", "*@far.example:REMOVEHEADERS=mine,MAILARCHIVE=archive\n")
        self.assertEqual(self.send(), ["Tjoe@example.com"])
        self.assertIn(b"\nX-Own: 1\n", self.text)
        self.assertEqual(self.send("a@far.example"), ["Tjoe@example.com", "Tcopy@arc"])
        self.assertNotIn(b"\nX-Own: 1\n", self.text)


class ResidentServers(Servers):
    resident = True


if __name__ == "__main__":
    unittest.main()
