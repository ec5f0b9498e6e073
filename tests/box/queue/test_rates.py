"""Rates: drate, a qmail-send with RATELIMIT_DIR, and a queue called slowq."""
import os, signal, subprocess, time, unittest

from box import TOP, wait_for
from mailsite import MailSite, Sink


class Rates(unittest.TestCase):
    def setUp(self):
        self.site = MailSite()
        self.addCleanup(self.site.close)

    def make_queue(self, name="queue1"):
        p = self.site.run(["queue-fix", "-r", self.site.path("queue", name)])
        self.assertEqual(p.returncode, 0, p.stderr)
        return self.site.path("queue", name)

    def drate(self, *argv, code=0, **env):
        env = env or {"RATELIMIT_DIR": self.site.queue() + "/ratelimit"}
        p = self.site.run(["drate", *argv], env=self.site.env(**env))
        self.assertEqual(p.returncode, code, (argv, p.stdout, p.stderr))
        return p.stdout.decode()

    def test_drate(self):
        directory = self.make_queue() + "/ratelimit"
        self.drate("-d", "Far.example", "-r", "10/60")
        with open(directory + "/far.example") as f:
            lines = f.read().split("\n")
        self.assertEqual((lines[0], int(lines[1]), lines[4:]), ("10/60", 0, [""]))
        self.assertIn("far.example: rate 10/60 mails 0 in ", self.drate("-s", "-d", "far.example"))
        self.drate("-d", "far.example", "-a", "near.example")
        self.drate("-t", "-d", "near.example", "-C", "5")  # only asked
        self.drate("-t", "-d", "near.example", "-C", "5", "-f")
        self.assertIn("need ", self.drate("-t", "-d", "far.example", code=1))
        self.assertIn("near.example: rate 10/60 mails 5", self.drate("-s"))
        self.drate("-d", "far.example", "-r", "20/60", "-u")
        self.assertIn("rate 20/60 mails 5 ", self.drate("-s", "-d", "far.example"))
        self.drate("-d", "far.example", "-R")
        self.assertIn("rate 20/60 mails 0 ", self.drate("-s", "-d", "far.example"))
        self.drate("-d", "far.example", "-r", "1", "-c", code=111)
        self.drate("-d", "new.example", "-r", "1", "-u", code=111)
        self.drate("-d", ".global", "-r", "(1+1)*30/60")
        self.assertIn(".global: rate (1+1)*30/60 ", self.drate("-l"))
        self.drate("-U", "-d", "near.example")
        self.assertNotIn("near.example", self.drate("-s"))
        for bad in (["-d", "x", "-r", "1+"], ["-d", "../x", "-r", "1"], ["-d", "x"], [], ["-d", "ratecontrol", "-r", "1"],
                    ["-r", "1"], ["-s", "-t", "-d", "x"], ["-d", "x", "-r", "1", "-a", "y"], ["-t", "-d", "x", "-C", "-1"]):
            self.drate(*bad, code=100)
        self.drate("-s", code=100, QUEUE_COUNT="1")  # whose?
        self.assertIn("far.example", self.drate("-s", QUEUEDIR=self.site.queue()))
        with open(directory + "/far.example", "w") as f:
            f.write("nonsense")
        self.drate("-s", code=111)
        self.drate("-d", "far.example", "-r", "-1")  # and is put right
        self.drate("-t", "-d", "far.example", "-C", "1000")

    def test_interval(self):
        """A rate that was not used for so long counts anew."""
        directory = self.make_queue()
        now = int(time.time())
        for interval, mails in (("86400", 0), ("500", 1)):
            path = directory + "/ratelimit/far.example"
            with open(path, "w") as f:
                f.write(f"1/3600\n9\n{now - 2000}\n{now - 1000}\n")
            os.chown(path, self.site.uid, self.site.gid)
            self.drate("-t", "-d", "far.example", code=0 if mails else 1, QUEUEDIR=directory, RATELIMIT_INTERVAL=interval)
            if not mails:
                for _ in range(2):
                    self.site.inject("x@far.example", env=self.site.env(QUEUEDIR=directory))
            with open(self.site.path("send.log"), "wb") as log:
                p = self.site.spawn(["qmail-start", "./Maildir/"], env=self.site.env(QUEUEDIR=directory, RATELIMIT_DIR="ratelimit",
                                    RATELIMIT_INTERVAL=interval), stdout=log, stderr=log)
                wait_for(lambda: self.site.logged().count("success: ") == mails and "rate exceeded" in self.site.logged())
                self.assertIn("rate exceeded [1/" if mails else "rate exceeded [9/", self.site.logged())
                self.assertEqual(len(self.site.sink.messages), mails)
                p.send_signal(signal.SIGTERM)
                p.wait(20)

    def served(self, directory, program):
        """Two for a domain with a rate, one for another: all but one go at once."""
        self.log = open(self.site.path("send.log"), "ab")
        self.addCleanup(self.log.close)
        for to in ("x@far.example", "y@far.example", "z@other.example"):
            self.site.inject(to, env=self.site.env(QUEUEDIR=directory))
        env = self.site.env(QUEUEDIR=directory)
        if program == "qmail-send":
            env["RATELIMIT_DIR"] = "ratelimit"
        self.site.spawn(["qmail-start", "./Maildir/"], env=env, stdout=self.log, stderr=self.log)
        wait_for(lambda: len(self.site.sink.messages) == 2 and "rate exceeded" in self.site.logged(), what="what may go")
        name = os.path.basename(directory)
        self.assertIn("rate exceeded [1/1.000/1/3600] need 3", self.site.logged())
        self.assertIn(f" secs far.example {name}\n", self.site.logged())
        self.assertEqual({m[1][0] for m in self.site.sink.messages} & {"z@other.example"}, {"z@other.example"})
        status = self.site.run(["qmail-qorder", "status"], env=env).stdout.decode()
        self.assertRegex(status, r"host=far.example messages=1 recipients=1 oldest=\d+ running=0 limit=\d+ next=3\d\d\d hold=rate until=3\d\d\d")
        self.site.run(["qmail-qorder", "retry", "all"], env=env)  # is not for the impatient
        self.assertEqual(len(self.site.sink.messages), 2)

    def test_qmail_send(self):
        directory = self.make_queue()
        self.drate("-d", "far.example", "-r", "1/3600")
        self.served(directory, "qmail-send")

    def test_local_and_virtual_domains(self):
        directory = self.make_queue()
        env = self.site.env(QUEUEDIR=directory)
        self.drate("-d", "virt.example", "-r", "1/3600")
        with open(directory + "/ratelimit/ratecontrol", "w") as f:
            f.write("loc*:1/3600\n")
        os.chown(directory + "/ratelimit/ratecontrol", self.site.uid, self.site.gid)
        for name in ("a", "b"):
            self.site.dotqmail(".qmail-" + name, f"./mbox-{name}\n")
        for to in ("a@virt.example", "joe-b@local.example", "z@other.example"):
            for _ in range(2):
                self.site.inject(to, env=env)
        with open(self.site.path("send.log"), "ab") as log:
            self.site.spawn(["qmail-start", "./Maildir/"], env={**env, "RATELIMIT_DIR": "ratelimit"}, stdout=log, stderr=log)
        wait_for(lambda: self.site.logged().count("rate exceeded [1/1.000/1/3600] need 3") == 2 and
                 self.site.logged().count(": success: ") == 4, what="one to each, both to another")
        self.assertEqual(len(self.site.sink.messages), 2)
        for name, domain in (("a", "virt.example"), ("b", "local.example")):
            self.assertIn(f" secs {domain} queue1\n", self.site.logged())
            with open(os.path.join(self.site.home, "mbox-" + name)) as f:
                self.assertEqual(f.read().count("\nSubject: "), 1)
        status = self.site.run(["qmail-qorder", "status"], env=env).stdout.decode()
        self.assertRegex(status, r"channel=local host=virt.example .*hold=rate until=3\d\d\d")

    def test_slowq(self):
        directory = self.make_queue("slowq")
        with open(directory + "/ratelimit/ratecontrol", "w") as f:
            f.write("far.*:1/3600\n")
        os.chown(directory + "/ratelimit/ratecontrol", self.site.uid, self.site.gid)
        with open(directory + "/ratelimit/@far.example", "w"):
            pass  # a file without text counts from 0
        os.chown(directory + "/ratelimit/@far.example", self.site.uid, self.site.gid)
        self.served(directory, "slowq-send")
        self.assertIn("mails 1 ", self.drate("-s", "-d", "@far.example", QUEUEDIR=directory))

    def test_service(self):
        """svctool makes it, it makes its queue, and mail goes at the rate that drate set."""
        site, services = self.site, self.site.mkdir("service")
        env = site.env(QMAILBIN=site.bin, SERVICEDIR=services, LOGDIR=site.path("log"), SCANINTERVAL="1")
        p = site.run(["svctool", "--slowq", "--qbase=" + site.path("queue"), "--bootdir=" + os.path.join(TOP, "boot")], env=env)
        self.assertEqual(p.returncode, 0, p.stderr)
        scan = site.spawn(["svscan", services], env=env, stdin=subprocess.DEVNULL)
        queue = site.path("queue", "slowq")
        log = site.path("log", "slowq", "current")
        wait_for(lambda: os.path.exists(log) and "status: local 0/" in open(log).read(), what="slowq-send")
        self.drate("-d", "far.example", "-r", "1", QUEUEDIR=queue)
        for _ in range(3):
            site.inject("x@far.example", env=site.env(QUEUEDIR=queue))
        wait_for(lambda: site.sink.messages, what="the first")
        first = time.monotonic()
        wait_for(lambda: len(site.sink.messages) == 3, what="the others")
        self.assertGreater(time.monotonic() - first, 1)
        self.assertIn(" secs far.example slowq\n", open(log).read())
        scan.send_signal(signal.SIGTERM)
        self.assertEqual(scan.wait(20), 0)

    def test_what_makes_no_sense_waits(self):
        directory = self.make_queue("slowq")
        with open(directory + "/ratelimit/far.example", "w") as f:
            f.write("lots\n")
        os.chown(directory + "/ratelimit/far.example", self.site.uid, self.site.gid)
        for to in ("x@far.example", "z@other.example"):
            self.site.inject(to, env=self.site.env(QUEUEDIR=directory))
        with open(self.site.path("send.log"), "ab") as log:
            self.site.spawn(["qmail-start", "./Maildir/"], env=self.site.env(QUEUEDIR=directory), stdout=log, stderr=log)
        wait_for(lambda: len(self.site.sink.messages) == 1 and "makes no sense; mail that it concerns waits" in self.site.logged())

    def test_no_directory_no_start(self):
        p = self.site.run(["qmail-start", "./Maildir/"], env=self.site.env(QUEUEDIR=self.site.queue(), RATELIMIT_DIR="none"))
        self.assertEqual(p.returncode, 111)
        self.assertIn(b"unable to open the directory of rates none", p.stdout)


if __name__ == "__main__":
    unittest.main()
