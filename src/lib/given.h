/* Texts that the functions of libvmrun give to their caller. */
#ifndef LIB_GIVEN_H
#define LIB_GIVEN_H

#include <stdlib.h>

/* Gives a text to the caller, or frees it if `out` is NULL. */
static inline void give_text(char **out, char *text)
{
	if (out != NULL)
		*out = text;
	else
		free(text);
}

#endif
