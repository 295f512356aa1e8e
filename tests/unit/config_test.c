/* SPDX-License-Identifier: MIT */
/* What the corpus in tests/config cannot show: several files, other files, users, sizes. */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "address.h"
#include "arena.h"
#include "passwd.h"

static char dir[64];
static struct config *config;
static struct config_errors errors;
static char *environment[8];

/* ---- a folder for each test ---- */

static int set_up(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/muster-config-XXXXXX");
	memset(environment, 0, sizeof(environment));
	environment[0] = (char *)(uintptr_t) "MUSTER_MODE=testing";
	return mkdtemp(dir) && chmod(dir, 0755) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	config_free(config);
	config = NULL;
	config_errors_free(&errors);
	snprintf(command, sizeof(command), "rm -r '%s'", dir);
	return system(command);
}

static const char *in_dir(const char *name)
{
	static char paths[8][256];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static void write_bytes(const char *name, const char *bytes, size_t size, mode_t mode)
{
	FILE *file = fopen(in_dir(name), "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(in_dir(name), mode), 0);
}

static void write_file(const char *name, const char *text)
{
	write_bytes(name, text, strlen(text), 0644);
}

static void load_source(struct config_source *source)
{
	config_free(config);
	config_errors_free(&errors);
	source->environment = environment;
	config = config_load(source, &errors);
	assert_true((config != NULL) == (errors.total == 0));
}

static void load(const char *first, const char *second)
{
	const char *files[] = {first, second, NULL};
	struct config_source source = {.files = files};

	load_source(&source);
}

/* Loads a text as a file. */
static void load_text(const char *text)
{
	write_file("m.ini", text);
	load(in_dir("m.ini"), NULL);
}

/* The error, without the folder before it. */
static void error_is(unsigned i, const char *expected)
{
	const char *text;

	assert_true(i < errors.kept);
	text = errors.text[i];
	if (strncmp(text, dir, strlen(dir)) == 0)
		text += strlen(dir) + 1;
	assert_string_equal(text, expected);
}

static void only_error_is(const char *expected)
{
	assert_int_equal(errors.total, 1);
	error_is(0, expected);
}

static const struct service_config *service(const char *name)
{
	int index = config ? config_find(config, name) : -1;

	if (index < 0)
		fail_msg("no service %s: %s", name, errors.kept ? errors.text[0] : "no error");
	return &config->services[index];
}

static const char *value_in(char *const *list, const char *name)
{
	for (; *list; list++)
		if (strncmp(*list, name, strlen(name)) == 0 && (*list)[strlen(name)] == '=')
			return *list + strlen(name) + 1;
	return NULL;
}

static const char *variable(const char *of, const char *name)
{
	return value_in(service(of)->environment, name);
}

/* ---- files ---- */

static void later_files_add_and_override(void **state)
{
	(void)state;
	write_file("a.ini", "[service:a]\ncommand = a1\nnice = 1\n[service:b]\ncommand = b1\n");
	write_file("b.ini", "[service:c]\ncommand = c2\n[service:a]\ncommand = a2\n");
	load(in_dir("a.ini"), in_dir("b.ini"));
	assert_int_equal(config->count, 3);
	assert_string_equal(config->services[0].name, "a");
	assert_string_equal(config->services[2].name, "c");
	assert_string_equal(service("a")->argv[0], "a2");
	assert_int_equal(service("a")->policy->identity->nice, 1);
	assert_string_equal(service("b")->argv[0], "b1");
	/* an error is named where the value that counts stands */
	write_file("b.ini", "\n[service:a]\nnice = 99\n");
	load(in_dir("a.ini"), in_dir("b.ini"));
	only_error_is("b.ini:3: [service:a] nice: \"99\": expected a number from -20 to 19");
}

static void drop_ins_are_read_in_order(void **state)
{
	(void)state;
	assert_int_equal(mkdir(in_dir("conf.d"), 0755), 0);
	write_file("m.ini", "[service:a]\ncommand = m\n");
	write_file("n.ini", "[service:a]\ncommand = n\n");
	write_file("conf.d/20.ini", "[service:a]\nnice = 2\n");
	write_file("conf.d/10.ini", "[service:a]\nnice = 1\ncommand = d\n");
	write_file("conf.d/.hidden.ini", "broken\n");
	write_file("conf.d/30.ini.bak", "broken\n");
	load(in_dir("m.ini"), NULL);
	assert_string_equal(service("a")->argv[0], "d");
	assert_int_equal(service("a")->policy->identity->nice, 2);
	/* behind both files, and once */
	load(in_dir("m.ini"), in_dir("n.ini"));
	assert_string_equal(service("a")->argv[0], "d");
	write_file("conf.d/30.ini", "x\n");
	load(in_dir("m.ini"), in_dir("n.ini"));
	only_error_is("conf.d/30.ini:1: \"x\": neither [section] nor key = value");
}

/* One that is not there is none; one that cannot be read is not passed over in silence. */
static void drop_ins_that_cannot_be_read_are_told(void **state)
{
	(void)state;
	write_file("m.ini", "[service:a]\ncommand = m\n");
	assert_int_equal(symlink("conf.d", in_dir("conf.d")), 0);
	load(in_dir("m.ini"), NULL);
	only_error_is("conf.d: cannot read: Too many levels of symbolic links");
}

static void paths_come_from_the_environment(void **state)
{
	struct config_source source = {0};
	char text[300];

	(void)state;
	write_file("a.ini", "[service:a]\ncommand = a\n");
	write_file("b.ini", "[service:b]\ncommand = b\n");
	snprintf(text, sizeof(text), "MUSTER_CONFIG=%s:%s", in_dir("a.ini"), in_dir("b.ini"));
	environment[1] = text;
	load_source(&source);
	assert_int_equal(config->count, 2);
	snprintf(text, sizeof(text), "MUSTER_CONFIG=%s", in_dir("none.ini"));
	load_source(&source);
	only_error_is("none.ini: cannot open: no such file");
}

static void odd_files_are_refused_at_once(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(in_dir("fifo.ini"), 0644), 0);
	assert_int_equal(mkdir(in_dir("conf.d"), 0755), 0);
	assert_int_equal(mkdir(in_dir("conf.d/dir.ini"), 0755), 0);
	load(in_dir("fifo.ini"), "/dev/zero");
	assert_int_equal(errors.total, 3);
	error_is(0, "fifo.ini: cannot read: is a FIFO, not a regular file");
	error_is(1, "conf.d/dir.ini: cannot read: is a directory, not a file");
	error_is(2, "/dev/zero: cannot read: is a device, not a regular file");
}

static void a_file_that_all_may_write_is_named(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	write_bytes("m.ini", "[service:a]\ncommand = a\n", 24, 0646);
	load(in_dir("m.ini"), NULL);
	assert_int_equal(errors.warnings, 1);
	assert_non_null(strstr(errors.warning[0], "m.ini: everyone can write to this file"));
}

/* ---- many errors ---- */

static void errors_are_sorted_capped_and_counted(void **state)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	/* the dependencies are found out last, but stand first */
	fprintf(out, "[service:a]\ncommand = x\ndepends_on = nobody\n");
	for (int i = 0; i < 200; i++)
		fprintf(out, "[service:s%d]\ntype = what\ncommand = x\nfoo = bar\n", i);
	fclose(out);
	load_text(text);
	free(text);
	assert_int_equal(errors.total, 401);
	assert_int_equal(errors.kept, CONFIG_ERRORS_MAX);
	error_is(0, "m.ini:3: [service:a] depends_on: \"nobody\": there is no such service");
	error_is(1, "m.ini:5: [service:s0] type: \"what\": expected service, oneshot or external");
	error_is(2, "m.ini:7: [service:s0] foo: unknown key");
	error_is(99,
		 "m.ini:201: [service:s49] type: \"what\": expected service, oneshot or external");
}

