/* The names that the sandbox refuses. */
#include <string.h>

#include "base/mem.h"
#include "device/host_use.h"
#include "platform/sandbox.h"
#include "spec/spec.h"

struct judge {
	struct host_visit visit; /* first: passed to judge_found() */
	const struct sandbox *sandbox;
	bool (*is_firmware)(const char *path);
	struct report *report;
	struct words paths;	       /* that the spec names */
	struct words shares;	       /* directories that the guest may write to */
	struct node *places_of_shares; /* a list of where_keys() */
};

/* Reports a name, and the option by which the operator can allow it. */
static void refuse(const struct judge *j, const struct where *at, const char *noun,
    const char *what, const char *allow, const char *why)
{
	STR_AUTO struct str option = { 0 };

	str_add_quoted(&option, allow);
	report_add(j->report, STATUS_SPEC, at,
	    "the sandbox refuses the %s \"%s\"%s: to allow it, add --allow %s", noun, what, why,
	    option.text);
}

static void judge_path(const struct judge *j, const char *path, const struct where *at)
{
	MEM_AUTO char *real = NULL, *why = NULL;

	if (sandbox_allows_path(j->sandbox, path, &real))
		return;
	if (real == NULL) {
		report_add(j->report, STATUS_SPEC, at,
		    "the sandbox refuses the path \"%s\": on the way to it is a symbolic link to "
		    "nothing, or a directory that cannot be searched",
		    path);
		return;
	}
	why = strcmp(real, path) != 0
	    ? mem_format(", which leads to \"%s\", outside the spec's directory", real)
	    : mem_copy(", which is outside the spec's directory");
	refuse(j, at, "path", path, real, why);
}

static void judge_script(const struct judge *j, const char *path, const struct where *at)
{
	MEM_AUTO char *real = NULL;

	if (!sandbox_is_home(j->sandbox, path, &real))
		report_add(j->report, STATUS_SPEC, at,
		    "the sandbox refuses the hook file \"%s\", which is outside the spec's "
		    "directory: copy it there, or name it with --hook",
		    path);
}

/* Reports an address, without its port if that is chosen later. */
static void judge_address(const struct judge *j, const char *place, const struct where *at)
{
	const char *port = strrchr(place, ':');
	MEM_AUTO char *what = port != NULL && strcmp(port, ":auto") == 0
	    ? mem_copy_n(place, (size_t)(port - place))
	    : mem_copy(place);

	if (!sandbox_allows_address(j->sandbox, place))
		refuse(j, at, "address", what, what, ", which is not on loopback");
}

static void judge_found(
    struct host_visit *visit, enum host_kind kind, const char *what, const struct where *at)
{
	struct judge *j = (struct judge *)visit;

	if (kind == HOST_FIRMWARE || kind == HOST_PATH || kind == HOST_SCRIPT || kind == HOST_SHARE)
		words_add(&j->paths, what);
	switch (kind) {
	case HOST_FIRMWARE:
		if (j->is_firmware(what))
			break;
		judge_path(j, what, at);
		break;
	case HOST_PATH:
		judge_path(j, what, at);
		break;
	case HOST_SHARE:
		judge_path(j, what, at);
		words_add(&j->shares, what);
		node_append(j->places_of_shares, where_keys(at));
		break;
	case HOST_SCRIPT:
		judge_script(j, what, at);
		break;
	case HOST_INTERFACE:
		if (!sandbox_allows_name(j->sandbox, what))
			refuse(j, at, "interface", what, what, "");
		break;
	case HOST_PCI:
		if (!sandbox_allows_pci(j->sandbox, what))
			refuse(j, at, "PCI device", what, what, "");
		break;
	case HOST_ADDRESS:
		judge_address(j, what, at);
		break;
	case HOST_INVALID:
		report_add(j->report, STATUS_SPEC, at, "in the sandbox %s", what);
		break;
	default:
		report_add(j->report, STATUS_SPEC, at,
		    "the sandbox refuses this key, which %s: remove it", what);
	}
}

/*
 * A guest may put a link in the place of anything that is in a directory of its own, and vmrun
 * would follow it at the next boot.
 */
static void judge_share(const struct judge *j, const char *directory, const struct where *at)
{
	if (sandbox_holds_home(j->sandbox, directory))
		report_add(j->report, STATUS_SPEC, at,
		    "the sandbox refuses \"%s\", where the guest could replace the spec: name a "
		    "directory below the spec's, or set \"ro\"",
		    directory);
	for (size_t i = 0; i < j->paths.count; i++) {
		const char *path = j->paths.item[i];

		if (strcmp(path, directory) != 0 && sandbox_is_inside(path, directory))
			report_add(j->report, STATUS_SPEC, at,
			    "the sandbox refuses \"%s\", where the guest could replace \"%s\": "
			    "name a directory that has nothing else of the spec, or set \"ro\"",
			    directory, path);
	}
}

/* Goes to the place that the keys lead to from another one, and judges the directory there. */
static void judge_share_at(
    const struct judge *j, const char *directory, const struct node *keys, const struct where *up)
{
	struct where at = { up, NULL, 0 };

	if (keys == NULL) {
		judge_share(j, directory, up);
		return;
	}
	if (keys->kind == NODE_INT)
		at.index = (size_t)keys->integer - 1;
	else
		at.key = keys->text;
	judge_share_at(j, directory, keys->next, &at);
}

static void judge_shares(struct judge *j)
{
	const struct node *place = j->places_of_shares->first;

	for (size_t i = 0; i < j->shares.count; i++, place = place->next)
		judge_share_at(j, j->shares.item[i], place->first, NULL);
	words_free(&j->paths);
	words_free(&j->shares);
	node_free(j->places_of_shares);
}

void spec_confine(const struct spec *spec, const struct sandbox *sandbox,
    bool (*is_firmware)(const char *path), struct report *report)
{
	struct judge j = { .visit = { judge_found },
		.sandbox = sandbox,
		.is_firmware = is_firmware,
		.report = report,
		.places_of_shares = node_new(NODE_LIST) };

	host_use_visit(spec_fields, spec, NULL, &j.visit);
	for (size_t i = 0; i < spec->device_count; i++) {
		const struct device *dev = spec->devices[i];
		struct device_place place;
		const struct where *at = device_where(dev, &place);

		if (dev->removed)
			continue;
		host_use_visit(device_common_fields, dev, at, &j.visit);
		host_use_visit(dev->kind->fields, dev->config, at, &j.visit);
	}
	judge_shares(&j);
}
