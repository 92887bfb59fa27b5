/* The argument of -s: the slot, the model and what each model makes of the text after its name. */
#include "devices.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CONSOLE_PORTS = 16 };

char *fk_cut_piece(char **rest, char separator)
{
	char *piece = *rest, *end;

	if (piece == NULL)
		return NULL;
	end = strchr(piece, separator);
	if (end != NULL)
		*end++ = '\0';
	*rest = end;
	return piece;
}

/* `name=value` or `name` (true), between commas; an empty piece sets the variable "". */
int fk_conf_pairs(struct vm *vm, struct fake_node *node, const char *conf)
{
	char *copy, *rest, *piece, *value;
	int rc = 0;

	if (conf == NULL)
		return 0;
	copy = rest = fk_copy_text(conf, strlen(conf));
	while (rc == 0 && (piece = fk_cut_piece(&rest, ',')) != NULL) {
		value = strchr(piece, '=');
		if (value != NULL)
			*value++ = '\0';
		rc = fk_set_child(vm, node, piece, value == NULL ? "true" : value);
	}
	free(copy);
	return rc;
}

/* `FIRST[,pairs]`: the first piece, whatever it is, becomes the variable `key`. */
int fk_conf_first(struct vm *vm, struct fake_node *node, const char *key, const char *conf)
{
	const char *comma;
	char *first;
	int rc;

	if (conf == NULL)
		return 0;
	comma = strchr(conf, ',');
	first = fk_copy_text(conf, strcspn(conf, ","));
	rc = fk_set_child(vm, node, key, first);
	free(first);
	return rc == 0 && comma != NULL ? fk_conf_pairs(vm, node, comma + 1) : rc;
}

int fk_conf_path(struct vm *vm, struct fake_node *node, const char *conf)
{
	return fk_conf_first(vm, node, "path", conf);
}

int fk_conf_backend(struct vm *vm, struct fake_node *node, const char *conf)
{
	return fk_conf_first(vm, node, "backend", conf);
}

int fk_conf_input(struct vm *vm, struct fake_node *node, const char *conf)
{
	if (conf == NULL)
		return fk_fail(vm, EXIT_BAD, "virtio-input: no path");
	return fk_conf_path(vm, node, conf);
}

int fk_conf_uart(struct vm *vm, struct fake_node *node, const char *conf)
{
	return conf == NULL ? 0 : fk_set_child(vm, node, "path", conf);
}

/* Its CONF is not read. The ids moved into a node of their own with 14. */
int fk_conf_amd_bridge(struct vm *vm, struct fake_node *node, const char *conf)
{
	bool old = vm->host->release < 14;
	int rc;

	(void)conf;
	if (!old)
		node = fk_node_at(node, "pcireg", true);
	rc = fk_set_child(vm, node, "vendor", "0x1022");
	return rc == 0 ? fk_set_child(vm, node, old ? "devid" : "device", "0x7432") : rc;
}

int fk_conf_9p(struct vm *vm, struct fake_node *node, const char *conf)
{
	char *copy, *rest, *piece, *path;
	bool named = false;
	int rc = 0;

	if (conf == NULL)
		return 0;
	copy = rest = fk_copy_text(conf, strlen(conf));
	while (rc == 0 && (piece = fk_cut_piece(&rest, ',')) != NULL) {
		path = strchr(piece, '=');
		if (path == NULL) {
			rc = fk_set_child(vm, node, piece, "true");
		} else if (named) {
			rc = fk_fail(vm, EXIT_BAD, "virtio-9p: more than one share: %s", piece);
		} else {
			named = true;
			*path++ = '\0';
			rc = fk_set_child(vm, node, "sharename", piece);
			if (rc == 0)
				rc = fk_set_child(vm, node, "path", path);
		}
	}
	free(copy);
	return rc;
}

/* DEVICE[=ONE-PAIR],...: slots count from 1. */
int fk_conf_xhci(struct vm *vm, struct fake_node *node, const char *conf)
{
	char *copy, *rest, *piece, *pair, path[40];
	struct fake_node *slot;
	int number = 1, rc = 0;

	if (conf == NULL)
		return 0;
	copy = rest = fk_copy_text(conf, strlen(conf));
	while (rc == 0 && (piece = fk_cut_piece(&rest, ',')) != NULL) {
		(void)snprintf(path, sizeof(path), "slot.%d", number++);
		slot = fk_node_at(node, path, true);
		pair = strchr(piece, '=');
		if (pair != NULL)
			*pair++ = '\0';
		rc = fk_set_child(vm, slot, "device", piece);
		if (rc == 0 && pair != NULL && pair[0] != '\0')
			rc = fk_conf_pairs(vm, slot, pair);
	}
	free(copy);
	return rc;
}

