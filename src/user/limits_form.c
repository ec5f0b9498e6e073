/* limits_form: see limits_form.h. */
#include "user/limits_form.h"

#include <string.h>
#include <time.h>

#include "base/scan.h"

#define DAY 86400
#define DAYS_MAX 100000
#define DATE_DIGITS 14
#define PERM_ALL (LIMIT_CREATE | LIMIT_MODIFY | LIMIT_DELETE)
#define PERM_BITS 3

const struct limit_option limit_options[LIMIT_OPTIONS] = {
    {'e', FORM_DATE, LIMIT_DOMAIN_EXPIRY, 0},
    {'n', FORM_DAYS, LIMIT_DOMAIN_EXPIRY, 0},
    {'t', FORM_DATE, LIMIT_PASSWD_EXPIRY, 0},
    {'N', FORM_DAYS, LIMIT_PASSWD_EXPIRY, 0},
    {'Q', FORM_BYTES, LIMIT_DISK_QUOTA, 0},
    {'M', FORM_COUNT, LIMIT_MESSAGES, 0},
    {'q', FORM_BYTES, LIMIT_DEFAULT_QUOTA, 0},
    {'m', FORM_COUNT, LIMIT_DEFAULT_MESSAGES, 0},
    {'P', FORM_NUMBER, LIMIT_ACCOUNTS, 0},
    {'A', FORM_NUMBER, LIMIT_ALIASES, 0},
    {'F', FORM_NUMBER, LIMIT_FORWARDS, 0},
    {'R', FORM_NUMBER, LIMIT_AUTORESPONDERS, 0},
    {'L', FORM_NUMBER, LIMIT_LISTS, 0},
    {'p', FORM_PERM, LIMIT_PERM_ACCOUNT, 0},
    {'a', FORM_PERM, LIMIT_PERM_ALIAS, 0},
    {'f', FORM_PERM, LIMIT_PERM_FORWARD, 0},
    {'r', FORM_PERM, LIMIT_PERM_AUTORESPONDER, 0},
    {'l', FORM_PERM, LIMIT_PERM_LIST, 0},
    {'u', FORM_PERM, LIMIT_PERM_LIST, PERM_BITS},
    {'o', FORM_PERM, LIMIT_PERM_LIST, 2 * PERM_BITS},
    {'x', FORM_PERM, LIMIT_PERM_QUOTA, 0},
    {'z', FORM_PERM, LIMIT_PERM_DEFAULT_QUOTA, 0},
};

/* How each is shown: in the order of the table's columns. */
static const struct {
  const char *key, *label;
  enum limit_form form;
} shown[LIMITS] = {
    [LIMIT_DOMAIN_EXPIRY] = {"domain_expiry", "domain expires", FORM_DATE},
    [LIMIT_PASSWD_EXPIRY] = {"passwd_expiry", "passwords expire", FORM_DATE},
    [LIMIT_ACCOUNTS] = {"maxpopaccounts", "users", FORM_NUMBER},
    [LIMIT_ALIASES] = {"maxaliases", "aliases", FORM_NUMBER},
    [LIMIT_FORWARDS] = {"maxforwards", "forwards", FORM_NUMBER},
    [LIMIT_AUTORESPONDERS] = {"maxautoresponders", "autoresponders", FORM_NUMBER},
    [LIMIT_LISTS] = {"maxmailinglists", "mailing lists", FORM_NUMBER},
    [LIMIT_DISK_QUOTA] = {"diskquota", "quota", FORM_BYTES},
    [LIMIT_MESSAGES] = {"maxmsgcount", "messages", FORM_COUNT},
    [LIMIT_DEFAULT_QUOTA] = {"defaultquota", "default quota", FORM_BYTES},
    [LIMIT_DEFAULT_MESSAGES] = {"defaultmaxmsgcount", "default messages", FORM_COUNT},
    [LIMIT_NO_POP] = {"disable_pop", 0, FORM_COUNT},
    [LIMIT_NO_IMAP] = {"disable_imap", 0, FORM_COUNT},
    [LIMIT_NO_DIALUP] = {"disable_dialup", 0, FORM_COUNT},
    [LIMIT_NO_PASSWD_CHANGE] = {"disable_passwordchanging", 0, FORM_COUNT},
    [LIMIT_NO_WEBMAIL] = {"disable_webmail", 0, FORM_COUNT},
    [LIMIT_NO_RELAY] = {"disable_relay", 0, FORM_COUNT},
    [LIMIT_NO_SMTP] = {"disable_smtp", 0, FORM_COUNT},
    [LIMIT_PERM_ACCOUNT] = {"perm_account", "refused for users", FORM_PERM},
    [LIMIT_PERM_ALIAS] = {"perm_alias", "refused for aliases", FORM_PERM},
    [LIMIT_PERM_FORWARD] = {"perm_forward", "refused for forwards", FORM_PERM},
    [LIMIT_PERM_AUTORESPONDER] = {"perm_autoresponder", "refused for autoresponders", FORM_PERM},
    [LIMIT_PERM_LIST] = {"perm_maillist", "refused for mailing lists", FORM_PERM},
    [LIMIT_PERM_QUOTA] = {"perm_quota", "refused for quota", FORM_PERM},
    [LIMIT_PERM_DEFAULT_QUOTA] = {"perm_defaultquota", "refused for default quota", FORM_PERM},
};

