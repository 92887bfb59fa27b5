/* Descriptors as files. */
#ifndef PLATFORM_DEVFD_H
#define PLATFORM_DEVFD_H

#include <stdbool.h>

/* Tells whether a child can open /dev/fd/N for any of its descriptors N. */
bool os_has_dev_fd(void);

#endif
