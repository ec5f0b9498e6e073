#!/bin/sh
# qmailctl: what an administrator does to the running mail system, in one word.
usage() {
    echo "usage: qmailctl start|stop|restart|status|stat|queue|flush|reload|pause|cont" >&2
    exit 100
}
[ $# -eq 1 ] || usage
PATH=@PREFIX@/bin:@PREFIX@/sbin:/usr/sbin:/usr/bin:/sbin:/bin
SERVICEDIR=${SERVICEDIR:-@SERVICEDIR@}

each() { # each COMMAND PATTERN...: run it on the services that exist
    command=$1
    shift
    for s in "$@"; do
        [ -d "$s" ] && $command "$s"
    done
    return 0
}
all="$SERVICEDIR/qmail-*.* $SERVICEDIR/inlookup.* $SERVICEDIR/qmail-tlsd*"
send="$SERVICEDIR/qmail-send.*"

case $1 in
    start) each "svc -u" $all ;;
    stop) each "svc -d" $all ;;
    restart) each "svc -t" $all ;;
    status) each svstat $all ;;
    stat) qmail-qstat ;;
    queue) qmail-qstat && qmail-qread ;;
    flush) each "svc -a" $send ;;
    reload) each "svc -h" $send && each "svc -h" $SERVICEDIR/inlookup.* ;;
    pause) each "svc -p" $send ;;
    cont) each "svc -c" $send ;;
    *) usage ;;
esac
