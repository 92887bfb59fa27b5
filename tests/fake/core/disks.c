/* Block devices: virtio-blk, ahci, nvme, virtio-scsi. */
#include "devices.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_PORTS = 32, MAX_TARGET = 255, MIN_SECTOR = 512 };

static int conf_port(
    struct vm *vm, struct fake_node *node, int port, const char *type, const char *conf)
{
	struct fake_node *child;
	char key[40];
	int rc;

	(void)snprintf(key, sizeof(key), "port.%d", port);
	child = fk_node_at(node, key, true);
	rc = fk_set_child(vm, child, "type", type);
	return rc == 0 ? fk_conf_path(vm, child, conf) : rc;
}

int fk_conf_ahci_hd(struct vm *vm, struct fake_node *node, const char *conf)
{
	return conf_port(vm, node, 0, "hd", conf);
}

int fk_conf_ahci_cd(struct vm *vm, struct fake_node *node, const char *conf)
{
	return conf_port(vm, node, 0, "cd", conf);
}

/* Where the next port begins: at a `hd:` or `cd:` behind a comma. The comma becomes an end. */
static char *cut_port(char *text)
{
	char *hd = strstr(text, ",hd:"), *cd = strstr(text, ",cd:");
	char *next = hd == NULL || (cd != NULL && cd < hd) ? cd : hd;

	if (next != NULL)
		*next++ = '\0';
	return next;
}

/* A port without text keeps its number and is not made; ports after the 32nd are dropped. */
int fk_conf_ahci(struct vm *vm, struct fake_node *node, const char *conf)
{
	char *copy, *text, *next;
	const char *type;
	int port, rc = 0;

	if (conf == NULL)
		return 0;
	(void)fk_node_at(node, "port", true);
	copy = text = fk_copy_text(conf, strlen(conf));
	for (port = 0; rc == 0 && port < MAX_PORTS && text != NULL; port++, text = next) {
		type = strncmp(text, "hd:", 3) == 0 ? "hd" : "cd";
		if (strncmp(text, type, 2) == 0 && text[2] == ':')
			text += 3;
		else
			type = NULL;
		next = cut_port(text);
		if (text[0] == '\0')
			continue;
		rc = type != NULL ? conf_port(vm, node, port, type, text)
				  : fk_fail(vm, EXIT_BAD, "ahci: no hd: or cd: before %s", text);
	}
	free(copy);
	return rc;
}

int fk_conf_nvme(struct vm *vm, struct fake_node *node, const char *conf)
{
	if (conf != NULL && strncmp(conf, "ram=", 4) == 0)
		return fk_conf_pairs(vm, node, conf);
	return fk_conf_path(vm, node, conf);
}

/* 16: [ID:]DEVICE; without an id the one after the last. */
static int add_target(struct vm *vm, struct fake_node *targets, const char *text, int *last)
{
	const char *colon = strchr(text, ':');
	const char *device = colon == NULL ? text : colon + 1;
	long id = *last + 1L;
	char name[24], *end;

	if (colon != NULL) {
		id = strtol(text, &end, 0);
		if (end != colon || end == text)
			id = -1;
	}
	if (id < 0 || id > MAX_TARGET)
		return fk_fail(vm, EXIT_BAD, "virtio-scsi: invalid target in '%s'", text);
	(void)snprintf(name, sizeof(name), "%ld", id);
	if (fk_node_get(targets, name) != NULL)
		return fk_fail(vm, EXIT_BAD, "virtio-scsi: target %ld exists", id);
	*last = (int)id;
	return fk_set_child(vm, targets, name, device);
}

static int conf_targets(struct vm *vm, struct fake_node *node, const char *conf)
{
	struct fake_node *targets;
	char *copy, *rest, *piece;
	int last = conf == NULL ? 0 : -1, rc = 0;
	bool first = true;

	(void)fk_node_at(node, "dev", true); /* so that nobody sets `dev` any more */
	targets = fk_node_at(node, "target", true);
	if (conf == NULL)
		return add_target(vm, targets, "/dev/cam/ctl", &last);
	copy = rest = fk_copy_text(conf, strlen(conf));
	while (rc == 0 && (piece = fk_cut_piece(&rest, ',')) != NULL) {
		if (first && strchr(piece, '=') == NULL)
			rc = add_target(vm, targets, piece, &last);
		else if (strncmp(piece, "target=", 7) == 0 || strncmp(piece, "dev=", 4) == 0)
			rc = add_target(vm, targets, strchr(piece, '=') + 1, &last);
		else
			rc = fk_conf_pairs(vm, node, piece);
		first = false;
	}
	free(copy);
	return rc;
}

int fk_conf_scsi(struct vm *vm, struct fake_node *node, const char *conf)
{
	return vm->host->release < 16 ? fk_conf_first(vm, node, "dev", conf)
				      : conf_targets(vm, node, conf);
}

static bool power_of_two(long number)
{
	return number > 0 && (number & (number - 1)) == 0;
}

