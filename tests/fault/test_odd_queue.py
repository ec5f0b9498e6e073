"""A queue in odd circumstances: the clock jumps, it comes from a backup with other inode numbers, files that are not ours
lie in it, there is less room than MIN_FREE."""
import os, shutil, signal, subprocess, unittest

from box import FAULTY, wait_for
from crashsim import CrashSite, Message, Scenario, Tree, copies

DAY = 86400


class OddQueue(unittest.TestCase):
    def setUp(self):
        self.site = CrashSite(FAULTY)
        self.addCleanup(self.site.close)
        self.messages = []

    def add(self, token, *to, **kw):
        m = Message(token, {t: "remote" if "far" in t else "local" for t in to}, **kw)
        self.messages.append(m)
        Scenario().inject(self.site, m)

    def everything_came(self):
        site = self.site
        wait_for(lambda: not site.ids_in("mess"), what="an empty queue")
        site.settle()
        found, wrong = copies(self.messages, Tree.read(site.dir, site.PARTS), [(t, data) for _, to, data in site.sink.messages for t in to])
        self.assertEqual(wrong, [])
        self.assertEqual(found, {(m.token, to): 1 for m in self.messages for to in m.to})

    # --- the clock

    def set_clock(self, seconds):
        with open(self.site.path("clock.new"), "w") as f:
            f.write(str(seconds))
        os.chmod(self.site.path("clock.new"), 0o644)
        os.rename(self.site.path("clock.new"), self.site.path("clock"))

    def start_with_clock(self):
        self.set_clock(0)
        env = self.site.env
        self.site.env = lambda **extra: env(**{"FAULT_CLOCK": self.site.path("clock"), **extra})
        self.site.sink.script["MAIL"] = "450 not now"
        self.site.start()

    def deferred(self, times):
        self.site.wait_log(lambda lines: sum(": deferral: " in l for l in lines) >= times, what=f"{times} deferrals")

    def test_clock_jumps(self):
        """Days back and forth: what comes is delivered at once, what waits is not lost, nor given up without another try."""
        site = self.site
        self.start_with_clock()
        self.add("waits", "x@far.example", "joe@local.example")
        self.deferred(1)
        for i, jump in enumerate((5 * DAY, -10 * DAY, 0, -1, 6 * DAY, 0)):
            self.set_clock(jump)
            self.add(f"jump{i}", "joe@local.example", "ann@local.example")
            site.wait_log(lambda lines: sum("end msg" in l for l in lines) == i + 1, what="a delivery")
        del site.sink.script["MAIL"]
        self.set_clock(10 * DAY)  # it is older than queuelifetime, and is tried once more
        site.manager.send_signal(signal.SIGALRM)
        self.everything_came()

    def test_clock_set_back(self):
        """A message that came when the clock was wrong by a day is not put off by a day."""
        site = self.site
        self.start_with_clock()
        self.set_clock(DAY)
        self.add("tomorrow", "x@far.example")
        self.deferred(1)
        self.set_clock(0)
        self.add("today", "joe@local.example")
        site.manager.send_signal(signal.SIGALRM)
        self.deferred(2)
        del site.sink.script["MAIL"]
        site.stop()
        self.set_clock(-DAY)  # after a restart the last attempt lies in the future
        site.start()
        self.try_again()
        self.everything_came()

    def test_same_id(self):
        """The clock shows a time again at which a message came: the next free id is taken."""
        site = self.site
        self.add("first", "joe@local.example")
        (first,) = site.ids_in("mess")
        taken = [first + i for i in range(1, 3000)]
        for n in taken:
            site.write(f"queue/queue1/mess/{n % 23}/{n}", "x")
        self.add("second", "joe@local.example")
        for n in taken:
            os.unlink(site.path(f"queue/queue1/mess/{n % 23}/{n}"))
        self.assertEqual(len(site.ids_in("info")), 2)
        site.start()
        self.everything_came()

    # --- a backup

    def test_restored_from_a_backup(self):
        site = self.site
        site.sink.script["RCPT y@far.example"] = "450 not now"
        self.add("restored", "x@far.example", "y@far.example", "joe@local.example")
        self.add("long", *(f"joe-{'x' * 120}{i}@local.example" for i in range(10)))
        site.start()
        self.deferred(1)
        wait_for(lambda: len(site.ids_in("mess")) == 1)
        site.wait_log(lambda lines: any("joe@local.example" in l for l in lines))
        wait_for(lambda: sum(l.startswith("delivery ") for l in site.lines) >= 13)
        site.stop()
        self.add("untried", "ann@local.example")
        queue, away = site.path("queue/queue1"), site.path("away")
        os.rename(queue, away)
        subprocess.run(["cp", "-r", "--preserve=timestamps,links", away, queue], check=True)  # owners and modes are lost
        before = {os.path.relpath(p, away): os.lstat(p).st_ino for p in self.files(away)}
        after = {os.path.relpath(p, queue): os.lstat(p).st_ino for p in self.files(queue)}
        self.assertEqual(before.keys(), after.keys())
        self.assertFalse([p for p in before if before[p] == after[p]], "the backup has the same inodes: nothing is shown")
        shutil.rmtree(away)
        if os.geteuid() == 0:
            for p in [queue] + [os.path.join(b, n) for b, d, f in os.walk(queue) for n in d + f]:
                os.lchown(p, site.uid, site.gid)
        os.chmod(site.path("queue/queue1/lock/trigger"), 0o600)
        self.assertEqual(site.ok("queue-fix", queue).stderr, b"")
        del site.sink.script["RCPT y@far.example"]
        site.start()
        self.try_again()
        self.everything_came()

    def try_again(self):
        """Once qmail-send has found, after a start, what was tried before."""
        self.site.wait_log(lambda lines: any("tried before" in l for l in lines))
        self.site.manager.send_signal(signal.SIGALRM)

    @staticmethod
    def files(queue):
        return [os.path.join(b, n) for kind in ("mess", "info", "done", "bounce") for b, _, f in os.walk(os.path.join(queue, kind)) for n in f]

    # --- what is not ours

    def test_foreign_files(self):
        site = self.site
        foreign = ["mess/README", "mess/3/core", "info/5/notanid", "info/7/12x", "info/lost+found", "done/1/.nfs0001", "bounce/README",
                   "mess/0/00023", "info/2/3", "mess/9/99999999999999999999999", "info/1/-1"]
        for name in foreign:
            if name.endswith("lost+found"):
                site.mkdir("queue/queue1/" + name)
            else:
                site.write("queue/queue1/" + name, "this is no message\n")
        site.mkdir("queue/queue1/info/4/4")  # a directory with a name like a message
        self.add("beside", "joe@local.example", "x@far.example")
        p = site.run(["queue-fix", site.path("queue/queue1")])
        self.assertEqual(p.returncode, 1)
        for name in foreign:
            if name != "mess/README" and name != "info/lost+found":  # beside the numbered directories
                self.assertIn(f"not ours, left alone: {name}", p.stderr.decode())
        p = site.run(["qmail-qread"])
        self.assertEqual((p.returncode, len(p.stdout.splitlines())), (111, 3))  # the rest is shown, and what cannot be is named
        self.assertIn(b"unable to read the envelope of 4: ", p.stderr)
        site.start()
        wait_for(lambda: not self.ids("info"), what="all deliveries")
        found, wrong = copies(self.messages, Tree.read(site.dir, site.PARTS), [(t, d) for _, to, d in site.sink.messages for t in to])
        self.assertEqual((found, wrong), ({("beside", "joe@local.example"): 1, ("beside", "x@far.example"): 1}, []))
        site.stop()
        # The sweep leaves them alone as well.
        for path in self.files(site.path("queue/queue1")):
            os.utime(path, (1, 1), follow_symlinks=False)
        site.run(["qmail-clean"], cwd=site.path("queue/queue1"))
        self.assertEqual([n for n in foreign if not os.path.exists(site.path("queue/queue1", n))], [])

    def ids(self, kind):
        return [n for _, _, names in os.walk(self.site.path("queue/queue1", kind)) for n in names if len(n) == 16 and n.isdigit()]

    # --- no room

    def test_min_free(self):
        site = self.site
        m = Message("no-room", {"joe@local.example": "local"})
        site.spawn(["qmail-queued", "-n", "1"])
        wait_for(lambda: os.path.exists(site.path("run/queue/socket")))
        for resident in (True, False):
            if not resident:
                os.unlink(site.path("run/queue/socket"))
            env = site.env(MIN_FREE=str(1 << 60), QMAILINJECT="")
            p = site.run(["qmail-inject", "-f", m.sender, "joe@local.example"], input=m.text, env=env)
            self.assertEqual(p.returncode, 111, p.stderr)
            self.assertEqual(self.files(site.path("queue/queue1")), [])
        self.add("room", "joe@local.example")
        site.start()
        self.everything_came()


if __name__ == "__main__":
    unittest.main()
