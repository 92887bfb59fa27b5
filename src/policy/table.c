/* Writes a policy as a table. */
#include "policy/table.h"

#include <string.h>

#include "base/mem.h"
#include "base/node.h"
#include "base/str.h"
#include "base/words.h"
#include "policy/forecast.h"

#define MAX_TABLE_WIDTH 80
#define COLUMN_GAP 2

/* The cells of one target below its name; each row is named by the first column. */
struct column {
	struct words cause, cell;
	size_t width;
};

/* Returns "rescue in 5 s (on.error)" or "stops (default)".  Caller frees. */
static char *cell_text(const struct decision *d)
{
	MEM_AUTO char *delay =
	    d->delay_ms > 0 ? mem_format(" in %g s", (double)d->delay_ms / 1000) : mem_copy("");

	if (d->boot)
		return mem_format("boots %s%s (%s)", d->target, delay, d->by);
	return mem_format("%s (%s)", d->wait ? "waits for a reset" : "stops", d->by);
}

static char *cause_text_of(const struct forecast_row *row)
{
	return row->status < 0 ? mem_copy(cause_name(row->cause))
			       : mem_format("%s %d", cause_name(row->cause), row->status);
}

static void make_column(const struct graph *g, size_t i, struct column *column)
{
	FORECAST_AUTO struct forecast f;

	forecast_make(g->options, g->target[i].spec, g->target[i].name, &f);
	column->width = strlen(g->target[i].name);
	for (size_t k = 0; k < f.count; k++) {
		MEM_AUTO char *cause = cause_text_of(&f.item[k]);
		MEM_AUTO char *cell = cell_text(&f.item[k].decision);

		words_add(&column->cause, cause);
		words_add(&column->cell, cell);
		if (strlen(cell) > column->width)
			column->width = strlen(cell);
	}
}

/* Lends the cell of a row, or "-" for a cause that a boot of this target cannot end with. */
static const char *cell_of(const struct column *column, const char *cause)
{
	for (size_t i = 0; i < column->cause.count; i++) {
		if (strcmp(column->cause.item[i], cause) == 0)
			return column->cell.item[i];
	}
	if (str_after(cause, "error ") != NULL) /* this target treats the status like any error */
		return cell_of(column, "error");
	return "-";
}

/* Returns whether a row comes before another one: by cause, then by status. */
static bool is_before(const char *a, const char *b)
{
	enum cause x = CAUSE_ERROR, y = CAUSE_ERROR;

	(void)cause_find(a, &x);
	(void)cause_find(b, &y);
	if (x != y)
		return x < y;
	return strlen(a) != strlen(b) ? strlen(a) < strlen(b) : strcmp(a, b) < 0;
}

/* Adds the causes of a column to the rows, in the order of the causes. */
static void add_causes(const struct words *causes, struct words *rows)
{
	for (size_t i = 0; i < causes->count; i++) {
		size_t at;

		if (words_have(rows, causes->item[i]))
			continue;
		words_add(rows, causes->item[i]);
		for (at = rows->count - 1; at > 0; at--) {
			char *above = rows->item[at - 1];

			if (is_before(above, rows->item[at]))
				break;
			rows->item[at - 1] = rows->item[at];
			rows->item[at] = above;
		}
	}
}

/* Adds a text, padded unless it ends the line. */
static void add_cell(struct str *s, const char *text, size_t width, bool last)
{
	str_addf(s, "%-*s", last ? 0 : (int)(width + COLUMN_GAP), text);
}

/* Adds the columns from `first` up to `end` side by side. */
static void add_block(
    const struct graph *g, const struct column *columns, size_t first, size_t end, struct str *s)
{
	WORDS_AUTO struct words rows = { 0 };
	size_t width = 0;

	for (size_t i = first; i < end; i++)
		add_causes(&columns[i].cause, &rows);
	for (size_t k = 0; k < rows.count; k++)
		width = strlen(rows.item[k]) > width ? strlen(rows.item[k]) : width;
	add_cell(s, "", width, false);
	for (size_t i = first; i < end; i++)
		add_cell(s, g->target[i].name, columns[i].width, i + 1 == end);
	str_add(s, "\n");
	for (size_t k = 0; k < rows.count; k++) {
		add_cell(s, rows.item[k], width, false);
		for (size_t i = first; i < end; i++)
			add_cell(
			    s, cell_of(&columns[i], rows.item[k]), columns[i].width, i + 1 == end);
		str_add(s, "\n");
	}
}

/* Returns the end of the block that begins with the column `first`. */
static size_t block_end(const struct column *columns, size_t count, size_t first)
{
	size_t width = strlen("loader_failed"), end = first;

	while (end < count) {
		width += COLUMN_GAP + columns[end].width;
		if (end > first && width > MAX_TABLE_WIDTH)
			break;
		end++;
	}
	return end;
}

/* Adds where a hook of the target may lead. */
static void add_lead(const struct node *lead, struct str *s)
{
	const char *from = node_get_text(lead, "from"), *cause = node_get_text(lead, "cause");
	const char *target = node_get_text(lead, "target");

	str_addf(s, "  %s may boot %s", node_get_text(lead, "by"),
	    target != NULL ? target : "the same target");
	if (cause != NULL)
		str_addf(s, " after %s", cause);
	if (from != NULL)
		str_addf(s, " of %s", from);
	str_add(s, "\n");
}

/* Adds what the cells leave out: the limit, and the hooks that are asked first. */
static void add_remarks(const struct graph *g, const struct graph_target *t, struct str *s)
{
	const struct restart_limit *limit = &t->spec->restart_limit;

	if (limit->off)
		str_addf(s, "%s: no restart_limit\n", t->name);
	else if (!g->options->no_reboot) /* without another boot it limits nothing */
		str_addf(s, "%s: given_up after more than %lld boot%s within %g s\n", t->name,
		    (long long)limit->count, limit->count == 1 ? "" : "s",
		    (double)limit->within_ms / 1000);
	if (t->has_hooks)
		str_addf(s, "%s: on_exit hooks are asked first\n", t->name);
	for (const struct node *n = t->leads == NULL ? NULL : t->leads->first; n != NULL;
	     n = n->next)
		add_lead(n, s);
}

char *policy_table(const struct graph *g)
{
	MEM_AUTO struct column *columns = mem_zero(g->count * sizeof(*columns));
	struct str s = { 0 };

	for (size_t i = 0; i < g->count; i++)
		make_column(g, i, &columns[i]);
	for (size_t i = 0; i < g->count;) {
		size_t end = block_end(columns, g->count, i);

		add_block(g, columns, i, end, &s);
		str_add(&s, "\n");
		i = end;
	}
	for (size_t i = 0; i < g->count; i++) {
		add_remarks(g, &g->target[i], &s);
		words_free(&columns[i].cause);
		words_free(&columns[i].cell);
	}
	return str_take(&s);
}
