/* Everything between the options and the first instruction of the guest, in bhyve's order. */
#include "internal.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	VARIANT = 19,
	/* digit of a UUID */ MAX_VM_NAME = 229,
	MAX_SOCKET_PATH = 103,
	MAX_PATH = 4096
};

void fake_machine_init(struct fake_machine *machine)
{
	memset(machine, 0, sizeof(*machine));
	machine->console_in = machine->console_out = -1;
}

void fake_machine_fini(struct fake_machine *machine)
{
	size_t i;

	for (i = 0; i < machine->n_sockets; i++)
		(void)close(machine->sockets[i]);
	for (i = 0; i < machine->n_holds; i++)
		(void)close(machine->holds[i]);
	free(machine->name);
	fake_machine_init(machine);
}

static int check_bools(struct vm *vm, const char *const *paths)
{
	bool value = false;
	int rc = 0;

	for (; rc == 0 && *paths != NULL; paths++)
		rc = fk_get_bool(vm, *paths, &value);
	return rc;
}

/* What vmm(4) and devfs(5) take; and no '/', for the name becomes a file in the state directory. */
static bool good_name(const char *name)
{
	const char *c;

	for (c = name; *c != '\0'; c++)
		if (isspace((unsigned char)*c) || *c == '"' || *c == '/')
			return false;
	return c != name && c - name <= MAX_VM_NAME && strcmp(name, ".") != 0 &&
	    strcmp(name, "..") != 0;
}

static void state_path(
    const struct vm *vm, char path[MAX_PATH], const char *directory, const char *name)
{
	(void)snprintf(path, MAX_PATH, "%s/%s/%s", vm->host->state_dir, directory, name);
}

static bool write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	if (file == NULL)
		return false;
	fputs(text, file);
	return fclose(file) == 0;
}

/* vmm/NAME stands for /dev/vmm/NAME: it holds the pid of the last bhyve of this VM. */
static int create_vm(struct vm *vm, const char *name, bool has_rom)
{
	char path[MAX_PATH], pid[32];

	if (vm->machine == NULL)
		return 0;
	free(vm->machine->name);
	vm->machine->name = fk_copy_text(name, strlen(name));
	if (vm->host->state_dir == NULL) {
		if (has_rom || vm->host->no_files)
			return 0;
		return fk_fail(vm, EXIT_BAD, "the VM was not loaded, and there is no bootrom");
	}
	state_path(vm, path, "vmm", "");
	(void)mkdir(path, 0755);
	state_path(vm, path, "vmm", name);
	if (!has_rom && access(path, F_OK) != 0)
		return fk_fail(vm, EXIT_BAD,
		    vm->host->release < 15 ? "virtual machine cannot be booted"
					   : "no bootrom was configured");
	(void)snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	if (!write_file(path, pid))
		return fk_fail(vm, EXIT_BAD, "vm_create: %s", strerror(errno));
	return 0;
}

static int open_vm(struct vm *vm)
{
	const char *name = fk_get(vm, "name");
	bool has_rom = fk_bootrom(vm) != NULL;
	int rc;

	if (!good_name(name))
		return fk_fail(vm, EXIT_BAD, "vm_create: invalid name \"%s\"", name);
	rc = create_vm(vm, name, has_rom);
	if (rc == 0 && vm->cpus > vm->host->max_cpus)
		return fk_fail(vm, EXIT_OSERR, "vm_set_topology");
	return rc;
}

/* A VM that was not destroyed keeps its memory: it can be set up again as it was, only. */
static int compare_memory(struct vm *vm, bool wired)
{
	unsigned long long old_size;
	int old_wired, fields = 0;
	char path[MAX_PATH], text[64];
	FILE *file;

	if (vm->machine == NULL || vm->host->state_dir == NULL)
		return 0;
	state_path(vm, path, "memory", "");
	(void)mkdir(path, 0755);
	state_path(vm, path, "memory", vm->machine->name);
	file = fopen(path, "r");
	if (file != NULL) {
		fields = fscanf(file, "%llu %d", &old_size, &old_wired);
		(void)fclose(file);
	}
	if (fields == 2 && (old_size != vm->memory || (old_wired != 0) != wired))
		return fk_fail(vm, EXIT_BAD, "unable to setup memory (%d)",
		    old_size != vm->memory ? EINVAL : EEXIST);
	(void)snprintf(text, sizeof(text), "%llu %d\n", (unsigned long long)vm->memory, wired);
	return write_file(path, text) ? 0 : fk_fail(vm, EXIT_BAD, "memory: %s", strerror(errno));
}

