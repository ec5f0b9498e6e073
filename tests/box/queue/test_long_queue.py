"""Thousands of deferred messages: new mail goes before them when the daemons start, and is not
held up by them later; a new message is found whole, or not at all. (`fillqueue.py` makes as many as one
wants to measure with; 100,000 behave like these.)"""
import os, signal, time, unittest

from box import wait_for
from fillqueue import fill
from mailsite import MailSite, Sink

MANY = int(os.environ.get("LONG_QUEUE", "2000"))


class LongQueue(unittest.TestCase):
    def make(self, **given):
        site = MailSite(sink=Sink({"MAIL": "450 not now"}))
        self.addCleanup(site.close)
        self.ids = fill(site.queue(), given.pop("count", MANY), uid=site.uid, gid=site.gid, **given)
        return site

    def test_new_mail_first(self):
        site = self.make()
        site.inject("joe@local.example")  # nobody hears its announcement
        began = time.monotonic()
        site.start()
        wait_for(site.mails)
        first = time.monotonic() - began
        wait_for(lambda: f"{MANY} messages wait that were tried before" in site.logged())
        site.inject("joe@local.example")
        wait_for(lambda: len(site.mails()) == 2)
        print(f"{MANY} deferred: a new message after {first:.2f} s")
        self.assertLess(first, 2 + MANY / 20000)
        log = site.logged()
        self.assertLess(log.index("new msg"), log.index("messages wait that were tried"))
        self.assertEqual(log.count("info msg"), 2)
        self.assertNotIn("to remote", log)  # none of the others is due

    def test_all_due_at_once(self):
        """They may use most of the remote deliveries, not all, and none of the local ones."""
        site = self.make(count=100, tried=100000)
        site.start()
        wait_for(lambda: site.logged().count("deferral") >= 20)
        site.inject("joe@local.example")
        wait_for(site.mails)
        self.assertRegex(site.logged(), r"remote 15/20")
        self.assertNotRegex(site.logged(), r"remote 1[6-9]/20")

    def test_torn_and_tried(self):
        """A message without marks is compared with its checksum, so is one that was tried only when it
        was new; what was tried later is known to be whole."""
        site = self.make(count=5)
        torn, young, changed = self.ids[:3]
        for i in (torn, young, changed):
            with open(f"{site.queue()}/mess/{i % 23}/{i}", "r+b") as f:
                f.truncate(100)
        os.unlink(f"{site.queue()}/done/{torn % 23}/{torn}")
        birth = time.time() - 259200
        os.utime(f"{site.queue()}/done/{young % 23}/{young}", (birth + 100, birth + 100))
        site.start()
        wait_for(lambda: "3 messages wait that were tried before" in site.logged())
        site.daemon.send_signal(signal.SIGALRM)
        wait_for(lambda: site.logged().count("deferral") == 3)
        self.assertIn(f"msg {changed}", site.logged())
        self.assertNotIn(f"msg {torn}", site.logged())
        self.assertNotIn(f"msg {young}", site.logged())

    def test_detached(self):
        site = self.make(count=0)
        site.start()
        wait_for(lambda: "status:" in site.logged())
        site.inject("joe@local.example")
        wait_for(lambda: len(site.mails()) == 1)
        site.daemon.send_signal(signal.SIGUSR1)
        wait_for(lambda: "info: detached" in site.logged())
        site.inject("joe@local.example", body="later\n")
        time.sleep(0.3)
        self.assertEqual(len(site.mails()), 1)
        site.daemon.send_signal(signal.SIGUSR2)
        wait_for(lambda: len(site.mails()) == 2)


if __name__ == "__main__":
    unittest.main()
