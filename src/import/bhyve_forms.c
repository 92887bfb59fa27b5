/* Reads the texts of -s and -l.  Facts: the parsers of bhyve (pci_emul.c, pci_*.c, pci_lpc.c). */
#include "import/bhyve_forms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/near.h"
#include "base/str.h"
#include "hyper/bhyve_plan.h"
#include "import/bhyve_tree.h"

#define AMD_HOSTBRIDGE "amd_hostbridge"
#define TPM_RELEASE 14
#define PLAIN_BOOTROM_RELEASE 15 /* bootrom and bootvars are no longer below lpc */

/* Sets NODE.KEY. */
static int set_below(
    struct pairs *tree, const char *node, const char *key, const char *value, struct error *err)
{
	MEM_AUTO char *name = mem_format("%s.%s", node, key);

	return tree_set(tree, name, value, err);
}

/* Returns the name of a variable of an entry: `name` has a "#" for its number.  Caller frees. */
static char *entry_key(const char *name, int number)
{
	const char *mark = strchr(name, '#');

	return mark == NULL ? mem_copy(name)
			    : mem_format("%.*s%d%s", (int)(mark - name), name, number, mark + 1);
}

static int set_entry(struct pairs *tree, const char *node, const char *name, int number,
    const char *value, struct error *err)
{
	MEM_AUTO char *key = entry_key(name, number);

	return set_below(tree, node, key, value, err);
}

int form_refuse_release(const struct bhyve_host *host, int since, struct error *err)
{
	/* A spec cannot be for a release that vmrun does not know. */
	MEM_AUTO char *hint =
	    since > MAX_RELEASE ? mem_copy("") : mem_format(" (--set bhyve.release=%d)", since);

	return error_set(err, STATUS_SPEC,
	    "bhyve has this since FreeBSD %d, and the command is read as one of FreeBSD %d%s",
	    since, host->release, hint);
}

char *form_take_piece(const char **rest)
{
	size_t n = strcspn(*rest, ",");
	char *piece = mem_copy_n(*rest, n);

	*rest = (*rest)[n] == ',' ? *rest + n + 1 : NULL;
	return piece;
}

/*
 * Sets the variable of "KEY=VALUE" or "KEY".  Where the key is missing bhyve sets the variable with
 * the empty name, which nothing reads.
 */
static int read_piece(struct pairs *tree, const char *node, const char *piece, struct error *err)
{
	const char *equal = strchr(piece, '=');
	MEM_AUTO char *key = mem_copy_n(piece, strcspn(piece, "="));

	if (*key == '\0')
		return 0;
	if (strchr(key, '.') != NULL)
		return error_set(err, STATUS_SPEC,
		    "\"%s\": bhyve takes no \".\" in the name of an option", piece);
	return set_below(tree, node, key, equal == NULL ? "true" : equal + 1, err);
}

int form_read_pieces(struct pairs *tree, const char *node, const char *pieces, struct error *err)
{
	int rc = 0;

	for (const char *rest = pieces; rest != NULL && rc == 0;) {
		MEM_AUTO char *piece = form_take_piece(&rest);

		rc = read_piece(tree, node, piece, err);
	}
	return rc;
}

/* Reads "NAME=PATH,...", and "KEY" where the entries have no number. */
static int read_named(struct pairs *tree, const char *node, const struct bhyve_form *form,
    const char *conf, struct error *err)
{
	bool is_numbered = strchr(form->named[0], '#') != NULL;
	int number = form->from, rc = 0;

	for (const char *rest = conf; rest != NULL && rc == 0; number++) {
		MEM_AUTO char *piece = form_take_piece(&rest);
		char *equal = strchr(piece, '=');

		if (equal == NULL && (is_numbered || number == form->from))
			return error_set(err, STATUS_SPEC, "\"%s\": expected NAME=PATH", piece);
		if (equal == NULL) {
			rc = read_piece(tree, node, piece, err);
			continue;
		}
		if (!is_numbered && number > form->from)
			return error_set(
			    err, STATUS_SPEC, "\"%s\": bhyve takes one NAME=PATH here", piece);
		*equal = '\0';
		rc = set_entry(tree, node, form->named[0], number, piece, err);
		if (rc == 0)
			rc = set_entry(tree, node, form->named[1], number, equal + 1, err);
	}
	return rc;
}

