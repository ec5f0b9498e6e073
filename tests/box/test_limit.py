"""A test that hangs, or leaves something behind, is ended with all it has started, also what has another parent by then."""
import os, subprocess, sys, tempfile, textwrap, unittest

from box import SOURCE

LIMIT = os.path.join(SOURCE, "tests", "tools", "limit.py")
STARTS = """
import os, subprocess, sys, time
# a child, and a daemon: its parent has ended, it is in a session of its own, and wants to hear of no signal
p = subprocess.Popen(["sleep", "1000"])
q = subprocess.Popen(["sh", "-c", "exec 2> /dev/null; trap '' TERM INT HUP; (setsid sh -c 'trap \\"\\" TERM INT HUP; echo $$ > daemon; sleep 1000; :' &) ; exit 0"])
q.wait()
while not (os.path.exists("daemon") and open("daemon").read().endswith("\\n")):
    time.sleep(0.01)
with open("child", "w") as f:
    f.write(str(p.pid))
"""


class Limit(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory(prefix="indimail-")
        self.addCleanup(self.dir.cleanup)

    def run_test(self, text, seconds="60", **env):
        with open(os.path.join(self.dir.name, "test.py"), "w") as f:
            f.write(STARTS + textwrap.dedent(text))
        p = subprocess.run([sys.executable, LIMIT, seconds, sys.executable, "test.py"], cwd=self.dir.name, env=dict(os.environ, **env),
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100)
        for name in ("child", "daemon"):
            with open(os.path.join(self.dir.name, name)) as f:
                self.assertFalse(os.path.exists(f"/proc/{int(f.read())}"), name)
        return p.returncode, p.stdout.decode()

    def test_left_behind(self):
        code, said = self.run_test("print('done')\nsys.exit(3)")
        self.assertEqual(code, 3)
        self.assertRegex(said, r"\Adone\nshow: left behind: [34] processes\n\Z")

    def test_nothing_left(self):
        p = subprocess.run([sys.executable, LIMIT, "60", "true"], stdout=subprocess.PIPE, timeout=100)
        self.assertEqual((p.returncode, p.stdout), (0, b""))

    def test_over_its_time(self):
        """It may clear up."""
        code, said = self.run_test("""
            try:
                time.sleep(1000)
            except KeyboardInterrupt:
                print("cleared", flush=True)
            """, seconds="5")
        self.assertEqual(code, 124)
        self.assertEqual(said, "\nno end after 5 s\ncleared\n")

    def test_deaf(self):
        """Or is killed."""
        code, said = self.run_test("import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\ntime.sleep(1000)", seconds="5", LIMIT_GRACE="0.1")
        self.assertEqual((code, said), (124, "\nno end after 5 s\n"))


if __name__ == "__main__":
    unittest.main()
