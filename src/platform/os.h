/*
 * Questions to the operating system: os_freebsd.c and os_linux.c answer them, and os.c those with
 * the same answer on both.  No other directory knows the system that it runs on.
 */
#ifndef PLATFORM_OS_H
#define PLATFORM_OS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Returns "FreeBSD" or "Linux". */
const char *os_name(void);
/* Returns the major release of FreeBSD (kern.osreldate / 100000), 0 elsewhere. */
int os_bhyve_release(void);
/* Returns the architecture in FreeBSD's words, "amd64" or "arm64"; "" for any other. */
const char *os_arch(void);
/* Returns whether bhyve can run: vmm(4) is loaded, or /dev/vmmctl exists.  Only on FreeBSD. */
bool os_has_vmm(void);
/* Room for the reason why KVM cannot be used, and its NUL. */
#define OS_KVM_WHY 128
/*
 * Returns whether qemu can use an accelerator that is known to run unpaged code (Linux: /dev/kvm
 * opens and, on amd64, kvm_intel or kvm_amd is loaded).  Stores the reason in `why` if it cannot.
 */
bool os_has_kvm(char why[OS_KVM_WHY]);
/* Returns whether the host's processor is one of AMD's. */
bool os_cpu_is_amd(void);
/* Room for the reason why a guest cannot have a PCI device, and its NUL. */
#define OS_VFIO_WHY 128
/*
 * Returns whether qemu's vfio-pci can give a guest the PCI device of domain 0: Linux has it, and
 * its driver is vfio-pci.  Stores the reason in `why` if it cannot.
 */
bool os_has_vfio(int bus, int slot, int function, char why[OS_VFIO_WHY]);
/* Returns whether interfaces are made with ip(8), not with ifconfig(8). */
bool os_uses_ip(void);
/*
 * Makes a tap of that name on systems with ip(8), unless an interface of the name exists (EEXIST).
 * It disappears with *fd, which is close-on-exec, until os_tap_keep() keeps it.  Returns 0 or an
 * errno; ENOTSUP on other systems.
 */
int os_tap_make(const char *name, int *fd);
/* Keeps the tap when its descriptor is closed.  Returns 0 or an errno. */
int os_tap_keep(int fd);
/* Returns whether a network interface exists; asks the kernel and executes nothing. */
bool os_interface_exists(const char *name);
/* Returns whether an interface exists and is switched off: then it passes no packets. */
bool os_interface_is_down(const char *name);
/* Returns the kernel's number of an interface, which no later one gets; 0: no such interface. */
unsigned os_interface_index(const char *name);
/*
 * Keeps the system from killing a process when memory runs out: procctl(PROC_SPROTECT), or
 * oom_score_adj.  Returns -1 and errno when that is not allowed.
 */
int os_protect(pid_t pid);
/* CPUs of a host that a thread can be pinned to: CPU_SETSIZE of Linux and FreeBSD 14. */
#define MAX_HOST_CPUS 1024
/*
 * Lets a thread run only on the CPUs that are true.  Returns 0 or an errno: ESRCH the process has
 * no such thread, ENXIO the thread may run on none of the CPUs, or another one of the system.
 */
int os_pin_thread(pid_t pid, int64_t thread, const bool cpus[MAX_HOST_CPUS]);
/* Returns the directory of the VMs of vmm(4), "/dev/vmm".  Caller frees with free(). */
char *os_vmm_directory(void);
/* Returns whether /dev/vmm/NAME, the kernel's half of a bhyve VM, exists. */
bool os_vm_exists(const char *name);
/*
 * Returns the user's home directory: $HOME if it is an absolute path, else that of the password
 * database, "" if there is none.  Caller frees.
 */
char *os_home(void);
/* Returns an id that the host gives to its present boot, "" if it gives none. Caller frees. */
char *os_boot_id(void);
/*
 * Gets the start of a process, a number that no other process of that pid has had since the system
 * booted; false when there is no such process, or it is a zombie.
 */
bool os_process_start(pid_t pid, int64_t *start);
/* Gets the same, and whether the process is a zombie; false when there is no such process. */
bool os_process_look(pid_t pid, bool *dead, int64_t *start);
/* Returns whether the process of that pid, zombie or not, is the one that started then. */
bool os_process_was(pid_t pid, int64_t start);
/* Returns whether a kernel module is loaded or built in.  False elsewhere than on FreeBSD. */
bool os_module_loaded(const char *name);
/* Gets a number from sysctl(3); false when there is no such variable.  Only on FreeBSD. */
bool os_sysctl(const char *name, int64_t *value);
/* Gets the process at the other end of a connected unix socket; pid 0: unknown to the system. */
bool os_peer(int fd, uid_t *uid, pid_t *pid);
/* Returns the bytes of the host's memory, 0: unknown. */
int64_t os_memory(void);
/* Returns the process that has a tap open; 0: none, or unknown to the system. */
pid_t os_interface_opener(const char *name);
/* Returns the sector size of a disk in bytes; 0: the path is a file, or the size is unknown. */
int64_t os_sector_size(const char *path);
/*
 * Returns whether a terminal device, which must exist, is open.  False where the system cannot
 * tell.
 */
bool os_terminal_is_open(const char *path);
/*
 * Returns whether /dev lists a name.  Reads only the list: a look at the file itself would create
 * devices that are made on demand, such as nmdm(4).
 */
bool os_device_is_listed(const char *name);
/*
 * Returns whether a child can open /dev/fd/N for any of its descriptors N: on Linux always, on
 * FreeBSD where fdescfs(5) is mounted.
 */
bool os_has_dev_fd(void);

#endif