static void a_hopeless_file_is_given_up(void **state)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	for (int i = 0; i < 100000; i++)
		fprintf(out, "x\n");
	fclose(out);
	load_text(text);
	free(text);
	assert_int_equal(errors.total, 10001);
}

/* ---- environment of services ---- */

static void later_sources_of_variables_win(void **state)
{
	(void)state;
	write_file("one.env", "# c\nexport A=env1\nB=\"q ; \\\"x\\\"\"\nC='$HOME' # c\nD=plain # "
			      "c\n\nE=env1\r\n");
	write_file("two.env", "A=env2\nF=${HOME}\n");
	write_file("with, comma.env", "COMMA=1\n");
	assert_int_equal(mkdir(in_dir("secrets"), 0700), 0);
	assert_int_equal(mkdir(in_dir("secrets/..data"), 0700), 0);
	write_file("secrets/..data/db-password", "hunter2\n\n");
	assert_int_equal(symlink("..data/db-password", in_dir("secrets/db-password")), 0);
	write_file("secrets/A", "secret");
	write_file("secrets/.hidden", "x");
	write_file("token", "t1\n");
	write_file("m.ini",
		   "[service:a]\ncommand = x\n"
		   "env_file = one.env, two.env, \"with, comma.env\" , ?missing.env\n"
		   "secrets = ./secrets\n    TOKEN_FILE=token\n    OTHER_FILE\n    ?GONE_FILE\n"
		   "environment = E=own\n    G=g\n    G=g2\n"
		   "[service:b]\ncommand = x\nenv_file = one.env\n");
	environment[1] = (char *)(uintptr_t) "OTHER_FILE=/proc/sys/kernel/ostype";
	load(in_dir("m.ini"), NULL);
	assert_string_equal(variable("a", "A"), "secret");
	assert_string_equal(variable("a", "B"), "q ; \"x\"");
	assert_string_equal(variable("a", "C"), "$HOME");
	assert_string_equal(variable("a", "D"), "plain");
	assert_string_equal(variable("a", "E"), "own");
	assert_string_equal(variable("a", "F"), "${HOME}");
	assert_string_equal(variable("a", "G"), "g2");
	assert_string_equal(variable("a", "COMMA"), "1");
	assert_string_equal(variable("a", "db_password"), "hunter2");
	assert_string_equal(variable("a", "TOKEN"), "t1");
	assert_string_equal(variable("a", "OTHER"), "Linux");
	assert_string_equal(variable("a", "MUSTER_SERVICE"), "a");
	assert_null(variable("a", "GONE"));
	assert_null(variable("a", "_hidden"));
	assert_string_equal(variable("b", "A"), "env1");
	for (char *const *v = service("a")->environment; *v; v++)
		for (char *const *w = v + 1; *w; w++)
			assert_true(strncmp(*v, *w, strcspn(*v, "=") + 1) != 0);
}

