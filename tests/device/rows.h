/* What holds for every row of every table of keys. */
#ifndef TESTS_DEVICE_ROWS_H
#define TESTS_DEVICE_ROWS_H

#include "support.h"

#define ROWS_SIZE 65536 /* larger than any struct that rows fill */

/*
 * Each key is there once, with help, and the row has what its type needs; each wrong type is
 * refused with the key's path, each required key is missed, each typo is known.
 */
void rows_check(const struct field *rows, const struct where *at);

#endif
