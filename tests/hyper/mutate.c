/* Mutates specs. */
#include "mutate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "device/device.h"
#include "random_spec.h"
#include "spec/spec.h"

#define MOST_PLACES 4096

/* A value of the document, and its container. */
struct place {
	struct node *parent, *value;
};

struct places {
	struct place item[MOST_PLACES];
	size_t count;
};

/* Returns whether vmrun does not read the key, so that only bhyve finds an error in it. */
static bool is_unread(const char *key)
{
	static const char *const keys[] = { "value", "extra_options", "args" };

	for (size_t i = 0; key != NULL && i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(key, keys[i]) == 0)
			return true;
	}
	return false;
}

static void collect(struct node *n, struct places *places)
{
	for (struct node *child = n->first; child != NULL; child = child->next) {
		if (is_unread(child->key) || places->count == MOST_PLACES)
			continue;
		places->item[places->count++] = (struct place){ n, child };
		collect(child, places);
	}
}

static struct node *random_number(void)
{
	static const int64_t numbers[] = { 0, 1, -1, 2, 3, 7, 8, 31, 32, 64, 255, 256, 511, 512,
		513, 1024, 4095, 4096, 8192, 65535, 65536, 1 << 20, INT32_MAX,
		(int64_t)INT32_MAX + 1, INT64_C(1) << 52, INT64_C(1) << 53, INT64_MAX, INT64_MIN };
	size_t count = sizeof(numbers) / sizeof(numbers[0]);

	if (random_below(12) == 0)
		return node_number(random_below(2) == 0 ? 1.5 : 1e300);
	return node_int(numbers[random_below((unsigned)count)]);
}

/* Returns a text that has a meaning for some key. */
static struct node *random_text(void)
{
	static const char *const texts[] = { "", " ", ",", "a,b", "=", "a=b", "%", "%(name)", "\\",
		"a\nb", "\n", "a\tb", "/", "/a", "/dev/x", "/a,b", "../x", ".", "..", "auto",
		"true", "on", "0", "1", "-1", "00", "010", "0x10", "08", "1.5", "1e3", "3", "03",
		"3:0", "3:1", "3:8", "0:3:0", "1:0:0", "1:0:1", "255:31:7", "256:0:0", "0:32:0",
		"0:31:0", "0:0:0", "3:", ":3", "1:2:3:4", " 3", "3 ", "0:1", "0:1023", "0:1024",
		"65536:0", "1M", "4K", "1k", "5k", "0M", "1.5G", "512MB", "99999999999T", "tap0",
		"tapAUTO", "vale0:1", "stdio", "nmdm", "console", "tcp=127.0.0.1:1", "tcp=:1",
		"tcp=[::1]:22", "tcp=localhost:1", "tcp=127.0.0.1:0", "127.0.0.1", "::1", "[::1]",
		"127.0.0.1:1", "w1234", "w:1", "1234", "58:9c:fc:00:00:01", "01:00:00:00:00:00",
		"00:00:00:00:00:00", "ppt0", "pptAUTO", "3/0/0", "8086", "0x80861234", "2.0", "1.2",
		"qemu", "bhyve", "swtpm", "amd_hostbridge", "arm64", "0-1", "1-0", "0,0", "0-",
		"prefer:0", "prefer:", "interleave:0-300", "hd", "cd", "ram=1", "tablet", "help",
		"h", "-k", "--", "pci.0.3.0.path", "\xff", "\xc3\xbc" };
	size_t count = sizeof(texts) / sizeof(texts[0]);
	struct str longer = { 0 };
	struct node *made;

	if (random_below(10) != 0)
		return node_string(texts[random_below((unsigned)count)]);
	for (unsigned i = (unsigned[]){ 9, 16, 21, 56, 80, 104, 257, 5000 }[random_below(8)]; i > 0;
	     i--)
		str_add(&longer, "x");
	made = node_string(longer.text);
	str_free(&longer);
	return made;
}

