/* hda: Intel High Definition Audio.  Facts: bhyve's pci_hda.c and hda_codec.c; runs of QEMU. */
#include "device/device.h"

#include "device/qemu_words.h"

struct hda {
	char *play, *rec;
};

DESCRIBES(hda_fields, struct hda);
static const struct field hda_fields[] = {
	ROW_PATH("play", struct hda, play, .host.kind = HOST_PATH, .qemu = "no sound",
	    .help = "device for playback: /dev/dsp0"),
	ROW_PATH("rec", struct hda, rec, .host.kind = HOST_PATH, .qemu = "no sound",
	    .help = "device for recording: /dev/dsp0"),
	{ 0 },
};

static void hda_needs(const struct device *dev, struct needs *needs)
{
	const struct hda *hda = dev->config;

	if (hda->play != NULL)
		needs_add(needs, NEED_DEVICE, "play", hda->play)->bhyve_only = true;
	if (hda->rec != NULL)
		needs_add(needs, NEED_DEVICE, "rec", hda->rec)->bhyve_only = true;
}

static int hda_bhyve(
    const struct device *dev, const struct bhyve_host *host, struct pairs *vars, struct error *err)
{
	const struct hda *hda = dev->config;

	(void)err;
	pairs_add(vars, "device", "hda");
	if (hda->play != NULL)
		pairs_add(vars, "play", hda->play);
	if (hda->rec != NULL)
		pairs_add(vars, "rec", hda->rec);
	if (hda->play == NULL && hda->rec == NULL)
		words_addf(
		    host->notes, "%s: without \"play\" and \"rec\" there is no sound", dev->id);
	return 0;
}

/* Adds the sound card without a backend, because the devices of sound(4) are FreeBSD's. */
static int hda_qemu(const struct device *dev, struct qemu_build *q, struct error *err)
{
	const struct hda *hda = dev->config;

	(void)err;
	qemu_begin(q->argv, "-audiodev", "none");
	qemu_pairf(q->argv, "id", "%s-sound", dev->id);
	qemu_begin(q->argv, "-device", "ich9-intel-hda");
	qemu_pair(q->argv, "id", dev->id);
	qemu_address(q, dev);
	qemu_begin(q->argv, "-device", "hda-duplex");
	qemu_pairf(q->argv, "bus", "%s.0", dev->id);
	qemu_pairf(q->argv, "audiodev", "%s-sound", dev->id);
	if (hda->play != NULL || hda->rec != NULL)
		words_addf(q->notes, "%s: under qemu the guest's sound is discarded", dev->id);
	return 0;
}

static const struct bhyve_form form = { .model = "hda" };

const struct device_kind device_hda = {
	.name = "hda",
	.help = "sound card",
	DEVICE_CONFIG(struct hda, hda_fields),
	.form = &form,
	.needs = hda_needs,
	.bhyve = hda_bhyve,
	.qemu = hda_qemu,
};
