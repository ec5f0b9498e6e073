"""The n-th allocation, open, write, fsync, fork ... fails, for every n (nth.py): local deliveries."""
import unittest

from nth import NthTest


class NthLocal(NthTest):
    def test_qmail_lspawn(self):
        self.every("qmail-lspawn", "malloc", "open", "write", "fork", "exec", "read")

    def test_qmail_local(self):
        self.every("qmail-local", "malloc", "open", "write", "fsync", "fork", "exec", "name", "read")


if __name__ == "__main__":
    unittest.main()
