/* What the files of devices share. */
#include "device/device.h"

const char *device_found(const struct device *dev)
{
	return dev->found != NULL ? dev->found : dev->kind->placeholder(dev);
}

int device_since(const struct bhyve_host *host, const char *key, int release, struct error *err)
{
	if (host->release >= release)
		return 0;
	return error_set(err, STATUS_SPEC, "\"%s\" needs FreeBSD %d", key, release);
}

int device_boot_order(const struct bhyve_host *host, struct error *err)
{
	if (host->loader)
		return error_set(err, STATUS_SPEC,
		    "\"bootindex\" needs firmware, but a loader starts this guest");
	if (host->arm64)
		return error_set(err, STATUS_SPEC,
		    "\"bootindex\": bhyve has this on amd64 only, where it has fw_cfg");
	return device_since(host, "bootindex", 14, err);
}
