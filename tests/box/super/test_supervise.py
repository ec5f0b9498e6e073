"""supervise and its tools: services restart, take commands, and are taken over."""
import os, signal, subprocess, time, unittest

from box import BIN, Root, wait_for
from services import Service, alive, status


class SuperviseTest(unittest.TestCase):
    def setUp(self):
        self.root = Root()
        self.addCleanup(self.root.close)
        os.mkdir(self.root.path("service"))

    def service(self, name="s", run="exec sleep 1000\n", **kw):
        return Service(self.root, name, run, **kw)

    def supervise(self, service, *options):
        p = self.root.spawn(["supervise", *options, service.dir], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(self.end_leftover, service)
        return p

    def end_leftover(self, service):
        pid = service.pid()
        if pid and alive(pid):
            os.kill(pid, signal.SIGKILL)

    def svc(self, *args, code=0):
        p = self.root.run(["svc", *args])
        self.assertEqual(p.returncode, code, p.stderr)

    def svstat(self, *args):
        return self.root.run(["svstat", *args]).stdout.decode()

    def svok(self, service):
        return self.root.run(["svok", service.dir]).returncode

    def test_restart(self):
        s = self.service()
        self.assertEqual(self.svok(s), 100)
        self.supervise(s)
        first = s.started()
        wait_for(lambda: self.svok(s) == 0, what="svok")
        os.kill(first, signal.SIGKILL)
        second = s.started(first)
        self.assertFalse(alive(first))
        self.assertTrue(alive(second))
        self.svc("-wr", "-T", "10", s.dir)
        self.assertNotIn(s.pid(), (0, second))

    def test_commands(self):
        s = self.service(run="trap 'echo usr1 >> got' USR1\ntrap 'echo hup >> got' HUP\n"
                             "trap exit TERM\necho up >> got\n"
                             "while :; do sleep 0.05; done\n")
        p = self.supervise(s)
        got = lambda: open(os.path.join(s.dir, "got")).read().split() if os.path.exists(os.path.join(s.dir, "got")) else []
        wait_for(lambda: got() == ["up"], what="start")
        self.svc("-h", s.dir)
        wait_for(lambda: got() == ["up", "hup"], what="HUP")
        self.svc("-1", s.dir)
        wait_for(lambda: got() == ["up", "hup", "usr1"], what="USR1")
        self.svc("-p", s.dir)
        wait_for(lambda: "paused" in self.svstat(s.dir), what="pause")
        self.assertEqual(self.root.run(["svstat", "-e", s.dir]).returncode, 3)
        self.svc("-c", s.dir)
        wait_for(lambda: "paused" not in self.svstat(s.dir), what="continuation")
        self.svc("-Wd", "-T10", s.dir)
        self.assertRegex(self.svstat(s.dir), r"^\S+: down \d+ seconds, normally up\n$")
        self.assertEqual(self.root.run(["svstat", "-e", s.dir]).returncode, 1)
        self.svc("-wu", s.dir)
        self.assertRegex(self.svstat(s.dir), r"^\S+: up \(pid \d+\) \d+ seconds\n$")
        open(os.path.join(s.dir, "down"), "w").close()
        self.assertIn("normally down", self.svstat(s.dir))
        self.svc("-dx", s.dir)
        self.assertEqual(p.wait(10), 0)
        self.assertEqual(self.svok(s), 100)
        self.assertEqual(self.svstat(s.dir), f"{s.dir}: supervise not running\n")
        self.svc("-u", s.dir)  # nobody there: a warning, and 0 as ever
        self.svc("-eu", s.dir, code=2)
        self.assertEqual(os.path.getsize(os.path.join(s.dir, "supervise/status")), 21)

    def test_down_and_once(self):
        s = self.service(run="echo x >> runs\n")
        open(os.path.join(s.dir, "down"), "w").close()
        self.supervise(s)
        wait_for(lambda: self.svok(s) == 0, what="supervise")
        self.assertEqual(status(s.dir), (0, "d", 0))
        runs = os.path.join(s.dir, "runs")
        self.svc("-o", s.dir)
        wait_for(lambda: os.path.exists(runs) and status(s.dir)[0] == 0, what="one run")
        self.svc("-W", "-T", "5", s.dir)
        self.assertEqual(open(runs).read(), "x\n")

    def test_wait_times_out(self):
        s = self.service()
        self.supervise(s)
        s.started()
        self.svc("-W", "-T", "1", s.dir, code=3)

    def test_second_supervise_is_refused(self):
        s = self.service()
        self.supervise(s)
        wait_for(lambda: self.svok(s) == 0, what="supervise")
        p = self.root.run(["supervise", s.dir])
        self.assertEqual(p.returncode, 111)
        self.assertIn(b"is a supervise running", p.stderr)

    def test_killed_supervise_is_followed(self):
        """The service goes on under the next supervise, and is still restarted and stopped."""
        s = self.service(run="echo x >> starts\nexec sleep 1000\n")
        p = self.supervise(s)
        pid = s.started()
        wait_for(lambda: self.svok(s) == 0, what="supervise")
        p.kill()
        p.wait()
        self.assertTrue(alive(pid))
        p = self.supervise(s)
        wait_for(lambda: self.svok(s) == 0, what="second supervise")
        self.assertEqual(s.pid(), pid)
        self.assertEqual(open(os.path.join(s.dir, "starts")).read(), "x\n")
        os.kill(pid, signal.SIGKILL)
        second = s.started(pid)
        p.kill()
        p.wait()
        p = self.supervise(s)
        wait_for(lambda: self.svok(s) == 0, what="third supervise")
        self.assertEqual(s.pid(), second)
        p.terminate()
        self.assertEqual(p.wait(10), 0)
        self.assertFalse(alive(second))

    def test_killed_over_and_over(self):
        """At whatever moment supervise dies, there is one service or none, never two."""
        s = self.service(run="mkdir mutex || echo twice >> errors\ntrap 'rmdir mutex; exit' TERM\n"
                             "while :; do sleep 0.05; done\n")
        def runs():
            # A child that has not reached its exec yet still holds the lock: as svscan does, try again.
            nonlocal p
            if p.poll() is not None:
                p = self.supervise(s)
            return self.svok(s) == 0

        for i in range(20):
            p = self.supervise(s)
            if i % 2:
                wait_for(runs, what="supervise")
            elif i % 4 == 0:
                wait_for(lambda: os.path.exists(os.path.join(s.dir, "supervise/child")), what="a trace")
            p.kill()
            p.wait()
        p = self.supervise(s)
        wait_for(runs, what="supervise")
        s.started()
        wait_for(lambda: os.path.exists(os.path.join(s.dir, "mutex")), what="service")
        p.terminate()
        self.assertEqual(p.wait(10), 0)
        self.assertFalse(os.path.exists(os.path.join(s.dir, "errors")))

    def test_pid_of_another_is_left_alone(self):
        """A record of an earlier process of that number is no service of ours."""
        s = self.service()
        p = self.supervise(s)
        pid = s.started()
        wait_for(lambda: self.svok(s) == 0, what="supervise")
        p.kill()
        p.wait()
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not alive(pid), what="service to die")
        # The kernel tells a process's start in hundredths of a second.
        later = time.clock_gettime(time.CLOCK_BOOTTIME) + 0.03
        wait_for(lambda: time.clock_gettime(time.CLOCK_BOOTTIME) > later, what="the next tick")
        other = subprocess.Popen(["sleep", "1000"])
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        path = os.path.join(s.dir, "supervise/child")
        with open(path, "r+b") as f:
            f.seek(48)
            f.write(other.pid.to_bytes(8, "little"))
        p = self.supervise(s)
        new = s.started(pid)
        self.assertNotEqual(new, other.pid)
        p.terminate()
        p.wait(10)
        self.assertIsNone(other.poll())

    def test_scripts(self):
        s = self.service(run="[ -e ready ] || exit 1\nexec sleep 1000\n")
        s.script("init", "echo init >> order\n: > ready\n")
        s.script("alert", 'echo "$4" "$3" >> order\n')
        s.script("shutdown", 'echo "shutdown $2" >> order\nkill -INT "$2"\n')
        p = self.supervise(s)
        wait_for(lambda: status(s.dir)[2], what="run after init")
        pid = s.pid()
        os.kill(pid, signal.SIGKILL)
        order = os.path.join(s.dir, "order")
        wait_for(lambda: open(order).read().split("\n")[1:2] == ["signalled 9"], what="alert")
        wait_for(lambda: status(s.dir)[2] and s.pid() != pid, what="second start")
        pid = s.pid()
        p.terminate()
        self.assertEqual(p.wait(10), 0)
        wait_for(lambda: "signalled 2" in open(order).read(), what="last alert")
        lines = open(order).read().split("\n")
        self.assertEqual(sorted(lines), sorted(["init", "signalled 9", "init", f"shutdown {pid}", "signalled 2", ""]))

    def test_with_parent(self):
        """-p: the service ends when whoever started supervise is gone; otherwise it does not."""
        for option, ends in (("-p", True), (None, False)):
            s = self.service(name="p" + str(ends))
            sh = subprocess.Popen(["sh", "-c", '"$0" "$@" & wait $!', os.path.join(BIN, "supervise")]
                                  + ([option] if option else []) + [s.dir], env=self.root.env(), stdout=subprocess.DEVNULL)
            self.addCleanup(self.end_leftover, s)
            pid = s.started()
            wait_for(lambda: self.svok(s) == 0, what="supervise")
            sh.kill()
            sh.wait()
            if ends:
                wait_for(lambda: not alive(pid) and self.svok(s) == 100, what="the end")
            else:
                self.assertEqual(self.svok(s), 0)
                self.assertTrue(alive(pid))
                self.svc("-dx", s.dir)
                wait_for(lambda: self.svok(s) == 100, what="svc -dx")


if __name__ == "__main__":
    unittest.main()
