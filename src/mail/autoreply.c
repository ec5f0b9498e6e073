/* autoreply: see autoreply.h. */
#include "mail/autoreply.h"

#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "mail/address.h"
#include "mail/date.h"
#include "mail/header.h"

#define TEXT_MAX 1000 /* bytes of a field that is quoted */

/* Fields that show where a message comes from: any of them, or one with a word in it. */
static const struct {
  const char *name, *word; /* word: null any */
  int is_not;              /* any word but this */
  const char *against;
} signs[] = {
    {"auto-submitted", "no", 1, "it was sent automatically"},
    {"precedence", "bulk", 0, "it is bulk mail"},
    {"precedence", "junk", 0, "it is bulk mail"},
    {"precedence", "list", 0, "it came from a list"},
    {"list-id", 0, 0, "it came from a list"},
    {"list-post", 0, 0, "it came from a list"},
    {"list-help", 0, 0, "it came from a list"},
    {"list-unsubscribe", 0, 0, "it came from a list"},
    {"list-subscribe", 0, 0, "it came from a list"},
    {"list-owner", 0, 0, "it came from a list"},
    {"list-archive", 0, 0, "it came from a list"},
    {"mailing-list", 0, 0, "it came from a list"},
    {"x-autoreply", 0, 0, "it was sent automatically"},
    {"x-autorespond", 0, 0, "it was sent automatically"},
    {"x-bogosity", "yes", 0, "it is spam"},
    {"x-spam-flag", "yes", 0, "it is spam"},
};

static const char *const addressed[] = {"to", "cc", "bcc", "resent-to", "resent-cc", "resent-bcc"};

static int is(const char *name, size_t n, const char *what) {
  return n == strlen(what) && bytes_caseequal(name, what, n);
}

