"""What a power loss may leave on a disk, and what our programs make of it.

A scenario runs on programs of build/faulty, which write down every operation on a queue or a
mailbox (fault.c says how). `Disk` replays that log up to any point and gives the states a disk may
be in if the power fails there. The file system is taken to do no more than POSIX and an ordered
journal of names promise:
  - changes of names (create, link, rename, unlink, symlink with its text, mkdir) reach the disk in
    their order: of those done so far some first part is there, at least up to the last one that an
    fsync of a directory has covered. An fsync of a file promises nothing about its name, but in a scenario that
    runs on a disk whose file system keeps it (src/base/fsname.h) and whose programs therefore sync no directory.
    The marker of a journal (journal.h) relies on this order: also in `wild_states`, where each directory
    has an order of its own, it is never on disk before the envelopes it speaks of; it may be long after.
  - what was written into a file before an fsync of it began is there when that has ended. Of later
    writes nothing may be there, or all, or the first blocks, or the first part of a block, or the
    length with zeros for data, or the last block without those before it; or the first so many
    writes of several.
Files below tmp/ are left out: nothing ever reads those of before. States that are the same in names and
contents are tried once.

`Slot` is a root with our real daemons where a state is put down, recovered and judged by what
arrives: see `judge`."""
import collections, functools, hashlib, itertools, os, random, re, shutil, signal, subprocess, sys, tempfile, threading, time, unittest, zlib

from box import FAULTY, TOP, Root, become_ordinary, wait_for
from mailsite import Sink

BLOCK = 512  # the least a disk writes as one
COMBINATIONS = 48  # of the contents of several files in one state; of more a choice, always the same
EVERYWHERE = "/"   # synced, in the place of a directory
DAYS = 2 * 86400   # a state was found so long after the crash: what was never accepted may be swept
JOURNAL = "queue/queue1/journal"
SENTINEL = 4102444800000000  # an id that is younger than all others, so it is seen after them

Op = collections.namedtuple("Op", "what pid program a b s t")


