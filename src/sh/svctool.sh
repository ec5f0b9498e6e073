#!/bin/sh
# svctool: makes service directories from boot/SERVICES and boot/templates, and the users,
# control files and certificates a mail server starts with.
set -eu

usage() {
    echo "usage: svctool --smtp=PORT|--delivery=NAME|--imap=PORT|--pop3=PORT|--poppass=PORT|--proxyimap=PORT|--proxypop3=PORT|--qmtp=PORT|--qmqp=PORT|--inlookup=FIFO|--pwdlookup|--tlsd|--queued|--slowq|--svscanlog [option ...] | --refreshsvc=NAME|all | --rmsvc=NAME | --set-variable=NAME --variable-value=VALUE --service-name=SERVICE | --unset-variable=NAME --service-name=SERVICE | --print-variables --service-name=SERVICE | --config=users|qmail|cert [option ...]; bad: $*" >&2
    exit 100
}
die() { echo "svctool: fatal: $*" >&2; exit 111; }
say() { echo "svctool: $*"; }

PREFIX=@PREFIX@
SYSCONFDIR=@SYSCONFDIR@
RUNDIR=@RUNDIR@
PATH=${QMAILBIN:+$QMAILBIN:}$PREFIX/bin:$PREFIX/sbin:$PATH:/usr/sbin:/usr/bin:/sbin:/bin
home=${QMAILHOME:-@QMAILHOME@}
etc=${QMAILHOME:-@SYSCONFDIR@}
bootdir=$PREFIX/share/indimail/boot
servicedir=${SERVICEDIR:-@SERVICEDIR@}
logdir=${LOGDIR:-@LOGDIR@}
cntrldir=${CONTROLDIR:-$etc/control}
usersdir=${ASSIGNDIR:-$etc/users}
tcpdir=${TCPDIR:-$etc/tcp}
certdir=${CERTDIR:-$etc/certs}

