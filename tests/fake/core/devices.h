/* The PCI models: how each reads its text, and how it starts. Statuses as in internal.h. */
#ifndef FAKE_DEVICES_H
#define FAKE_DEVICES_H

#include "internal.h"

struct device {
	struct fake_node *node; /* pci.BUS.SLOT.FUNCTION */
	int bus, slot, function;
};

/* A PCI model. `conf` reads the text after the model's name: NULL if there is none. */
struct model {
	const char *name;
	const char *alias; /* the name that gets into the tree, if another */
	bool amd64_only;
	int (*conf)(struct vm *vm, struct fake_node *node, const char *conf);
	int (*init)(struct vm *vm, const struct device *device);
};

const struct model *fk_model_named(const struct vm *vm, const char *name);
int fk_add_boot_device(struct vm *vm, const struct fake_node *node);

/* conf.c: the text after a model's name */
int fk_conf_pairs(struct vm *vm, struct fake_node *node, const char *conf);
int fk_conf_first(struct vm *vm, struct fake_node *node, const char *key, const char *conf);
int fk_conf_backend(struct vm *vm, struct fake_node *node, const char *conf);
int fk_conf_path(struct vm *vm, struct fake_node *node, const char *conf);
int fk_conf_input(struct vm *vm, struct fake_node *node, const char *conf);
int fk_conf_uart(struct vm *vm, struct fake_node *node, const char *conf);
int fk_conf_amd_bridge(struct vm *vm, struct fake_node *node, const char *conf);
int fk_conf_9p(struct vm *vm, struct fake_node *node, const char *conf);
int fk_conf_xhci(struct vm *vm, struct fake_node *node, const char *conf);
int fk_conf_console(struct vm *vm, struct fake_node *node, const char *conf);
int fk_conf_passthru(struct vm *vm, struct fake_node *node, const char *conf);
/* disks.c */
int fk_conf_ahci(struct vm *vm, struct fake_node *node, const char *conf);
int fk_conf_ahci_hd(struct vm *vm, struct fake_node *node, const char *conf);
int fk_conf_ahci_cd(struct vm *vm, struct fake_node *node, const char *conf);
int fk_conf_nvme(struct vm *vm, struct fake_node *node, const char *conf);
int fk_conf_scsi(struct vm *vm, struct fake_node *node, const char *conf);
int fk_init_disk(struct vm *vm, const struct device *device);
int fk_init_ahci(struct vm *vm, const struct device *device);
int fk_init_nvme(struct vm *vm, const struct device *device);
int fk_init_scsi(struct vm *vm, const struct device *device);

/* lpc.c, console.c */
int fk_init_lpc(struct vm *vm, const struct device *device);
int fk_init_uart(struct vm *vm, const struct device *device);
int fk_init_console(struct vm *vm, const struct device *device);
/* net.c, misc.c */
int fk_init_net(struct vm *vm, const struct device *device);
int fk_init_e1000(struct vm *vm, const struct device *device);
int fk_init_9p(struct vm *vm, const struct device *device);
int fk_init_fbuf(struct vm *vm, const struct device *device);
int fk_init_input(struct vm *vm, const struct device *device);
int fk_init_passthru(struct vm *vm, const struct device *device);
int fk_init_xhci(struct vm *vm, const struct device *device);

#endif
