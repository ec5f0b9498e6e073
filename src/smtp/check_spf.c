/* check_spf: may this client send for that domain (RFC 7208)?  Evaluation is not ours: the program in
 * spfprogram says, a word and perhaps an explanation, and spfbehavior what is made of it.  Without the
 * program nobody is judged, whatever spfbehavior is. */
#include <string.h>

#include "base/bytes.h"
#include "smtp/ask_program.h"
#include "smtp/checks.h"

#define FROM 2 /* the least behaviour that refuses something */

static const struct {
  const char *word;
  uint64_t refused_from; /* this behaviour on; 0 never */
} results[] = {{"pass", 0},    {"fail", 3}, {"softfail", 4},           {"neutral", 5},
               {"permerror", 6}, {"none", 6}, {"temperror", FROM}};
#define RESULTS (sizeof results / sizeof *results)

/* "address NUL sender NUL helo NUL our name NUL"; a bounce is judged by the name in HELO. */
static int make_question(const struct connection *c, const struct transaction *t, const struct conf *conf, stralloc *q) {
  const char *helo = stralloc_cstr(&c->helo), *me = conf_line(conf, SET_me);
  const stralloc *sender = &t->sender.address;

  if (!stralloc_catz(q, c->ip, strlen(c->ip))) return 0;
  if (!sender->len && !stralloc_cats(q, "postmaster@")) return 0;
  return stralloc_catz(q, sender->len ? sender->s : helo, sender->len ? sender->len : c->helo.len) && stralloc_catz(q, helo, c->helo.len) &&
         stralloc_catz(q, me, strlen(me));
}

/* The result in the first line of an answer, RESULTS for none; text is what stands behind it. */
static size_t read_result(stralloc *answer, const char **text) {
  char *s = answer->s;
  size_t line = bytes_chr(stralloc_cstr(answer), answer->len, '\n'), word = 0, i = 0;

  if (!answer->len || memchr(s, 0, line)) return RESULTS;
  stralloc_cut(answer, line);
  stralloc_chomp(answer);
  for (size_t k = 0; k < answer->len; ++k)
    if ((unsigned char)s[k] < 32 || (unsigned char)s[k] > 126) s[k] = '?';
  while (word < answer->len && s[word] != ' ') ++word;
  while (i < RESULTS && (strlen(results[i].word) != word || !bytes_caseequal(results[i].word, s, word))) ++i;
  while (word < answer->len && s[word] == ' ') ++word;
  *text = s + word;
  return i;
}

static enum verdict judge(uint64_t behaviour, size_t result, const char *text, struct policy_reply *r) {
  uint64_t from = results[result].refused_from;

  if (!from || behaviour < from) return VERDICT_NEXT;
  if (!strcmp(results[result].word, "temperror")) return policy_say(r, VERDICT_FAILED, 0, "", *text ? text : "temperror");
  return policy_say(r, VERDICT_REJECT, 550, "5.7.23", *text ? text : "the sender's domain does not send mail from your address (SPF)");
}

static enum verdict ask(const struct connection *c, const struct transaction *t, const struct conf *conf, uint64_t behaviour,
                        struct policy_reply *r) {
  stralloc question = STRALLOC_INIT, answer = STRALLOC_INIT;
  const char *text = "";
  enum verdict v = VERDICT_FAILED;
  struct strerr e;
  int code;

  strerr_set(&e, "out of memory", (char *)0);
  code = make_question(c, t, conf, &question) ? ask_program(conf_line(conf, SET_spfprogram), &question, &answer, &e) : -1;
  if (code == -1) {
    (void)policy_say(r, v, 0, "", e.text);
  } else {
    size_t result = code == 0 ? read_result(&answer, &text) : RESULTS;

    v = result < RESULTS ? judge(behaviour, result, text, r) : policy_say(r, VERDICT_FAILED, 0, "", "spfprogram does not say what the result is");
  }
  stralloc_free(&question);
  stralloc_free(&answer);
  return v;
}

enum verdict check_spf(const struct connection *c, const struct transaction *t, const struct conf *conf,
                       struct policy_reply *r) {
  uint64_t behaviour = conf_number(conf, SET_spfbehavior);

  if (behaviour < FROM || !*conf_line(conf, SET_spfprogram)) return VERDICT_NEXT;
  return ask(c, t, conf, behaviour, r);
}
