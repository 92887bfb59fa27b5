/* The PCI models, and the walk that starts the devices in the order of bus, slot, function. */
#include "devices.h"

#include <stdlib.h>
#include <string.h>

static int init_nothing(struct vm *vm, const struct device *device)
{
	(void)vm;
	(void)device;
	return 0;
}

/* What an alias is given by -s only; -o device=ALIAS is refused. */
static const struct model models[] = {
	{ "ahci", NULL, false, fk_conf_ahci, fk_init_ahci },
	{ "ahci-cd", "ahci", false, fk_conf_ahci_cd, NULL },
	{ "ahci-hd", "ahci", false, fk_conf_ahci_hd, NULL },
	{ "amd_hostbridge", "hostbridge", false, fk_conf_amd_bridge, NULL },
	{ "e1000", NULL, false, fk_conf_backend, fk_init_e1000 },
	{ "fbuf", NULL, true, fk_conf_pairs, fk_init_fbuf },
	{ "hda", NULL, false, fk_conf_pairs, init_nothing },
	{ "hostbridge", NULL, false, fk_conf_pairs, init_nothing },
	{ "lpc", NULL, true, fk_conf_pairs, fk_init_lpc },
	{ "nvme", NULL, false, fk_conf_nvme, fk_init_nvme },
	{ "passthru", NULL, true, fk_conf_passthru, fk_init_passthru },
	{ "uart", NULL, false, fk_conf_uart, fk_init_uart },
	{ "virtio-9p", NULL, false, fk_conf_9p, fk_init_9p },
	{ "virtio-blk", NULL, false, fk_conf_path, fk_init_disk },
	{ "virtio-console", NULL, false, fk_conf_console, fk_init_console },
	{ "virtio-input", NULL, false, fk_conf_input, fk_init_input },
	{ "virtio-net", NULL, false, fk_conf_backend, fk_init_net },
	{ "virtio-rnd", NULL, false, fk_conf_pairs, init_nothing },
	{ "virtio-scsi", NULL, false, fk_conf_scsi, fk_init_scsi },
	{ "xhci", NULL, false, fk_conf_xhci, fk_init_xhci },
};
enum { N_MODELS = sizeof(models) / sizeof(models[0]) };

const struct model *fk_model_named(const struct vm *vm, const char *name)
{
	size_t i;

	for (i = 0; i < N_MODELS; i++)
		if (strcmp(models[i].name, name) == 0)
			return models[i].amd64_only && vm->host->arm64 ? NULL : &models[i];
	return NULL;
}

void fk_print_models(const struct vm *vm)
{
	size_t i;

	for (i = 0; vm->host->out != NULL && i < N_MODELS; i++)
		if (!models[i].amd64_only || !vm->host->arm64)
			fprintf(vm->host->out, "%s\n", models[i].name);
}

/* `bootindex`, 14 and later: once in a VM. The number is read with atoi(3). */
int fk_add_boot_device(struct vm *vm, const struct fake_node *node)
{
	const char *text = vm->host->release < 14 ? NULL : fk_get_child(vm, node, "bootindex");
	int index = text == NULL ? 0 : atoi(text);
	size_t i;

	if (text == NULL)
		return 0;
	for (i = 0; i < vm->n_boot_indexes; i++)
		if (vm->boot_indexes[i] == index)
			return fk_fail(vm, EXIT_BAD, "bootindex %d is used already", index);
	if (index < 0)
		return fk_fail(vm, EXIT_BAD, "invalid bootindex %d", index);
	if (vm->n_boot_indexes < MAX_BOOT_DEVICES)
		vm->boot_indexes[vm->n_boot_indexes++] = index;
	return 0;
}

static int init_device(struct vm *vm, const struct device *device)
{
	const char *name = fk_get_child(vm, device->node, "device");
	const struct model *model = name == NULL ? NULL : fk_model_named(vm, name);
	int bus = device->bus, slot = device->slot, function = device->function;

	if (name == NULL)
		return fk_fail(vm, EXIT_BAD, "pci slot %d:%d:%d: missing \"device\" value", bus,
		    slot, function);
	if (model == NULL)
		return fk_fail(vm, EXIT_BAD, "pci slot %d:%d:%d: unknown device \"%s\"", bus, slot,
		    function, name);
	if (model->alias != NULL)
		return fk_fail(vm, EXIT_BAD, "pci slot %d:%d:%d: use \"%s\", not \"%s\"", bus, slot,
		    function, model->alias, name);
	return model->init(vm, device);
}

static int init_bus(struct vm *vm, struct fake_node *bus_node, int bus)
{
	struct fake_node *node;
	char path[32];
	int slot, function, rc;

	for (slot = 0; slot < SLOTS; slot++) {
		for (function = 0; function < FUNCTIONS; function++) {
			(void)snprintf(path, sizeof(path), "%d.%d", slot, function);
			node = fk_node_at(bus_node, path, false);
			if (node == NULL)
				continue;
			rc = init_device(vm, &(struct device){ node, bus, slot, function });
			if (rc != 0)
				return rc;
		}
	}
	return 0;
}

/* Only numbers written as bhyve writes them are looked up: `pci.0.03.0` is not seen. */
int fk_init_devices(struct vm *vm)
{
	struct fake_node *node;
	char path[32];
	int bus, rc;

	for (bus = 0; bus < BUSES; bus++) {
		(void)snprintf(path, sizeof(path), "pci.%d", bus);
		node = fk_node_at(vm->tree->root, path, false);
		rc = node == NULL ? 0 : init_bus(vm, node, bus);
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* The MPtable knows bus 0 only; a node is enough to make a bus, also one without devices. */
int fk_check_mptable(struct vm *vm)
{
	bool wanted = true;
	char path[32];
	int bus, rc = fk_get_bool(vm, "x86.mptable", &wanted);

	if (rc != 0 || !wanted)
		return rc;
	for (bus = 1; bus < BUSES; bus++) {
		(void)snprintf(path, sizeof(path), "pci.%d", bus);
		if (fk_node_at(vm->tree->root, path, false) != NULL)
			return fk_fail(
			    vm, EXIT_BAD, "MPtable generation needs PCI bus 0 alone: -Y");
	}
	return 0;
}
