/*
 * What vmrun does about single options in the user's own words for qemu.  Facts: QEMU's
 * softmmu/vl.c and runs of QEMU 7.2.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "hyper/qemu_user.h"

#define MAX_SHOWN_WORD 80 /* bytes of a word in a message */

void qemu_refuse_word(struct qemu_reader *r, const char *value, const char *reason)
{
	struct report *report = r->b->report;
	STR_AUTO struct str word = { 0 };

	str_add_line(&word, r->word, MAX_SHOWN_WORD);
	if (value != NULL) {
		str_add(&word, " ");
		str_add_line(&word, value, MAX_SHOWN_WORD);
	}
	report_add(report, STATUS_SPEC, r->at, "qemu: %s: %s", word.text, reason);
	if (r->at == NULL)
		report->item[report->count - 1].place = mem_copy("--");
}

/* Returns the end of the piece of "a,b=c,d" that begins there; ",," stands for a comma. */
static const char *piece_end(const char *piece)
{
	while (*piece != '\0' && (*piece != ',' || piece[1] == ','))
		piece += *piece == ',' ? 2 : 1;
	return piece;
}

void qemu_split(const char *value, struct words *pieces)
{
	for (const char *end; *value != '\0'; value = *end == ',' ? end + 1 : end) {
		struct str piece = { 0 };

		end = piece_end(value);
		for (const char *p = value; p < end; p += *p == ',' ? 2 : 1)
			str_add_n(&piece, p, 1);
		words_take(pieces, str_take(&piece));
	}
}

/* Returns whether qemu reads the text as false. */
static bool is_off(const char *text)
{
	return strcmp(text, "off") == 0 || strcmp(text, "no") == 0 || strcmp(text, "false") == 0 ||
	    strcmp(text, "n") == 0;
}

/* Returns the value of the last piece "key=value", or NULL. */
static const char *value_of(const struct words *pieces, const char *key)
{
	const char *found = NULL;

	for (size_t i = 0; i < pieces->count; i++) {
		const char *rest = str_after(pieces->item[i], key);

		if (rest != NULL && *rest == '=')
			found = rest + 1;
	}
	return found;
}

bool qemu_take_log_items(struct qemu_reader *r, const char *value)
{
	struct qemu_user *user = &r->b->user;
	WORDS_AUTO struct words items = { 0 };
	MEM_AUTO char *before = user->log_items;

	qemu_split(value, &items);
	if (words_have(&items, "tid") && qemu_hears_log(r->b))
		qemu_refuse_word(r, value,
		    "vmrun reads one log, and this makes one for each thread: "
		    "remove \"tid\"");
	user->log_items =
	    mem_format("%s%s%s", before == NULL ? "" : before, before == NULL ? "" : ",", value);
	user->has_log = true;
	return false;
}

static void set_log_path(struct qemu_reader *r, const char *path)
{
	struct qemu_user *user = &r->b->user;

	if (strchr(path, '%') != NULL && qemu_hears_log(r->b))
		qemu_refuse_word(r, path,
		    "vmrun writes this file, and puts no pid into its name: use a name "
		    "without \"%\"");
	free(user->log_path);
	user->log_path = mem_copy(path);
	user->has_log = true;
}

bool qemu_take_log_file(struct qemu_reader *r, const char *value)
{
	set_log_path(r, value);
	return false;
}

/* Takes the file out of the value: where qemu traces into its log, that would be the log's. */
bool qemu_take_trace(struct qemu_reader *r, const char *value)
{
	struct qemu_user *user = &r->b->user;
	STR_AUTO struct str rest = { 0 };

	user->has_log = true;
	if (!qemu_hears_log(r->b) || r->b->request->dry)
		return true;
	for (const char *end; *value != '\0'; value = *end == ',' ? end + 1 : end) {
		const char *file = str_after(value, "file=");

		end = piece_end(value);
		if (file != NULL) {
			WORDS_AUTO struct words path = { 0 };
			MEM_AUTO char *piece = mem_copy_n(file, (size_t)(end - file));

			qemu_split(piece, &path);
			set_log_path(r, path.count == 0 ? "" : path.item[0]);
		} else {
			str_addf(
			    &rest, "%s%.*s", rest.length > 0 ? "," : "", (int)(end - value), value);
		}
	}
	if (rest.length > 0) {
		words_add(&user->rest, r->word);
		words_take(&user->rest, str_take(&rest));
	}
	return false;
}