static void secrets_are_checked_and_never_shown(void **state)
{
	static char large[70000];

	(void)state;
	memset(large, 'x', sizeof(large));
	assert_int_equal(mkdir(in_dir("s"), 0700), 0);
	write_bytes("s/a-large", large, sizeof(large), 0600);
	write_bytes("s/b-nul", "sesame\0x", 8, 0600);
	write_file("s/c.d", "sesame");
	write_file("s/c-d", "sesame");
	write_file("s/1st", "sesame");
	assert_int_equal(mkfifo(in_dir("s/fifo"), 0600), 0);
	write_file("bad.env", "GOOD=1\nPASSWORD=\"sesame\n1X=sesame\nsesame\n");
	load_text("[service:a]\ncommand = x\nsecrets = ./s\nenv_file = bad.env\n"
		  "[service:b]\ncommand = x\nenv_file = bad.env\n");
	assert_int_equal(errors.total, 7);
	assert_non_null(strstr(errors.text[0], "s/1st\": the name of a variable begins with"));
	assert_non_null(strstr(errors.text[1], "s/a-large\": cannot read: larger than 64 KiB"));
	assert_non_null(strstr(errors.text[2], "s/b-nul\": has a NUL byte"));
	assert_non_null(strstr(errors.text[3], "s/c.d\": another file gives the same variable"));
	error_is(4, "bad.env:2: the quote is not closed on this line");
	error_is(5, "bad.env:3: the name of a variable begins with a letter or _");
	error_is(6, "bad.env:4: expected NAME=value");
	for (unsigned i = 0; i < errors.kept; i++)
		assert_null(strstr(errors.text[i], "sesame"));
	write_bytes("nul.env", "A=1\0B=2\n", 8, 0600);
	load_text("[service:a]\ncommand = x\nenv_file = nul.env\n");
	assert_int_equal(errors.total, 1);
	assert_non_null(strstr(errors.text[0], "nul.env\": has a NUL byte, which no variable can"));
}

