"""Bounces: their structure as Python's mail parser sees it, what the sender asked for (DSN), the
administrator's settings and programs, double bounces, VERP."""
import email, email.policy, os, re, signal, time, unittest

from box import wait_for
from mailsite import MailSite, Sink

ENVELOPE = b"Fjoe@local.example\0Tbad@far.example\0\0"
MESSAGE = b"From: joe@local.example\nSubject: lost\nX-Mark: here\n\nthe body\n"


class Bounces(unittest.TestCase):
    def make(self, script=None, control=(), **env):
        site = MailSite(sink=Sink(script or {"RCPT": "550 5.1.1 no such user"}))
        self.addCleanup(site.close)
        for name, text in dict(control).items():
            site.control(name, text)
        site.start(**env)
        return site

    def queue(self, site, envelope=ENVELOPE, message=MESSAGE):
        self.assertEqual(site.queue_program(message, envelope), 0)

    def one(self, site):
        """The one mail that arrives, when all is over."""
        site.wait_empty()
        (mail,) = site.mails()
        return mail

    def report(self, mail):
        """Its parts: the fields about the message, a list of those about recipients, the last part."""
        m = email.message_from_bytes(mail, policy=email.policy.default)
        self.assertEqual(m.get_content_type(), "multipart/report")
        self.assertEqual(m.get_param("report-type"), "delivery-status")
        self.assertEqual(m.defects, [])
        text, status, last = m.iter_parts()
        self.assertEqual(text.get_content_type(), "text/plain")
        self.assertTrue(text.get_content().startswith("Hi. This is the "))
        fields = status.get_payload()
        return m, fields[0], fields[1:], last

    def test_report(self):
        site = self.make()
        self.queue(site)
        mail = self.one(site)
        self.assertTrue(mail.startswith(b"Return-Path: <>\n"))
        m, message, (recipient,), last = self.report(mail)
        self.assertEqual((m["From"], m["To"], m["Auto-Submitted"], m["Subject"]),
                         ("MAILER-DAEMON@mail.example.com", "joe@local.example", "auto-replied", "failure notice"))
        self.assertEqual(message["Reporting-MTA"], "dns; mail.example.com")
        self.assertRegex(message["Arrival-Date"], r"^\d+ \w+ \d{4} ")
        self.assertIsNone(message["Original-Envelope-Id"])
        self.assertEqual(recipient["Final-Recipient"], "rfc822; bad@far.example")
        self.assertEqual((recipient["Action"], recipient["Status"]), ("failed", "5.1.1"))
        self.assertEqual(recipient["Diagnostic-Code"], "smtp; 550 5.1.1 no such user")
        self.assertEqual(recipient["Remote-MTA"], "dns; [127.0.0.1]")
        self.assertEqual(last.get_content_type(), "message/rfc822")
        original = last.get_payload(0)
        self.assertEqual((original["Subject"], original["Return-Path"]), ("lost", "<joe@local.example>"))
        self.assertEqual(original.get_content(), "the body\n")

    def test_what_the_sender_asked_for(self):
        site = self.make()
        self.queue(site, b"Fjoe@local.example\0dRET=HDRS ENVID=Q+2B1\0Tbad@far.example\0nNOTIFY=FAILURE ORCPT=rfc822;first@x\0"
                         b"Tquiet@far.example\0nNOTIFY=NEVER\0Tonly@far.example\0nNOTIFY=SUCCESS\0\0")
        _, message, (recipient,), last = self.report(self.one(site))
        self.assertEqual(message["Original-Envelope-Id"], "Q+1")
        self.assertEqual(recipient["Original-Recipient"], "rfc822; first@x")
        self.assertEqual(recipient["Final-Recipient"], "rfc822; bad@far.example")
        self.assertEqual(last.get_content_type(), "text/rfc822-headers")
        self.assertIn("X-Mark: here", last.get_content())
        self.assertNotIn("the body", last.get_content())

    def test_never(self):
        site = self.make()
        self.queue(site, b"Fjoe@local.example\0Tquiet@far.example\0nNOTIFY=NEVER\0\0")
        site.wait_empty()
        self.assertEqual(site.mails(), [])
        self.assertIn("failure: ", site.logged())
        self.assertNotIn("bounce msg", site.logged())

    def test_bad_parameters(self):
        site = MailSite()
        self.addCleanup(site.close)
        for envelope in (b"Fa@b\0dRET=SOME\0Tc@d\0\0", b"Fa@b\0Tc@d\0nNOTIFY=NEVER,DELAY\0\0", b"Fa@b\0Tc@d\0n\0n\0\0"):
            self.assertEqual(site.queue_program(MESSAGE, envelope), 79)
        self.assertEqual(site.queued(), [])

    def test_after_a_restart(self):
        """What bounce/ID and the envelope say is enough."""
        site = self.make({"RCPT bad@far.example": "550 no", "RCPT later@far.example": "450 busy"})
        self.queue(site, b"Fjoe@local.example\0dENVID=E1\0Tbad@far.example\0nORCPT=rfc822;o@x\0Tlater@far.example\0\0")
        wait_for(lambda: "deferral: " in site.logged() and "failure: " in site.logged())
        self.assertEqual(site.stop(), 0)
        site.sink.script.clear()
        site.start()
        wait_for(lambda: "messages wait that were tried before" in site.logged())
        site.daemon.send_signal(signal.SIGALRM)
        _, message, (recipient,), _ = self.report(self.one(site))
        self.assertEqual(message["Original-Envelope-Id"], "E1")
        self.assertEqual(recipient["Original-Recipient"], "rfc822; o@x")
        self.assertEqual(recipient["Status"], "5.0.0")

    def test_long_message(self):
        site = self.make(control={"bouncemaxbytes": "2000\n"})
        self.queue(site, message=MESSAGE + b"x\n" * 2000)
        last = self.report(self.one(site))[3]
        self.assertEqual(last.get_content_type(), "text/rfc822-headers")
        self.assertIn("Subject: lost", last.get_content())

    def test_international(self):
        site = self.make()
        self.queue(site, "Fjoe@local.example\0Tjörg@virt.example\0\0".encode(), "Subject: für dich\n\nküss\n".encode())
        mail = self.one(site)
        parts = list(email.message_from_bytes(mail, policy=email.policy.default).iter_parts())
        self.assertEqual([p.get_content_type() for p in parts], ["text/plain", "message/global-delivery-status", "message/global"])
        self.assertEqual(parts[0].get_content_charset(), "utf-8")
        self.assertEqual(parts[1]["Content-Transfer-Encoding"], "8bit")
        self.assertIn("\n\nFinal-Recipient: utf-8; jörg@virt.example\nAction: failed\n", mail.decode())
        self.assertIn("<jörg@virt.example>:", parts[0].get_content())

    def test_qsbmf(self):
        site = self.make(control={"bouncemaxbytes": "300\n"}, BOUNCEFORMAT="qsbmf")
        self.queue(site, message=MESSAGE + b"x\n" * 2000)
        mail = self.one(site)
        self.assertNotIn(b"MIME-Version", mail)
        self.assertRegex(mail, rb"\n\nHi\. This is the [^\0]*\n\n<bad@far\.example>:\n127\.0\.0\.1 [^\0]*\n\n--- Below this line")
        self.assertTrue(mail.endswith(b"\n\n--- End of message cut here.\n"))

    def test_own_words(self):
        site = self.make(control={"bouncemessage": "Leider ging es nicht.\n"})
        self.queue(site)
        m = email.message_from_bytes(self.one(site), policy=email.policy.default)
        self.assertTrue(next(m.iter_parts()).get_content().startswith("Leider ging es nicht.\n\n<bad@far.example>:\n"))

    def test_rules(self):
        site = self.make(control={"bounce.envrules": "joe@local.example:BOUNCEFORMAT=qsbmf\n"})
        self.queue(site)
        self.assertNotIn(b"MIME-Version", self.one(site))
        self.queue(site, b"Fjoe-x@local.example\0Tbad@far.example\0\0")
        site.dotqmail(".qmail-x", "./Maildir/\n")
        site.wait_empty()
        self.assertEqual(len([m for m in site.mails() if b"MIME-Version" in m]), 1)

    def test_rules_of_another_file(self):
        """$BOUNCERULES names it; empty, there are none."""
        for name, mime in (("mine", False), ("", True)):
            with self.subTest(name):
                site = self.make(control={"bounce.envrules": "other@local.example:BOUNCEFORMAT=report\n" if name else "joe@*:BOUNCEFORMAT=qsbmf\n",
                                          "mine": "joe@local.example:BOUNCEFORMAT=qsbmf\n"}, BOUNCERULES=name)
                self.queue(site)
                self.assertEqual(b"MIME-Version" in self.one(site), mime)

    def test_more_failures_than_fit(self):
        """A bounce is made of the first ones, and the message ends."""
        site = MailSite()
        self.addCleanup(site.close)
        self.queue(site)
        (info,) = [p for p in site.queued() if "/info/" in p]
        done, bounce = info.replace("/info/", "/done/"), site.queue() + "/bounce/" + os.path.basename(info)
        paragraph = "<user%d@far.example>:\n" + "no such user here\n" * 100 + "\n"
        for path, text in ((done, "D"), (bounce, "".join(paragraph % i for i in range(10000)))):
            with open(path, "w") as f:
                f.write(text)
            os.chown(path, site.uid, site.gid)
        size = os.stat(bounce).st_size
        self.assertGreater(size, 17 << 20)
        site.start()
        mail = self.one(site)
        told, more, status = mail.partition(b"\n\nThere are more, for which there is no room here.\n")
        self.assertTrue(more)
        last = int(re.findall(rb"<user(\d+)@far.example>:\n", told)[-1])
        self.assertEqual(told.count(b"no such user here"), 100 * (last + 1))
        self.assertEqual(re.findall(rb"\nFinal-Recipient: rfc822; user(\d+)@", status)[-1], b"%d" % last)
        self.assertIn(b"\n\nthe body\n", status)

    def test_bouncelifetime(self):
        """A bounce is given up before other mail of the same age."""
        site = MailSite(sink=Sink({"MAIL": "450 4.2.0 not now"}))
        self.addCleanup(site.close)
        site.control("bouncelifetime", "600\n")
        site.control("doublebounceto", "joe\n")
        site.control("doublebouncehost", "local.example\n")
        for sender in (b"", b"joe@local.example"):
            self.queue(site, b"F%s\0Tbad@far.example\0\0" % sender)
        for path in [p for p in site.queued() if "/info/" in p]:
            link = os.readlink(path)
            os.unlink(path)
            os.symlink(re.sub(r"\nt\d+\n", f"\nt{int(time.time()) - 3000}\n", link), path)
            os.lchown(path, site.uid, site.gid)
        site.start()
        wait_for(site.mails, what="the double bounce")
        (mail,) = site.mails()
        self.assertIn(b"I have tried for too long", mail)
        self.assertIn(b"Return-Path: <#@[]>", mail)
        wait_for(lambda: site.logged().count("deferral") == 2, what="both attempts")

        def one_left():
            infos = [p for p in site.queued() if "/info/" in p]
            return infos if len(infos) == 1 else None

        (left,) = wait_for(one_left, what="the end of the bounce")
        self.assertIn("\nFjoe@local.example\n", os.readlink(left))

    def processor(self, site, code):
        path = site.path("processor")
        with open(path, "w") as f:
            f.write(f"#!/bin/sh\nfor a; do printf '%s\\n' \"$a\"; done > {site.home}/args\nexit {code}\n")
        os.chmod(path, 0o755)
        return path

    def test_processor(self):
        for code, want in ((0, 1), (1, 0)):
            with self.subTest(code):
                site = MailSite(sink=Sink({"RCPT": "550 no"}))
                self.addCleanup(site.close)
                site.start(BOUNCEPROCESSOR=self.processor(site, code))
                self.queue(site)
                site.wait_empty()
                self.assertEqual(len(site.mails()), want)
                self.assertEqual("dropped by BOUNCEPROCESSOR" in site.logged(), code == 1)
                args = open(site.home + "/args").read().split("\n")
                self.assertRegex(args[0], r"^mess/\d+/\d+$")
                self.assertRegex(args[1], r"^bounce/\d+$")
                self.assertEqual(args[2], "<bad@far.example>:")
                self.assertEqual(args[-4:], ["", "bad@far.example", "joe@local.example", ""])

    def test_processor_says_later(self):
        site = MailSite(sink=Sink({"RCPT": "550 no"}))
        self.addCleanup(site.close)
        site.start(BOUNCEPROCESSOR=self.processor(site, 7))
        self.queue(site)
        wait_for(lambda: "wants the bounce later" in site.logged())
        self.assertTrue([p for p in site.queued() if "/bounce/" in p])
        self.assertEqual(site.mails(), [])

    def waiting_processor(self, site):
        """It ends when site.home/go is there; each run leaves its pid."""
        path = site.path("processor")
        with open(path, "w") as f:
            f.write(f"#!/bin/sh\n> {site.home}/run.$$\nuntil [ -e {site.home}/go ]; do sleep 0.02; done\n")
        os.chmod(path, 0o755)
        return path

    def runs(self, site):
        return [n for n in os.listdir(site.home) if n.startswith("run.")]

    def go(self, site):
        with open(site.home + "/go", "w"):
            pass

    def test_a_processor_holds_nothing_up(self):
        site = MailSite(sink=Sink({"RCPT": "550 no"}))
        self.addCleanup(site.close)
        site.start(BOUNCEPROCESSOR=self.waiting_processor(site))
        for _ in range(12):
            self.queue(site)
        wait_for(lambda: len(self.runs(site)) == 10, what="ten processors")
        site.inject("joe@local.example")
        wait_for(lambda: len(site.mails()) == 1, what="a delivery meanwhile")
        status = site.run(["qmail-qorder", "status"], env=site.env(QUEUEDIR=site.queue()))
        self.assertEqual(status.returncode, 0, status.stderr)
        site.daemon.send_signal(signal.SIGHUP)  # they keep the settings they began with
        site.inject("joe@local.example")
        wait_for(lambda: len(site.mails()) == 2, what="one more")
        self.assertEqual(len(self.runs(site)), 10)
        self.go(site)
        site.wait_empty()
        self.assertEqual((len(self.runs(site)), len(site.mails())), (12, 14))

    def test_the_end_waits_for_a_bounce(self):
        site = MailSite(sink=Sink({"RCPT": "550 no"}))
        self.addCleanup(site.close)
        site.start(BOUNCEPROCESSOR=self.waiting_processor(site))
        for _ in range(11):
            self.queue(site)
        wait_for(lambda: len(self.runs(site)) == 10 and site.logged().count(": failure: ") == 11, what="ten processors")
        site.daemon.send_signal(signal.SIGTERM)
        wait_for(lambda: "exitasap" in site.logged())
        self.go(site)
        site.stop()
        self.assertEqual(site.logged().count("bounce msg "), 10)
        self.assertEqual(len([p for p in site.queued() if "/bounce/" in p]), 1)  # for the next start
        site.start()
        site.wait_empty()
        self.assertEqual(len(site.mails()), 11)

    def test_a_processor_that_never_ends(self):
        site = MailSite(sink=Sink({"RCPT": "550 no"}))
        self.addCleanup(site.close)
        site.start(BOUNCEPROCESSOR=self.waiting_processor(site), BOUNCEPROCESSOR_TIME="1")
        self.queue(site)
        wait_for(lambda: f"{site.path('processor')} did not end" in site.logged(), what="the end of it")
        for name in self.runs(site):
            self.assertFalse(os.path.exists("/proc/" + name[4:]))
        self.assertTrue([p for p in site.queued() if "/bounce/" in p])
        self.assertEqual(site.mails(), [])

    def test_bouncequeue(self):
        site = MailSite(sink=Sink({"RCPT": "550 no"}))
        self.addCleanup(site.close)
        path = site.path("bq")
        with open(path, "w") as f:
            f.write(f"#!/bin/sh\ncat > {site.home}/message\ncat <&1 > /dev/null\nexit 0\n")
        os.chmod(path, 0o755)
        site.start(BOUNCEQUEUE=path)
        self.queue(site)
        site.wait_empty()
        self.assertEqual(site.mails(), [])
        self.assertIn("multipart/report", open(site.home + "/message").read())

    def test_double_bounces_discarded(self):
        for to in ("@", ""):
            with self.subTest(to):
                site = self.make(control={"doublebounceto": to + "\n"})
                self.queue(site, b"F\0Tbad@far.example\0\0")
                wait_for(lambda: "discarding" in site.logged())
                site.wait_empty()
                self.assertEqual(site.mails(), [])

    def test_double_bounce_is_a_report(self):
        site = self.make(control={"doublebounceto": "joe\n", "doublebouncehost": "local.example\n",
                                  "doublebouncesubject": "twice\n"})
        self.queue(site, b"Fnobody@far.example\0Tbad@far.example\0\0")
        mail = self.one(site)
        self.assertTrue(mail.startswith(b"Return-Path: <#@[]>\n"))
        m, _, (recipient,), last = self.report(mail)
        self.assertEqual((m["Subject"], m["To"]), ("twice", "joe@local.example"))
        self.assertEqual(recipient["Final-Recipient"], "rfc822; nobody@far.example")
        self.assertEqual(last.get_payload(0).get_content_type(), "multipart/report")

    def test_verp(self):
        """Each recipient of a list has a sender of its own; a failure the list program itself sees goes
        to the owner."""
        site = MailSite(sink=Sink({"RCPT bad@far.example": "550 no"}))
        self.addCleanup(site.close)
        site.dotqmail(".qmail-owner-default", "./Maildir/\n")
        site.start()
        self.queue(site, b"Fjoe-owner-@local.example-@[]\0Tgood@far.example\0Tbad@far.example\0\0")
        mail = self.one(site)
        self.assertEqual([m[0] for m in site.sink.messages], ["joe-owner-good=far.example@local.example"])
        m = self.report(mail)[0]
        self.assertEqual(m["To"], "joe-owner-@local.example")


if __name__ == "__main__":
    unittest.main()