int fk_conf_console(struct vm *vm, struct fake_node *node, const char *conf)
{
	char *copy, *rest, *name, *path, key[40];
	struct fake_node *port;
	int number = 0, rc = 0;

	if (conf == NULL)
		return fk_fail(vm, FAKE_SIGNAL(SIGSEGV), "virtio-console without ports");
	copy = rest = fk_copy_text(conf, strlen(conf));
	while (rc == 0 && (name = fk_cut_piece(&rest, ',')) != NULL) {
		path = strchr(name, '=');
		if (path == NULL || number >= MAX_CONSOLE_PORTS) {
			rc = fk_fail(vm, EXIT_BAD, "vtcon: port %s: %s", name,
			    path == NULL ? "no path" : "too many ports");
			break;
		}
		*path++ = '\0';
		(void)snprintf(key, sizeof(key), "port.%d", number++);
		port = fk_node_at(node, key, true);
		rc = fk_set_child(vm, port, "name", name);
		if (rc == 0)
			rc = fk_set_child(vm, port, "path", path);
	}
	free(copy);
	return rc;
}

static int set_number(struct vm *vm, struct fake_node *node, const char *name, int number)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%d", number);
	return fk_set_child(vm, node, name, text);
}

int fk_conf_passthru(struct vm *vm, struct fake_node *node, const char *conf)
{
	int bus, slot, function, rc;
	const char *comma;

	if (conf == NULL)
		return 0;
	if (strncmp(conf, "ppt", 3) == 0)
		return fk_conf_first(vm, node, "pptdev", conf);
	/* `pci0:` is the domain; in `pciB:S:F` and longer ones the first number is the bus. */
	if (sscanf(conf, "pci0:%d:%d:%d", &bus, &slot, &function) != 3 &&
	    sscanf(conf, "pci%d:%d:%d", &bus, &slot, &function) != 3 &&
	    sscanf(conf, "%d/%d/%d", &bus, &slot, &function) != 3)
		return fk_fail(vm, EXIT_BAD, "passthru: invalid options \"%s\"", conf);
	if ((rc = set_number(vm, node, "bus", bus)) != 0 ||
	    (rc = set_number(vm, node, "slot", slot)) != 0 ||
	    (rc = set_number(vm, node, "func", function)) != 0)
		return rc;
	comma = strchr(conf, ',');
	return comma == NULL ? 0 : fk_conf_pairs(vm, node, comma + 1);
}

/* As sscanf reads it: what follows the last number does not matter. */
static bool scan_slot(const char *text, int *bus, int *slot, int *function)
{
	if (sscanf(text, "%d:%d:%d", bus, slot, function) != 3) {
		*bus = 0;
		if (sscanf(text, "%d:%d", slot, function) != 2) {
			*function = 0;
			if (sscanf(text, "%d", slot) != 1)
				return false;
		}
	}
	return *bus >= 0 && *bus < BUSES && *slot >= 0 && *slot < SLOTS && *function >= 0 &&
	    *function < FUNCTIONS;
}

static int take_model(struct vm *vm, const char *place, const char *name, const char *conf)
{
	const struct model *model = fk_model_named(vm, name);
	struct fake_node *node;
	int rc;

	if (model == NULL)
		return fk_fail(vm, EXIT_BAD, "pci slot %s: unknown device \"%s\"", place, name);
	if (fk_node_at(vm->tree->root, place, false) != NULL)
		return fk_fail(vm, EXIT_BAD, "pci slot %s already occupied!", place);
	node = fk_node_at(vm->tree->root, place, true);
	if (node == NULL)
		return fk_fail(vm, EXIT_BAD, "%s is a value", place);
	rc = fk_set_child(vm, node, "device", model->alias != NULL ? model->alias : model->name);
	return rc == 0 ? model->conf(vm, node, conf) : rc;
}

int fk_take_slot(struct vm *vm, const char *text)
{
	char *copy = fk_copy_text(text, strlen(text)), *rest = copy, place[48];
	const char *slot_text = fk_cut_piece(&rest, ','), *name = fk_cut_piece(&rest, ',');
	int bus, slot, function, rc;

	if (name == NULL || !scan_slot(slot_text, &bus, &slot, &function)) {
		rc = fk_fail(vm, EXIT_BAD, "invalid PCI slot info field \"%s\"", text);
	} else {
		(void)snprintf(place, sizeof(place), "pci.%d.%d.%d", bus, slot, function);
		rc = take_model(vm, place, name, rest);
	}
	free(copy);
	return rc;
}