# --- the command line ------------------------------------------------------------------------
what= value= ssl= down= cntrl_given=
localip=0 maxdaemons= maxperip=25 maxperip_all= memory= threads=5 residents=
starttls= forcetls= auth= forceauth= chkrecipient= remote_auth= databytes= infifo= policy= masquerade=
plugins= plugin= settings= dnsbl= multi=
qbase= qcount= qstart= min_free= domain= postmaster=
mailstore= storeport=
variable= variable_value= service= common_name= validity_days=365
want() { # WHAT VALUE: one job a call
    [ -z "$what" ] || usage "--$1 and --$what together"
    what=$1 value=$2
}
number() { # OPTION VALUE
    case $2 in
        "" | *[!0-9]*) usage "--$1=$2 is not a number" ;;
    esac
    [ "${#2}" -le 15 ] || usage "--$1=$2 is too large"
}
port() {
    number "$1" "$2"
    [ "${#2}" -le 5 ] && [ "$2" -le 65535 ] && [ "$2" -ge 1 ] || usage "--$1=$2 is not a port"
}
name() { # OPTION VALUE: one component of a path, without surprises for sed and the shell
    case $2 in
        "" | .* | *[!A-Za-z0-9._-]*) usage "--$1=$2 is not a name" ;;
    esac
}
variable_name() {
    case $2 in
        "" | [0-9]* | *[!A-Za-z0-9_]*) usage "--$1=$2 is not the name of a variable" ;;
    esac
}
text() { # one line, for a variable's file and for .options
    case $2 in
        "" | *[[:cntrl:]]*) usage "--$1 wants one line of text" ;;
    esac
}
between() { # OPTION VALUE LEAST MOST
    number "$1" "$2"
    [ "$2" -ge "$3" ] && [ "$2" -le "$4" ] || usage "--$1=$2 is not from $3 to $4"
}
rate() { # OPTION VALUE: count/seconds, or several with blanks between
    case $2 in
        "" | *[!0-9/\ ]*) usage "--$1=$2 is not count/seconds" ;;
    esac
    for limit in $2; do
        case $limit in
            */*/* | */ | /*) usage "--$1=$2 is not count/seconds" ;;
            */*) ;;
            *) usage "--$1=$2 is not count/seconds" ;;
        esac
    done
}
zones() { # OPTION VALUE: domains in the DNS, separated by commas
    case $2 in
        "" | .* | *[!A-Za-z0-9.,-]*) usage "--$1=$2 is no list of domains" ;;
    esac
}
set_to() { # NAME VALUE: a variable of the services that take mail
    settings="$settings$1=$2
"
}
directory() {
    case $2 in
        *[!A-Za-z0-9._/+,:@-]*) usage "--$1=$2 has characters a directory of ours may not have" ;;
        /*) ;;
        *) usage "--$1=$2 is not an absolute path" ;;
    esac
}
[ $# -gt 0 ] || usage "nothing to do"
for arg; do
    v=${arg#*=}
    case $arg in
        --smtp=* | --imap=* | --pop3=* | --poppass=* | --proxyimap=* | --proxypop3=* | --qmtp=* | --qmqp=*) o=${arg%%=*}; port "${o#--}" "$v"; want "${o#--}" "$v" ;;
        --delivery=* | --inlookup=*) o=${arg%%=*}; name "${o#--}" "$v"; want "${o#--}" "$v" ;;
        --tlsd | --pwdlookup | --svscanlog | --queued | --slowq | --print-variables) want "${arg#--}" "" ;;
        --refreshsvc=*) [ "$v" = .svscan ] || name refreshsvc "${v##*/}"; want refreshsvc "${v##*/}" ;;
        --rmsvc=*) [ "$v" = .svscan ] || name rmsvc "$v"; want rmsvc "$v" ;;
        --set-variable=* | --modify-variable=*) variable_name set-variable "$v"; want set-variable ""; variable=$v ;;
        --unset-variable=*) variable_name unset-variable "$v"; want unset-variable ""; variable=$v ;;
        --remove-variable=*) variable_name remove-variable "$v"; want remove-variable ""; variable=$v ;;
        --config=users | --config=qmail | --config=cert) want "config-$v" "" ;;
        --variable-value=*) variable_value=$v ;;
        --service-name=*) [ "$v" = .svscan ] || name service-name "$v"; service=$v ;;
        --ssl) ssl=1 ;;
        --starttls) starttls=1 ;;
        --forcetls) forcetls=1 ;;
        --authsmtp) auth=1 ;;
        --odmr) policy="$policy ODMR" ;;
        --forceauthsmtp) auth=1 forceauth=1 ;;
        --chkrecipient) chkrecipient=1 ;;
        --chkrecipient=*) number chkrecipient "$v"; chkrecipient=$v ;;
        --authall) policy="$policy AUTH_ALL" ;;
        --antispoof | --chksender) policy="$policy ANTISPOOFING" ;;
        --masquerade) masquerade=1 ;;
        --cugmail) policy="$policy CUGMAIL" ;;
        --paranoid) policy="$policy PARANOID" ;;
        --dmasquerade) policy="$policy DOMAIN_MASQUERADE" ;;
        --dnscheck) policy="$policy DNSCHECK" ;;
        --helocheck) policy="$policy BADHELOCHECK" ;;
        --helofqdn) policy="$policy ENFORCE_FQDN_HELO" ;;
        --qregex) policy="$policy QREGEX" ;;
        --secureauth) policy="$policy SECUREAUTH" ;;
        --enablecram) set_to AUTHMECHANISMS "CRAM-SHA512 CRAM-SHA384 CRAM-SHA256 CRAM-SHA224 CRAM-SHA1 CRAM-MD5" ;;
        --chkrelay) policy="$policy CHECKRELAY" ;;
        --utf8) policy="$policy SMTPUTF8" ;;
        --infifo=*) name infifo "$v"; infifo=$v ;;
        --rbl) dnsbl=zen.spamhaus.org ;;
        --skip-rbl) policy="$policy SKIPDNSBL" ;;
        --rbl=*) zones rbl "$v"; dnsbl=$v ;;
        --spf-program=*) text spf-program "$v"; set_to SPFPROGRAM "$v" ;;
        --spf=*) between spf "$v" 0 6; set_to SPFBEHAVIOUR "$v" ;;
        --use-greydaemon) set_to GREYIP 127.0.0.1@1999 ;;
        --use-greydaemon=*) directory use-greydaemon "/$v"; set_to GREYIP "$v" ;;
        --rate-connections=* | --rate-connections-net=* | --rate-messages=* | --rate-messages-net=* | --rate-recipients=* | \
            --rate-recipients-net=* | --sendlimit-messages=* | --sendlimit-recipients=*)
            o=${arg%%=*}
            rate "${o#--}" "$v"
            set_to "$(printf %s "${o#--}" | tr a-z- A-Z_)" "$v"
            ;;
        --content-filter) set_to BODYCHECK bodycheck ;;
        --content-filter=*) directory content-filter "/$v"; set_to BODYCHECK "$v" ;;
        --virus-filter) set_to VIRUSCHECK 1 ;;
        --virus-filter=*) between virus-filter "$v" 1 6; set_to VIRUSCHECK "$v" ;;
        --qhpsi=*) text qhpsi "$v"; set_to QHPSI "$v" ;;
        --spamfilter=*) text spamfilter "$v"; set_to SPAMFILTER "$v"; multi=1 ;;
        --spamexitcode=*) between spamexitcode "$v" 0 255; set_to SPAMEXITCODE "$v" ;;
        --rejectspam=*) between rejectspam "$v" 0 2; set_to REJECTSPAM "$v" ;;
        --smtp-plugin) plugins=1 ;;
        --smtp-plugin=*) case $v in /*) directory smtp-plugin "$v" ;; *) name smtp-plugin "$v" ;; esac; plugins=1 plugin=$v ;;
        --hide-host) policy="$policy HIDE_HOST" ;;
        --remote-authsmtp=*) name remote-authsmtp "$v"; remote_auth=$v ;;
        --localip=*) directory localip "/$v"; localip=$v ;;
        --maxdaemons=*) number maxdaemons "$v"; maxdaemons=$v ;;
        --residents=*) number residents "$v"; residents=$v ;;
        --maxperip=*) number maxperip "$v"; maxperip=$v ;;
        --maxperip-all=*) number maxperip-all "$v"; maxperip_all=$v ;;
        --memory=*) number memory "$v"; memory=$v ;;
        --databytes=*) number databytes "$v"; databytes=$v ;;
        --qbase=*) directory qbase "$v"; qbase=$v ;;
        --qcount=*) number qcount "$v"; qcount=$v ;;
        --qstart=*) number qstart "$v"; qstart=$v ;;
        --min-free=*) number min-free "$v"; min_free=$v ;;
        --threads=*) number threads "$v"; threads=$v ;;
        --default-domain=*) name default-domain "$v"; domain=$v ;;
        --postmaster=*) postmaster=$v ;;
        --common_name=*) name common_name "$v"; common_name=$v ;;
        --validity_days=*) number validity_days "$v"; validity_days=$v ;;
        --servicedir=*) directory servicedir "$v"; servicedir=$v ;;
        --cntrldir=*) directory cntrldir "$v"; cntrldir=$v cntrl_given=1 ;;
        --logdir=*) directory logdir "$v"; logdir=$v ;;
        --bootdir=*) directory bootdir "$v"; bootdir=$v ;;
        --mailstore=*) directory mailstore "/$v"; mailstore=$v ;;
        --storeport=*) port storeport "$v"; storeport=$v ;;
        --down) down=1 ;;
        *) usage "$arg" ;;
    esac
done
[ -n "$what" ] || usage "nothing to do"
case $what in
    proxy*) [ -n "$mailstore" ] || usage "--$what wants --mailstore=HOST" ;;
esac

# --- services --------------------------------------------------------------------------------
row() { # OPTION: the row of boot/SERVICES with that option, as name template user groups memory log
    awk -v o="$1" '!/^#/ && $2 == o { print $1, $4, $5, $6, $7, $8; found = 1; exit } END { exit !found }' \
        "$bootdir/SERVICES" || die "no service for --$1 in $bootdir/SERVICES"
}
fill() { # FILE: a template with its places filled
    [ -r "$1" ] || die "no template $1"
    sed -e "s|%NAME%|$svc|g" -e "s|%PREFIX%|$PREFIX|g" -e "s|%SYSCONFDIR%|$SYSCONFDIR|g" -e "s|%RUNDIR%|$RUNDIR|g" \
        -e "s|%USER%|$user|g" -e "s|%GROUPS%|$groups|g" -e "s|%LOG%|$logdir/$log|g" "$1"
}
put() { # NAME VALUE: a variable of the service being made
    printf '%s\n' "$2" > "$new/variables/$1"
}
put_if() { [ -z "$2" ] || put "$1" "$2"; }

proxied() { # PORT: what a proxy needs more, with the port its mail store usually has
    case $what in
        proxy*)
            put LOGINPROGRAM "$what"
            put MAILSTORE "$(printf %s "$mailstore" | tr , " ")"
            put DESTPORT "${what#proxy}:${storeport:-$1}"
            ;;
    esac
}
variables() {
    put_if SOFT_MEM "${memory:-$limit}"
    [ -z "$cntrl_given" ] || put CONTROLDIR "$cntrldir"
    put_if DEFAULT_DOMAIN "$domain"
    case $what in
        smtp | imap | pop3 | poppass | proxyimap | proxypop3 | qmtp | qmqp)
            put LOCALIP "$localip"
            put PORT "$value"
            put MAXPERIP "$maxperip"
            put_if MAXPERIP_ALL "$maxperip_all"
            ;;
    esac
    case $what in
        smtp | qmtp | qmqp | delivery | queued)
            put_if QUEUE_BASE "$qbase"
            put_if QUEUE_COUNT "$qcount"
            put_if QUEUE_START "$qstart"
            put_if MIN_FREE "$min_free"
            put_if AUTH_SMTP "$remote_auth"
            ;;
    esac
    case $what in
        smtp | qmtp)
            put_if SMTPS "$ssl"
            put_if CHECKRECIPIENT "$chkrecipient"
            put_if DATABYTES "$databytes"
            for v in $policy; do put "$v" 1; done
            printf %s "$settings" | while IFS= read -r v; do put "${v%%=*}" "${v#*=}"; done
            [ -z "$masquerade" ] || put MASQUERADE "" # set, to nothing
            put_if QMAILQUEUE "${multi:+qmail-multi}"
            [ -n "$plugins" ] || put DISABLE_PLUGIN 1
            put_if SMTP_PLUGIN "$plugin"
            ;;
    esac
    case $what in
        inlookup) ;; # has its own
        *) put_if INFIFO "$infifo" ;;
    esac
    case $what in
        smtp)
            put MAXDAEMONS "${maxdaemons:-75}"
            # Whoever must log in first gets a process of his own.
            put RESIDENTS "${residents:-$([ -n "$forceauth" ] && echo 0 || echo 2)}"
            put_if STARTTLS "$starttls"
            put_if FORCE_TLS "$forcetls"
            put_if REQUIREAUTH "$forceauth"
            [ -z "$auth" ] || put AUTHMODULES vchkpass
            ;;
        qmtp)
            put MAXDAEMONS "${maxdaemons:-75}"
            put RESIDENTS "${residents:-2}"
            ;;
        qmqp)
            put MAXDAEMONS "${maxdaemons:-75}"
            put RESIDENTS "${residents:-2}"
            put_if DATABYTES "$databytes"
            ;;
        imap | proxyimap)
            put MAXDAEMONS "${maxdaemons:-40}"
            put IMAPD /usr/bin/imapd
            proxied 143
            put_if IMAPS "$ssl"
            put_if STARTTLS "$starttls"
            ;;
        pop3 | proxypop3)
            put MAXDAEMONS "${maxdaemons:-40}"
            put POP3D /usr/lib/courier/courier/courierpop3d
            proxied 110
            put_if POP3S "$ssl"
            put_if STARTTLS "$starttls"
            ;;
        poppass)
            put MAXDAEMONS "${maxdaemons:-40}"
            put AUTHMODULES vchkpass
            put PASSWORD_COMMAND vsetpass
            put_if POPPASS_TLS "$ssl"
            put_if STARTTLS "$starttls"
            ;;
        slowq)
            put QUEUEDIR "${qbase:-$home/queue}/slowq"
            put_if MIN_FREE "$min_free"
            put_if AUTH_SMTP "$remote_auth"
            ;;
        inlookup)
            put THREADS "$threads"
            put INFIFO "$value"
            ;;
    esac
}
make_logdir() {
    mkdir -p "$logdir" "$logdir/$log"
    [ "$(id -u)" -eq 0 ] || return 0
    chown qmaill:nofiles "$logdir/$log" || die "no user qmaill: run svctool --config=users"
    chmod 755 "$logdir"
    chmod 750 "$logdir/$log"
}
# A service that is there already gets the new files one by one, each whole.
move_over() { # FROM TO
    for f in "$1"/* "$1"/.[!.]*; do
        [ -e "$f" ] || continue
        if [ -d "$f" ]; then
            mkdir -p "$2/${f##*/}"
            move_over "$f" "$2/${f##*/}"
        elif [ -n "$keep_variables" ] && [ -e "$2/${f##*/}" ] && [ "${2##*/}" = variables ]; then
            :
        else
            mv -f "$f" "$2/${f##*/}"
        fi
    done
}
make_service() { # with the command line as arguments
    option=$what
    [ -z "$ssl" ] || option=$what+ssl
    set -f
    fields=$(row "$option")
    first_arguments=$(for a; do printf '%s\n' "$a"; done)
    set -- $fields
    set +f
    svc=$1 template=$2 user=$3 groups=$4 limit=$5 log=$6
    case $svc in *%) svc=${svc%?}$value log=${log%?}$value ;; esac
    mkdir -p "$servicedir"
    # Not seen by svscan before it is complete.
    new=$servicedir/.new.$svc.$$
    rm -rf "$new"
    trap 'rm -rf "$new"' EXIT
    mkdir -p "$new/log" "$new/variables"
    variables
    printf '%s\n' "$first_arguments" > "$new/variables/.options"
    if [ "$template" != - ]; then
        { fill "$bootdir/templates/head.run"; fill "$bootdir/templates/$template.run"; } > "$new/run"
        chmod 755 "$new/run"
    fi
    fill "$bootdir/templates/log.run" > "$new/log/run"
    chmod 755 "$new" "$new/log" "$new/log/run" "$new/variables"
    [ -z "$down" ] || : > "$new/down"
    make_logdir
    [ -z "$dnsbl" ] || dns_lists
    target=$servicedir/$svc
    if [ -d "$target" ]; then
        move_over "$new" "$target"
        rm -rf "$new"
    else
        mv "$new" "$target"
    fi
    trap - EXIT
    say "$target is ready"
}
dns_lists() {
    [ ! -e "$cntrldir/dnsbllist" ] || say "$cntrldir/dnsbllist is there, and stays as it is"
    default_file "$cntrldir/dnsbllist" "$(printf '%s\n' "$dnsbl" | tr , '\n')
"
}
need_service() { # NAME
    [ -n "$1" ] || usage "--service-name is missing"
    [ -d "$servicedir/$1/variables" ] || die "no service $servicedir/$1"
}
refresh() { # NAME: run the command that made it again
    options=$servicedir/$1/variables/.options
    [ -r "$options" ] || die "no service $servicedir/$1"
    set --
    while IFS= read -r line; do set -- "$@" "$line"; done < "$options"
    SVCTOOL_REFRESH=1 "$0" "$@" "--servicedir=$servicedir" "--bootdir=$bootdir"
}
keep_variables=${SVCTOOL_REFRESH:-}

