/* A program for abi.sh: uses each struct that the library lends or reads. */
#include <stdio.h>
#include <string.h>

#include <vmrun/vmrun.h>

static int open_text(struct vmrun **vm, const char *text)
{
	struct vmrun_options options = VMRUN_OPTIONS;

	options.text = text;
	options.length = strlen(text);
	options.hypervisor = "bhyve";
	options.dry_run = true;
	return vmrun_open(vm, &options);
}

int main(void)
{
	struct vmrun *vm;
	const struct vmrun_event *e;
	const char *before;

	if (open_text(&vm, "{\"name\":\"demo\",\"cpu\":1,\"mem\":\"64M\",\"bootrom\":\"/rom\"}") !=
	    0)
		return 1;
	before = vmrun_get_state(vm)->state;
	if (vmrun_simulate(vm, "reboot@90,poweroff") != 0)
		return 1;
	while ((e = vmrun_next_event(vm)) != NULL) {
		if (e->type == VMRUN_DECIDED && e->target != NULL)
			(void)printf("%s %s %s %s\n", e->ended, e->cause, e->action, e->target);
	}
	(void)printf("%s then %s, %d boots\n", before, vmrun_get_state(vm)->state,
	    (int)vmrun_get_state(vm)->boots);
	vmrun_close(vm);
	if (open_text(&vm, "{\"name\":\"demo\",\"cpu\":1,\"mem\":\"64M\",\"key\":1}") != 65)
		return 1;
	(void)printf("%s: %s\n", vmrun_problem(vm, 0)->path, vmrun_problem(vm, 0)->text);
	vmrun_close(vm);
	return 0;
}
