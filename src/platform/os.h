/*
 * The questions that vmrun asks an operating system, and its only answers: os_freebsd.c,
 * os_linux.c, and os.c for those that sound the same everywhere.  Nothing outside this folder
 * knows which system it runs on.
 */
#ifndef PLATFORM_OS_H
#define PLATFORM_OS_H

#include <stdbool.h>
#include <stdint.h>
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
/* The kernel's number of an interface, never used again for another; 0: there is none. */
unsigned os_interface_index(const char *name);
/*
 * Keeps the system from killing this process when memory runs out: procctl(PROC_SPROTECT), or
 * oom_score_adj.  -1 and errno when that is not allowed.
 */
int os_protect(pid_t pid);
/* The directory of the VMs that vmm(4) has, "/dev/vmm". Caller frees with free(). */
char *os_vmm_directory(void);
/* Does /dev/vmm/NAME, the kernel's half of a bhyve VM, exist? */
bool os_vm_exists(const char *name);
/* Returns an id that the host gives to its present boot, "" if it gives none. Caller frees. */
char *os_boot_id(void);
/*
 * When a process started, a number that no other process of that pid has had since the system
 * booted; false when there is none, or a zombie.
 */
bool os_process_start(pid_t pid, int64_t *start);
/* The same, and whether it is dead and not reaped yet; false when there is none of that pid. */
bool os_process_look(pid_t pid, bool *dead, int64_t *start);
/* Is the process of that pid, dead but not reaped ones included, the one that started then? */
bool os_process_was(pid_t pid, int64_t start);
/* Is a kernel module of that name loaded or built in? Asked on FreeBSD only, elsewhere false. */
bool os_module_loaded(const char *name);
/* A number that sysctl(3) knows; false when there is no such variable. On FreeBSD only. */
bool os_sysctl(const char *name, int64_t *value);
/* Who is at the other end of a connected unix socket; pid 0: the system does not tell. */
bool os_peer(int fd, uid_t *uid, pid_t *pid);
/* Bytes of the host's memory, 0: nobody knows. */
int64_t os_memory(void);
/* The process that has this interface, a tap, open; 0: none, or the system does not tell. */
pid_t os_interface_opener(const char *name);
/* Bytes of a sector of the disk that this path is; 0: it is a file, or cannot be asked. */
int64_t os_sector_size(const char *path);
/* Is this terminal device open? It must exist. Where the system does not tell, false. */
bool os_terminal_is_open(const char *path);
/* Is there a name in /dev?  Only read from the list: asking for the file would make it, where it is
 * made when it is asked for, as nmdm(4)'s are. */
bool os_device_is_listed(const char *name);

#endif
