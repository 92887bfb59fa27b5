/* A list whose members know their places: adding and removing take the same time at any length. */
#ifndef CONTROL_RING_H
#define CONTROL_RING_H

/* The head of a list, or a member of at most one list. A zeroed member is in no list. */
struct ring {
	struct ring *next, *prev;
	void *owner; /* of a member; NULL for a head */
};

void ring_init(struct ring *head);
/* Adds a member at the end, after removing it from the list that it was in. */
void ring_append(struct ring *head, struct ring *member, void *owner);
/* Does nothing for a member that is in no list. */
void ring_remove(struct ring *member);
/* Returns the owner of the first member, or NULL for an empty list. */
void *ring_first(const struct ring *head);
/* Returns the owner of the member after this one, or NULL at the end. */
void *ring_next(const struct ring *member);

#endif
