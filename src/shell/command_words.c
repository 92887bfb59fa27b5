/* Programs that run others. */
#include "shell/command_words.h"

#include <string.h>

#include "base/str.h"

/* A program that runs the command behind its own options and operands. */
struct wrapper {
	const char *name;
	const char *values; /* letters of the options that take a value */
	size_t operands;    /* words between the options and the command */
	bool keeps;	    /* its effect is wanted: it becomes a part of the prefix */
	bool by_option;	    /* an option stands in place of the operand */
	const char *note;   /* what to do instead; NULL: nothing */
};

#define DETACHED                                                                           \
	"left out: vmrun needs no terminal: set \"com1\" to \"console\" in the spec, and " \
	"\"vmrunctl NAME console\" opens the guest's console"
#define RESTARTED                                                                              \
	"vmrun boots again after a reboot of the guest; set \"on\": {\"poweroff\": \"boot\", " \
	"\"error\": \"boot\"} to boot again after a power-off and a failure, too"
#define WATCHED "left out: vmrun runs bhyve without it"
#define LOCKED "left out: vmrun locks the name of its VM"

static const struct wrapper wrappers[] = {
	{ .name = "sudo", .values = "CDghpRrTtUu" },
	{ .name = "doas", .values = "aCu" },
	{ .name = "mdo", .values = "uGgs" },
	{ .name = "pfexec", .values = "P" },
	{ .name = "exec", .values = "a" },
	{ .name = "daemon", .values = "pPtumoslTRC" },
	{ .name = "nohup", .values = "" },
	{ .name = "setsid", .values = "" },
	{ .name = "env", .values = "uPSLUC" },
	{ .name = "command", .values = "" },
	{ .name = "builtin", .values = "" },
	{ .name = "time", .values = "of" },
	{ .name = "truss", .values = "ops", .note = WATCHED },
	{ .name = "ktrace", .values = "fgipt", .note = WATCHED },
	{ .name = "lldb", .values = "kKoOsSfx", .note = WATCHED },
	{ .name = "dtach", .values = "aAcenNpr", .note = DETACHED },
	{ .name = "abduco", .values = "e", .operands = 1, .note = DETACHED },
	{ .name = "screen", .values = "SceghpstTL", .note = DETACHED },
	{ .name = "script", .values = "tT", .operands = 1, .note = DETACHED },
	{ .name = "lockf", .values = "t", .operands = 1, .note = LOCKED },
	{ .name = "flock", .values = "wE", .operands = 1, .note = LOCKED },
	{ .name = "timeout",
	    .values = "ks",
	    .operands = 1,
	    .note = "left out: stop the VM with \"vmrunctl NAME stop\" when its time is over" },
	{ .name = "nice", .values = "n", .keeps = true },
	{ .name = "cpuset", .values = "lnsrpdtjx", .keeps = true },
	{ .name = "setfib", .values = "F", .operands = 1, .keeps = true, .by_option = true },
	{ .name = "rtprio", .values = "", .operands = 1, .keeps = true, .by_option = true },
	{ .name = "idprio", .values = "", .operands = 1, .keeps = true, .by_option = true },
	{ .name = "chrt", .values = "TPD", .operands = 1, .keeps = true },
	{ .name = "taskset", .values = "", .operands = 1, .keeps = true },
	{ .name = "numactl", .values = "CNmilp", .keeps = true },
	{ .name = "ionice", .values = "cn", .keeps = true },
	{ .name = "limits", .values = "CUbcdfklmnopstuvwy", .keeps = true },
	{ .name = "protect", .values = "", .keeps = true },
	{ .name = "proccontrol", .values = "ms", .keeps = true },
	{ .name = "jexec", .values = "uU", .operands = 1, .keeps = true },
	{ .name = "stdbuf", .values = "ioe", .keeps = true },
};

/* Options of wrappers that mean something to vmrun. */
static const struct advice {
	const char *wrapper;
	char letter;
	const char *text;
} advices[] = {
	{ "daemon", 'p', "start vmrun with -p and this file" },
	{ "daemon", 'P', "start vmrun with -P and this file" },
	{ "daemon", 'o', "vmrun prints bhyve's messages; redirect the output of vmrun" },
	{ "daemon", 'r', RESTARTED },
	{ "daemon", 'R', RESTARTED },
	{ "daemon", 'S', "start vmrun with --syslog" },
	{ "daemon", 'u', "start vmrun as this user" },
	{ "sudo", 'u', "start vmrun as this user" },
	{ "doas", 'u', "start vmrun as this user" },
	{ "mdo", 'u', "start vmrun as this user" },
};

