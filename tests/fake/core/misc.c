/* The devices that have little in common: 9p, passthru, fbuf, xhci, input, the TPM. */
#include "devices.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	MAX_TAG = 256,
	MAX_USB_DEVICES = 4,
	MAX_UNIX_PATH = 104,
	VNC_PORT = 5900,
};

static int open_file(struct vm *vm, const char *path, int flags)
{
	int fd;

	if (vm->host->no_files && path[0] != '\0')
		return 0;
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		return fk_fail(vm, EXIT_BAD, "cannot open %s: %s", path, strerror(errno));
	(void)close(fd);
	return 0;
}

int fk_init_9p(struct vm *vm, const struct device *device)
{
	const char *path = fk_get_child(vm, device->node, "path");
	const char *tag = fk_get_child(vm, device->node, "sharename");
	bool read_only = false;
	int rc = fk_get_child_bool(vm, device->node, "ro", &read_only);

	if (rc != 0)
		return rc;
	if (path == NULL || tag == NULL)
		return fk_fail(vm, EXIT_BAD, "virtio-9p: path and sharename are required");
	if (strlen(tag) > MAX_TAG)
		return fk_fail(vm, EXIT_BAD, "virtio-9p: share name %s is too long", tag);
	return open_file(vm, path, O_RDONLY | O_DIRECTORY);
}

int fk_init_input(struct vm *vm, const struct device *device)
{
	const char *path = fk_get_child(vm, device->node, "path");
	struct stat status;
	int rc;

	if (path == NULL)
		return fk_fail(vm, EXIT_BAD, "virtio-input: no path");
	rc = open_file(vm, path, O_RDWR);
	if (rc != 0 || vm->host->no_files)
		return rc;
	if (stat(path, &status) != 0 || !S_ISCHR(status.st_mode))
		return fk_fail(vm, EXIT_BAD, "virtio-input: %s is no event device", path);
	return 0;
}

int fk_init_xhci(struct vm *vm, const struct device *device)
{
	const struct fake_node *slots = fk_node_at(device->node, "slot", false), *slot;
	const char *name;
	int devices = 0;

	if (!fk_take(vm, "device", "xhci"))
		return fk_fail(vm, EXIT_BAD, "only one xhci controller is allowed");
	slot = slots == NULL ? NULL : fk_node_first(slots);
	for (; slot != NULL; slot = fk_node_next(slot)) {
		if (fk_node_is_value(slot))
			continue;
		name = fk_get_child(vm, slot, "device");
		if (name == NULL || strcmp(name, "tablet") != 0)
			return fk_fail(
			    vm, EXIT_BAD, "xhci: unknown device \"%s\"", name == NULL ? "" : name);
		if (++devices > MAX_USB_DEVICES)
			return fk_fail(vm, EXIT_BAD, "xhci: too many devices");
	}
	return 0;
}

/* `IP:PORT`, `PORT`, `[IPV6]:PORT` or `[IPV6]`: cut in place. A port that is left out is 5900. */
static bool cut_address(char *text, const char **address, const char **port)
{
	char *end;

	*address = "";
	*port = text;
	if (text[0] == '[') {
		end = strchr(text, ']');
		if (end == NULL || end == text + 1 || (end[1] != '\0' && end[1] != ':'))
			return false;
		*address = text + 1;
		*end++ = '\0';
		*port = *end == '\0' ? "0" : end + 1;
	} else if ((end = strchr(text, ':')) != NULL) {
		*address = text;
		*end = '\0';
		*port = end + 1;
	}
	return **port != '\0';
}

static int listen_vnc(struct vm *vm, const char *where)
{
	const char *address, *port;
	char *copy, number[24];
	int rc;

	if (where == NULL)
		return 0;
	if (vm->host->release >= 16 && strncmp(where, "unix:", 5) == 0)
		return strlen(where + 5) <= MAX_UNIX_PATH
		    ? 0
		    : fk_fail(vm, EXIT_BAD, "fbuf: path too long: %s", where);
	copy = fk_copy_text(where, strlen(where));
	if (!cut_address(copy, &address, &port)) {
		rc = fk_fail(vm, EXIT_BAD, "fbuf: invalid address \"%s\"", where);
	} else {
		/* getaddrinfo(3) gets the number, and refuses one above 65535. */
		(void)snprintf(
		    number, sizeof(number), "%d", atoi(port) == 0 ? VNC_PORT : atoi(port));
		rc = fk_listen_tcp(
		    vm, AF_UNSPEC, address[0] == '\0' ? "127.0.0.1" : address, number, EXIT_BAD);
	}
	free(copy);
	return rc;
}

/* The wider limits are those of main in 2026; 15 is taken to have the old ones still. */
static int check_extent(struct vm *vm, const struct fake_node *node, const char *name, long least,
    long most, long old_most)
{
	const char *text = fk_get_child(vm, node, name);
	long extent = text == NULL ? 0 : strtol(text, NULL, 10);

	if (text == NULL)
		return 0;
	if (vm->host->release < 16 ? extent < 0 || extent > old_most
				   : extent < least || extent > most)
		return fk_fail(vm, EXIT_BAD, "fbuf: invalid %s %s", name, text);
	return 0;
}

