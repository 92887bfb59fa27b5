/*
 * A spec in Lua, sandboxed, through every public function of a handle: what it may reach, its
 * limits, and each table that it can return.
 *
 * Rooms: src/config/document.c src/config/document_hooks.c src/plan/boot.c src/script
 * src/spec/hook_keys.c
 */
#include <string.h>

#include "base/mem.h"
#include "fuzz.h"
#include "handle.h"

/*
 * Lua cannot interrupt these C functions (script/script.h), so that a pattern may take a minute:
 * a known limit, which is no fault.
 */
static bool has_pattern(const char *text)
{
	static const char *const functions[] = { "find", "match", "gsub" };
	bool has = false;

	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++)
		has = has || strstr(text, functions[i]) != NULL;
	return has;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const args[] = { "key=value", NULL };
	struct fuzz_input in = { data, size };
	struct vmrun_options options = VMRUN_OPTIONS;
	MEM_AUTO char *text = fuzz_text(&in, size);

	if (has_pattern(text))
		return 0;
	/* The sandbox has no files and no commands: what reaches the host is a fault. */
	fuzz_begin(FENCE_ABORT);
	options.text = text;
	options.length = size;
	options.format = "lua";
	options.directory = options.run_dir = options.state_dir = fuzz_directory();
	options.dry_run = options.sandbox = true;
	options.hypervisor = "bhyve";
	options.spec_args = args;
	handle_use(&options, false);
	fuzz_end();
	return 0;
}
