"""Delivery status notifications (RFC 3461), from a client's MAIL and RCPT to the notice it gets, or to
the next server; with reports as Python's mail parser sees them."""
import email, email.policy, email.utils, os, pwd, signal, smtplib, socket, subprocess, time, unittest

from box import BIN, wait_for
from mailsite import MailSite, Sink

MESSAGE = b"From: joe-dsn@local.example\r\nSubject: asked\r\n\r\nthe body\r\n"
TAKES_DSN = ("PIPELINING", "8BITMIME", "DSN")


class Client(smtplib.SMTP):
    """Python's SMTP client on a qmail-smtpd of its own."""

    def __init__(self, site, **env):
        ours, served = socket.socketpair()
        self.given = ours
        env = site.env(TCPREMOTEIP="192.0.2.7", RELAYCLIENT="", **env)
        self.process = site.spawn(["qmail-smtpd"], env=env, stdin=served, stdout=served, stderr=subprocess.DEVNULL)
        served.close()
        super().__init__("mail.example.com", 25, "tester.example", timeout=20)

    def _get_socket(self, host, port, timeout):
        self.given.settimeout(timeout)
        return self.given


class Asking(unittest.TestCase):
    """A site, a sender who asks for notices, and what it gets."""

    remote = {}  # variables that decide how qmail-remote is run

    def make(self, script=None, ehlo=("PIPELINING", "8BITMIME"), control=(), start=True, **env):
        site = self.site = MailSite(sink=Sink(script or {}, ehlo=ehlo))
        self.addCleanup(site.close)
        for name in ("dsn", "dsn/new", "dsn/cur", "dsn/tmp"):
            site.mkdir("home/" + name)
        site.dotqmail(".qmail-dsn", "./dsn/\n")
        for name, text in dict(control).items():
            site.control(name, text)
        self.variables = dict(self.remote, **env)
        if start:
            site.start(**self.variables)
        return site

    def send(self, *to, sender="joe-dsn@local.example", mail=(), **env):
        """A recipient is an address, or (address, parameters of RCPT)."""
        with Client(self.site, **env) as c:
            self.assertEqual(c.ehlo()[0], 250)
            self.assertTrue(c.has_extn("dsn"))
            self.assertEqual(c.mail(sender, mail)[0], 250)
            for r in to:
                address, options = (r, ()) if isinstance(r, str) else r
                self.assertEqual(c.rcpt(address, options)[0], 250)
            self.assertEqual(c.data(MESSAGE)[0], 250)

    def notices(self):
        """[(letter, fields of the message, [fields of a recipient], last part)] so far."""
        out = []
        for mail in self.site.mails("dsn"):
            m = email.message_from_bytes(mail, policy=email.policy.default)
            self.assertEqual((m.get_content_type(), m.get_param("report-type"), m.defects), ("multipart/report", "delivery-status", []))
            self.assertTrue(mail.startswith(b"Return-Path: <>\n"))
            self.assertEqual((m["To"], m["Auto-Submitted"]), ("joe-dsn@local.example", "auto-replied"))
            text, status, last = m.iter_parts()
            self.assertTrue(text.get_content().startswith("Hi. This is the "))
            fields = status.get_payload()
            out.append((m, fields[0], fields[1:], last))
        return out

    def actions(self):
        return sorted((r["Final-Recipient"].split("; ")[1], r["Action"], r["Status"]) for n in self.notices() for r in n[2])


