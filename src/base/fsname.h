/* fsname: does the fsync of a file keep its newest name as well?
 *
 * POSIX promises that of an fsync of the directory alone.  Some file systems do it with the file: what was
 * created or renamed and then synced stands under that name after a power loss.  Tried for each of those
 * named here (ext4 with and without its journal, XFS, btrfs) on images of disks copied right after the fsync;
 * of all others nothing is believed. */
#ifndef BASE_FSNAME_H
#define BASE_FSNAME_H

/* 1 where this descriptor lies in such a file system, else 0. */
int fsname_goes_with_file(int fd);

#endif