bool qemu_take_action(struct qemu_reader *r, const char *value)
{
	WORDS_AUTO struct words pieces = { 0 };
	const char *reboot, *shutdown;

	qemu_split(value, &pieces);
	reboot = value_of(&pieces, "reboot");
	shutdown = value_of(&pieces, "shutdown");
	if (reboot != NULL && strcmp(reboot, "shutdown") != 0)
		qemu_refuse_word(r, value,
		    "qemu would reset the guest itself, and vmrun decides what boots "
		    "next: remove it, and see \"on\" and \"next_target\"");
	if (shutdown != NULL && strcmp(shutdown, "poweroff") != 0)
		qemu_refuse_word(r, value,
		    "qemu would stay after a power-off, so vmrun would not notice the "
		    "guest's end: remove it");
	return true;
}

bool qemu_take_hold(struct qemu_reader *r, const char *value)
{
	(void)value;
	r->b->user.holds = true;
	return true;
}

bool qemu_take_smp(struct qemu_reader *r, const char *value)
{
	(void)value;
	r->b->user.has_smp = true;
	return true;
}

bool qemu_take_cpu(struct qemu_reader *r, const char *value)
{
	(void)value;
	r->b->user.has_cpu = true;
	return true;
}

/* Keeps the first of the accelerators "kvm:tcg": qemu tries them in order. */
static void take_accels(struct qemu_user *user, const char *names)
{
	if (user->accel == NULL)
		user->accel = mem_copy_n(names, strcspn(names, ":"));
	user->may_be_tcg = user->may_be_tcg || strstr(names, "tcg") != NULL;
}

bool qemu_take_accel(struct qemu_reader *r, const char *value)
{
	WORDS_AUTO struct words pieces = { 0 };
	const char *name;

	qemu_split(value, &pieces);
	name = value_of(&pieces, "accel");
	if (name == NULL && pieces.count > 0)
		name = pieces.item[0];
	take_accels(&r->b->user, name == NULL ? "" : name);
	return true;
}

bool qemu_take_kvm(struct qemu_reader *r, const char *value)
{
	(void)value;
	take_accels(&r->b->user, "kvm");
	return true;
}

static bool is_type_of(const struct qemu_machine *machine, const char *type)
{
	const char *versions = machine->is_pc ? "pc-q35-" : "virt-";

	return strcmp(type, machine->name) == 0 || str_after(type, versions) != NULL;
}

bool qemu_take_machine(struct qemu_reader *r, const char *value)
{
	WORDS_AUTO struct words pieces = { 0 };
	const char *type, *accel, *sata;

	qemu_split(value, &pieces);
	type = value_of(&pieces, "type");
	if (type == NULL && pieces.count > 0 && strchr(pieces.item[0], '=') == NULL)
		type = pieces.item[0];
	if (type != NULL && !is_type_of(r->b->machine, type))
		qemu_refuse_word(r, value,
		    r->b->machine->is_pc
			? "the devices of the spec are on buses and slots of q35: use the type q35"
			: "the devices of the spec are on buses and slots of virt: use the type "
			  "virt");
	accel = value_of(&pieces, "accel");
	if (accel != NULL)
		take_accels(&r->b->user, accel);
	sata = value_of(&pieces, "sata");
	r->b->user.has_sata = r->b->user.has_sata || (sata != NULL && !is_off(sata));
	return true;
}

bool qemu_take_set(struct qemu_reader *r, const char *value)
{
	if (str_after(value, "chardev.qmp.") != NULL)
		qemu_refuse_word(r, value, "this is vmrun's own channel to qemu: use another id");
	return true;
}

static void refuse_stdio(struct qemu_reader *r, const char *value)
{
	r->b->user.uses_stdio = true;
	if (spec_uses_stdio(r->b->spec))
		qemu_refuse_word(r, value,
		    "a serial port of the spec has stdin and stdout: use another "
		    "channel, such as unix:PATH,server=on,wait=off");
}

/* Refuses a server that qemu opens, and waits for its client, before vmrun hears of qemu. */
static void check_wait(struct qemu_reader *r, const char *value)
{
	WORDS_AUTO struct words pieces = { 0 };
	const char *server, *wait;
	bool is_server;

	qemu_split(value, &pieces);
	server = value_of(&pieces, "server");
	wait = value_of(&pieces, "wait");
	is_server = words_have(&pieces, "server") || (server != NULL && !is_off(server));
	if (is_server && !words_have(&pieces, "nowait") && (wait == NULL || !is_off(wait)))
		qemu_refuse_word(r, value,
		    "qemu would wait for a client before it answers vmrun: add "
		    "wait=off");
}