class Notices(Asking):
    def test_delivered(self):
        site = self.make()
        site.dotqmail(".qmail-x", "./Maildir/\n")
        self.send(("joe@local.example", ["NOTIFY=SUCCESS", "ORCPT=rfc822;J+2Boe@x"]), "joe@local.example",
                  ("joe-x@local.example", ["NOTIFY=FAILURE,DELAY"]), mail=["RET=FULL", "ENVID=my+3Did"])
        site.wait_empty()
        (m, message, (recipient,), last), = self.notices()
        self.assertEqual(m["Subject"], "success notice")
        self.assertEqual(message["Original-Envelope-Id"], "my=id")
        self.assertEqual(message["Reporting-MTA"], "dns; mail.example.com")
        self.assertEqual((recipient["Action"], recipient["Status"]), ("delivered", "2.0.0"))
        self.assertEqual(recipient["Original-Recipient"], "rfc822; J+oe@x")
        self.assertEqual(recipient["Final-Recipient"], "rfc822; joe@local.example")
        self.assertIsNone(recipient["Will-Retry-Until"])
        self.assertEqual(last.get_content_type(), "text/rfc822-headers")  # whatever RET says
        self.assertIn("Subject: asked", last.get_content())
        self.assertNotIn("the body", last.get_content())
        self.assertIsNone(m["X-Bounced-Address"])
        self.assertRegex(site.logged(), r"\nnotice msg (\d+) qp \d+ success queue1 id \d+\.\d+\n(.*\n)*end msg \1 ")

    def test_forwarded(self):
        """To one address: what was asked goes with it, and is answered where it ends."""
        site = self.make()
        site.dotqmail(".qmail", "a@far.example\n")
        self.send(("joe@local.example", ["NOTIFY=SUCCESS", "ORCPT=rfc822;first@x"]), mail=["ENVID=7"])
        site.wait_empty()
        (_, message, (recipient,), _), = self.notices()
        self.assertEqual((recipient["Final-Recipient"], recipient["Action"]), ("rfc822; a@far.example", "relayed"))
        self.assertEqual((message["Original-Envelope-Id"], recipient["Original-Recipient"]), ("7", "rfc822; first@x"))

    def test_forwarded_on(self):
        site = self.make(ehlo=TAKES_DSN)
        site.dotqmail(".qmail", "a@far.example\n")
        self.send(("joe@local.example", ["NOTIFY=SUCCESS,DELAY"]), ("joe@local.example", ["NOTIFY=NEVER"]), mail=["RET=FULL"])
        site.wait_empty()
        self.assertEqual(self.notices(), [])
        self.assertEqual(site.sink.commands.count("MAIL FROM:<joe-dsn@local.example> RET=FULL"), 2)
        self.assertIn("RCPT TO:<a@far.example> NOTIFY=SUCCESS,DELAY", site.sink.commands)
        self.assertIn("RCPT TO:<a@far.example> NOTIFY=NEVER", site.sink.commands)

    def test_expanded(self):
        """To several: this is the last that is told of success."""
        site = self.make(ehlo=TAKES_DSN)
        site.dotqmail(".qmail", "a@far.example\nb@far.example\n")
        self.send(("joe@local.example", ["NOTIFY=SUCCESS,FAILURE"]))
        site.wait_empty()
        self.assertEqual(self.actions(), [("joe@local.example", "expanded", "2.0.0")])
        self.assertIn("RCPT TO:<b@far.example> NOTIFY=FAILURE", site.sink.commands)

    def test_expanded_quietly(self):
        site = self.make(ehlo=TAKES_DSN)
        site.dotqmail(".qmail", "./Maildir/\na@far.example\n")
        self.send(("joe@local.example", ["NOTIFY=SUCCESS"]))
        site.wait_empty()
        self.assertEqual(self.actions(), [("joe@local.example", "delivered", "2.0.0")])
        self.assertIn("RCPT TO:<a@far.example> NOTIFY=NEVER", site.sink.commands)

    def test_forwarded_for_an_owner(self):
        """Of a list's copies its owner hears, and the sender that it got there."""
        site = self.make(ehlo=TAKES_DSN)
        site.dotqmail(".qmail-list", "a@far.example\n")
        site.dotqmail(".qmail-list-owner", "./Maildir/\n")
        self.send(("joe-list@local.example", ["NOTIFY=SUCCESS"]))
        site.wait_empty()
        self.assertEqual(self.actions(), [("joe-list@local.example", "relayed", "2.0.0")])
        self.assertIn("RCPT TO:<a@far.example>", site.sink.commands)

    def test_relayed(self):
        site = self.make()
        self.send(("a@far.example", ["NOTIFY=SUCCESS"]), ("b@far.example", ["NOTIFY=SUCCESS,FAILURE"]), ("c@far.example", ["NOTIFY=NEVER"]),
                  mail=["ENVID=1"])
        site.wait_empty()
        (_, _, recipients, _), = self.notices()
        self.assertEqual(self.actions(), [("a@far.example", "relayed", "2.0.0"), ("b@far.example", "relayed", "2.0.0")])
        self.assertEqual(recipients[0]["Remote-MTA"], "dns; [127.0.0.1]")
        self.assertEqual(recipients[0]["Diagnostic-Code"], "smtp; 250 taken")
        self.assertNotIn("NOTIFY", "".join(site.sink.commands))

    def test_passed_on(self):
        site = self.make(ehlo=TAKES_DSN)
        self.send(("a@far.example", ["notify=Success,DELAY", "ORCPT=rfc822;a+40x"]), ("b@far.example", ["NOTIFY=NEVER"]), "c@far.example",
                  mail=["RET=hdrs", "ENVID=1+2B1"])
        site.wait_empty()
        self.assertEqual(self.notices(), [])
        commands = site.sink.commands
        self.assertIn("MAIL FROM:<joe-dsn@local.example> RET=HDRS ENVID=1+2B1", commands)
        self.assertIn("RCPT TO:<a@far.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+40x", commands)
        self.assertIn("RCPT TO:<b@far.example> NOTIFY=NEVER", commands)
        self.assertIn("RCPT TO:<c@far.example>", commands)
        self.assertIn("accepted_message_and_will_send_notices.", site.logged())

    def test_nothing_asked(self):
        site = self.make(ehlo=TAKES_DSN)
        self.send("a@far.example", "joe@local.example")
        site.wait_empty()
        self.assertEqual(self.notices(), [])
        self.assertIn("MAIL FROM:<joe-dsn@local.example>", site.sink.commands)
        self.assertIn("RCPT TO:<a@far.example>", site.sink.commands)
        self.assertNotIn("notices", site.logged())

    def test_failures(self):
        """Some fail, some do not: each is told as its sender asked; a server that offers DSN refuses at RCPT."""
        site = self.make({"RCPT bad@far.example": "550 5.1.1 no", "RCPT quiet@far.example": "550 no", "RCPT only@far.example": "550 no"},
                         ehlo=TAKES_DSN)
        self.send(("bad@far.example", ["NOTIFY=FAILURE"]), ("quiet@far.example", ["NOTIFY=NEVER"]), ("only@far.example", ["NOTIFY=SUCCESS"]),
                  ("joe@local.example", ["NOTIFY=SUCCESS"]), mail=["RET=FULL"])
        site.wait_empty()
        self.assertEqual(self.actions(), [("bad@far.example", "failed", "5.1.1"), ("joe@local.example", "delivered", "2.0.0")])
        last = {n[0]["Subject"]: n[3].get_content_type() for n in self.notices()}
        self.assertEqual(last, {"failure notice": "message/rfc822", "success notice": "text/rfc822-headers"})

    def test_null_sender(self):
        site = self.make({"RCPT": "550 no"})
        self.send(("joe@local.example", ["NOTIFY=SUCCESS"]), sender="")
        site.wait_empty()
        self.assertEqual(self.notices(), [])
        self.assertNotIn("notice msg", site.logged())

    def alarm(self, n):
        """The n-th attempt: all that waits is tried now."""
        self.site.daemon.send_signal(signal.SIGALRM)
        wait_for(lambda: self.site.logged().count("deferral: ") >= n, what="another attempt")

    def test_delayed(self):
        site = self.make({"RCPT": "451 4.7.1 not now"}, control={"delaynotice": "1\n", "queuelifetime": "5000\n"})
        self.send(("a@far.example", ["NOTIFY=DELAY"]), ("b@far.example", ["NOTIFY=SUCCESS,FAILURE"]), mail=["ENVID=9"])
        wait_for(lambda: site.logged().count("deferral: ") == 2)
        arrived = int(os.listdir(self.found("mess"))[0]) // 1000000
        wait_for(lambda: int(time.time()) > arrived + 1, what="the second after it arrived")
        self.alarm(4)
        wait_for(lambda: self.notices(), what="a notice")
        (m, message, (recipient,), last), = self.notices()
        self.assertEqual((m["Subject"], message["Original-Envelope-Id"]), ("delay notice", "9"))
        self.assertEqual((recipient["Action"], recipient["Status"]), ("delayed", "4.7.1"))
        self.assertEqual(recipient["Final-Recipient"], "rfc822; a@far.example")
        until = email.utils.parsedate_to_datetime(recipient["Will-Retry-Until"]).timestamp()
        self.assertIn(until, (arrived + 5000, arrived + 4999))  # the file's time is of a coarser clock than its name
        self.assertEqual(last.get_content_type(), "text/rfc822-headers")
        # Once is enough; after a restart too.
        self.alarm(6)
        self.assertEqual(site.stop(), 0)
        site.start(**self.variables)
        wait_for(lambda: "messages wait that were tried before" in site.logged())
        self.alarm(8)
        site.sink.script.clear()
        site.daemon.send_signal(signal.SIGALRM)
        site.wait_empty()
        self.assertEqual(site.logged().count("notice msg"), 2)  # and b@far.example's success
        self.assertEqual(self.actions(), [("a@far.example", "delayed", "4.7.1"), ("b@far.example", "relayed", "2.0.0")])

    def found(self, kind):
        base = os.path.join(self.site.queue(), kind)
        return next(d for d, _, names in os.walk(base) if names)

    def test_no_delay_notice(self):
        """Not before its time, and not where it is switched off."""
        for seconds in ("0\n", "100\n"):
            site = self.make({"RCPT": "451 not now"}, control={"delaynotice": seconds})
            self.send(("a@far.example", ["NOTIFY=DELAY"]))
            wait_for(lambda: site.logged().count("deferral: ") == 1)
            arrived = int(os.listdir(self.found("mess"))[0]) // 1000000
            wait_for(lambda: int(time.time()) > arrived + 1, what="the second after it arrived")
            self.alarm(2)
            self.assertEqual(site.stop(), 0)
            self.assertNotIn("notice msg", site.logged())

    def test_notice_that_cannot_be_queued(self):
        """It is kept, and goes out with the end of the message."""
        site = self.make(start=False)
        broken = site.path("broken")
        with open(broken, "w") as f:
            f.write(f'#!/bin/sh\n[ -e {site.path("home")}/once ] && exec {site.bin}/qmail-queue\n: > {site.path("home")}/once\nexit 53\n')
        os.chmod(broken, 0o755)
        site.start(BOUNCEQUEUE=broken, **self.variables)
        self.send(("joe@local.example", ["NOTIFY=SUCCESS", "ORCPT=rfc822;j@x"]), mail=["ENVID=7"])
        site.wait_empty()
        (m, message, (recipient,), last), = self.notices()
        self.assertEqual((m["Subject"], message["Original-Envelope-Id"]), ("success notice", "7"))
        self.assertEqual((recipient["Action"], recipient["Original-Recipient"]), ("delivered", "rfc822; j@x"))
        self.assertEqual(last.get_content_type(), "text/rfc822-headers")
        self.assertEqual(len(site.mails()), 1)

    def test_killed_before_the_notice_is_queued(self):
        """The recipient is not marked yet: it is delivered again, which a Maildir takes once, and the sender is told."""
        site = self.make(start=False)
        killer = site.path("killer")
        with open(killer, "w") as f:
            f.write(f'#!/bin/sh\n[ -e {site.path("home")}/once ] && exec {site.bin}/qmail-queue\n: > {site.path("home")}/once\nkill -9 $PPID\n')
        os.chmod(killer, 0o755)
        site.start(BOUNCEQUEUE=killer, **self.variables)
        self.send(("joe@local.example", ["NOTIFY=SUCCESS"]))
        site.wait_empty()
        self.assertTrue(os.path.exists(site.path("home/once")))
        self.assertIn(("joe@local.example", "delivered", "2.0.0"), self.actions())
        self.assertEqual(site.logged().count(" to local joe@local.example"), 2)
        self.assertEqual(len(site.mails()), 1)

    def test_filter_of_the_administrator(self):
        """What it would make of our records nobody knows."""
        self.make(start=False)
        with Client(self.site, QMAILQUEUE="/bin/true") as c:
            c.ehlo()
            self.assertFalse(c.has_extn("dsn"))
            self.assertEqual(c.mail("a@b.example", ["RET=FULL"])[0], 555)


