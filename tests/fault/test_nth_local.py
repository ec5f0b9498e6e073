"""The n-th allocation, open, write, fsync, fork ... fails, for every n (nth.py): local deliveries."""
import unittest

from crashsim import by_program
from nth import Mixed, NthTest


class ByProgram(Mixed):
    def prepare(self, site):
        super().prepare(site)
        by_program(site)


class NthVdelivermail(NthTest):
    scenario = ByProgram

    def test_vdelivermail(self):
        self.every("vdelivermail", "malloc", "open", "write", "fsync", "name", "read", "socket")


class NthLocal(NthTest):
    def test_qmail_lspawn(self):
        self.every("qmail-lspawn", "malloc", "open", "write", "fork", "exec", "read", "pipe", "socket")

    def test_qmail_local(self):
        self.every("qmail-local", "malloc", "open", "write", "fsync", "fork", "exec", "name", "read", "pipe", "socket")


if __name__ == "__main__":
    unittest.main()
