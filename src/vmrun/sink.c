/* Messages to stderr or syslog. */
#include "sink.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/date.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/mask.h"
#include "cli/standard.h"
#include "output.h"

#define MAX_TEXT 8192 /* bytes of a message, with its NUL */

static const struct {
	const char *name;
	int priority;
} levels[] = {
	[LEVEL_ERROR] = { "error", LOG_ERR },
	[LEVEL_WARNING] = { "warning", LOG_WARNING },
	[LEVEL_INFO] = { "info", LOG_INFO },
	[LEVEL_DEBUG] = { "debug", LOG_DEBUG },
};

_Static_assert(sizeof(levels) / sizeof(levels[0]) == LEVELS, "a row for each level");

bool sink_level(const char *name, enum level *out)
{
	for (size_t i = 0; i < LEVELS; i++) {
		if (strcmp(levels[i].name, name) == 0) {
			*out = (enum level)i;
			return true;
		}
	}
	return false;
}

bool sink_has_status_line(const struct sink *s)
{
	return !s->json && !s->syslog && standard_can_rewrite();
}

/* Returns whether stderr is the journal's stream: JOURNAL_STREAM is its device and inode. */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device, inode;
	struct stat st;

	return stream != NULL && sscanf(stream, "%" SCNuMAX ":%" SCNuMAX, &device, &inode) == 2 &&
	    fstat(STDERR_FILENO, &st) == 0 && st.st_dev == (dev_t)device &&
	    st.st_ino == (ino_t)inode;
}

void sink_set_times(struct sink *s, bool always, bool never)
{
	s->times = !never && (always || (isatty(STDERR_FILENO) == 0 && !is_journal()));
}

void sink_open(const struct sink *s)
{
	if (s->syslog)
		openlog("vmrun", LOG_PID, LOG_DAEMON);
}

/*
 * Writes until stderr accepts nothing for OUTPUT_TIMEOUT_MS, so that a stopped reader cannot block
 * vmrun.
 */
static void write_all(struct sink *s, const char *text, size_t n)
{
	while (n > 0) {
		ssize_t done = output_some(STDERR_FILENO, text, n);

		if (done >= 0) {
			s->stuck = false;
			text += done;
			n -= (size_t)done;
		} else if (errno == EAGAIN) {
			s->stuck = s->stuck || !output_ready(STDERR_FILENO, OUTPUT_TIMEOUT_MS);
			if (s->stuck)
				return;
		} else if (errno != EINTR) {
			return;
		}
	}
}

/*
 * Writes one line, with a carriage return if the terminal is in raw mode.  Syslog has its own date.
 */
static void put_line(struct sink *s, enum level level, const char *date, const char *prefix,
    const char *line, size_t length)
{
	STR_AUTO struct str out = { 0 };

	if (s->syslog) {
		syslog(levels[level].priority, "%.*s", (int)length, line);
		return;
	}
	str_add(&out, date);
	if (*date != '\0')
		str_add_char(&out, ' ');
	str_add(&out, prefix);
	str_add_n(&out, line, length);
	str_add(&out, s->console && isatty(STDERR_FILENO) != 0 ? "\r\n" : "\n");
	status_line_hide(&s->status_line);
	write_all(s, out.text, out.length);
	status_line_show(&s->status_line);
}

/* Returns the time of the event that is being written, or the present time. */
static int64_t time_of(const struct sink *s)
{
	struct timespec now;

	if (s->time_ms != 0)
		return s->time_ms;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void put_lines(struct sink *s, enum level level, const char *prefix, const char *text)
{
	char date[DATE_TEXT] = "";
	const char *line = text;

	if (s->times && !s->syslog)
		(void)date_text(time_of(s), date);
	do {
		size_t n = strcspn(line, "\n");

		put_line(s, level, date, prefix, line, n);
		line += n + (line[n] == '\n' ? 1 : 0);
	} while (*line != '\0');
}

static void put_json(struct sink *s, enum level level, char *json)
{
	put_line(s, level, "", "", json, strlen(json));
	free(json);
}

void sink_vsay(struct sink *s, enum level level, const char *fmt, va_list ap)
{
	char text[MAX_TEXT];

	if (level > s->max_level)
		return;
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	if (s->json) {
		put_json(s, level, vmrun_message_json(levels[level].name, NULL, NULL, text));
		return;
	}
	mask_control(text, "\n\t", '?');
	put_lines(s, level, "vmrun: ", text);
}

void sink_say(struct sink *s, enum level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	sink_vsay(s, level, fmt, ap);
	va_end(ap);
}

void sink_lines(struct sink *s, enum level level, const char *text)
{
	if (level <= s->max_level)
		put_lines(s, level, "", text);
}

void sink_text(struct sink *s, const char *text)
{
	write_all(s, text, strlen(text));
}

void sink_event(struct sink *s, enum level level, const struct vmrun_event *event)
{
	if (level <= s->max_level)
		put_json(s, level, vmrun_event_json(event));
}

/* Returns "PLACE: PATH: TEXT" without control characters, which a spec of others may have. */
static char *problem_text(const struct vmrun_problem *p, const char *place)
{
	MEM_AUTO char *head = mem_format("%s%s%s%s", place != NULL ? place : "",
	    place != NULL ? ": " : "", p->path != NULL ? p->path : "", p->path != NULL ? ": " : "");
	MEM_AUTO char *text = mem_copy(p->text);

	mask_control(head, "", '?');
	mask_control(text, "\n\t", '?');
	return mem_format("%s%s", head, text);
}

void sink_problem(struct sink *s, const struct vmrun_problem *p)
{
	MEM_AUTO char *json =
	    vmrun_message_json(levels[LEVEL_ERROR].name, p->place, p->path, p->text);
	MEM_AUTO char *shown = problem_text(p, p->place != NULL ? p->place : "vmrun");
	MEM_AUTO char *logged = problem_text(p, p->place);

	(void)fprintf(stderr, "%s\n", s->json ? json : shown);
	if (s->syslog)
		syslog(LOG_ERR, "%s", s->json ? json : logged);
}
