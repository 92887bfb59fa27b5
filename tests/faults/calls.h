/*
 * The calls of the C library that are made to fail: name, and the errors that each gets, one after
 * another.  SHORT halves a transfer; every other error is an errno (for getaddrinfo() an EAI_).
 * CALL(type, name, parameters, arguments, failure, error...): the wrapper returns `failure`.
 * Calls of the other forms have wrappers of their own in inject.c: OTHER(name, error...).
 */
#ifndef FAULTS_CALLS_H
#define FAULTS_CALLS_H

#define SHORT 1000 /* above every errno */

/* clang-format off */
#define FAULTS_CALLS(CALL, OTHER) \
	/* files */ \
	OTHER(open, EINTR, EMFILE, EACCES, ENOSPC, EIO) \
	OTHER(close, EINTR, EIO) \
	OTHER(read, EINTR, EIO, EAGAIN, SHORT) \
	OTHER(write, EINTR, EIO, ENOSPC, EAGAIN, SHORT) \
	OTHER(pwrite, EINTR, ENOSPC, EIO, SHORT) \
	OTHER(pread, EINTR, EIO, SHORT) \
	OTHER(recv, EINTR, ECONNRESET, SHORT) \
	OTHER(send, EINTR, EPIPE, EAGAIN, SHORT) \
	OTHER(sendto, EINTR, EPIPE, EAGAIN, SHORT) \
	OTHER(access, EACCES, EIO) \
	CALL(int, chdir, (const char *a), (a), -1, EACCES, EIO) \
	CALL(int, chmod, (const char *a, mode_t m), (a, m), -1, EPERM, EIO, EROFS) \
	CALL(int, dup2, (int a, int b), (a, b), -1, EMFILE, EINTR) \
	CALL(int, flock, (int fd, int how), (fd, how), -1, EINTR, ENOLCK, EWOULDBLOCK) \
	CALL(int, fstat, (int fd, struct stat *st), (fd, st), -1, EIO, EOVERFLOW) \
	CALL(int, fsync, (int fd), (fd), -1, EIO, ENOSPC, EINTR) \
	CALL(int, ftruncate, (int fd, off_t n), (fd, n), -1, EIO, EINTR) \
	CALL(int, link, (const char *a, const char *b), (a, b), -1, EIO, ENOSPC, EPERM) \
	CALL(int, lstat, (const char *a, struct stat *st), (a, st), -1, EACCES, EIO) \
	CALL(int, mkdir, (const char *a, mode_t m), (a, m), -1, EACCES, ENOSPC, EROFS) \
	CALL(int, mkstemp, (char *a), (a), -1, EMFILE, ENOSPC, EACCES) \
	CALL(int, mkstemp64, (char *a), (a), -1, EMFILE, ENOSPC, EACCES) \
	CALL(int, rename, (const char *a, const char *b), (a, b), -1, EACCES, ENOSPC, EIO) \
	CALL(int, rmdir, (const char *a), (a), -1, EACCES, EBUSY) \
	OTHER(stat, EACCES, EIO) \
	CALL(int, unlink, (const char *a), (a), -1, EACCES, EIO, EROFS) \
	CALL(ssize_t, readlink, (const char *a, char *p, size_t n), (a, p, n), -1, EACCES, EIO) \
	CALL(off_t, lseek, (int fd, off_t at, int how), (fd, at, how), -1, EIO) \
	CALL(char *, getcwd, (char *p, size_t n), (p, n), NULL, ENOENT, EACCES) \
	CALL(char *, realpath, (const char *a, char *p), (a, p), NULL, EACCES, ENOMEM, EIO) \
	CALL(DIR *, opendir, (const char *a), (a), NULL, EACCES, EMFILE, ENOMEM) \
	CALL(struct dirent *, readdir, (DIR *d), (d), NULL, EIO) \
	OTHER(closedir, EINTR, EIO) \
	/* stdio */ \
	CALL(FILE *, fopen, (const char *a, const char *how), (a, how), NULL, EMFILE, EACCES, ENOMEM) \
	CALL(FILE *, fopen64, (const char *a, const char *how), (a, how), NULL, EMFILE, EACCES, ENOMEM) \
	CALL(FILE *, open_memstream, (char **p, size_t *n), (p, n), NULL, ENOMEM) \
	CALL(char *, fgets, (char *p, int n, FILE *f), (p, n, f), NULL, EIO) \
	CALL(int, fflush, (FILE *f), (f), EOF, EIO, ENOSPC) \
	OTHER(fclose, EIO, ENOSPC) \
	CALL(int, fputs, (const char *text, FILE *f), (text, f), EOF, EIO, ENOSPC) \
	CALL(size_t, fread, (void *p, size_t size, size_t n, FILE *f), (p, size, n, f), 0, EIO) \
	CALL(size_t, fwrite, (const void *p, size_t size, size_t n, FILE *f), (p, size, n, f), 0, EIO, ENOSPC) \
	/* events and time */ \
	CALL(int, epoll_create1, (int flags), (flags), -1, EMFILE, ENFILE, ENOMEM) \
	CALL(int, epoll_ctl, (int ep, int op, int fd, struct epoll_event *e), (ep, op, fd, e), -1, ENOMEM, ENOSPC) \
	CALL(int, epoll_wait, (int ep, struct epoll_event *e, int n, int ms), (ep, e, n, ms), -1, EINTR, ENOMEM) \
	CALL(int, poll, (struct pollfd *p, nfds_t n, int ms), (p, n, ms), -1, EINTR, ENOMEM) \
	CALL(int, timerfd_create, (int clock, int flags), (clock, flags), -1, EMFILE, ENFILE, ENOMEM) \
	CALL(int, timerfd_settime, (int fd, int how, const struct itimerspec *a, struct itimerspec *b), (fd, how, a, b), -1, EINVAL) \
	CALL(int, nanosleep, (const struct timespec *a, struct timespec *b), (a, b), -1, EINTR) \
	/* processes */ \
	CALL(pid_t, vfork, (void), (), -1, EAGAIN, ENOMEM) \
	CALL(int, execve, (const char *a, char *const *b, char *const *c), (a, b, c), -1, EACCES, ENOENT, ENOMEM, E2BIG) \
	CALL(int, kill, (pid_t pid, int sig), (pid, sig), -1, EPERM) \
	CALL(int, setpgid, (pid_t a, pid_t b), (a, b), -1, EPERM, ESRCH) \
	CALL(int, sigaction, (int sig, const struct sigaction *a, struct sigaction *b), (sig, a, b), -1, EINVAL) \
	CALL(int, waitid, (idtype_t how, id_t id, siginfo_t *info, int flags), (how, id, info, flags), -1, EINTR) \
	CALL(pid_t, waitpid, (pid_t pid, int *status, int how), (pid, status, how), -1, EINTR) \
	OTHER(prctl, EINVAL, EPERM) \
	OTHER(syscall, ENOSYS, EMFILE, EPERM) \
	/* descriptors */ \
	OTHER(fcntl, EINVAL, EMFILE) \
	OTHER(ioctl, EIO, ENOTTY) \
	CALL(int, pipe, (int ends[2]), (ends), -1, EMFILE, ENFILE) \
	CALL(int, pipe2, (int ends[2], int flags), (ends, flags), -1, EMFILE, ENFILE) \
	/* sockets */ \
	CALL(int, accept4, (int fd, struct sockaddr *a, socklen_t *n, int flags), (fd, a, n, flags), -1, EINTR, EMFILE, ECONNABORTED, ENOMEM) \
	CALL(int, bind, (int fd, const struct sockaddr *a, socklen_t n), (fd, a, n), -1, EADDRINUSE, EACCES, ENOSPC) \
	CALL(int, connect, (int fd, const struct sockaddr *a, socklen_t n), (fd, a, n), -1, EINTR, ECONNREFUSED, EACCES) \
	CALL(int, listen, (int fd, int n), (fd, n), -1, EADDRINUSE, EIO) \
	CALL(int, socket, (int a, int b, int c), (a, b, c), -1, EMFILE, EACCES, ENOBUFS) \
	CALL(unsigned, if_nametoindex, (const char *name), (name), 0, ENODEV, EMFILE) \
	CALL(int, setsockopt, (int fd, int l, int o, const void *p, socklen_t n), (fd, l, o, p, n), -1, ENOBUFS) \
	CALL(int, getsockopt, (int fd, int l, int o, void *p, socklen_t *n), (fd, l, o, p, n), -1, ENOBUFS) \
	CALL(int, getaddrinfo, (const char *a, const char *b, const struct addrinfo *c, struct addrinfo **d), (a, b, c, d), EAI_MEMORY, EIO) \
	/* terminals */ \
	CALL(int, posix_openpt, (int flags), (flags), -1, EMFILE, ENOSPC, EAGAIN) \
	CALL(int, grantpt, (int fd), (fd), -1, EACCES) \
	CALL(int, unlockpt, (int fd), (fd), -1, EINVAL) \
	CALL(char *, ptsname, (int fd), (fd), NULL, ENOTTY) \
	CALL(int, isatty, (int fd), (fd), 0, EIO) \
	CALL(int, tcgetattr, (int fd, struct termios *t), (fd, t), -1, EIO) \
	CALL(int, tcsetattr, (int fd, int how, const struct termios *t), (fd, how, t), -1, EIO, EINTR) \
	CALL(pid_t, tcgetpgrp, (int fd), (fd), -1, ENOTTY) \
	/* memory */ \
	CALL(void *, malloc, (size_t n), (n), NULL, ENOMEM) \
	CALL(void *, calloc, (size_t n, size_t size), (n, size), NULL, ENOMEM) \
	CALL(void *, realloc, (void *p, size_t n), (p, n), NULL, ENOMEM)
/* clang-format on */

/* The position of each call in the arrays below. */
#define FAULTS_INDEX(type, name, ...) CALL_##name,
#define FAULTS_OTHER_INDEX(name, ...) CALL_##name,
enum { FAULTS_CALLS(FAULTS_INDEX, FAULTS_OTHER_INDEX) CALLS };

/* What vmrun and the driver share: a file that both map. */
struct faults_page {
	int call;	  /* which one fails, or -1 */
	int error;	  /* an errno, or SHORT */
	unsigned long at; /* the N-th call fails, from 1 on */
	int fired;	  /* whether it has failed */
	int hit_stderr;	  /* whether that was output to stderr */
	unsigned long count[CALLS];
};

#endif
