"""Every program of src/PROGRAMS: bad usage is one line and exit 100, and nobody crashes where a careless
parent closed descriptors 0, 1 and 2."""
import os, signal, subprocess, unittest

from box import BIN, TOP, Root

WRONG = ["-Z"]
# Where -Z is not wrong, what is.
OTHERS = {
    "multilog": ["no-action"],           # -Z deselects lines with a Z
    "qmail-lspawn": ["one", "too many"],  # the first argument is a delivery instruction, whatever it says
}
# Take no notice of arguments: the contract of their callers is descriptors and exit codes of a table.
EXCEPTIONS = {
    "qmail-queue": "injectors run it by the name in $QMAILQUEUE; its exit codes are those of exitcodes.def",
    "qmail-multi": "the same",
    "qmail-nullqueue": "the same",
    "postdel": "Postfix runs it: its exit codes are those of sysexits.h",
}
# Without arguments they serve until they are ended.
SERVERS = {"svscan", "qmail-daemon", "qmail-start", "qmail-send", "qmail-tlsd", "qmail-queued", "inlookup", "nssd", "svscanboot"}


def programs():
    """name -> name of its source, which its usage line may give when it has two names; not what others load"""
    with open(os.path.join(TOP, "src", "PROGRAMS")) as f:
        rows = [line.split() for line in f if line.strip() and not line.startswith("#")]
    return {row[0]: os.path.splitext(os.path.basename(row[1]))[0] for row in rows if row[5] != "module"}


class Usage(unittest.TestCase):
    def setUp(self):
        self.root = Root(unprivileged=True)
        self.addCleanup(self.root.close)
        os.chmod(self.root.path("run"), 0o755)

    def test_wrong_option(self):
        found = programs()
        self.assertGreater(len(found), 60)
        self.assertLessEqual(set(EXCEPTIONS) | set(OTHERS) | SERVERS, set(found))
        for name, source in found.items():
            if name in EXCEPTIONS:
                continue
            with self.subTest(name):
                p = self.root.run([name] + OTHERS.get(name, WRONG), stdin=subprocess.DEVNULL)
                self.assertEqual(p.returncode, 100, p.stderr)
                self.assertRegex(p.stderr.decode(), rf"\Ausage: ({name}|{source})( [^\n]*)?\n\Z")
                self.assertEqual(p.stdout, b"")

    def test_exceptions_have_codes_of_their_own(self):
        for name in EXCEPTIONS:
            with self.subTest(name):
                p = self.root.run([name] + WRONG, stdin=subprocess.DEVNULL)
                self.assertTrue(p.returncode in range(11, 41) or 50 < p.returncode < 160, p.returncode)
                self.assertNotEqual(p.returncode, 100)

    def test_closed_descriptors(self):
        for name in programs():
            for arguments in [OTHERS.get(name, WRONG)] + ([] if name in SERVERS else [[]]):
                for closed in ((0,), (1,), (2,), (0, 1, 2)):
                    with self.subTest(name, arguments=arguments, closed=closed):
                        self.runs_without(closed, [os.path.join(BIN, name)] + arguments)

    def runs_without(self, closed, argv):
        """The shell closes them after everything else is set up."""
        close = " ".join(f"{fd}>&-" for fd in closed)
        p = subprocess.run(["/bin/sh", "-c", f'"$@" {close}; exit $?', "sh", *argv], env=self.root.env(), cwd=self.root.dir,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20,
                           **self.root.ids)
        crash = {128 + s for s in (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE)}
        self.assertNotIn(p.returncode, crash, p.stderr)
        self.assertNotIn(b"Sanitizer", p.stderr)


if __name__ == "__main__":
    unittest.main()
