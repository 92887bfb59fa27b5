/*
 * The floor of a list: asks each VM of a run-dir for its state, all of them before the first
 *answer.
 *
 *	ask RUN-DIR
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { MAX_VMS = 1000 };

/* Returns the connection on which the answer will come, or -1. */
static int ask(const char *run_dir, const char *name)
{
	static const char request[] = "{\"id\":1,\"cmd\":\"status\"}\n";
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(
	    address.sun_path, sizeof(address.sun_path), "%.60s/%.30s/control", run_dir, name);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    write(fd, request, sizeof(request) - 1) > 0)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static int read_answer(int fd)
{
	char answer[16384];
	ssize_t n;

	do
		n = read(fd, answer, sizeof(answer));
	while (n > 0 && memchr(answer, '\n', (size_t)n) == NULL);
	return n > 0;
}

int main(int argc, char **argv)
{
	DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
	struct dirent *entry;
	int asked[MAX_VMS], n = 0, answers = 0, i;

	if (dir == NULL)
		return 64;
	while (n < MAX_VMS && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.' && (asked[n] = ask(argv[1], entry->d_name)) >= 0)
			n++;
	(void)closedir(dir);
	for (i = 0; i < n; i++)
		answers += read_answer(asked[i]);
	return n > 0 && answers == n ? 0 : 69;
}