/* The first word of a body. */
static int first_is(const char *s, size_t n, const char *word) {
  size_t len = strlen(word);

  while (n && (*s == ' ' || *s == '\t')) ++s, --n;
  return n >= len && bytes_caseequal(s, word, len) && (n == len || !memchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-", s[len], 53));
}

/* On one line, no longer than is good. */
static int keep(stralloc *out, const char *s, size_t n) {
  stralloc_cut(out, 0);
  while (n && (s[n - 1] == '\n' || s[n - 1] == '\r')) --n;
  while (n && (*s == ' ' || *s == '\t')) ++s, --n;
  for (size_t i = 0; i < n && i < TEXT_MAX; ++i) {
    char c = s[i];

    if (c == '\n' || c == '\r' || !c) continue;
    if (!stralloc_append(out, c == '\t' ? ' ' : c)) return 0;
  }
  return 1;
}

struct wanted {
  const char *address;
  size_t n;
};

static int is_ours(void *ctx, const struct address *a) {
  const struct wanted *w = ctx;
  size_t at = bytes_rchr(w->address, w->n, '@');

  return a->localn == at && bytes_caseequal(a->local, w->address, at) && at < w->n && a->hostn == w->n - at - 1 &&
         bytes_caseequal(a->host, w->address + at + 1, a->hostn);
}

static void look_for_us(struct autoreply *a, const char *s, size_t n) {
  struct wanted w = {a->recipient, strlen(a->recipient)};

  if (address_walk(s, n, is_ours, &w) == 1) a->named = 1;
}

static void judge(struct autoreply *a, const char *name, size_t namen, const char *s, size_t n) {
  for (size_t i = 0; i < sizeof signs / sizeof *signs && !a->against; ++i) {
    if (!is(name, namen, signs[i].name)) continue;
    if (!signs[i].word || first_is(s, n, signs[i].word) != signs[i].is_not) a->against = signs[i].against;
  }
  for (size_t i = 0; i < sizeof addressed / sizeof *addressed; ++i)
    if (is(name, namen, addressed[i])) look_for_us(a, s, n);
}

const char *autoreply_recipient(const char *recipient) {
  size_t n = strlen(recipient);
  size_t at = bytes_rchr(recipient, n, '@');
  size_t host = at < n ? n - at - 1 : 0;

  if (!host || at < host + 2 || recipient[host] != '-' || !bytes_caseequal(recipient, recipient + at + 1, host)) return recipient;
  return recipient + host + 1;
}

int autoreply_field(struct autoreply *a, const char *s, size_t n) {
  struct {
    const char *name;
    stralloc *to;
  } const kept[] = {{"subject", &a->subject}, {"from", &a->from}, {"to", &a->to}, {"cc", &a->cc},
                    {"date", &a->date}, {"message-id", &a->messid}, {"references", &a->references}};
  size_t body;
  size_t name = header_name(s, n, &body);

  if (!name) return 1;
  judge(a, s, name, s + body, n - body);
  for (size_t i = 0; i < sizeof kept / sizeof *kept; ++i)
    if (is(s, name, kept[i].name)) return keep(kept[i].to, s + body, n - body);
  return 1;
}

static int begins(const char *s, size_t n, const char *with) {
  return n >= strlen(with) && bytes_caseequal(s, with, strlen(with));
}

static int ends(const char *s, size_t n, const char *with) {
  size_t len = strlen(with);

  return n >= len && bytes_caseequal(s + n - len, with, len);
}

/* Addresses that programs write from. */
static int is_program(const char *sender) {
  static const char *const whole[] = {"mailer-daemon", "postmaster", "listserv", "majordomo", "nobody", "no-reply", "noreply", "donotreply", "do-not-reply"};
  static const char *const first[] = {"owner-", "bounce-", "bounces-"};
  static const char *const last[] = {"-request", "-owner", "-bounces", "-bounce", "-return", "-errors", "-admin"};
  size_t n = bytes_rchr(sender, strlen(sender), '@');

  for (size_t i = 0; i < sizeof whole / sizeof *whole; ++i)
    if (is(sender, n, whole[i])) return 1;
  for (size_t i = 0; i < sizeof first / sizeof *first; ++i)
    if (begins(sender, n, first[i])) return 1;
  for (size_t i = 0; i < sizeof last / sizeof *last; ++i)
    if (ends(sender, n, last[i])) return 1;
  return 0;
}

const char *autoreply_against(const struct autoreply *a) {
  const char *at = strrchr(a->sender, '@');

  if (!*a->sender || !strcmp(a->sender, "#@[]")) return "it is from nobody";
  if (!at || at == a->sender || !at[1]) return "its sender has no host";
  if (is_program(a->sender)) return "it is from a program";
  if (!strcmp(a->sender, a->recipient)) return "it is from ourselves";
  if (a->against) return a->against;
  return a->named || a->lax ? 0 : "it is not addressed to us by name";
}

static int put_token(const struct autoreply *a, const struct autoreply_answer *w, char c, stralloc *out) {
  char text[DATE_TEXT];
  time_t t = (time_t)w->now;
  struct tm tm;

  switch (c) {
    case 'S': return stralloc_cat(out, &a->subject);
    case 'D': return stralloc_cat(out, &a->date);
    case 'F': return stralloc_cat(out, &a->from);
    case 'T': return stralloc_cat(out, &a->to);
    case 'C': return stralloc_cat(out, &a->cc);
    case 'M': return stralloc_cat(out, &a->messid);
    case 'r': return stralloc_cats(out, a->sender);
    case 'R': return stralloc_cats(out, a->recipient);
    case 'm': return stralloc_cats(out, w->host);
    case '%': return stralloc_append(out, '%');
    case 'd':
    case 't':
      localtime_r(&t, &tm);
      return stralloc_catb(out, text, strftime(text, sizeof text, c == 'd' ? "%Y-%m-%d" : "%H:%M", &tm));
  }
  return stralloc_append(out, '%') && stralloc_append(out, c);
}

static int put_text(const struct autoreply *a, const struct autoreply_answer *w, const char *s, size_t n, stralloc *out) {
  int ok = 1;

  for (size_t i = 0; ok && i < n; ++i) {
    if (s[i] == '\r') continue;
    ok = s[i] == '%' && i + 1 < n ? put_token(a, w, s[++i], out) : stralloc_append(out, s[i]);
  }
  return ok && (!n || s[n - 1] == '\n' || stralloc_append(out, '\n'));
}

static int put_subject(const struct autoreply *a, const struct autoreply_answer *w, stralloc *out) {
  if (w->subject) return stralloc_catm(out, "Subject: ", w->subject, "\n", (char *)0);
  return stralloc_catm(out, "Subject: ", w->prefix, a->subject.len ? " " : "", (char *)0) && stralloc_cat(out, &a->subject) && stralloc_append(out, '\n');
}

static int put_thread(const struct autoreply *a, stralloc *out) {
  if (!a->messid.len) return 1;
  return stralloc_catlit(out, "In-Reply-To: ") && stralloc_cat(out, &a->messid) && stralloc_catlit(out, "\nReferences: ") &&
         stralloc_cat(out, &a->references) && stralloc_cats(out, a->references.len ? " " : "") && stralloc_cat(out, &a->messid) &&
         stralloc_append(out, '\n');
}

int autoreply_compose(const struct autoreply *a, const struct autoreply_answer *w, const char *text, size_t n, stralloc *out) {
  const char *from = *w->from ? w->from : a->recipient;
  char date[DATE_TEXT];

  date_fmt(date, w->now, "+0000");
  return stralloc_catm(out, "Date: ", date, "\nFrom: ", (char *)0) && (!*w->name || stralloc_catm(out, w->name, " <", (char *)0)) &&
         address_quote(from, strlen(from), out) && stralloc_cats(out, *w->name ? ">\nTo: " : "\nTo: ") &&
         address_quote(a->sender, strlen(a->sender), out) && stralloc_append(out, '\n') && put_subject(a, w, out) &&
         stralloc_catlit(out, "Message-ID: <") && stralloc_cati64(out, w->now) && stralloc_append(out, '.') && stralloc_catu64(out, w->unique) &&
         stralloc_catm(out, ".autoreply@", w->host, ">\n", (char *)0) && put_thread(a, out) &&
         stralloc_catm(out, "Auto-Submitted: auto-replied\nPrecedence: bulk\nMIME-Version: 1.0\nContent-Type: ", w->type,
                       "\nContent-Transfer-Encoding: 8bit\n\n", (char *)0) &&
         put_text(a, w, text, n, out);
}

void autoreply_free(struct autoreply *a) {
  stralloc *const all[] = {&a->subject, &a->from, &a->to, &a->cc, &a->date, &a->messid, &a->references};

  for (size_t i = 0; i < sizeof all / sizeof *all; ++i) stralloc_free(all[i]);
}
