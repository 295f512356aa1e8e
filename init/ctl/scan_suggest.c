/* SPDX-License-Identifier: MIT */
#include "scan.h"

#include <string.h>

/* How a program reads a variable: in front of its name and behind it. */
static const struct {
	enum scan_kind kind;
	const char *front, *end;
} readers[] = {
	{KIND_PYTHON, "os.environ[\"", "\"]"},  {KIND_SCRIPT, "process.env.", ""},
	{KIND_C, "getenv(\"", "\")"},           {KIND_GO, "os.Getenv(\"", "\")"},
	{KIND_RUST, "std::env::var(\"", "\")"}, {KIND_JAVA, "System.getenv(\"", "\")"},
	{KIND_RUBY, "ENV[\"", "\"]"},
};

/* What nothing names stands as NAME, for the user to name it. */
static const char *name_of(const struct scan_match *match)
{
	return match->name ? match->name : match->guess[0] ? match->guess : "NAME";
}

/* NAME as it stands in variables. */
static void variable_of(const char *name, char out[SCAN_WORD_SIZE])
{
	size_t i;

	for (i = 0; name[i] && i < SCAN_WORD_SIZE - 1; i++) {
		char c = name[i];

		out[i] = (char)(c >= 'a' && c <= 'z' ? c - 32 : c);
		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')))
			out[i] = '_';
	}
	out[i] = '\0';
}

/* Of the values that muster gives to services, the one with host and port has its own name. */
static bool suggest_code(enum scan_kind kind, const struct scan_hit *hit, const char *variable,
			 char out[SUGGESTION_SIZE])
{
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		if (readers[i].kind != kind)
			continue;
		snprintf(out, SUGGESTION_SIZE, "%s%s%s%s%s", readers[i].front,
			 hit->port ? "MUSTER_ADDRESS_" : "", variable, hit->port ? "" : "_HOST",
			 readers[i].end);
		return true;
	}
	return false;
}

void scan_suggest(enum scan_kind kind, const struct scan_hit *hit, const struct scan_match *match,
		  char out[SUGGESTION_SIZE])
{
	const char *name = name_of(match);
	char variable[SCAN_WORD_SIZE];

	variable_of(name, variable);
	if (suggest_code(kind, hit, variable, out))
		return;
	if (kind == KIND_MUSTER)
		snprintf(out, SUGGESTION_SIZE, "${address:%s%s}", name, hit->port ? "" : ":host");
	else if (kind == KIND_SHELL || kind == KIND_DOCKERFILE || kind == KIND_CONF)
		snprintf(out, SUGGESTION_SIZE, hit->port ? "${MUSTER_ADDRESS_%s}" : "${%s_HOST}",
			 variable);
	else if (kind == KIND_MANIFEST && hit->port)
		snprintf(out, SUGGESTION_SIZE, "$(%s_HOST):$(%s_PORT)", variable, variable);
	else if (kind == KIND_MANIFEST)
		snprintf(out, SUGGESTION_SIZE, "$(%s_HOST)", variable);
	else if (kind == KIND_SUPERVISORD && hit->port)
		snprintf(out, SUGGESTION_SIZE, "%%(ENV_%s_HOST)s:%%(ENV_%s_PORT)s", variable,
			 variable);
	else if (kind == KIND_SUPERVISORD)
		snprintf(out, SUGGESTION_SIZE, "%%(ENV_%s_HOST)s", variable);
	else if (hit->port)
		snprintf(out, SUGGESTION_SIZE, "${%s_HOST}:${%s_PORT}", variable, variable);
	else
		snprintf(out, SUGGESTION_SIZE, "${%s_HOST}", variable);
}

bool scan_can_fix(enum scan_kind kind, const struct scan_hit *hit, const struct scan_match *match)
{
	if (!scan_kind_fixable(kind) || !match->name || hit->fixed_by_file)
		return false;
	/* a brace would end there; nothing is put in between single quotes; brackets have a meaning
	 * of their own around a number only */
	if (hit->flow && !hit->quote)
		return false;
	return !(kind == KIND_ENV && hit->quote == '\'') && !hit->bracketed;
}
