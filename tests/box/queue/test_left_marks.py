"""What qmail-send leaves behind when it is killed between the removal of a message and that of its
marks goes away at its next start; the marks of messages that are there stay."""
import os, unittest

from box import wait_for
from mailsite import MailSite, Sink


class LeftMarks(unittest.TestCase):
    def test_swept_at_the_start(self):
        site = MailSite(sink=Sink({"MAIL": "450 not now"}))
        self.addCleanup(site.close)
        site.inject("x@far.example")
        info = next(p for p in site.queued() if "/info/" in p)
        kept = info.replace("/info/", "/done/")
        left = [site.queue() + "/done/7/30", site.queue() + "/bounce/30"]  # 30 mod 23 is 7
        for path in left + [kept]:
            with open(path, "w") as f:
                f.write("\0")
            os.chown(path, site.uid, site.gid)
        site.start()
        wait_for(lambda: "status:" in site.logged())
        self.assertEqual([p for p in left if os.path.exists(p)], [])
        self.assertTrue(os.path.exists(kept))


if __name__ == "__main__":
    unittest.main()
