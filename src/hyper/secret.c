/* The file through which a hypervisor gets a password, so that no command line has it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "device/fbuf.h"
#include "hyper/bhyve_words.h"
#include "hyper/hyper.h"

#define EXPECTED ": expected a password of 1 to " NUMBER_TEXT(MAX_FBUF_PASSWORD) " bytes"

char *hyper_secret_path(const struct plan_request *request)
{
	return mem_format("%s/" PLAN_FILE_SECRET, request->directory);
}

/* Returns a line of the file for a secret, as the hypervisor reads it.  Caller frees. */
static char *line_of(const char *key, const char *password)
{
	MEM_AUTO char *escaped = NULL;

	if (key == NULL)
		return mem_copy(password);
	escaped = bhyve_escape(password);
	return mem_format("%s=%s\n", key, escaped);
}

void hyper_plan_secret(const struct plan_request *request, const struct device_secret *secret,
    const char *key, struct plan *plan)
{
	plan->secret_path = hyper_secret_path(request);
	if (request->dry)
		return;
	if (secret->file == NULL) {
		plan->secret = line_of(key, secret->text);
		return;
	}
	plan->secret_file = mem_copy(secret->file);
	plan->secret_key = key == NULL ? NULL : mem_copy(key);
}

/* Reads up to n bytes from the begin of a file.  Returns their number, or -1 with errno. */
static ssize_t read_begin(const char *path, char *bytes, size_t n)
{
	/* A FIFO without a writer is an empty file. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), why;
	ssize_t length = fd < 0 ? -1 : read(fd, bytes, n);

	why = errno;
	if (fd >= 0)
		(void)close(fd);
	errno = why;
	return length;
}

/*
 * Reads the password in the first line of a file.  Returns NULL, or why there is none: static text
 * or that of strerror(3).
 */
static const char *read_password(const char *path, char password[MAX_FBUF_PASSWORD + 1])
{
	char bytes[MAX_FBUF_PASSWORD + sizeof("\r\n") - 1];
	ssize_t length = read_begin(path, bytes, sizeof(bytes));
	size_t n = length < 0 ? 0 : (size_t)length;
	const char *end = memchr(bytes, '\n', n);

	if (length < 0)
		return strerror(errno);
	if (end != NULL)
		n = (size_t)(end - bytes);
	if (n > 0 && bytes[n - 1] == '\r')
		n--;
	if (n == 0)
		return "its first line is empty" EXPECTED;
	if (n > MAX_FBUF_PASSWORD)
		return "its first line is too long" EXPECTED;
	/* The hypervisor would read the password up to there. */
	if (memchr(bytes, '\0', n) != NULL || memchr(bytes, '\r', n) != NULL)
		return "its first line has a NUL byte or a carriage return" EXPECTED
		       " without either";
	memcpy(password, bytes, n);
	password[n] = '\0';
	return NULL;
}

const char *hyper_password_fault(const char *path)
{
	char password[MAX_FBUF_PASSWORD + 1];

	return read_password(path, password);
}

char *hyper_secret_text(const struct plan *plan, struct error *err)
{
	char password[MAX_FBUF_PASSWORD + 1];
	const char *why;

	if (plan->secret_file == NULL)
		return mem_copy(plan->secret);
	why = read_password(plan->secret_file, password);
	if (why == NULL)
		return line_of(plan->secret_key, password);
	(void)error_set(err, STATUS_CHECK, "password_file: %s: %s", plan->secret_file, why);
	return NULL;
}
