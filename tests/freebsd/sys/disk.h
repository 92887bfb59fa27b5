/* The sector size of a disk. */
#ifndef FREEBSD_SYS_DISK_H
#define FREEBSD_SYS_DISK_H

#define DIOCGSECTORSIZE 0x40046480UL /* _IOR('d', 128, u_int) */

#endif
