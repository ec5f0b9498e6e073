"""Power fails at any moment while mail is written into an mbox, and to virtual users: see crashsim.py."""
import os, subprocess, unittest

from box import wait_for
from crashsim import by_program, CrashTest, Message, Scenario
from usersite import HASH

LINES = "".join(f"line {i}\n" for i in range(200))


class Mbox(Scenario):
    """Part of a message at the end of the file must not swallow what comes after it."""

    messages = [Message("mbox1", {"joe-box@local.example": "mbox"}, body=LINES), Message("mbox2", {"joe-box@local.example": "mbox"})]


class Virtual(Scenario):
    """Users of a domain, one with a quota, whose Maildirs are made by the first delivery."""

    messages = [Message("virtual1", {"alice@example.com": "local", "carol@example.com": "local"}, body=LINES),
                Message("virtual2", {"alice@example.com": "local"}),
                Message("virtual3", {"nobody@example.com": "fail", "alice@example.com": "local"})]

    def prepare(self, site):
        site.ok("vadddomain", "-e", "example.com", "-", input=HASH.encode() + b"\n")
        site.ok("vadduser", "-e", "-q", "100000", "alice@example.com", "-", input=HASH.encode() + b"\n")
        site.ok("vadduser", "-e", "carol@example.com", "-", input=HASH.encode() + b"\n")
        site.spawn(["inlookup", "-i", "1", "-p", "1"], env=site.env(), stderr=subprocess.DEVNULL)
        wait_for(lambda: os.path.exists(site.path("run/inlookup/socket")), what="inlookup")


class Program(Virtual):
    def prepare(self, site):
        super().prepare(site)
        by_program(site)


class OnDisk(Virtual):
    """One sync for a file and its name, where the file system is known to keep both."""

    on_disk = True


class CrashMailbox(CrashTest):
    def test_mbox(self):
        self.crash(Mbox)

    def test_virtual(self):
        self.crash(Virtual)

    def test_vdelivermail(self):
        self.crash(Program)

    def test_on_disk(self):
        self.crash(OnDisk)

    def test_missing_fsyncs_are_seen(self):
        self.crash_seen(OnDisk, r"/Maildir/new/")
        self.crash_seen(Mbox, r"/mbox$")


if __name__ == "__main__":
    unittest.main()
