"""envdir, setuidgid, envuidgid, softlimit, setlock, tai64n, tai64nlocal."""
import grp, os, pwd, subprocess, unittest

from box import Root

SH = "/bin/sh"


class WrappersTest(unittest.TestCase):
    def setUp(self):
        self.root = Root()
        self.addCleanup(self.root.close)

    def run_ok(self, *argv, **kw):
        p = self.root.run(argv, **kw)
        self.assertEqual((p.returncode, p.stderr), (0, b""))
        return p.stdout.decode()

    def files(self, directory, **files):
        os.makedirs(self.root.path(directory), exist_ok=True)
        for name, text in files.items():
            with open(self.root.path(directory, name), "wb") as f:
                f.write(text)
        return self.root.path(directory)

    def environment(self, *options, **extra):
        out = self.run_ok("envdir", *options, "/usr/bin/env", "-0", env=self.root.env(**extra))
        return dict(v.split("=", 1) for v in out.split("\0") if v)

    def test_envdir(self):
        d = self.files("e", A=b"one  \t\nignored\n", B=b"", C=b"x\0y\n", D=b"\n", E=b"no newline", F=b" lead")
        e = self.environment(d, B="gone", KEPT="yes", A="old")
        self.assertEqual({k: e.get(k) for k in "ABCDEF"},
                         {"A": "one", "B": None, "C": "x\ny", "D": "", "E": "no newline", "F": " lead"})
        self.assertEqual(e["KEPT"], "yes")
        self.assertEqual(set(self.environment("-c", d, KEPT="yes")), set("ACDEF"))

    def test_envdir_more(self):
        base = self.files("base", A=b"base\n", G=b"global\n")
        d = self.files("e", A=b"own\n", **{".hidden": b"x\n", ".envfile": b"# c\nF=file\nG=changed\nnothing\n"})
        os.symlink(base, os.path.join(d, ".envdir"))
        e = self.environment(d)
        self.assertEqual((e["A"], e["G"], e["F"]), ("own", "changed", "file"))
        self.assertNotIn(".hidden", e)
        with open(os.path.join(base, ".envdir"), "w") as f:  # a loop
            f.write(d + "\n")
        p = self.root.run(["envdir", d, "true"])
        self.assertEqual(p.returncode, 111)
        self.assertIn(b"too deep", p.stderr)

    def test_envdir_errors(self):
        self.assertEqual(self.root.run(["envdir", self.root.path("no"), "true"]).returncode, 111)
        d = self.files("e", A=b"a\n", **{"X=Y": b"z\n"})
        self.assertEqual(self.root.run(["envdir", d, "true"]).returncode, 111)
        self.assertEqual(self.environment("-i", d)["A"], "a")
        self.assertEqual(self.root.run(["envdir", "-w", d, "true"]).stderr.count(b"warning"), 1)
        p = self.root.run(["envdir", self.files("f"), "no-such-program"])
        self.assertEqual(p.returncode, 111)

    def test_envdir_path(self):
        d = self.files("e", PATH=self.root.path("mybin").encode())
        self.files("mybin", prog=b"#!/bin/sh\necho mine\n")
        os.chmod(self.root.path("mybin/prog"), 0o755)
        self.assertEqual(self.root.run(["envdir", d, "prog"]).returncode, 111)
        self.assertEqual(self.run_ok("envdir", "-p", d, "prog"), "mine\n")

    def test_softlimit(self):
        show = "ulimit -S{0}; ulimit -H{0}"
        out = self.run_ok("softlimit", "-o50", "-c", "0", SH, "-c", "ulimit -Sn; ulimit -Sc")
        self.assertEqual(out, "50\n0\n")
        out = self.run_ok("softlimit", "-m", "200000000", "-a", "300000000", SH, "-c", "ulimit -Sd; ulimit -Sv")
        self.assertEqual(out, f"{200000000 // 1024}\n{300000000 // 1024}\n")
        hard = self.run_ok("softlimit", "-o", "=", SH, "-c", show.format("n")).split()
        self.assertEqual(hard[0], hard[1])
        self.assertEqual(self.run_ok("softlimit", "-o", "99999999999", SH, "-c", "ulimit -Sn").strip(), hard[1])
        self.assertEqual(self.run_ok("softlimit", "-t-1", SH, "-c", "ulimit -St").strip(), "unlimited")
        self.assertEqual(self.root.run(["softlimit", "-o", "x", "true"]).returncode, 100)

    def test_setlock(self):
        lock = self.root.path("lock")
        p = self.root.spawn(["setlock", lock, SH, "-c", "echo held; read x"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.assertEqual(p.stdout.readline(), b"held\n")
        self.assertEqual(self.root.run(["setlock", "-n", lock, "echo", "no"]).returncode, 111)
        q = self.root.run(["setlock", "-nx", lock, "echo", "no"])
        self.assertEqual((q.returncode, q.stdout, q.stderr), (0, b"", b""))
        waiter = self.root.spawn(["setlock", lock, "echo", "mine"], stdout=subprocess.PIPE)
        p.communicate(b"\n")
        self.assertEqual(waiter.communicate(timeout=10)[0], b"mine\n")
        self.assertEqual(self.root.run(["setlock", "-x", self.root.path("no/such"), "true"]).returncode, 0)
        self.assertEqual(self.root.run(["setlock", self.root.path("no/such"), "true"]).returncode, 111)

    def test_ids(self):
        who = pwd.getpwuid(65534)
        out = self.run_ok("envuidgid", who.pw_name, SH, "-c", "echo $UID $GID; id -u")
        self.assertEqual(out, f"{who.pw_uid} {who.pw_gid}\n{os.geteuid()}\n")
        self.assertEqual(self.root.run(["envuidgid", "no-such-account-x", "true"]).returncode, 111)
        self.assertEqual(self.root.run(["setuidgid", "no-such-account-x", "true"]).returncode, 111)
        if os.geteuid():
            p = self.root.run(["setuidgid", who.pw_name, "true"])
            self.assertEqual(p.returncode, 111)
            return
        self.assertEqual(self.run_ok("setuidgid", who.pw_name, SH, "-c", "id -u; id -g; id -G"),
                         f"{who.pw_uid}\n{who.pw_gid}\n{who.pw_gid}\n")
        out = self.run_ok("setuidgid", "-g", "mail,7", "-e", who.pw_name, SH, "-c", "id -G; echo $USER $HOME").split()
        self.assertEqual(sorted(map(int, out[:3])), sorted([who.pw_gid, grp.getgrnam("mail").gr_gid, 7]))
        self.assertEqual(out[3:], [who.pw_name, who.pw_dir])

    def test_tai64(self):
        out = self.run_ok("tai64n", input=b"a\n\nlast")
        lines = out.split("\n")
        self.assertEqual([l[26:] for l in lines], ["a", "", "last"])
        for l in lines:
            self.assertRegex(l, r"^@4[0-9a-f]{23} ")
        stamp = "@" + "%016x" % (2**62 + 10 + 1700000000) + "%08x" % 5
        out = self.run_ok("tai64nlocal", input=f"{stamp} x\nplain\n@400 short\n{stamp}".encode(), env=self.root.env(TZ="UTC"))
        self.assertEqual(out, "2023-11-14 22:13:20.000000005 x\nplain\n@400 short\n2023-11-14 22:13:20.000000005")

    def test_tai64n_does_not_hold_lines_back(self):
        p = self.root.spawn(["tai64n"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        q = self.root.spawn(["tai64nlocal"], stdin=p.stdout, stdout=subprocess.PIPE)
        p.stdin.write(b"now\n")
        p.stdin.flush()
        self.assertRegex(q.stdout.readline(), rb"^20.* now\n")

    def test_usage(self):
        for argv in (["envdir"], ["envdir", "x"], ["envdir", "-z", "x", "y"], ["setuidgid", "x"], ["envuidgid"], ["softlimit"],
                     ["setlock", "f"], ["tai64n", "x"], ["tai64nlocal", "-x"], ["supervise"], ["svok"], ["svstat", "-z"],
                     ["svc", "-z"], ["svc", "-T"], ["svscan", "a", "b"], ["svps", "x"]):
            p = self.root.run(argv)
            self.assertEqual(p.returncode, 100, argv)
            self.assertRegex(p.stderr, rb"\Ausage: " + argv[0].encode() + rb"[^\n]*\n\Z")


if __name__ == "__main__":
    unittest.main()
