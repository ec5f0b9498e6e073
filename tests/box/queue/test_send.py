"""qmail-send against todo-proc, spawners and qmail-clean that the test plays: transactions and what
is written for them, held destinations, senseless input, settings, signals."""
import os, signal, struct, time, unittest

from box import wait_for
from sendsite import SendSite

LOCAL, REMOTE = (1, 2), (3, 4)  # orders to, reports from


class Send(unittest.TestCase):
    def site(self, settings={}, **kw):
        site = SendSite()
        self.addCleanup(site.close)
        for name, text in settings.items():
            site.control(name, text + "\n")
        site.run_send(**kw)
        site.until(lambda: "status:" in site.log_text)
        return site

    def marks(self, site, id):
        path = f"{site.queue()}/done/{id % 23}/{id}"
        return open(path, "rb").read() if os.path.exists(path) else None


class Removal(Send):
    def test_what_cannot_be_removed_is_not_delivered_again(self):
        """A restart finds the marks, which are not written where the message goes away at once."""
        site = self.site()
        site.clean_says = b"!"
        site.job(46, (b"R", "a@x.example"), (b"R", "b@x.example"), (b"L", "l@local.example"))
        site.until(lambda: site.orders(3) and site.orders(1))
        site.report(2, site.orders(1)[0][0], b"Kok\n")
        site.report(4, site.orders(3)[0][0], b"Kok\n", b"Kok\n")
        site.until(lambda: "could not remove a finished message" in site.log_text)
        self.assertEqual(self.marks(site, 46), b"DDD")
        site.clean_says = b"+"
        site.job(69, (b"R", "a@y.example"))
        site.until(lambda: len(site.orders(3)) == 2)
        site.report(4, site.orders(3)[1][0], b"Kok\n")
        site.until(lambda: "end msg 69" in site.log_text)
        self.assertIsNone(self.marks(site, 69))


class Transactions(Send):
    def test_one_order_and_one_status_for_all(self):
        site = self.site()
        hosts = ["x.example", "y.example", "X.Example"]
        site.job(46, *[(b"R", f"u{i}@{hosts[i % 3]}") for i in range(9)], (b"L", "l@local.example"))
        site.until(lambda: len(site.orders(3)) == 2 and len(site.orders(1)) == 1)
        by_host = {o[3][0].split("@")[1].lower(): o for o in site.orders(3)}
        slot, path, sender, to = by_host["x.example"]
        self.assertEqual((path, sender), ("0/46", "a@b.example"))
        self.assertEqual(to, [f"u{i}@{hosts[i % 3]}" for i in (0, 2, 3, 5, 6, 8)])
        self.assertEqual(site.logged_times("starting delivery"), 10)
        before = site.logged_times("status:")
        site.report(4, slot, b"Kok\n", b"Dno\n", b"Kok\n", b"Zlater\n", b"Kok\n", b"Dno\n")
        site.until(lambda: site.logged_times(r"\ndelivery .: ") == 6 and site.logged_times("status:") > before)
        self.assertEqual(site.logged_times("status:"), before + 1)
        self.assertEqual(self.marks(site, 46), b"D\0DD\0\0D\0D")
        bounce = open(f"{site.queue()}/bounce/46").read()
        self.assertEqual(bounce, "<u2@X.Example>:\nno\n\n<u8@X.Example>:\nno\n\n")
        # the numbers in the log are those of the recipients
        number = int(site.log_text.split("to remote u2@X.Example")[0].rsplit("delivery ", 1)[1].split(":")[0])
        self.assertIn(f"\ndelivery {number}: failure: no", site.log_text)

    def test_size_of_a_transaction(self):
        site = self.site({"remoterecipients": "7"})
        site.job(23, *[(b"R", f"u{i}@x.example") for i in range(30)])
        site.until(lambda: len(site.orders(3)) == 5)
        self.assertEqual(sorted(len(o[3]) for o in site.orders(3)), [2, 7, 7, 7, 7])
        for o in site.orders(3):
            site.report(4, o[0], *[b"Kok\n"] * len(o[3]))
        site.until(lambda: "end msg 23" in site.log_text)
        self.assertEqual(site.end_send(), 0)

    def test_verp_goes_alone(self):
        site = self.site()
        site.job(23, (b"R", "u@x.example"), (b"R", "v@x.example"), sender="list-@l.example-@[]")
        site.until(lambda: len(site.orders(3)) == 2)
        self.assertEqual({(o[2], *o[3]) for o in site.orders(3)},
                         {("list-u=x.example@l.example", "u@x.example"), ("list-v=x.example@l.example", "v@x.example")})


