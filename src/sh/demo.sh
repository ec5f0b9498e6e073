#!/bin/sh
# demo: a complete mail server in a directory of its own, and the main job done before your
# eyes. Called by `make demo` (demo.sh start) and `make demo-stop` (demo.sh stop).
#   DEMO_DIR        its root (build/demo)        DEMO_PORT_BASE  ports are this + the standard (20000)
#   DEMO_CONTROL    directory of control files copied over ours before the start
#   DEMO_ENV        DIR/SERVICE/NAME: variables added to a service's environment
#   DEMO_SELFTEST=0 start without the show
set -eu

DIR=${DEMO_DIR:-build/demo}
BASE=${DEMO_PORT_BASE:-20000}
DOMAIN=example.com
HOST=mail.example.com
QUEUES=2
say() { printf '%s\n' "$*"; }
die() { printf 'demo: %s\n' "$*" >&2; exit 111; }

# The mail users must be able to reach the root; a clone in root's home is closed to them.
place_root() {
    mkdir -p "$DIR"
    DIR=$(cd "$DIR" && pwd -P)
    [ "$(id -u)" -eq 0 ] || return 0
    if ! setpriv --reuid 65534 --regid 65534 --clear-groups test -x "$DIR" 2>/dev/null; then
        other=/var/tmp/indimail-demo
        mkdir -p "$other"
        [ "$(stat -c %u "$other")" -eq 0 ] && [ ! -L "$other" ] || die "$other belongs to somebody else"
        rmdir "$DIR" 2>/dev/null || die "the mail users cannot reach $DIR: set DEMO_DIR to a directory they can"
        ln -s "$other" "$DIR"
        DIR=$other
    fi
    chmod 755 "$DIR"
}

stop() {
    [ -e "$DIR/guard.pid" ] || return 0
    pid=$(cat "$DIR/guard.pid")
    if [ -n "$pid" ] && tr '\0' ' ' < "/proc/$pid/cmdline" 2>/dev/null | grep -q 'demo.sh guard'; then
        kill -TERM "$pid"
        i=0
        while kill -0 "$pid" 2>/dev/null; do
            i=$((i + 1))
            [ $i -lt 400 ] || die "the guard of svscan (process $pid) does not end"
            sleep 0.1
        done
    fi
    rm -f "$DIR/guard.pid" "$DIR/svscan.pid"
    end_gam_servers
}

# What systemd or init is on an installed system: starts svscan again when it is killed. Its
# services end with it (-p), so the new one starts them all.
guard() {
    trap 'trap "" TERM; kill -TERM "$child" 2>/dev/null; wait "$child" 2>/dev/null; exit 0' TERM
    cd "$1/service"
    while :; do
        SCANLOG= setsid "$1/usr/sbin/svscan" -p "$1/service" &
        child=$!
        echo "$child" > "$1/svscan.pid"
        wait "$child" || :
        sleep 1 || :
    done
}

# Courier's imapd of Debian 12 starts a gam_server that would stay for half a minute.
end_gam_servers() {
    for p in /proc/[0-9]*; do
        [ "$(cat "$p/comm" 2>/dev/null)" = gam_server ] || continue
        if tr '\0' '\n' < "$p/environ" 2>/dev/null | grep -q "$DIR/"; then kill "${p#/proc/}" 2>/dev/null || :; fi
    done
}

build_and_install() {
    jobs=$(nproc 2>/dev/null || echo 2)
    make --no-print-directory -j"$jobs" BIN="$DIR/link" PREFIX="$DIR/usr" SYSCONFDIR="$DIR/etc" \
        QMAILHOME="$DIR/var" LOGDIR="$DIR/log" RUNDIR="$DIR/run" SERVICEDIR="$DIR/service" MAILBASE="$DIR/mail" \
        all
    make --no-print-directory BIN="$DIR/link" PREFIX="$DIR/usr" SYSCONFDIR="$DIR/etc" \
        QMAILHOME="$DIR/var" LOGDIR="$DIR/log" RUNDIR="$DIR/run" SERVICEDIR="$DIR/service" MAILBASE="$DIR/mail" \
        DESTDIR= install > "$DIR/install.log" 2>&1 || { cat "$DIR/install.log" >&2; die "installation failed"; }
}

random_password() { od -An -N9 -tx1 /dev/urandom | tr -d ' \n'; }

configure() {
    svctool --config=qmail --default-domain=$HOST --postmaster=postmaster@$DOMAIN
    svctool --config=cert --common_name=$HOST --validity_days=365
    printf 'outside.example:127.0.0.1:%s\n' $((BASE + 26)) > "$CONTROL/smtproutes"
    if [ -n "${DEMO_CONTROL:-}" ]; then
        for f in "$DEMO_CONTROL"/*; do
            [ ! -f "$f" ] || { cp "$f" "$CONTROL/" && chmod 644 "$CONTROL/${f##*/}"; }
        done
    fi
    mkdir -p "$DIR/var/queue"
    chmod 755 "$DIR/var" "$DIR/var/queue"
    i=1
    while [ $i -le $QUEUES ]; do
        queue-fix "$DIR/var/queue/queue$i"
        i=$((i + 1))
    done
}

