/* Makes a random spec: its machine, its devices, and a target with more devices. */
#include "random_roll.h"

#include <string.h>

/* Makes the decisions that affect several keys. */
static void decide(struct random_spec *s)
{
	s->release = 13 + (int)random_below(3);
	s->arm64 = s->release >= 15 && one_in(4);
	s->newlines = one_in(8);
	s->loads = !s->arm64 && one_in(6);
	s->numa = s->release >= 15 && !s->arm64 && !s->loads && one_in(3);
	s->fwcfg = s->release >= 14 && !s->arm64 && one_in(4);
	s->indexable = s->release >= 14 && !s->arm64 && one_in(2);
}

/* Promises the variables that depend on the devices of a boot. */
static void promise_boots(struct random_spec *s)
{
	for (int i = 0; i < RANDOM_BOOTS; i++) {
		struct pairs *vars = &s->boot_vars[i];
		bool target = i == RANDOM_TARGET;
		bool passes = s->passes[RANDOM_BASE] || (target && s->passes[RANDOM_TARGET]);
		bool indexed = s->indexed[RANDOM_BASE] || (target && s->indexed[RANDOM_TARGET]);

		pairs_add(vars, "memory.wired", s->wired || passes ? "true" : RANDOM_UNSET);
		if (s->arm64 || s->release < 14)
			continue;
		pairs_add(vars, "lpc.fwcfg",
		    indexed || s->fwcfg		? "qemu"
			: s->fwcfg_type != NULL ? s->fwcfg_type
						: "bhyve");
	}
}

void random_spec_make(struct random_spec *s)
{
	memset(s, 0, sizeof(*s));
	decide(s);
	str_add(&s->json, "{");
	roll_machine(s);
	roll_devices(s, one_in(10) ? 40 : random_below(8));
	s->count[RANDOM_BASE] = s->devices;
	s->boot = RANDOM_TARGET;
	add_key(&s->json, "targets");
	str_add(&s->json, "{\"t\":{");
	roll_devices(s, random_below(4));
	str_add(&s->json, "}}}");
	s->count[RANDOM_TARGET] = s->devices;
	promise_boots(s);
}

void random_spec_free(struct random_spec *s)
{
	for (size_t i = 0; i < s->devices; i++)
		pairs_free(&s->device[i].vars);
	for (size_t i = 0; i < 2; i++)
		pairs_free(&s->graphic[i].vars);
	for (size_t i = 0; i < RANDOM_BOOTS; i++)
		pairs_free(&s->boot_vars[i]);
	pairs_free(&s->vars);
	str_free(&s->json);
}
