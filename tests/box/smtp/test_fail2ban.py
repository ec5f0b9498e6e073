"""The filter for fail2ban, on the log of the real server: by fail2ban-regex where it is installed, by its regular
expressions here in any case."""
import configparser, os, re, shutil, subprocess, unittest
from box import SOURCE
from smtpd import SmtpRoot, plain

FILTER = os.path.join(SOURCE, "boot", "fail2ban", "indimail.conf")
REGEX = os.environ.get("FAIL2BAN_REGEX") or shutil.which("fail2ban-regex")


def filter_lines(key):
    c = configparser.ConfigParser(interpolation=None)
    c.read(FILTER)
    d = c["Definition"]
    text = re.sub(r"%\((\w+)\)s", lambda m: d[m[1]], d[key])
    return [re.compile(l.replace("<ADDR>", r"(?P<ip>(?:\d{1,3}\.){3}\d{1,3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]+)")) for l in text.splitlines() if l]


def banned(line):
    """The address the filter finds in a line without its time."""
    if any(r.search(line) for r in filter_lines("ignoreregex")):
        return None
    found = [m["ip"] for m in (r.search(line) for r in filter_lines("failregex")) if m]
    assert len(found) <= 1, (line, found)
    return found[0] if found else None


class Filter(unittest.TestCase):
    def setUp(self):
        self.root = SmtpRoot()
        self.addCleanup(self.root.close)
        self.lines = []

    def session(self, ip, *commands, args=(), tls=False, early=b"", **vars):
        with self.root.smtp(args, TCPREMOTEIP=ip, **vars) as s:
            s.send(early)
            s.reply()
            if tls:
                s.cmd("EHLO x")
                s.starttls()
            for c in commands:
                s.cmd(c)
            s.cmd("QUIT")
            s.exits(0)
            self.lines += s.logged().splitlines()

    def test_the_real_log(self):
        self.root.certificate()
        self.root.control("badrcptto", "jim@example.com\n")
        self.root.control("badmailfrom", "bad@example.net\n")
        auth = ("mail.example.com", self.root.checkpassword, "/bin/false", self.root.seen)
        mail = ("EHLO x", "MAIL FROM:<a@example.net>")
        forged = "qmail-smtpd: 203.0.113.9 1 authfail LOGIN x"
        self.session("192.0.2.1", "EHLO x", "AUTH PLAIN " + plain("joe", "wrong"), tls=True, args=auth, STARTTLS="1")
        self.session("192.0.2.2", *mail, "RCPT TO:<a@example.org>")
        self.session("2001:db8::3", *mail, "RCPT TO:<jim@example.com>")
        self.session("192.0.2.4", early=b"EHLO x\r\n", GREETDELAY="-2")
        # not these: accepted, refused for the sender, no sense, put off, and whoever tries to blame another
        self.session("192.0.2.20", *mail, "RCPT TO:<joe@example.com>")
        self.session("192.0.2.21", "EHLO x", "MAIL FROM:<bad@example.net>")
        self.session("192.0.2.22", forged, "EHLO " + forged, "VRFY", "NOOP")
        self.session("192.0.2.23", "EHLO x", "MAIL FROM:<bad@example.net> " + forged, "MAIL FROM:<\n" + forged + ">")
        self.session("192.0.2.24", "EHLO x", "AUTH PLAIN " + plain("broken", "x"), tls=True, args=auth, STARTTLS="1")
        self.session("192.0.2.25", "EHLO x", "AUTH PLAIN " + plain("joe ip 203.0.113.9 tls -\n" + forged, "x"), tls=True, args=auth, STARTTLS="1")
        self.root.control("maxrecipients", "1\n")
        self.session("192.0.2.26", *mail, "RCPT TO:<joe@example.com>", "RCPT TO:<joe@example.com>")
        self.lines.append("imaplogin: login failed user a_ip_203.0.113.9 ip 192.0.2.30 tls TLSv1.3")
        self.lines.append("imaplogin: login user joe ip 192.0.2.31 tls TLSv1.3")
        self.lines.append("qmail-poppass: login failed user a ip 192.0.2.32 tls yes")
        self.lines.append("authindi: login failed user a ip 192.0.2.34 tls no")
        self.lines.append("qmail-poppass: password changed user joe ip 192.0.2.33 tls yes")
        want = ["192.0.2.1", "192.0.2.2", "192.0.2.25", "192.0.2.30", "192.0.2.32", "192.0.2.34", "192.0.2.4", "2001:db8::3"]
        self.assertGreater(len(self.lines), 15)
        self.assertEqual(sorted(b for b in map(banned, self.lines) if b), want, "\n".join(self.lines))
        log = self.root.run(["tai64n"], input=("\n".join(self.lines) + "\n").encode()).stdout
        self.assertRegex(log, rb"^@[0-9a-f]{24} qmail-smtpd: ")
        if not REGEX:
            return
        with open(self.root.path("current"), "wb") as f:
            f.write(log)
        r = subprocess.run([*REGEX.split(), "-o", "ip", self.root.path("current"), FILTER], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(sorted(r.stdout.decode().split()), want, r)


if __name__ == "__main__":
    unittest.main()