def scratch():
    """A directory in memory where there is one: a test of what fsync promises needs none to happen."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) and shutil.disk_usage("/dev/shm").free > 1 << 28 else None


class Log:
    """The log of a scenario, which the test writes into as well."""

    def __init__(self, path, root):
        self.path, self.root = path, root
        self.fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        os.chmod(path, 0o666)

    def note(self, what, s=b"", t=b""):
        os.write(self.fd, f"{what} 0 test 0 0 {s.hex() or '-'} {t.hex() or '-'}\n".encode())

    def read(self):
        ops = []
        names = {"create", "link", "rename", "unlink", "symlink", "mkdir", "rmdir", "syncing", "synced", "syncingall", "syncedall"}
        with open(self.path) as f:
            for line in f:
                what, pid, program, a, b, s, t = line.split()
                s, t = (b"" if x == "-" else bytes.fromhex(x) for x in (s, t))
                if what in names:
                    s = self.below(s)
                    t = self.below(t) if what == "rename" else t
                ops.append(Op(what, int(pid), program, int(a), int(b), s, t))
        return ops

    def quiet(self):
        """Has qmail-clean synced since its last removal?"""
        with open(self.path) as f:
            last = [op.split()[0] for op in f if " qmail-clean " in op and op.startswith(("unlink ", "synced "))]
        return last[-1:] != ["unlink"]

    def below(self, path):
        return os.path.relpath(path.decode(), self.root)

    def close(self):
        os.close(self.fd)


def entries(directory):
    """Nothing where it is gone."""
    try:
        with os.scandir(directory) as found:
            return list(found)
    except FileNotFoundError:
        return []


class Tree:
    """Names and contents below some directories of a root: path -> ("f", bytes), ("l", text) or ("d", None)."""

    @classmethod
    def read(cls, root, parts, inodes=None):
        found = {}
        for part in parts:
            path = os.path.join(root, part)
            if os.path.isdir(path):
                found[part] = ("d", None)
                cls.read_below(path, part + "/", found, inodes)
        return found

    @classmethod
    def read_below(cls, directory, rel, found, inodes):
        """Called for each state some hundred times: no call of the system but those that are needed."""
        for e in entries(directory):
            name = rel + e.name
            if e.is_symlink():
                found[name] = ("l", os.readlink(os.fsencode(e.path)))
            elif e.is_dir():
                found[name] = ("d", None)
                cls.read_below(e.path, name + "/", found, inodes)
            elif e.is_file():
                fd = os.open(e.path, os.O_RDONLY)
                try:
                    st = os.fstat(fd)
                    found[name] = ("f", os.read(fd, st.st_size + 1))
                finally:
                    os.close(fd)
                if inodes is not None:
                    inodes[name] = st.st_ino


def files_below(directory):
    """Their entries; what goes away meanwhile is left out."""
    for e in entries(directory):
        if e.is_dir(follow_symlinks=False):
            yield from files_below(e.path)
        else:
            yield e


class File:
    """A file of the log: what was written when."""

    def __init__(self, content=b""):
        self.start = content
        self.writes = []   # (position, offset, data), or data None: cut to offset
        self.synced = []   # (position where the fsync began, where it ended)
        self.known = {}    # what contents() found

    @staticmethod
    def apply(content, writes):
        for _, offset, data in writes:
            if data is None:
                content = content[:offset].ljust(offset, b"\0")
            else:
                content = content.ljust(offset, b"\0")[:offset] + data + content[offset + len(data):]
        return content

    def contents(self, cut):
        """What may be in it if the power fails at cut; the whole content first."""
        began = max((b for b, e in self.synced if e < cut), default=-1)
        loose = [w for w in self.writes if began <= w[0] < cut]
        key = began, len(loose)
        if key not in self.known:
            self.known[key] = self.possible([w for w in self.writes if w[0] < began], loose)
        return self.known[key]

    def possible(self, synced, loose):
        safe = self.apply(self.start, synced)
        if not loose:
            return [safe]
        whole = self.apply(safe, loose)
        found = [whole, safe]
        found += [self.apply(safe, loose[:i]) for i in range(1, len(loose))]
        size = len(whole)
        first = next((i for i in range(min(len(safe), size)) if safe[i] != whole[i]), min(len(safe), size))
        until = size  # behind it nothing has changed: a preallocated file
        while len(safe) == size and until > first and safe[until - BLOCK:] == whole[until - BLOCK:]:
            until -= BLOCK
        for end in range(first // BLOCK * BLOCK, until, BLOCK):
            found.append(whole[:end] + safe[end:])
        half = (first + until) // 2
        found.append(whole[:half] + safe[half:])
        found.append(safe[:size].ljust(size, b"\0"))
        last = (until - 1) // BLOCK * BLOCK
        if last > first:
            found.append(safe[:last].ljust(last, b"\0") + whole[last:])
        return list(dict.fromkeys(found))


class Disk:
    def __init__(self, ops, before, inodes, ignore=None, parts=None, kept_names=False):
        """ops: the log; before: the Tree when it began, all of it on disk. ignore: an fsync of a path with this in
        it did not happen. parts: the directories that matter. kept_names: an fsync of a file keeps its name too."""
        self.ops = ops
        self.parts = parts or CrashSite.PARTS + [JOURNAL]
        self.ways = {}        # what above() found
        self.before = {}
        self.changes = []     # (position, what, path, value), of names
        self.halves = []      # the same, a move as two changes, each of one directory
        self.synced = []      # (began, ended, directory) of each fsync of one
        self.made = {}        # path -> position of its (last) making
        self.gone = {}        # path -> position of its removal
        by_inode = self.files = {}
        for path, (kind, content) in before.items():
            self.before[path] = (kind, by_inode.setdefault(inodes[path], File(content)) if kind == "f" else content)
        names = dict(self.before)
        running = {}
        for at, op in enumerate(ops):
            change = None
            if op.what in ("create", "link"):
                if op.what == "create":
                    by_inode[op.a] = File()
                change = (at, "set", op.s, ("f", by_inode[op.a]))
            elif op.what == "symlink":
                change = (at, "set", op.s, ("l", op.t))
            elif op.what == "mkdir":
                change = (at, "set", op.s, ("d", None))
            elif op.what in ("unlink", "rmdir"):
                change = (at, "remove", op.s, None)
                self.gone[op.s] = at
            elif op.what == "rename":
                change = (at, "move", op.s, op.t)
            elif op.what in ("write", "trunc") and op.a in by_inode:
                by_inode[op.a].writes.append((at, op.b, op.s if op.what == "write" else None))
            elif op.what in ("syncing", "syncingall"):
                running[op.pid, op.a] = at
            elif op.what == "syncedall" and op.b == 0 and not (ignore and re.search(ignore, op.s)):
                began = running.pop((op.pid, op.a))
                self.synced.append((began, at, EVERYWHERE))
                for f in by_inode.values():
                    f.synced.append((began, at))
            elif op.what == "synced" and op.b == 0 and not (ignore and re.search(ignore, op.s)):
                began = running.pop((op.pid, op.a))
                if names.get(op.s, ("f",))[0] == "d":
                    self.synced.append((began, at, op.s))
                elif op.a in by_inode:
                    by_inode[op.a].synced.append((began, at))
                    if kept_names:
                        self.synced.append((began, at, os.path.dirname(op.s)))
            if change:
                if change[1] == "set":
                    self.made[op.s] = at
                self.changes.append(change)
                if change[1] == "move" and op.s in names:
                    self.halves += [(at, "set", op.t, names[op.s]), (at, "remove", op.s, None)]
                else:
                    self.halves.append(change)
                self.apply(names, change)

    def above(self, path):
        """The directories on its way from a part that matters, None if it is in none."""
        if path not in self.ways:
            way = [path] if "/tmp/" not in path else []
            while way and way[-1] not in self.parts:
                way = way + [os.path.dirname(way[-1])] if "/" in way[-1] else []
            self.ways[path] = tuple(way[1:]) if way else None
        return self.ways[path]

    @staticmethod
    def apply(names, change):
        _, what, path, value = change
        if what == "set":
            names[path] = value
        elif what == "remove":
            names.pop(path, None)
        else:
            for p in [p for p in names if p == path or p.startswith(path + "/")]:
                names[value + p[len(path):]] = names.pop(p)

    def name_safe(self, position):
        """From where on a change of names at position is on disk for sure."""
        return min((e for b, e, _ in self.synced if b > position), default=len(self.ops) + 1)

    def cuts(self):
        return [0] + [at + 1 for at, op in enumerate(self.ops) if op.what not in ("syncing", "syncingall")]

    def names_after(self):
        """The names after each number of changes."""
        after = [dict(self.before)]
        for change in self.changes:
            after.append(dict(after[-1]))
            self.apply(after[-1], change)
        return after

    def spans(self):
        """(cut, least, most): how many changes have reached the disk at least, and may have at most."""
        for cut in self.cuts():
            began = max((b for b, e, _ in self.synced if e < cut), default=-1)
            yield cut, sum(1 for c in self.changes if c[0] < began), sum(1 for c in self.changes if c[0] < cut)

    def states(self):
        """(cut, state) of every disk that may be found; a state is {path: (kind, content)}."""
        rng = random.Random(1)
        after = self.names_after()
        for cut, least, most in self.spans():
            for n in range(least, most + 1):
                for state in self.filled(after[n], cut, rng, COMBINATIONS):
                    yield cut, state

    def some_states(self, each):
        """A choice of so many (three or more) states for each cut, always the same: as little as may be on disk, all names
        with what was synced of the contents, the same with all contents, and others."""
        rng = random.Random(4)
        after = self.names_after()
        for cut, least, most in self.spans():
            for i in range(each):
                names = after[least if i == 0 else most if i < 3 else rng.randint(least, most)]
                pick = (lambda possible: possible[:2][-1]) if i < 2 else (lambda possible: possible[0]) if i == 2 else rng.choice
                for state in self.filled(names, cut, rng, 1, pick):
                    yield cut, state

    def wild_states(self, each):
        """The same on a disk where the names in each directory are kept in order by themselves only: a choice
        of each states for each cut, always the same."""
        rng = random.Random(2)
        folder = [os.path.dirname(c[2]) for c in self.halves]
        for cut in self.cuts():
            for _ in range(each):
                until = {}
                for d in sorted(set(folder)):
                    began = max((b for b, e, path in self.synced if path in (d, EVERYWHERE) and e < cut), default=-1)
                    until[d] = rng.choice([began] + [c[0] + 1 for c, f in zip(self.halves, folder) if f == d and began < c[0] < cut])
                marker = max((c[0] for c, f in zip(self.halves, folder) if f == JOURNAL and ".mark." in c[2] and c[0] < until[f]), default=-1)
                for d in until:
                    if "/info/" in d:
                        until[d] = max(until[d], marker)
                names = dict(self.before)
                for c, f in zip(self.halves, folder):
                    if c[0] < until[f]:
                        self.apply(names, c)
                for state in self.filled(names, cut, rng, 1):
                    yield cut, state

    def filled(self, names, cut, rng, most, pick=None):
        """The states with these names: with all that may be in the files, but not more than most (or some more)."""
        fixed, open_, total = {}, [], 1
        for path, (kind, content) in names.items():
            above = self.above(path)
            if above is None or not all(a in names for a in above):
                continue  # it does not matter, or a directory of its path was lost
            if kind != "f":
                fixed[path] = (kind, content)
                continue
            possible = content.contents(cut)
            fixed[path] = ("f", possible[0])
            if len(possible) > 1:
                open_.append((path, possible))
                total *= len(possible)
        if pick:
            choices = [[pick(possible) for _, possible in open_]]
        elif total <= most:
            choices = itertools.product(*(possible for _, possible in open_))
        else:
            choices = [[possible[i] for _, possible in open_] for i in range(2) if most > 1]
            choices += [[rng.choice(possible) for _, possible in open_] for _ in range(most)]
        for choice in choices:
            state = dict(fixed)
            for (path, _), content in zip(open_, choice):
                state[path] = ("f", content)
            yield state


def digest(state):
    """Of 64 bits: two different states that take each other's place are not to be feared."""
    return hash(frozenset(state.items()))