static int read_values(struct pairs *tree, const char *node, const struct bhyve_form *form,
    const char *conf, struct error *err)
{
	int number = form->from, rc = 0;

	for (const char *rest = conf; rest != NULL && rc == 0; number++) {
		MEM_AUTO char *piece = form_take_piece(&rest);

		MEM_AUTO char *key = entry_key(form->values, number), *entry = NULL;
		char *equal = strchr(piece, '=');

		if (equal != NULL)
			*equal = '\0';
		rc = set_below(tree, node, key, piece, err);
		if (rc != 0 || equal == NULL || equal[1] == '\0')
			continue;
		/* bhyve takes one option for each value. */
		entry = mem_format("%s.%.*s", node, (int)(strrchr(key, '.') - key), key);
		rc = read_piece(tree, entry, equal + 1, err);
	}
	return rc;
}

/* Reads "TYPE:PATH[,KEY=VALUE...],..."; an empty path keeps the number free. */
static int read_ports(struct pairs *tree, const char *node, const char *conf, struct error *err)
{
	MEM_AUTO char *port = NULL;
	int number = -1, rc = 0;

	for (const char *rest = conf; rest != NULL && rc == 0;) {
		MEM_AUTO char *piece = form_take_piece(&rest);
		bool is_drive = str_after(piece, "hd:") != NULL || str_after(piece, "cd:") != NULL;

		if (!is_drive && number < 0)
			return error_set(
			    err, STATUS_SPEC, "\"%s\": expected hd:PATH or cd:PATH", piece);
		if (!is_drive) {
			rc = read_piece(tree, port, piece, err);
			continue;
		}
		free(port);
		port = mem_format("%s.port.%d", node, ++number);
		if (piece[3] == '\0')
			continue;
		rc = set_below(tree, port, "path", piece + 3, err);
		piece[2] = '\0';
		if (rc == 0)
			rc = set_below(tree, port, "type", piece, err);
	}
	return rc;
}

/* Sets the numbers of "3/0/0", "pci3:0:0" or "pci0:3:0:0"; false: it is none of them. */
static bool read_joined(struct pairs *tree, const char *node, const char *const *keys,
    const char *text, struct error *err, int *rc)
{
	int n[4], end = 0, first = 0;

	if (sscanf(text, "%d/%d/%d%n", &n[0], &n[1], &n[2], &end) != 3 &&
	    sscanf(text, "pci%d:%d:%d%n", &n[0], &n[1], &n[2], &end) != 3)
		return false;
	if (text[end] == ':' &&
	    sscanf(text, "pci%d:%d:%d:%d%n", &n[0], &n[1], &n[2], &n[3], &end) == 4)
		first = 1;
	*rc = 0;
	if (text[end] != '\0' || (first == 1 && n[0] != 0))
		*rc = error_set(err, STATUS_SPEC,
		    "\"%s\": expected pptN, BUS/SLOT/FUNCTION or pci0:BUS:SLOT:FUNCTION", text);
	for (int i = 0; i < 3 && *rc == 0; i++) {
		MEM_AUTO char *number = mem_format("%d", n[first + i]);

		*rc = set_below(tree, node, keys[i], number, err);
	}
	return true;
}

/* Returns whether CONF begins with KEY=VALUE of the variable that may stand there. */
static bool is_instead(const struct bhyve_form *form, const char *conf)
{
	const char *rest = form->instead == NULL ? NULL : str_after(conf, form->instead);

	return rest != NULL && *rest == '=';
}

