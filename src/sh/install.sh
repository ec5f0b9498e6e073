#!/bin/sh
# install: puts the programs of src/PROGRAMS, their manual pages and the boot files in place,
# or takes them away. Called by `make install` and `make uninstall`, which set the variables.
set -eu

usage() { echo "usage: install.sh install|uninstall" >&2; exit 100; }
die() { echo "install: fatal: $*" >&2; exit 111; }
[ $# -eq 1 ] || usage
: "${PREFIX:?}" "${SYSCONFDIR:?}" "${QMAILHOME:?}" "${BIN:?}" "${MAN:?}"
D=${DESTDIR:-}
share=$D$PREFIX/share/indimail

list() { awk -v mode=install -f src/gen/programs.awk src/PROGRAMS; }
fill() { # a boot file with its directories filled in
    sed -e "s|@PREFIX@|$PREFIX|g" -e "s|@SYSCONFDIR@|$SYSCONFDIR|g" -e "s|@QMAILHOME@|$QMAILHOME|g" \
        -e "s|@LOGDIR@|${LOGDIR:-}|g" -e "s|@RUNDIR@|${RUNDIR:-}|g" -e "s|@SERVICEDIR@|${SERVICEDIR:-}|g" "$1"
}
account() { # USER:GROUP: do both exist?
    getent passwd "${1%:*}" > /dev/null && getent group "${1#*:}" > /dev/null
}
# A running program's file is replaced, never written into.
program() { # NAME DIR MODE OWNER
    to=$D$PREFIX/$2/$1
    mkdir -p "${to%/*}"
    rm -f "$to.new"
    cp "$BIN/$1" "$to.new"
    chmod 755 "$to.new"
    if [ "$4 $3" = "root:root 0755" ]; then
        [ "$(id -u)" -ne 0 ] || chown root:root "$to.new"
    elif [ "$(id -u)" -eq 0 ] && account "$4"; then
        chown "$4" "$to.new"
        chmod "$3" "$to.new"
    else
        echo "install: $to: owner $4 and mode $3 left out"
    fi
    mv -f "$to.new" "$to"
}
copy() { # FROM TO
    mkdir -p "${2%/*}"
    cp "$1" "$2.new"
    chmod 644 "$2.new"
    mv -f "$2.new" "$2"
}
boot_file() { # FROM TO
    mkdir -p "${2%/*}"
    fill "$1" > "$2.new"
    chmod 644 "$2.new"
    mv -f "$2.new" "$2"
}
install_all() {
    list | while read -r name dir mode owner; do
        [ -e "$BIN/$name" ] || die "$BIN/$name is not built"
        program "$name" "$dir" "$mode" "$owner"
    done
    for f in man/man[1-8]/*.[1-8]; do # the finished pages, with paths and tables filled in
        [ ! -e "$f" ] || copy "$MAN/${f#man/}" "$D$PREFIX/share/$f"
    done
    for f in boot/* boot/templates/*; do
        [ ! -f "$f" ] || boot_file "$f" "$share/$f"
    done
    for f in boot/fail2ban/*; do
        [ ! -f "$f" ] || boot_file "$f" "$share/fail2ban/${f##*/}"
    done
    for f in control/*; do
        [ ! -f "$f" ] || copy "$f" "$share/$f"
    done
    for d in "$SYSCONFDIR" "$SYSCONFDIR/control" "$SYSCONFDIR/users" "$SYSCONFDIR/tcp" "$SYSCONFDIR/certs" \
        "$QMAILHOME" "$QMAILHOME/alias" "$QMAILHOME/domains" "$QMAILHOME/queue"; do
        [ -d "$D$d" ] || { mkdir -p "$D$d" && chmod 755 "$D$d"; }
    done
    echo "install: done; next: $PREFIX/sbin/svctool --config=users"
}
# What an administrator made (control files, queue, mail) stays.
uninstall_all() {
    list | while read -r name dir mode owner; do
        rm -f "$D$PREFIX/$dir/$name"
    done
    for f in man/man[1-8]/*.[1-8]; do
        [ ! -e "$f" ] || rm -f "$D$PREFIX/share/$f"
    done
    rm -rf "$share"
}

case $1 in
    install) install_all ;;
    uninstall) uninstall_all ;;
    *) usage ;;
esac
