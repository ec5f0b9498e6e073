"""The administrator's programs of the user database, killed before each call that changes something."""
import os, shutil, signal, sqlite3, subprocess, tempfile, unittest

from box import TOP
from usersite import HASH, UserSite


OTHER = "/dev/shm"  # where it is there, another file system than that of the tests


def on_another_device():
    return os.path.isdir(OTHER) and os.stat(OTHER).st_dev != os.stat(tempfile.gettempdir()).st_dev


class KilledPrograms(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lib_site = UserSite()
        cls.lib = cls.lib_site.path("killat.so")
        subprocess.run([shutil.which("cc") or "gcc", "-shared", "-fPIC", "-O1", "-o", cls.lib,
                        os.path.join(TOP, "tests", "tools", "killat.c"), "-ldl"], check=True)
        os.chmod(cls.lib, 0o755)
        os.chmod(cls.lib_site.dir, 0o755)

    @classmethod
    def tearDownClass(cls):
        cls.lib_site.close()

    def new_site(self):
        return UserSite()

    def setUp(self):
        self.site = self.new_site()
        self.addCleanup(self.site.close)
        s = self.site
        s.add_domain("other.example")
        s.add_user("joe@other.example")

    def killed(self, n, *argv):
        """Run with a kill at step n; False when the program came to its end before."""
        count = self.site.path("run", "count")
        env = self.site.env(LD_PRELOAD=self.lib, KILLAT=str(n), KILLAT_COUNT=count)
        env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        p = self.site.run(list(argv), input=HASH.encode() + b"\n", env=env)
        self.assertIn(p.returncode, (0, -signal.SIGKILL), p.stderr)
        if p.returncode == 0:
            self.steps = int(open(count).read())
        return p.returncode != 0

    def lines(self, *names):
        try:
            return open(self.site.path(*names)).read().splitlines()
        except FileNotFoundError:
            return []

    def domains(self):
        """Those with a postmaster, of a database in which all is well."""
        db = sqlite3.connect(self.site.db_path())
        self.assertEqual(db.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
        self.assertEqual(db.execute("PRAGMA foreign_key_check").fetchall(), [])
        domains = {d for d, in db.execute("SELECT domain FROM users WHERE name = 'postmaster'")}
        db.close()
        return domains

    def check(self):
        """Mail that is let in can be delivered; nobody else is hurt."""
        s = self.site
        domains = self.domains()
        self.assertIn("other.example", domains)
        for domain in self.lines("control", "rcpthosts"):
            self.assertIn(domain, domains)
            self.assertIn(f"{domain}:{domain}", self.lines("control", "virtualdomains"))
            self.assertTrue(any(l.startswith(f"+{domain}-:") for l in self.lines("users", "assign")))
            with open(s.path("users", "cdb"), "rb") as f:
                self.assertEqual(s.run(["cdbget", f"!{domain}-"], stdin=f).returncode, 0)
            self.assertTrue(os.path.exists(s.path("domains", domain, ".qmail-default")))
        self.assertEqual(self.lines("users", "assign")[-1:], ["."])
        self.assertIn("other.example", self.lines("control", "rcpthosts"))

    def every_step(self, argv, again, waits=False):
        n = 0
        while True:
            n += 1
            went_wrong = self.killed(n, *argv)
            if not waits:  # mail for a domain whose directory is not there waits: it is let in before it can be delivered
                self.check()
            again(n)
            if not went_wrong:
                break
        self.assertGreater(n, 10)
        return n