static void lenient_loads_neither_know_users_nor_secrets(void **state)
{
	const char *files[] = {NULL, NULL};
	struct config_source source = {.files = files, .lenient_users = true};

	(void)state;
	write_file("m.ini",
		   "[service:a]\ncommand = x\nuser = nosuchuser\ngroup = nosuchgroup\n"
		   "group_add = nosuchgroup\nenv_file = none.env\nsecrets = /none, X_FILE\n"
		   "environment = A=1\n[sidecar]\nuser = nosuchuser\n");
	files[0] = in_dir("m.ini");
	load_source(&source);
	assert_string_equal(variable("a", "A"), "1");
	assert_false(service("a")->policy->identity->change_user);
	assert_string_equal(service("a")->policy->identity->user_name, "nosuchuser");
}

static void the_whole_environment_of_a_service(void **state)
{
	char *base[] = {(char *)(uintptr_t) "PATH=/bin", (char *)(uintptr_t) "A=base",
			(char *)(uintptr_t) "MUSTER_HOST=old", (char *)(uintptr_t) "AB=kept", NULL};
	char *out[32];
	size_t count;

	(void)state;
	load_text("[muster]\nname = h\n[service:a]\ncommand = x\nenvironment = A=own\n    "
		  "MUSTER_MODE=mine\n");
	count = config_environment(config, service("a"), base, out, 32);
	assert_int_equal(count, 8);
	assert_null(out[7]);
	assert_string_equal(value_in(out, "PATH"), "/bin");
	assert_string_equal(value_in(out, "A"), "own");
	assert_string_equal(value_in(out, "AB"), "kept");
	assert_string_equal(value_in(out, "MUSTER_HOST"), "h");
	assert_string_equal(value_in(out, "MUSTER_MODE"), "mine");
	assert_string_equal(value_in(out, "MUSTER_RUN_DIR"), "/run/muster");
	assert_string_equal(value_in(out, "MUSTER_SERVICE"), "a");
	out[3] = base[0];
	assert_int_equal(config_environment(config, service("a"), base, out, 4), 8);
	assert_null(out[3]);
}

/* ---- users ---- */

static void users_become_numbers(void **state)
{
	const struct identity_config *identity;

	(void)state;
	if (geteuid() != 0)
		skip();
	load_text("[service:a]\ncommand = x\nuser = 12345\ngroup_add = 7, 8, 7\n"
		  "[service:b]\ncommand = x\nuser = root\ngroup = 9\n"
		  "[service:c]\ncommand = x\ngroup = 9\n"
		  "[service:d]\ncommand = x\nuser = 12345\ngroup_add = 7, 8, 7\n");
	identity = service("a")->policy->identity;
	assert_true(identity->change_user);
	assert_int_equal(identity->uid, 12345);
	assert_int_equal(identity->gid, 12345);
	assert_int_equal(identity->group_count, 3);
	assert_int_equal(identity->groups[0], 12345);
	assert_int_equal(identity->groups[1], 7);
	assert_int_equal(identity->groups[2], 8);
	assert_ptr_equal(identity, service("d")->policy->identity);
	identity = service("b")->policy->identity;
	assert_int_equal(identity->uid, 0);
	assert_int_equal(identity->gid, 9);
	assert_int_equal(identity->groups[0], 9);
	identity = service("c")->policy->identity;
	assert_true(identity->change_user);
	assert_int_equal(identity->uid, 0);
	assert_int_equal(identity->gid, 9);
	assert_int_equal(identity->group_count, 1);
}

