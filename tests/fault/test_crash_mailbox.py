"""Power fails at any moment while mail is written into an mbox, and to virtual users: see crashsim.py."""
import glob, os, unittest

from box import wait_for
from crashsim import CrashSite, CrashTest, Message, Scenario

LINES = "".join(f"line {i}\n" for i in range(200))


class Mbox(Scenario):
    """Part of a message at the end of the file must not swallow what comes after it."""

    messages = [Message("mbox1", {"joe-box@local.example": "mbox"}, body=LINES), Message("mbox2", {"joe-box@local.example": "mbox"})]


class CrashMailbox(CrashTest):
    def test_mbox(self):
        self.crash(Mbox)

    def test_missing_fsyncs_are_seen(self):
        self.crash_seen(Mbox, r"/mbox$")


if __name__ == "__main__":
    unittest.main()
