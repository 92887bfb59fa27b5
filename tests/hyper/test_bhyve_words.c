/* Converts variables to bhyve's words, which fakebhyve's parser reads back. */
#include "hyper/bhyve_words.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fake.h"

#define SEED 20240229u

static void test_escaping(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "/plain", "/plain" },
		{ "a,b=c d\\e", "a,b=c d\\e" }, /* no % in it: taken as it is */
		{ "%", "\\%" },
		{ "%%", "\\%\\%" },
		{ "%(name)", "\\%(name)" },
		{ "\\%", "\\\\\\%" },
		{ "a\\b%c\\", "a\\\\b\\%c\\\\" },
		{ "100%, sure", "100\\%, sure" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		MEM_AUTO char *got = bhyve_escape(rows[i][0]);

		assert_string_equal(got, rows[i][1]);
	}
}

static void test_variable(void **state)
{
	struct words w = { 0 };
	struct pairs config = { 0 };
	struct bhyve_out out = { &w, &config };

	(void)state;
	bhyve_add_variable(&out, "a.b", "c=d,%");
	assert_string_equal(pairs_get(&config, "a.b"), "c=d,%");
	pairs_free(&config);
	assert_int_equal(w.count, 2);
	assert_string_equal(w.item[0], "-o");
	assert_string_equal(w.item[1], "a.b=c=d,\\%");
	words_free(&w);
}

/* Adds variables of the form "key=value", up to NULL. */
static void fill(struct pairs *vars, const char *const *texts)
{
	for (; *texts != NULL; texts++) {
		const char *equal = strchr(*texts, '=');
		MEM_AUTO char *key = mem_copy_n(*texts, (size_t)(equal - *texts));

		pairs_add(vars, key, equal + 1);
	}
}

struct form_row {
	const struct device_kind *kind;
	const char *vars[10];
	const char *words;
};

static const struct form_row form_rows[] = {
	{ &device_virtio_blk, { "device=virtio-blk", "path=/a=b" }, "-s 2:3:4,virtio-blk,/a=b" },
	{ &device_virtio_blk, { "device=virtio-blk", "path=/a", "ro=true", "ser=x=y" },
	    "-s 2:3:4,virtio-blk,/a,ro,ser=x=y" },
	{ &device_virtio_blk, { "device=virtio-blk", "path=/a,b" },
	    "-o pci.2.3.4.device=virtio-blk -o pci.2.3.4.path=/a,b" },
	{ &device_virtio_blk, { "device=virtio-blk", "path=/a", "ser=x,y" },
	    "-o pci.2.3.4.device=virtio-blk -o pci.2.3.4.path=/a -o pci.2.3.4.ser=x,y" },
	{ &device_virtio_blk, { "device=virtio-blk", "path=/%\\" },
	    "-s 2:3:4,virtio-blk,/\\%\\\\" },
	{ &device_virtio_blk, { "device=virtio-blk", "path=/a", "deep.key=1" },
	    "-o pci.2.3.4.device=virtio-blk -o pci.2.3.4.path=/a -o pci.2.3.4.deep.key=1" },
	{ &device_ahci_hd, { "device=ahci", "port.0.type=hd", "port.0.path=/a", "port.0.nmrr=1" },
	    "-s 2:3:4,ahci-hd,/a,nmrr=1" },
	{ &device_ahci_cd, { "device=ahci", "port.0.type=cd", "port.0.path=/a,cd:b" },
	    "-o pci.2.3.4.device=ahci -o pci.2.3.4.port.0.type=cd "
	    "-o pci.2.3.4.port.0.path=/a,cd:b" },
	{ &device_virtio_net, { "device=virtio-net", "backend=tap0", "mac=1:2" },
	    "-s 2:3:4,virtio-net,tap0,mac=1:2" },
	{ &device_virtio_console, { "device=virtio-console", "port.0.name=n", "port.0.path=/a=b" },
	    "-s 2:3:4,virtio-console,n=/a=b" },
	{ &device_virtio_console, { "device=virtio-console", "port.0.name=n=m", "port.0.path=/a" },
	    "-o pci.2.3.4.device=virtio-console -o pci.2.3.4.port.0.name=n=m "
	    "-o pci.2.3.4.port.0.path=/a" },
	{ &device_ahci,
	    { "device=ahci", "port.0.type=hd", "port.0.path=/a", "port.0.ro=true", "port.1.type=cd",
		"port.1.path=/b=%", "port.1.ser=x=y" },
	    "-s 2:3:4,ahci,hd:/a,ro,cd:/b=\\%,ser=x=y" },
	{ &device_nvme, { "device=nvme", "ram=64", "maxq=2" }, "-s 2:3:4,nvme,ram=64,maxq=2" },
	{ &device_nvme, { "device=nvme", "path=/ram=1,x" },
	    "-o pci.2.3.4.device=nvme -o pci.2.3.4.path=/ram=1,x" },
	{ &device_virtio_9p, { "device=virtio-9p", "sharename=s", "path=/a=%", "ro=true" },
	    "-s 2:3:4,virtio-9p,s=/a=\\%,ro" },
	{ &device_virtio_9p, { "device=virtio-9p", "sharename=s=t", "path=/a", "ro=true" },
	    "-o pci.2.3.4.device=virtio-9p -o pci.2.3.4.sharename=s=t -o pci.2.3.4.path=/a "
	    "-o pci.2.3.4.ro=true" },
	{ &device_virtio_scsi, { "device=virtio-scsi", "dev=/d", "iid=3" },
	    "-s 2:3:4,virtio-scsi,/d,iid=3" },
	{ &device_virtio_scsi, { "device=virtio-scsi", "target.0=/d", "iid=3" },
	    "-o pci.2.3.4.device=virtio-scsi -o pci.2.3.4.target.0=/d -o pci.2.3.4.iid=3" },
	{ &device_uart, { "device=uart", "path=/dev/x,y=%" }, "-s 2:3:4,uart,/dev/x,y=\\%" },
	{ &device_passthru, { "device=passthru", "bus=3", "slot=0", "func=1", "rom=/r" },
	    "-s 2:3:4,passthru,3/0/1,rom=/r" },
	{ &device_passthru, { "device=passthru", "pptdev=ppt0", "bootindex=1" },
	    "-s 2:3:4,passthru,ppt0,bootindex=1" },
	{ &device_passthru, { "device=passthru", "bus=3", "slot=0", "func=1", "rom=/r,s" },
	    "-o pci.2.3.4.device=passthru -o pci.2.3.4.bus=3 -o pci.2.3.4.slot=0 "
	    "-o pci.2.3.4.func=1 -o pci.2.3.4.rom=/r,s" },
	{ &device_virtio_rnd, { "device=virtio-rnd" }, "-s 2:3:4,virtio-rnd" },
	{ &device_ahci, { "device=ahci", "port.0.type=cd", "port.0.path=/a,hd:/b" },
	    "-o pci.2.3.4.device=ahci -o pci.2.3.4.port.0.type=cd "
	    "-o pci.2.3.4.port.0.path=/a,hd:/b" },
};