/* Reads "FIRST[,KEY=VALUE...]". */
static int read_listed(struct pairs *tree, const char *node, const struct bhyve_form *form,
    const char *conf, struct error *err)
{
	const char *prefix = form->prefix == NULL ? "" : form->prefix;
	MEM_AUTO char *below =
	    mem_format("%s.%.*s", node, (int)(*prefix == '\0' ? 0 : strlen(prefix) - 1), prefix);
	const char *rest = conf;
	int rc = 0;

	if (*prefix == '\0')
		below[strlen(node)] = '\0';
	if (form->first != NULL && !is_instead(form, conf)) {
		MEM_AUTO char *piece = form->whole ? mem_copy(conf) : form_take_piece(&rest);

		if (form->joined == NULL || !read_joined(tree, node, form->joined, piece, err, &rc))
			rc = set_below(tree, node, form->first, piece, err);
		if (form->whole)
			rest = NULL;
	}
	return rc != 0 || rest == NULL ? rc : form_read_pieces(tree, below, rest, err);
}

static int read_conf(struct pairs *tree, const char *node, const struct bhyve_form *form,
    const char *conf, struct error *err)
{
	if (form->named != NULL)
		return read_named(tree, node, form, conf, err);
	if (form->values != NULL)
		return read_values(tree, node, form, conf, err);
	if (form->ports)
		return read_ports(tree, node, conf, err);
	return read_listed(tree, node, form, conf, err);
}

/* Sets what the name of a model implies: a list of keys and values. */
static int read_implied(
    struct pairs *tree, const char *node, const char *const *implied, struct error *err)
{
	int rc = 0;

	for (; *implied != NULL && rc == 0; implied += 2)
		rc = set_below(tree, node, implied[0], implied[1], err);
	return rc;
}

static int read_model(
    struct pairs *tree, const char *node, const struct bhyve_form *form, struct error *err)
{
	return form->implied == NULL ? set_below(tree, node, "device", form->model, err)
				     : read_implied(tree, node, form->implied, err);
}

/* The models that are keys of the spec, not devices of `emulations`. */
static const struct bhyve_form machine_forms[] = {
	{ .model = "hostbridge" },
	{ .model = "lpc" },
	{ .model = AMD_HOSTBRIDGE },
};

/* Returns the form of a model, or NULL with the reason. */
static const struct bhyve_form *find_form(const char *model, struct error *err)
{
	struct near near = { .wanted = model };

	for (size_t i = 0; i < sizeof(machine_forms) / sizeof(machine_forms[0]); i++) {
		if (strcmp(machine_forms[i].model, model) == 0)
			return &machine_forms[i];
		near_offer(&near, machine_forms[i].model);
	}
	for (size_t i = 0; device_kinds[i] != NULL; i++) {
		const struct bhyve_form *form = device_kinds[i]->form;

		if (form != NULL && strcmp(form->model, model) == 0)
			return form;
		if (form != NULL)
			near_offer(&near, form->model);
	}
	MEM_AUTO char *hint = near_hint(&near);

	(void)error_set(err, STATUS_SPEC, "bhyve knows no device \"%s\"%s", model, hint);
	return NULL;
}

/* Reads "S", "S:F" or "B:S:F" as bhyve does, which ignores what follows the numbers. */
static int read_slot(const char *text, struct slot *slot, struct error *err)
{
	int a, b, c, n = sscanf(text, "%d:%d:%d", &a, &b, &c);

	*slot = (struct slot){ .given = true,
		.bus = n == 3 ? a : 0,
		.slot = n == 3 ? b : a,
		.function = n == 3 ? c
		    : n == 2	   ? b
				   : 0 };
	if (n < 1 || slot->bus < 0 || slot->bus >= SLOT_BUSES || slot->slot < 0 ||
	    slot->slot >= SLOT_SLOTS || slot->function < 0 || slot->function >= SLOT_FUNCTIONS)
		return error_set(err, STATUS_SPEC,
		    "invalid address \"%s\": expected SLOT, SLOT:FUNCTION or BUS:SLOT:FUNCTION, "
		    "bus 0 to 255, slot 0 to 31, function 0 to 7",
		    text);
	return 0;
}

int form_read_device(
    struct pairs *tree, const struct bhyve_host *host, const char *text, struct error *err)
{
	const char *rest = text;
	MEM_AUTO char *address = form_take_piece(&rest);
	MEM_AUTO char *model = rest == NULL ? NULL : form_take_piece(&rest);
	MEM_AUTO char *node = NULL;
	const struct bhyve_form *form;
	struct slot slot;

