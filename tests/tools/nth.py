"""The n-th call of a kind fails, for every n until there are no more: see fault.c."""
import errno, os

# kind -> errors; 0 is a short write
KINDS = {"malloc": [errno.ENOMEM], "open": [errno.EMFILE, errno.EIO], "write": [errno.ENOSPC, errno.EIO, 0], "fsync": [errno.EIO],
         "fork": [errno.EAGAIN], "exec": [errno.ENOMEM], "name": [errno.ENOSPC, errno.EIO], "read": [errno.EIO]}


class Failures:
    """for env in Failures(directory, program, kinds): run with this environment; .fired() says whether the
    call was reached. The round of a kind ends with the first run in which it was not."""

    def __init__(self, directory, program, kinds=tuple(KINDS), ids=None):
        self.mark = os.path.join(directory, "fired")
        self.program, self.kinds, self.runs = program, kinds, 0
        self.now = None

    def fired(self):
        return os.path.exists(self.mark)

    def __iter__(self):
        for kind in self.kinds:
            for number in KINDS[kind]:
                n = 0
                while True:
                    n += 1
                    if self.fired():
                        os.unlink(self.mark)
                    self.now = kind, n, number
                    self.runs += 1
                    yield {"FAULT_FAIL": f"{self.program} {kind} {n} {number}", "FAULT_FIRED": self.mark}
                    if not self.fired():
                        break
                    if n > 5000:
                        raise AssertionError(f"no end of {kind} in {self.program}")

    def __str__(self):
        kind, n, number = self.now
        return f"{self.program}: {kind} number {n} failed with {errno.errorcode.get(number, 'a short write')}"
