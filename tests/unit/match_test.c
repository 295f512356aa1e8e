/* SPDX-License-Identifier: MIT */
#include "match.h"

#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arena.h"

static struct arena *arena;

static int set_up(void **state)
{
	(void)state;
	arena = arena_create();
	return arena ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	arena_destroy(arena);
	return 0;
}

static bool matches(const char *pattern, const char *line)
{
	const char *error;
	const struct match *match = match_compile(arena, pattern, &error);

	if (!match)
		fail_msg("%s: %s", pattern, error);
	return match_line(match, line, strlen(line));
}

/* What the C library says, which backtracks and allocates but is no part of this project. */
static bool libc_matches(const char *pattern, const char *line)
{
	regex_t regex;
	int verdict;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB))
		fail_msg("regcomp does not take %s", pattern);
	verdict = regexec(&regex, line, 0, NULL, 0);
	regfree(&regex);
	return verdict == 0;
}

/* Syntax shared with regcomp(3). */
static const struct {
	const char *pattern, *line;
	bool verdict;
} shared[] = {
	{"Ready to accept connections", "1:M 12 * Ready to accept connections tcp", true},
	{"Ready to accept connections", "Ready to accept connection", false},
	{"ready", "READY", false},
	{"^ready", "ready", true},
	{"^ready", "not ready", false},
	{"ready$", "now ready", true},
	{"ready$", "ready now", false},
	{"^ready$", "ready", true},
	{"^$", "", true},
	{"^$", "x", false},
	{"^", "", true},
	{"$", "abc", true},
	{"x*", "", true},
	{"ab*c", "ac", true},
	{"ab*c", "abbbbc", true},
	{"ab+c", "ac", false},
	{"ab+c", "abc", true},
	{"ab?c", "abc", true},
	{"ab?c", "abbc", false},
	{"a.c", "abc", true},
	{"a.c", "ac", false},
	{"(ab)+", "xabab", true},
	{"^(ab)+$", "ababa", false},
	{"^(ab|cd)*$", "abcdab", true},
	{"^(ab|cd)*$", "abc", false},
	{"(listening|started) on", "server started on 8080", true},
	{"(listening|started) on", "server stopped on 8080", false},
	{"^(a|b|)c", "c", true},
	{"a|b", "xxb", true},
	{"^a|b$", "ab", true},
	{"^a|b$", "ba", false},
	{"(^|x)ready", "xready", true},
	{"(^|x)ready", "yready", false},
	{"ready(!|$)", "ready", true},
	{"ready(!|$)", "ready?", false},
	{"x*^a", "a", true},
	{"a$b*", "xa", true},
	{"a^b", "a^b", false},
	{"port [0-9]+", "listening on port 8080", true},
	{"port [0-9]+$", "port 80x", false},
	{"[^0-9]x", "1x", false},
	{"[^0-9]x", "ax", true},
	{"[]]", "]", true},
	{"[]a-c]", "b", true},
	{"[^]a]", "]", false},
	{"[a-]", "-", true},
	{"[[:digit:]]+ms", "took 12ms", true},
	{"[[:alpha:]_]x", "_x", true},
	{"[[:space:]]", "a\tb", true},
	{"[[:upper:]][[:lower:]]", "xRa", true},
	{"[[:punct:]]", "abc1", false},
	{"\\.", "a.b", true},
	{"\\.", "ab", false},
	{"\\(\\)\\[\\{\\*\\+\\?\\|\\^\\$\\\\", "()[{*+?|^$\\", true},
	{"(((a)))", "a", true},
	{"((a*)*)*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", false},
	{"(a|aa)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", false},
	{"(a?)(a?)(a?)aaa", "aaa", true},
	{"}", "}", true},
	{"x.*y.*z", "..x....y..z", true},
};

static void agrees_with_the_table_and_libc(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
		if (matches(shared[i].pattern, shared[i].line) != shared[i].verdict)
			fail_msg("'%s' on '%s' is not %d", shared[i].pattern, shared[i].line,
				 shared[i].verdict);
		if (libc_matches(shared[i].pattern, shared[i].line) != shared[i].verdict)
			fail_msg("the table is wrong: '%s' on '%s'", shared[i].pattern,
				 shared[i].line);
	}
}

/* What regcomp(3) leaves out or leaves open. */
static const struct {
	const char *pattern, *line;
	bool verdict;
} own[] = {
	{"took \\d+ms", "took 250ms", true},
	{"\\d", "abc", false},
	{"^\\w+$", "snake_Case9", true},
	{"^\\w+$", "kebab-case", false},
	{"a\\sb", "a\tb", true},
	{"a\\Sb", "a b", false},
	{"\\D", "123", false},
	{"\\W", "a.b", true},
	{"a\\tb", "a\tb", true},
	{"a\\ b", "a b", true},
	{"[\\d.]+!", "1.5!", true},
	{"[\\]x]", "]", true},
	{"^[\\w-]+$", "kebab-case", true},
	{"^()$", "", true},
	{"^^a$$", "a", true},
	{"$^", "", true},
	{"bereit für", "ist bereit für alle", true},
	{"^é*$", "ééé", true},
	{"^é*$", "\xc3\xc3", false},
	{"^a.b$",
	 "a\xff"
	 "b",
	 true},
};

static void its_own_syntax(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (matches(own[i].pattern, own[i].line) != own[i].verdict)
			fail_msg("'%s' on '%s' is not %d", own[i].pattern, own[i].line,
				 own[i].verdict);
}

