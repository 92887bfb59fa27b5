/* Interfaces, bridges, switches. */
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "check/need.h"

/*
 * Returns whether the name is a unit of the class, "tap3" of "tap", which ifconfig can create by
 * name.
 */
static bool is_unit_of(const char *name, const char *class)
{
	const char *unit = str_after(name, class);

	return unit != NULL && *unit != '\0' && unit[strspn(unit, "0123456789")] == '\0';
}

/*
 * Adds the command that creates an interface of that class, and renames it if the name is not
 * CLASSn.
 */
static void ifconfig_create(struct words *fix, const char *class, const char *name)
{
	if (is_unit_of(name, class))
		check_words(fix, COMMAND("ifconfig", name, "create", "up"));
	else
		check_words(fix, COMMAND("ifconfig", class, "create", "name", name, "up"));
}

/* Checks a tap that exists. */
static void check_tap(
    struct check *c, const struct checked_need *need, const char *name, pid_t opener)
{
	struct finding *f;

	if (opener != 0 && !check_is_ours(c, name))
		check_problem(c, need, name, "opened by process %jd already", (intmax_t)opener)
		    ->busy = true;
	if (!host_interface_is_down(&c->host, name))
		return;
	if (c->host.freebsd) {
		f = check_problem(c, need, name,
		    "is down after each boot, and qemu does not switch it on: the guest would "
		    "reach nothing");
		check_words(&f->fix, COMMAND("sysctl", "net.link.tap.up_on_open=1"));
	} else {
		f = check_problem(c, need, name, "is down: the guest would reach nothing");
		check_words(&f->fix, COMMAND("ip", "link", "set", "dev", name, "up"));
	}
}

void check_interface(struct check *c, const struct checked_need *need)
{
	const char *name = need->need->what;
	struct finding *f;
	pid_t opener;

	switch (host_interface(&c->host, name, &opener)) {
	case TRUTH_NO:
		f = check_problem(c, need, name, "no such interface");
		if (c->host.freebsd) {
			ifconfig_create(
			    &f->fix, str_after(name, "vmnet") != NULL ? "vmnet" : "tap", name);
			check_words(&f->undo, COMMAND("ifconfig", name, "destroy"));
			check_words(&f->probe, COMMAND("ifconfig", name));
		} else {
			check_words(
			    &f->fix, COMMAND("ip", "tuntap", "add", "dev", name, "mode", "tap"));
			check_words(
			    &f->undo, COMMAND("ip", "tuntap", "del", "dev", name, "mode", "tap"));
			check_words(&f->probe, COMMAND("ip", "link", "show", "dev", name));
		}
		break;
	case TRUTH_YES:
		check_tap(c, need, name, opener);
		break;
	case TRUTH_UNKNOWN:
	case TRUTH_PENDING:
		break;
	}
}

void check_bridge(struct check *c, const struct checked_need *need)
{
	const char *name = need->need->what;
	struct finding *f;
	pid_t opener;

	if (host_interface(&c->host, name, &opener) != TRUTH_NO)
		return;
	f = check_problem(c, need, name, "no such interface");
	/* The bridge stays at the end: other interfaces may have joined it. */
	if (c->host.freebsd)
		ifconfig_create(&f->fix, "bridge", name);
	else
		check_words(
		    &f->fix, COMMAND("ip", "link", "add", "name", name, "up", "type", "bridge"));
}

static void check_module(struct check *c, const struct checked_need *need, const char *module)
{
	if (!c->host.bhyve || host_module(&c->host, module) != TRUTH_NO)
		return;
	check_words(
	    &check_problem(c, need, need->need->what, "the module %s is not loaded", module)->fix,
	    COMMAND("kldload", module));
}

/*
 * Checks netmap(4), which is built into kernels, and creates switches of vale(4) when they are
 * opened.
 */
void check_switch(struct check *c, const struct checked_need *need)
{
	if (c->host.commands || access("/dev/netmap", F_OK) != 0)
		check_module(c, need, "netmap");
	else if (check_access("/dev/netmap", R_OK | W_OK) != NULL)
		(void)check_problem(c, need, need->need->what, "/dev/netmap: %s",
		    check_access("/dev/netmap", R_OK | W_OK));
}

void check_netgraph(struct check *c, const struct checked_need *need)
{
	check_module(c, need, "ng_socket");
}