static int set_up_memory(struct vm *vm)
{
	static const char *const bools[] = { "memory.guest_in_core", NULL };
	bool wired = false;
	int rc;

	if ((vm->host->release >= 15 && (rc = fk_check_domains(vm)) != 0) ||
	    (rc = fk_get_bool(vm, "memory.wired", &wired)) != 0 ||
	    (rc = check_bools(vm, bools)) != 0)
		return rc;
	if (vm->memory == 0 || vm->memory % PAGE != 0)
		return fk_fail(vm, EXIT_BAD, "unable to setup memory (22)");
	rc = compare_memory(vm, wired);
	return rc == 0 && vm->host->release >= 15 ? fk_check_domain_cpus(vm) : rc;
}

static int init_arm64(struct vm *vm)
{
	const char *rom = fk_get(vm, "bootrom");

	if (rom == NULL)
		return fk_fail(vm, EXIT_BAD, "no bootrom specified");
	if (!vm->host->no_files && access(rom, R_OK) != 0)
		return fk_fail(vm, EXIT_POWEROFF, "open(%s): %s", rom, strerror(errno));
	return fk_open_serial(vm, fk_get(vm, "console"));
}

/* In 13 and 14 it is the lpc that loads the firmware. */
static int init_platform(struct vm *vm)
{
	static const char *const bools[] = { "x86.strictmsr", "rtc.use_localtime", NULL };
	int rc;

	if (vm->host->arm64)
		return init_arm64(vm);
	rc = vm->host->release < 15 ? 0 : fk_load_bootrom(vm);
	return rc == 0 ? check_bools(vm, bools) : rc;
}

static int init_gdb(struct vm *vm)
{
	const char *port = fk_get(vm, "gdb.port"), *address = fk_get(vm, "gdb.address");
	bool wait = false;
	int rc;

	if (port == NULL)
		return 0;
	rc = fk_get_bool(vm, "gdb.wait", &wait);
	if (rc != 0)
		return rc;
	if (port[0] == '\0')
		return fk_fail(vm, EXIT_POWEROFF, "gdb: no port");
	return fk_listen_tcp(
	    vm, FAMILY_BY_NAME, address == NULL ? "localhost" : address, port, EXIT_POWEROFF);
}

static int check_uuid(struct vm *vm)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	const char *uuid = fk_get(vm, "uuid");
	size_t i;

	if (uuid == NULL || uuid[0] == '\0' || vm->host->arm64)
		return 0;
	for (i = 0; form[i] != '\0'; i++)
		if (form[i] == 'x' ? !isxdigit((unsigned char)uuid[i]) : uuid[i] != '-')
			break;
	if (form[i] != '\0' || uuid[i] != '\0')
		return fk_fail(vm, EXIT_BAD, "invalid UUID \"%s\"", uuid);
	if (strchr("eEfF", uuid[VARIANT]) != NULL)
		return fk_fail(vm, EXIT_BAD, "UUID \"%s\" is of no known variant", uuid);
	return 0;
}

/* The socket of 16's control channel. */
static int check_run_dir(struct vm *vm)
{
	const char *dir = fk_get(vm, "rundir");

	if (dir != NULL && strlen(dir) + strlen(fk_get(vm, "name")) > MAX_SOCKET_PATH)
		return fk_fail(vm, EXIT_OSERR, "path of the control socket is too long");
	return 0;
}

static int finish(struct vm *vm)
{
	static const char *const bools[] = { "virtio_msix", "virtio.msix", "acpi_tables", NULL };
	int rc;

	if ((rc = fk_init_tpm(vm)) != 0 || (rc = check_bools(vm, bools)) != 0 ||
	    (rc = init_gdb(vm)) != 0)
		return rc;
	if (!vm->host->arm64 && (rc = fk_check_mptable(vm)) != 0)
		return rc;
	if ((rc = check_uuid(vm)) != 0 ||
	    (vm->host->release >= 16 && (rc = check_run_dir(vm)) != 0))
		return rc;
	if (vm->highest_pin >= vm->host->host_cpus) /* the first thing that a vCPU's thread does */
		return fk_fail(
		    vm, FAKE_SIGNAL(SIGABRT), "assertion failed: no host CPU %d", vm->highest_pin);
	return 0;
}