# --- roots ------------------------------------------------------------------------------------

class NotedList(list):
    """The messages a sink has taken, noted in the log before it says so."""

    log = None

    def append(self, message):
        if self.log:
            sender, to, data = message
            self.log.note("sink", " ".join(to).encode(), data)
        super().append(message)


class CrashSite(Root):
    """One queue, local accounts that own a Maildir each, a remote host. Below home/ and queue/queue1 lies
    what a crash may damage."""

    PARTS = ["queue/queue1/" + k for k in ("mess", "info", "done", "bounce")] + ["home", "mail"]
    log = manager = None
    starter = "qmail-start"
    ACCOUNTS = ("joe", "ann", "bob", "postmaster", "fail", "sentinel")

    def __init__(self, bin=None, on_disk=False):
        if bin:
            self.bin = bin
        saved, tempfile.tempdir = tempfile.tempdir, "/var/tmp" if on_disk else scratch() or tempfile.gettempdir()
        try:
            super().__init__(unprivileged=True)
        finally:
            tempfile.tempdir = saved
        self.sink = Sink()
        self.sink.messages = NotedList()
        if self.ids:
            os.chown(self.dir, self.ids["user"], self.ids["group"])
        self.uid, self.gid = self.ids.get("user", os.getuid()), self.ids.get("group", os.getgid())
        self.control("locals", "local.example\n")
        self.control("smtproutes", f":127.0.0.1:{self.sink.port}\n")
        self.control("timeoutremote", "5\n")
        self.control("doublebounceto", "postmaster\n")
        self.control("doublebouncehost", "local.example\n")
        with open(self.path("boot"), "w") as f:
            f.write(self.dir)  # where a state is recovered, the system has booted again
        self.accounts()
        self.ok("qmail-newu")
        self.ok("queue-fix", self.path("queue", "queue1"))

    def accounts(self):
        lines = ""
        self.mkdir("home")
        for name in self.ACCOUNTS:
            home = self.mkdir("home/" + name)
            for d in ("Maildir", "Maildir/new", "Maildir/cur", "Maildir/tmp"):
                self.mkdir(f"home/{name}/{d}")
            lines += f"={name}:{name}:{self.uid}:{self.gid}:{home}:::\n+{name}-:{name}:{self.uid}:{self.gid}:{home}:-::\n"
        with open(self.path("users", "assign"), "w") as f:
            f.write(lines + ".\n")
        self.write("home/fail/.qmail", "|exit 100\n")
        self.write("home/sentinel/.qmail", "#\n")
        self.write("home/joe/.qmail-default", "./Maildir/\n")
        self.write("home/joe/.qmail-box", "./mbox\n")

    def mkdir(self, name):
        path = self.path(name)
        os.mkdir(path, 0o755)
        os.chown(path, self.uid, self.gid)
        return path

    def write(self, name, text):
        with open(self.path(name), "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(self.path(name), 0o600)
        os.chown(self.path(name), self.uid, self.gid)

    def env(self, **extra):
        e = {"INDIMAILUSER": "nobody", "QUEUEDIR": self.path("queue", "queue1"), "QUEUE_BASE": self.path("queue"), "QUEUE_COUNT": "1",
             "BOOTID_FILE": self.path("boot"), "METADATA_ORDER": "yes", "JOURNAL_SIZE": "16384"}
        if self.log:
            e.update(FAULT_LOG=self.log.path, FAULT_ROOT=self.dir)
        return super().env(**{**e, **extra})

    def ok(self, *argv, **kw):
        p = self.run(list(argv), **kw)
        if p.returncode:
            raise AssertionError(f"{argv} ended with {p.returncode}: {p.stderr.decode()}")
        return p

    def start(self, **env):
        """The daemons of the queue; what they log, line by line, is in .lines, and all have ended when
        .ended() is true."""
        self.lines, self.over = [], threading.Event()
        self.news = threading.Condition()
        self.manager = subprocess.Popen([os.path.join(self.bin, self.starter), "./Maildir/"], env=self.env(**env), cwd=self.dir,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **self.ids)
        threading.Thread(target=self.gather, args=(self.manager.stdout, self.lines, self.news, self.over), daemon=True).start()

    @staticmethod
    def gather(f, lines, news, over):
        for line in f:
            with news:
                lines.append(line.decode(errors="replace").rstrip("\n"))
                news.notify_all()
        f.close()
        with news:
            over.set()
            news.notify_all()

    def wait_log(self, condition, timeout=30, what="the log"):
        end = time.monotonic() + timeout
        with self.news:
            while not condition(self.lines):
                left = end - time.monotonic()
                if left <= 0 or self.over.is_set():
                    raise AssertionError(f"waited in vain for {what}:\n" + "\n".join(self.lines))
                self.news.wait(left)

    def stop(self):
        """End the daemons; they share the descriptor we read the log from, so when that ends all are gone."""
        if not self.manager:
            return
        if self.manager.poll() is None:
            self.manager.send_signal(signal.SIGTERM)
        if not self.over.wait(30):
            self.manager.kill()
            raise AssertionError("the daemons do not end:\n" + "\n".join(self.lines))
        self.manager.wait(10)
        self.manager = None

    def ids_in(self, kind):
        return {int(e.name) for e in files_below(self.path("queue/queue1", kind))}

    def empty(self):
        """Is no file of a message there?"""
        return not any(True for part in self.PARTS[:4] for _ in files_below(self.path(part)))

    def settle(self, timeout=30):
        """Wait until all that is known to qmail-send is delivered."""
        def over(lines):
            text = "\n".join(lines)
            begun = set(re.findall(r"info msg (\d+):|starting delivery \d+: msg (\d+)", text))
            begun = {"".join(ids) for ids in begun}  # what was tried before a restart has no info line
            ended = set(re.findall(r"end msg (\d+)", text))
            return begun and begun == ended and notices_found(text)

        self.wait_log(over, timeout, "the end of all messages")

    def close(self):
        try:
            self.stop()
        finally:
            self.sink.close()
            if self.log:
                self.log.close()
            super().close()


def notices_found(text):
    """Was every bounce and notice that was queued found in the queue? It is a message of its own, found a moment later."""
    return set(re.findall(r"(?:bounce|notice) msg \d+ qp (\d+)", text)) <= set(re.findall(r"info msg \d+: .* qp (\d+) uid", text))


def by_program(site):
    """The domain's users by vdelivermail as a program: qmail-local does itself what it would start, but nothing of a shell's."""
    path = next(os.path.join(d, ".qmail-default") for d, _, files in os.walk(site.dir) if d.endswith("/example.com") and ".qmail-default" in files)
    with open(path) as f:
        line = f.read()
    assert "vdelivermail" in line, line
    with open(path, "w") as f:
        f.write("|:; exec " + line[1:].lstrip())


class Scenario:
    """What happens, and to which messages. prepare() makes ready the root where it is recorded and those where
    states are recovered."""

    messages = ()
    each = None  # so many states for each cut: where all would be too many
    on_disk = False  # recorded on a file system that is no memory

    def prepare(self, site):
        pass

    def inject(self, site, m, program="qmail-queue"):
        """As every injector does; who gives up leaves out the end of the envelope."""
        fds = []
        for data in (m.text, m.envelope() if not m.aborted else m.envelope()[:-1]):
            r, w = os.pipe()
            threading.Thread(target=lambda w=w, data=data: (os.write(w, data), os.close(w)), daemon=True).start()
            fds.append(r)
        code = site.run([program], stdin=fds[0], stdout=fds[1]).returncode
        for fd in fds:
            os.close(fd)
        if (code == 0) == m.aborted:
            raise AssertionError(f"{program} ended with {code}")

    def run(self, site):
        for m in self.messages:
            self.inject(site, m)
        site.start()
        site.settle()


class CrashTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        become_ordinary()

    def crash(self, scenario):
        start = time.monotonic()
        s = scenario()
        recording = Recording(s)
        states, complaints = explore(s, recording)
        print(f"\nshow: {scenario.__name__}: {len(recording.ops)} operations, {states} states of the disk{', names kept with files' * recording.kept_names}, {time.monotonic() - start:.1f} s",
              file=sys.stderr)
        self.assertFalse(complaints, "\n\n".join(complaints[:3]))

    def crash_seen(self, scenario, *ignored):
        """Does the test see what happens when these fsyncs are left out?"""
        s = scenario()
        recording = Recording(s)
        for ignore in ignored:
            self.assertTrue(explore(s, recording, ignore, enough=1)[1], f"nothing goes wrong without an fsync of {ignore}")


class Recording:
    """Runs a scenario and keeps what happened. `accepted` etc. are positions in the log."""

    def __init__(self, scenario):
        site = CrashSite(FAULTY, scenario.on_disk)
        try:
            scenario.prepare(site)
            inodes = {}
            before = Tree.read(site.dir, site.PARTS + [JOURNAL], inodes)
            site.log = Log(site.path("fault.log"), site.dir)
            site.sink.messages.log = site.log
            scenario.run(site)
            # qmail-clean makes the removals safe when it is quiet.
            wait_for(lambda: site.log.quiet(), what="a sync of qmail-clean")
            site.stop()
            for p in site.children:
                if p.poll() is None:
                    p.terminate()
                    p.wait(10)
            self.ops = site.log.read()
        finally:
            site.close()
        self.before = before, inodes
        synced = [op.s for op in self.ops if op.what == "synced"]
        self.kept_names = scenario.on_disk and any("/Maildir/new/" in s for s in synced) and not any(s.endswith("/Maildir/new") for s in synced)


# --- what a scenario expects ------------------------------------------------------------------

class Message:
    """to: recipient -> "local" (a copy whose Delivered-To names it), "remote", "mbox", or "fail" (one notice to
    the sender, or to the postmaster if there is no telling the sender). aborted: never to be seen."""

    def __init__(self, token, to, body="hello\n", sender="bob@local.example", aborted=False):
        self.token, self.to, self.sender, self.aborted = token, to, sender, aborted
        self.body = body
        self.text = f"Subject: {token}\n\n{body}".encode()

    def envelope(self):
        return b"F" + self.sender.encode() + b"\0" + b"".join(b"T" + r.encode() + b"\0" for r in self.to) + b"\0"

    def whole(self, copy, head=rb""):
        """Is this exactly what was sent, with what each of our programs puts before it?"""
        fields = rb"(Return-Path: <[^>\n]*>\n)?(Delivered-To: [^\n]*\n)*" + head
        fields += rb"Received: indimail-mta queue \d+ by host mail\.example\.com\n  \(invoked by uid \d+, id \d+\); [^\n]*\n"
        m = re.match(fields, copy)
        return bool(m) and copy[m.end():] == self.text


NOTICE = b"Hi. This is the IndiMail delivery program"


class Story:
    """What happened to each message in a recording."""

    def __init__(self, recording, messages, ignore=None):
        self.disk, self.messages = Disk(recording.ops, *recording.before, ignore, kept_names=recording.kept_names), messages
        ops = self.ops = recording.ops
        self.accepted, self.begun, self.over = {}, {}, {}
        self.chain = {}  # (token, recipient that fails) -> (begun, gone) of the message and of each notice about it
        self.said = self.logged()
        self.sunk = []  # (position, recipient, data)
        for at, op in enumerate(ops):
            if op.what == "sink":
                self.sunk += [(at, to, op.t) for to in op.s.decode().split()]
            m = re.fullmatch(r"queue/queue1/mess/\d+/(\d+)", op.s) if op.what == "create" else None
            if m:
                self.one(at, op, m.group(1))
        for m in messages:
            if not m.aborted and m.token not in self.accepted:
                raise AssertionError(f"{m.token} was not accepted")

    def info(self, number):
        return f"queue/queue1/info/{int(number) % 23}/{number}"

    def one(self, at, op, number):
        content = File.apply(b"", self.written(at, op.a))
        info = self.info(number)
        if op.program == "qmail-queued":
            said = "say", 0, b"0 %d\n" % int(number)
        else:
            said = "exit", 0, b""
        says = (i for i in range(at, len(self.ops)) if self.ops[i].pid == op.pid and (self.ops[i].what, self.ops[i].a, self.ops[i].s) == said)
        accepted = next(says, None)
        begun = min(self.disk.made.get(info, len(self.ops)), self.recorded(number))
        gone = self.disk.gone.get(info)
        removed = self.disk.name_safe(gone) if gone is not None else len(self.ops) + 1
        for m in self.messages:
            if f"Subject: {m.token}\n".encode() not in content:
                continue
            if NOTICE in content:
                for to in m.to:
                    if f"<{to}>:".encode() in content:
                        self.chain.setdefault((m.token, to), []).append((begun, removed))
                continue
            self.begun[m.token] = begun
            if accepted is not None:
                self.accepted[m.token] = accepted
            for i, to in enumerate(m.to):
                if m.to[to] == "fail":
                    self.chain.setdefault((m.token, to), []).append((begun, removed))
                self.over[m.token, to] = min(removed, self.marked(number, to, i))

    def recorded(self, number):
        """Where its record went into the journal, from when on a message may come back."""
        head = b"IMrecord"
        for at, op in enumerate(self.ops):
            if op.what != "write" or head not in op.s:
                continue
            if any(r[16:24] == int(number).to_bytes(8, "little") for r in op.s.split(head)[1:]):
                return at
        return len(self.ops)

    def written(self, created, inode):
        """All writes into the file made at this position."""
        end = next((i for i in range(created + 1, len(self.ops)) if self.ops[i].what == "create" and self.ops[i].a == inode), len(self.ops))
        return [(i, o.b, o.s if o.what == "write" else None) for i, o in enumerate(self.ops[created:end], created)
                if o.what in ("write", "trunc") and o.a == inode]

    def logged(self):
        """(id, recipient) -> where qmail-send said that this delivery is over."""
        said, started = {}, {}
        for at, op in enumerate(self.ops):
            if op.what != "say" or op.program != "qmail-send":
                continue
            for line in op.s.decode(errors="replace").split("\n"):
                m = re.match(r"starting delivery (\d+): msg (\d+) to \S+ (\S+)", line)
                if m:
                    started[op.pid, m.group(1)] = m.group(2), m.group(3)
                m = re.match(r"delivery (\d+): (success|failure)", line)
                if m:
                    said[started[op.pid, m.group(1)]] = at
        return said

    def marked(self, number, to, index):
        """A recipient that is marked (the last of a message is not) is never tried again from the moment that
        qmail-send says so."""
        path = f"queue/queue1/done/{int(number) % 23}/{number}"
        for at, op in enumerate(self.ops):
            if op.what == "create" and op.s == path and any(
                    data and data[max(0, index - offset):index - offset + 1] == b"D" and offset <= index
                    for _, offset, data in self.written(at, op.a)):
                return self.said.get((number, to), len(self.ops) + 1)
        return len(self.ops) + 1

    def duties(self, cut, wild=False):
        """What must be true of a state found at this cut, in a form that can be compared."""
        return (wild, tuple(sorted(t for t, at in self.accepted.items() if at < cut)),
                tuple(sorted(t for t, at in self.begun.items() if at < cut)),
                tuple(sorted(k for k, at in self.over.items() if at < cut)),
                tuple(sorted((k, sum(1 for begun, gone in v if begun < cut <= gone)) for k, v in self.chain.items())),
                sum(1 for at, _, _ in self.sunk if at < cut))


def copies(messages, tree, sunk):
    """What has arrived: (token, recipient) -> how many times, and what should not be there."""
    found, wrong = collections.Counter(), []
    by_token = {m.token: m for m in messages}

    def one(copy, where, to=None):
        notice = NOTICE in copy
        tokens = [m for m in re.findall(rb"^Subject: (\S+)$", copy, re.M) if m.decode() in by_token]
        if not tokens:
            wrong.append(f"nobody sent what is in {where}: {copy[:300]!r}")
            return
        m = by_token[tokens[-1].decode()]
        if m.aborted:
            wrong.append(f"{m.token} was never accepted, and is in {where}")
        elif notice:
            named = [to for to in m.to if f"<{to}>:".encode() in copy]
            # The message is its last part, and the last boundary is the end.
            whole = re.search(re.escape(m.text) + rb"(\n*--\S+--\n)+$", copy)
            if not named or not whole or any(m.to[to] != "fail" for to in named):
                wrong.append(f"a notice about {m.token} in {where} is damaged: {copy!r}")
            for to in named:
                found[m.token, to] += 1
        else:
            named = re.search(rb"^Delivered-To: (\S+)$", copy, re.M)
            to = to or (named.group(1).decode() if named else "nobody")
            to = re.sub("^example.com-", "", to)  # virtual users of this domain
            if to not in m.to or not m.whole(copy):
                wrong.append(f"{m.token} for {to} in {where} is damaged: {len(copy)} bytes: {copy[:400]!r}")
            else:
                found[m.token, to] += 1

    for path, (kind, content) in tree.items():
        if kind == "f" and re.search(r"/Maildir/(new|cur)/", path):
            one(content, path)
        elif kind == "f" and path.endswith("/mbox"):
            # Of a delivery that was under way there may be a part without its From_ line, which a reader takes for the
            # end of the message before: the price of an mbox. That message itself is still whole.
            for part in re.split(rb"(?:^|(?<=\n\n))From [^\n]*\n", content):
                for m in messages:
                    end = part.find(m.text + b"\n") + len(m.text)
                    if end >= len(m.text) and m.whole(part[:end]):
                        one(part[:end], path)
    for to, data in sunk:
        one(data.replace(b"\r\n", b"\n"), "the remote host", to)
    return found, wrong


def judge(story, duties, state, tree, taken):
    """What is wrong with what came of a state: tree and taken are what is there after recovery.
    The promises: every message that was accepted has arrived, whole, for each recipient; nobody has it twice, in a
    Maildir whatever happened, elsewhere but for a delivery whose end was not on disk yet; nothing else has arrived,
    and what the crash made of a file in a Maildir is there no more."""
    wild, accepted, begun, over, chain, sinks = duties
    chain = dict(chain)
    sunk = [(to, data) for _, to, data in story.sunk[:sinks]]
    had, _ = copies(story.messages, state, sunk)
    has, wrong = copies(story.messages, tree, sunk + taken)
    for m in story.messages:
        for to, kind in m.to.items():
            n, before, key = has[m.token, to], had[m.token, to], (m.token, to)
            if kind == "fail":  # the message and the notices about it that may come back, each for one more
                most = max(1, chain.get(key, 0) + bool(before))
            else:
                most = 1 if kind == "local" or key in over or not (before or kind == "mbox") else 2
            if m.token not in begun:
                most = 0
            if wild and m.token in begun and kind != "local":
                most = n  # who promises no order of names gets no promise of one copy either
            least = 1 if m.token in accepted else 0
            if not least <= n <= most:
                wrong.append(f"{m.token} for {to}: {n} copies, {before} of them before, not {least} to {most}")
    return wrong


class Slot:
    """A root where states are recovered, one after the other."""

    def __init__(self, scenario, bin=None, known=None):
        """known: what came of states in other slots."""
        self.known = {} if known is None else known
        self.site = CrashSite(bin)
        scenario.prepare(self.site)
        self.base = Tree.read(self.site.dir, self.site.PARTS + [JOURNAL])
        # What was there before the scenario keeps its time, where that is known.
        self.times = {p: os.stat(self.site.path(p)).st_mtime for p, v in self.base.items() if v[0] == "f" and not p.startswith("home/")}
        self.dirs = {self.site.path(p) for p, v in self.base.items() if v[0] == "d"}
        site = self.site
        code = site.run(["qmail-queue"], stdin=self.pipe(b"Subject: sentinel\n\n"), stdout=self.pipe(b"Fx@local.example\0Tsentinel@local.example\0\0")).returncode
        assert code == 0, code
        (number,) = site.ids_in("mess")
        with open(site.path("queue/queue1/mess", str(number % 23), str(number)), "rb") as f:
            text = f.read()
        link = os.readlink(os.fsencode(site.path("queue/queue1/info", str(number % 23), str(number))))
        where = f"{SENTINEL % 23}/{SENTINEL}"
        self.sentinel = {f"queue/queue1/mess/{where}": ("f", text), f"queue/queue1/info/{where}": ("l", link)}
        self.owners = {}

    @staticmethod
    def pipe(data):
        r, w = os.pipe()
        os.write(w, data)
        os.close(w)
        return r

    def clear(self):
        for d in self.dirs:
            with os.scandir(d) as entries:
                for e in entries:
                    if not e.is_dir(follow_symlinks=False):
                        os.unlink(e.path)
                    elif e.path not in self.dirs:
                        shutil.rmtree(e.path)

    def put(self, state):
        self.clear()
        old = time.time() - DAYS
        for path, (kind, content) in sorted(state.items()):
            full = self.site.path(path)
            if kind == "d":
                if full not in self.dirs:
                    self.site.mkdir(path)
                continue
            if kind == "l":
                os.symlink(content, os.fsencode(full))
            else:
                self.site.write(path, content)
            if path in self.times:
                os.utime(full, (self.times[path],) * 2)
            elif path.startswith("queue/"):
                os.utime(full, (old, old), follow_symlinks=False)
                if os.geteuid() == 0:
                    os.lchown(full, self.site.uid, self.site.gid)

    def age(self):
        """As if the queue had been found days later."""
        old = time.time() - DAYS
        for part in self.site.PARTS[:4]:
            for e in files_below(self.site.path(part)):
                os.utime(e.path, (old, old), follow_symlinks=False)

    def recover(self, state):
        """(tree, taken by the remote host, what the daemons found, what they said). They found the state, or what was
        made of it with the journal: of states that become the same they are run on one."""
        site, found = self.site, state
        if any(p.startswith(JOURNAL + "/") for p in state):
            self.put({p: v for p, v in state.items() if p.startswith("queue/")})
            site.ok("qmail-clean", "-r", cwd=site.path("queue/queue1"))
            found = Tree.read(site.dir, [p for p in site.PARTS if p.startswith("queue/")])
            found.update((p, v) for p, v in state.items() if not p.startswith("queue/"))
            found.update((p, v) for p, v in state.items() if p == JOURNAL)
        key = digest(found)
        if key not in self.known:
            self.put({**found, **self.sentinel})
            del site.sink.messages[:]
            self.deliver(found)
            tree = Tree.read(site.dir, site.PARTS)
            taken = [(to, data) for _, tos, data in site.sink.messages for to in tos]
            self.known[key] = tree, taken, found, site.lines
        return self.known[key]

    def deliver(self, state=()):
        """Run the daemons until there is nothing to deliver any more; what waits for its time is tried at once."""
        site = self.site
        tried = any("/done/" in p and not p.endswith("/") and p.split("/")[-1].isdigit() for p in state) or not state
        end = time.monotonic() + 30
        site.start()
        try:
            site.wait_log(lambda lines: any(f"info msg {SENTINEL}:" in l for l in lines), what="the sentinel")
            if tried:
                try:
                    site.wait_log(lambda lines: any("that were tried before" in l for l in lines), 0.05)
                    site.manager.send_signal(signal.SIGALRM)
                except AssertionError:
                    pass
            while True:
                try:
                    site.wait_log(lambda lines: self.settled(lines) and not waiting(site), 0.05 if tried else 0.5)
                    return
                except AssertionError:
                    if time.monotonic() > end or site.over.is_set():
                        raise
                # The scan that finds those which wait may not be over yet, so once is not enough.
                site.manager.send_signal(signal.SIGALRM)
        finally:
            site.stop()

    @staticmethod
    def settled(lines):
        text = "\n".join(lines)
        begun = set(re.findall(r"info msg (\d+):", text))
        return str(SENTINEL) in begun and begun <= set(re.findall(r"end msg (\d+)", text)) and notices_found(text)

    def close(self):
        self.site.close()


@functools.cache
def table():
    """The states of states.def: (name, letter per file, recovery)."""
    with open(os.path.join(TOP, "src/queue/states.def")) as f:
        rows = re.findall(r"^QUEUE_STATE\((\w+), '(.)', '(.)', '(.)', '(.)', \"[^\"]*\", (\w+),", f.read(), re.M)
    assert len(rows) > 8
    return [(r[0], r[1:5], r[5]) for r in rows]


def complete(info, mess):
    """The letters of a mess and an envelope file of these contents (None: not there)."""
    if info is None:
        return "-" if mess is None else "+", "-"
    kind, text = info
    records = text.split(b"\n" if kind == "l" else b"\0")
    if kind == "f":
        if len(records) < 3 or records[-1] or records[-2] != b".%08x" % zlib.crc32(text[:-10]):
            return "-" if mess is None else "+", "~"
    size, sum_ = (next(r[1:] for r in records if r[:1] == t) for t in (b"s", b"c"))
    if mess is None:
        return "-", "+"
    return "+" if (len(mess), b"%08x" % zlib.crc32(mess)) == (int(size), sum_) else "~", "+"


def letters_of(has):
    """The letters of a message that has these files: kind -> (kind of file, content)."""
    letters = complete(has.get("info"), has["mess"][1] if "mess" in has else None)
    return letters + tuple("+" if kind in has else "-" for kind in ("done", "bounce"))


def row_of(rows, letters):
    return next((r for r in rows if all(a in ("?", b) for a, b in zip(r[1], letters))), None)


def messages_of(state):
    files = {}
    for path, v in state.items():
        m = re.match(r"queue/queue1/(mess|info|done|bounce)/(?:\d+/)?(\d+)$", path)
        if m and v[0] != "d":
            files.setdefault(m.group(2), {})[m.group(1)] = v
    return files


def is_waiting(site):
    while True:
        try:
            found = messages_of(Tree.read(site.dir, site.PARTS[:4]))
            break
        except FileNotFoundError:  # it has just been removed
            pass
    rows = table()
    return any(row is None or row[2] == "DELIVER" for row in (row_of(rows, letters_of(has)) for has in found.values()))


def waiting(site):
    """Is there a message in the queue which states.def says is to be delivered? One look is not enough: while it goes through
    the directories, a message ahead of it may end, and the bounce about that one stand where it has been; so too with the bounce's own."""
    return any(is_waiting(site) for _ in range(3))


def by_table(state, log):
    """Was each message in the state treated as the table says? What is wrong."""
    rows, wrong, log = table(), [], "\n".join(log)
    for number, has in messages_of(state).items():
        letters = letters_of(has)
        row = row_of(rows, letters)
        if not row:
            wrong.append(f"{number} is in no state of states.def: {letters}")
        elif (row[2] == "DELIVER") != (f"end msg {number} " in log):
            wrong.append(f"{number} is {row[0]}, which is {row[2]}, and was " + ("not " if row[2] == "DELIVER" else "") + "delivered")
    return wrong


def damaged(state, left):
    """Of the files left in the queue those that have no business there: all but an envelope full of zeros, which no
    program takes upon itself to remove, and its message."""
    return sorted(p for p, v in left.items() if p.startswith("queue/") and v[0] != "d" and not any(
        q.endswith("/" + os.path.basename(p)) and "/info/" in q and v[0] == "f" and b"\0\0" in v[1].rstrip(b"\0") + b"\0\0"
        for q, v in state.items()))


def explore(scenario, recording, ignore=None, enough=5, slots=4):
    """Try every state of what was recorded, or the scenario's number for each cut. (how many, complaints)"""
    story = Story(recording, scenario.messages, ignore)
    states, duties = {}, {}
    for wild in (False, True):
        ordered = story.disk.some_states(scenario.each) if scenario.each else story.disk.states()
        for cut, state in story.disk.wild_states(2) if wild else ordered:
            key = digest(state)
            states.setdefault(key, state)
            duties.setdefault(key, set()).add(story.duties(cut, wild))
    return try_all(scenario, story, states, duties, enough, slots)


def try_all(scenario, story, states, duties, enough=5, slots=4):
    """Recover and judge states, by their digests. (how many, complaints)"""
    work = list(states)
    random.Random(3).shuffle(work)
    lock, complaints, known = threading.Lock(), [], {}

    def worker():
        slot = Slot(scenario, known=known)
        try:
            while len(complaints) < enough:
                with lock:
                    if not work:
                        return
                    key = work.pop()
                state = states[key]
                try:
                    tree, taken, found, lines = slot.recover(state)
                    wrong = [w for d in duties[key] for w in judge(story, d, state, tree, taken)]
                    wrong += by_table(found, lines)
                    if not all(d[0] for d in duties[key]):
                        wrong += [f"left in the queue: {p}" for p in damaged(state, tree)]
                except AssertionError as e:
                    wrong, lines = [str(e)], slot.site.lines
                if wrong:
                    files = "\n".join(f"    {p} {len(v[1])} {v[1][:160]!r}" for p, v in sorted(state.items())
                                      if v[0] != "d" and not os.path.basename(p).startswith("."))
                    with lock:
                        complaints.append("\n  ".join(dict.fromkeys(wrong)) + "\n  in the state\n" + files + "\n  log:\n    " +
                                          "\n    ".join(lines))
        except BaseException as e:
            with lock:
                complaints.append(f"{type(e).__name__}: {e}")
            raise
        finally:
            slot.close()

    threads = [threading.Thread(target=worker) for _ in range(slots)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return len(states) - len(work), complaints
