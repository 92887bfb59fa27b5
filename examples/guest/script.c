/*
 * The script: its source and its commands.
 * power.c ends the machine.
 */
#include "script.h"
#include "clock.h"
#include "console.h"
#include "fwcfg.h"
#include "inventory.h"
#include "power.h"

struct command {
	char letter;
	const char *line; /* printed first, if any */
	void (*run)(void);
};

static void run_letter(char letter);

/* In start.S, at a fixed offset of the image. */
extern const char rom_script[48];

static void decide(void)
{
	if (inventory_has_cd()) {
		console_line("cd found: resetting");
		power_reset();
	} else {
		console_line("no cd: powering off");
		power_off();
	}
}

/* Enables the button before the line appears, because its reader may press the button at once. */
static void wait_for_button(void)
{
	power_button_arm();
	console_line("waiting for the power button");
	while (!power_button_pressed())
		clock_idle();
	console_line("power button pressed");
}

/* Switches ACPI on, so that on bhyve SIGTERM presses the ignored button instead of killing it. */
static void wait_deaf(void)
{
	power_button_arm();
	console_line("waiting, deaf to the power button");
	for (;;)
		clock_idle();
}

static void obey_console(void)
{
	int c;

	for (;;) {
		while ((c = console_read()) < 0)
			clock_idle();
		if (c <= ' ' || c >= 127 || c == 'c')
			continue;
		console_char((char)c);
		console_char('\n');
		run_letter((char)c);
	}
}

static void print_dot(void)
{
	console_char('.');
}

static const struct command commands[] = {
	{ 'a', 0, decide },
	{ 'b', 0, wait_for_button },
	{ 'c', "commands from com1", obey_console },
	{ 'h', "halting", power_halt },
	{ 'k', "resetting by the keyboard controller", power_reset_keyboard },
	{ 'p', "powering off", power_off },
	{ 'r', "resetting", power_reset },
	{ 't', "triple fault", power_triple_fault },
	{ 'w', 0, wait_deaf },
	{ 'x', "jumping into unmapped memory", power_run_void },
	{ '.', 0, print_dot },
};

static void run_letter(char letter)
{
	u32 i;

	if (letter >= '0' && letter <= '9') {
		clock_wait((u32)(letter - '0') * CLOCK_TICKS_PER_TENTH);
		return;
	}
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (commands[i].letter != letter)
			continue;
		if (commands[i].line != 0)
			console_line(commands[i].line);
		commands[i].run();
	}
}

static void load(char *text, u32 size)
{
	u32 i;

	if (fwcfg_read("opt/vmrun/rom", text, size))
		return;
	for (i = 0; i < sizeof(rom_script) && i + 1 < size; i++)
		text[i] = rom_script[i];
	text[i] = '\0';
}

void script_run(void)
{
	static char text[256];
	const char *next;

	load(text, sizeof(text));
	for (next = text; *next != '\0'; next++)
		run_letter(*next);
	console_line("end of script: powering off");
	power_off();
}
