/* The command metrics: all VMs in the text format of Prometheus. */
#include <stdio.h>
#include <string.h>

#include "base/json_node.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/str.h"
#include "vmrunctl/ctl.h"

/* A VM and its answer. */
struct subject {
	const char *name, *target, *state; /* target "": unknown */
	struct node *answer;		   /* NULL: none */
	bool is_up;			   /* its hypervisor runs */
};

struct metric {
	const char *name, *type, *help;
	/* Writes the samples of one VM; none where the value is unknown. */
	void (*write)(const struct metric *metric, const struct subject *vm);
	const char *member; /* of the answer */
	double divisor;	    /* of its value */
};

/* Writes a label, with the escapes of the format, and U+FFFD for bytes that are not UTF-8. */
static void write_label(const char *between, const char *name, const char *value)
{
	STR_AUTO struct str text = { 0 };

	str_add_utf8(&text, value);
	(void)printf("%s%s=\"", between, name);
	for (const char *p = text.text; p != NULL && *p != '\0'; p++) {
		if (*p == '\n')
			(void)fputs("\\n", stdout);
		else if (*p == '"' || *p == '\\')
			(void)printf("\\%c", *p);
		else
			(void)putchar(*p);
	}
	(void)putchar('"');
}

/* Writes the name and the VM's label; the caller adds labels, then ends the sample. */
static void begin_sample(const struct metric *metric, const struct subject *vm)
{
	(void)fputs(metric->name, stdout);
	write_label("{", "vm", vm->name);
}

static void end_sample(double value)
{
	STR_AUTO struct str text = { 0 };

	json_add_decimal(&text, NULL, value);
	(void)printf("} %s\n", text.text);
}

static const struct node *member(const struct subject *vm, const char *key)
{
	return vm->answer == NULL ? NULL : node_get(vm->answer, key);
}

static bool is_number(const struct node *n)
{
	return n != NULL && (n->kind == NODE_INT || n->kind == NODE_NUMBER);
}

static double number_of(const struct node *n)
{
	return n->kind == NODE_INT ? (double)n->integer : n->number;
}

static void write_up(const struct metric *metric, const struct subject *vm)
{
	begin_sample(metric, vm);
	write_label(",", "target", vm->target);
	write_label(",", "state", vm->state);
	end_sample(vm->is_up ? 1 : 0);
}

static void write_ready(const struct metric *metric, const struct subject *vm)
{
	const struct node *ready = member(vm, metric->member);

	if (ready == NULL || ready->kind != NODE_BOOL)
		return;
	begin_sample(metric, vm);
	end_sample(ready->truth ? 1 : 0);
}

static void write_number(const struct metric *metric, const struct subject *vm)
{
	const struct node *value = member(vm, metric->member);

	if (!is_number(value))
		return;
	begin_sample(metric, vm);
	end_sample(number_of(value) / metric->divisor);
}

static void write_exits(const struct metric *metric, const struct subject *vm)
{
	const struct node *exits = member(vm, metric->member);

	for (const struct node *n = exits == NULL ? NULL : exits->first; n != NULL; n = n->next) {
		if (n->key == NULL || !is_number(n))
			continue;
		begin_sample(metric, vm);
		write_label(",", "cause", n->key);
		end_sample(number_of(n));
	}
}

/* clang-format off */
static const struct metric metrics[] = {
	{ "vmrun_up", "gauge", "1 while a hypervisor runs, else 0.", write_up, NULL, 1 },
	{ "vmrun_ready", "gauge", "1 once the guest is ready, as its spec defines it, else 0.", write_ready, "ready", 1 },
	{ "vmrun_boots_total", "counter", "Boots since vmrun started.", write_number, "boots", 1 },
	{ "vmrun_exits_total", "counter", "Ends of boots since vmrun started, by cause.", write_exits, "exits", 1 },
	{ "vmrun_uptime_seconds", "gauge", "Time since the hypervisor started, 0 while none runs.", write_number, "uptime_ms", 1000 },
	{ "vmrun_last_exit_timestamp_seconds", "gauge", "Time of the last end of a boot, in seconds since 1970.", write_number, "last_exit_time", 1 },
};
/* clang-format on */

#define METRICS (sizeof(metrics) / sizeof(metrics[0]))

