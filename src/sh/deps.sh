#!/bin/sh
# deps: install the Debian packages that a make target needs and the machine lacks.
#   deps.sh demo|check|bench
# Asks first only when a terminal is there to answer and YES=1 is not set. Services that
# packages bring along are not started: we use their programs only.
set -eu

BUILD_PACKAGES="gcc libc6-dev make libssl-dev libsqlite3-dev libmariadb-dev libcrypt-dev libpcre2-dev libidn2-dev libmd-dev libpam0g-dev libldap-dev"
RUN_PACKAGES="openssl libidn12 python3 courier-imap courier-pop procps"
# Dovecot's packages cannot be installed beside Courier's: for the tests they are unpacked, and not more.
UNPACKED=build/unpacked
unpack=
case ${1:-} in
    demo) want="$BUILD_PACKAGES $RUN_PACKAGES curl" ;;
    check)
        want="$BUILD_PACKAGES $RUN_PACKAGES curl swaks libnet-ssleay-perl mariadb-server-core gsasl fetchmail mutt slapd"
        unpack="dovecot-core dovecot-imapd dovecot-pop3d" ;;
    bench) want="$BUILD_PACKAGES $RUN_PACKAGES postfix strace" ;;
    *) echo "usage: deps.sh demo|check|bench" >&2; exit 100 ;;
esac

unpack() {
    [ -n "$unpack" ] && [ ! -d "$UNPACKED" ] || return 0
    echo "Unpacking into $UNPACKED: $unpack"
    work=$UNPACKED.$$
    mkdir -p "$work"
    # shellcheck disable=SC2086
    (cd "$work" && apt-get -q download $unpack) > "$work/log" 2>&1 || {
        [ "$(id -u)" -ne 0 ] || apt-get -q update > "$work/log" 2>&1
        # shellcheck disable=SC2086
        (cd "$work" && apt-get -q download $unpack) > "$work/log" 2>&1 || {
            cat "$work/log" >&2
            echo "Not unpacked: the tests that need them are left out." >&2
            rm -rf "$work"
            return 0
        }
    }
    for f in "$work"/*.deb; do dpkg -x "$f" "$work"; done
    rm -f "$work"/*.deb "$work/log"
    chmod 755 "$work"
    mv "$work" "$UNPACKED"
}

missing=
for p in $want; do
    s=$(dpkg-query -W -f '${Status}' "$p" 2>/dev/null) || s=
    case $s in
        *" installed") ;;
        *) missing="$missing $p" ;;
    esac
done
[ -n "$missing" ] || { unpack; exit 0; }

if [ "$(id -u)" -ne 0 ]; then
    echo "These packages are needed and only root can install them:$missing" >&2
    echo "As root: apt-get install$missing" >&2
    exit 111
fi
if [ -t 0 ] && [ "${YES:-}" != 1 ]; then
    printf 'Debian packages to be installed:%s\nGo on? [Y/n] ' "$missing"
    read -r answer
    case $answer in
        "" | [Yy]*) ;;
        *) exit 111 ;;
    esac
else
    echo "Installing:$missing"
fi

# No service of a package is started while our policy stands.
policy=/usr/sbin/policy-rc.d
ours=
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
    ours=1
fi
trap '[ -z "$ours" ] || rm -f "$policy"' EXIT
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
install() {
    # shellcheck disable=SC2086
    apt-get install -y --no-install-recommends $missing > "$log" 2>&1
}
if ! install; then
    apt-get update > "$log" 2>&1 || { cat "$log" >&2; exit 111; }
    install || { cat "$log" >&2; exit 111; }
fi
rm -f "$log"
unpack