/* Checks the words, which `wanted` has with blanks between them. */
static void check_words(const struct words *got, const char *wanted)
{
	struct str line = { 0 };

	for (size_t i = 0; i < got->count; i++)
		str_addf(&line, "%s%s", i > 0 ? " " : "", got->item[i]);
	assert_string_equal(line.text, wanted);
	str_free(&line);
}

static void test_forms(void **state)
{
	static const struct slot slot = { true, 2, 3, 4 };

	(void)state;
	for (size_t i = 0; i < sizeof(form_rows) / sizeof(form_rows[0]); i++) {
		struct words w = { 0 };
		struct pairs vars = { 0 }, config = { 0 };
		struct bhyve_out out = { &w, &config };

		fill(&vars, form_rows[i].vars);
		bhyve_add_device(&out, &slot, form_rows[i].kind->form, &vars);
		check_words(&w, form_rows[i].words);
		assert_int_equal(config.count, vars.count);
		words_free(&w);
		pairs_free(&vars);
		pairs_free(&config);
	}
}

static unsigned long long dice;

static unsigned roll(unsigned n)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(dice >> 33) % n;
}

static char *odd_text(void)
{
	static const char *const pieces[] = { ",", "=", "%", "\\", " ", "%(name)", ".", ":", "\"",
		"'", "true", "hd:", "a", "b", "\xc3\xbc", ";", "/", "-", "%%", "(", ")", "0" };
	char text[64] = "";

	for (unsigned i = 1 + roll(8); i > 0; i--)
		(void)strcat(text, pieces[roll(sizeof(pieces) / sizeof(pieces[0]))]);
	return mem_copy(text);
}

static void add_odd(struct pairs *vars, const char *key)
{
	MEM_AUTO char *value = odd_text();

	pairs_add(vars, key, value);
}