static struct node *random_value(void)
{
	struct node *made;

	switch (random_below(10)) {
	case 0:
		return node_new(NODE_NULL);
	case 1:
		return node_bool(random_below(2) == 0);
	case 2:
		made = node_new(NODE_LIST);
		if (random_below(2) == 0)
			node_append(made, random_text());
		return made;
	case 3:
		made = node_new(NODE_OBJECT);
		if (random_below(2) == 0)
			node_put(made, "path", random_text());
		return made;
	case 4:
	case 5:
	case 6:
		return random_number();
	default:
		return random_text();
	}
}

/* Returns the text with one letter added, removed, doubled or changed. */
static struct node *misspelt(const struct node *n)
{
	size_t at = n->length == 0 ? 0 : random_below((unsigned)n->length);
	struct str text = { 0 };
	struct node *made;

	str_add_n(&text, n->text, at);
	if (random_below(2) == 0)
		str_add(&text,
		    (const char *const[]){
			",", "=", "%", "0", "x", " ", "\n", ":", "/", "\\" }[random_below(10)]);
	if (at < n->length)
		str_add(&text, n->text + at + random_below(2));
	made = node_string(text.text == NULL ? "" : text.text);
	str_free(&text);
	return made;
}

static struct node *near_number(const struct node *n)
{
	uint64_t value = (uint64_t)n->integer;
	const uint64_t near[] = { value + 1, value - 1, value * 2, value / 2, value + 4096,
		0 - value };

	return node_int((int64_t)near[random_below(6)]);
}

static const struct field *find_range(const struct field *rows, const char *key)
{
	for (const struct field *f = rows; f != NULL && f->key != NULL; f++) {
		const struct field *inner = f->rows != NULL ? f->rows
		    : f->custom != NULL			    ? f->custom->rows
							    : NULL;

		if (strcmp(f->key, key) == 0 && f->has_range)
			return f;
		inner = find_range(inner, key);
		if (inner != NULL)
			return inner;
	}
	return NULL;
}

/* Returns a value at or just beyond a limit of the key's row; for other rows any value. */
static struct node *at_limit(const char *key)
{
	const struct field *f = key == NULL ? NULL : find_range(spec_fields, key);

	for (size_t i = 0; key != NULL && f == NULL && device_kinds[i] != NULL; i++)
		f = find_range(device_kinds[i]->fields, key);
	if (f == NULL)
		return random_value();
	return node_int(
	    (const int64_t[]){ f->min - 1, f->min, f->max, f->max + 1 }[random_below(4)]);
}

/* Returns the value of the same key elsewhere, to have a slot, path, name or boot index twice. */
static const struct node *find_like(const struct places *places, const struct node *n)
{
	size_t first = random_below((unsigned)places->count);

	for (size_t i = 0; n->key != NULL && i < places->count; i++) {
		const struct node *other = places->item[(first + i) % places->count].value;

		if (other != n && other->key != NULL && strcmp(other->key, n->key) == 0)
			return other;
	}
	return NULL;
}

static const char *change(const struct places *places, const struct place *p)
{
	const struct node *like = find_like(places, p->value);

	switch (random_below(5)) {
	case 0:
		if (p->value->kind == NODE_STRING) {
			node_replace(p->parent, p->value, misspelt(p->value));
			return "misspelt";
		}
		if (p->value->kind == NODE_INT) {
			node_replace(p->parent, p->value, near_number(p->value));
			return "a near number";
		}
		break;
	case 1:
		if (like != NULL) {
			node_replace(p->parent, p->value, node_copy(like));
			return "the value of another place";
		}
		break;
	case 2:
		node_replace(p->parent, p->value, at_limit(p->value->key));
		return "a limit";
	default:
		break;
	}
	node_replace(p->parent, p->value, random_value());
	return "another value";
}