static void memberships_are_those_of_the_group_file(void **state)
{
	const struct identity_config *identity;
	FILE *group;

	(void)state;
	if (geteuid() != 0)
		skip();
	write_file("passwd", "app:x:1000:100::/:/bin/sh\n");
	group = fopen(in_dir("group"), "w");
	assert_non_null(group);
	fprintf(group, "users:x:100:\nother:x:99:nobody\n");
	for (int i = 0; i < 100; i++)
		fprintf(group, "g%d:x:%d:root,app\n", i, 2000 + i);
	fclose(group);
	passwd_set_files(in_dir("passwd"), in_dir("group"));
	load_text("[service:a]\ncommand = x\nuser = app\ngroup_add = other\n"
		  "[service:b]\ncommand = x\nuser = app\ngroup = g7\n");
	passwd_set_files(NULL, NULL);
	identity = service("a")->policy->identity;
	assert_int_equal(identity->uid, 1000);
	assert_int_equal(identity->gid, 100);
	assert_int_equal(identity->group_count, 102);
	assert_int_equal(identity->groups[0], 100);
	assert_int_equal(identity->groups[100], 2099);
	assert_int_equal(identity->groups[101], 99);
	identity = service("b")->policy->identity;
	assert_int_equal(identity->gid, 2007);
	assert_int_equal(identity->groups[0], 2007);
	assert_int_equal(identity->group_count, 100);
}

/* In a child without root: whoever is asked for must be who we are. */
static int check_without_root(void)
{
	const struct identity_config *identity;
	char expected[160], own[64];

	if (geteuid() == 0 && (setgid(54321) != 0 || setuid(54321) != 0))
		return 1;
	load(in_dir("other.ini"), NULL);
	snprintf(expected, sizeof(expected),
		 "%s:3: [service:a] user: \"54322\": to become another user needs root, and muster "
		 "runs as uid %u",
		 in_dir("other.ini"), (unsigned)geteuid());
	if (errors.total != 2 || strcmp(errors.text[0], expected) != 0 ||
	    !strstr(errors.text[1],
		    ":6: [service:b] group: \"54322\": to change groups needs root"))
		return 2;
	snprintf(own, sizeof(own), "MUSTER_SERVICE_A_USER=%u", (unsigned)geteuid());
	environment[1] = own;
	load(in_dir("own.ini"), NULL);
	if (!config)
		return 3;
	identity = config->services[0].policy->identity;
	return identity->change_user || identity->uid != geteuid() ? 4 : 0;
}

static void without_root_nobody_else_can_be_become(void **state)
{
	int status;
	pid_t child;

	(void)state;
	write_file("other.ini", "[service:a]\ncommand = x\nuser = 54322\n"
				"[service:b]\ncommand = x\ngroup = 54322\n");
	write_file("own.ini", "[service:a]\ncommand = x\n");
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(check_without_root());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* ---- sizes ---- */

enum { PLAIN, CHAIN, CYCLE };

static char *many_services(int count, int shape)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fprintf(out, "[muster]\nname = h\n");
	for (int i = 0; i < count; i++) {
		fprintf(out, "[service:service-%d]\ncommand = /usr/bin/program --number %d\n", i,
			i);
		if (shape == CYCLE || (shape == CHAIN && i > 0))
			fprintf(out, "depends_on = service-%d\n", i > 0 ? i - 1 : count - 1);
	}
	fclose(out);
	return text;
}

static void a_plain_service_takes_little_memory(void **state)
{
	char *text = many_services(1000, CHAIN);

	(void)state;
	load_text(text);
	free(text);
	assert_int_equal(config->count, 1000);
	assert_true(arena_used(config->arena) < 1000 * 450);
	assert_ptr_equal(config->services[1].policy, config->services[999].policy);
}

static void *load_in_thread(void *unused)
{
	(void)unused;
	load(in_dir("m.ini"), NULL);
	return NULL;
}

