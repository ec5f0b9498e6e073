"""vdelivermail: daily limits, small mail over quota, warnings, the program that is told, and the same message twice."""
import json, os, threading, unittest
from usersite import UserSite

COMMAND = """#!/usr/bin/env python3
import json, os, sys
with open({seen!r}, "a") as f:
    f.write(json.dumps(sys.argv[1:]) + "\\n")
sys.stdin.read()
sys.exit(1)
"""


def message(size, subject="x"):
    head = f"Subject: {subject}\n\n".encode()
    return head + b"y" * (size - len(head) - 1) + b"\n"


class Base(unittest.TestCase):
    quota = "NOQUOTA"

    def setUp(self):
        self.site = UserSite()
        self.addCleanup(self.site.close)
        self.site.add_domain()
        self.site.add_user("alice", "-q", self.quota)
        self.site.start_lookup("-i", "1", "-p", "1")
        self.seen = self.site.path("seen")
        open(self.seen, "w").close()
        os.chmod(self.seen, 0o666)
        self.command = self.site.path("command")
        with open(self.command, "w") as f:
            f.write(COMMAND.format(seen=self.seen))
        os.chmod(self.command, 0o755)
        self.maildir = self.site.home("alice@example.com") + "/Maildir"

    def deliver(self, size=500, subject="x", **env):
        p = self.site.deliver("alice", message(size, subject), OVERQUOTA_CMD=self.command, **env)
        return p.returncode, p.stderr.decode()

    def told(self):
        lines = [json.loads(l) for l in open(self.seen)]
        open(self.seen, "w").close()
        return lines

    def mails(self):
        return len(self.site.mails("alice@example.com"))


