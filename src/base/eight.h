/* Looks at eight bytes of text at once, which takes a fraction of the time of a loop over them. */
#ifndef BASE_EIGHT_H
#define BASE_EIGHT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define EIGHT_EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

static inline uint64_t eight_load(const char *text)
{
	uint64_t eight;

	memcpy(&eight, text, sizeof(eight));
	return eight;
}

/* Returns whether one of the bytes is below n, which is at most 128. */
static inline bool eight_below(uint64_t eight, unsigned char n)
{
	return ((eight - EIGHT_EACH(n)) & ~eight & EIGHT_EACH(0x80)) != 0;
}

static inline bool eight_have(uint64_t eight, unsigned char byte)
{
	return eight_below(eight ^ EIGHT_EACH(byte), 1);
}

static inline bool eight_are_ascii(uint64_t eight)
{
	return (eight & EIGHT_EACH(0x80)) == 0;
}

#endif
