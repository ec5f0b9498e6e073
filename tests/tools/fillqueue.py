#!/usr/bin/env python3
"""Fills a queue with deferred messages, quickly: nothing is synced, no program runs. For tests and
measurements of a long queue; the daemons of that queue must not run meanwhile.

    fillqueue.py QUEUE COUNT [name=value ...]

hosts=1000      recipients are spread over so many hosts, hN.backlog.example
size=2000       bytes of a message
age=259200      seconds since it came
tried=60        seconds since the last attempt; 0: never tried
sender=bulk@backlog.example
uid= gid=       owner of the files, if not who runs this"""
import os, sys, time, zlib

SPLIT = 23


def fill(queue, count, hosts=1000, size=2000, age=259200, tried=60, sender="bulk@backlog.example", uid=-1, gid=-1):
    """The ids of the messages made."""
    now = time.time()
    birth = int(now - age)
    first = int((now - age) * 1000000)
    body = (b"Subject: backlog\n\n" + b"x" * 71 + b"\n" * 1) + (b"y" * 71 + b"\n") * (size // 72)
    body = body[:size]
    sum = zlib.crc32(body)
    ids = range(first, first + count)
    for i in ids:
        below = f"{i % SPLIT}/{i}"
        fd = os.open(f"{queue}/mess/{below}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        os.write(fd, body)
        if uid != -1:
            os.fchown(fd, uid, gid)
        os.close(fd)
        os.symlink(f"u0\np1\nt{birth}\ns{len(body)}\nc{sum:08x}\nF{sender}\nTuser{i}@h{i % hosts}.backlog.example\n",
                   f"{queue}/info/{below}")
        if uid != -1:
            os.chown(f"{queue}/info/{below}", uid, gid, follow_symlinks=False)
        if not tried:
            continue
        done = f"{queue}/done/{below}"
        fd = os.open(done, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        if uid != -1:
            os.fchown(fd, uid, gid)
        os.utime(fd, (now - tried, now - tried))
        os.close(fd)
    return ids


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    given = dict(a.split("=", 1) for a in sys.argv[3:])
    fill(sys.argv[1], int(sys.argv[2]), **{k: v if k == "sender" else int(v) for k, v in given.items()})