static int check_sectors(struct vm *vm, const char *text)
{
	char *end;
	long logical, physical;

	if (text == NULL)
		return 0;
	logical = physical = strtol(text, &end, 10);
	if (end != text && *end == '/') {
		text = end + 1;
		physical = strtol(text, &end, 10);
	}
	if (end != text && *end == '\0' && logical == 0)
		return 0; /* the same as none */
	if (end == text || *end != '\0' || !power_of_two(logical) || !power_of_two(physical) ||
	    logical < MIN_SECTOR || logical > physical)
		return fk_fail(vm, EXIT_BAD, "invalid sector size \"%s\"", text);
	return 0;
}

/* A disk that cannot be written is opened for reading, without a word. */
static int open_disk(struct vm *vm, const char *path, bool read_only)
{
	int fd = -1;

	if (vm->host->no_files && path[0] != '\0')
		return 0;
	if (!read_only)
		fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fk_fail(
		    vm, EXIT_BAD, "could not open backing file %s: %s", path, strerror(errno));
	(void)close(fd);
	return 0;
}

static int init_block(struct vm *vm, const struct fake_node *node)
{
	static const char *const switches[] = { "nocache", "nodelete", "sync", "direct", "ro" };
	const char *path, *index;
	bool value = false;
	size_t i;
	int rc;

	for (i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		value = false; /* the last one, `ro`, is used below */
		rc = fk_get_child_bool(vm, node, switches[i], &value);
		if (rc != 0)
			return rc;
	}
	rc = check_sectors(vm, fk_get_child(vm, node, "sectorsize"));
	if (rc != 0)
		return rc;
	path = fk_get_child(vm, node, "path");
	if (path == NULL)
		return fk_fail(vm, EXIT_BAD, "missing \"path\" for block device");
	rc = open_disk(vm, path, value);
	index = fk_get_child(vm, node, "bootindex");
	if (rc != 0 || (index != NULL && atoi(index) < 0))
		return rc; /* a negative boot index is none */
	return fk_add_boot_device(vm, node);
}

int fk_init_disk(struct vm *vm, const struct device *device)
{
	return init_block(vm, device->node);
}

static int init_port(struct vm *vm, const struct fake_node *port)
{
	const char *type = fk_get_child(vm, port, "type");
	char *end;
	long number = strtol(fk_node_name(port), &end, 0);

	if (*end != '\0' || number < 0 || number >= MAX_PORTS)
		return fk_fail(vm, EXIT_BAD, "ahci: invalid port %s", fk_node_name(port));
	if (type == NULL)
		return fk_fail(vm, EXIT_BAD, "ahci: missing type for port %ld", number);
	if (strcmp(type, "hd") != 0 && strcmp(type, "cd") != 0)
		return fk_fail(vm, EXIT_BAD, "ahci: invalid type \"%s\"", type);
	return init_block(vm, port);
}

int fk_init_ahci(struct vm *vm, const struct device *device)
{
	const struct fake_node *ports = fk_node_at(device->node, "port", false), *port;
	int rc = 0;

	if (ports == NULL)
		return fk_fail(vm, FAKE_SIGNAL(SIGSEGV), "ahci without a port node");
	for (port = fk_node_first(ports); rc == 0 && port != NULL; port = fk_node_next(port))
		if (!fk_node_is_value(port))
			rc = init_port(vm, port);
	return rc;
}

/* Fails for a number that has to be at least 1. */
static int check_count(struct vm *vm, const struct fake_node *node, const char *name)
{
	const char *text = fk_get_child(vm, node, name);

	if (text != NULL && strtol(text, NULL, 10) <= 0)
		return fk_fail(vm, EXIT_BAD, "nvme: invalid %s %s", name, text);
	return 0;
}

int fk_init_nvme(struct vm *vm, const struct device *device)
{
	int rc;

	if ((rc = check_count(vm, device->node, "qsz")) != 0 ||
	    (rc = check_count(vm, device->node, "ioslots")) != 0)
		return rc;
	if (fk_get_child(vm, device->node, "ram") != NULL)
		return fk_add_boot_device(vm, device->node);
	return init_block(vm, device->node);
}

/* A CTL device is not a thing of this system: those names are believed. */
static int open_target(struct vm *vm, const char *path)
{
	int fd;

	if ((vm->host->no_files && path[0] != '\0') || strncmp(path, "/dev/cam/", 9) == 0)
		return 0;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return fk_fail(vm, EXIT_BAD, "cannot open %s: %s", path, strerror(errno));
	(void)close(fd);
	return 0;
}

int fk_init_scsi(struct vm *vm, const struct device *device)
{
	const struct fake_node *targets = fk_node_at(device->node, "target", false), *target;
	const char *path = fk_get_child(vm, device->node, "dev");
	int rc = fk_add_boot_device(vm, device->node);

	if (rc == 0 && vm->host->release < 16)
		return open_target(vm, path == NULL ? "/dev/cam/ctl" : path);
	target = targets == NULL ? NULL : fk_node_first(targets);
	for (; rc == 0 && target != NULL; target = fk_node_next(target))
		if (fk_node_is_value(target))
			rc = open_target(vm, fk_get_child(vm, targets, fk_node_name(target)));
	return rc;
}
