/* fakebhyve behaves as bhyve(8) does for a supervisor.  README.md describes its environment. */
#include "program.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BAD_ENVIRONMENT = 70 };

static void write_json(FILE *to, const char *text)
{
	const unsigned char *c;

	fputc('"', to);
	for (c = (const unsigned char *)text; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\')
			fprintf(to, "\\%c", *c);
		else if (*c < 0x20)
			fprintf(to, "\\u%04x", *c);
		else
			fputc(*c, to);
	}
	fputc('"', to);
}

/* Logs a start with one write, so that the lines of several VMs do not mix in the file. */
static void log_start(int argc, char **argv)
{
	const char *path = getenv("FAKEBHYVE_LOG");
	char *line = NULL;
	size_t length = 0;
	FILE *to;
	int fd, i;

	if (path == NULL || (to = open_memstream(&line, &length)) == NULL)
		return;
	fprintf(to, "{\"pid\":%ld,\"argv\":[", (long)getpid());
	for (i = 0; i < argc; i++) {
		if (i > 0)
			fputc(',', to);
		write_json(to, argv[i]);
	}
	fputs("]}\n", to);
	fd = fclose(to) == 0 ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;
	if (fd < 0 || write(fd, line, length) != (ssize_t)length)
		perror(path);
	if (fd >= 0)
		(void)close(fd);
	free(line);
}

static void dump_to_file(const struct fake_tree *tree)
{
	const char *path = getenv("FAKEBHYVE_DUMP");
	FILE *to = path == NULL ? NULL : fopen(path, "w");

	if (to != NULL) {
		fake_tree_dump(tree, to);
		(void)fclose(to);
	} else if (path != NULL) {
		perror(path);
	}
}

/* Ends with the status and the text of the core. */
static void refuse(int status, const char *message)
{
	if (status == FAKE_DONE)
		exit(0);
	if (message[0] != '\0')
		fprintf(stderr, "bhyve: %s\n", message);
	if (status > FAKE_SIGNAL(0))
		die_of(status - FAKE_SIGNAL(0));
	exit(status);
}

static void parse_only(int argc, char **argv)
{
	char message[4096] = "";
	struct fake_tree tree;
	int status;

	fake_tree_init(&tree);
	status = fake_parse(argc, argv, &tree, message, sizeof(message));
	if (status == 0)
		dump_to_file(&tree);
	fake_tree_fini(&tree);
	if (status != 0)
		refuse(status, message);
	exit(0);
}

int main(int argc, char **argv)
{
	static struct guest guest;
	static struct fake_host host;
	static struct fake_tree tree;
	char message[4096] = "";
	const char *why = "";
	int status;

	log_start(argc, argv);
	if (!fake_host_from_env(&host, &why)) {
		fprintf(stderr, "fakebhyve: %s\n", why);
		return BAD_ENVIRONMENT;
	}
	if (getenv("FAKEBHYVE_PARSE") != NULL)
		parse_only(argc, argv);
	host.out = stdout;
	host.err = stderr;
	guest.host = &host;
	guest.tree = &tree;
	fake_tree_init(&tree);
	fake_machine_init(&guest.machine);
	loop_init(&guest);
	status = fake_options(&host, argc, argv, &tree, message, sizeof(message));
	if (status == 0) {
		dump_to_file(&tree);
		status = fake_start(&host, &tree, &guest.machine, message, sizeof(message));
	}
	if (status != 0)
		refuse(status, message);
	run_script(&guest);
}
