"""Plugins: before qmail-send starts (START_PLUGIN), and as scanners (QHPSI)."""
import os, shutil, subprocess, unittest

from box import SOURCE, wait_for
from mailsite import MailSite

START = """#include "send/start_plugin.h"
#include <stdio.h>
int startup(const struct start_plugin *p) {
  fprintf(stderr, "plugin: %d %s %s\\n", p->version, p->program, p->queue);
  return CODE;
}
"""
SCAN = """int virusscan(const char *file) { return file[0] == '/' ? CODE : 5; }
"""


@unittest.skipUnless(shutil.which("cc"), "no compiler")
@unittest.skipIf(os.environ.get("SAN"), "a plugin without the sanitizer")
class Plugins(unittest.TestCase):
    def setUp(self):
        self.site = MailSite()
        self.addCleanup(self.site.close)

    def build(self, source, code, name):
        path = self.site.path(name)
        subprocess.run(["cc", "-shared", "-fPIC", f"-DCODE={code}", "-I" + SOURCE + "/src", "-x", "c", "-", "-o", path],
                       input=source.encode(), check=True)
        return path

    def test_start(self):
        self.build(START, 0, "one.so")
        self.site.start(START_PLUGIN="one.so", PLUGINDIR=self.site.dir)
        self.site.inject("joe@local.example")
        self.site.wait_empty()
        self.assertIn(f"plugin: 1 qmail-send {self.site.queue()}\n", self.site.logged())

    def test_another_function(self):
        self.build(START.replace("startup(", "begin("), 0, "one.so")
        self.site.start(START_PLUGIN="one.so", PLUGINDIR=self.site.dir, START_PLUGIN_SYMB="begin")
        wait_for(lambda: "status: " in self.site.logged())
        self.assertIn(f"plugin: 1 qmail-send {self.site.queue()}\n", self.site.logged())
        self.site.stop()
        self.site.start(START_PLUGIN="one.so", PLUGINDIR=self.site.dir)
        wait_for(lambda: "does not let us start" in self.site.logged(), what="the missing function")

    def test_refusal(self):
        self.site.start(START_PLUGIN=self.build(START, 0, "one.so") + "," + self.build(START, 3, "two.so"))
        wait_for(lambda: "does not let us start" in self.site.logged())
        self.assertIn("two.so says no", self.site.logged())
        self.assertNotIn("status: ", self.site.logged())

    def test_no_plugin(self):
        self.site.start(START_PLUGIN="/nonexistent.so")
        wait_for(lambda: "unable to load /nonexistent.so" in self.site.logged())

    def test_scanner(self):
        envelope = b"Fa@b\0Tc@d\0\0"
        for code, want in ((0, 0), (1, 33), (5, 77)):
            self.build(SCAN, code, f"scan{code}.so")
            env = self.site.env(QHPSI=f"plugin:scan{code}.so", PLUGINDIR=self.site.dir, REJECTVIRUS="1")
            self.assertEqual(self.site.queue_program(b"x\n", envelope, env=env), want)
        env = self.site.env(QHPSI="plugin:scan0.so,scan1.so", PLUGINDIR=self.site.dir, REJECTVIRUS="1")
        self.assertEqual(self.site.queue_program(b"x\n", envelope, env=env), 33)


if __name__ == "__main__":
    unittest.main()
