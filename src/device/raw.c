/* raw: the text that the user writes after the slot of bhyve's -s. */
#include "device/device.h"

struct raw {
	char *value;
};

DESCRIBES(raw_fields, struct raw);
static const struct field raw_fields[] = {
	ROW_STRING("value", struct raw, value, .required = true, .qemu = KEY_REFUSED,
	    .host = { .kind = HOST_FORBIDDEN, .reaches = "is passed on unchecked" },
	    .help = "text after the slot of bhyve -s; vmrun does not check it"),
	{ 0 },
};

static int raw_qemu(const struct device *dev, struct qemu_build *q, struct error *err)
{
	(void)dev;
	(void)q;
	return error_set(err, STATUS_SPEC,
	    "a raw device is written in bhyve's words: qemu cannot read them (\"qemu\": { "
	    "\"args\": "
	    "[...] } passes words to qemu)");
}

static const char *raw_verbatim(const struct device *dev)
{
	return ((const struct raw *)dev->config)->value;
}

const struct device_kind device_raw = {
	.name = "raw",
	.help = "any device of bhyve, in the syntax of bhyve -s",
	DEVICE_CONFIG(struct raw, raw_fields),
	.qemu = raw_qemu,
	.verbatim = raw_verbatim,
};