/* The long names of options that take a value, or mean something to vmrun. */
static const struct long_option {
	const char *wrapper, *name;
	char letter;
} long_options[] = {
	{ "daemon", "change-dir", 'c' },
	{ "daemon", "child-pidfile", 'p' },
	{ "daemon", "output-file", 'o' },
	{ "daemon", "output-mask", 'm' },
	{ "daemon", "restart", 'r' },
	{ "daemon", "restart-count", 'C' },
	{ "daemon", "restart-delay", 'R' },
	{ "daemon", "supervisor-pidfile", 'P' },
	{ "daemon", "syslog", 'S' },
	{ "daemon", "syslog-facility", 'l' },
	{ "daemon", "syslog-priority", 's' },
	{ "daemon", "syslog-tag", 'T' },
	{ "daemon", "title", 't' },
	{ "daemon", "user", 'u' },
	{ "env", "chdir", 'C' },
	{ "sudo", "chdir", 'D' },
	{ "sudo", "chroot", 'R' },
	{ "sudo", "close-from", 'C' },
	{ "sudo", "command-timeout", 'T' },
	{ "sudo", "group", 'g' },
	{ "sudo", "host", 'h' },
	{ "sudo", "login", 'i' },
	{ "sudo", "other-user", 'U' },
	{ "sudo", "preserve-env", 'E' },
	{ "sudo", "prompt", 'p' },
	{ "sudo", "role", 'r' },
	{ "sudo", "type", 't' },
	{ "sudo", "user", 'u' },
};

/* The words that are read, and the place in them. */
struct walk {
	const struct words *w;
	size_t i;
	struct command_words *out;
	bool has_option;
	bool is_query; /* command -v */
	bool is_kept;  /* sudo -E */
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

static bool is_one_of(const char *word, const char *const *list)
{
	for (; *list != NULL; list++) {
		if (strcmp(word, *list) == 0)
			return true;
	}
	return false;
}

static bool is_number(const char *word)
{
	return *word != '\0' && word[strspn(word, "0123456789")] == '\0';
}

size_t command_prompt(const struct shell_word *word, size_t count)
{
	bool has_host = false;
	/* "[2026-11-30 10:00:01]", which a log has in front. */
	bool is_dated = count > 0 && word[0].length > 1 && *word[0].text == '[' &&
	    strchr("0123456789", word[0].text[1]) != NULL;

	if (count > 0 && *word[0].text == '+' && word[0].length == 1)
		return 1; /* what sh -x prints */
	for (size_t i = 0; i < count && i < 4; i++) {
		const char *text = word[i].text;
		size_t n = word[i].length;

		if (is_dated && text[n - 1] == ']')
			return i + 1;
		has_host = has_host || memchr(text, '@', n) != NULL;
		if (strchr("#$%", text[n - 1]) != NULL && (i == 0 || has_host) &&
		    memchr(text, '=', n) == NULL)
			return i + 1;
	}
	return 0;
}

bool command_is_program(const char *word, const char *name)
{
	return strcmp(base_name(word), name) == 0;
}

bool command_has_dash(const char *word)
{
	/* U+2010 to U+2015, the hyphens and dashes, and U+2212, the minus. */
	return (strncmp(word, "\xe2\x80", 2) == 0 && word[2] >= '\x90' && word[2] <= '\x95') ||
	    strncmp(word, "\xe2\x88\x92", 3) == 0;
}

static void advise(struct walk *k, const char *wrapper, char letter, const char *value)
{
	for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++) {
		if (advices[i].letter == letter && strcmp(advices[i].wrapper, wrapper) == 0)
			words_addf(&k->out->notes, "%s -%c%s%s: %s", wrapper, letter,
			    value == NULL ? "" : " ", value == NULL ? "" : value, advices[i].text);
	}
}

/* Notes what an option of a wrapper changes for its command: the directory, or the variables. */
static void change(struct walk *k, const char *wrapper, char letter, const char *value)
{
	static const struct {
		const char *wrapper;
		char letter;
		const char *path; /* NULL: the value */
	} rows[] = { { "daemon", 'c', "/" }, { "env", 'C', NULL }, { "new-session", 'c', NULL },
		{ "sudo", 'D', NULL }, { "sudo", 'i', "~" } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *path = rows[i].path == NULL ? value : rows[i].path;

		if (path != NULL && letter == rows[i].letter &&
		    strcmp(wrapper, rows[i].wrapper) == 0)
			words_add(&k->out->directories, path);
	}
	if (value != NULL && letter == 'u' && strcmp(wrapper, "env") == 0)
		words_add(&k->out->unset, value);
	k->out->is_clean = k->out->is_clean || (letter == 'i' && strcmp(wrapper, "env") == 0);
	k->is_kept = k->is_kept || (letter == 'E' && strcmp(wrapper, "sudo") == 0);
}

