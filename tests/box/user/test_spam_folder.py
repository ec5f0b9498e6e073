"""Spam goes into the folder that a setting names, without a rule of each user's; who has a rule has his way. By vdelivermail as
code of the resident worker and as a program, and by vfilter."""
import os, unittest

from box import wait_for
from chainsite import ChainSite

SPAM = "X-Bogosity: Yes, spamicity=0.99\n"


class SpamFolder(unittest.TestCase):
    program = False
    options = ()

    def setUp(self):
        self.site = ChainSite(("alice", "bob"), self.program, options=self.options)
        self.addCleanup(self.site.close)
        self.site.start_lookup()

    def where(self, name, folders=("new", ".Spam/new", ".Junk/new", ".Mine/new", ".shop/new")):
        """Folder -> marks of what lies there."""
        return {f[:-4].lstrip("/"): self.site.got(name, f) for f in folders if self.site.got(name, f)}

    def send(self, **messages):
        """mark=(user, more header)"""
        for mark, (name, header) in messages.items():
            self.site.queue_message(name, mark, header)
        self.site.wait_empty()

    def test_off(self):
        self.site.start()
        self.send(spam=("alice", SPAM), ham=("alice", ""))
        self.assertEqual(self.where("alice"), {"": ["ham", "spam"]})

    def test_on(self):
        s = self.site
        s.control("spamfolder", "Spam\n")
        os.mkdir(s.homes["alice"] + "/Maildir/.shop")
        for name in ("cur", "new", "tmp"):
            os.mkdir(f"{s.homes['alice']}/Maildir/.shop/{name}")
        if s.ids:
            for name in ("", "/cur", "/new", "/tmp"):
                os.chown(f"{s.homes['alice']}/Maildir/.shop{name}", 65534, 65534)
        s.ok("valias", "-i", "&bob@example.com", "team@example.com")
        s.start()
        self.send(bogo=("alice", SPAM), flag=("alice", "X-Spam-Flag: YES\n"), ham=("alice", "X-Bogosity: No, spamicity=0.01\n"),
                  body=("alice", "\nX-Spam-Flag: YES\n"), shop=("alice+shop", ""), shopspam=("alice+shop", SPAM), team=("team", SPAM))
        self.assertEqual(self.where("alice"), {"": ["body", "ham"], ".Spam": ["bogo", "flag", "shopspam"], ".shop": ["shop"]})
        self.assertTrue(os.path.exists(s.homes["alice"] + "/Maildir/.Spam/maildirfolder"))
        self.assertEqual(self.where("bob"), {".Spam": ["team"]})
        # another folder, by the variable; none
        s.restart(SPAMFOLDER="Junk")
        self.send(junk=("alice", SPAM))
        self.assertEqual(self.where("alice")[".Junk"], ["junk"])
        s.restart(SPAMFOLDER="")
        self.send(none=("alice", SPAM))
        self.assertEqual(self.where("alice")[""], ["body", "ham", "none"])

    def test_odd_name(self):
        """What leads out of the mailbox is no folder."""
        s = self.site
        s.start(SPAMFOLDER="../../x")
        self.send(spam=("alice", SPAM))
        self.assertEqual(self.where("alice"), {"": ["spam"]})

    def test_quota(self):
        """Spam counts; what cannot be made is tried again, and no spam is in the inbox meanwhile."""
        s = self.site
        maildir = s.homes["bob"] + "/Maildir"
        s.start(SPAMFOLDER="Spam")
        os.chmod(maildir, 0o500)
        try:
            s.queue_message("bob", "spam", SPAM)
            wait_for(lambda: s.deferrals(), what="a deferral")
        finally:
            os.chmod(maildir, 0o700)
        s.wait_empty()
        self.assertEqual(self.where("bob"), {".Spam": ["spam"]})
        s.ok("vsetuserquota", "alice@example.com", "1")
        self.send(spam=("alice", SPAM))
        self.assertEqual(self.where("alice"), {})
        self.assertEqual(len(s.got("sender")), 1)


class SpamFolderByProgram(SpamFolder):
    program = True


class SpamFolderByVfilter(SpamFolder):
    options = ("-f",)

    def test_rules_go_before(self):
        s = self.site
        rule = lambda folder, keyword, to="alice@example.com": s.ok("vcfilter", "-i", "-h", "Subject", "-k", keyword, "-f", folder, to)
        rule("Inbox", "wanted")
        rule("Mine", "mine")
        rule("Mine", "late", "postfilt@example.com")
        s.start(SPAMFOLDER="Spam")
        self.send(wanted=("alice", SPAM), mine=("alice", SPAM), late=("alice", SPAM), other=("alice", SPAM))
        self.assertEqual(self.where("alice"), {"": ["wanted"], ".Mine": ["late", "mine"], ".Spam": ["other"]})
        # by another program, which is told the same
        s.restart(SPAMFOLDER="Spam", MDA="vdelivermail")
        self.send(wanted2=("alice", SPAM), other2=("alice", SPAM))
        self.assertEqual(self.where("alice"), {"": ["wanted", "wanted2"], ".Mine": ["late", "mine"], ".Spam": ["other", "other2"]})


if __name__ == "__main__":
    unittest.main()
