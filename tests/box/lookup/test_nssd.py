"""nssd and its module: virtual users as accounts of the host, in a mount namespace of its own where getent is to see them."""
import os, socket, subprocess, sys, unittest

from box import BIN, wait_for
from usersite import UserSite

PRIVATE = ["unshare", "-m", "--propagation", "private"] if os.geteuid() == 0 else ["unshare", "-rm"]
HAVE_PRIVATE = subprocess.run(PRIVATE + ["true"], stderr=subprocess.DEVNULL).returncode == 0

# Calls the module as the C library would: status, code, name, home for each name and size of buffer.
CALL = """
import ctypes, sys
class Passwd(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("passwd", ctypes.c_char_p), ("uid", ctypes.c_uint), ("gid", ctypes.c_uint),
                ("gecos", ctypes.c_char_p), ("dir", ctypes.c_char_p), ("shell", ctypes.c_char_p)]
module = ctypes.CDLL(sys.argv[1])
for name, size in zip(sys.argv[2::2], sys.argv[3::2]):
    pw, buf, code = Passwd(), ctypes.create_string_buffer(int(size)), ctypes.c_int(0)
    r = module._nss_nssd_getpwnam_r(name.encode(), ctypes.byref(pw), buf, ctypes.c_size_t(int(size)), ctypes.byref(code))
    print(r, code.value, *((pw.name.decode(), pw.passwd.decode(), pw.uid, pw.dir.decode(), pw.shell.decode()) if r == 1 else ()))
"""
TRYAGAIN, UNAVAIL, NOTFOUND, SUCCESS = -2, -1, 0, 1
ENOENT, EAGAIN, ERANGE = 2, 11, 34


