/* States of a process. */
#ifndef FREEBSD_SYS_PROC_H
#define FREEBSD_SYS_PROC_H

#define SRUN 2
#define SZOMB 5

#endif
