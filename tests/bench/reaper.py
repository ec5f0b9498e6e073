"""reaper.py PROGRAM [ARGUMENT ...]: runs a program, and is the parent of what its processes leave behind, so that their
time is counted (proc.cpu_of). TERM is passed on; ends when all have ended."""
import ctypes, os, signal, sys

PR_SET_CHILD_SUBREAPER = 36

if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
    sys.exit("reaper: the system does not do that")
child = os.fork()
if child == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
