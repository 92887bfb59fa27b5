/*
 * The order of events.  start.S calls this in protected mode, on the first CPU, with all variables
 * zero and interrupts off.
 */
#include "clock.h"
#include "console.h"
#include "inventory.h"
#include "power.h"
#include "script.h"

void guest_main(void);

void guest_main(void)
{
	console_init();
	console_line("vmrun demo guest");
	power_init();
	inventory_print();
	clock_init();
	script_run();
	power_halt();
}
