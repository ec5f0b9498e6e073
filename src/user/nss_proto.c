/* nss_proto: see nss_proto.h. */
#include "user/nss_proto.h"

#include <string.h>

#include "base/scan.h"

#define VERSION "NS1"
#define FIELDS 8 /* of an answer at most */

static const char *const words[] = {[NSS_FOUND] = "found", [NSS_NONE] = "none", [NSS_UNAVAILABLE] = "unavailable"};

/* The texts of a message: how many, 0 when one has no end or there are more than max. */
static size_t split(const char *s, size_t n, const char **field, size_t max) {
  size_t fields = 0;

  if (!n || s[n - 1]) return 0;
  for (size_t i = 0; i < n; i += strlen(s + i) + 1) {
    if (fields == max) return 0;
    field[fields++] = s + i;
  }
  return fields;
}

/* May it stand in one field of a password file? */
static int fits(const char *s) {
  for (; *s; ++s)
    if ((unsigned char)*s < 32 || *s == 127 || *s == ':') return 0;
  return 1;
}

size_t nss_question_format(char buf[NSS_QUESTION_MAX], const char *name) {
  size_t n = strlen(name), version = sizeof VERSION;

  if (!strchr(name, '@') || version + n + 1 > NSS_QUESTION_MAX) return 0;
  memcpy(buf, VERSION, version);
  memcpy(buf + version, name, n + 1);
  return version + n + 1;
}

const char *nss_question_parse(const char *s, size_t n) {
  const char *field[2];

  if (n > NSS_QUESTION_MAX || split(s, n, field, 2) != 2 || strcmp(field[0], VERSION) != 0) return 0;
  return field[1];
}

static int put(stralloc *out, const char *s) {
  return stralloc_catz(out, s, strlen(s));
}

static int put_id(stralloc *out, uint32_t id) {
  return stralloc_catu64(out, id) && stralloc_append(out, 0);
}

int nss_answer_format(stralloc *out, enum nss_found found, const struct nss_account *a) {
  stralloc_cut(out, 0);
  if (found == NSS_FOUND && (!fits(a->name) || !fits(a->home) || !*a->home)) found = NSS_NONE;
  if (!put(out, VERSION) || !put(out, words[found])) return 0;
  if (found != NSS_FOUND) return 1;
  return put(out, a->name) && put_id(out, a->uid) && put_id(out, a->gid) && put(out, fits(a->comment) ? a->comment : "") && put(out, a->home) &&
         put(out, fits(a->shell) ? a->shell : "");
}

enum nss_found nss_answer_parse(const char *s, size_t n, struct nss_account *a) {
  const char *field[FIELDS];
  size_t fields = n <= NSS_ANSWER_MAX ? split(s, n, field, FIELDS) : 0;

  if (fields < 2 || strcmp(field[0], VERSION) != 0) return NSS_UNAVAILABLE;
  if (fields == 2) return strcmp(field[1], words[NSS_NONE]) ? NSS_UNAVAILABLE : NSS_NONE;
  if (fields != FIELDS || strcmp(field[1], words[NSS_FOUND]) != 0) return NSS_UNAVAILABLE;
  for (size_t i = 2; i < fields; ++i)
    if (!fits(field[i])) return NSS_UNAVAILABLE;
  if (!scan_u32(field[3], strlen(field[3]), &a->uid) || !scan_u32(field[4], strlen(field[4]), &a->gid) || !a->uid) return NSS_UNAVAILABLE;
  a->name = field[2];
  a->comment = field[5];
  a->home = field[6];
  a->shell = field[7];
  return NSS_FOUND;
}
