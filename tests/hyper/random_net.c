/* Rolls network interfaces; the backend determines which keys are allowed together. */
#include "random_roll.h"

#include <string.h>

#include "base/mem.h"

static bool is(const struct roll *r, const char *backend)
{
	return strcmp(r->backend, backend) == 0;
}

/* Rolls a bridge, at most one, because the placeholders of two taps would be equal. */
static void roll_bridge(struct roll *r)
{
	r->backend = "tap";
	add_text(&r->spec->json, "bridge", "bridge0");
	promise(r, "name", "tapAUTO");
}

void roll_backend(struct roll *r)
{
	static const char *const kinds[] = { "tap", "vale", "netmap", "netgraph", "vmnet",
		"slirp" };
	struct random_spec *s = r->spec;
	MEM_AUTO char *name = NULL;

	promise(r, "mac", RANDOM_ANY);
	r->backend = kinds[random_below(s->release >= 15 ? 6 : 5)];
	if (is(r, "tap") && !s->bridged) {
		s->bridged = true;
		roll_bridge(r);
		return;
	}
	if (is(r, "tap") && s->release >= 14 && one_in(3)) {
		name = mem_format("lan%d", s->named++);
		roll_text(r, "type", "tap");
	} else if (is(r, "tap") || is(r, "vmnet")) {
		name = mem_format("%s%d", r->backend, s->named++);
	} else if (is(r, "vale") || is(r, "netmap")) {
		name = odd_text(s, r->backend, 6);
	} else {
		name = mem_copy(r->backend);
	}
	roll_text(r, "name", name);
}

static void roll_mac(struct roll *r, const struct field *f)
{
	MEM_AUTO char *mac = mem_format(
	    "58:9c:fc:%02x:%02x:%02x", random_below(256), random_below(256), random_below(256));

	bool none = one_in(4);

	if (!none && one_in(2))
		return;
	if (none)
		add_bool(&r->spec->json, f->key, false);
	else
		add_text(&r->spec->json, f->key, mac);
	pairs_remove(r->vars, f->key);
	if (!none)
		promise(r, f->key, mac);
}

/* Rolls netgraph keys, of which path and peerhook are required. */
static void roll_netgraph(struct roll *r, const struct field *f)
{
	if (is(r, "netgraph") && (f->key[0] == 'p' || one_in(2)))
		roll_odd(r, f->key, "n", 4);
}

static void roll_rules(struct roll *r, const struct field *f)
{
	struct str rules = { 0 };

	if (!is(r, "slirp") || one_in(2))
		return;
	add_key(&r->spec->json, f->key);
	str_add(&r->spec->json, "[");
	for (unsigned i = 0, n = 1 + random_below(3); i < n; i++) {
		MEM_AUTO char *rule =
		    mem_format("tcp:127.0.0.1:%u-10.0.2.15:%u", 2000 + i, 1 + random_below(60000));

		add_text(&r->spec->json, NULL, rule);
		str_addf(&rules, "%s%s", i > 0 ? ";" : "", rule);
	}
	str_add(&r->spec->json, "]");
	promise(r, f->key, rules.text);
	str_free(&rules);
}

static void roll_open(struct roll *r, const struct field *f)
{
	if (is(r, "slirp") && one_in(2))
		roll_plain(r, f);
}

/* clang-format off */
#define NET(kind) \
	{ kind, "name", NULL }, { kind, "bridge", NULL }, { kind, "type", NULL }, \
	{ kind, "mac", roll_mac }, { kind, "path", roll_netgraph }, \
	{ kind, "peerhook", roll_netgraph }, { kind, "socket", roll_netgraph }, \
	{ kind, "hook", roll_netgraph }, { kind, "hostfwd", roll_rules }, \
	{ kind, "open", roll_open }
/* clang-format on */

const struct special net_specials[] = { NET("virtio-net"), NET("e1000"), { 0 } };
