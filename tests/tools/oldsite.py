"""The databases of mail servers before ours, as they lay there: the tables of an IndiMail on MySQL, and a tree of vpopmail's."""

STAMP = "timestamp TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP"
USERS = ("pw_name char(40) NOT NULL, pw_domain char(67) NOT NULL, pw_passwd char(128) NOT NULL, pw_uid int, pw_gid int, pw_gecos char(48) NOT NULL,"
         f" pw_dir char(156), pw_shell char(30), scram char(255), {STAMP}, PRIMARY KEY (pw_name, pw_domain)")
FLAGS = "disable_pop disable_imap disable_dialup disable_passwordchanging disable_webmail disable_relay disable_smtp".split()
PERMS = "perm_account perm_alias perm_forward perm_autoresponder perm_maillist perm_quota perm_defaultquota".split()
MAXIMA = "domain_expiry passwd_expiry maxpopaccounts maxaliases maxforwards maxautoresponders maxmailinglists".split()
LEVELS = ", ".join(f"level_{w} int" for w in ("cur", "max", "start0", "end0", "mod0", "index0"))

TABLES = {
    "indimail": USERS,
    "indibak": USERS,
    "valias": f"alias char(40) NOT NULL, domain char(67) NOT NULL, valias_line char(190) NOT NULL, {STAMP}, UNIQUE (alias, domain, valias_line)",
    "vlimits": "domain char(67) NOT NULL PRIMARY KEY, " + ", ".join(f"{m} int NOT NULL DEFAULT -1" for m in MAXIMA)
               + ", diskquota bigint unsigned NOT NULL DEFAULT 0, maxmsgcount bigint unsigned NOT NULL DEFAULT 0, defaultquota bigint NOT NULL DEFAULT 0,"
               + " defaultmaxmsgcount bigint unsigned NOT NULL DEFAULT 0, " + ", ".join(f"{f} tinyint(1) NOT NULL DEFAULT 0" for f in FLAGS) + ", "
               + ", ".join(f"{p} smallint NOT NULL DEFAULT 0" for p in PERMS) + f", {STAMP}",
    "userquota": f"user char(40) NOT NULL, domain char(67) NOT NULL, quota bigint unsigned, {STAMP}, PRIMARY KEY (user, domain)",
    "relay": "email char(96) NOT NULL, ipaddr char(46) NOT NULL, timestamp int NOT NULL, UNIQUE (email, ipaddr)",
    "lastauth": "user char(40) NOT NULL, domain char(67) NOT NULL, service char(10) NOT NULL, remote_ip char(46) NOT NULL, quota int, gecos char(48),"
                f" {STAMP}, PRIMARY KEY (user, domain, service)",
    "atrn_map": f"pw_name char(40) NOT NULL, pw_domain char(67) NOT NULL, domain_list char(67) NOT NULL, {STAMP}",
    "fstab": "filesystem char(64) NOT NULL, host char(64) NOT NULL, status int, max_users bigint, cur_users bigint, max_size bigint, cur_size bigint,"
             f" {STAMP}, PRIMARY KEY (filesystem, host)",
    "ip_alias_map": f"ipaddr char(46) NOT NULL PRIMARY KEY, domain char(67) NOT NULL, {STAMP}",
    "vfilter": "emailid char(107) NOT NULL, filter_no smallint NOT NULL, filter_name char(32), header_name smallint, comparision tinyint,"
               f" keyword char(64), destination char(156), bounce_action char(64), {STAMP}, PRIMARY KEY (emailid, filter_no)",
    "vlog": "id bigint AUTO_INCREMENT PRIMARY KEY, user char(40), passwd char(28), domain char(67), logon char(32), remoteip char(18),"
            f" message varchar(254), {STAMP}, error int",
    "bulkmail": "emailid char(107) NOT NULL, filename char(64) NOT NULL, zztimestamp TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (emailid, filename)",
    "aliasdomain": f"alias char(64) NOT NULL PRIMARY KEY, domain char(67) NOT NULL, {STAMP}",
    "ischema": f"id int AUTO_INCREMENT PRIMARY KEY, comment text, {STAMP}",
    "hostcntrl": f"pw_name char(40) NOT NULL, pw_domain char(67) NOT NULL, pw_passwd char(128), host char(64), {STAMP}",
    "badmailfrom": "email char(64) NOT NULL PRIMARY KEY",
    "dir_control_home_A2E": f"domain char(67) NOT NULL UNIQUE, cur_users int, {LEVELS}, the_dir char(156), {STAMP}",
    "dir_controlroot_T2Z": f"domain char(67) NOT NULL UNIQUE, cur_users int, {LEVELS}, the_dir char(156), {STAMP}",
}


def literal(value):
    if isinstance(value, (int, type(None))):
        return "NULL" if value is None else str(value)
    return "X'" + (value if isinstance(value, bytes) else value.encode()).hex() + "'" if value else "''"


def make(server, database, charset="latin1", engine="InnoDB", without=()):
    """The tables, empty; without: columns that older releases had not."""
    server.sql(f"CREATE DATABASE {database} CHARACTER SET {charset}")
    for name, columns in TABLES.items():
        columns = ", ".join(c for c in columns.split(", ") if c.split()[0] not in without)
        server.sql(f"CREATE TABLE `{name}` ({columns}) ENGINE = {engine}", database=database)


def insert(server, database, table, **columns):
    names, values = ", ".join(columns), ", ".join(map(literal, columns.values()))
    server.sql("SET SESSION time_zone = '+00:00', sql_mode = ''", f"INSERT INTO `{table}` ({names}) VALUES ({values})", database=database)


def user(server, database, name, table="indimail", domain="example.com", **columns):
    row = dict(pw_name=name, pw_domain=domain, pw_passwd="", pw_uid=1, pw_gid=0, pw_gecos=name, pw_dir=f"/nonexistent/A2E/{domain}/{name}",
               pw_shell="NOQUOTA", timestamp="2020-01-02 03:04:05")
    insert(server, database, table, **{**row, **columns})


def everything(server, database):
    """All rows of all tables, to see that nothing changed."""
    return {t: sorted(server.sql(f"SELECT * FROM `{t}`", database=database), key=str) for t in TABLES}