remove_service() { # NAME
    [ -d "$servicedir/$1" ] || die "no service $servicedir/$1"
    d=$servicedir/.old.$1.$$
    # Out of svscan's sight first, or it would start what has just ended.
    mv "$servicedir/$1" "$d"
    for s in "$d" "$d/log"; do
        [ ! -d "$s/supervise" ] || ! svok "$s" || svc -dx -W -T 60 "$s" || die "$d does not stop"
    done
    rm -rf "$d"
    say "$servicedir/$1 is removed; its logs are kept"
}

# --- users, control files, certificates -------------------------------------------------------
add_group() { # NAME [GID]
    getent group "$1" > /dev/null && return 0
    if [ -n "${2:-}" ] && ! getent group "$2" > /dev/null; then
        groupadd -g "$2" "$1"
    else
        groupadd -r "$1"
    fi
    say "group $1 made"
}
add_user() { # NAME GROUP EXTRA HOME [UID]
    if getent passwd "$1" > /dev/null; then
        [ "$3" = - ] || usermod -a -G "$3" "$1"
        return 0
    fi
    set -- "$@" ""
    extra=; [ "$3" = - ] || extra="-G $3"
    id=-r; [ -z "$5" ] || getent passwd "$5" > /dev/null || id="-u $5"
    useradd $id -M -N -g "$2" $extra -d "$4" -s /usr/sbin/nologin "$1"
    say "user $1 made"
}
config_users() {
    [ "$(id -u)" -eq 0 ] || die "only root can make users"
    add_group qmail
    add_group nofiles
    add_group indimail 555
    add_group qscand
    add_group qcerts
    add_user alias nofiles - "$home/alias"
    add_user qmaild nofiles qcerts "$home"
    add_user qmaill nofiles - "$logdir"
    add_user qmailp nofiles - "$home"
    add_user qmailq qmail - "$home"
    add_user qmailr qmail qcerts "$home"
    add_user qmails qmail - "$home"
    add_user indimail indimail - "$home" 555
    add_user qscand qscand qmail "$home/qscanq"
}

