"""The n-th allocation, open, write, fsync, fork ... fails, for every n (nth.py): qmail-send."""
import unittest

from nth import NthTest


class NthSend(NthTest):
    def test_qmail_send(self):
        self.every("qmail-send", "malloc", "open", "write", "fsync", "fork", "name", "read", "socket")


if __name__ == "__main__":
    unittest.main()
