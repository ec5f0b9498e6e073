/* fsname: see fsname.h. */
#include "base/fsname.h"

#include <linux/magic.h>
#include <stddef.h>
#include <sys/vfs.h>

int fsname_goes_with_file(int fd) {
  static const unsigned long types[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC};
  struct statfs fs;

  if (fstatfs(fd, &fs) == -1) return 0;
  for (size_t i = 0; i < sizeof types / sizeof *types; ++i)
    if ((unsigned long)fs.f_type == types[i]) return 1;
  return 0;
}
