/*
 * COM1, a 16450-style UART, polled and without interrupts.
 * The guest also runs on a machine without COM1: it discards output and gets no input.
 */
#include "console.h"

enum {
	COM1 = 0x3f8,
	DATA = COM1,
	INTERRUPT_ENABLE = COM1 + 1,
	LINE_CONTROL = COM1 + 3,
	MODEM_CONTROL = COM1 + 4,
	LINE_STATUS = COM1 + 5,
	SCRATCH = COM1 + 7,
};

enum {
	LINE_CONTROL_8N1 = 0x03,
	LINE_CONTROL_DIVISOR = 0x80,
	MODEM_CONTROL_DTR_RTS = 0x03,
	LINE_STATUS_RECEIVED = 0x01,
	LINE_STATUS_CAN_SEND = 0x20,
};

static bool present;

/* QEMU has only the ports of its command line; a missing one reads as ones. */
static bool find_uart(void)
{
	out8(SCRATCH, 0x5a);
	if (in8(SCRATCH) != 0x5a)
		return 0;
	out8(SCRATCH, 0xa5);
	return in8(SCRATCH) == 0xa5;
}

/* Leaves the FIFOs off: switching them on would drop input that came before the guest ran. */
void console_init(void)
{
	present = find_uart();
	if (!present)
		return;
	out8(INTERRUPT_ENABLE, 0);
	out8(LINE_CONTROL, LINE_CONTROL_DIVISOR);
	out8(DATA, 1);
	out8(INTERRUPT_ENABLE, 0);
	out8(LINE_CONTROL, LINE_CONTROL_8N1);
	out8(MODEM_CONTROL, MODEM_CONTROL_DTR_RTS);
}

static void send(char c)
{
	u32 tries;

	/* With a limit: a console without a reader must not hang the guest. */
	for (tries = 0; tries < 1000000; tries++)
		if (in8(LINE_STATUS) & LINE_STATUS_CAN_SEND)
			break;
	out8(DATA, (u8)c);
}

void console_char(char c)
{
	if (!present)
		return;
	if (c == '\n')
		send('\r');
	send(c);
}

void console_text(const char *text)
{
	for (; *text != '\0'; text++)
		console_char(*text);
}

void console_line(const char *text)
{
	console_text(text);
	console_char('\n');
}

void console_dec(u32 value)
{
	if (value >= 10)
		console_dec(value / 10);
	console_char((char)('0' + value % 10));
}

void console_hex(u32 value, int digits)
{
	while (digits-- > 0)
		console_char("0123456789abcdef"[value >> (4 * digits) & 15]);
}

int console_read(void)
{
	if (!present || (in8(LINE_STATUS) & LINE_STATUS_RECEIVED) == 0)
		return -1;
	return in8(DATA);
}