/* With a stack of 64 KiB: nothing recurses. (The sanitizers need room of their own.) */
static void load_on_small_stack(void)
{
#ifdef __SANITIZE_ADDRESS__
	size_t stack = 1024 * 1024;
#else
	size_t stack = 64 * 1024;
#endif
	pthread_attr_t attributes;
	pthread_t thread;

	assert_int_equal(pthread_attr_init(&attributes), 0);
	assert_int_equal(pthread_attr_setstacksize(&attributes, stack), 0);
	assert_int_equal(pthread_create(&thread, &attributes, load_in_thread, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	pthread_attr_destroy(&attributes);
}

static void deep_graphs_need_no_stack(void **state)
{
	char *text = many_services(10000, CHAIN);

	(void)state;
	write_file("m.ini", text);
	free(text);
	load_on_small_stack();
	assert_non_null(config);
	assert_int_equal(config->count, 10000);
	text = many_services(10000, CYCLE);
	write_file("m.ini", text);
	free(text);
	load_on_small_stack();
	assert_int_equal(errors.total, 1);
	assert_non_null(strstr(errors.text[0], "m.ini:5: [service:service-0] depends_on: cycle "
					       "service-0 -> service-9999 -> service-9998 -> "));
	assert_non_null(strstr(errors.text[0], " -> (9988 more) -> service-0"));
}

static void there_is_a_most_of_services(void **state)
{
	char *text = many_services(CONFIG_SERVICES_MAX + 2, PLAIN);

	(void)state;
	load_text(text);
	free(text);
	only_error_is("m.ini:40003: [service:service-20000] more than 20000 services");
}

/* Loads a service with this line, and `count` sections of a kind with these lines behind it. */
static void load_many(const char *line, unsigned count, const char *kind, const char *lines)
{
	FILE *file = fopen(in_dir("m.ini"), "w");

	assert_non_null(file);
	fprintf(file, "[service:a]\ncommand = x\n%s\n", line);
	for (unsigned i = 0; i < count; i++)
		fprintf(file, "[%s%u]\n%s\n", kind, i, lines);
	assert_int_equal(fclose(file), 0);
	load(in_dir("m.ini"), NULL);
}

static void there_is_a_most_of_other_things(void **state)
{
	static const char peer[] = "url = http://192.0.2.1:1/";
	static const char address[] = "port = 1\ntesting = 192.0.2.1";
	char expected[80], waits[16384] = "depends_on = p0/s0";

	(void)state;
	load_many("", PEERS_MAX, "peer:p", peer);
	assert_int_equal(errors.total, 0);
	load_many("", PEERS_MAX + 2, "peer:p", peer);
	snprintf(expected, sizeof(expected), "m.ini:%d: [peer:p%d] more than %d peers",
		 4 + 2 * PEERS_MAX, PEERS_MAX, PEERS_MAX);
	only_error_is(expected);
	load_many("", ADDRESS_MAX, "address:a", address);
	assert_int_equal(errors.total, 0);
	load_many("", ADDRESS_MAX + 2, "address:a", address);
	snprintf(expected, sizeof(expected), "m.ini:%d: [address:a%d] more than %d addresses",
		 4 + 3 * ADDRESS_MAX, ADDRESS_MAX, ADDRESS_MAX);
	only_error_is(expected);
	for (unsigned i = 1; i <= PEER_SERVICES_MAX; i++)
		sprintf(waits + strlen(waits), ", p0/s%u", i);
	load_many(waits, 1, "peer:p", peer);
	assert_int_equal(errors.total, 1);
	assert_non_null(strstr(errors.text[0], "more than 512 services of other hosts"));
	/* more than are shown are counted */
	load_many("", 300, "unknown-", "key = 1");
	assert_int_equal(errors.total, 300);
	assert_non_null(strstr(errors.text[0], "unknown section"));
}

#ifndef __SANITIZE_ADDRESS__ /* which takes address space without end */
/* In a child that may take only so much memory more. 0: loaded, 1: said so. */
static int load_with_little(size_t more)
{
	struct rlimit limit;
	unsigned long pages;
	FILE *statm = fopen("/proc/self/statm", "r");

	if (!statm || fscanf(statm, "%lu", &pages) != 1)
		return 2;
	fclose(statm);
	limit.rlim_cur = limit.rlim_max = pages * (rlim_t)sysconf(_SC_PAGESIZE) + more;
	if (setrlimit(RLIMIT_AS, &limit) != 0)
		return 3;
	load(in_dir("m.ini"), NULL);
	if (config)
		return 0;
	/* the part that had none may say so, too */
	for (unsigned i = 0; i < errors.kept; i++)
		if (!strstr(errors.text[i], "out of memory"))
			return 4;
	return errors.kept == errors.total && errors.kept > 0 ? 1 : 4;
}

static void too_little_memory_is_an_error(void **state)
{
	char *text = many_services(2000, CHAIN);
	unsigned refused = 0, loaded = 0;

	(void)state;
	write_file("m.ini", text);
	free(text);
	for (size_t more = 0; more < 16 << 20; more += 300000) {
		pid_t child = fork();
		int status;

		assert_true(child >= 0);
		if (child == 0)
			_exit(load_with_little(more));
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
		refused += WEXITSTATUS(status) == 1;
		loaded += WEXITSTATUS(status) == 0;
	}
	assert_true(refused > 5);
	assert_true(loaded > 5);
}
#endif

/* ---- comparing ---- */

static void services_that_run_alike_are_equal(void **state)
{
	static const char *const changes[] = {
		"nice = 1",
		"command = y",
		"user = root",
		"readiness_probe = fd:3",
		"restart = no",
		"depends_on = b",
		"environment = A=2",
		"ulimit_core = 0",
		"log = json",
		"stop_grace_period = 1s",
		"pre_start = x",
		"require_gpu = any",
		"working_dir = /",
		"liveness_probe = exec:x",
		"startup_probe = tcp://:1",
		"essential = no",
		"readiness_probe = log:up",
	};
	struct config_errors other_errors;
	char text[256];

	(void)state;
	write_file("a.ini", "[service:a]\ncommand = x\n[service:b]\ncommand = x\n");
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		const char *files[] = {in_dir("a.ini"), in_dir("b.ini"), NULL};
		struct config_source source = {
			.files = files, .environment = environment, .lenient_users = true};
		struct config *other;

		snprintf(text, sizeof(text), "[service:a]\n%s\n", changes[i]);
		write_file("b.ini", text);
		other = config_load(&source, &other_errors);
		assert_non_null(other);
		load(in_dir("a.ini"), NULL);
		assert_true(service_config_equal(config, &config->services[1], other,
						 &other->services[1]));
		assert_true(service_config_equal(other, &other->services[0], other,
						 &other->services[0]));
		if (service_config_equal(config, &config->services[0], other, &other->services[0]))
			fail_msg("not seen: %s", changes[i]);
		config_free(other);
		config_errors_free(&other_errors);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(later_files_add_and_override),
		TEST(drop_ins_are_read_in_order),
		TEST(drop_ins_that_cannot_be_read_are_told),
		TEST(paths_come_from_the_environment),
		TEST(odd_files_are_refused_at_once),
		TEST(a_file_that_all_may_write_is_named),
		TEST(errors_are_sorted_capped_and_counted),
		TEST(a_hopeless_file_is_given_up),
		TEST(later_sources_of_variables_win),
		TEST(secrets_are_checked_and_never_shown),
		TEST(lenient_loads_neither_know_users_nor_secrets),
		TEST(the_whole_environment_of_a_service),
		TEST(users_become_numbers),
		TEST(memberships_are_those_of_the_group_file),
		TEST(without_root_nobody_else_can_be_become),
		TEST(a_plain_service_takes_little_memory),
		TEST(deep_graphs_need_no_stack),
		TEST(there_is_a_most_of_services),
		TEST(there_is_a_most_of_other_things),
#ifndef __SANITIZE_ADDRESS__
		TEST(too_little_memory_is_an_error),
#endif
		TEST(services_that_run_alike_are_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
