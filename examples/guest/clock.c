/*
 * The only interrupt, the timer's, which wakes the CPU from hlt 100 times a second.
 * If it never comes (for example without a usable local APIC), the guest polls the timer instead.
 */
#include "clock.h"

enum {
	PIC1 = 0x20,
	PIC2 = 0xa0,
	PIT_CHANNEL0 = 0x40,
	PIT_CHANNEL2 = 0x42,
	PIT_COMMAND = 0x43,
	PORT_B = 0x61,
};

/* Channel 2's gate and output are bits of port 0x61, shared with the speaker's switch. */
enum {
	PORT_B_GATE2 = 0x01,
	PORT_B_SPEAKER = 0x02,
	PORT_B_OUTPUT2 = 0x20,
};

enum {
	PIT_10MS = 11932, /* of 1193182 Hz */
	VECTOR_TICK = 0x20,
	VECTOR_SPURIOUS = 0xff,
};

#define LAPIC_SPURIOUS 0xfee000f0u
#define LAPIC_LINT0 0xfee00350u

volatile u32 clock_ticks;
static bool interrupts_work;
static u32 gates[256][2];

/* In start.S. */
void tick_entry(void);
void spurious_entry(void);

static void set_gate(int vector, void (*entry)(void))
{
	u32 address = (u32)entry;

	gates[vector][0] = 0x08u << 16 | (address & 0xffff);
	gates[vector][1] = (address & 0xffff0000u) | 0x8e00; /* present, 32-bit interrupt gate */
}

/*
 * Exceptions (vectors below 0x20) have no gate on purpose: an exception is a bug of the guest, and
 * without a gate it becomes a triple fault, which the supervisor reports, and not a hang.
 */
static void load_gates(void)
{
	struct {
		u16 limit;
		u32 base;
	} __attribute__((packed)) table = { sizeof(gates) - 1, (u32)gates };
	int vector;

	for (vector = VECTOR_TICK; vector < 256; vector++)
		set_gate(vector, spurious_entry);
	set_gate(VECTOR_TICK, tick_entry);
	__asm__ volatile("lidt %0" : : "m"(table));
}

/*
 * Turns the APIC on first, because while it is off its LVT entries stay masked (Intel SDM 3A,
 * 11.4.7.2).  Then initializes both 8259s and unmasks the timer's line only.
 */
static void route_timer(void)
{
	mem_write(LAPIC_SPURIOUS, 0x100 | VECTOR_SPURIOUS);
	mem_write(LAPIC_LINT0, 0x700); /* ExtINT: interrupts of the 8259s */
	out8(PIC1, 0x11);
	out8(PIC2, 0x11);
	out8(PIC1 + 1, VECTOR_TICK);
	out8(PIC2 + 1, VECTOR_TICK + 8);
	out8(PIC1 + 1, 1 << 2);
	out8(PIC2 + 1, 2);
	out8(PIC1 + 1, 1);
	out8(PIC2 + 1, 1);
	out8(PIC1 + 1, 0xfe);
	out8(PIC2 + 1, 0xff);
}

static void start_timer(void)
{
	out8(PIT_COMMAND, 0x34); /* channel 0, both bytes, rate generator */
	out8(PIT_CHANNEL0, PIT_10MS & 0xff);
	out8(PIT_CHANNEL0, PIT_10MS >> 8);
}

/* Waits 10 ms by polling channel 2, with a limit in case it is missing, too. */
static void spin(void)
{
	u32 tries;

	out8(PORT_B, (in8(PORT_B) & ~PORT_B_SPEAKER) | PORT_B_GATE2);
	out8(PIT_COMMAND, 0xb0); /* channel 2, both bytes, interrupt on terminal count */
	out8(PIT_CHANNEL2, PIT_10MS & 0xff);
	out8(PIT_CHANNEL2, PIT_10MS >> 8);
	for (tries = 0; tries < 2000000; tries++) {
		if (in8(PORT_B) & PORT_B_OUTPUT2)
			break;
		__asm__ volatile("pause");
	}
}

void clock_init(void)
{
	int tries;

	load_gates();
	route_timer();
	start_timer();
	for (tries = 0; tries < 20 && clock_ticks == 0; tries++) {
		__asm__ volatile("sti" : : : "memory");
		spin();
		__asm__ volatile("cli" : : : "memory");
	}
	interrupts_work = clock_ticks != 0;
}

void clock_idle(void)
{
	if (interrupts_work) {
		__asm__ volatile("sti; hlt; cli" : : : "memory");
		return;
	}
	spin();
	clock_ticks++;
}

void clock_wait(u32 ticks)
{
	u32 start = clock_ticks;

	while (clock_ticks - start < ticks)
		clock_idle();
}
