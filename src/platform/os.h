/*
 * The questions that vmrun asks an operating system, and its only answers: os_freebsd.c,
 * os_linux.c, and os.c for those that sound the same everywhere.  Nothing outside this folder
 * knows which system it runs on.
 */
#ifndef PLATFORM_OS_H
#define PLATFORM_OS_H

#include <stdbool.h>
#include <sys/types.h>

/* "FreeBSD", "Linux". */
const char *os_name(void);
/* Major release on FreeBSD (kern.osreldate / 100000), 0 elsewhere. */
int os_bhyve_release(void);
/* The architecture in FreeBSD's words, "amd64" or "arm64"; "" when it is neither. */
const char *os_arch(void);
/* Can bhyve run here: vmm(4) is loaded or /dev/vmmctl is there. False elsewhere than FreeBSD. */
bool os_has_vmm(void);
/* Can qemu use hardware: true only where its accelerator is known to run unpaged code (Linux:
 * /dev/kvm opens and kvm_intel or kvm_amd is loaded). */
bool os_has_kvm(void);
/* Are interfaces made with ip(8), not with ifconfig(8)? */
bool os_uses_ip(void);
/* Does a network interface of that name exist? Asked of the kernel, nothing is executed. */
bool os_interface_exists(const char *name);
/*
 * Keeps the system from killing this process when memory runs out: procctl(PROC_SPROTECT), or
 * oom_score_adj.  -1 and errno when that is not allowed.
 */
int os_protect(pid_t pid);
/* Does /dev/vmm/NAME, the kernel's half of a bhyve VM, exist? */
bool os_vm_exists(const char *name);

#endif
