/* alias_line: a line of an alias: where its mail goes.  &user@domain or user@domain, a Maildir
 * /path/, or | command. */
#ifndef USER_ALIAS_LINE_H
#define USER_ALIAS_LINE_H

#define ALIAS_LINE_MAX 1024
#define ALIAS_LINE_USAGE "&user@domain, user@domain, /path/Maildir/ or | command is wanted"

/* Null when it can be one, else why not. */
const char *alias_line_fault(const char *line);

#endif
