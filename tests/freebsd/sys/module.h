/* Modules of the kernel. */
#ifndef FREEBSD_SYS_MODULE_H
#define FREEBSD_SYS_MODULE_H

int modfind(const char *name);

#endif