	if (model == NULL)
		return error_set(err, STATUS_SPEC, "expected SLOT,DEVICE[,OPTIONS]");
	if (read_slot(address, &slot, err) != 0)
		return -1;
	form = find_form(model, err);
	if (form == NULL)
		return -1;
	node = mem_format("pci.%d.%d.%d", slot.bus, slot.slot, slot.function);
	if (tree_has_node(tree, node))
		return error_set(err, STATUS_SPEC,
		    "%d:%d:%d has another device already: bhyve refuses the second", slot.bus,
		    slot.slot, slot.function);
	/* bhyve does not read options of this model. */
	if (strcmp(model, AMD_HOSTBRIDGE) == 0)
		return read_implied(tree, node, bhyve_amd_hostbridge(host), err);
	if (read_model(tree, node, form, err) != 0)
		return -1;
	if (rest == NULL)
		return 0;
	return read_conf(tree, node, form, rest, err);
}

static int read_bootrom(
    struct pairs *tree, const struct bhyve_host *host, const char *rest, struct error *err)
{
	const char *below = host->release >= PLAIN_BOOTROM_RELEASE ? "" : "lpc.";
	MEM_AUTO char *rom_key = mem_format("%sbootrom", below);
	MEM_AUTO char *vars_key = mem_format("%sbootvars", below);
	MEM_AUTO char *rom = rest == NULL ? NULL : form_take_piece(&rest);
	int rc;

	if (rom == NULL || *rom == '\0')
		return error_set(err, STATUS_SPEC, "expected bootrom,FILE[,VARIABLES]");
	rc = tree_set(tree, rom_key, rom, err);
	if (rc != 0 || rest == NULL)
		return rc;
	/* Since FreeBSD 14 a piece with a "=" begins the options of lpc. */
	if (host->release < 14 || strchr(rest, '=') == NULL ||
	    strcspn(rest, ",") < strcspn(rest, "=")) {
		MEM_AUTO char *vars = form_take_piece(&rest);

		rc = tree_set(tree, vars_key, vars, err);
	}
	if (rc != 0 || rest == NULL || host->release < 14)
		return rc;
	return form_read_pieces(tree, "lpc", rest, err);
}

static int read_tpm(
    struct pairs *tree, const struct bhyve_host *host, const char *rest, struct error *err)
{
	MEM_AUTO char *type = rest == NULL ? NULL : form_take_piece(&rest);
	MEM_AUTO char *path = rest == NULL ? NULL : form_take_piece(&rest);
	int rc;

	if (host->release < TPM_RELEASE)
		return form_refuse_release(host, TPM_RELEASE, err);
	if (path == NULL)
		return error_set(err, STATUS_SPEC, "expected tpm,TYPE,PATH");
	rc = tree_set(tree, "tpm.type", type, err);
	if (rc == 0)
		rc = tree_set(tree, "tpm.path", path, err);
	return rc != 0 || rest == NULL ? rc : form_read_pieces(tree, "tpm", rest, err);
}

int form_read_lpc(
    struct pairs *tree, const struct bhyve_host *host, const char *text, struct error *err)
{
	const char *rest = text;
	MEM_AUTO char *name = form_take_piece(&rest);

	/* bhyve compares these names without regard to case. */
	if (strcasecmp(name, "bootrom") == 0)
		return read_bootrom(tree, host, rest, err);
	if (strcasecmp(name, "tpm") == 0)
		return read_tpm(tree, host, rest, err);
	if (strcasecmp(name, "pc-testdev") == 0)
		return tree_set(tree, "lpc.pc-testdev", "true", err);
	for (size_t i = 0; i < SPEC_COM_PORTS; i++) {
		const char *com = spec_com_key(i);
		MEM_AUTO char *key = mem_format("lpc.%s.path", com);

		if (strcasecmp(name, com) != 0)
			continue;
		if (rest == NULL)
			return error_set(err, STATUS_SPEC, "expected %s,PATH", com);
		return tree_set(tree, key, rest, err);
	}
	return error_set(err, STATUS_SPEC,
	    "bhyve knows no lpc device \"%s\": expected com1 to com4, bootrom, tpm or pc-testdev",
	    name);
}
