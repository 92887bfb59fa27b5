/* Which texts are those of a shell, and which are specs that only speak of bhyve. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "config/foreign.h"

static const char *const commands[] = {
	"ARGS=\"-m 1G -s 0,hostbridge\"\nbhyve $ARGS vm\n",
	"ARGS='-m 1G'\nexec bhyve ${ARGS} vm",
	"sudo -n /usr/sbin/bhyve \"$@\"",
	"VM=web; A=1 nice -n 5 bhyve $ARGS $VM\r\n",
	"\t@bhyve $ARGS vm",
	"while true; do\n bhyve $A vm || break\ndone",
	"( bhyve $A vm )\n",
	"(bhyve $A vm)\n",
	"B=/usr/sbin/bhyve\n$B -m 1G vm\n",
	"BHYVE=bhyve\nsudo ${BHYVE} \\\n -m 1G vm\n",
	"B=\"/usr/sbin/bhyve\"\n\"$B\" $ARGS vm\n",
	"start() {\n\treturn 1\n}\nbhyve $ARGS vm\n",
	"# bhyve -m 1G -s 0,hostbridge vm",
	"# bhyve $ARGS vm",
	"( cd /vm && bhyve $ARGS vm )\n",
	"cd /vm; bhyve $ARGS vm\n",
	"ARGS='-m 1G'; bhyve $ARGS vm\n",
	"ARGS=\"-m 1G; x\"; bhyve $ARGS vm\n",
	"eval \"cd /vm; bhyve $ARGS vm\"\n",
	"sh -c \"cd /vm; bhyve $ARGS vm\"\n",
	"test -n \"$1\" || exec bhyve $ARGS vm\n",
	"[ -d /vm ] || exit 1\nbhyve -c 2 vm\n",
	"{ bhyve -c 2 vm; } &\n",
	"{% highlight sh %}\nbhyve -c 2 vm\n",
	"\357\273\277bhyve -c 2 vm\n", /* a byte order mark */
	"# kldload vmm\n# /usr/sbin/bhyve -m 1G \\\n> -s 0,hostbridge \\\n> vm\n",
};

static const char *const specs[] = {
	"name: a\ncpu: 1\n# made from: bhyve -c 1 vm\nmem: 64M\n",
	"# bhyve -c 1 vm\nname = a\n",
	"name: a\ncpu: 1\npost_start_script: <<EOD\nbhyve $ARGS vm\nEOD\n",
	"name: a\npost_start_script = <<EOD\nB=bhyve\n$B -m 1G\nEOD\n",
	"local text = [[\nbhyve $ARGS vm\n]]\nreturn { name = 'a' }\n",
	"local text = [[\nbhyve $ARGS vm\n]] return { name = 'a' }\n",
	"do\n  return spec\n--[[\nbhyve $ARGS vm\n]]\nend",
	"name: 'bhyve $ARGS'\n",
	"description: start bhyve $ARGS by hand\n",
	"emulations {\n}\nx = \"\nbhyve $ARGS vm\n",
	"B=\"/usr/sbin/bhyve\"\nx = { B, -1 }\n",
	"# bhyve\n",
	"name: a\n# bhyve $ARGS vm\ncpu: 1\n",
	"name: a\n/* start it with\nbhyve $ARGS vm\n*/\ncpu: 1\n",
	"name: a // x; bhyve $ARGS vm\n",
	"// bhyve $ARGS vm\nname: a\n",
	"name: a; cpu: 1; x: 'bhyve $ARGS vm'\n",
	"name: a\npost_start_script = \"logger up; bhyve $X\"\n",
	"name: a\npost_start_script=\"logger \\\"up\\\"; bhyve $X\";\n",
	"name a\npost_start_script 'logger up && bhyve $X'\n",
	"post_start_script: \"logger up; bhyve $X\"\nname = a\n",
	"name: a; x = \"b; bhyve $X\"; cpu: 1\n",
	"#\n",
	"",
	"bhyve { release = 14 }\n",
	"$x bhyve\n",
	"{ name: a\nx: 'bhyve -c 2 vm' }\n",
	"{\n  name = a\n  x = sudo bhyve -c 2 vm\n}\n",
	"{ bhyve { release = 14 } }\n",
	"{",
	"[",
	"[]",
	"[ bhyve -c 2 vm ]\n",
	"\xef\xbb\xbf",
	"\xef\xbb\xbf{ \"x\": \"bhyve -c 2 vm\" }",
};

static void test_commands(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const char *kind = foreign_kind(commands[i], strlen(commands[i]));

		if (kind == NULL || strcmp(kind, FOREIGN_COMMAND) != 0)
			fail_msg("`%s` is %s", commands[i], kind == NULL ? "a spec" : kind);
	}
}

static void test_specs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		const char *kind = foreign_kind(specs[i], strlen(specs[i]));

		if (kind != NULL)
			fail_msg("`%s` is %s", specs[i], kind);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_specs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
