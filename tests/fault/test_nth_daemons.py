"""The n-th allocation, open, write, fsync, fork ... fails, for every n (nth.py): the daemons around qmail-send."""
import unittest

from nth import Mixed, NthTest


class NthDaemons(NthTest):
    def test_qmail_start(self):
        self.every("qmail-start", "malloc", "fork", "exec", "pipe", "socket")

    def test_todo_proc(self):
        self.every("todo-proc", "malloc", "open", "write", "read")

    def test_qmail_clean(self):
        self.every("qmail-clean", "malloc", "open", "write", "name", "fsync", "read")


class Collection(Mixed):
    def prepare(self, site):
        super().prepare(site)
        site.starter = "qmail-daemon"


class NthCollection(NthTest):
    scenario = Collection

    def test_qmail_daemon(self):
        self.every("qmail-daemon", "malloc", "open", "read", "fork", "exec", "socket")


if __name__ == "__main__":
    unittest.main()