class Virtual(Asking):
    """Users of a virtual domain: as with .qmail files."""

    def make(self, script=None, ehlo=TAKES_DSN, resident=True):
        site = super().make(script, ehlo, start=False)
        site.mkdir("userdb")
        account = "nobody" if site.ids else pwd.getpwuid(os.getuid()).pw_name
        self.variables["INDIMAILUSER"] = account
        if not resident:
            self.variables["QMAILLOCAL"] = os.path.join(BIN, "qmail-local")
        self.ok("vadddomain", "-e", "v.example", "-")
        for name in ("alice", "bob"):
            self.ok("vadduser", "-e", name + "@v.example", "-")
        log = open(site.path("inlookup.log"), "ab")
        self.addCleanup(log.close)
        site.spawn(["inlookup", "-v", "-i", "1", "-p", "1"], env=site.env(**self.variables), stderr=log)
        wait_for(lambda: b"ready" in open(site.path("inlookup.log"), "rb").read(), what="inlookup")
        site.start(**self.variables)
        return site

    def ok(self, *argv):
        p = self.site.run(list(argv), input=b"$6$x$x\n", env=self.site.env(**self.variables))
        self.assertEqual(p.returncode, 0, (argv, p.stderr))

    def lines(self, alias, *lines):
        for line in lines:
            self.ok("valias", "-i", line, alias)

    def check(self, asked, expect, *rcpt, to="team@v.example", mail=None):
        """asked of one recipient: the notices that come, and the RCPT commands the next server sees."""
        self.send((to, asked), mail=["RET=HDRS", "ENVID=7"])
        self.site.wait_empty()
        self.assertEqual(self.actions(), expect)
        commands = self.site.sink.commands
        self.assertEqual(sorted(c for c in commands if c.startswith("RCPT")), sorted(f"RCPT TO:<{r}" for r in rcpt))
        if rcpt:
            self.assertIn("MAIL FROM:<joe-dsn@local.example> RET=HDRS ENVID=7", commands)

    def test_mailbox(self):
        self.make()
        self.check(["NOTIFY=SUCCESS"], [("alice@v.example", "delivered", "2.0.0")], to="alice@v.example")

    def test_one_forward(self):
        """It goes on with what was asked, and the next host tells."""
        self.make()
        self.lines("team@v.example", "&a@far.example")
        self.check(["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;team@x"], [], "a@far.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;team@x")

    def test_one_forward_to_a_host_without(self):
        self.make(ehlo=("PIPELINING",))
        self.lines("team@v.example", "&a@far.example")
        self.send(("team@v.example", ["NOTIFY=SUCCESS"]))
        self.site.wait_empty()
        self.assertEqual(self.actions(), [("a@far.example", "relayed", "2.0.0")])

    def test_never(self):
        self.make({"RCPT": "550 5.1.1 no"})
        self.lines("team@v.example", "&a@far.example", "&b@far.example")
        self.check(["NOTIFY=NEVER"], [], "a@far.example> NOTIFY=NEVER", "b@far.example> NOTIFY=NEVER")

    def test_alias_of_several(self):
        self.make()
        self.lines("team@v.example", "&a@far.example", "&b@far.example")
        self.check(["NOTIFY=SUCCESS,FAILURE"], [("team@v.example", "expanded", "2.0.0")],
                   "a@far.example> NOTIFY=FAILURE", "b@far.example> NOTIFY=FAILURE")

    def test_group(self):
        site = self.make()
        self.ok("vgroup", "-a", "-e", "staff@v.example", "-")
        for member in ("a@far.example", "b@far.example"):
            self.ok("vgroup", "-i", "&" + member, "staff@v.example")
        self.check(["NOTIFY=SUCCESS"], [("staff@v.example", "expanded", "2.0.0")],
                   "a@far.example> NOTIFY=NEVER", "b@far.example> NOTIFY=NEVER", to="staff@v.example")

    def test_mailbox_and_forward(self):
        """What is stored here is delivered, and of the copy nobody is told."""
        site = self.make()
        home = os.path.join(site.path("mail"), "A2E", "v.example", "alice")
        self.send("alice@v.example")  # makes it
        wait_for(lambda: os.path.exists(home), what="the home")
        for line in ("alice@v.example\n&a@far.example\n", "&a@far.example\nalice@v.example\n"):
            with open(home + "/.qmail", "w") as f:
                f.write(line)
            self.send(("alice@v.example", ["NOTIFY=SUCCESS"]))
            site.wait_empty()
        self.assertEqual(self.actions(), [("alice@v.example", "delivered", "2.0.0")] * 2)
        self.assertEqual(site.sink.commands.count("RCPT TO:<a@far.example> NOTIFY=NEVER"), 2)

    def test_not_the_only_line(self):
        """More lines in .qmail-default: of the success this host tells."""
        site = self.make()
        self.lines("team@v.example", "&a@far.example")
        path = site.path("domains", "v.example", ".qmail-default")
        text = open(path).read()
        with open(path, "w") as f:
            f.write(text + "| true\n")
        self.check(["NOTIFY=SUCCESS"], [("team@v.example", "delivered", "2.0.0")], "a@far.example> NOTIFY=NEVER")

    def test_default_action(self):
        site = self.make()
        self.ok("vmoddomain", "-h", "a@far.example", "v.example")
        self.check(["NOTIFY=SUCCESS"], [], "a@far.example> NOTIFY=SUCCESS", to="nobody@v.example")

    def test_rules(self):
        """vfilter runs for itself: it cannot say what it did, so this host tells of success."""
        site = self.make()
        self.ok("vmoddomain", "-f", "1", "v.example")
        self.lines("team@v.example", "&a@far.example")
        self.check(["NOTIFY=SUCCESS,FAILURE"], [("team@v.example", "delivered", "2.0.0")], "a@far.example> NOTIFY=FAILURE")

    def test_process(self):
        """A qmail-local for each delivery does the same."""
        self.make(resident=False)
        self.lines("team@v.example", "&a@far.example")
        self.check(["NOTIFY=SUCCESS"], [], "a@far.example> NOTIFY=SUCCESS")

    def test_forward_by_program(self):
        """A program line that runs forward."""
        site = self.make()
        site.dotqmail(".qmail", f"|{BIN}/forward a@far.example\n")
        self.check(["NOTIFY=SUCCESS,DELAY"], [("joe@local.example", "delivered", "2.0.0")], "a@far.example> NOTIFY=DELAY", to="joe@local.example")


class Processes(Notices):
    """A qmail-remote for each delivery, told by its environment."""

    remote = {"QMAILREMOTE": os.path.join(BIN, "qmail-remote")}


if __name__ == "__main__":
    unittest.main()
