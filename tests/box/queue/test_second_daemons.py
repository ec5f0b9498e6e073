"""A queue has one set of daemons: a second one ends, and says why; so does one whose starter is gone before
it could be told."""
import unittest

from box import wait_for
from mailsite import MailSite


class SecondDaemons(unittest.TestCase):
    def setUp(self):
        self.site = MailSite()
        self.addCleanup(self.site.close)

    def start(self, **env):
        p = self.site.run(["qmail-start", "./Maildir/"], env=self.site.env(QUEUEDIR=self.site.queue(), **env))
        return p.returncode, (p.stdout + p.stderr).decode()

    def test_second(self):
        self.site.start()
        wait_for(lambda: "status:" in self.site.logged())
        code, said = self.start()
        self.assertEqual(code, 111)
        self.assertIn("alert: unable to lock ", said)
        self.assertIn("(is qmail-send running?)", said)
        self.site.inject("joe@local.example")
        wait_for(lambda: self.site.mails())

    def test_starter_is_gone(self):
        self.assertEqual(self.start(QMAILDAEMON="1"), (111, "alert: whoever started us is gone\n"))
        self.site.start()
        self.site.inject("joe@local.example")
        wait_for(lambda: self.site.mails())


if __name__ == "__main__":
    unittest.main()