static const struct {
  char letter;
  enum limit limit;
  const char *name;
} flags[] = {
    {'u', LIMIT_NO_DIALUP, "dialup"}, {'d', LIMIT_NO_PASSWD_CHANGE, "password change"}, {'s', LIMIT_NO_SMTP, "SMTP login"},
    {'i', LIMIT_NO_IMAP, "IMAP"},     {'p', LIMIT_NO_POP, "POP3"},                      {'w', LIMIT_NO_WEBMAIL, "webmail"},
    {'r', LIMIT_NO_RELAY, "relaying"},
};
#define FLAGS (sizeof flags / sizeof *flags)

static const struct {
  char letter;
  int bits;
  const char *name;
} perms[] = {{'a', PERM_ALL, 0}, {'c', LIMIT_CREATE, "create"}, {'m', LIMIT_MODIFY, "modify"}, {'d', LIMIT_DELETE, "delete"}};
#define PERMS (sizeof perms / sizeof *perms)

/* A number of two or four digits. */
static int digits(const char *s, size_t n) {
  int v = 0;

  while (n--) v = v * 10 + (*s++ - '0');
  return v;
}

/* A moment that the calendar has, after 1970. */
static int set_date(int64_t *v, const char *s) {
  struct tm tm = {0}, back;
  time_t at;

  if (strlen(s) != DATE_DIGITS || strspn(s, "0123456789") != DATE_DIGITS) return 0;
  tm.tm_mday = digits(s, 2);
  tm.tm_mon = digits(s + 2, 2) - 1;
  tm.tm_year = digits(s + 4, 4) - 1900;
  tm.tm_hour = digits(s + 8, 2);
  tm.tm_min = digits(s + 10, 2);
  tm.tm_sec = digits(s + 12, 2);
  back = tm;
  at = timegm(&back);
  if (at < 0 || back.tm_mday != tm.tm_mday || back.tm_mon != tm.tm_mon || back.tm_hour != tm.tm_hour || back.tm_min != tm.tm_min ||
      back.tm_sec != tm.tm_sec)
    return 0;
  *v = at;
  return 1;
}

static int set_number(int64_t *v, const char *s, int64_t least) {
  int64_t n;

  if (!scan_i64(s, strlen(s), &n) || n < least) return 0;
  *v = n;
  return 1;
}

static int set_bytes(int64_t *v, const char *s) {
  struct quota q;

  if (!*s || !quota_parse(s, strlen(s), &q) || q.count) return 0;
  *v = (int64_t)q.bytes;
  return 1;
}

static int set_perm(int64_t *v, const char *s, int shift) {
  int64_t bits = 0;

  if (!*s) return 0;
  for (; *s; ++s) {
    size_t i = 0;

    while (i < PERMS && perms[i].letter != *s) ++i;
    if (i == PERMS && *s != '0') return 0;
    bits = i == PERMS ? 0 : bits | perms[i].bits;
  }
  *v = (*v & ~((int64_t)PERM_ALL << shift)) | bits << shift;
  return 1;
}

