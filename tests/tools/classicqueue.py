"""A queue as classic qmail leaves it, for tests of queue-fix -i."""
import os


class ClassicQueue:
    def __init__(self, path, uid, gid, split=23, split_todo=False):
        self.path, self.uid, self.gid, self.split, self.split_todo = path, uid, gid, split, split_todo
        self.next = 4711
        os.mkdir(path, 0o755)
        for kind in ("mess", "info", "local", "remote", "todo", "intd", "bounce", "lock", "pid"):
            os.mkdir(f"{path}/{kind}")
            if kind in ("mess", "info", "local", "remote") or kind in ("todo", "intd") and split_todo:
                for i in range(split):
                    os.mkdir(f"{path}/{kind}/{i}")
        self.write("lock/sendmutex", b"")
        self.own()

    def own(self):
        for base, dirs, files in os.walk(self.path):
            for name in dirs + files:
                os.lchown(os.path.join(base, name), self.uid, self.gid)
        os.chown(self.path, self.uid, self.gid)

    def write(self, name, data):
        with open(os.path.join(self.path, name), "wb") as f:
            f.write(data)

    def place(self, kind, number):
        flat = kind == "bounce" or kind in ("todo", "intd") and not self.split_todo
        return f"{kind}/{number}" if flat else f"{kind}/{number % self.split}/{number}"

    def add(self, text, sender, todo=(), local=(), remote=(), bounce=b"", only_mess=False, birth=1700000000):
        """todo: addresses; local, remote: (address, done) as preprocessed. Its number."""
        self.next += 7
        n = self.next
        self.write(self.place("mess", n), text)
        head = b"F" + sender.encode() + b"\0"
        if todo:
            record = b"u100\0p200\0" + head + b"".join(b"T" + a.encode() + b"\0" for a in todo)
            self.write(self.place("todo", n), record)
            self.write(self.place("intd", n), record)
            os.utime(os.path.join(self.path, self.place("todo", n)), (birth, birth))
        elif not only_mess:
            self.write(self.place("info", n), head)
            for kind, list_ in (("local", local), ("remote", remote)):
                if list_:
                    self.write(self.place(kind, n), b"".join((b"D" if done else b"T") + a.encode() + b"\0" for a, done in list_))
            os.utime(os.path.join(self.path, self.place("info", n)), (birth, birth))
        if bounce:
            self.write(self.place("bounce", n), bounce)
        self.own()
        return n

    def left(self):
        """Files of messages that are still there."""
        return sorted(os.path.relpath(os.path.join(base, n), self.path) for kind in ("mess", "info", "local", "remote", "todo", "intd", "bounce")
                      for base, _, names in os.walk(os.path.join(self.path, kind)) for n in names)
