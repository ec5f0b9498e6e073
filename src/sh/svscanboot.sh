#!/bin/sh
# svscanboot: starts svscan on the service directory with a clean environment.
if [ $# -gt 1 ]; then
    echo "usage: svscanboot [dir]" >&2
    exit 100
fi
case ${1:-} in
    -*)
        echo "usage: svscanboot [dir]" >&2
        exit 100
        ;;
esac
dir=${1:-@SERVICEDIR@}
cd "$dir" || exit 111
# What this shell was started with is nobody's business; .svscan/variables is the place for
# settings of svscan and all services.
set -- env -i PATH=@PREFIX@/bin:@PREFIX@/sbin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
[ ! -d .svscan/log ] || set -- "$@" SCANLOG=1
[ ! -d .svscan/variables ] || set -- "$@" @PREFIX@/bin/envdir .svscan/variables
umask 022
exec "$@" @PREFIX@/sbin/svscan "$dir" < /dev/null
