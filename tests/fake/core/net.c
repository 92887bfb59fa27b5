/* virtio-net and e1000. No interface is ever opened: the names alone are looked at. */
#include "devices.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { MIN_MTU = 46, MAX_MTU = 65535 };

struct backend {
	const char *prefix;
	int since;
	bool is_tap;
};

static const struct backend backends[] = {
	{ "tap", 13, true },
	{ "vmnet", 13, true },
	{ "netgraph", 13, false },
	{ "netmap", 13, false },
	{ "vale", 13, false },
	{ "slirp", 15, false },
	{ "ngd", 16, false },
};

/* Leniently: six hexadecimal numbers, of each the low eight bits. */
static int check_mac(struct vm *vm, const char *text)
{
	unsigned int part[6], any = 0;
	size_t i;

	if (text == NULL)
		return 0;
	if (sscanf(text, "%x:%x:%x:%x:%x:%x", &part[0], &part[1], &part[2], &part[3], &part[4],
		&part[5]) != 6)
		return fk_fail(vm, EXIT_BAD, "invalid MAC address %s", text);
	for (i = 0; i < 6; i++)
		any |= part[i] & 0xff;
	if (any == 0 || (part[0] & 1) != 0)
		return fk_fail(vm, EXIT_BAD, "invalid MAC address %s", text);
	return 0;
}

static int check_mtu(struct vm *vm, const char *text)
{
	unsigned long mtu;
	char *end;

	if (text == NULL)
		return 0;
	mtu = strtoul(text, &end, 0);
	if (text[0] == '-' || end == text || *end != '\0' || mtu < MIN_MTU || mtu > MAX_MTU)
		return fk_fail(vm, EXIT_BAD, "invalid MTU %s", text);
	return 0;
}

/* `[IPv4]:PORT` of at most n bytes: a port is 0 to 65535, read by atoi(3). */
static bool good_end(const char *text, size_t n)
{
	char *copy = fk_copy_text(text, n), *port = strchr(copy, ':');
	unsigned char bytes[4];
	bool good = port != NULL;

	if (good) {
		*port++ = '\0';
		good = (copy[0] == '\0' || inet_pton(AF_INET, copy, bytes) == 1) &&
		    atoi(port) >= 0 && atoi(port) <= UINT16_MAX;
	}
	free(copy);
	return good;
}

/* PROTO:END-END, where PROTO is any word; rules are cut at semicolons. */
static int check_hostfwd(struct vm *vm, const char *rules)
{
	char *copy, *rest, *rule, *host, *guest;
	bool good = true;

	if (rules == NULL)
		return 0;
	copy = rest = fk_copy_text(rules, strlen(rules));
	while (good && (rule = fk_cut_piece(&rest, ';')) != NULL) {
		host = strchr(rule, ':');
		guest = host == NULL ? NULL : strchr(++host, '-');
		good = guest != NULL && good_end(host, (size_t)(guest - host)) &&
		    good_end(guest + 1, strlen(guest + 1));
	}
	free(copy);
	return good ? 0 : fk_fail(vm, EXIT_BAD, "unable to parse hostfwd rule '%s'", rules);
}

/* `type=` tells what a renamed interface is. */
static int check_backend(struct vm *vm, const struct fake_node *node, const char *name)
{
	const char *type = vm->host->release < 14 ? NULL : fk_get_child(vm, node, "type");
	size_t i;

	if (type == NULL)
		type = name;
	for (i = 0; i < sizeof(backends) / sizeof(backends[0]); i++)
		if (strncmp(type, backends[i].prefix, strlen(backends[i].prefix)) == 0 &&
		    vm->host->release >= backends[i].since)
			break;
	if (i == sizeof(backends) / sizeof(backends[0]))
		return fk_fail(vm, EXIT_BAD, "no network backend for %s", type);
	if (backends[i].is_tap &&
	    ((vm->host->bad_tap != NULL && strcmp(name, vm->host->bad_tap) == 0) ||
		!fk_take(vm, "interface", name)))
		return fk_fail(
		    vm, EXIT_BAD, "open of tap device /dev/%s failed: %s", name, strerror(EBUSY));
	if (strcmp(backends[i].prefix, "netgraph") == 0 &&
	    (fk_get_child(vm, node, "path") == NULL || fk_get_child(vm, node, "peerhook") == NULL))
		return fk_fail(vm, EXIT_BAD, "netgraph needs path and peerhook");
	if (strcmp(backends[i].prefix, "slirp") == 0)
		return check_hostfwd(vm, fk_get_child(vm, node, "hostfwd"));
	return 0;
}

static int init_card(struct vm *vm, const struct fake_node *node, bool with_mtu)
{
	const char *backend;
	int rc;

	if ((rc = check_mac(vm, fk_get_child(vm, node, "mac"))) != 0 ||
	    (with_mtu && (rc = check_mtu(vm, fk_get_child(vm, node, "mtu"))) != 0))
		return rc;
	backend = fk_get_child(vm, node, "backend");
	return backend == NULL ? 0 : check_backend(vm, node, backend);
}

int fk_init_net(struct vm *vm, const struct device *device)
{
	int rc = init_card(vm, device->node, true);

	if (rc == 0 && fk_get_child(vm, device->node, "backend") == NULL)
		return fk_fail(
		    vm, FAKE_SIGNAL(SIGABRT), "assertion failed: virtio-net has no backend");
	return rc;
}

int fk_init_e1000(struct vm *vm, const struct device *device)
{
	int rc = init_card(vm, device->node, false);

	if (rc == 0 && fk_get_child(vm, device->node, "backend") == NULL)
		return fk_fail(vm, EXIT_BAD, "e1000: no backend");
	return rc;
}
