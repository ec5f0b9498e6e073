#!/bin/sh
# qmailctl: what an administrator does to the running mail system, in one word.
usage() {
    echo "usage: qmailctl start|stop|restart|status|stat|queue|destinations|flush|reload|pause|cont | retry|hold|release|expire [all|id|domain|sender what...] | rm option..." >&2
    exit 100
}
case ${1-} in
    retry | hold | release | expire | rm) ;;
    *) [ $# -eq 1 ] || usage ;;
esac
umask 022
PATH=${QMAILBIN:+$QMAILBIN:}@PREFIX@/bin:@PREFIX@/sbin:/usr/sbin:/usr/bin:/sbin:/bin
SERVICEDIR=${SERVICEDIR:-@SERVICEDIR@}
CONTROLDIR=${CONTROLDIR:-${QMAILHOME:-@SYSCONFDIR@}/control}

each() { # each COMMAND PATTERN...: run it on the services that exist
    command=$1
    shift
    for s in "$@"; do
        [ -d "$s" ] && $command "$s"
    done
    return 0
}
# Deliveries are held by settings, which outlive a restart; what says "paused" is ours to remove.
hold() {
    for f in "$CONTROLDIR/holdlocal" "$CONTROLDIR/holdremote"; do
        if [ ! -e "$f" ] || [ "$(cat "$f")" = 0 ]; then
            echo paused > "$f" || exit 111
        fi
    done
}
unhold() {
    for f in "$CONTROLDIR/holdlocal" "$CONTROLDIR/holdremote"; do
        if [ -e "$f" ] && [ "$(cat "$f")" = paused ]; then
            rm -f "$f" || exit 111
        fi
    done
}
all="$SERVICEDIR/qmail-* $SERVICEDIR/inlookup.*"
send="$SERVICEDIR/qmail-send.*"

case $1 in
    start) each "svc -u" $all ;;
    stop) each "svc -d" $all ;;
    restart) each "svc -t" $all ;;
    status) each svstat $all ;;
    stat) qmail-qstat ;;
    queue) qmail-qstat && qmail-qread -l ;;
    destinations) qmail-qstat -d ;;
    retry)
        [ $# -gt 1 ] || set -- retry all
        exec qmail-qorder "$@"
        ;;
    hold | release | expire) exec qmail-qorder "$@" ;;
    rm)
        shift
        exec qmail-rm "$@"
        ;;
    flush) each "svc -a" $send ;;
    reload) each "svc -h" $send $SERVICEDIR/inlookup.* $SERVICEDIR/qmail-tlsd ;;
    pause) hold && each "svc -h" $send ;;
    cont) unhold && each "svc -h" $send ;;
    *) usage ;;
esac
