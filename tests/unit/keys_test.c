/* SPDX-License-Identifier: MIT */
/* The table of keys, and muster.ini(5) held against it in both directions. */
#include "keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config.h"

#define MANUAL    "docs/muster.ini.5"
#define KEYS_MOST 256

/* What the manual says: for each key of the table whether it was found. */
struct manual {
	bool found[KEYS_MOST];
	int wrong;
	enum section_kind kind; /* SECTION_KINDS: not in a list of keys */
};

/* [muster] or [service:NAME]; SECTION_KINDS: neither. */
static enum section_kind kind_of(const char *word)
{
	enum section_kind kind;

	for (kind = 0; kind < SECTION_KINDS; kind++)
		if (strncmp(word, section_word(kind), strlen(section_word(kind))) == 0)
			break;
	return kind;
}

static void complain(struct manual *manual, const char *name, const char *what)
{
	print_error("%s: [%s] %s: %s\n", MANUAL,
		    manual->kind < SECTION_KINDS ? section_word(manual->kind) : "?", name, what);
	manual->wrong++;
}

/* One key that the manual names, with its default or NULL. */
static void take_key(struct manual *manual, const char *name, const char *fallback)
{
	const struct key *key = key_find(manual->kind, name);

	if (!key) {
		complain(manual, name, "is no key");
		return;
	}
	if (manual->found[key - keys])
		complain(manual, name, "stands there twice");
	manual->found[key - keys] = true;
	if (!key->fallback != !fallback || (fallback && strcmp(fallback, key->fallback) != 0))
		complain(manual, name, "has another default");
}

/* .It Ic NAME , NAME No = ... Pq default Cm DEFAULT */
static void take_names(struct manual *manual, char *line)
{
	char *fallback = strstr(line, " Pq default Cm "), *end = strstr(line, " No = ");

	if (fallback)
		fallback += strlen(" Pq default Cm ");
	if (end)
		*end = '\0';
	for (char *name = strtok(line, " ,"); name; name = strtok(NULL, " ,"))
		take_key(manual, name, fallback);
}

static void take_line(struct manual *manual, char *line)
{
	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, ".Sh ", 4) == 0) {
		manual->kind = SECTION_KINDS;
	} else if (strncmp(line, ".Ss ", 4) == 0) {
		manual->kind = line[4] == '[' ? kind_of(line + 5) : SECTION_KINDS;
	} else if (manual->kind != SECTION_KINDS && strncmp(line, ".It Ic ", 7) == 0) {
		take_names(manual, line + 7);
	}
}

static void the_manual_names_all_keys_and_no_others(void **state)
{
	struct manual manual = {.kind = SECTION_KINDS};
	FILE *file = fopen(MANUAL, "r");
	char line[1024];

	(void)state;
	assert_true(key_count <= KEYS_MOST);
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		take_line(&manual, line);
	fclose(file);
	for (size_t i = 0; i < key_count; i++) {
		manual.kind = keys[i].section;
		if (!manual.found[i])
			complain(&manual, keys[i].name, "is not there");
	}
	assert_int_equal(manual.wrong, 0);
}

/* The last literal block of the manual is a whole configuration. */
static void the_example_in_the_manual_loads(void **state)
{
	char path[] = "/tmp/muster-example-XXXXXX", line[1024];
	FILE *manual = fopen(MANUAL, "r"), *out = fdopen(mkstemp(path), "w");
	char *environment[] = {(char *)(uintptr_t) "MUSTER_MODE=container",
			       (char *)(uintptr_t) "MUSTER_PROFILES=work", NULL};
	const char *files[] = {path, NULL};
	struct config_source source = {.files = files, .environment = environment};
	struct config_errors errors;
	struct config *config;
	bool example = false, inside = false;

	(void)state;
	assert_non_null(manual);
	assert_non_null(out);
	while (fgets(line, sizeof(line), manual)) {
		example |= strcmp(line, ".Sh EXAMPLES\n") == 0;
		if (line[0] == '.')
			inside = example && strncmp(line, ".Bd -literal", 12) == 0;
		else if (inside)
			fputs(line, out);
	}
	fclose(manual);
	assert_int_equal(fclose(out), 0);
	config = config_load(&source, &errors);
	unlink(path);
	for (unsigned i = 0; i < errors.kept; i++)
		print_error("%s\n", errors.text[i]);
	assert_non_null(config);
	assert_int_equal(config->count, 4);
	assert_int_equal(errors.warnings, 0);
	config_free(config);
	config_errors_free(&errors);
}

static void the_table_is_sound(void **state)
{
	char buffer[256];

	(void)state;
	for (size_t i = 0; i < key_count; i++) {
		assert_ptr_equal(key_find(keys[i].section, keys[i].name), &keys[i]);
		if (i > 0)
			assert_true(keys[i].section >= keys[i - 1].section);
		assert_true(*key_accepts(&keys[i], buffer, sizeof(buffer)) != '\0');
	}
	assert_null(key_find(SECTION_MUSTER, "command"));
	assert_null(key_find(SECTION_SERVICE, ""));
}

static void names_become_variables(void **state)
{
	char buffer[16];

	(void)state;
	key_variable("my-app.v2", buffer, sizeof(buffer));
	assert_string_equal(buffer, "MY_APP_V2");
	key_variable("a_B9", buffer, sizeof(buffer));
	assert_string_equal(buffer, "A_B9");
	key_variable("longer than there is room", buffer, sizeof(buffer));
	assert_string_equal(buffer, "LONGER_THAN_THE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_manual_names_all_keys_and_no_others),
		cmocka_unit_test(the_example_in_the_manual_loads),
		cmocka_unit_test(the_table_is_sound),
		cmocka_unit_test(names_become_variables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
