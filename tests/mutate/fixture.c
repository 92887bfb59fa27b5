/* What the mutants of a small program are, and which survive its main(): test_sites.py,
 * fixture.txt. */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define LIMIT(x) ((x) < 3 ? (x) : 3)

static const int step[] = { 1, 2 };
static int calls;

static void call(void)
{
	calls++;
}

static bool is_set(const char *text)
{
	return text != NULL && *text != '\0';
}

/* main() asks neither for a text of two letters nor for the status of an empty one. */
static int count(const char *text, int *out)
{
	enum { FIRST = 1 };

	if (!is_set(text))
		return -1;
	*out = LIMIT((int)strlen(text));
	if (*out < 3)
		*out += step[0];
	else
		call();
	switch (*out) {
	case FIRST + 1:
		(void)strlen("a ) b");
		break;
	default:
		calls = 0;
	}
	return 0;
}

int main(void)
{
	int n;

	if (count("a", &n) != 0 || n != 2)
		return 1;
	if (count("abcd", &n) != 0 || n != 3)
		return 1;
	return 0;
}
