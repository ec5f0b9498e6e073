#!/usr/bin/env python3
"""Runs the tests: lint, unit programs, corpus replay, box and fault tests (unittest modules),
each in a process of its own, one more at once than there are processors, for they wait a lot. Arguments pick tests by
a part of their name. Ends with "N passed, N failed"."""
import glob, os, re, shutil, subprocess, sys, tempfile, time
from concurrent.futures import ThreadPoolExecutor

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("BUILD", "build")
SAN = os.environ.get("SAN", "")
LIMIT = 300 * (4 if SAN else 1)


def find():
    """(name, argv) of every test, slowest kinds first."""
    tests = []
    for kind in ("fault", "box"):
        for path in sorted(glob.glob(f"{TOP}/tests/{kind}/**/test_*.py", recursive=True)):
            name = os.path.relpath(path, f"{TOP}/tests")[:-3]
            tests.append((name, [sys.executable, "-B", "-W", "ignore::ResourceWarning", "-m", "unittest", "-v", os.path.basename(path)[:-3]],
                          os.path.dirname(path)))
    for path in sorted(glob.glob(f"{TOP}/tests/unit/*/test_*.c")):
        name = os.path.relpath(path, f"{TOP}/tests/unit")[:-2]
        tests.append((f"unit/{name}", [f"{TOP}/{BUILD}/unit/{name}"], TOP))
    for path in sorted(glob.glob(f"{TOP}/tests/fuzz/fuzz_*.c")):
        name = os.path.basename(path)[5:-2]
        corpus = sorted(glob.glob(f"{TOP}/tests/fuzz/corpus/{name}/*"))
        if corpus:
            tests.append((f"fuzz/{name}", [f"{TOP}/{BUILD}/fuzz/{name}"] + corpus, TOP))
    tests.append(("lint", [sys.executable, "-B", f"{TOP}/tests/tools/lint.py"], TOP))
    return tests


def run(test):
    """(name, passed, failed, output, seconds)"""
    name, argv, cwd = test
    env = dict(os.environ, BUILD=BUILD, PYTHONPATH=f"{TOP}/tests/tools")
    if SAN:
        env["ASAN_OPTIONS"] = "abort_on_error=1:detect_leaks=0"
        env["UBSAN_OPTIONS"] = "print_stacktrace=1"
    start = time.monotonic()
    # It ends what the test has started too, which would hold our end of the pipe open.
    p = subprocess.run([sys.executable, "-B", f"{TOP}/tests/tools/limit.py", str(LIMIT), *argv], cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    out, code = p.stdout.decode("utf-8", "replace"), p.returncode
    passed = failed = 0
    m = re.search(r"^Ran (\d+) tests?", out, re.M)
    if m:
        bad = re.search(r"^FAILED \(.*\)", out, re.M)
        failed = sum(int(n) for n in re.findall(r"(?<!expected )(?:failures|errors)=(\d+)", bad.group(0))) if bad else 0
        skipped = re.search(r"skipped=(\d+)", out)
        passed = int(m.group(1)) - failed - (int(skipped.group(1)) if skipped else 0)
    else:
        passed = 1 if code == 0 else 0
    if code != 0 and failed == 0:
        failed, passed = 1, max(0, passed - 1)
    return name, passed, failed, out, time.monotonic() - start


def reachable_copy():
    """Tests run by root let our programs run as nobody: where he cannot reach this directory (a
    clone in root's home) they get a copy of the sources and programs that he can. Gives what to
    remove."""
    probe = {"user": 65534, "group": 65534, "extra_groups": []}
    if os.geteuid() != 0 or subprocess.run(["test", "-r", f"{TOP}/Makefile"], **probe).returncode == 0:
        return None
    copy = tempfile.mkdtemp(prefix="indimail-copy-")
    shutil.copytree(TOP, copy, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".git", "build"))
    for part in ("bin", "faulty", "man"):
        shutil.copytree(f"{TOP}/{BUILD}/{part}", f"{copy}/{BUILD}/{part}")
    os.chmod(copy, 0o755)
    os.environ["BOX_TOP"] = copy
    return copy


def main():
    wanted = sys.argv[1:]
    copy = reachable_copy()
    try:
        return run_all(wanted)
    finally:
        if copy:
            shutil.rmtree(copy, ignore_errors=True)


def run_all(wanted):
    tests = [t for t in find() if not wanted or any(w in t[0] for w in wanted)]
    passed = failed = 0
    with ThreadPoolExecutor((os.cpu_count() or 2) + 1) as pool:
        for name, ok, bad, out, seconds in pool.map(run, tests):
            passed += ok
            failed += bad
            print(f"{'ok    ' if not bad else 'FAILED'} {name} ({ok} passed{f', {bad} failed' if bad else ''}, {seconds:.1f} s)",
                  flush=True)
            for line in re.findall(r"^show: (.*)", out, re.M):  # what is worth a look when all is well, too
                print(f"       {line}", flush=True)
            if bad:
                print("    " + out.strip().replace("\n", "\n    "), flush=True)
    if not tests:
        print("no test of that name")
        failed = 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
