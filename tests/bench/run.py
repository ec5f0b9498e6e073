#!/usr/bin/env python3
"""Measures our server beside its peers, in one run, on loopback. Prints a line per measure and
peer (median of the rounds, and their spread), ratios to the best peer and whether the goal is
reached, and keeps the rows in build/bench.tsv. Arguments pick measures by name; ROUNDS says how
often each is taken (3), PEERS which peers (all that can be had), BENCH_FS=here that it is done on the disk as it is
(disk.py). Needs root and the packages of
`make bench`."""
import os, platform, smtplib, statistics, sys, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from disk import Disk
from measures import GOALS, LIMITS, MEASURES, end_sink
from peers import PEM, TOP, WORK, Ours, Postfix
from proc import sh
from rooted import Exim, NotToBeHad, OpenSMTPD

ROUNDS = int(os.environ.get("ROUNDS", "3"))


def build_tools():
    os.makedirs(os.path.join(TOP, "build/bench"), exist_ok=True)
    for name, libraries in (("connect", []), ("floor", []), ("latency", []), ("tls_sessions", ["-lssl", "-lcrypto", "-lpthread"])):
        sh(["cc", "-O2", "-Wall", "-o", os.path.join(TOP, "build/bench", name), os.path.join(TOP, "tests/bench", name + ".c"), *libraries])
    sh(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", PEM, "-out", PEM + ".crt",
        "-subj", "/CN=bench.example", "-days", "2"])
    with open(PEM, "a") as pem:
        pem.write(open(PEM + ".crt").read())


def measured(fn, peer, name, peers):
    """A peer that fails is left out from then on, and that is said; we may not fail."""
    try:
        return fn(peer)
    except (SystemExit, OSError, smtplib.SMTPException) as e:
        if peer.name == "indimail":
            raise
        print(f"# {name}: {peer.name} is left out from here on: {e}", flush=True)
        peers.remove(peer)
        return {}


def take(peers, wanted):
    """{what: {peer: [values]}}"""
    results, peers = {}, list(peers)
    held = False
    for name, fn, rounds, hold in MEASURES:
        if wanted and name not in wanted:
            continue
        if hold != held:
            for peer in peers[:]:
                measured(lambda p: p.hold(hold) or {}, peer, name, peers)
            held = hold
        for i in range(rounds or ROUNDS):
            for peer in peers[:] if i % 2 == 0 else peers[::-1]:
                for what, value in measured(fn, peer, name, peers).items():
                    results.setdefault(what, {}).setdefault(peer.name, []).append(value)
        print(f"# {name} measured", file=sys.stderr, flush=True)
    return results


def the_floor():
    """What no server can be faster than here."""
    where = os.path.join(WORK, "floor")
    os.makedirs(where, exist_ok=True)
    file, directory, byte = sh([os.path.join(TOP, "build/bench/floor"), where]).split()
    os.rmdir(where)
    return (f"this machine by itself, medians: {file} us for a new file of 1 kB with its sync, {directory} us for a rename with the sync "
            f"of the directory, {byte} us for a byte to another process and back, both asleep")


def more_is_better(what):
    return what.endswith("/s")


def report(results, tsv, durable):
    """durable: the peers whose 250 means what ours means. Those that promise less are shown beside them, and are the
    measure only of what no promise costs: memory."""
    for what, by_peer in results.items():
        medians = {peer: statistics.median(values) for peer, values in by_peer.items()}
        for peer, values in by_peer.items():
            print(f"{what:62} {peer:10} {medians[peer]:10.2f}   ({min(values):.2f} .. {max(values):.2f})")
            tsv.write(f"{int(time.time())}\t{what}\t{peer}\t{medians[peer]:.3f}\t{min(values):.3f}\t{max(values):.3f}\n")
        ours = medians.pop("indimail")
        for begin, side, limit in LIMITS:
            if what.startswith(begin):
                reached = ours < limit if side == "below" else ours > limit
                print(f"{'':62} to be {side} {limit:g}: " + ("reached" if reached else "missed"))
        if "PSS" not in what:
            medians = {peer: value for peer, value in medians.items() if peer in durable}
        if not medians:
            continue
        best = (max if more_is_better(what) else min)(medians.values())
        if not ours or not best:
            continue
        ratio = ours / best if more_is_better(what) else best / ours
        goal = next((g for begin, g in GOALS if what.startswith(begin)), None)
        verdict = "" if goal is None else f", the goal of {goal} is " + ("reached" if ratio >= goal else "missed")
        print(f"{'':62} {ratio:.2f} times as good as the best {'' if 'PSS' in what else 'durable '}peer{verdict}")


def choose_peers():
    """Those of PEERS that can be had; why one cannot is said in a line."""
    classes = {c.name: c for c in (Postfix, Exim, OpenSMTPD)}
    wanted = os.environ.get("PEERS", "").split() or list(classes)
    if set(wanted) - set(classes):
        sys.exit(f"bench: PEERS are of: {' '.join(classes)}")
    peers = []
    for name in wanted:
        try:
            peers.append(classes[name]())
        except (NotToBeHad, OSError) as e:
            print(f"bench: without {name}: {e}", file=sys.stderr, flush=True)
    return peers


def main():
    wanted = sys.argv[1:]
    unknown = set(wanted) - {m[0] for m in MEASURES}
    if unknown:
        sys.exit(f"bench: no measure {' '.join(unknown)}; there are: {' '.join(m[0] for m in MEASURES)}")
    if os.geteuid() != 0:
        sys.exit("bench: needs root, for the peers")
    disk = Disk(WORK)
    started = []
    try:
        build_tools()
        for peer in [Ours()] + choose_peers():
            try:
                peer.start()
                started.append(peer)
            except (NotToBeHad, OSError) as e:
                print(f"bench: without {peer.name}: {e}", file=sys.stderr, flush=True)
        peers = started
        results = take(peers, wanted)
        floor = the_floor()
    finally:
        end_sink()
        for peer in started:
            peer.stop()
        disk.clear()
    cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), "")
    print(f"{platform.machine()}, {os.cpu_count()} cores, {cpu}; " + ", ".join(f"{p.name} {p.version}" for p in peers))
    print(f"on {disk.what}; {floor}")
    for peer in peers:
        print(f"{peer.name}: {peer.durable}")
    with open(os.path.join(TOP, "build", "bench.tsv"), "a") as tsv:
        report(results, tsv, {p.name for p in peers if p.syncs})


if __name__ == "__main__":
    main()