# A file that is there stays as the administrator left it.
default_file() { # PATH TEXT
    [ ! -e "$1" ] || return 0
    printf '%s' "$2" > "$1.$$"
    chmod 644 "$1.$$"
    mv "$1.$$" "$1"
}
rules() { # NAME TEXT
    default_file "$tcpdir/$1" "$2"
    tcprules "$tcpdir/$1.cdb" "$tcpdir/$1.tmp" < "$tcpdir/$1" || die "bad rules in $tcpdir/$1"
    chmod 644 "$tcpdir/$1.cdb"
}
system_alias() { # NAME
    if [ -n "$postmaster" ]; then
        default_file "$home/alias/.qmail-$1" "&$postmaster
"
    else
        default_file "$home/alias/.qmail-$1" "./Maildir/
"
    fi
}
config_qmail() {
    [ -n "$domain" ] || usage "--config=qmail needs --default-domain"
    case $domain in
        *.*.*) parent=${domain#*.} ;;
        *) parent=$domain ;;
    esac
    mkdir -p "$cntrldir" "$usersdir" "$tcpdir" "$home/alias"
    chmod 755 "$cntrldir" "$usersdir" "$tcpdir"
    default_file "$cntrldir/me" "$domain
"
    default_file "$cntrldir/defaultdomain" "$parent