bool qemu_take_stream(struct qemu_reader *r, const char *value)
{
	const char *device = str_after(value, "mon:");

	device = str_after(device == NULL ? value : device, "stdio");
	if (device != NULL && (*device == '\0' || *device == ','))
		refuse_stdio(r, value);
	check_wait(r, value);
	return true;
}

bool qemu_take_chardev(struct qemu_reader *r, const char *value)
{
	WORDS_AUTO struct words pieces = { 0 };
	const char *backend;

	qemu_split(value, &pieces);
	backend = value_of(&pieces, "backend");
	if ((pieces.count > 0 && strcmp(pieces.item[0], "stdio") == 0) ||
	    (backend != NULL && strcmp(backend, "stdio") == 0))
		refuse_stdio(r, value);
	check_wait(r, value);
	return true;
}

/* The first -serial is the first port, and so on; two devices cannot answer at one address. */
bool qemu_take_serial(struct qemu_reader *r, const char *value)
{
	const struct spec *spec = r->b->spec;
	size_t port = r->serial_ports++;

	if (strcmp(value, "none") != 0 && port < SPEC_COM_PORTS && spec_com(spec, port) != NULL) {
		MEM_AUTO char *reason = mem_format(
		    "this is serial port %zu, which %s of the spec has: change that one instead",
		    port + 1, spec_com_key(port));

		qemu_refuse_word(r, value, reason);
	}
	return qemu_take_stream(r, value);
}

bool qemu_take_display(struct qemu_reader *r, const char *value)
{
	WORDS_AUTO struct words pieces = { 0 };

	qemu_split(value, &pieces);
	if (pieces.count > 0 && strcmp(pieces.item[0], "curses") == 0)
		refuse_stdio(r, value);
	return true;
}

/* Refuses a device that qemu makes before those of the spec, at a slot that one of them has. */
static void check_early(struct qemu_reader *r, const char *value)
{
	const struct spec *spec = r->b->spec;
	int slot = ++r->early_devices;

	for (size_t i = 0; i < spec->device_count; i++) {
		const struct device *dev = spec->devices[i];

		if (dev->removed || dev->slot.bus != 0 || dev->slot.slot != slot)
			continue;
		MEM_AUTO char *reason = mem_format(
		    "qemu places this device first, at the slot that %s has: use -device instead",
		    dev->id);

		qemu_refuse_word(r, value, reason);
		return;
	}
}

bool qemu_take_early(struct qemu_reader *r, const char *value)
{
	WORDS_AUTO struct words pieces = { 0 };

	qemu_split(value, &pieces);
	if (pieces.count > 0 && strcmp(pieces.item[0], "none") != 0)
		check_early(r, value);
	return true;
}

bool qemu_take_net(struct qemu_reader *r, const char *value)
{
	WORDS_AUTO struct words pieces = { 0 };

	qemu_split(value, &pieces);
	if (pieces.count > 0 && strcmp(pieces.item[0], "nic") == 0)
		check_early(r, value);
	return true;
}

bool qemu_take_audio(struct qemu_reader *r, const char *value)
{
	WORDS_AUTO struct words pieces = { 0 };
	const char *model;

	qemu_split(value, &pieces);
	model = value_of(&pieces, "model");
	if (model != NULL && strcmp(model, "pcspk") != 0)
		check_early(r, value);
	return true;
}

bool qemu_take_ide(struct qemu_reader *r, const char *value)
{
	if (r->b->machine->is_pc && !r->b->user.has_sata)
		qemu_refuse_word(r, value,
		    "q35 has no IDE disks of its own here: add a device ahci-hd or "
		    "ahci-cd with this \"path\" to \"emulations\"");
	return true;
}

bool qemu_take_drive(struct qemu_reader *r, const char *value)
{
	WORDS_AUTO struct words pieces = { 0 };
	const char *interface;

	qemu_split(value, &pieces);
	interface = value_of(&pieces, "if");
	return interface == NULL || strcmp(interface, "ide") == 0 ? qemu_take_ide(r, value) : true;
}

bool qemu_take_bios(struct qemu_reader *r, const char *value)
{
	const struct spec *spec = r->b->spec;

	if (!qemu_uses_own_bios(spec) && (spec->qemu.varfile != NULL || spec->varfile != NULL))
		qemu_refuse_word(r, value,
		    "qemu ignores it beside firmware with variables: use "
		    "qemu.bootrom");
	return true;
}

bool qemu_take_user(struct qemu_reader *r, const char *value)
{
	(void)value;
	words_addf(&r->b->plan->notes,
	    "%s: a change of the user may clear the signal that ends qemu if vmrun is killed",
	    r->word);
	return true;
}
