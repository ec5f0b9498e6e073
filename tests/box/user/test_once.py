"""What can be done only in part is tried again, and what was done stays done: programs, forwards and mailboxes of an alias, of a
user's .qmail, and of a rule, with a queue, its daemons, and these stopped and started again meanwhile."""
import glob, os, unittest

from box import wait_for
from chainsite import ChainSite

USERS = ("alice", "bob", "carol")


class Once(unittest.TestCase):
    program = False
    options = ()

    def setUp(self):
        self.site = s = ChainSite(USERS, self.program, options=self.options)
        self.addCleanup(s.close)
        s.start_lookup()
        s.start()
        self.ran = s.path("mail", "ran")

    def block(self, name):
        os.chmod(self.site.homes[name] + "/Maildir/tmp", 0)
        self.addCleanup(self.unblock, name)

    def unblock(self, name):
        path = self.site.homes[name] + "/Maildir/tmp"
        if os.path.exists(path):
            os.chmod(path, 0o700)

    def runs(self):
        return open(self.ran).read().split() if os.path.exists(self.ran) else []

    def deferred_again(self):
        """Another attempt has failed for now."""
        s, before = self.site, self.site.deferrals()

        def tried():
            s.flush()
            return s.deferrals() > before

        wait_for(tried, what="another deferral")

    def notes(self):
        """Whole ones: each attempt writes them anew."""
        return [p for p in glob.glob(self.site.path("domains", "example.com", ".delivered", "*")) if not p.endswith(".tmp")]

    def alias(self, name, *lines):
        for line in lines:
            self.site.ok("valias", "-i", line, f"{name}@example.com")

    def all_once(self, marks, **where):
        """At the end: these marks in the mailboxes of these users, as often as said, and nothing left over."""
        s = self.site
        s.wait_empty()
        self.assertEqual({name: s.got(name) for name in USERS}, {name: sorted(marks * where.get(name, 1)) for name in USERS})
        self.assertEqual(s.got("sender"), [])
        self.assertFalse(os.path.exists(s.path("domains", "example.com", ".delivered")))

    def test_alias(self):
        """One mailbox fails twice, the others and the program have the message once, and at once."""
        s = self.site
        paths = {name: s.homes[name] + "/Maildir/" for name in USERS}
        self.alias("team", f"| echo ran >> {self.ran}", paths["bob"], "&alice@example.com", paths["carol"])
        self.block("bob")
        s.queue_message("team", "one")
        wait_for(lambda: s.got("alice") and s.got("carol"), what="the mail of the others")
        wait_for(lambda: s.deferrals() >= 1 and self.notes(), what="a deferral")
        for restart in (False, True):
            if restart:
                s.restart()
            self.deferred_again()
        self.assertEqual((s.got("alice"), s.got("bob"), s.got("carol"), self.runs()), (["one"], [], ["one"], ["ran"]))
        self.assertEqual(len(self.notes()), 1)
        # another message knows nothing of it
        s.queue_message("team", "two")
        wait_for(lambda: len(s.got("alice")) == 2 and len(self.notes()) == 2, what="the second")
        self.unblock("bob")
        self.all_once(["one", "two"])
        self.assertEqual(self.runs(), ["ran", "ran"])

    def test_same_line_twice(self):
        s = self.site
        with open(s.homes["alice"] + "/.qmail", "w") as f:
            f.write(f"| echo ran >> {self.ran}\n| echo ran >> {self.ran}\n&carol@example.com\n{s.homes['alice']}/Maildir/\n{s.homes['bob']}/Maildir/\n")
        if s.ids:
            os.chown(s.homes["alice"] + "/.qmail", 65534, 65534)
        self.block("alice")
        s.queue_message("alice", "one")
        wait_for(lambda: s.deferrals() >= 1, what="a deferral")
        self.deferred_again()
        self.assertEqual((s.got("bob"), s.got("carol"), self.runs()), (["one"], ["one"], ["ran", "ran"]))
        self.unblock("alice")
        self.all_once(["one"])
        self.assertEqual(self.runs(), ["ran", "ran"])

    def test_stop(self):
        """A program that takes back the lines behind it is not asked again, and is obeyed."""
        s = self.site
        self.alias("team", s.homes["bob"] + "/Maildir/", f"| echo ran >> {self.ran}; exit 99", "&alice@example.com", s.homes["carol"] + "/Maildir/")
        self.block("bob")
        s.queue_message("team", "one")
        wait_for(lambda: s.deferrals() >= 1, what="a deferral")
        self.deferred_again()
        self.unblock("bob")
        self.all_once(["one"], alice=0, carol=0)
        self.assertEqual(self.runs(), ["ran"])

    def test_lines_change(self):
        """Who is added meanwhile gets it, who was taken out and has it keeps it."""
        s = self.site
        self.alias("team", s.homes["bob"] + "/Maildir/", "&alice@example.com")
        self.block("bob")
        s.queue_message("team", "one")
        wait_for(lambda: s.got("alice"), what="alice's mail")
        wait_for(self.notes, what="a note")
        s.ok("valias", "-d", "&alice@example.com", "team@example.com")
        self.alias("team", "&carol@example.com")
        self.deferred_again()
        self.unblock("bob")
        self.all_once(["one"])

    def test_notes_without_messages_go(self):
        """Those of messages that left the queue undelivered; what else lies there stays."""
        s = self.site
        self.alias("team", s.homes["bob"] + "/Maildir/", "&alice@example.com")
        directory = s.path("domains", "example.com", ".delivered")
        os.mkdir(directory, 0o700)
        if s.ids:
            os.chown(directory, 65534, 65534)
        for name, age in (("old", 1209700), ("young", 1209000)):
            with open(f"{directory}/{name}", "w") as f:
                f.write("team@example.com\n&alice@example.com\n")
            when = os.stat(f"{directory}/{name}").st_mtime - age
            os.utime(f"{directory}/{name}", (when, when))
        self.block("bob")
        s.queue_message("team", "one")
        wait_for(lambda: s.deferrals() >= 1 and len(self.notes()) == 2, what="a note")
        self.assertEqual([os.path.exists(f"{directory}/{name}") for name in ("old", "young")], [False, True])
        os.unlink(f"{directory}/young")
        self.unblock("bob")
        self.all_once(["one"], carol=0)


class OnceByProgram(Once):
    program = True


class OnceByRule(Once):
    """vfilter in vdelivermail's place."""
    options = ("-f",)

    def test_rule(self):
        s = self.site
        s.ok("vcfilter", "-i", "-h", "Subject", "-k", "mark", "-f", "Inbox", "-b", "2&alice@example.com", "bob@example.com")
        self.block("bob")
        s.queue_message("bob", "one")
        wait_for(lambda: s.got("alice"), what="the mail that goes on")
        wait_for(lambda: s.deferrals() >= 1 and self.notes(), what="a deferral")
        self.deferred_again()
        s.restart()
        self.deferred_again()
        self.unblock("bob")
        self.all_once(["one"], carol=0)


if __name__ == "__main__":
    unittest.main()