static const char *drop(struct places *places, const struct place *p)
{
	struct node *before = p->parent->first;

	(void)places;
	if (p->parent->kind == NODE_OBJECT) {
		node_free(node_take(p->parent, p->value->key));
		return "dropped";
	}
	if (before == p->value) {
		p->parent->first = p->value->next;
	} else {
		while (before->next != p->value)
			before = before->next;
		before->next = p->value->next;
	}
	if (p->parent->last == p->value)
		p->parent->last = p->parent->first == NULL ? NULL : before;
	p->parent->count--;
	p->value->next = NULL;
	node_free(p->value);
	return "dropped";
}

/* Returns any key of any row. */
static const char *random_key(void)
{
	const struct field *rows = spec_fields;
	unsigned kinds = 0, count = 0;

	while (device_kinds[kinds] != NULL)
		kinds++;
	if (random_below(3) != 0)
		rows = device_kinds[random_below(kinds)]->fields;
	if (random_below(6) == 0)
		rows = device_common_fields;
	while (rows[count].key != NULL)
		count++;
	return count == 0 ? "slot" : rows[random_below(count)].key;
}

/* Adds a key, the same value under another key, or an entry. */
static const char *add(const struct place *p)
{
	const char *key = random_key();

	if (p->parent->kind == NODE_LIST) {
		node_append(p->parent, node_copy(p->value));
		return "an entry twice";
	}
	if (strcmp(p->value->key, "xhci_tablet") == 0) {
		node_put(p->parent, "xhci_table", node_copy(p->value));
		return "a key and its alias";
	}
	/* vmrun does not check what `config` sets. */
	if (is_unread(key) || (p->parent->key != NULL && strcmp(p->parent->key, "config") == 0))
		return "nothing";
	node_put(p->parent, key, random_below(2) == 0 ? node_copy(p->value) : random_value());
	return "a key more";
}

static const char *give_slot(struct places *places)
{
	static const char *const slots[] = { "3:1", "3:0", "1:0:0", "1:0:1", "0:31:1", "0:0:1",
		"2:31:7", "4:1", "5" };

	for (size_t i = random_below((unsigned)places->count); i < places->count; i++) {
		struct node *n = places->item[i].value;

		if (n->kind == NODE_OBJECT && node_get(n, "device") != NULL) {
			node_put(n, "slot", node_string(slots[random_below(9)]));
			return "a slot";
		}
	}
	return "nothing";
}

const char *mutate(struct node *document)
{
	static struct places places;
	const struct place *p;

	places.count = 0;
	collect(document, &places);
	if (places.count == 0)
		return "nothing";
	p = &places.item[random_below((unsigned)places.count)];
	switch (random_below(10)) {
	case 0:
	case 1:
		return drop(&places, p);
	case 2:
	case 3:
		return add(p);
	case 4:
		return give_slot(&places);
	default:
		return change(&places, p);
	}
}

static void print(const struct node *n, struct str *json)
{
	const char *separator = "";

	switch (n->kind) {
	case NODE_BOOL:
		str_add(json, n->truth ? "true" : "false");
		return;
	case NODE_INT:
		str_addf(json, "%" PRId64, n->integer);
		return;
	case NODE_NUMBER:
		str_addf(json, "%.17g", n->number);
		return;
	case NODE_STRING:
		str_add_json(json, n->text);
		return;
	case NODE_LIST:
	case NODE_OBJECT:
		break;
	default:
		str_add(json, "null");
		return;
	}
	str_add(json, n->kind == NODE_LIST ? "[" : "{");
	for (const struct node *child = n->first; child != NULL; child = child->next) {
		str_add(json, separator);
		separator = ",";
		if (n->kind == NODE_OBJECT) {
			str_add_json(json, child->key);
			str_add(json, ":");
		}
		print(child, json);
	}
	str_add(json, n->kind == NODE_LIST ? "]" : "}");
}

char *mutate_print(const struct node *document)
{
	struct str json = { 0 };

	print(document, &json);
	return str_take(&json);
}
