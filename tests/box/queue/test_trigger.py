"""The announcements of qmail-queue: what does not fit into lock/trigger is found all the same."""
import os, signal, unittest

from box import wait_for
from mailsite import MailSite


def pid_of(name, cwd):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm") as f:
                if f.read().strip() == name and os.readlink(f"/proc/{pid}/cwd") == cwd:
                    return int(pid)
        except OSError:
            pass
    return None


class Trigger(unittest.TestCase):
    def test_full_trigger(self):
        """todo-proc stands still while the FIFO fills up: the announcement of our message is lost."""
        site = MailSite()
        self.addCleanup(site.close)
        site.start()
        wait_for(lambda: "status:" in site.logged())
        site.inject("joe@local.example")
        wait_for(lambda: len(site.mails()) == 1)  # todo-proc has done its first scan
        todo = wait_for(lambda: pid_of("todo-proc", os.path.realpath(site.queue())))
        os.kill(todo, signal.SIGSTOP)
        fd = os.open(site.queue() + "/lock/trigger", os.O_WRONLY | os.O_NONBLOCK)
        with self.assertRaises(BlockingIOError):
            while True:
                os.write(fd, b"1000000000000000\n")
        site.inject("joe@local.example", body="lost\n")
        os.kill(todo, signal.SIGCONT)
        os.close(fd)
        wait_for(lambda: len(site.mails()) == 2)
        site.wait_empty()


if __name__ == "__main__":
    unittest.main()
