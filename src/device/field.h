/*
 * Field descriptors.  One row has everything about one key of the spec or of a device; the decoder,
 * the printer, the lists of keys and the tests walk the rows.
 */
#ifndef DEVICE_FIELD_H
#define DEVICE_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/node.h"
#include "base/pairs.h"
#include "base/report.h"
#include "base/str.h"
#include "base/where.h"
#include "base/words.h"

/* State of decoding one document. */
struct decoder {
	struct report *report;
	const char *directory; /* absolute; where relative paths start */
	bool of_ucl;	       /* numbers may be UCL's reading of a suffix: 512000000 for 512M */
	struct words *notes;   /* remarks about accepted values; may be NULL */
};

enum field_type {
	FIELD_STRING,	 /* char *: not empty, no NUL */
	FIELD_PATH,	 /* char *: made absolute */
	FIELD_BOOL,	 /* bool */
	FIELD_INT,	 /* int64_t between min and max */
	FIELD_CHOICE,	 /* int: index into choices */
	FIELD_WORDS,	 /* struct words: a list of strings, or one string */
	FIELD_MAP,	 /* struct pairs: an object of strings */
	FIELD_OBJECT,	 /* a struct described by rows of its own */
	FIELD_LIST,	 /* struct field_list: a list of such structs */
	FIELD_HOOK,	 /* bool: the document has a Lua function, which stays in Lua */
	FIELD_CUSTOM,	 /* any type; its struct field_custom reads and prints it */
	FIELD_ELSEWHERE, /* handled where the document is merged; known here, not decoded */
};

/* What a value names on the host; vmrun --sandbox checks it for every row. */
enum host_kind {
	HOST_UNSAID,	/* not stated: the sandbox refuses text, and a test fails */
	HOST_NONE,	/* names nothing on the host */
	HOST_ROWS,	/* stated by the rows below */
	HOST_FORBIDDEN, /* runs a command, or passes on unchecked text: see `reaches` */
	HOST_PATH,	/* a file, directory or device */
	HOST_SHARE,	/* a directory that the guest may write to */
	HOST_FIRMWARE,	/* a file that is only read; may be installed firmware */
	HOST_SCRIPT,	/* a Lua file, below the spec's directory only */
	HOST_INTERFACE, /* a network interface, switch or netgraph node */
	HOST_PCI,	/* a PCI device: "3/0/0" or "ppt0" */
	HOST_ADDRESS,	/* "ADDR:PORT" or "[V6]:PORT" */
	HOST_BY_VALUE,	/* `names` decides by the value */
	HOST_INVALID,	/* reported by `names` only: the sandbox cannot judge the value */
};

struct host_visit;

struct host_use {
	enum host_kind kind;
	union {
		const char *reaches; /* HOST_FORBIDDEN: "runs a command of the host" */
		/*
		 * HOST_BY_VALUE: calls host_found() for each thing that the value names.  `value`
		 * points at the row's member inside its struct, whether the key is given or not.
		 */
		void (*names)(const void *value, const struct where *at, struct host_visit *visit);
	};
};

/* A kind of value that no plain type describes: how it is read and printed, and its type. */
struct field_custom {
	void (*parse)(
	    const struct node *value, void *into, const struct where *at, struct decoder *d);
	void (*print)(const void *from, struct str *json); /* "null" for unset */
	void (*clear)(void *what);			   /* NULL: the value owns nothing */
	const char *type; /* for users, in LuaLS syntax: "integer|string" */
	bool is_list;	  /* the value is a list: in UCL, one entry stands without brackets */
	/*
	 * Its JSON Schema: a string of the pattern or, if that is NULL, the members that the
	 * function adds to the open object (device/value_schema.h).
	 */
	const char *pattern;
	void (*schema)(struct str *s);
	/*
	 * The value may also be an object of these rows, which merges key by key; type and schema
	 * describe its other forms.  Offsets count from the start of the value.
	 */
	const struct field *rows;
	/* The keys of the object of which it has exactly one, NULL-terminated; or NULL. */
	const char *const *one_of;
	struct host_use host; /* for rows that do not state their own */
};

struct field_list {
	void *item; /* owned */
	size_t count;
};

struct field_others;

/* Words for field.bhyve and field.qemu. */
#define KEY_IGNORED "ignored"
#define KEY_REFUSED "refused"
#define KEY_FOLLOWED "yes" /* how tables write NULL */

/*
 * The program is loaded at another address at each start, and then each process writes the pointers
 * of its some 350 rows anew: the members are as small as their values, so that few pages are
 * written.
 */