/* Reads an option "--name", "--name value" or "--name=value". */
static void read_long_option(struct walk *k, const struct wrapper *wrapper, const char *name)
{
	size_t n = strcspn(name, "=");

	for (size_t i = 0; i < sizeof(long_options) / sizeof(*long_options); i++) {
		const struct long_option *o = &long_options[i];
		const char *value = name[n] == '=' ? name + n + 1 : NULL;

		if (strcmp(o->wrapper, wrapper->name) != 0 || strlen(o->name) != n ||
		    memcmp(o->name, name, n) != 0)
			continue;
		if (value == NULL && k->i < k->w->count &&
		    strchr(wrapper->values, o->letter) != NULL)
			value = k->w->item[k->i++];
		advise(k, wrapper->name, o->letter, value);
		change(k, wrapper->name, o->letter, value);
		return;
	}
}

/* Reads one word of options, "-dmS", and the value of its last one. */
static void read_options(struct walk *k, const struct wrapper *wrapper)
{
	const char *letter = k->w->item[k->i++] + 1;

	k->has_option = true;
	if (*letter == '-') {
		read_long_option(k, wrapper, letter + 1);
		return;
	}
	for (; *letter != '\0'; letter++) {
		const char *value = NULL;

		k->is_query = k->is_query ||
		    (strcmp(wrapper->name, "command") == 0 && strchr("vV", *letter) != NULL);
		if (strchr(wrapper->values, *letter) != NULL) {
			value = letter[1] != '\0' ? letter + 1 : k->w->item[k->i];
			if (letter[1] == '\0' && value != NULL)
				k->i++;
		}
		advise(k, wrapper->name, *letter, value);
		change(k, wrapper->name, *letter, value);
		if (value != NULL)
			return;
	}
}

/* Returns whether a word is NAME=value. */
static bool is_assignment(const char *word)
{
	size_t n = shell_name_length(word, strlen(word));

	return n > 0 && word[n] == '=';
}

/* Keeps the changes of the environment by env, and by a sudo with NAME=value, as a prefix. */
static void keep_environment(struct walk *k, const char *name, size_t first)
{
	static const char *const others[] = { "sudo", "doas", NULL };
	bool is_env = strcmp(name, "env") == 0;
	WORDS_AUTO struct words kept = { 0 };

	for (size_t i = first + 1; i < k->i && (is_env || is_one_of(name, others)); i++) {
		const char *word = k->w->item[i];

		if (is_env && strcmp(word, "-u") == 0 && i + 1 < k->i)
			words_addf(&kept, "-u%s", k->w->item[++i]);
		else if (is_assignment(word) ||
		    (is_env &&
			(strcmp(word, "-i") == 0 || strcmp(word, "-") == 0 ||
			    strncmp(word, "-u", 2) == 0)))
			words_add(&kept, word);
	}
	if (kept.count > 0)
		words_add(&k->out->prefix, "env");
	words_append(&k->out->prefix, &kept);
	/* sudo and doas take the variables of the shell away. */
	k->out->is_clean =
	    k->out->is_clean || words_have(&kept, "-") || (is_one_of(name, others) && !k->is_kept);
}

/* Walks over a wrapper with its options and operands. */
static void skip_wrapper(struct walk *k, const struct wrapper *wrapper)
{
	const struct words *w = k->w;
	size_t first = k->i++;

	k->has_option = k->is_kept = false;
	while (k->i < w->count) {
		const char *word = w->item[k->i];

		if (strcmp(word, "--") == 0) {
			k->i++;
			break;
		}
		if (*word == '-' && word[1] != '\0')
			read_options(k, wrapper);
		else if (is_assignment(word) || (strcmp(word, "-") == 0))
			k->i++;
		else
			break;
	}
	if (!wrapper->by_option || !k->has_option)
		k->i += wrapper->operands;
	if (k->i > w->count)
		k->i = w->count;
	for (size_t i = first; wrapper->keeps && i < k->i; i++)
		words_add(&k->out->prefix, w->item[i]);
	keep_environment(k, wrapper->name, first);
	if (wrapper->note != NULL)
		words_addf(&k->out->notes, "%s: %s", wrapper->name, wrapper->note);
}

/* Returns whether an option of su begins a login, with the variables of the user alone. */
static bool is_login(const char *word)
{
	return strcmp(word, "-") == 0 || strcmp(word, "--login") == 0 ||
	    (*word == '-' && word[1] != '-' && strchr(word, 'l') != NULL);
}

