"""cdbmake, cdbdump, cdbget against a writer of the published format written independently."""
import os, random, struct, unittest

from box import Root


def make_cdb(records):
    """D. J. Bernstein's format, from its description."""
    def digest(key):
        h = 5381
        for b in key:
            h = ((h * 33) & 0xffffffff) ^ b
        return h

    out, tables = bytearray(2048), [[] for _ in range(256)]
    for key, data in records:
        h = digest(key)
        tables[h & 255].append((h, len(out)))
        out += struct.pack("<II", len(key), len(data)) + key + data
    for i, table in enumerate(tables):
        slots = [(0, 0)] * (2 * len(table))
        struct.pack_into("<II", out, 8 * i, len(out), len(slots))
        for h, pos in table:
            where = (h >> 8) % len(slots)
            while slots[where][1]:
                where = (where + 1) % len(slots)
            slots[where] = (h, pos)
        for h, pos in slots:
            out += struct.pack("<II", h, pos)
    return bytes(out)


def as_input(records):
    return b"".join(b"+%d,%d:%s->%s\n" % (len(k), len(d), k, d) for k, d in records) + b"\n"


class CdbTest(unittest.TestCase):
    def setUp(self):
        self.root = Root()
        self.addCleanup(self.root.close)
        self.file = self.root.path("x.cdb")

    def make(self, text):
        return self.root.run(["cdbmake", self.file, self.file + ".tmp"], input=text)

    def get(self, *argv):
        with open(self.file, "rb") as f:
            p = self.root.run(["cdbget", *argv], stdin=f)
        return p.returncode, p.stdout

    def content(self):
        with open(self.file, "rb") as f:
            return f.read()

    def sets(self):
        r = random.Random(5)
        yield []
        yield [(b"", b"")]
        yield [(b"one", b"Hello"), (b"one", b"again"), (b"nl\n", b"->\n+1,1:a->b\n"), (b"\0", bytes(range(256)))]
        yield [(str(r.randrange(900)).encode(), r.randbytes(r.randrange(50))) for _ in range(3000)]
        yield [(b"big", r.randbytes(300000)), (r.randbytes(70000), b"x")]

    def test_byte_for_byte(self):
        for records in self.sets():
            with self.subTest(records=len(records)):
                p = self.make(as_input(records))
                self.assertEqual((p.returncode, p.stderr), (0, b""))
                self.assertEqual(self.content(), make_cdb(records))
                self.assertFalse(os.path.exists(self.file + ".tmp"))
                with open(self.file, "rb") as f:
                    self.assertEqual(self.root.run(["cdbdump"], stdin=f).stdout, as_input(records))
                self.assertEqual(self.root.run(["cdbdump"], input=self.content()).stdout, as_input(records))

    def test_get(self):
        records = [(b"k", b"first"), (b"other", b"x"), (b"k", b"second\n"), (b"k", b"")]
        self.make(as_input(records))
        self.assertEqual(self.get("k"), (0, b"first"))
        self.assertEqual(self.get("k", "1"), (0, b"second\n"))
        self.assertEqual(self.get("k", "2"), (0, b""))
        self.assertEqual(self.get("k", "3"), (100, b""))
        self.assertEqual(self.get("-n", "other"), (0, b"x\n"))
        self.assertEqual(self.get("none"), (100, b""))

    def test_bad_input_leaves_the_old_file(self):
        self.make(as_input([(b"a", b"b")]))
        old = self.content()
        whole = as_input([(b"key", b"data")])
        bad = [whole[:n] for n in range(len(whole))]
        bad += [b"x\n", b"+1:a->b\n\n", b"+a,1:a->b\n\n", b"+1,1:ab->b\n\n", b"+1,1:a=>b\n\n", b"+1,1:a->bc\n\n",
                b"+,1:->b\n\n", b"+4294967296,0:", b"+4294967295,1:a", b"+ 1,1:a->b\n\n", b"+-1,1:a->b\n\n"]
        for text in bad:
            with self.subTest(text=text):
                p = self.make(text)
                self.assertEqual(p.returncode, 111)
                self.assertEqual(p.stderr.count(b"\n"), 1)
                self.assertEqual(self.content(), old)

    def test_more_than_announced_is_not_allocated(self):
        p = self.root.run(["softlimit", "-a", "200000000", "cdbmake", self.file, self.file + ".tmp"],
                          input=b"+4000000000,1:a") if not os.environ.get("SAN") else None
        if p:
            self.assertEqual((p.returncode, b"format" in p.stderr), (111, True))

    def test_damaged_file(self):
        whole = make_cdb([(b"key", b"data")])
        for text in (b"", whole[:2047], whole[:2060], b"\xff" * 2048):
            with open(self.file, "wb") as f:
                f.write(text)
            with open(self.file, "rb") as f:
                self.assertEqual(self.root.run(["cdbdump"], stdin=f).returncode, 111)
            self.assertIn(self.get("key")[0], (111, 100) if text == whole[:2060] else (111,))

    def test_usage(self):
        for argv in (["cdbmake", "x"], ["cdbdump", "x"], ["cdbget"], ["cdbget", "k", "x"], ["cdbget", "k", "1", "2"]):
            p = self.root.run(argv)
            self.assertEqual((p.returncode, p.stderr[:7], p.stderr.count(b"\n")), (100, b"usage: ", 1))


if __name__ == "__main__":
    unittest.main()
