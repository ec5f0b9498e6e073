"""svscan: starts, restarts and ends everything below it, and loses no line of a log."""
import glob, os, signal, subprocess, unittest

from box import Root, wait_for
from services import Service, alive, descendants, status


class SvscanTest(unittest.TestCase):
    def setUp(self):
        self.root = Root()
        self.addCleanup(self.root.close)
        os.mkdir(self.root.path("service"))
        self.errors = open(self.root.path("svscan.err"), "ab")
        self.addCleanup(self.errors.close)

    def service(self, name="s", run="exec sleep 1000\n", **kw):
        return Service(self.root, name, run, **kw)

    def svscan(self, *options, **env):
        env.setdefault("SCANINTERVAL", "1")
        p = self.root.spawn(["svscan", *options, self.root.path("service")], env=self.root.env(**env), stdout=subprocess.DEVNULL,
                            stderr=self.errors)
        return p

    def supervise_pid(self, scan, name):
        for p in descendants(scan.pid):
            try:
                words = open(f"/proc/{p}/cmdline").read().split("\0")
            except OSError:
                continue
            if words[0] == "supervise" and words[-2] == name:
                return p
        return 0

    def end(self, scan):
        """TERM; nothing of it may be left."""
        below = descendants(scan.pid)
        scan.terminate()
        self.assertEqual(scan.wait(20), 0)
        self.assertEqual([p for p in below if alive(p)], [])

    def test_svscan(self):
        a = self.service("a")
        b = self.service("b", run="echo hello\nexec sleep 1000\n", log="exec cat >> log.out\n")
        self.service(".hidden")
        os.mkdir(self.root.path("service", "norun"))
        open(self.root.path("service", "afile"), "w").close()
        scan = self.svscan()
        a.started(), b.started()
        out = os.path.join(b.dir, "log/log.out")
        wait_for(lambda: os.path.exists(out) and open(out).read() == "hello\n", what="the log")
        self.assertFalse(os.path.exists(self.root.path("service", ".hidden/supervise")))
        p = self.root.run(["svscan", self.root.path("service")])
        self.assertEqual(p.returncode, 111)
        self.assertIn(b"another svscan", p.stderr)
        c = self.service("c")
        c.started()  # found by the next scan
        open(os.path.join(a.dir, "down"), "w").close()
        wait_for(lambda: status(a.dir)[0] == 0, what="a down")
        os.unlink(os.path.join(a.dir, "down"))
        a.started()
        table = self.root.run(["svps", "-a", "--servicedir=" + self.root.path("service")]).stdout.decode()
        self.assertRegex(table, r"(?m)^up +%d +00:00:0\d +a$" % a.pid())
        self.assertRegex(table, r"(?m)^up +\d+ +00:00:\d\d +b/log$")
        self.end(scan)

    def test_hup_rescans(self):
        scan = self.svscan(SCANINTERVAL="0")
        wait_for(lambda: os.path.exists(self.root.path("service/.svscan.pid")) and
                 open(self.root.path("service/.svscan.pid")).read() == f"{scan.pid}\n", what="svscan")
        s = self.service("late")
        wait_for(lambda: scan.send_signal(signal.SIGHUP) or s.pid(), what="the service after HUP")
        self.end(scan)

    def test_log_pipe_survives(self):
        """Either side of a log pipe is killed again and again, its supervise too: every line arrives."""
        s = self.service("w", run="i=$(cat next 2>/dev/null || echo 0)\n"
                                  "while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); echo $i > next; done\n"
                                  "exec sleep 1000\n",
                         log="exec multilog n100 ./main\n")
        main = os.path.join(s.dir, "log/main")
        scan = self.svscan()
        for i in range(4):
            pid = wait_for(lambda: status(s.dir + "/log")[0], what="logger")
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda: status(s.dir + "/log")[0] not in (0, pid), what="next logger")
            sup = wait_for(lambda: self.supervise_pid(scan, ("w", "w/log")[i % 2]), what="supervise")
            os.kill(sup, signal.SIGKILL)
            wait_for(lambda: self.supervise_pid(scan, ("w", "w/log")[i % 2]) not in (0, sup), what="next supervise")

        def lines():
            text = b"".join(open(f, "rb").read() for f in sorted(glob.glob(main + "/@*")) + glob.glob(main + "/current"))
            return text.decode().split("\n")
        wait_for(lambda: "2999" in lines(), what="the last line")
        self.end(scan)
        got = lines()[:-1]
        self.assertEqual(sorted(set(map(int, got))), list(range(3000)))

    def test_killed_supervise_under_svscan(self):
        s = self.service("s", log="exec cat > /dev/null\n")
        scan = self.svscan()
        pid, log = s.started(), wait_for(lambda: status(s.dir + "/log")[0], what="logger")
        for name in ("s", "s/log"):
            sup = wait_for(lambda: self.supervise_pid(scan, name), what="supervise")
            os.kill(sup, signal.SIGKILL)
            wait_for(lambda: self.supervise_pid(scan, name) not in (0, sup), what="the next supervise")
        wait_for(lambda: self.root.run(["svok", s.dir]).returncode == 0, what="supervise")
        self.assertEqual((s.pid(), status(s.dir + "/log")[0]), (pid, log))
        self.assertTrue(alive(pid) and alive(log))
        self.end(scan)

    def test_end_of_the_stubborn(self):
        """Services that ignore TERM and processes they left behind end all the same."""
        self.service("deaf", run="trap '' TERM\nsleep 1001 &\nwhile :; do sleep 1002; done\n")
        daemon = self.service("daemon", run="setsid sleep 1003 &\nexec sleep 1004\n")
        chatty = self.service("chatty", run="trap 'echo bye; exit 0' TERM\necho hello\nwhile :; do sleep 0.05; done\n",
                              log="exec cat >> out\n")
        scan = self.svscan(KILLWAIT="1")
        daemon.started()
        out = os.path.join(chatty.dir, "log/out")
        wait_for(lambda: os.path.exists(out) and open(out).read() == "hello\n", what="hello")
        wait_for(lambda: len(descendants(scan.pid)) >= 10, what="all processes")
        self.end(scan)
        self.assertEqual(open(out).read(), "hello\nbye\n")

    def test_after_a_killed_svscan(self):
        """The next svscan leaves the services of the last one alone, and starts what is missing."""
        s = self.service("s", run="echo x >> starts\nexec sleep 1000\n")
        scan = self.svscan()
        pid = s.started()
        sup = wait_for(lambda: self.supervise_pid(scan, "s"), what="supervise")
        scan.kill()
        scan.wait()
        scan = self.svscan()
        t = self.service("t")
        t.started()
        self.assertTrue(alive(sup) and alive(pid))
        self.assertEqual(s.pid(), pid)
        wait_for(lambda: "another svscan runs for s" in open(self.root.path("svscan.err")).read(), what="the warning")
        self.root.run(["svc", "-dx", s.dir])
        s.started(pid)
        wait_for(lambda: self.supervise_pid(scan, "s"), what="its own supervise")
        self.end(scan)

    def test_tied(self):
        """With -p everything ends when svscan is killed, the loggers last."""
        s = self.service("s", run="trap 'echo bye; exit 0' TERM\necho hello\nwhile :; do sleep 0.05; done\n",
                         log="exec cat >> out\n")
        scan = self.svscan("-p")
        out = os.path.join(s.dir, "log/out")
        wait_for(lambda: os.path.exists(out) and open(out).read() == "hello\n", what="hello")
        wait_for(lambda: self.root.run(["svok", s.dir]).returncode == 0, what="supervise")
        wait_for(lambda: self.root.run(["svok", s.dir + "/log"]).returncode == 0, what="supervise of the log")
        below = descendants(scan.pid)
        scan.kill()
        scan.wait()
        wait_for(lambda: not [p for p in below if alive(p)], what="the end of all")
        self.assertEqual(open(out).read(), "hello\nbye\n")

    def test_own_log(self):
        os.makedirs(self.root.path("service/.svscan/log"))
        self.service("s", run="echo to standard error >&2\nexec sleep 1000\n")
        path = self.root.path("service/.svscan/log/run")
        with open(path, "w") as f:
            f.write("#!/bin/sh\nexec cat >> out\n")
        os.chmod(path, 0o755)
        scan = self.svscan("-v", SCANLOG="1")
        out = self.root.path("service/.svscan/log/out")
        wait_for(lambda: os.path.exists(out) and "to standard error" in open(out).read(), what="the log")
        self.assertIn("svscan: started supervise s\n", open(out).read())
        self.end(scan)
        self.assertEqual(open(self.root.path("svscan.err")).read(), "")


if __name__ == "__main__":
    unittest.main()
