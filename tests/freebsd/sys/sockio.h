/* The status of an interface, as text. */
#ifndef FREEBSD_SYS_SOCKIO_H
#define FREEBSD_SYS_SOCKIO_H

#define SIOCGIFSTATUS 0xc331693bUL /* _IOWR('i', 59, struct ifstat) */

#endif