class Rules(Base):
    def test_messages_a_day(self):
        for _ in range(3):
            self.assertEqual(self.deliver(MAILCOUNT_LIMIT="3")[0], 0)
        code, said = self.deliver(MAILCOUNT_LIMIT="3")
        self.assertEqual(code, 100)
        self.assertIn("the mailbox has got its mail for today (#5.2.2)", said)
        self.assertEqual(self.mails(), 3)
        (words,) = self.told()
        self.assertEqual((words[0], words[3], words[4]), (self.maildir, "3", "10485760S,3C"))
        self.assertRegex(open(self.maildir + "/deliveryCount").read(), r"^\d\d-\d\d-\d{4}:\d\d:\d\d:\d\d 3 \d+\n$")
        # another day; and without limits nothing is counted
        with open(self.maildir + "/deliveryCount", "w") as f:
            f.write("01-01-2001:00:00:00 3 99\n")
        self.assertEqual(self.deliver(MAILCOUNT_LIMIT="3")[0], 0)
        self.assertEqual(self.deliver()[0], 0)
        self.assertRegex(open(self.maildir + "/deliveryCount").read(), r"\n\S+ 1 \d+\n$")
        with open(self.maildir + "/holdoverquota", "w"):
            pass
        code, said = self.deliver(MAILCOUNT_LIMIT="1")
        self.assertEqual(code, 111)
        self.assertIn("the message waits", said)

    def test_bytes_a_day(self):
        self.assertEqual(self.deliver(1500, MAILSIZE_LIMIT="2000")[0], 0)
        self.assertEqual(self.deliver(1500, MAILSIZE_LIMIT="2000")[0], 100)
        self.assertEqual(self.deliver(100, MAILSIZE_LIMIT="2000")[0], 0)
        self.assertEqual(self.mails(), 2)
        for odd in ("-1", "x", ""):
            self.assertEqual(self.deliver(100, MAILSIZE_LIMIT=odd)[0], 0, odd)

    def test_many_at_once(self):
        codes, host = [], "example.com"
        env = self.site.env(EXT="alice", HOST=host, SENDER="s@example.net", LOCAL=host + "-alice", RPLINE="", DTLINE="", MAILCOUNT_LIMIT="5")

        def one(i):
            with open(self.site.path(f"message{i}"), "wb+") as f:
                f.write(message(500))
                f.flush()
                f.seek(0)
                codes.append(self.site.run(["vdelivermail", "", "bounce-no-mailbox"], env=env, stdin=f).returncode)

        threads = [threading.Thread(target=one, args=(i,)) for i in range(12)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual((codes.count(0), codes.count(100), self.mails()), (5, 7, 5))

    def test_duplicates(self):
        self.assertEqual(self.deliver(subject="a", ELIMINATE_DUPS="1")[0], 0)
        self.assertEqual(self.deliver(subject="a", ELIMINATE_DUPS="1")[0], 0)
        self.assertEqual(self.deliver(subject="b", ELIMINATE_DUPS="1")[0], 0)
        self.assertEqual(self.mails(), 2)
        for env in ({}, {"ELIMINATE_DUPS": "0"}, {"ELIMINATE_DUPS": "1", "ELIMINATE_DUPS_INT": "0"}):
            self.deliver(subject="a", **env)
        self.assertGreaterEqual(self.mails(), 4)
        # what could not be delivered is no duplicate when it comes again
        self.assertEqual(self.deliver(subject="c", ELIMINATE_DUPS="1", MAILCOUNT_LIMIT="0")[0], 100)
        before = self.mails()
        self.assertEqual(self.deliver(subject="c", ELIMINATE_DUPS="1")[0], 0)
        self.assertEqual(self.mails(), before + 1)


class Quota(Base):
    quota = "2000,100"

    def test_small_mail_over_quota(self):
        self.assertEqual(self.deliver(1500)[0], 0)
        self.assertEqual(self.deliver(800)[0], 100)
        (words,) = self.told()
        self.assertEqual((words[0], int(words[2]) > 1500, words[3], words[4], words[5]), (self.maildir, True, "1", "2000S,100C", "overquota"))
        self.assertEqual(self.deliver(800, OVERQUOTA_MAILSIZE="500")[0], 100)
        self.assertEqual(self.deliver(800, OVERQUOTA_MAILSIZE="2000")[0], 0)
        self.assertEqual(self.mails(), 2)

    def test_hold(self):
        self.assertEqual(self.deliver(1500)[0], 0)
        there, hold = self.site.path("hold"), {"HOLDOVERQUOTA": self.site.path("hold")}
        self.assertEqual(self.deliver(1500, **hold)[0], 100)
        open(there, "w").close()
        self.assertEqual(self.deliver(1500, **hold)[0], 111)
        self.assertEqual(self.deliver(1500)[0], 100)
        open(self.maildir + "/later", "w").close()
        self.assertEqual(self.deliver(1500, HOLDOVERQUOTA="later")[0], 111)
        self.assertEqual(self.deliver(1500, HOLDOVERQUOTA="../later")[0], 100)

    def test_warning(self):
        levels = {"QUOTAWARN1": "50", "QUOTAWARN2": "80"}
        self.assertEqual(self.deliver(500, **levels)[0], 0)
        self.assertEqual(self.told(), [])
        self.assertEqual(self.deliver(500, **levels)[0], 0)
        (words,) = self.told()
        self.assertEqual((words[0], words[1], words[3], words[4], words[5]), ("alice@example.com", self.maildir, "2", "2000", "100"))
        self.assertGreaterEqual(int(words[6]), 50)
        self.assertEqual(self.deliver(100, **levels)[0], 0)
        self.assertEqual(self.told(), [])  # once a week
        os.utime(self.maildir + "/QuotaWarn", (0, 0))
        self.assertEqual(self.deliver(100, **levels)[0], 0)
        self.assertEqual(len(self.told()), 1)
        # a link of the user's is not followed
        os.unlink(self.maildir + "/QuotaWarn")
        target = self.site.path("target")
        os.symlink(target, self.maildir + "/QuotaWarn")
        self.assertEqual(self.deliver(100, **levels)[0], 0)
        self.assertEqual((self.told(), os.path.exists(target)), ([], False))

    def test_program_is_not_there(self):
        self.assertEqual(self.deliver(1500)[0], 0)
        p = self.site.deliver("alice", message(1500), OVERQUOTA_CMD="/nonexistent/program")
        self.assertEqual(p.returncode, 100)
        self.assertIn(b"/nonexistent/program", p.stderr)


if __name__ == "__main__":
    unittest.main()
