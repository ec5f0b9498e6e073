/* scanner: has a message looked at by the administrator's scanner (QHPSI) while it lies in
 * the queue, not yet accepted.  The scanner is run by qhpsi(8), which takes on our
 * rights; nothing of the caller reaches it when the caller has fewer rights than we. */
#ifndef QUEUE_SCANNER_H
#define QUEUE_SCANNER_H

#include <stdint.h>

#include "base/attr.h"
#include "conf/conf.h"

enum scan_verdict { SCAN_NONE, SCAN_CLEAN, SCAN_INFECTED };

/* Scan the file (path below the current directory) of size bytes: QQ_queued with a verdict,
 * or the code of what went wrong.  Blocks until the scanner ends.  messid is its $MESSID. */
int scanner_run(const struct conf *conf, const char *path, uint64_t size, const char *messid, enum scan_verdict *verdict)
    MUST_CHECK;
/* The scanner's arguments: words of the command, %s replaced by path; path is appended when
 * no word holds one.  1, or 0 when memory ran out. */
int scanner_words(const char *command, const char *path, struct strlist *words) MUST_CHECK;

#endif
