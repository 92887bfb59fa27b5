/* The setting bhyve_options of vm-bhyve: words for bhyve, as keys of the spec where it has them. */
#include <string.h>

#include "base/mem.h"
#include "import/bhyve_argv.h"
#include "import/vm_bhyve_guest.h"

/* Returns the key that an option of bhyve sets, "" if it is always set, NULL if there is none. */
static const char *key_of(char option)
{
	switch (option) {
	case 'A':
	case 'H':
	case 'P':
	case 'w':
		return "";
	case 'C':
		return "guest_mem_in_core";
	case 'D':
		return "power_off_destroy_vm";
	case 'S':
		return "wire_guest_mem";
	case 'W':
		return "force_msi";
	case 'Y':
		return "disable_mptable_gen";
	case 'e':
		return "strict_io";
	case 'u':
		return "utc_clock";
	case 'x':
		return "x2apic";
	default:
		return NULL;
	}
}

/* Sets the keys of a word such as "-wS" and returns true if all its letters have one. */
static bool take_flags(struct guest *g, const char *word)
{
	if (word[0] != '-' || word[1] == '\0')
		return false;
	for (const char *c = word + 1; *c != '\0'; c++) {
		if (key_of(*c) == NULL)
			return false;
	}
	for (const char *c = word + 1; *c != '\0'; c++) {
		if (*key_of(*c) != '\0')
			guest_put_flag(g->spec, key_of(*c), true);
	}
	return true;
}

static bool is_pin(const char *text)
{
	static const char digits[] = "0123456789";
	size_t n = strspn(text, digits);

	return n > 0 && text[n] == ':' && guest_is_number(text + n + 1);
}

/* Takes an option with its value into a key of the spec and returns true if there is one. */
static bool take_pair(struct guest *g, const char *option, const char *value)
{
	if (value == NULL)
		return false;
	if (strcmp(option, "-p") == 0 && is_pin(value)) {
		struct node *pins = node_take(g->spec, "pin");

		if (pins == NULL)
			pins = node_new(NODE_LIST);
		node_append(pins, node_string(value));
		node_put(g->spec, "pin", pins);
	} else if (strcmp(option, "-m") == 0) {
		guest_set_memory(g, "bhyve_options", value);
	} else if (strcmp(option, "-c") == 0 && g->cpu != NULL) {
		MEM_AUTO char *both = mem_format("%s,%s", g->cpu, value);

		guest_set_cpu(g, "bhyve_options", both);
	} else if (strcmp(option, "-U") == 0) {
		guest_note(
		    g, "bhyve_options: -U %s is left out: vm-bhyve's own -U overrules it", value);
	} else {
		return false;
	}
	return true;
}

/*
 * Adds the words.  From the first one on that has no key all are passed on, in their order: what
 * follows may be its value.
 */
void guest_add_options(struct guest *g)
{
	WORDS_AUTO struct words words = { 0 };
	struct node *rest = NULL;
	const char *operand;

	guest_split(guest_get_or(g, "bhyve_options", ""), &words);
	operand = bhyve_argv_operand(&words);
	if (operand != NULL)
		guest_fault(g, "bhyve_options",
		    "\"%s\" is neither an option nor the value of one: bhyve refuses it; remove it",
		    operand);
	for (size_t i = 0; i < words.count; i++) {
		const char *word = words.item[i];
		const char *value = i + 1 < words.count ? words.item[i + 1] : NULL;

		if (rest == NULL && take_flags(g, word))
			continue;
		if (rest == NULL && take_pair(g, word, value)) {
			i++;
			continue;
		}
		if (rest == NULL)
			rest = node_new(NODE_LIST);
		node_append(rest, node_string(word));
	}
	if (rest != NULL)
		node_put(g->spec, "extra_options", rest);
}
