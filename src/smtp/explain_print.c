/* explain_print: see explain_print.h. */
#include "smtp/explain_print.h"

#include <string.h>

#include "base/json.h"

static void put(struct explain_print *p, const char *s) {
  if (!stralloc_cats(&p->out, s)) p->nomem = 1;
}

static void put_string(struct explain_print *p, const char *name, const char *s, const char *behind) {
  put(p, "\"");
  put(p, name);
  put(p, "\": ");
  if (!json_string(&p->out, s, strlen(s))) p->nomem = 1;
  put(p, behind);
}

static int is(const struct explain_record *r, const char *kind) {
  return !strcmp(r->field[0], kind);
}

void explain_print_begin(struct explain_print *p, int json) {
  p->json = json;
  put(p, json ? "{\"rules\": [" : "");
}

/* --- for people --- */

/* What is as it always is needs no line. */
static void text_record(struct explain_print *p, const struct explain_record *r) {
  if (is(r, "reply")) {
    put(p, "= ");
    put(p, r->field[1]);
    put(p, " -> ");
    put(p, r->field[2]);
    put(p, "\n");
  } else if (is(r, "row")) {
    put(p, r->field[2]);
    put(p, " ");
    put(p, r->field[1]);
    put(p, ": ");
    put(p, strcmp(r->field[3], "on") ? r->field[3] : "");
    put(p, strcmp(r->field[3], "on") ? ", " : "");
    put(p, r->field[4]);
    for (int i = 5; i < EXPLAIN_FIELDS; ++i) {
      put(p, *r->field[7] ? " " : "");
      put(p, *r->field[7] ? r->field[i] : "");
    }
    put(p, "\n");
  } else if (is(r, "in") || strcmp(r->field[2], "default")) {
    put(p, "    ");
    put(p, r->field[1]);
    put(p, is(r, "in") ? " " : " = ");
    put(p, is(r, "in") ? r->field[2] : r->field[4]);
    put(p, is(r, "in") ? "" : "  (");
    put(p, is(r, "in") ? "" : r->field[3]);
    put(p, is(r, "in") ? "\n" : ")\n");
  }
}

/* --- JSON --- */

static void json_members(struct explain_print *p, const struct explanation *x, size_t row, const char *kind) {
  int first = 1;

  for (size_t i = row + 1; i < x->len && (is(&x->record[i], "in") || is(&x->record[i], "set")); ++i) {
    const struct explain_record *r = &x->record[i];

    if (!is(r, kind)) continue;
    put(p, first ? "" : ", ");
    first = 0;
    if (is(r, "in")) {
      put_string(p, r->field[1], r->field[2], "");
      continue;
    }
    put(p, "{");
    put_string(p, "setting", r->field[1], ", ");
    put_string(p, "origin", r->field[2], ", ");
    put_string(p, "where", r->field[3], ", ");
    put_string(p, "value", r->field[4], "}");
  }
}

static void json_row(struct explain_print *p, const struct explanation *x, size_t row, int first) {
  const struct explain_record *r = &x->record[row];

  put(p, first ? "\n{" : ",\n{");
  put_string(p, "check", r->field[1], ", ");
  put_string(p, "stage", r->field[2], ", ");
  put_string(p, "switch", r->field[3], ", ");
  put_string(p, "verdict", r->field[4], ", ");
  put_string(p, "code", r->field[5], ", ");
  put_string(p, "status", r->field[6], ", ");
  put_string(p, "text", r->field[7], ", \"input\": {");
  json_members(p, x, row, "in");
  put(p, "}, \"settings\": [");
  json_members(p, x, row, "set");
  put(p, "]}");
}

void explain_print_rows(struct explain_print *p, const struct explanation *now) {
  int first = 1;

  for (size_t i = 0; i < now->len; ++i) {
    if (!p->json) text_record(p, &now->record[i]);
    if (!p->json || !is(&now->record[i], "row")) continue;
    json_row(p, now, i, first);
    first = 0;
  }
  if (p->json) {
    put(p, "],\n");
    put_string(p, "outcome", explain_outcome_word(now->outcome), ", ");
    put_string(p, "decided_by", now->decisive ? now->decisive->field[1] : "", ", ");
    put_string(p, "reply", now->reply, ",\n\"changes\": [");
    return;
  }
  put(p, "\n");
  put(p, explain_outcome_word(now->outcome));
  put(p, now->decisive ? " by " : "");
  put(p, now->decisive ? now->decisive->field[1] : "");
  put(p, ": ");
  put(p, now->reply);
  put(p, "\n");
}

void explain_print_change(void *ctx, const char *what, int helps, const struct explanation *then) {
  struct explain_print *p = ctx;

  if (p->json) {
    put(p, p->changes++ ? ",\n{" : "\n{");
    put_string(p, "change", what, ", ");
    put_string(p, "outcome", explain_outcome_word(then->outcome), ", ");
    put_string(p, "decided_by", then->decisive ? then->decisive->field[1] : "", ", ");
    put(p, helps ? "\"helps\": true, " : "\"helps\": false, ");
    put_string(p, "reply", then->reply, "}");
    return;
  }
  if (helps) ++p->changes;
  put(p, helps ? "otherwise: " : "not enough: ");
  put(p, what);
  put(p, "\n    ");
  put(p, explain_outcome_word(then->outcome));
  put(p, then->decisive ? " by " : "");
  put(p, then->decisive ? then->decisive->field[1] : "");
  put(p, "\n");
}

void explain_print_end(struct explain_print *p, const struct explanation *now) {
  if (p->json) put(p, "]}\n");
  else if (!p->changes) put(p, "no single change of a setting makes another outcome\n");
}
