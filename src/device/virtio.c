/*
 * Small virtio devices: virtio-9p, virtio-scsi, virtio-rnd, virtio-input.  Facts: bhyve's
 * pci_virtio_9p.c, pci_virtio_scsi.c and pci_virtio_input.c; runs of QEMU.
 */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "device/disk.h"
#include "device/host_use.h"
#include "device/qemu_words.h"

#define MAX_SHARE_NAME 256
#define MAX_QEMU_SHARE_NAME 31 /* hw/9pfs/9p.h */
#define CTL_DIRECTORY "/dev/cam/"
#define CTL_DEVICE CTL_DIRECTORY "ctl"
#define MAX_IID 2047 /* CTL_MAX_INIT_PER_PORT of ctl(4), less one */

struct share {
	char *sharename, *path;
	bool ro;
};

struct scsi {
	char *path;
	int format;		/* enum disk_format, of an image */
	int64_t iid, bootindex; /* -1: none */
};

struct input {
	char *path;
};

static void share_path_names(const void *value, const struct where *at, struct host_visit *visit)
{
	const struct share *share =
	    (const void *)((const char *)value - offsetof(struct share, path));

	if (share->path != NULL)
		host_found(visit, share->ro ? HOST_PATH : HOST_SHARE, share->path, at);
}

/* clang-format off */
DESCRIBES(share_fields, struct share);
static const struct field share_fields[] = {
	ROW_STRING("sharename", struct share, sharename, .required = true,
	    .max_length = MAX_SHARE_NAME, .host.kind = HOST_NONE,
	    .qemu = "at most " NUMBER_TEXT(MAX_QEMU_SHARE_NAME) " bytes",
	    .help = "name under which the guest mounts the directory"),
	ROW_PATH("path", struct share, path, .required = true,
	    .host = { .kind = HOST_BY_VALUE, .names = share_path_names },
	    .help = "host directory"),
	ROW_BOOL("ro", struct share, ro, .help = "refuse writes from the guest"),
	{ 0 },
};

DESCRIBES(scsi_fields, struct scsi);
static const struct field scsi_fields[] = {
	ROW_PATH("path", struct scsi, path, .preset = "\"" CTL_DEVICE "\"", .host.kind = HOST_PATH,
	    .variable = "dev",
	    .qemu = "an image",
	    .help = "ctl(4) device; under qemu: an image"),
	DISK_FORMAT_ROW(struct scsi, ),
	ROW_INT("iid", struct scsi, iid, .unset = -1, .has_range = true, .min = 0, .max = MAX_IID,
	    .qemu = KEY_IGNORED,
	    .help = "initiator id, 0 to 2047"),
	ROW_CUSTOM("bootindex", struct scsi, bootindex, disk_number_custom, .unset = -1,
	    .help = "place in the boot order, 0 to 65535, lowest first"),
	{ 0 },
};

static const struct field rnd_fields[] = { { 0 } };

DESCRIBES(input_fields, struct input);
static const struct field input_fields[] = {
	ROW_PATH("path", struct input, path, .required = true, .host.kind = HOST_PATH,
	    .help = "host event device, such as /dev/input/event0"),
	{ 0 },
};
/* clang-format on */

static void share_needs(const struct device *dev, struct needs *needs)
{
	const struct share *share = dev->config;

	needs_add(needs, NEED_DIRECTORY, "path", share->path)->write = !share->ro;
}

static int share_bhyve(
    const struct device *dev, const struct bhyve_host *host, struct pairs *vars, struct error *err)
{
	const struct share *share = dev->config;

	(void)host;
	(void)err;
	pairs_add(vars, "device", "virtio-9p");
	pairs_add(vars, "sharename", share->sharename);
	pairs_add(vars, "path", share->path);
	if (share->ro)
		pairs_add(vars, "ro", "true");
	return 0;
}

static int share_qemu(const struct device *dev, struct qemu_build *q, struct error *err)
{
	const struct share *share = dev->config;

	if (strlen(share->sharename) > MAX_QEMU_SHARE_NAME)
		return error_set(err, STATUS_SPEC,
		    "\"sharename\" has %zu bytes: qemu takes at most %d", strlen(share->sharename),
		    MAX_QEMU_SHARE_NAME);
	qemu_begin(q->argv, "-fsdev", "local");
	qemu_pairf(q->argv, "id", "%s-directory", dev->id);
	qemu_pair(q->argv, "path", share->path);
	qemu_pair(q->argv, "security_model", "none");
	qemu_pair(q->argv, "readonly", share->ro ? "on" : NULL);
	qemu_begin(q->argv, "-device", "virtio-9p-pci");
	qemu_pairf(q->argv, "fsdev", "%s-directory", dev->id);
	qemu_pair(q->argv, "mount_tag", share->sharename);
	qemu_address(q, dev);
	return 0;
}

static const char *const share_names[] = { "sharename", "path" };
static const struct bhyve_form share_form = { .model = "virtio-9p", .named = share_names };

const struct device_kind device_virtio_9p = {
	.name = "virtio-9p",
	.help = "directory shared with the guest",
	DEVICE_CONFIG(struct share, share_fields),
	.form = &share_form,
	.needs = share_needs,
	.bhyve = share_bhyve,
	.qemu = share_qemu,
};

static void scsi_claims(const struct device *dev, struct pairs *claims)
{
	const struct scsi *scsi = dev->config;

	if (scsi->bootindex >= 0)
		pairs_addf(claims, CLAIM_BOOT_INDEX, "%" PRId64, scsi->bootindex);
}

/*
 * Returns whether the path is a device of ctl(4); otherwise it is an image for qemu, which has no
 * CTL.
 */
