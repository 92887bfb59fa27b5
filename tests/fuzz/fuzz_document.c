/*
 * A document in JSON to a spec, its command and its policy, through every public function of a
 * handle.  The byte before the brace chooses the options; without one they are the usual ones.
 *
 * Rooms: src/config src/device src/hyper/bhyve_*.c src/hyper/firmware.c src/hyper/plan.c
 * src/hyper/qemu_*.c src/lib/checks.c src/lib/graph.c src/lib/prepared.c src/lib/vmrun.c src/plan
 * src/policy src/spec
 */
#include "fuzz.h"
#include "handle.h"

#include <stdlib.h>

#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const set[] = { "mem=1G", "cpu.sockets=2", NULL };
	static const char *const args[] = { "-s", "7,virtio-rnd", "-device", "e1000,id=x", NULL };
	static const char *const hooks[] = { "backoff", "rescue_after", NULL };
	struct fuzz_input in = { data, size };
	unsigned choice = size > 0 && *data != '{' ? fuzz_byte(&in) : 0;
	struct vmrun_options options = VMRUN_OPTIONS;
	size_t length = in.left;
	MEM_AUTO char *text = fuzz_text(&in, length);

	fuzz_begin(FENCE_REFUSE);
	options.text = text;
	options.length = length;
	options.format = "json";
	options.directory = options.run_dir = options.state_dir = fuzz_directory();
	options.dry_run = true;
	options.hypervisor = (choice & 1) != 0 ? "qemu" : "bhyve";
	options.sandbox = (choice & 2) != 0;
	options.set = (choice & 4) != 0 ? set : NULL;
	options.target = (choice & 8) != 0 ? "t" : NULL;
	if ((choice & 32) != 0) {
		options.args = args;
		options.hooks = hooks;
		options.reboot_on = "fault,3,halt";
		options.reboot_count = 2;
		options.exec_result = 1;
	}
	handle_use(&options, (choice & 16) != 0);
	fuzz_end();
	return 0;
}
