"""control/domainqueue: mail that comes by SMTP goes into the queue of its recipients' domain."""
import os, unittest

from box import wait_for
from mailsite import MailSite
from smtpd import Smtp


class DomainQueue(unittest.TestCase):
    resident = False  # is it qmail-queued that takes the mail?

    def setUp(self):
        self.site = site = MailSite()
        self.addCleanup(site.close)
        site.resident = False
        os.mkdir(site.path("qq"))
        self.odmr = site.path("queue", "odmr")
        self.assertEqual(site.run(["queue-fix", self.odmr]).returncode, 0)
        site.control("rcpthosts", "example.com\n.odmr.example\nbad.example\nfilter.example\n")
        self.filter = site.path("filter")
        with open(self.filter, "w") as f:
            f.write(f"#!/bin/sh\n: > {site.path('home')}/filtered\nexec {site.bin}/qmail-queue\n")
        os.chmod(self.filter, 0o755)
        site.control("domainqueue", f"*.odmr.example:QUEUEDIR={self.odmr}\nbad.example:PATH=/tmp\n"
                                    f"filter.example:QMAILQUEUE={self.filter}\n")
        self.clients = {"QUEUE_COUNT": None} if self.resident else {}
        if self.resident:
            site.spawn(["qmail-queued", "-n", "1"], env=site.env())
            wait_for(lambda: os.path.exists(site.path("run/queue/socket")), what="qmail-queued")

    def send(self, *transactions, **env):
        """Each a list of recipients, in one session: the codes after DATA."""
        with Smtp(self.site, (), {"QMAILQUEUE": "", **self.clients, **env}) as s:
            s.hello()
            out = []
            for to in transactions:
                self.assertEqual(s.cmd("MAIL FROM:<a@b.example>")[0], 250)
                for address in to:
                    self.assertEqual(s.cmd(f"RCPT TO:<{address}>")[0], 250)
                code, _ = s.cmd("DATA")
                if code == 354:
                    s.send(b"Subject: x\r\n\r\nhello\r\n.\r\n")
                    code, _ = s.reply()
                s.cmd("RSET")
                out.append(code)
            return out, s.logged()

    def counts(self):
        def messages(queue):
            return sum(len(names) for _, _, names in os.walk(os.path.join(queue, "mess")))

        return messages(self.site.queue()), messages(self.odmr)

    def test_queues(self):
        steps = ((["x@a.odmr.example"], (0, 1)), (["x@example.com"], (1, 1)), (["x@example.com", "y@B.ODMR.example"], (1, 2)),
                 (["y@b.odmr.example", "x@example.com"], (1, 3)))
        for to, want in steps:
            self.assertEqual(self.send(to)[0], [250])
            self.assertEqual(self.counts(), want, to)

    def test_one_session(self):
        """The choice for one message is not that for the next."""
        self.assertEqual(self.send(["x@a.odmr.example"], ["x@example.com"], ["x@a.odmr.example"])[0], [250] * 3)
        self.assertEqual(self.counts(), (1, 2))

    def test_a_program(self):
        self.assertEqual(self.send(["x@a.odmr.example", "x@filter.example"])[0], [250])
        self.assertTrue(os.path.exists(self.site.path("home/filtered")))
        self.assertEqual(self.counts(), (1, 0))  # the last line that counts counts alone

    def test_the_environment_wins(self):
        self.assertEqual(self.send(["x@example.com"], ["x@bad.example"], QUEUEDIR=self.odmr)[0], [250, 250])
        self.assertEqual(self.counts(), (0, 2))

    def test_a_bad_line(self):
        codes, log = self.send(["x@bad.example"], ["x@example.com"])
        self.assertEqual(codes, [451, 250])
        self.assertRegex(log, r" notqueued 0 .* id \S+ control/domainqueue: no assignments of a queue: PATH=/tmp")
        self.assertEqual(self.counts(), (1, 0))


class Resident(DomainQueue):
    resident = True


if __name__ == "__main__":
    unittest.main()
