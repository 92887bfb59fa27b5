/* The requests of vmrun_client_send() whose answers vmrun_client_next() has not lent yet. */
#ifndef CLIENT_SENT_H
#define CLIENT_SENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_SENT 4096 /* beyond it the oldest one is forgotten */

struct sent_request {
	uint64_t id;
	char *answer; /* that came during another call; NULL: none came yet */
};

struct sent {
	struct sent_request *request; /* by age */
	size_t count;
};

/* Adds a request; forgets the oldest one if there are too many. */
void sent_add(struct sent *s, uint64_t id);
/* Removes a request whose answer is lent; returns false if there is none with this id. */
bool sent_remove(struct sent *s, uint64_t id);
/* Keeps the answer to a request; drops the answer if no request has this id. */
void sent_keep(struct sent *s, uint64_t id, char *answer);
/* Removes the oldest request whose answer was kept; returns that answer and its id, or NULL. */
char *sent_take(struct sent *s, uint64_t *id);
/* Frees all requests and answers. */
void sent_clear(struct sent *s);

#endif