@unittest.skipIf(os.environ.get("SAN"), "programs of others cannot load a sanitizer's run-time")
class Nssd(unittest.TestCase):
    def setUp(self):
        self.site = UserSite()
        self.addCleanup(self.site.close)
        self.site.add_domain()
        self.site.add_user("alice", "-c", "Alice A.")
        self.site.start_lookup()
        self.start()

    def start(self):
        self.log = open(self.site.path("nssd.log"), "ab")
        self.addCleanup(self.log.close)
        before = self.logged().count("ready")
        self.nssd = self.site.spawn(["nssd", "-v"], stderr=self.log)
        wait_for(lambda: self.nssd.poll() is not None or self.logged().count("ready") > before, what="nssd")
        self.assertIsNone(self.nssd.poll(), self.logged())

    def logged(self):
        return open(self.site.path("nssd.log"), errors="replace").read()

    def stop(self, p):
        p.terminate()
        p.wait(10)

    def call(self, *arguments):
        p = subprocess.run([sys.executable, "-c", CALL, os.path.join(BIN, "libnss_nssd.so.2"), *map(str, arguments)], env=self.site.env(),
                           stdout=subprocess.PIPE, timeout=30, check=True)
        return [[int(f) if f.lstrip("-").isdigit() else f for f in line.split(" ")] for line in p.stdout.decode().splitlines()]

    def test_statuses(self):
        home = self.site.home("alice@example.com")
        uid = os.stat(self.site.db_path()).st_uid
        found = [SUCCESS, 0, "alice@example.com", "x", uid, home, "/usr/sbin/nologin"]
        none = [NOTFOUND, ENOENT]
        names = [("alice@example.com", found), ("Alice@EXAMPLE.com", found), ("bob@example.com", none), ("alice@example.org", none), ("alice", none),
                 ("root", none), ("", none), ("@", none), ("alice+x@example.com", none), ("x" * 600 + "@example.com", none), ("../alice@example.com", none),
                 ("' OR 1=1 --@example.com", none), ("\u00e9@example.com", none)]
        got = self.call(*(a for name, _ in names for a in (name, 1024)))
        for (name, want), line in zip(names, got):
            self.assertEqual(line, want, name)
        size = len("alice@example.com") + len("x") + len("Alice A.") + len(home) + len("/usr/sbin/nologin") + 5
        self.assertEqual(self.call("alice@example.com", size, "alice@example.com", size - 1, "alice@example.com", 1),
                         [found, [TRYAGAIN, ERANGE], [TRYAGAIN, ERANGE]])

    def test_away(self):
        """What cannot be found out is never "no such user"; names of the host are not asked about at all."""
        self.stop(self.site.lookup)
        self.assertEqual(self.call("alice@example.com", 1024, "alice", 1024), [[UNAVAIL, EAGAIN], [NOTFOUND, ENOENT]])
        self.assertIn("unable to ask inlookup", self.logged())
        self.site.start_lookup()
        self.assertEqual(self.call("alice@example.com", 1024)[0][0], SUCCESS)
        self.stop(self.nssd)
        self.assertEqual(self.call("alice@example.com", 1024, "alice", 1024), [[UNAVAIL, EAGAIN], [NOTFOUND, ENOENT]])
        self.start()
        self.assertEqual(self.call("alice@example.com", 1024)[0][0], SUCCESS)

    def test_one_only(self):
        p = self.site.run(["nssd"])
        self.assertEqual((p.returncode, p.stderr.count(b"\n")), (111, 1))
        self.assertEqual(self.call("alice@example.com", 1024)[0][0], SUCCESS)

    def ask(self, data):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.settimeout(20)
            s.connect(self.site.path("run", "pwdlookup", "nssd.sock"))
            s.send(data)
            return s.recv(5000)

    def test_clients(self):
        """Malformed questions end the connection; many that say nothing keep nobody waiting; no secret is told."""
        for data in (b"x", b"NS1\0", b"NS1\0a@b", b"NS2\0alice@example.com\0", b"NS1\0alice@example.com\0more\0", b"\0" * 500, b"x" * 4000):
            self.assertEqual(self.ask(data), b"", data[:20])
        silent = []
        for _ in range(300):
            s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            s.connect(self.site.path("run", "pwdlookup", "nssd.sock"))
            s.settimeout(20)
            silent.append(s)
        wait_for(lambda: self.call("alice@example.com", 1024)[0][0] == SUCCESS, what="an answer")
        for s in silent:
            self.assertEqual(s.recv(10), b"")
            s.close()
        got = self.ask(b"NS1\0alice@example.com\0")
        self.assertIn(b"\0Alice A.\0", got)
        self.assertNotIn(b"$6$", got)
        self.site.sql("UPDATE users SET gecos = 'a:b\nroot:x:0' WHERE name = 'alice'")
        got = self.ask(b"NS1\0alice@example.com\0")
        self.assertNotIn(b"root", got)
        self.assertTrue(got.startswith(b"NS1\0found\0alice@example.com\0"))

    @unittest.skipUnless(HAVE_PRIVATE, "no mount namespaces here")
    def test_getent(self):
        with open(self.site.path("nsswitch"), "w") as f:
            f.write("passwd: files nssd\nshadow: files nssd\ngroup: files\n")

        def getent(*arguments):
            p = subprocess.run([*PRIVATE, "sh", "-c", f'mount --bind {self.site.path("nsswitch")} /etc/nsswitch.conf && exec getent "$@"', "sh",
                                *arguments], env=self.site.env(LD_LIBRARY_PATH=BIN), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30)
            return p.returncode, p.stdout.decode()
        st = os.stat(self.site.db_path())
        self.assertEqual(getent("passwd", "alice@example.com"),
                         (0, f"alice@example.com:x:{st.st_uid}:{st.st_gid}:Alice A.:{self.site.home('alice@example.com')}:/usr/sbin/nologin\n"))
        self.assertEqual(getent("passwd", "bob@example.com")[0], 2)
        self.assertTrue(getent("passwd", "root")[1].startswith("root:x:0:0:"))
        self.assertEqual(getent("shadow", "alice@example.com"), (0, "alice@example.com:*:::::::\n"))
        self.assertNotIn("alice@", getent("passwd")[1])
        self.stop(self.nssd)
        self.assertEqual(getent("passwd", "alice@example.com")[0], 2)
        self.assertTrue(getent("passwd", "root")[1].startswith("root:x:0:0:"))


if __name__ == "__main__":
    unittest.main()
