/* Signals of the program as a readable descriptor: the only handlers in the whole project. */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include <stdbool.h>

/* What our parent ignored must not hide the ends of our children. Before any of them. */
void signals_allow_children(void);
/* Catches SIGTERM, SIGINT and SIGHUP; ignores SIGPIPE, SIGUSR1 and SIGUSR2. The descriptor, or -1
 * with errno set. */
int signals_open(void);
/* Takes what has come; true when it asks for a stop. */
bool signals_take(int fd);

#endif
