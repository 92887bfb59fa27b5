/* A doubly linked list through a head. */
#include "control/ring.h"

#include <stddef.h>

void ring_init(struct ring *head)
{
	head->next = head->prev = head;
	head->owner = NULL;
}

void ring_append(struct ring *head, struct ring *member, void *owner)
{
	ring_remove(member);
	member->owner = owner;
	member->next = head;
	member->prev = head->prev;
	head->prev->next = member;
	head->prev = member;
}

void ring_remove(struct ring *member)
{
	if (member->next == NULL)
		return;
	member->prev->next = member->next;
	member->next->prev = member->prev;
	member->next = member->prev = NULL;
}

void *ring_first(const struct ring *head)
{
	return head->next->owner;
}

void *ring_next(const struct ring *member)
{
	return member->next->owner;
}