int fk_init_fbuf(struct vm *vm, const struct device *device)
{
	const struct fake_node *node = device->node;
	const char *vga = fk_get_child(vm, node, "vga"), *where = fk_get_child(vm, node, "rfb");
	bool wait = false;
	int rc;

	if (!fk_take(vm, "device", "fbuf"))
		return fk_fail(vm, EXIT_BAD, "only one frame buffer is allowed");
	if ((rc = fk_get_child_bool(vm, node, "wait", &wait)) != 0 ||
	    (rc = check_extent(vm, node, "w", 640, 3840, 1920)) != 0 ||
	    (rc = check_extent(vm, node, "h", 480, 2160, 1200)) != 0)
		return rc;
	if (vga != NULL && strcmp(vga, "on") != 0 && strcmp(vga, "off") != 0 &&
	    strcmp(vga, "io") != 0)
		return fk_fail(vm, EXIT_BAD, "fbuf: invalid vga setting \"%s\"", vga);
	if (vga != NULL && strcmp(vga, "on") == 0) {
		fk_warn(vm, "fbuf: vga=on: no VNC server");
		return 0;
	}
	return listen_vnc(vm, where != NULL ? where : fk_get_child(vm, node, "tcp"));
}

/* With a list of the host's devices the driver has to be ppt; without one every device is ready. */
static bool is_attached(const struct vm *vm, const char *selector)
{
	char path[4096], line[512];
	bool found = false;
	FILE *list;

	if (vm->host->no_files || vm->host->state_dir == NULL)
		return true;
	(void)snprintf(path, sizeof(path), "%s/pci", vm->host->state_dir);
	list = fopen(path, "r");
	if (list == NULL)
		return true;
	while (!found && fgets(line, sizeof(line), list) != NULL)
		found = strncmp(line, "ppt", 3) == 0 && strstr(line, selector) != NULL;
	(void)fclose(list);
	return found;
}

int fk_init_passthru(struct vm *vm, const struct device *device)
{
	static const char *const keys[] = { "bus", "slot", "func" };
	const char *ppt = fk_get_child(vm, device->node, "pptdev"), *rom;
	char selector[128];
	long place[3];
	bool wired = false;
	size_t i;
	int rc = fk_get_bool(vm, "memory.wired", &wired);

	if (rc != 0)
		return rc;
	if (!wired)
		return fk_fail(vm, EXIT_BAD, "passthru requires guest memory to be wired");
	for (i = 0; ppt == NULL && i < 3; i++) {
		const char *text = fk_get_child(vm, device->node, keys[i]);

		if (text == NULL)
			return fk_fail(vm, EXIT_BAD, "passthru: missing %s", keys[i]);
		place[i] = strtol(text, NULL, 10);
	}
	if (ppt != NULL)
		(void)snprintf(selector, sizeof(selector), "%s@", ppt);
	else
		(void)snprintf(
		    selector, sizeof(selector), "@pci0:%ld:%ld:%ld:", place[0], place[1], place[2]);
	if (!is_attached(vm, selector))
		return fk_fail(vm, EXIT_BAD, "passthru: no ppt device %s", selector);
	rom = vm->host->release < 14 ? NULL : fk_get_child(vm, device->node, "rom");
	if (rom != NULL && (rc = open_file(vm, rom, O_RDONLY)) != 0)
		return rc;
	return 0; /* the boot index is not read */
}

/* A swtpm is connected to; a device of the host is believed to be there. */
static int open_tpm(struct vm *vm, const char *path, bool is_socket)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (vm->host->no_files || vm->machine == NULL)
		return 0;
	if (!is_socket)
		return strncmp(path, "/dev/tpm", 8) == 0 ? 0 : open_file(vm, path, O_RDWR);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		int why = errno;

		if (fd >= 0)
			(void)close(fd);
		return fk_fail(vm, EXIT_BAD, "tpm: %s: %s", path, strerror(why));
	}
	fk_hold(vm, fd);
	return 0;
}

int fk_init_tpm(struct vm *vm)
{
	const struct fake_node *tpm = fk_node_at(vm->tree->root, "tpm", false);
	const char *type, *path, *version, *intf;
	bool swtpm;

	if (tpm == NULL || vm->host->release < 14 || vm->host->arm64)
		return 0;
	type = fk_get_child(vm, tpm, "type");
	path = fk_get_child(vm, tpm, "path");
	version = fk_get_child(vm, tpm, "version");
	intf = fk_get_child(vm, tpm, "intf");
	swtpm = type != NULL && strcmp(type, "swtpm") == 0 && vm->host->release >= 15;
	if (type == NULL || (!swtpm && strcmp(type, "passthru") != 0))
		return fk_fail(vm, EXIT_BAD, "tpm: invalid type \"%s\"", type == NULL ? "" : type);
	if (version == NULL || strcmp(version, "2.0") != 0)
		return fk_fail(vm, EXIT_BAD, "tpm: only version 2.0 is known");
	if (intf != NULL && strcmp(intf, "crb") != 0)
		return fk_fail(vm, EXIT_BAD, "tpm: unknown interface \"%s\"", intf);
	if (path == NULL)
		return fk_fail(vm, EXIT_BAD, "tpm: no path");
	return open_tpm(vm, path, swtpm);
}
