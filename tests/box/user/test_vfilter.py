"""vfilter and vcfilter: where rules send a message, and what must not go wrong with them."""
import glob, os, re, signal, unittest

from box import wait_for
from usersite import UserSite

SPAM = b"From: x@b.example\nTo: alice@example.com\nSubject: Cheap watches\nX-Bogosity: Yes, spamicity=0.99\n\nbuy\n"
HAM = b"From: ann@b.example\nTo: alice@example.com\nSubject: Lunch\nX-Bogosity: No, spamicity=0.01\n\nhello\n"


class Filter(unittest.TestCase):
    def setUp(self):
        self.site = UserSite()
        self.addCleanup(self.site.close)
        self.site.add_domain()
        self.site.add_user("alice")
        self.site.start_lookup("-i", "1", "-p", "1")
        self.bin = self.site.path("programs")
        os.mkdir(self.bin)
        with open(self.bin + "/forward", "w") as f:
            f.write(f'#!/bin/sh\necho "$@" >> {self.site.path("run")}/forwarded\n')
        os.chmod(self.bin + "/forward", 0o755)

    def rule(self, *argv, to="alice@example.com", code=0):
        p = self.site.run(["vcfilter", *argv, to])
        self.assertEqual(p.returncode, code, (argv, p.stderr))
        return p.stdout.decode()

    def deliver(self, message, code=0, user="alice", **env):
        e = self.site.env(EXT=user, HOST="example.com", SENDER="s@b.example", QMAILBIN=self.bin, **env)
        with open(self.site.path("message"), "wb") as f:
            f.write(message)
        with open(self.site.path("message"), "rb") as f:
            p = self.site.run(["vfilter", "", "bounce-no-mailbox"], env=e, stdin=f)
        self.assertEqual(p.returncode, code, p.stderr)
        return p.stderr.decode()

    def count(self, folder=""):
        return len(glob.glob(f"{self.site.home('alice@example.com')}/Maildir/{folder}/new/*"))

    def forwarded(self):
        path = self.site.path("run") + "/forwarded"
        return open(path).read().splitlines() if os.path.exists(path) else []

    def test_parts(self):
        """What the parts of a message say of themselves counts, however deep; what they say otherwise is not the message's."""
        self.rule("-i", "-h", "Content-Disposition", "-c", "contains", "-k", ".exe", "-f", "Exe")
        self.rule("-i", "-h", "Content-Type", "-c", "starts", "-k", "application/zip", "-f", "Zip")
        self.rule("-i", "-h", "Subject", "-c", "contains", "-k", "inside", "-f", "Inside")
        self.rule("-i", "-h", "Content-Type", "-c", "not", "-k", "text/plain", "-f", "NoText")
        head = b"Subject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed;\n boundary=\"one\"\n\nbefore\n"
        text = b"--one\nContent-Type: text/plain\n\nhello\n"
        inner = b"--one\nContent-Type: multipart/alternative; boundary=two\n\n--two\ncontent-type:\n application/ZIP\n\nx\n--two--\n"
        message = b"--one\nContent-Type: message/rfc822\n\nSubject: inside\nContent-Disposition: attachment; filename=\"a.exe\"\n\nx\n"
        end = b"--one--\n"
        for name, body, folder in (("text", text, None), ("nested", text + inner, "Zip"), ("message", text + message, "Exe"),
                                   ("no text", b"--one\nContent-Type: text/html\n\nx\n", "NoText"), ("not a boundary", text + b"--other\nContent-Type: application/zip\n\n", None),
                                   ("in the body", text + b"Content-Type: application/zip\n\n", None), ("after the end", text + end + b"Content-Type: application/zip\n\n", None),
                                   ("cut", text + b"--one\nContent-Type: application/zip", "Zip"),
                                   ("long lines", text + b"y" * 100000 + b"\n" + inner, "Zip")):
            if name != "cut":
                body += end
            want = f"folder {folder}, action 0" if folder else "no rule matches"
            self.assertEqual(self.asked(head + body), want, name)
            self.assertEqual(self.asked((head + body).replace(b"\n", b"\r\n")), want, name)
        self.deliver(head + text + inner + end)
        self.assertEqual(self.count(".Zip"), 1)
        # many of them: bounded
        self.assertEqual(self.asked(head + b"--one\nContent-Type: text/plain; x=" + b"y" * 3000 + b"\n\n" * 1 + text * 2000 + end), "no rule matches")

    def test_way_on_that_fails(self):
        """For now: nothing is delivered, or every try would leave a copy; for good: the mailbox has it all the same."""
        self.rule("-i", "-h", "subject", "-k", "cheap", "-c", "contains", "-b", "2|exit $CODE")
        for code, n in ((111, 0), (111, 0), (100, 1)):
            self.deliver(SPAM, code, CODE=str(code))
            self.assertEqual(self.count(), n)

    def asked(self, message, who="alice@example.com"):
        return self.site.run(["vfilter", who], input=message).stdout.decode().strip()

    def test_folders(self):
        self.rule("-i", "-t", "spam", "-h", "X-Bogosity", "-c", "starts", "-k", "yes", "-f", "Spam")
        self.deliver(SPAM)
        self.deliver(HAM)
        self.assertEqual((self.count(".Spam"), self.count()), (1, 1))
        self.assertEqual((self.asked(SPAM), self.asked(HAM)), ("folder Spam, action 0", "no rule matches"))
        self.rule("-u", "1", "-t", "spam", "-h", "32", "-c", "number", "-k", "%p > 0.9", "-f", "/NoDeliver")
        self.deliver(SPAM)
        self.assertEqual((self.count(".Spam"), self.count()), (1, 1))
        self.rule("-d", "1")
        self.deliver(SPAM)
        self.assertEqual(self.count(), 2)

    def test_detail(self):
        """Mail for user+detail goes by the user's rules, unless that is somebody."""
        self.site.add_user("alice+own")
        self.rule("-i", "-t", "spam", "-h", "X-Bogosity", "-c", "starts", "-k", "yes", "-f", "Spam")
        self.assertEqual(self.asked(SPAM, "alice+shop@example.com"), "folder Spam, action 0")
        self.assertEqual(self.asked(SPAM, "alice+own@example.com"), "no rule matches")

    def test_long_header(self):
        """A field is seen however many and however long fields are before it."""
        self.rule("-i", "-h", "X-Spam-Status", "-c", "starts", "-k", "yes", "-f", "Spam")
        self.rule("-i", "-h", "X-Long", "-c", "starts", "-k", "yyy", "-f", "Long")
        status = b"X-Spam-Status: Yes\nSubject: x\n\nbody\n"
        for before in (b"", b"Received: by a\n" * 50000, b"X-A: " + b"a" * 200000 + b"\n", b"X-A: a\n" + b" b\n" * 500000,
                       b"X-A: " + b"a" * 3000000 + b"\n", b"X-A: a\n " + b"b" * 3000000 + b"\n c\n"):
            self.assertEqual(self.asked(before + status), "folder Spam, action 0", before[:20])
        self.assertEqual(self.asked(b"X-Long: " + b"y" * 3000000 + b"\n\n"), "folder Long, action 0")
        self.assertEqual(self.asked(b"X-A: x\n\n" + status), "no rule matches")

    def test_switches(self):
        """Files in a mailbox switch the domain's rules off; vcfilter marks a mailbox that has rules."""
        maildir = self.site.home("alice@example.com") + "/Maildir"
        for to, folder in (("prefilt", "pre"), ("alice", "own"), ("postfilt", "post")):
            self.rule("-i", "-t", folder, "-h", "subject", "-k", "cheap", "-f", folder, to=f"{to}@example.com")
        self.assertEqual(os.listdir(maildir + "/.."), ["Maildir"])
        self.assertTrue(os.path.exists(maildir + "/vfilter"))
        open(maildir + "/nopostfilt", "w").close()
        self.assertEqual(self.asked(SPAM), "folder pre, action 0")
        open(maildir + "/noprefilt", "w").close()
        self.assertEqual(self.asked(SPAM), "folder own, action 0")
        self.rule("-d", "1")
        self.assertFalse(os.path.exists(maildir + "/vfilter"))
        self.assertEqual(self.asked(SPAM), "no rule matches")
        self.deliver(SPAM)
        self.assertEqual(self.count(), 1)
        os.unlink(maildir + "/nopostfilt")
        self.assertEqual(self.asked(SPAM), "folder post, action 0")
        os.symlink("/etc/passwd", maildir + "/vfilter")
        p = self.site.run(["vcfilter", "-i", "-h", "subject", "-k", "x", "alice@example.com"])
        self.assertIn(b"the change counts, but: unable to write", p.stderr)
        self.assertEqual(p.returncode, 0)
        self.assertEqual(self.rule("-s"), "1 filter: subject contains x -> Inbox, 0\n")
        self.rule("-d", "1", "-C")
        self.assertTrue(os.path.islink(maildir + "/vfilter"))

    def test_one_question(self):
        """A message costs one question for rules, whatever their number; the longest of them have room in the answer."""
        fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 255) INSERT INTO filters SELECT ?, 'example.com', i, 'f', ?, 1, i || ?, ?, ? FROM n"
        for name in ("prefilt", "alice", "postfilt"):
            self.site.sql(fill, name, "x" * 255, "k" * 252, "f" * 200, "2" + "a" * 511)
        self.rule("-u", "255", "-h", "subject", "-k", "cheap", "-f", "Last", to="postfilt@example.com")
        code, lines = self.site.query("filters", "alice@example.com")
        self.assertEqual((code, lines[0], lines.count("prefilt"), lines.count("user"), lines.count("postfilt")), (0, "ok", 255, 255, 255))
        self.assertEqual(lines[1], self.site.home("alice@example.com"))
        self.deliver(HAM)  # makes the home, for which it is asked once more
        before = self.asks()
        self.deliver(SPAM)
        self.assertEqual(self.asks() - before, 2)  # the rules, and the account
        self.assertEqual(self.count(".Last"), 1)

    def asks(self):
        """How many questions inlookup has answered."""
        self.site.lookup.send_signal(signal.SIGUSR1)
        self.asked_for = getattr(self, "asked_for", 0) + 1
        wait_for(lambda: self.site.logged().count("queries user") == self.asked_for, what="the counters")
        counted = dict(re.findall(r" ([a-z]+) (\d+)", self.site.logged().rsplit("queries", 1)[1]))
        return sum(int(counted[op]) for op in ("user", "account", "alias", "domain", "filters"))

    def test_actions(self):
        self.rule("-i", "-h", "subject", "-k", "one", "-b", "1")
        self.rule("-i", "-h", "subject", "-k", "two", "-b", "2&bob@b.example")
        self.rule("-i", "-h", "subject", "-k", "three", "-b", "3carol@b.example", "-f", "/NoDeliver")
        self.rule("-i", "-h", "subject", "-k", "four", "-b", f"2|cat > {self.site.path('run')}/piped", "-f", "/NoDeliver")
        mail = lambda s: b"Subject: " + s + b"\n\nx\n"
        self.assertIn("does not want this message (#5.7.1)", self.deliver(mail(b"one"), 100))
        self.deliver(mail(b"one"), 0, DISCARD_BOUNCE="1")
        self.assertEqual(self.count(), 0)
        self.deliver(mail(b"two"))
        self.assertEqual((self.count(), self.forwarded()), (1, ["-- bob@b.example"]))
        self.deliver(mail(b"three"), 100)
        self.assertEqual((self.count(), self.forwarded()[1:]), (1, ["-- carol@b.example"]))
        self.deliver(mail(b"four"))
        self.assertEqual((self.count(), open(self.site.path("run") + "/piped", "rb").read()), (1, mail(b"four")))

    def test_order(self):
        """The domain's first rules, the user's, the domain's last; the first that matches, by number."""
        for to, folder in (("postfilt", "post"), ("alice", "own"), ("alice", "later"), ("prefilt", "pre")):
            self.rule("-i", "-t", folder, "-h", "subject", "-k", "cheap", "-f", folder, to=f"{to}@example.com")
        self.assertEqual(self.asked(SPAM), "folder pre, action 0")
        self.rule("-d", "1", to="prefilt@example.com")
        self.assertEqual(self.asked(SPAM), "folder own, action 0")
        self.assertEqual(self.rule("-s"), "1 own: subject contains cheap -> own, 0\n2 later: subject contains cheap -> later, 0\n")
        self.rule("-d", "1")
        self.assertEqual(self.asked(SPAM), "folder later, action 0")
        self.rule("-d", "2")
        self.assertEqual(self.asked(SPAM), "folder post, action 0")
        self.assertEqual(self.asked(SPAM, "nobody@example.com"), "folder post, action 0")

    def test_rules(self):
        ok = ["-i", "-h", "subject", "-k", "x"]
        self.rule(*ok)
        self.rule(*ok, code=1)
        self.rule("-d", "7", code=1)
        self.rule("-u", "7", "-h", "from", "-k", "x", code=1)
        self.rule("-s", to="nobody@example.com", code=1)
        self.rule("-s", to="alice@none.example", code=1)
        for bad in (["-h", "a b", "-k", "x"], ["-h", "subject", "-k", ""], ["-h", "subject"], ["-h", "subject", "-k", "a\nb"], ["-h", "subject", "-c", "regex", "-k", "("],
                    ["-h", "subject", "-c", "9", "-k", "x"], ["-h", "subject", "-k", "x", "-f", "../x"], ["-h", "subject", "-k", "x", "-f", "a/b"],
                    ["-h", "subject", "-k", "x", "-f", ""], ["-h", "subject", "-k", "x", "-b", "4"], ["-h", "subject", "-k", "x", "-b", "2"],
                    ["-h", "subject", "-k", "x", "-b", "2nobody"], ["-h", "subject", "-k", "x", "-t", "a\nb"], ["-h", "subject", "-k", "x" * 256]):
            self.rule("-i", *bad, code=100)
        odd = "it's; DROP TABLE filters; -- \\ % é \""
        self.rule("-i", "-t", odd, "-h", "subject", "-k", odd, "-c", "equals")
        self.assertIn(f"2 {odd}: subject equals {odd} -> Inbox, 0\n", self.rule("-s"))
        self.assertEqual(self.asked(b"Subject: " + odd.encode() + b"\n\n"), "folder Inbox, action 0")
        self.rule("-i", "-c", "nottome", "-f", "Others")
        self.assertEqual(self.asked(b"To: others@example.com\n\n"), "folder Others, action 0")
        self.assertEqual(self.site.sql("SELECT emailid, header_name FROM vfilter WHERE filter_no = 1"), [("alice@example.com", "subject")])
        self.site.sql("WITH RECURSIVE n(i) AS (SELECT 4 UNION ALL SELECT i + 1 FROM n WHERE i < 255)"
                      " INSERT INTO filters SELECT 'alice', 'example.com', i, 'f', 'x-none', 1, 'k' || i, 'Inbox', '0' FROM n")
        self.rule("-i", "-h", "x", "-k", "y", code=1)
        self.rule("-u", "255", "-h", "subject", "-k", "cheap", "-f", "Last")
        self.assertEqual(self.asked(SPAM), "folder Last, action 0")

    def test_mda(self):
        """Another program delivers in vdelivermail's place, and its exit code counts."""
        seen = self.site.path("run") + "/seen"
        program = self.site.path("mda")
        with open(program, "w") as f:
            f.write(f'#!/bin/sh\n(echo "[$MAILDIRFOLDER]" $#; for a; do echo "<$a>"; done; cat) >> {seen}; exit ${{CODE-0}}\n')
        os.chmod(program, 0o755)
        self.rule("-i", "-h", "X-Bogosity", "-c", "starts", "-k", "yes", "-f", "Spam")
        self.rule("-i", "-h", "subject", "-k", "drop", "-f", "/NoDeliver")
        self.rule("-i", "-h", "subject", "-k", "bounce", "-b", "1")
        self.deliver(HAM, MDA=f"{program} -d  x;y")
        self.deliver(SPAM, MDA=program)
        expected = b"[] 4\n<-d>\n<x;y>\n<>\n<bounce-no-mailbox>\n" + HAM + b"[Spam] 2\n<>\n<bounce-no-mailbox>\n" + SPAM
        self.assertEqual(open(seen, "rb").read(), expected)
        self.deliver(b"Subject: drop\n\n", MDA=program)
        self.deliver(b"Subject: bounce\n\n", 100, MDA=program)
        self.assertEqual(open(seen, "rb").read(), expected)
        self.deliver(HAM, MDA="mda", PATH=self.site.dir + ":/bin:/usr/bin")
        for code, expected in (("99", 0), ("100", 100), ("77", 100), ("111", 111), ("75", 111), ("1", 111)):
            said = self.deliver(HAM, expected, MDA=program, CODE=code)
            self.assertEqual(bool(said), bool(expected), code)
        self.deliver(HAM, 111, MDA="/no/such/program")
        self.deliver(HAM, 111, MDA="nosuchprogram")
        self.deliver(HAM, 100, MDA=" ")
        self.assertEqual(self.count() + self.count(".Spam"), 0)

    def test_no_lookup(self):
        """Without rules there is no delivery: a refusal might be among them."""
        self.site.lookup.terminate()
        self.site.lookup.wait()
        self.deliver(HAM, 111)
        self.assertEqual(self.site.run(["vfilter", "alice@example.com"], input=HAM).returncode, 111)

    def test_odd_messages(self):
        self.rule("-i", "-h", "subject", "-k", "x")
        for message in (b"", b"\n", b"no header", b"Subject: x", b"Subject:" + b" y\n" * 3 + b"\n", b"X: " + b"y" * 100000 + b"\n\n"):
            self.deliver(message)
        for argv in (["vfilter"], ["vfilter", "alice"], ["vfilter", "@x"], ["vfilter", "x", "delete"], ["vfilter", "", "no'quote"]):
            self.assertEqual(self.site.run(argv).returncode, 100, argv)


if __name__ == "__main__":
    unittest.main()