/* Finds the text that a shell, su or eval runs. */
static bool find_text_word(struct walk *k, const char *name)
{
	static const char *const shells[] = { "sh", "bash", "ksh", "zsh", "dash", "csh", "tcsh",
		"su", NULL };
	const struct words *w = k->w;

	if (strcmp(name, "eval") == 0 && k->i + 1 < w->count) {
		k->out->kind = COMMAND_TEXT;
		k->out->first = k->i + 1;
		k->out->has_joined = true;
		return true;
	}
	if (!is_one_of(name, shells))
		return false;
	for (size_t i = k->i + 1; i + 1 < w->count; i++) {
		const char *word = w->item[i];
		bool is_option = *word == '-' || *word == '+';
		char last = is_option && word[1] != '-' ? word[strlen(word) - 1] : '\0';

		/* The words behind a script are its own; su has a user there. */
		if (strcmp(name, "su") != 0 && !is_option)
			return true;
		if (strcmp(name, "su") == 0 && is_login(word) && !k->out->is_clean) {
			k->out->is_clean = true;
			words_add(&k->out->directories, "~");
		}
		if (*word == '-' && last == 'c') {
			k->out->kind = COMMAND_TEXT;
			k->out->first = i + 1;
			return true;
		}
		if (last == 'o' || last == 'O')
			i++; /* -o pipefail */
	}
	return true;
}

/* Walks over tmux's own words: "tmux new-session -d -s web COMMAND". */
static bool skip_tmux(struct walk *k)
{
	static const char *const commands[] = { "new-session", "new", "new-window", "neww",
		"split-window", "splitw", "respawn-pane", "respawn-window", NULL };
	static const struct wrapper itself = { .name = "tmux", .values = "cfLST" };
	static const struct wrapper command = { .name = "new-session", .values = "ceFnstxylp" };

	skip_wrapper(k, &itself);
	if (k->i >= k->w->count || !is_one_of(k->w->item[k->i], commands))
		return false;
	skip_wrapper(k, &command);
	words_add(&k->out->notes, "tmux: " DETACHED);
	if (k->i + 1 == k->w->count) {
		k->out->kind = COMMAND_TEXT;
		k->out->first = k->i;
		return false;
	}
	return true;
}

/* Walks over gdb, whose option --args stands before the command. */
static bool skip_gdb(struct walk *k)
{
	size_t i = k->i + 1;

	while (i < k->w->count && strcmp(k->w->item[i], "--args") != 0 &&
	    strcmp(k->w->item[i], "-args") != 0)
		i++;
	if (i >= k->w->count)
		return false;
	k->i = i + 1;
	words_add(&k->out->notes, "gdb: " WATCHED);
	return true;
}

static const struct wrapper *find_wrapper(const char *name)
{
	for (size_t i = 0; i < sizeof(wrappers) / sizeof(wrappers[0]); i++) {
		if (strcmp(wrappers[i].name, name) == 0)
			return &wrappers[i];
	}
	return NULL;
}

/*
 * Returns the index of bhyve behind the columns of ps or procstat, which have a pid first or after
 * the user; 0 for another line.
 */
static size_t skip_columns(const struct words *w)
{
	size_t i = 1;

	if (w->count < 2 || (!is_number(w->item[0]) && !is_number(w->item[1])) ||
	    find_wrapper(base_name(w->item[0])) != NULL)
		return 0;
	for (; i < w->count && *w->item[i] != '\0'; i++) {
		const char *name = base_name(w->item[i]);

		if (strcmp(name, "bhyve") == 0 || strcmp(name, "bhyve:") == 0)
			break;
	}
	if (i >= w->count)
		return 0;
	/* procstat -c shows the name of the process before its words. */
	if (i + 1 < w->count && strcmp(w->item[i], "bhyve") == 0 &&
	    strncmp(base_name(w->item[i + 1]), "bhyve", 5) == 0)
		i++;
	return i;
}

/* Returns what a program is, by its name. */
static enum command_kind kind_of(const char *name)
{
	static const char *const loaders[] = { "bhyveload", "grub-bhyve", NULL };

	if (strcmp(name, "bhyve") == 0)
		return COMMAND_BHYVE;
	if (strcmp(name, "bhyve:") == 0)
		return COMMAND_TITLE;
	return is_one_of(name, loaders) ? COMMAND_LOADER : COMMAND_OTHER;
}

void command_words_find(const struct words *w, struct command_words *out)
{
	struct walk k = { .w = w, .out = out };

	*out = (struct command_words){ 0 };
	k.i = skip_columns(w);
	while (k.i < w->count && !k.is_query) {
		const char *name = base_name(w->item[k.i]);
		const struct wrapper *wrapper = find_wrapper(name);

		out->kind = kind_of(name);
		out->first = k.i;
		if (out->kind != COMMAND_OTHER || find_text_word(&k, name))
			return;
		if (strcmp(name, "tmux") == 0) {
			if (!skip_tmux(&k))
				return;
		} else if (strcmp(name, "gdb") == 0) {
			if (!skip_gdb(&k))
				return;
		} else if (wrapper != NULL) {
			skip_wrapper(&k, wrapper);
		} else {
			return;
		}
	}
	out->kind = COMMAND_OTHER;
}

void command_words_free(struct command_words *c)
{
	words_free(&c->prefix);
	words_free(&c->directories);
	words_free(&c->unset);
	words_free(&c->notes);
}
