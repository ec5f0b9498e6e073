/* fsorder: see fsorder.h.  A journal of metadata, or a tree that is replaced as a whole,
 * keeps the order; an ext4 that was made without a journal does not. */
#include "queue/fsorder.h"

#include <dirent.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fmt.h"

#define ZFS_MAGIC 0x2fc12fc1

/* The kernel's name of the device with this number, "sda1": 1 or 0. */
static int device_name(dev_t dev, char name[256]) {
  char path[64], target[256];
  char *p = stpcpy(path, "/sys/dev/block/");
  const char *slash;
  ssize_t n;

  p += fmt_u64(p, major(dev));
  *p++ = ':';
  p += fmt_u64(p, minor(dev));
  *p = 0;
  n = readlink(path, target, sizeof target - 1);
  if (n <= 0) return 0;
  target[n] = 0;
  slash = strrchr(target, '/');
  stpcpy(name, slash ? slash + 1 : target);
  return 1;
}

/* The journals of ext3 and ext4 are in /proc/fs/jbd2, each as "sda1-8". */
static int has_journal(void) {
  char name[256];
  struct stat st;
  struct dirent *d;
  DIR *dir;
  size_t n;
  int found = 0;

  if (stat(".", &st) == -1 || !device_name(st.st_dev, name) || !(dir = opendir("/proc/fs/jbd2"))) return 0;
  n = strlen(name);
  while (!found && (d = readdir(dir)) != 0) found = !strncmp(d->d_name, name, n) && d->d_name[n] == '-';
  closedir(dir);
  return found;
}

int fsorder_kept(const char *said) {
  struct statfs fs;

  if (!strcmp(said, "yes") || !strcmp(said, "no")) return said[0] == 'y';
  if (statfs(".", &fs) == -1) return 0;
  switch ((unsigned long)fs.f_type) {
    case XFS_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case F2FS_SUPER_MAGIC:
    case ZFS_MAGIC: return 1;
    case EXT4_SUPER_MAGIC: return has_journal();
    default: return 0;
  }
}
