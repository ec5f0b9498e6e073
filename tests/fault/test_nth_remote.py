"""The n-th allocation, open, write, fsync, fork ... fails, for every n (nth.py): remote deliveries, and the notice."""
import unittest

from nth import NthTest


class NthRemote(NthTest):
    def test_qmail_rspawn(self):
        self.every("qmail-rspawn", "malloc", "open", "write", "fork", "exec", "read", "pipe", "socket")

    def test_qmail_remote(self):
        self.every("qmail-remote", "malloc", "open", "write", "read", "socket")

    def test_qmail_queue(self):
        self.every("qmail-queue", "malloc", "open", "write", "fsync", "name", "read")


if __name__ == "__main__":
    unittest.main()