int limits_form_set(struct limits *l, const struct limit_option *o, const char *text, int64_t now) {
  int64_t *v = &l->v[o->limit], days;

  switch (o->form) {
    case FORM_DATE: return set_date(v, text);
    case FORM_DAYS:
      if (!set_number(&days, text, -1) || days > DAYS_MAX) return 0;
      *v = days == -1 ? -1 : now + days * DAY;
      return 1;
    case FORM_NUMBER: return set_number(v, text, -1);
    case FORM_COUNT: return set_number(v, text, 0);
    case FORM_BYTES: return set_bytes(v, text);
    case FORM_PERM: return set_perm(v, text, o->shift);
  }
  return 0;
}

const char *limits_form_idle(const struct limit_option *o, const struct limits *l) {
  return o->limit == LIMIT_LISTS && l->v[LIMIT_LISTS] > 0 ? "no program here makes mailing lists" : 0;
}

int limits_form_flags(struct limits *l, const char *letters, int toggle) {
  for (; *letters; ++letters) {
    size_t i = 0;

    while (i < FLAGS && flags[i].letter != *letters) ++i;
    if (i < FLAGS) l->v[flags[i].limit] = toggle ? !l->v[flags[i].limit] : 1;
    else if (*letters != 'x') return 0;
    else
      for (i = 0; i < FLAGS; ++i) l->v[flags[i].limit] = 0;
  }
  return 1;
}

/* --- for people */

static void add_word(stralloc *text, const char *word, struct report *r) {
  if (!stralloc_catm(text, text->len ? ", " : "", word, (char *)0)) r->failed = 1;
}

static void perm_text(int64_t v, stralloc *text, struct report *r) {
  for (size_t i = 0; i < PERMS; ++i)
    if (perms[i].name && v & perms[i].bits) add_word(text, perms[i].name, r);
  if (!text->len) add_word(text, "-", r);
}

static void form_text(enum limit_form form, int64_t v, stralloc *text, struct report *r) {
  const struct quota q = {(uint64_t)v, 0};
  char buf[32];
  struct tm tm;
  time_t at = (time_t)v;

  if (form == FORM_PERM) {
    perm_text(v, text, r);
  } else if (form == FORM_DATE && v != -1 && gmtime_r(&at, &tm)) {
    strftime(buf, sizeof buf, "%Y-%m-%d %H:%M:%S UTC", &tm);
    add_word(text, buf, r);
  } else if (form == FORM_DATE) {
    add_word(text, "never", r);
  } else if (form == FORM_BYTES) {
    r->failed |= !quota_fmt(text, &q);
  } else if ((form == FORM_NUMBER && v == -1) || (form == FORM_COUNT && !v)) {
    add_word(text, "no limit", r);
  } else {
    r->failed |= !stralloc_cati64(text, v);
  }
}

static void print_perms(const char *label, int64_t v, struct report *r) {
  stralloc text = STRALLOC_INIT;

  perm_text(v, &text, r);
  report_text(r, 0, label, stralloc_cstr(&text));
  stralloc_free(&text);
}

static void print_flags(const struct limits *l, struct report *r) {
  stralloc text = STRALLOC_INIT;

  for (size_t i = 0; i < FLAGS; ++i)
    if (l->v[flags[i].limit]) add_word(&text, flags[i].name, r);
  report_text(r, 0, "switched off", text.len ? text.s : "nothing");
  stralloc_free(&text);
}

void limits_form_print(const struct limits *l, struct report *r) {
  for (int i = 0; i < LIMITS; ++i) {
    stralloc text = STRALLOC_INIT;

    if (i == LIMIT_PERM_ACCOUNT) print_flags(l, r);
    report_number(r, shown[i].key, 0, l->v[i]);
    form_text(shown[i].form, l->v[i], &text, r);
    if (shown[i].label) report_text(r, 0, shown[i].label, stralloc_cstr(&text));
    stralloc_free(&text);
  }
  print_perms("refused for list users", l->v[LIMIT_PERM_LIST] >> PERM_BITS, r);
  print_perms("refused for moderators", l->v[LIMIT_PERM_LIST] >> 2 * PERM_BITS, r);
}