"
    default_file "$cntrldir/plusdomain" "$parent
"
    default_file "$cntrldir/locals" "localhost
$domain
"
    default_file "$cntrldir/rcpthosts" "localhost
$domain
"
    default_file "$cntrldir/defaultdelivery" "./Maildir/
"
    default_file "$cntrldir/servicedir.conf" "$servicedir
"
    default_file "$usersdir/assign" ".
"
    if [ ! -e "$usersdir/cdb" ]; then ASSIGNDIR=$usersdir qmail-newu || die "qmail-newu failed"; fi
    rules tcp.smtp '# Who may connect to SMTP: address:allow or address:deny, then ,NAME="value" ...
# Clients that may send anywhere: 192.0.2.:allow,RELAYCLIENT=""
# After a change: tcprules tcp.smtp.cdb tcp.smtp.tmp < tcp.smtp
:allow
'
    rules tcp.qmqp '# Who may send mail by QMQP, anywhere: those we trust and no others, 192.0.2.7:allow
# After a change: tcprules tcp.qmqp.cdb tcp.qmqp.tmp < tcp.qmqp
127.:allow
:deny
'
    for p in qmtp imap pop3 poppass; do
        rules tcp.$p "# Who may connect: address:allow or address:deny
:allow
"
    done
    for a in postmaster mailer-daemon root; do system_alias $a; done
    if [ ! -d "$home/alias/Maildir" ]; then
        mkdir -p "$home/alias/Maildir/new" "$home/alias/Maildir/cur" "$home/alias/Maildir/tmp"
        chmod 700 "$home/alias/Maildir" "$home/alias/Maildir"/*
    fi
    [ "$(id -u)" -ne 0 ] || chown -R alias:nofiles "$home/alias" || die "no user alias: run svctool --config=users"
    say "control files are in $cntrldir"
}

config_cert() {
    cn=$common_name
    [ -n "$cn" ] || { [ -r "$cntrldir/me" ] && read -r cn < "$cntrldir/me"; } || usage "--config=cert needs --common_name"
    mkdir -p "$certdir"
    chmod 755 "$certdir"
    work=$certdir/.new.$$
    trap 'rm -rf "$work"' EXIT
    (
        umask 077
        mkdir "$work"
        ec="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
        # A subject holds 64 characters; who compares looks at subjectAltName.
        short=$(printf '%.64s' "$cn")
        if [ ! -s "$certdir/ca.key" ] || ! openssl x509 -checkend 86400 -noout -in "$certdir/ca.pem" > /dev/null; then
            openssl req -x509 $ec -days 3650 -subj "/O=Local mail server/CN=Certificate authority" \
                -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
                -keyout "$work/ca.key" -out "$work/ca.pem" 2> "$work/log" || { cat "$work/log" >&2; exit 111; }
        else
            cp "$certdir/ca.key" "$certdir/ca.pem" "$work/"
        fi
        openssl req $ec -subj "/CN=$short" -keyout "$work/key" -out "$work/csr" 2> "$work/log" ||
            { cat "$work/log" >&2; exit 111; }
        printf '%s\n' "basicConstraints=critical,CA:FALSE" "keyUsage=critical,digitalSignature" \
            "extendedKeyUsage=serverAuth,clientAuth" "subjectKeyIdentifier=hash" "authorityKeyIdentifier=keyid" \
            "subjectAltName=DNS:$cn,DNS:localhost,IP:127.0.0.1,IP:0:0:0:0:0:0:0:1" > "$work/ext"
        openssl x509 -req -in "$work/csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial \
            -days "$validity_days" -extfile "$work/ext" -out "$work/cert" 2> "$work/log" ||
            { cat "$work/log" >&2; exit 111; }
        cat "$work/cert" "$work/ca.pem" "$work/key" > "$work/servercert.pem"
    ) || die "openssl failed"
    chmod 600 "$work/ca.key"
    chmod 644 "$work/ca.pem"
    if [ "$(id -u)" -eq 0 ]; then
        chgrp qcerts "$work/servercert.pem" || die "no group qcerts: run svctool --config=users"
        chmod 640 "$work/servercert.pem"
    fi
    for f in ca.key ca.pem servercert.pem; do mv -f "$work/$f" "$certdir/$f"; done
    rm -rf "$work"
    trap - EXIT
    say "$certdir/servercert.pem is for $cn, valid for $validity_days days; clients trust it through $certdir/ca.pem"
}

# --- what was asked for ------------------------------------------------------------------------
umask 022
case $what in
    refreshsvc)
        if [ "$value" != all ]; then
            refresh "$value"
        else
            for d in "$servicedir"/* "$servicedir/.svscan"; do
                [ ! -r "$d/variables/.options" ] || refresh "${d##*/}"
            done
        fi
        ;;
    rmsvc) remove_service "$value" ;;
    set-variable)
        need_service "$service"
        printf '%s\n' "$variable_value" > "$servicedir/$service/variables/.$variable.$$"
        mv "$servicedir/$service/variables/.$variable.$$" "$servicedir/$service/variables/$variable"
        ;;
    unset-variable)
        need_service "$service"
        : > "$servicedir/$service/variables/$variable"
        ;;
    remove-variable)
        need_service "$service"
        rm -f "$servicedir/$service/variables/$variable"
        ;;
    print-variables)
        need_service "$service"
        for f in "$servicedir/$service/variables"/*; do
            [ ! -f "$f" ] || printf '%s=%s\n' "${f##*/}" "$(head -n 1 "$f")"
        done
        ;;
    config-users) config_users ;;
    config-qmail) config_qmail ;;
    config-cert) config_cert ;;
    *) make_service "$@" ;;
esac