static bool is_ctl(const struct scsi *scsi)
{
	return str_after(scsi->path, CTL_DIRECTORY) != NULL;
}

static struct disk scsi_image(const struct scsi *scsi)
{
	return (struct disk){
		.path = scsi->path,
		.format = scsi->format,
		.bootindex = scsi->bootindex,
	};
}

static void scsi_needs(const struct device *dev, struct needs *needs)
{
	const struct scsi *scsi = dev->config;
	const struct disk image = scsi_image(scsi);

	if (is_ctl(scsi))
		(void)needs_add(needs, NEED_DEVICE, "path", scsi->path);
	else
		disk_need(&image, false, "path", needs);
}

/* Adds the variables.  FreeBSD 16 has a list of targets instead of one device. */
static int scsi_bhyve(
    const struct device *dev, const struct bhyve_host *host, struct pairs *vars, struct error *err)
{
	const struct scsi *scsi = dev->config;

	pairs_add(vars, "device", "virtio-scsi");
	pairs_add(vars, host->release < 16 ? "dev" : "target.0", scsi->path);
	if (scsi->iid >= 0)
		pairs_addf(vars, "iid", "%" PRId64, scsi->iid);
	if (disk_bhyve_format(scsi->format, err) != 0)
		return -1;
	if (scsi->bootindex < 0)
		return 0;
	pairs_addf(vars, "bootindex", "%" PRId64, scsi->bootindex);
	return device_boot_order(host, err);
}

static int scsi_qemu(const struct device *dev, struct qemu_build *q, struct error *err)
{
	const struct scsi *scsi = dev->config;
	const struct disk image = scsi_image(scsi);
	MEM_AUTO char *node = disk_node(dev, 0);

	if (is_ctl(scsi))
		return error_set(err, STATUS_SPEC,
		    "qemu has no ctl(4), and so no %s: name an image in \"path\", or use "
		    "virtio-blk",
		    scsi->path);
	disk_blockdev(&image, q, node, false);
	qemu_begin(q->argv, "-device", "virtio-scsi-pci");
	qemu_pair(q->argv, "id", dev->id);
	qemu_address(q, dev);
	qemu_begin(q->argv, "-device", "scsi-hd");
	qemu_pairf(q->argv, "bus", "%s.0", dev->id);
	qemu_pair(q->argv, "drive", node);
	disk_qemu_options(&image, q->argv);
	if (scsi->iid >= 0)
		words_addf(
		    q->notes, "%s: \"iid\" is for ctl(4), which qemu does not have", dev->id);
	return 0;
}

/* Reads the only target of FreeBSD 16. */
static bool scsi_read(const struct pairs *vars, const char *directory, struct node *entry)
{
	const char *target = pairs_get(vars, "target.0");

	(void)directory;
	if (target != NULL)
		node_put(entry, "path", node_string(target));
	return true;
}

static const struct bhyve_form scsi_form = { .model = "virtio-scsi", .first = "dev" };

const struct device_kind device_virtio_scsi = {
	.name = "virtio-scsi",
	.help = "SCSI controller on ctl(4)",
	DEVICE_CONFIG(struct scsi, scsi_fields),
	.form = &scsi_form,
	.claims = scsi_claims,
	.needs = scsi_needs,
	.read = scsi_read,
	.bhyve = scsi_bhyve,
	.qemu = scsi_qemu,
};

static int rnd_bhyve(
    const struct device *dev, const struct bhyve_host *host, struct pairs *vars, struct error *err)
{
	(void)host;
	(void)err;
	pairs_add(vars, "device", dev->kind->name);
	return 0;
}

static int rnd_qemu(const struct device *dev, struct qemu_build *q, struct error *err)
{
	(void)err;
	qemu_begin(q->argv, "-object", "rng-random");
	qemu_pairf(q->argv, "id", "%s-source", dev->id);
	qemu_pair(q->argv, "filename", "/dev/urandom");
	qemu_begin(q->argv, "-device", "virtio-rng-pci");
	qemu_pairf(q->argv, "rng", "%s-source", dev->id);
	qemu_address(q, dev);
	return 0;
}

static const struct bhyve_form rnd_form = { .model = "virtio-rnd" };

const struct device_kind device_virtio_rnd = {
	.name = "virtio-rnd",
	.help = "random numbers from the host",
	.size = 1, /* it has no keys */
	.fields = rnd_fields,
	.form = &rnd_form,
	.bhyve = rnd_bhyve,
	.qemu = rnd_qemu,
};

static void input_needs(const struct device *dev, struct needs *needs)
{
	(void)needs_add(needs, NEED_DEVICE, "path", ((const struct input *)dev->config)->path);
}

static int input_bhyve(
    const struct device *dev, const struct bhyve_host *host, struct pairs *vars, struct error *err)
{
	(void)host;
	(void)err;
	pairs_add(vars, "device", "virtio-input");
	pairs_add(vars, "path", ((const struct input *)dev->config)->path);
	return 0;
}

static int input_qemu(const struct device *dev, struct qemu_build *q, struct error *err)
{
	(void)err;
	qemu_begin(q->argv, "-device", "virtio-input-host-pci");
	qemu_pair(q->argv, "id", dev->id);
	qemu_pair(q->argv, "evdev", ((const struct input *)dev->config)->path);
	qemu_address(q, dev);
	return 0;
}

static const struct bhyve_form input_form = { .model = "virtio-input", .first = "path" };

const struct device_kind device_virtio_input = {
	.name = "virtio-input",
	.help = "keyboard, mouse or other event device of the host",
	DEVICE_CONFIG(struct input, input_fields),
	.form = &input_form,
	.needs = input_needs,
	.bhyve = input_bhyve,
	.qemu = input_qemu,
};
