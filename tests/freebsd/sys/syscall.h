/*
 * Linux's header, and syscall(2) of FreeBSD, which returns an int, with the numbers that vmrun
 * calls.
 */
#ifndef FREEBSD_SYS_SYSCALL_H
#define FREEBSD_SYS_SYSCALL_H

#include <unistd.h>
#include_next <sys/syscall.h>

/* NOLINTBEGIN(readability-identifier-naming): the names of FreeBSD */
#define SYS_sigprocmask 340
#define SYS_sigaction 416

int freebsd_syscall(int number, ...);
#define syscall freebsd_syscall
/* NOLINTEND(readability-identifier-naming) */

#endif
