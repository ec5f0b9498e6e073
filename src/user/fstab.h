/* fstab: the file systems mailboxes are on (table fstab, program vfstab), and which of them has the
 * most room.  Of each: is it online, how many users and bytes it may have, how many users it has and
 * how many bytes are free, as they were when last measured. */
#ifndef USER_FSTAB_H
#define USER_FSTAB_H

#include "user/site.h"

#define FSTAB_HERE "localhost" /* the host whose file systems can be measured: this one */
#define FSTAB_FILE "lastfstab" /* below PATH_CONTROL: the one that was chosen last */

struct fstab_row {
  stralloc filesystem, host;
  int online;
  int64_t max_users, cur_users, max_size, cur_size;
};
struct fstab {
  struct fstab_row *row;
  size_t len;
};

/* By host and file system; host "": all.  NONE: there are none. */
enum userdb_result fstab_read(struct userdb *db, const char *host, struct fstab *f, struct strerr *e) MUST_CHECK;
void fstab_free(struct fstab *f);

enum userdb_result fstab_add(struct userdb *db, const struct fstab_row *r, struct strerr *e) MUST_CHECK;
enum userdb_result fstab_set_limits(struct userdb *db, const struct fstab_row *r, struct strerr *e) MUST_CHECK;
enum userdb_result fstab_set_online(struct userdb *db, const struct fstab_row *r, struct strerr *e) MUST_CHECK;
enum userdb_result fstab_delete(struct userdb *db, const struct fstab_row *r, struct strerr *e) MUST_CHECK;

/* Bytes of the file system that are free for users: 0, or -1 with e filled. */
int fstab_free_bytes(const char *path, int64_t *bytes, struct strerr *e) MUST_CHECK;
/* Counts users and free bytes of what is online of these, and stores them.  What cannot be looked at
 * counts as full.  0, or -1 with e filled. */
int fstab_measure(struct userdb *db, struct fstab *f, struct strerr *e) MUST_CHECK;
/* Users of each row less those of rows below it; total[i]: of homes below row i. */
void fstab_own_users(struct fstab *f, const int64_t *total);
/* The least loaded that is online and not full: fewest users for each free megabyte.  Null: none. */
const struct fstab_row *fstab_choose(const struct fstab *f);
/* Those of this host, measured; the one that is chosen is written into FSTAB_FILE too.  The caller is the mail
 * user, and root is for a moment.  0, or -1 (permanent: there is none with room). */
int fstab_balance(struct site *s, struct fstab *f, const struct fstab_row **chosen, struct strerr *e) MUST_CHECK;

#endif