/* Writes the families in turn, because the samples of one must stand together. */
static void show_text(const struct subject *vm, size_t count)
{
	for (size_t i = 0; i < METRICS; i++) {
		(void)printf("# HELP %s %s\n# TYPE %s %s\n", metrics[i].name, metrics[i].help,
		    metrics[i].name, metrics[i].type);
		for (size_t j = 0; j < count; j++)
			metrics[i].write(&metrics[i], &vm[j]);
	}
}

/* Adds a number of the answer, or null. */
static void add_number(
    struct str *json, const char *key, const struct subject *vm, const char *from, double divisor)
{
	const struct node *n = member(vm, from);

	if (is_number(n))
		json_add_decimal(json, key, number_of(n) / divisor);
	else
		json_add_null(json, key);
}

static void add_exits(struct str *json, const struct node *exits)
{
	json_begin_object(json, "exits");
	for (const struct node *n = exits == NULL ? NULL : exits->first; n != NULL; n = n->next) {
		if (n->key != NULL && is_number(n))
			json_add_decimal(json, n->key, number_of(n));
	}
	json_end_object(json);
}

static void add_vm(struct str *json, const struct subject *vm)
{
	const struct node *ready = member(vm, "ready");

	json_begin_object(json, NULL);
	json_add_text(json, "vm", vm->name);
	json_add_text(json, "target", *vm->target == '\0' ? NULL : vm->target);
	json_add_text(json, "state", vm->state);
	json_add_bool(json, "up", vm->is_up);
	if (ready != NULL && ready->kind == NODE_BOOL)
		json_add_bool(json, "ready", ready->truth);
	else
		json_add_null(json, "ready");
	add_number(json, "boots", vm, "boots", 1);
	add_exits(json, member(vm, "exits"));
	add_number(json, "uptime_seconds", vm, "uptime_ms", 1000);
	add_number(json, "last_exit_timestamp_seconds", vm, "last_exit_time", 1);
	json_end_object(json);
}

static void show_json(const struct subject *vm, size_t count)
{
	(void)fputs("[", stdout);
	for (size_t i = 0; i < count; i++) {
		STR_AUTO struct str json = { 0 };

		add_vm(&json, &vm[i]);
		(void)printf("%s%s", i == 0 ? "" : ",\n ", json.text);
	}
	(void)puts("]");
}

/* Returns whether the hypervisor of a vmrun that died still runs. */
static bool has_survivor(const struct ctl *ctl, const char *vm)
{
	CLIENT_AUTO struct vmrun_client *client = NULL;
	bool is_vmrun;

	return vmrun_client_open(&client, ctl->run_dir, vm, 0) == VMRUN_CLIENT_NOT_RUNNING &&
	    vmrun_client_survivor(client, &is_vmrun) > 0 && !is_vmrun;
}

/* Fills in a VM. */
static void read_vm(const struct ctl *ctl, struct subject *out, const struct vmrun_listed *vm)
{
	const char *target;

	*out = (struct subject){ .name = vm->name, .target = "", .state = vm->state };
	out->answer = vm->status == NULL ? NULL : json_node(vm->status);
	target = out->answer == NULL ? NULL : node_get_text(out->answer, "target");
	if (target != NULL)
		out->target = target;
	out->is_up = is_number(member(out, "pid")) ||
	    (strcmp(vm->state, "dead") == 0 && has_survivor(ctl, vm->name));
}

/* Writes the metrics of the VMs. */
static void show(const struct ctl *ctl, const struct vmrun_list *list)
{
	size_t count = vmrun_list_count(list);
	MEM_AUTO struct subject *subject = mem_zero((count + 1) * sizeof(*subject));

	for (size_t i = 0; i < count; i++)
		read_vm(ctl, &subject[i], vmrun_list_get(list, i));
	if (ctl->json)
		show_json(subject, count);
	else
		show_text(subject, count);
	for (size_t i = 0; i < count; i++)
		node_free(subject[i].answer);
}

int ctl_metrics(const struct ctl *ctl)
{
	int status;
	struct vmrun_list *list = ctl_list_all(ctl, &status);

	if (status == STATUS_OK)
		show(ctl, list);
	vmrun_list_free(list);
	return status;
}
