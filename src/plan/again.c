/* Boots a target again without a new draft. */
#include "base/mem.h"
#include "plan/boot.h"

/* Returns whether the spec has devices with settings for the first boot only. */
static bool has_first(const struct spec *spec)
{
	for (size_t i = 0; i < spec->device_count; i++) {
		if (spec->devices[i]->kind->forget_first != NULL)
			return true;
	}
	return false;
}

void boot_keep(struct boot_source *source, struct boot *boot, bool is_first)
{
	WORDS_AUTO struct words functions = { 0 };

	boot->is_kept = false;
	/* The sandbox looks at each boot where symbolic links lead. */
	if (!plan_is_current(&boot->plan) || document_sandbox(source->doc) != NULL ||
	    (is_first && has_first(boot->spec)))
		return;
	boot_hooks(source, boot->spec, "on_prepare", &functions);
	boot->is_kept = functions.count == 0;
}

bool boot_again(struct boot_source *source, struct boot *boot)
{
	if (!boot->is_kept || !plan_is_current(&boot->plan) || !document_is_same(source->doc))
		return false;
	spec_forget_found(boot->spec);
	return true;
}
