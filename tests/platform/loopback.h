/* The network of the host itself, which a sandbox may lack. */
#ifndef TEST_LOOPBACK_H
#define TEST_LOOPBACK_H

/*
 * Skips the test, with the reason, where 127.0.0.1 cannot be reached.  Before an interface is up
 * Linux also allows to bind to every address, as if it were the host's own.
 */
void loopback_needed(void);

#endif