/* Rolls sockets of a virtio-console, or drives. */
static void roll_ports(struct pairs *vars, bool drives)
{
	for (unsigned i = 0, n = 1 + roll(3); i < n; i++) {
		MEM_AUTO char *name = mem_format("port.%u.%s", i, drives ? "type" : "name");
		MEM_AUTO char *path = mem_format("port.%u.path", i);
		MEM_AUTO char *more = mem_format("port.%u.more", i);

		if (drives)
			pairs_add(vars, name, roll(2) == 0 ? "hd" : "cd");
		else
			add_odd(vars, name);
		add_odd(vars, path);
		if (drives && roll(2) == 0)
			add_odd(vars, more);
	}
}

static void roll_vars(const struct device_kind *kind, struct pairs *vars)
{
	const struct bhyve_form *form = kind->form;

	if (form->implied == NULL)
		pairs_add(vars, "device", form->model);
	if (kind == &device_passthru) {
		pairs_add(vars, "bus", "3");
		pairs_add(vars, "slot", "0");
		pairs_add(vars, "func", "1");
		add_odd(vars, "rom");
		return;
	}
	if (kind == &device_virtio_9p) {
		add_odd(vars, "sharename");
		add_odd(vars, "path");
		if (roll(2) == 0)
			pairs_add(vars, "ro", "true");
		return;
	}
	if (form->ports || form->named) {
		roll_ports(vars, form->ports);
		return;
	}
	for (size_t i = 0; form->implied != NULL && form->implied[i] != NULL; i += 2)
		pairs_add(vars, form->implied[i], form->implied[i + 1]);
	if (form->values != NULL)
		pairs_add(vars, "slot.1.device", "tablet");
	if (form->first == NULL)
		return;
	add_odd(vars, form->first);
	for (unsigned i = 0, n = form->whole ? 0 : roll(3); i < n; i++) {
		MEM_AUTO char *key =
		    mem_format("%sk%u", form->prefix == NULL ? "" : form->prefix, i);

		add_odd(vars, key);
	}
}

/* Returns the number of variables below a prefix; no value of these tests has a newline. */
static size_t count_below(const struct fake_tree *tree, const char *prefix)
{
	char *text = NULL;
	size_t size, n = 0;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	fake_tree_dump(tree, to);
	(void)fclose(to);
	for (const char *p = text; p != NULL && *p != '\0'; p = strchr(p, '\n'), p += p != NULL)
		n += strncmp(p, prefix, strlen(prefix)) == 0 ? 1 : 0;
	free(text);
	return n;
}

/* Checks that bhyve reads exactly these variables from the words. */
static void check_read_back(const struct words *device, const struct pairs *vars)
{
	struct fake_host host = { .release = 13 + (int)roll(3), .max_cpus = 8, .no_files = true };
	struct words argv = { 0 };
	struct fake_tree tree;
	char message[256] = "";

	words_add(&argv, "bhyve");
	words_append(&argv, device);
	words_add(&argv, "vm");
	fake_tree_init(&tree);
	if (fake_options(&host, (int)argv.count, argv.item, &tree, message, sizeof(message)) != 0)
		fail_msg("%s %s: %s", device->item[0], device->item[1], message);
	for (size_t i = 0; i < vars->count; i++) {
		MEM_AUTO char *key = mem_format("pci.0.3.0.%s", vars->item[i].key);
		const char *got = fake_tree_expand(&tree, key, NULL);

		if (got == NULL || strcmp(got, vars->item[i].value) != 0)
			fail_msg("%s: %s, not %s; words: %s", key, got, vars->item[i].value,
			    device->item[1]);
	}
	assert_int_equal(count_below(&tree, "pci.0.3.0."), vars->count);
	fake_tree_fini(&tree);
	words_free(&argv);
}

static void test_bhyve_reads_what_was_meant(void **state)
{
	static const struct slot slot = { true, 0, 3, 0 };
	size_t made = 0;

	(void)state;
	dice = SEED;
	print_message("seed %u\n", SEED);
	for (int round = 0; round < 3000; round++) {
		for (size_t k = 0; device_kinds[k] != NULL; k++) {
			struct words words = { 0 };
			struct pairs vars = { 0 }, config = { 0 };
			struct bhyve_out out = { &words, &config };

			if (device_kinds[k]->form == NULL)
				continue;
			roll_vars(device_kinds[k], &vars);
			bhyve_add_device(&out, &slot, device_kinds[k]->form, &vars);
			check_read_back(&words, &vars);
			words_free(&words);
			pairs_free(&vars);
			pairs_free(&config);
			made++;
		}
	}
	assert_true(made > 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escaping),
		cmocka_unit_test(test_variable),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_bhyve_reads_what_was_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
