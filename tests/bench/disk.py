"""The file system that is measured on: that of /var/tmp, or one of its own.

An ext4 that was made without a journal takes no inode that was removed within the last one to five minutes, and looks
at each of them again for every file that is made: what a server does costs up to three times as much, then, when
somebody has removed files before. Mail servers do not run on such a disk, so there a new ext4, with what mkfs.ext4 gives
it by default, is mounted from a file (BENCH_FS=here: not). It syncs as the disk does: a flush of the loop device is one of
the disk."""
import glob, os, subprocess, sys

IMAGE_BYTES = 6 << 30
INODE_EVERY = 4096  # bytes: a long queue has many small files


def run(*argv):
    p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if p.returncode:
        raise OSError(f"{' '.join(argv)}: {p.stdout.decode(errors='replace').strip()}")
    return p.stdout.decode().strip()


def below(path):
    """(type, device) of the file system a directory lies in."""
    return run("findmnt", "-n", "-o", "FSTYPE,SOURCE", "-T", path).split()[:2]


def has_journal(device):
    return bool(glob.glob(f"/proc/fs/jbd2/{os.path.basename(os.path.realpath(device))}-*"))


class Disk:
    def __init__(self, work):
        """BENCH_DIR is taken as it is."""
        self.work, self.image, self.loop = work, work + ".img", None
        self.clear()
        os.makedirs(work, exist_ok=True)
        kind, device = below(work)
        self.what = kind
        if kind == "ext4":
            self.what += " with a journal" if has_journal(device) else " without a journal"
        if kind == "ext4" and not has_journal(device) and "BENCH_DIR" not in os.environ and os.environ.get("BENCH_FS") != "here":
            self.own()
        os.chmod(work, 0o755)

    def own(self):
        try:
            run("fallocate", "-l", str(IMAGE_BYTES), self.image)
            run("mkfs.ext4", "-q", "-F", "-i", str(INODE_EVERY), "-E", "lazy_itable_init=0,lazy_journal_init=0", self.image)
            self.loop = run("losetup", "-f", "--show", "--direct-io=on", self.image)
            run("mount", self.loop, self.work)
            self.what = f"a new ext4 with a journal, in a file on an {self.what}"
        except OSError as e:
            print(f"bench: no file system of its own: {e}", file=sys.stderr, flush=True)
            self.clear()

    def clear(self):
        """Also what an earlier run left that was killed."""
        if os.path.ismount(self.work):
            run("umount", self.work)
        for line in run("losetup", "-n", "-O", "NAME", "-j", self.image).split() if os.path.exists(self.image) else []:
            run("losetup", "-d", line)
        if os.path.exists(self.image):
            os.unlink(self.image)