class Destinations(Send):
    def test_unreachable(self):
        """Of 200 messages for a dead host a few are tried; what has come meanwhile waits; a host that
        answers is served."""
        site = self.site()
        for i in range(200):
            site.job(23 * (i + 1), (b"R", "u@dead.example"))
        site.until(lambda: len(site.orders(3)) == 5)
        for o in site.orders(3):
            site.report(4, o[0], b"ZNo server. (#4.4.1)\n")
        site.until(lambda: "destination dead.example: unreachable, left alone for " in site.log_text)
        site.job(23 * 1000, (b"R", "u@dead.example"))
        site.job(23 * 1001, (b"R", "u@live.example"))
        site.until(lambda: any(o[3] == ["u@live.example"] for o in site.orders(3)))
        self.assertEqual(len(site.orders(3)), 6)
        self.assertEqual(site.logged_times("unreachable"), 1)
        # ALRM asks at once, with what is left of the limit
        site.send.send_signal(signal.SIGALRM)
        site.until(lambda: len(site.orders(3)) == 8)
        self.assertEqual(self.marks(site, int(site.orders(3)[0][1].split("/")[1])), b"")

    def test_host_limit(self):
        site = self.site({"concurrencyhost": "2"})
        for i in range(10):
            site.job(23 * (i + 1), (b"R", "u@x.example"))
        site.until(lambda: len(site.orders(3)) == 2 and "starting delivery 2" in site.log_text)
        site.job(23 * 99, (b"R", "u@y.example"))
        site.until(lambda: len(site.orders(3)) == 3)
        site.control("concurrencyhost", "4\n")
        site.send.send_signal(signal.SIGHUP)
        site.until(lambda: len(site.orders(3)) == 5)

    def test_last_attempt(self):
        """Too old, and its destination held: it is tried once more and fails."""
        site = self.site()
        site.job(23, (b"R", "u@x.example"))
        site.until(lambda: len(site.orders(3)) == 1)
        site.report(4, site.orders(3)[0][0], b"ZNo server. (#4.4.1)\n")
        site.until(lambda: "unreachable" in site.log_text)
        site.job(46, (b"R", "old@x.example"), (b"R", "v@y.example"), birth=time.time() - 8 * 86400, tried=int(time.time()) - 40000)
        site.until(lambda: len(site.orders(3)) == 3)
        slot = next(o[0] for o in site.orders(3) if o[3] == ["old@x.example"])
        site.report(4, slot, b"Zstill not\n")
        site.until(lambda: "remote 1/20" in site.log_text.split("still_not")[-1] and "still_not" in site.log_text)
        self.assertIn("I have tried for too long", open(f"{site.queue()}/bounce/46").read())