struct field {
	const char *key; /* NULL ends a table of rows */
	enum field_type type : 8;
	uint16_t offset;
	bool required : 1;
	bool hidden : 1;   /* not printed, because what is made from it is */
	bool quiet : 1;	   /* FIELD_BOOL: printed only if true */
	bool one_line : 1; /* a string without a line end */
	bool secret : 1;   /* a string that no message quotes */
	bool has_range : 1;
	int16_t unset;	       /* see `preset` */
	uint16_t size;	       /* of one entry of FIELD_LIST */
	uint16_t initial_size; /* see `initial` */
	uint16_t max_length;   /* bytes of a string; 0: no limit */
	int64_t min, max;      /* with has_range: of FIELD_INT, or entries of FIELD_LIST */
	const char *alias;     /* another name for the key, or NULL */
	union {
		const char *const *choices; /* FIELD_CHOICE, NULL-terminated */
		const char *signature; /* FIELD_HOOK: "fun(boot: vmrun.Boot)", in LuaLS syntax */
		/*
		 * FIELD_OBJECT: returns why a key without a row is invalid (caller frees), or NULL
		 * if it is merely unknown.  NULL: it always is.
		 */
		char *(*explain_unknown)(const char *key);
	};
	const struct field *rows;	   /* FIELD_OBJECT, FIELD_LIST */
	const struct field_others *others; /* FIELD_OBJECT: keys beside the rows, or NULL */
	const struct field_custom *custom;
	/*
	 * The value of a key that is not given, as JSON.  NULL: the member holds `initial` then, or
	 * is zeroed, or holds `unset` if it is an int64_t for which 0 is a value.
	 */
	const char *preset;
	/* The same as a value, for one that owns nothing and whose JSON is long. */
	const void *initial;
	struct host_use host; /* stated by each row that holds text, or by its custom */
	/*
	 * What a hypervisor makes of a key that it does not follow as `help` says, in few words:
	 * KEY_IGNORED, KEY_REFUSED, "raw only".  NULL: it follows the key.
	 */
	const char *bhyve, *qemu;
	/*
	 * How an import reads the key of a device: the variable of bhyve_config(5) below the node
	 * of the device that has the value.  NULL: the one that is named like the key.  "": none,
	 * or device_kind.read() reads the key.  A list is read from VARIABLE.0, VARIABLE.1, ...
	 */
	const char *variable;
	/* Returns the key's part of the variable's value, or NULL.  NULL: the key has all of it. */
	struct node *(*read)(const char *value);
	const char *missing; /* the value of the key where the variable is missing, as JSON */
	const char *help;
};

/*
 * The keys of an object that have no row of their own, such as numbers: each is an entry of a list.
 * An entry is a struct that begins with its key, a char *.
 */
struct field_others {
	bool (*takes)(const char *key);
	const char *pattern;	 /* of the keys, for the schema */
	size_t offset;		 /* of a struct field_list within the object's struct */
	const struct field *row; /* of the value; its offset counts from the start of an entry */
	size_t size;		 /* of an entry */
};

/*
 * Ties a table of rows, or a custom, to the type of the value that it describes: the macros below
 * compare that type with the member's, and a row that does not fit does not compile.
 */
#define DESCRIBES(name, type) typedef type name##_value

/* The offset of a member, which must have exactly this type. */
#define FIELD_OFFSET(owner, member, type) \
	(offsetof(owner, member) + _Generic(&((owner *)0)->member, type * : 0))

/* Lends a table of rows that describes the same type as `name`. */
#define ROWS_FOR(name, table) _Generic((name##_value *)0, table##_value * : (table))

/* A constant as a string literal, for presets and texts. */
#define NUMBER_TEXT(number) NUMBER_QUOTED(number)
#define NUMBER_QUOTED(text) #text

/* Each macro makes one row; its last arguments are further members of struct field. */
/* clang-format off */
#define ROW_STRING(key, owner, member, ...) \
	{ key, FIELD_STRING, FIELD_OFFSET(owner, member, char *), __VA_ARGS__ }
#define ROW_PATH(key, owner, member, ...) \
	{ key, FIELD_PATH, FIELD_OFFSET(owner, member, char *), __VA_ARGS__ }
#define ROW_BOOL(key, owner, member, ...) \
	{ key, FIELD_BOOL, FIELD_OFFSET(owner, member, bool), __VA_ARGS__ }
#define ROW_INT(key, owner, member, ...) \
	{ key, FIELD_INT, FIELD_OFFSET(owner, member, int64_t), __VA_ARGS__ }
#define ROW_CHOICE(key, owner, member, list, ...) \
	{ key, FIELD_CHOICE, FIELD_OFFSET(owner, member, int), .choices = (list), __VA_ARGS__ }
#define ROW_WORDS(key, owner, member, ...) \
	{ key, FIELD_WORDS, FIELD_OFFSET(owner, member, struct words), __VA_ARGS__ }
