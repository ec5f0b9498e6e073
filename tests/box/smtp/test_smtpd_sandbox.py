"""qmail-smtpd in its sandbox: what it has given up, and who starts programs for it."""
import os, shutil, signal, subprocess, unittest
from box import BIN, wait_for
from smtpd import SmtpRoot

M, R = "MAIL FROM:<joe@example.net>", "RCPT TO:<jim@example.com>"


def fields(pid):
    with open(f"/proc/{pid}/status") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def starters(pid):
    """The process that starts programs for this one."""
    found = []
    for name in os.listdir("/proc"):
        try:
            if name.isdigit():
                status = fields(name)
                if status["PPid"] == str(pid) and status["Name"] == "starter":
                    found.append(int(name))
        except (OSError, KeyError):
            pass  # it has ended meanwhile
    return found


@unittest.skipIf(os.environ.get("SAN"), "sanitizers need what a sandbox takes")
class Sandbox(unittest.TestCase):
    resident = False

    def setUp(self):
        self.root = SmtpRoot(resident=self.resident)
        self.addCleanup(self.root.close)

    def deliver(self, s, body=b"Subject: x\r\n\r\nbody\r\n"):
        self.assertEqual([s.cmd(M)[0], s.cmd(R)[0], s.cmd("DATA")[0]], [250, 250, 354])
        s.send(body + b".\r\n")
        return s.reply()

    def start(self, **env):
        self.root.process_env = env
        return self.root.smtp(**env)

    def test_given_up(self):
        with self.start() as s:
            s.hello()
            status = fields(s.p.pid)
            self.assertEqual((status["Seccomp"], status["NoNewPrivs"]), ("2", "1"))
            starter, = starters(s.p.pid)
            status = fields(starter)
            self.assertEqual((status["Seccomp"], status["NoNewPrivs"]), ("0", "0"))
            # a client's connection, or tcpserver's, must not live on in it
            self.assertEqual([os.readlink(f"/proc/{starter}/fd/{n}") for n in (0, 1)], ["/dev/null"] * 2)
            self.assertEqual(self.deliver(s)[0], 250)
            self.assertNotIn("sandbox", s.logged())
        (_, _, to, _), = self.root.messages()
        self.assertEqual(to, [b"jim@example.com"])

    def test_the_program_keeps_its_rights(self):
        """What it starts is not in the sandbox: qmail-queue is set-user-id."""
        seen = self.root.path("qq", "rights")
        queue = self.root.script("rights", f"#!/bin/sh\ngrep -E 'NoNewPrivs|Seccomp:' /proc/self/status > {seen}\ncat > /dev/null; cat <&1 > /dev/null\n")
        with self.start(QMAILQUEUE=queue) as s:
            s.hello()
            self.assertEqual(self.deliver(s)[0], 250)
        self.assertEqual(open(seen).read().split(), ["NoNewPrivs:", "0", "Seccomp:", "0"])

    def test_switched_off(self):
        with self.start(SANDBOX="0") as s:
            s.hello()
            status = fields(s.p.pid)
            self.assertEqual((status["Seccomp"], status["NoNewPrivs"]), ("0", "0"))
            self.assertEqual(starters(s.p.pid), [])
            self.assertEqual(self.deliver(s)[0], 250)

    def test_starter_lost(self):
        """Without it no message is taken, none is lost, and the server ends for another one."""
        with self.start() as s:
            s.hello()
            os.kill(starters(s.p.pid)[0], signal.SIGKILL)
            self.assertEqual([s.cmd(M)[0], s.cmd(R)[0]], [250, 250])
            self.assertEqual(s.cmd("DATA")[0], 451)
            self.assertIn("the process that starts programs is gone", s.logged())
            self.assertEqual(s.reply()[0], 421)
            self.assertTrue(s.ended())
        self.assertIsNotNone(s.p.wait(20))
        self.assertEqual(self.root.messages(), [])

    def test_starter_ends_with_us(self):
        s = self.start()
        self.addCleanup(s.sock.close)
        self.addCleanup(s.log.close)
        s.hello()
        starter, = starters(s.p.pid)
        s.p.kill()
        s.p.wait(20)
        wait_for(lambda: not os.path.exists(f"/proc/{starter}"), what="the end of the starter")

    def test_files_elsewhere(self):
        """What settings name is read, wherever it is; also where it was made anew."""
        os.mkdir(self.root.path("lists"))
        self.root.control("rcpthosts", "example.com\nrelative.example\n")
        for name in ("sender", "link"):
            with open(self.root.path("lists", name), "w") as f:
                f.write(f"{name}@example.com\n")
        os.symlink(self.root.path("lists", "link"), self.root.path("control", "badrcptto"))
        self.root.control("from.envrules", f"vip@example.net:BADRCPTTOPATTERNS={self.root.path('lists', 'sender')}\n")
        self.root.control("recipients", "relative.example:lists/known.cdb\n")
        with open(self.root.path("lists", "known"), "w") as f:
            f.write("joe@relative.example\n")
        subprocess.run([os.path.join(BIN, "cdbmake"), self.root.path("lists/known.cdb"), self.root.path("lists/tmp")], check=True,
                       input=b"+21,0::joe@relative.example->\n\n")
        env = dict(CHECKRECIPIENT="2")
        for again in (False, True):
            if again:  # an editor writes another file, and renames it
                for name in ("sender", "link"):
                    with open(self.root.path("lists", name + "new"), "w") as f:
                        f.write(f"{name}@example.com\n")
                    os.rename(self.root.path("lists", name + "new"), self.root.path("lists", name))
            with self.start(**env) as s:
                s.hello()
                self.assertEqual(s.cmd("MAIL FROM:<vip@example.net>")[0], 250)
                for to, code in (("sender@example.com", 553), ("link@example.com", 553), ("joe@relative.example", 250), ("jim@relative.example", 550)):
                    self.assertEqual(s.cmd(f"RCPT TO:<{to}>")[0], code, (to, s.logged()))

    def test_links_of_all_kinds(self):
        """Control files that are links: relative, to other links, through links to directories, into nothing."""
        for name in ("a", "b", "c"):
            os.mkdir(self.root.path(name))
        with open(self.root.path("a/list"), "w") as f:
            f.write("one@example.com\n")
        with open(self.root.path("c/patterns"), "w") as f:
            f.write("two*@example.com\n")
        os.symlink("../a/list", self.root.path("b/list"))
        os.symlink("../b/list", self.root.path("control/badrcptto"))
        os.symlink(self.root.path("c"), self.root.path("d"))
        os.symlink("../d/patterns", self.root.path("control/badrcpttopatterns"))
        os.symlink("nowhere", self.root.path("control/spamignore"))
        os.symlink("loop", self.root.path("control/loop"))
        with self.start() as s:
            s.hello()
            self.assertEqual(s.cmd("MAIL FROM:<x@example.net>")[0], 250)
            for to, code in (("one@example.com", 553), ("two2@example.com", 553), ("three@example.com", 250)):
                self.assertEqual(s.cmd(f"RCPT TO:<{to}>")[0], code, (to, s.logged()))
            self.assertNotIn("sandbox", s.logged())

    def test_control_directory_replaced(self):
        with self.start() as s:
            s.hello()
        control = self.root.path("control")
        shutil.copytree(control, control + ".new")
        os.rename(control, control + ".old")
        os.rename(control + ".new", control)
        self.root.control("badrcptto", "late@example.com\n")
        with self.start() as s:
            s.hello()
            self.assertEqual([s.cmd(M)[0], s.cmd(R)[0], s.cmd("RCPT TO:<late@example.com>")[0]], [250, 250, 553])

    def test_long_message(self):
        """One that does not fit in memory goes to a program, with its descriptors."""
        body = b"".join(b"%06d %s\r\n" % (i, b"x" * 60) for i in range(20000))
        with self.start() as s:
            s.hello()
            self.assertEqual(self.deliver(s, body)[0], 250)
        (message, _, _, _), = self.root.messages()
        self.assertTrue(message.endswith(body.replace(b"\r\n", b"\n")))


class ResidentSandbox(Sandbox):
    resident = True

    def test_not_written_by_the_administrator(self):
        """A session that asks for a program, or a variable, that no rule has: what a broken one would do."""
        with self.start() as s:
            s.hello()
            self.root.servers[()].allow = lambda variables: None
        for env in ({"QMAILQUEUE": "/bin/true"}, {"LD_PRELOAD": "/nowhere.so"}):
            with self.subTest(env), self.root.smtp(**env) as s:
                s.hello()
                self.assertEqual([s.cmd(M)[0], s.cmd(R)[0], s.cmd("DATA")[0]], [250, 250, 451])
                self.assertRegex(s.logged(), r"no setting (of this server names this command|or rule gives LD_PRELOAD this value)")
        with self.start() as s:
            s.hello()
            self.assertEqual(self.deliver(s)[0], 250)
        self.assertEqual(len(self.root.messages()), 1)


if __name__ == "__main__":
    unittest.main()
