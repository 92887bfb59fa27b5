/* The files that one boot makes for its hypervisor or loader. */
#include "ledger/bootfiles.h"

#include "base/mem.h"
#include "ledger/rundir.h"

/* Writes the file with the password, which the user's file may have changed since the last boot. */
static int write_secret(const struct plan *plan, struct error *err)
{
	MEM_AUTO char *text = hyper_secret_text(plan, err);

	return text == NULL ? -1 : rundir_write(plan->secret_path, text, err);
}

int bootfiles_write(const struct plan *plan, struct error *err)
{
	const struct loading *loading = &plan->loading;

	if (plan->secret_path != NULL && write_secret(plan, err) != 0)
		return -1;
	if (loading->map != NULL && rundir_write(loading->map_path, loading->map, err) != 0)
		return -1;
	return loading->input == NULL ? 0 : rundir_write(loading->input_path, loading->input, err);
}
