/* The file of UEFI variables. */
#include "ledger/varfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/io.h"

static int copy_bytes(int from, int to)
{
	char buffer[65536];
	ssize_t n;

	while ((n = read(from, buffer, sizeof(buffer))) > 0) {
		if (write_all(to, buffer, (size_t)n) != (size_t)n)
			return -1;
	}
	return n == 0 ? fsync(to) : -1;
}

static int fail(struct error *err, const char *what, const char *path)
{
	return error_set(
	    err, STATUS_CHECK, "varfile: cannot %s %s: %s", what, path, strerror(errno));
}

/* Returns 1 if it made the file, 0 if another process was quicker, -1 on failure. */
static int copy_to_new(int from, const char *path, struct error *err)
{
	MEM_AUTO char *temporary = mem_format("%s.XXXXXX", path);
	int to = mkstemp(temporary), rc = 1;

	if (to < 0)
		return fail(err, "create", path);
	if (copy_bytes(from, to) != 0)
		rc = fail(err, "copy the template to", temporary);
	/* link(), not rename(): a file that appeared meanwhile must not be overwritten. */
	else if (link(temporary, path) != 0)
		rc = errno == EEXIST ? 0 : fail(err, "create", path);
	(void)close(to);
	if (unlink(temporary) != 0 && rc >= 0)
		rc = fail(err, "remove", temporary); /* no later start could know its name */
	return rc;
}

int varfile_make(const char *template, const char *path, struct error *err)
{
	struct stat st;
	int from, rc;

	if (access(path, F_OK) == 0)
		return 0;
	if (errno != ENOENT)
		return fail(err, "find", path);
	if (template == NULL)
		return error_set(err, STATUS_CHECK,
		    "varfile: missing file %s, and no template to create it from: name one in "
		    "\"varfile_template\"",
		    path);
	from = open(template, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* whatever it is */
	if (from < 0)
		return fail(err, "read the template", template);
	if (fstat(from, &st) != 0)
		rc = fail(err, "examine the template", template);
	else if (!S_ISREG(st.st_mode))
		rc = error_set(
		    err, STATUS_CHECK, "varfile: the template %s is not a regular file", template);
	else
		rc = copy_to_new(from, path, err);
	(void)close(from);
	return rc;
}
