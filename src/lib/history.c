/* libvmrun: reading the history of a VM. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/vm_name.h"
#include "ledger/history_file.h"
#include "ledger/history_line.h"
#include "ledger/rundir.h"
#include "lib/given.h"
#include "vmrun/vmrun.h"

int vmrun_history(const char *state_dir, const char *vm, char **lines, char **why)
{
	MEM_AUTO char *state = state_dir != NULL ? mem_copy(state_dir) : statedir_default();
	MEM_AUTO char *directory = mem_format("%s/%s", state, vm != NULL ? vm : "");
	const char *end = "";
	struct str all = { 0 };
	struct error err = { 0 };
	char *read = NULL;
	pid_t died;

	give_text(lines, NULL);
	if (vm_name_check(vm, &err) != 0 || history_file_read(directory, &read, &err) != 0) {
		give_text(why, err.text);
		return (int)err.status;
	}
	give_text(why, NULL);
	died = history_file_death(directory);
	if (died == 0) {
		give_text(lines, read);
		return STATUS_OK;
	}
	MEM_AUTO char *death = history_line_of_death(died);

	/* The death may have torn the last line. */
	if (read != NULL && *read != '\0' && read[strlen(read) - 1] != '\n')
		end = "\n";
	str_addf(&all, "%s%s%s\n", read != NULL ? read : "", end, death);
	free(read);
	give_text(lines, str_take(&all));
	return STATUS_OK;
}