make_services() {
    common="--servicedir=$DIR/service --logdir=$DIR/log --localip=127.0.0.1 --default-domain=$DOMAIN"
    q="--qbase=$DIR/var/queue --qcount=$QUEUES --qstart=1"
    svctool --svscanlog $common
    svctool --tlsd $common
    svctool --queued $q $common
    svctool --inlookup=infifo --threads=2 $common
    svctool --delivery=25 $q $common
    svctool --smtp=$((BASE + 25)) --chkrecipient --starttls --authsmtp $q --maxdaemons=200 --maxperip=200 $common
    svctool --smtp=$((BASE + 587)) --forceauthsmtp --forcetls --starttls $q $common
    svctool --smtp=$((BASE + 465)) --forceauthsmtp --ssl $q $common
    svctool --imap=$((BASE + 143)) --starttls $common
    svctool --imap=$((BASE + 993)) --ssl $common
    svctool --pop3=$((BASE + 110)) --starttls $common
    svctool --pop3=$((BASE + 995)) --ssl $common
    [ -n "${DEMO_ENV:-}" ] || return 0
    for d in "$DEMO_ENV"/*/; do
        s=$(basename "$d")
        [ -d "$DIR/service/$s" ] || die "DEMO_ENV names a service that does not exist: $s (there are: $(ls "$DIR/service" | tr '\n' ' '))"
        cp "$d"* "$DIR/service/$s/variables/"
    done
}

start_server() {
    mkdir -p "$DIR/log"
    setsid sh src/sh/demo.sh guard "$DIR" > "$DIR/log/svscan.out" 2>&1 < /dev/null &
    echo $! > "$DIR/guard.pid"
}

answers() { # PORT: does somebody accept connections there?
    python3 -c 'import socket,sys; s=socket.socket(); s.settimeout(1); sys.exit(s.connect_ex(("127.0.0.1", int(sys.argv[1]))))' "$1"
}

wait_for_services() {
    for p in 25 587 465 143 993 110 995; do
        i=0
        until answers $((BASE + p)); do
            i=$((i + 1))
            [ $i -lt 150 ] || die "nothing answers on port $((BASE + p)); logs are in $DIR/log"
            sleep 0.1
        done
    done
    i=0
    until [ -S "$DIR/run/inlookup/socket" ] && [ -S "$DIR/run/tls/socket" ]; do
        i=$((i + 1))
        [ $i -lt 150 ] || die "inlookup or qmail-tlsd did not start; logs are in $DIR/log"
        sleep 0.1
    done
}

add_users() {
    PASSWORD=$(random_password)
    PASSWORD2=$(random_password)
    PMPASS=$(random_password)
    printf '%s\n' "$PMPASS" | vadddomain $DOMAIN - > "$DIR/vadddomain.log" 2>&1 || { cat "$DIR/vadddomain.log" >&2; die "vadddomain failed"; }
    printf '%s\n' "$PASSWORD" | vadduser -d -c "Alice Example" alice@$DOMAIN - || die "vadduser failed"
    printf '%s\n' "$PASSWORD2" | vadduser -d -c "Bob Example" bob@$DOMAIN - || die "vadduser failed"
}

home_of() { vuserinfo -d "$1" | sed -n 's/^dir *: *\([^ ]*\).*/\1/p'; }

write_env() {
    umask 022
    cat > "$DIR/demo.env" <<END
SMTP_PORT=$((BASE + 25))
SUBMISSION_PORT=$((BASE + 587))
SMTPS_PORT=$((BASE + 465))
IMAP_PORT=$((BASE + 143))
IMAPS_PORT=$((BASE + 993))
POP3_PORT=$((BASE + 110))
POP3S_PORT=$((BASE + 995))
DOMAIN=$DOMAIN
USER=alice@$DOMAIN
PASSWORD=$PASSWORD
USER2=bob@$DOMAIN
PASSWORD2=$PASSWORD2
MAILDIR=$(home_of alice@$DOMAIN)/Maildir
MAILDIR2=$(home_of bob@$DOMAIN)/Maildir
QUEUE_BASE=$DIR/var/queue
CONTROLDIR=$CONTROL
LOGDIR=$DIR/log
CAFILE=$DIR/etc/certs/ca.pem
PREFIX=$DIR/usr
SINK_PORT=$((BASE + 26))
END
}

start() {
    began=$(date +%s)
    place_root
    stop
    if [ "$(id -u)" -ne 0 ]; then
        say "You are not root: every program runs as $(id -un), and nothing is switched or kept apart."
    fi
    # What an earlier demo left, but for what was built.
    for d in etc var log run service mail usr; do rm -rf "${DIR:?}/$d"; done
    CONTROL=$DIR/etc/control
    PATH=$DIR/usr/bin:$DIR/usr/sbin:$PATH
    export PATH
    say "building ..."
    build_and_install
    if [ "$(id -u)" -eq 0 ]; then svctool --config=users; fi
    # The users may be new: their files get their owners now.
    [ "$(id -u)" -ne 0 ] || build_and_install
    say "configuring ..."
    configure
    make_services
    start_server
    wait_for_services
    add_users
    write_env
    say "the server is up after $(($(date +%s) - began)) seconds"
    if [ "${DEMO_SELFTEST:-1}" != 0 ]; then
        python3 -B src/sh/demo_show.py "$DIR/demo.env" || die "the show failed; the server still runs, logs are in $DIR/log"
    fi
    say "stop it with: make demo-stop"
}

case ${1:-} in
    start) start ;;
    guard) guard "$2" ;;
    stop)
        [ -e "$DIR" ] || exit 0
        DIR=$(cd "$DIR" && pwd -P)
        stop
        say "the demo has stopped"
        ;;
    *) echo "usage: demo.sh start|stop" >&2; exit 100 ;;
esac
