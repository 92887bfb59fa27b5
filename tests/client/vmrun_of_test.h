/* A client, and a vmrun whose answers the test writes. */
#ifndef TESTS_CLIENT_VMRUN_OF_TEST_H
#define TESTS_CLIENT_VMRUN_OF_TEST_H

#include "../base/dice.h"

#include "vmrun/client.h"

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, enter, leave)

extern char directory[64];	    /* the runtime directory */
extern int listener, server;	    /* the socket, and the connection to the client */
extern struct vmrun_client *client; /* connected to "demo" */

/* Setup: makes the control socket of "demo", and connects a client. */
int enter(void **state);
/* Closes the connection, as a vmrun that ends. */
void hang_up(void);
/* Teardown: closes and removes all of it. */
int leave(void **state);
/* Sends bytes to the client. */
void answer(const char *text);
/* Fails unless the client has sent this text. */
void expect_request(const char *text);
/* Fails unless a call returned the status `wanted`, for a reason with this part. */
void expect_error(int status, int wanted, const char *part);
/* Asks without waiting: the answer must have come. */
int ask(const char *request, const char **text);
/* Sends a request that gets this id. */
void send_request(const char *request, uint64_t wanted);

#endif