#define ROW_MAP(key, owner, member, ...) \
	{ key, FIELD_MAP, FIELD_OFFSET(owner, member, struct pairs), __VA_ARGS__ }
#define ROW_HOOK(key, owner, member, function, ...) \
	{ key, FIELD_HOOK, FIELD_OFFSET(owner, member, bool), .signature = (function), __VA_ARGS__ }
/* `table` DESCRIBES the member. */
#define ROW_OBJECT(key, owner, member, table, ...) \
	{ key, FIELD_OBJECT, FIELD_OFFSET(owner, member, table##_value), .rows = (table), \
	    __VA_ARGS__ }
/* An object whose keys are members of the owner itself: `table` DESCRIBES the owner. */
#define ROW_GROUP(key, owner, table, ...) \
	{ key, FIELD_OBJECT, .rows = _Generic((owner *)0, table##_value *: (table)), __VA_ARGS__ }
/* `table` DESCRIBES an entry. */
#define ROW_LIST(key, owner, member, table, ...) \
	{ key, FIELD_LIST, FIELD_OFFSET(owner, member, struct field_list), .rows = (table), \
	    .size = sizeof(table##_value), __VA_ARGS__ }
/* `kind` is a struct field_custom, which DESCRIBES the member. */
#define ROW_CUSTOM(key, owner, member, kind, ...) \
	{ key, FIELD_CUSTOM, FIELD_OFFSET(owner, member, kind##_value), .custom = &(kind), \
	    __VA_ARGS__ }
#define ROW_ELSEWHERE(key, ...) { key, FIELD_ELSEWHERE, __VA_ARGS__ }
/* clang-format on */

/* Fills a zeroed *into with the presets of all rows. */
void field_preset(const struct field *rows, void *into);
/*
 * Fills *into from an object by its rows.  Reports every error: unknown keys (with the nearest
 * known one), missing keys, wrong types, values out of range.  *into must hold the presets.
 */
void field_decode(const struct field *rows, const struct node *object, void *into,
    const struct where *at, struct decoder *d);
/* Does the same for an object that has keys of other rows, too: passes over keys without a row. */
void field_decode_own(const struct field *rows, const struct node *object, void *into,
    const struct where *at, struct decoder *d);
/* Adds a member to the open JSON object for every row with a value, in the order of the rows. */
void field_print(const struct field *rows, const void *from, struct str *json);
/* Adds the value of one row as JSON: null if it is not given. */
void field_print_value(const struct field *f, const void *from, struct str *json);
/* Frees what field_decode() allocated, and leaves every member unset. */
void field_clear(const struct field *rows, void *what);

/* Returns the row of a key or of its alias, or NULL. */
const struct field *field_find(const struct field *rows, const char *key);

/* Helpers for custom parsers. */

/* Reports "expected a string, got an object". */
void field_type_error(
    const struct node *value, const char *expected, const struct where *at, struct decoder *d);
/*
 * Lends the text of a string that is not empty and holds no NUL.  Otherwise reports why and returns
 * NULL.
 */
const char *field_text(const struct node *value, const struct where *at, struct decoder *d);
/* Adds the texts of a list to the words; reports an entry that is none at its place. */
void field_add_texts(
    const struct node *list, struct words *into, const struct where *at, struct decoder *d);
/* Reads an integer between min and max.  Otherwise reports why and returns false. */
bool field_integer(const struct node *value, int64_t min, int64_t max, int64_t *out,
    const struct where *at, struct decoder *d);
/*
 * Reads one of the choices into its index.  The list is NULL-terminated; "" in it means not given.
 */
void field_choice(const struct node *value, const char *const *choices, int *out,
    const struct where *at, struct decoder *d);
/* Print a string or null, and free a string: for customs whose value is a char *. */
void field_print_text(const void *from, struct str *json);
/* The same for a member in which "" stands for false. */
void field_print_text_or_false(const void *from, struct str *json);
void field_clear_text(void *pointer);
/* Print a list or null, and free a list: for customs whose value is a struct words. */
void field_print_words(const void *from, struct str *json);
void field_clear_words(void *words);
/* Prints an integer, or null for the one that means not given. */
void field_print_integer(int64_t value, int64_t unset, struct str *json);
/* Prints an object of the rows. */
void field_print_object(const struct field *rows, const void *from, struct str *json);
/*
 * Returns the number in a variable of bhyve, written as in C, or the text if it is none, so that
 * the decoder names what is wrong.
 */
struct node *field_read_integer(const char *text);
/* Returns the parts of a text between semicolons as a list. */
struct node *field_read_list(const char *text);
/* Returns the absolute form of a path of the spec.  Caller frees. */
char *field_path(const char *path, const char *directory);

#endif
