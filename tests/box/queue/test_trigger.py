"""The announcements of qmail-queue: what does not fit into lock/trigger is found all the same."""
import fcntl, os, signal, threading, unittest

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

    def test_an_envelope_that_cannot_be_read_for_a_while(self):
        """It is looked at again within todointerval, though no directory has changed; said once."""
        site = MailSite()
        self.addCleanup(site.close)
        site.control("todointerval", "1\n")
        many = b"".join(b"Tjoe-%d-%s@local.example\0" % (i, b"x" * 100) for i in range(20))  # too long for a link
        site.dotqmail(".qmail-default", "./Maildir/\n")
        self.assertEqual(site.queue_program(b"Subject: x\n\n", b"Fa@b.example\0" + many + b"\0"), 0)
        (info,) = [p for p in site.queued() if "/info/" in p]
        os.chmod(info, 0)
        site.start()
        wait_for(lambda: "unable to read envelope" in site.logged(), what="the complaint")
        self.assertEqual(site.mails(), [])
        os.chmod(info, 0o600)
        site.wait_empty()
        self.assertEqual(len(site.mails()), 20)
        self.assertEqual(site.logged().count("unable to read envelope"), 1)

    def announced(self, site):
        """What is announced is not locked any more: who looked a moment before and did not believe it will hear of it."""
        trigger = os.open(site.queue() + "/lock/trigger", os.O_RDWR)
        self.addCleanup(os.close, trigger)
        for _ in range(30):
            t = threading.Thread(target=site.inject, args=("joe@local.example",))
            t.start()
            number = int(os.read(trigger, 100))
            with open(f"{site.queue()}/mess/{number % 23}/{number}") as f:
                fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
            t.join()

    def test_unlocked_when_announced(self):
        site = MailSite()
        self.addCleanup(site.close)
        self.announced(site)

    def test_unlocked_when_announced_by_qmail_queued(self):
        site = MailSite()
        self.addCleanup(site.close)
        site.spawn(["qmail-queued", "-n", "1"], env=site.env(QUEUE_BASE=site.path("queue")))
        wait_for(lambda: os.path.exists(site.path("run/queue/socket")), what="qmail-queued")
        self.announced(site)


if __name__ == "__main__":
    unittest.main()
