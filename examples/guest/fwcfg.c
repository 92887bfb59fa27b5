/*
 * The fw_cfg ports (QEMU: docs/specs/fw_cfg, bhyve: qemu_fwcfg.c).
 * Never reads past the end of an item, because bhyve prints a message for each such byte.
 */
#include "fwcfg.h"

enum {
	SELECTOR = 0x510, /* 16 bits wide, the only size that bhyve accepts */
	DATA = 0x511,
};

enum {
	ITEM_SIGNATURE = 0x00,
	ITEM_CPUS = 0x05,
	ITEM_DIRECTORY = 0x19,
	NAME_SIZE = 56,
};

/* bhyve's own interface, fwctl, is at the same ports and has its own signature. */
bool fwcfg_present(void)
{
	const char *want;

	out16(SELECTOR, ITEM_SIGNATURE);
	for (want = "QEMU"; *want != '\0'; want++)
		if ((char)in8(DATA) != *want)
			return 0;
	return 1;
}

u32 fwcfg_cpus(void)
{
	u32 low;

	out16(SELECTOR, ITEM_CPUS);
	low = in8(DATA);
	return low | (u32)in8(DATA) << 8;
}

/* Numbers in the directory are big-endian, unlike those in the older items. */
static u32 read_big_endian(int bytes)
{
	u32 value = 0;

	while (bytes-- > 0)
		value = value << 8 | in8(DATA);
	return value;
}

/* Always reads the whole field, so that the next entry follows. */
static bool read_name(const char *want)
{
	bool same = 1;
	char c;
	int i;

	for (i = 0; i < NAME_SIZE; i++) {
		c = (char)in8(DATA);
		if (!same || c != *want)
			same = 0;
		else if (c == '\0')
			want = ""; /* the rest of the field is zeros */
		else
			want++;
	}
	return same;
}

static bool find_file(const char *name, u16 *selector, u32 *size)
{
	u32 left;

	out16(SELECTOR, ITEM_DIRECTORY);
	for (left = read_big_endian(4); left > 0; left--) {
		*size = read_big_endian(4);
		*selector = (u16)read_big_endian(2);
		(void)read_big_endian(2);
		if (read_name(name))
			return 1;
	}
	return 0;
}

bool fwcfg_read(const char *name, char *text, u32 size)
{
	u32 length, i;
	u16 selector;

	if (!fwcfg_present() || !find_file(name, &selector, &length))
		return 0;
	out16(SELECTOR, selector);
	for (i = 0; i < length && i + 1 < size; i++)
		text[i] = (char)in8(DATA);
	text[i] = '\0';
	return 1;
}
