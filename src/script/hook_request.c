/* Hook requests: commands and sleeps of scripts. */
#include "script/hook_request.h"

#include "base/mem.h"
#include "platform/clock.h"

#define MAX_EXEC_OUTPUT ((size_t)4 << 20) /* bytes of stdout */

static int64_t milliseconds(const struct node *seconds)
{
	if (seconds == NULL)
		return 0;
	return seconds->kind == NODE_INT ? seconds->integer * 1000
					 : (int64_t)(seconds->number * 1000);
}

int64_t hook_request_timeout_ms(const struct node *request)
{
	return milliseconds(node_get(request, "timeout"));
}

bool hook_request_is_sleep(const struct node *request, int64_t *ms)
{
	const struct node *sleep = node_get(request, "sleep");

	*ms = milliseconds(sleep);
	return sleep != NULL;
}

static void add_words(const struct node *list, struct words *words)
{
	for (const struct node *n = list == NULL ? NULL : list->first; n != NULL; n = n->next)
		words_add(words, n->text);
}

void hook_request_command(
    const struct node *request, struct words *argv, struct words *environment, struct command *what)
{
	const struct node *input = node_get(request, "stdin");

	add_words(node_get(request, "exec"), argv);
	add_words(node_get(request, "env"), environment);
	*what = (struct command){ .argv = argv->item,
		.directory = node_get_text(request, "cwd"),
		.environment = environment->item,
		.limit_ms = milliseconds(node_get(request, "timeout")),
		.max_output = MAX_EXEC_OUTPUT };
	if (input != NULL) {
		what->input = input->text;
		what->input_length = input->length;
	}
}

struct node *hook_request_refusal(const char *message)
{
	struct node *answer = node_new(NODE_OBJECT);

	node_put(answer, "message", node_string(message));
	return answer;
}

struct node *hook_request_answer(const struct command *what, const struct command_result *result)
{
	int signal = result->end.signal;
	struct node *answer;

	if (result->fate != COMMAND_ENDED) {
		MEM_AUTO char *trouble = command_trouble(what, result);

		return hook_request_refusal(trouble);
	}
	answer = node_new(NODE_OBJECT);
	/* The status is what a shell would report. */
	node_put(answer, "status",
	    node_int(signal != 0 ? STATUS_SIGNAL_BASE + signal : result->end.status));
	node_put(answer, "stdout", node_string_n(result->out, result->out_length));
	node_put(answer, "stderr", node_string_n(result->err, result->err_length));
	return answer;
}

struct node *hook_request_dry_answer(int status)
{
	struct node *answer = node_new(NODE_OBJECT);

	node_put(answer, "status", node_int(status));
	node_put(answer, "stdout", node_string(""));
	node_put(answer, "stderr", node_string(""));
	return answer;
}

char *hook_request_dry_text(const struct words *argv)
{
	MEM_AUTO char *line = words_shell_line(argv);

	return mem_format("not run: %s", line);
}

static struct node *run_command(const struct command *what)
{
	ERROR_AUTO struct error err = { 0 };
	COMMAND_RESULT_AUTO struct command_result result = { 0 };

	if (command_run(what, &result, &err) != 0)
		return hook_request_refusal(err.text);
	return hook_request_answer(what, &result);
}

struct node *hook_request_serve(const struct node *request)
{
	WORDS_AUTO struct words argv = { 0 }, environment = { 0 };
	struct command what;
	int64_t ms;

	if (hook_request_is_sleep(request, &ms)) {
		clock_sleep(ms);
		return NULL;
	}
	if (node_get(request, "exec") == NULL || node_get(request, "background") != NULL)
		return hook_request_refusal("no VM is running yet");
	hook_request_command(request, &argv, &environment, &what);
	return run_command(&what);
}
