/* schema_columns: the words of schema.def's columns, for the files that read the table
 * (conf/conf.c and gen/mantables.c).  Include it last: the words are short. */
#ifndef CONF_SCHEMA_COLUMNS_H
#define CONF_SCHEMA_COLUMNS_H

#include "conf/conf.h"

#define LINE CONF_LINE
#define NUMBER CONF_NUMBER
#define SECONDS CONF_SECONDS
#define FLAG CONF_BOOL
#define LINES CONF_LINES
#define TEXT CONF_TEXT
#define LIST CONF_LIST
#define NONE CONF_NONE
#define VALUE CONF_VALUE
#define OPEN CONF_OPEN
#define NAME CONF_NAME
#define START CONF_AT_START
#define HUP CONF_AT_HUP
#define RUN CONF_EACH_RUN
#define SMTPD CONF_SMTPD
#define SEND CONF_SEND
#define QUEUE CONF_QUEUE
#define LOCAL CONF_LOCAL
#define REMOTE CONF_REMOTE
#define INJECT CONF_INJECT
#define USER CONF_USER
#define LOGIN CONF_LOGIN
#define TLS CONF_TLS
#define ADMIN CONF_ADMIN
#define EXTRAS CONF_EXTRAS
#define MULTI CONF_MULTI
#define LDAP CONF_LDAP
#define ALL CONF_ALL

#endif