static const struct {
	const char *pattern, *part; /* of the message */
} wrong[] = {
	{"(", "( without its )"},
	{"a)", ") without its ("},
	{"[a", "[ without its ]"},
	{"[", "[ without its ]"},
	{"[]", "[ without its ]"},
	{"[^", "[ without its ]"},
	{"[a-", "[ without its ]"},
	{"[z-a]", "backwards"},
	{"[a-\\d]", "backwards"},
	{"[[:nope:]]", "unknown class"},
	{"[[:alpha", "unknown class"},
	{"[[.a.]]", "not supported"},
	{"[é]", "ASCII"},
	{"*a", "nothing to repeat"},
	{"a|+", "nothing to repeat"},
	{"(?:a)", "nothing to repeat"},
	{"a{2}", "{m,n} is not supported"},
	{"a\\", "a \\ at the end"},
	{"[\\", "a \\ at the end"},
	{"\\1", "unknown escape"},
	{"\\b", "unknown escape"},
	{"((((((((((((((((((((((((((((((((a", "groups inside"},
	{"0123456789012345678901234567890123456789012345678901234567890123", "63"},
	{"01234567890123456789012345678901234567890123456789012345678901[a]b", "63"},
};

static void wrong_patterns_are_refused_with_a_reason(void **state)
{
	const char *error;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		error = NULL;
		assert_null(match_compile(arena, wrong[i].pattern, &error));
		assert_non_null(error);
		if (!strstr(error, wrong[i].part))
			fail_msg("'%s': '%s'", wrong[i].pattern, error);
	}
}

static void the_limits_themselves_are_fine(void **state)
{
	char pattern[64 + 2 * 31], line[64];
	size_t i;

	(void)state;
	for (i = 0; i < 63; i++)
		line[i] = (char)('a' + i % 26);
	line[63] = '\0';
	assert_true(matches(line, line));
	assert_false(matches(line, "abc"));
	memset(pattern, '(', 31);
	memcpy(pattern + 31, line, 63);
	memset(pattern + 31 + 63, ')', 31);
	pattern[31 + 63 + 31] = '\0';
	assert_true(matches(pattern, line));
}

static void the_length_counts_not_the_nul(void **state)
{
	const char *error;
	const struct match *match = match_compile(arena, "b$", &error);

	(void)state;
	assert_true(match_line(match, "ab\0c", 2));
	assert_false(match_line(match, "abc", 3));
	assert_true(match_line(match, "a\0b", 3));
	assert_false(match_line(match, "", 0));
}

static void matching_takes_no_memory(void **state)
{
	const char *error;
	const struct match *match = match_compile(arena, "(a|aa)*(b|ab)*$", &error);
	size_t before = arena_used(arena);

	(void)state;
	assert_true(match_line(match, "aaaaabababc", 10));
	assert_int_equal(arena_used(arena), before);
	assert_true(before < 1000);
}

/* ---- random patterns against the C library ---- */

struct text {
	char bytes[128];
	size_t len;
};

static void put(struct text *text, const char *piece)
{
	size_t len = strlen(piece);

	if (text->len + len < sizeof(text->bytes)) {
		memcpy(text->bytes + text->len, piece, len + 1);
		text->len += len;
	}
}

static const char *any_of(const char *const *list, size_t count)
{
	return list[(size_t)rand() % count];
}

/* A row of atoms and branches; groups are closed as they were opened. */
static void random_pattern(struct text *text)
{
	static const char *const atoms[] = {"a", "b", "c", ".", "[ab]", "[^a]", "[a-c]", "\\."};
	static const char *const repeats[] = {"", "", "", "*", "+", "?"};
	int pieces = 1 + rand() % 8, open = 0;

	*text = (struct text){.len = 0};
	if (rand() % 6 == 0)
		put(text, "^");
	for (; pieces > 0; pieces--) {
		if (rand() % 5 == 0 && open < 3) {
			put(text, "(");
			open++;
		}
		put(text, any_of(atoms, sizeof(atoms) / sizeof(atoms[0])));
		put(text, any_of(repeats, sizeof(repeats) / sizeof(repeats[0])));
		if (open && rand() % 3 == 0) {
			put(text, ")");
			put(text, any_of(repeats, sizeof(repeats) / sizeof(repeats[0])));
			open--;
		} else if (pieces > 1 && rand() % 6 == 0) {
			put(text, "|");
		}
	}
	for (; open > 0; open--)
		put(text, ")");
	if (rand() % 6 == 0)
		put(text, "$");
}

static void random_line(char *line)
{
	size_t len = (size_t)rand() % 12;

	line[len] = '\0';
	while (len-- > 0)
		line[len] = "aabbc.d"[rand() % 7];
}

static void agrees_with_libc_on_random_patterns(void **state)
{
	struct text pattern;
	char line[16];
	int round, i, hits = 0;

	(void)state;
	srand(7);
	for (round = 0; round < 1500; round++) {
		random_pattern(&pattern);
		for (i = 0; i < 8; i++) {
			bool verdict;

			random_line(line);
			verdict = libc_matches(pattern.bytes, line);
			hits += verdict;
			if (matches(pattern.bytes, line) != verdict)
				fail_msg("'%s' on '%s' is not %d", pattern.bytes, line, verdict);
		}
	}
	assert_in_range(hits, 1000, 11000); /* both verdicts occur often */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(agrees_with_the_table_and_libc),
		TEST(its_own_syntax),
		TEST(wrong_patterns_are_refused_with_a_reason),
		TEST(the_limits_themselves_are_fine),
		TEST(the_length_counts_not_the_nul),
		TEST(matching_takes_no_memory),
		TEST(agrees_with_libc_on_random_patterns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
