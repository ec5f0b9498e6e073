/* import_value: see import_value.h. */
#include "user/import_value.h"

#include <string.h>

#include "base/utf8.h"
#include "crypt/scram.h"
#include "user/account.h"
#include "user/userdb.h"

#define LOW_FLAGS 0xff
#define ALL_FLAGS 0x3fff
#define GECOS_MAX 255

/* As releases of old numbered what is above LOW_FLAGS. */
static const struct {
  int64_t bit;
  uint32_t flag;
} old_flags[] = {
    {0x100, USER_OVERRIDE_LIMITS}, {0x200, USER_NO_SMTP}, {0x400, USER_V_USER0}, {0x800, USER_V_USER1}, {0x1000, USER_V_USER2}, {0x2000, USER_V_USER3},
};

enum import_flags import_flags(int64_t gid, enum import_numbering numbering, uint32_t *flags) {
  *flags = 0;
  if (gid < 0) return IMPORT_FLAGS_MORE;
  *flags = (uint32_t)(gid & LOW_FLAGS);
  switch (numbering) {
    case IMPORT_NUMBERING_UNKNOWN:
      if (gid & ALL_FLAGS & ~LOW_FLAGS) return IMPORT_FLAGS_ASK;
      break;
    case IMPORT_NUMBERING_OLD:
      for (size_t i = 0; i < sizeof old_flags / sizeof *old_flags; ++i)
        if (gid & old_flags[i].bit) *flags |= old_flags[i].flag;
      break;
    case IMPORT_NUMBERING_NEW: *flags = (uint32_t)(gid & ALL_FLAGS); break;
  }
  return gid & ~(int64_t)ALL_FLAGS ? IMPORT_FLAGS_MORE : IMPORT_FLAGS_OK;
}

int import_text(const char *s, size_t n, stralloc *out) {
  if (utf8_valid(s, n)) return stralloc_copyb(out, s, n);
  stralloc_cut(out, 0);
  for (size_t i = 0; i < n; ++i) {
    unsigned char c = (unsigned char)s[i];

    if (c >= 0x80 && !stralloc_append(out, (char)(0xc0 | c >> 6))) return 0;
    if (!stralloc_append(out, (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c))) return 0;
  }
  return 1;
}

int import_gecos(stralloc *gecos) {
  size_t n = gecos->len < GECOS_MAX ? gecos->len : GECOS_MAX;

  if (account_gecos_ok(stralloc_cstr(gecos))) return 1;
  while (n < gecos->len && n && ((unsigned char)gecos->s[n] & 0xc0) == 0x80) --n; /* not within a character */
  stralloc_cut(gecos, n);
  for (size_t i = 0; i < gecos->len; ++i)
    if ((unsigned char)gecos->s[i] < 32 || gecos->s[i] == 127 || gecos->s[i] == ':') gecos->s[i] = ' ';
  return 0;
}

int import_scram(const char *s, stralloc *out) {
  struct scram_keys k;
  int found = 0;

  if (!stralloc_copyb(out, s, strcspn(s, ":"))) return -1;
  if (!out->len) return 1;
  for (int hash = 0; !found && hash < SCRAM_HASHES; ++hash) {
    found = scram_find(out->s, (enum scram_hash)hash, &k);
    if (found == -1) return -1;
  }
  if (!found || strchr(out->s, ' ')) stralloc_cut(out, 0);
  return out->len != 0;
}