static int start(struct vm *vm)
{
	static const char *const vcpu_bools[] = { "x86.vmexit_on_hlt", "x86.vmexit_on_pause",
		"x86.x2apic", NULL };
	static const char *const last_bools[] = { "destroy_on_poweroff", NULL };
	bool dump = false;
	int rc = fk_get_bool(vm, "config.dump", &dump);

	if (rc == 0 && dump) {
		if (vm->host->out != NULL)
			fake_tree_dump(vm->tree, vm->host->out);
		return fk_fail(vm, EXIT_POWEROFF, "%s", ""); /* without a word on stderr */
	}
	if (rc != 0 || (rc = fk_check_topology(vm)) != 0 || (rc = fk_check_pins(vm)) != 0 ||
	    (rc = fk_check_memory_size(vm)) != 0 || (rc = open_vm(vm)) != 0 ||
	    (!vm->host->arm64 && (rc = check_bools(vm, vcpu_bools)) != 0) ||
	    (rc = set_up_memory(vm)) != 0 || (rc = init_platform(vm)) != 0 ||
	    (rc = fk_init_devices(vm)) != 0)
		return rc;
	rc = finish(vm);
	/* bhyve reads this when the guest powers off: who only asks about argv is told now. */
	return rc == 0 && vm->machine == NULL ? check_bools(vm, last_bools) : rc;
}

int fake_start(const struct fake_host *host, struct fake_tree *tree, struct fake_machine *machine,
    char *message, size_t n)
{
	struct vm vm = { .host = host, .tree = tree, .machine = machine, .message = message };
	int rc;

	vm.size = n;
	rc = start(&vm);
	fk_forget_taken(&vm);
	return rc;
}

static bool number_from_env(const char *name, int least, int most, int *number)
{
	const char *text = getenv(name);
	char *end;
	long value;

	if (text == NULL || text[0] == '\0')
		return true;
	value = strtol(text, &end, 10);
	if (*end != '\0' || value < least || value > most)
		return false;
	*number = (int)value;
	return true;
}

static bool is_set(const char *name)
{
	const char *text = getenv(name);

	return text != NULL && text[0] != '\0' && strcmp(text, "0") != 0;
}

bool fake_host_from_env(struct fake_host *host, const char **message)
{
	const char *arch = getenv("FAKEBHYVE_ARCH");

	memset(host, 0, sizeof(*host));
	host->arm64 = arch != NULL && strcmp(arch, "arm64") == 0;
	host->release = host->arm64 ? 15 : 14;
	host->max_cpus = host->host_cpus = 64;
	host->no_files = is_set("FAKEBHYVE_NODISK");
	host->listen = is_set("FAKEBHYVE_LISTEN");
	host->bad_tap = getenv("FAKEBHYVE_BAD_TAP");
	host->state_dir = getenv("FAKE_STATE_DIR");
	if (arch != NULL && arch[0] != '\0' && !host->arm64 && strcmp(arch, "amd64") != 0)
		*message = "FAKEBHYVE_ARCH is amd64 or arm64";
	else if (!number_from_env("FAKEBHYVE_RELEASE", 13, 16, &host->release))
		*message = "FAKEBHYVE_RELEASE is 13, 14, 15 or 16";
	else if (host->arm64 && host->release < 15)
		*message = "bhyve came to arm64 with release 15";
	else if (!number_from_env("FAKEBHYVE_MAXCPU", 1, 65535, &host->max_cpus) ||
	    !number_from_env("FAKEBHYVE_HOSTCPUS", 1, 1024, &host->host_cpus))
		*message = "FAKEBHYVE_MAXCPU and FAKEBHYVE_HOSTCPUS are numbers";
	else
		return true;
	return false;
}

int fake_parse(int argc, char **argv, struct fake_tree *out, char *message, size_t n)
{
	struct fake_host host;
	const char *why = "";
	int rc;

	if (!fake_host_from_env(&host, &why)) {
		(void)snprintf(message, n, "%s", why);
		return EXIT_USAGE;
	}
	host.no_files = true;
	host.listen = false;
	host.state_dir = NULL;
	rc = fake_options(&host, argc, argv, out, message, n);
	return rc == 0 ? fake_start(&host, out, NULL, message, n) : rc;
}
