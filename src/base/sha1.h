/* SHA-1 (RFC 3174), for version 5 UUIDs and stable MAC addresses; not for secrets. */
#ifndef BASE_SHA1_H
#define BASE_SHA1_H

#include <stddef.h>
#include <stdint.h>

#define SHA1_SIZE 20

void sha1(const void *data, size_t size, uint8_t digest[SHA1_SIZE]);

#endif