class BadInput(Send):
    def test_slots_that_do_not_exist(self):
        site = self.site(remote=3)
        site.job(23, (b"R", "u@x.example"))
        site.until(lambda: len(site.orders(3)) == 1)
        slot = site.orders(3)[0][0]
        for wrong in (slot + 1, 2, 3, 499, 65535) * 20:
            if wrong != slot:
                site.report(4, wrong, b"Kbogus\n")
        site.report(4, slot, b"Kok\n")
        site.until(lambda: "end msg 23" in site.log_text)
        self.assertEqual(site.logged_times("where there is none"), 1)
        site.report(4, slot, b"Kagain\n")
        self.assertEqual(site.end_send(), 0)

    def test_endless_report(self):
        """Megabytes without a NUL: the beginning counts, the rest is dropped, the next is read."""
        site = self.site()
        site.job(23, (b"R", "u@x.example"), (b"R", "v@y.example"))
        site.until(lambda: len(site.orders(3)) == 2)
        a, b = (o[0] for o in site.orders(3))
        site.report(4, a, b"Z" + b"no " * 1500000)
        site.report(4, b, b"Kok\n")
        site.until(lambda: site.logged_times("delivery .: success") == 1)
        self.assertEqual(site.logged_times("delivery .: deferral"), 1)
        self.assertLess(len(site.log_text), 20000)
        self.assertEqual(site.end_send(), 0)

    def test_strange_letters(self):
        site = self.site()
        site.job(23, (b"R", "u@x.example"), (b"R", "v@y.example"))
        site.until(lambda: len(site.orders(3)) == 2)
        a, b = (o[0] for o in site.orders(3))
        site.report(4, a, b"")
        site.report(4, b, b"\xffwhat")
        site.until(lambda: site.logged_times("delivery .: deferral") == 2)
        self.assertEqual(self.marks(site, 23), b"")
        self.assertEqual(site.end_send(), 0)

    def test_cut_report(self):
        """A spawner that dies in the middle of a report: nothing is recorded, qmail-send ends."""
        site = self.site()
        site.job(23, (b"R", "u@x.example"))
        site.until(lambda: len(site.orders(3)) == 1)
        os.write(site.end[4], struct.pack("<H", site.orders(3)[0][0]) + b"Kok")
        os.close(site.end[4])
        site.until(lambda: site.send.poll() is not None)
        self.assertEqual(site.send.returncode, 111)
        self.assertIn("alert: lost connection to a spawner, stopping", site.log_text)
        self.assertIsNone(self.marks(site, 23))

    def test_reports_before_any_order(self):
        site = self.site(remote=None)
        os.write(site.end[4], struct.pack("<H", 20)[:1])
        time.sleep(0.05)  # the two bytes come apart
        os.write(site.end[4], struct.pack("<H", 20)[1:] + b"\0\0Kwhat\0")
        site.job(23, (b"R", "u@x.example"))
        site.until(lambda: len(site.orders(3)) == 1)
        self.assertEqual(site.logged_times("where there is none"), 1)

    def test_spawner_without_room(self):
        site = self.site(remote=0)
        site.job(23, (b"R", "u@x.example"), (b"L", "l@x.example"))
        site.until(lambda: len(site.orders(1)) == 1)
        self.assertIn("alert: a spawner says that it can run no delivery at all", site.log_text)
        self.assertEqual(site.orders(3), [])

    def test_delivery_that_never_ends(self):
        """It keeps its slot; everything else goes on."""
        site = self.site({"concurrencylocal": "2"})
        for i in range(1, 6):
            site.job(23 * i, (b"L", f"l{i}@x.example"))
        done = set()
        for _ in range(4):
            site.until(lambda: any(i not in done for i, o in enumerate(site.orders(1)) if i))
            i, o = next((i, o) for i, o in enumerate(site.orders(1)) if i and i not in done)
            done.add(i)
            site.report(2, o[0], b"Kok\n")
        site.until(lambda: site.logged_times("end msg") == 4)
        site.send.send_signal(signal.SIGTERM)
        site.until(lambda: "local 1/2" in site.log_text and "exitasap" in site.log_text)
        site.report(2, site.orders(1)[0][0], b"Kat last\n")
        site.until(lambda: site.send.poll() == 0)


class Settings(Send):
    def test_bad_values(self):
        for name, text in (("remoterecipients", "0"), ("remoterecipients", "501"), ("concurrencyhost", "70000"),
                           ("retryschedule", "60 0"), ("retryschedule", "soon"), ("concurrencyr.queue1", "many")):
            with self.subTest(name, text=text):
                site = SendSite()
                self.addCleanup(site.close)
                site.control(name, text + "\n")
                p = site.run(["qmail-send"], env=site.env(QUEUEDIR=site.queue()))
                self.assertEqual(p.returncode, 111)
                self.assertIn(f"control/{name}:1: ".encode(), p.stderr)
                self.assertIn(b"wanted", p.stderr)

    def test_bad_value_on_hup(self):
        site = self.site()
        site.control("retryschedule", "1 hour\n")
        site.send.send_signal(signal.SIGHUP)
        site.until(lambda: "alert: " in site.log_text)
        self.assertIn("control/retryschedule:1: seconds are wanted", site.log_text)
        self.assertIsNone(site.send.poll())

    def test_limits_of_one_queue(self):
        site = self.site({"concurrencylocal": "3", "concurrencyl.queue1": "4", "concurrencyl.queue2": "5", "concurrencyr.queue2": "7"})
        site.until(lambda: "status: local 0/4 remote 0/20 queue1" in site.log_text)
        p = site.run(["qmail-showctl"])
        self.assertNotIn(b"no program reads this file", p.stdout)

    def test_schedule(self):
        site = self.site({"retryschedule": "1 3600"})
        site.job(23, (b"R", "u@x.example"))
        site.until(lambda: len(site.orders(3)) == 1)
        site.report(4, site.orders(3)[0][0], b"Z450 no\n")
        site.until(lambda: len(site.orders(3)) == 2, timeout=10)
        site.report(4, site.orders(3)[1][0], b"Z450 no\n")
        site.until(lambda: site.logged_times("deferral") == 2)
        self.assertEqual(len(site.orders(3)), 2)


class Signals(Send):
    def test_detach_and_attach(self):
        site = self.site()
        for sig, line, word in ((signal.SIGUSR1, b"D\n", "detached"), (signal.SIGUSR2, b"A\n", "attached")):
            site.send.send_signal(sig)
            site.until(lambda: site.input[7].endswith(line))
            site.until(lambda: f"info: {word}" in site.log_text)
        self.assertEqual(site.end_send(), 0)


if __name__ == "__main__":
    unittest.main()
