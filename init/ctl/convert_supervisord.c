/* SPDX-License-Identifier: MIT */
#include "draft.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "reader.h"

/*
 * supervisord.conf, by its manual (supervisord.org/configuration.html). Sections [program:x] become
 * services. Key by key: what has the same meaning is written, what has none is noted.
 */

#define KEYS_MAX 64

struct entry {
	uint32_t line;
	const char *name, *value;
};

struct program {
	struct draft *draft;
	const char *name;
	const char *path; /* of the file: %(here)s is its folder */
	struct entry entries[KEYS_MAX];
	unsigned count;
};

struct reading {
	struct draft *draft;
	struct convert_source *source;
	struct program program; /* name NULL: the present section is none */
	bool general;           /* it is that of supervisord itself */
	bool failed;
};

/* ---- %(name)s ---- */

struct python_name {
	const char *name, *text;
};

/* What stands for %(NAME)s in muster's words; NULL: nothing does. */
static const char *python_text(const struct program *p, const char *name)
{
	const struct python_name names[] = {
		{"program_name", p->name},
		{"group_name", p->name},
		{"process_num", "${MUSTER_REPLICA}"},
		{"host_node_name", "${MUSTER_HOST}"},
	};
	const char *slash = strrchr(p->path, '/');

	if (strncmp(name, "ENV_", 4) == 0)
		return draft_format(p->draft, "${%s}", name + 4);
	if (strcmp(name, "here") == 0)
		return slash ? draft_format(p->draft, "%.*s", (int)(slash - p->path), p->path)
			     : ".";
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].text;
	return NULL;
}

/* One %(name)s or %(name)02d at text; its end, or NULL when it is none that has a counterpart. */
static const char *put_python(const struct program *p, const char *text, FILE *out)
{
	const char *close = strchr(text, ')'), *end, *value;

	if (text[1] != '(' || !close)
		return NULL;
	end = close + 1 + strspn(close + 1, "0123456789");
	if (*end != 's' && *end != 'd')
		return NULL;
	value = python_text(p, draft_format(p->draft, "%.*s", (int)(close - text - 2), text + 2));
	if (!value)
		return NULL;
	fputs(value, out);
	return end + 1;
}

/* Python's %-expressions replaced, lines joined, dollars made harmless. */
static char *expand(const struct program *p, const struct entry *entry)
{
	const char *text = draft_escape_dollars(p->draft, entry->value), *end;
	char *result = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&result, &size);

	for (; out && *text; text++) {
		end = *text == '%' ? put_python(p, text, out) : NULL;
		if (end) {
			text = end - 1;
			continue;
		}
		if (text[0] == '%' && text[1] == '(')
			draft_note(p->draft, entry->line, "%s: \"%.60s\" has no counterpart",
				   entry->name, text);
		text += text[0] == '%' && text[1] == '%';
		fputc(*text == '\n' ? ' ' : *text, out);
	}
	return draft_keep(p->draft, out, &result);
}

/* ---- keys ---- */

static const struct entry *find(const struct program *p, const char *name)
{
	for (unsigned i = 0; i < p->count; i++)
		if (strcmp(p->entries[i].name, name) == 0)
			return &p->entries[i];
	return NULL;
}

static bool is_true(const char *text)
{
	return strcasecmp(text, "true") == 0 || strcasecmp(text, "on") == 0 ||
	       strcasecmp(text, "yes") == 0 || strcmp(text, "1") == 0;
}

static void take_command(const struct program *p, const struct entry *e)
{
	draft_set(p->draft, "command", "%s", draft_command(p->draft, expand(p, e)));
}

static void take_seconds(const struct program *p, const struct entry *e)
{
	draft_set(p->draft, "stop_grace_period", "%ss", e->value);
}

static void take_start_seconds(const struct program *p, const struct entry *e)
{
	if (strcmp(e->value, "0") != 0 && strcmp(e->value, "1") != 0)
		draft_note(p->draft, e->line,
			   "startsecs = %s: what is started counts as running at once; a "
			   "readiness_probe says when it is ready",
			   e->value);
}

static void take_autostart(const struct program *p, const struct entry *e)
{
	if (!is_true(e->value))
		draft_set(p->draft, "start", "manual");
}

static void take_autorestart(const struct program *p, const struct entry *e)
{
	if (strcasecmp(e->value, "unexpected") == 0)
		return; /* on-failure, the default of both */
	draft_set(p->draft, "restart", is_true(e->value) ? "always" : "no");
}

static void take_exitcodes(const struct program *p, const struct entry *e)
{
	if (strcmp(e->value, "0") != 0)
		draft_note(p->draft, e->line,
			   "exitcodes = %s: only 0 is an expected end; wrap the command in "
			   "`muster-init -e CODE --` to make a code count as 0",
			   e->value);
}

static void take_replicas(const struct program *p, const struct entry *e)
{
	if (strcmp(e->value, "1") != 0)
		draft_set(p->draft, "replicas", "%s", e->value);
}

static void take_first_number(const struct program *p, const struct entry *e)
{
	if (strcmp(e->value, "0") != 0)
		draft_note(p->draft, e->line, "numprocs_start = %s: replicas are numbered from 0",
			   e->value);
}

static void take_priority(const struct program *p, const struct entry *e)
{
	draft_note(p->draft, e->line,
		   "priority = %s: the order follows from what needs what; say it with "
		   "depends_on and a readiness_probe",
		   e->value);
}

/* One KEY="value" of a list with commas, as Python's shlex reads it; returns what is behind it. */
static char *put_variable(const struct program *p, const struct entry *e, char *text, FILE *out)
{
	char *name = text, *to = text, *value, quote = 0;
	bool more;

	for (; *text && (quote || *text != ','); text++) {
		if (quote ? *text == quote : *text == '"' || *text == '\'')
			quote = quote ? 0 : *text;
		else if (quote || !isspace((unsigned char)*text))
			*to++ = *text;
	}
	more = *text == ',';
	*to = '\0';
	value = strchr(name, '=');
	if (value)
		fprintf(out, "\n%.*s=%s", (int)(value - name), name,
			draft_value(p->draft, value + 1, true));
	else if (*name)
		draft_note(p->draft, e->line, "environment: \"%s\" is not KEY=value", name);
	return text + more;
}

static void take_environment(const struct program *p, const struct entry *e)
{
	char *text = expand(p, e), *lines = NULL;
	size_t size;
	FILE *out = open_memstream(&lines, &size);

	while (out && *text)
		text = put_variable(p, e, text, out);
	text = draft_keep(p->draft, out, &lines);
	if (*text)
		draft_set(p->draft, "environment", "%s", text);
}

/* Where an output goes: into a file, "" into nothing, NULL where muster's own does. */
static const char *place_of(const struct entry *log)
{
	if (!log || strcasecmp(log->value, "AUTO") == 0)
		return NULL;
	if (strcasecmp(log->value, "NONE") == 0 || strcmp(log->value, "/dev/null") == 0)
		return "";
	return strncmp(log->value, "/dev/", 5) == 0 ? NULL : log->value;
}

static void take_log(const struct program *p, const struct entry *e)
{
	const char *place = place_of(e);

	if (place && *place)
		draft_set(p->draft, "log", "file:%s", expand(p, e));
	else if (place)
		draft_set(p->draft, "log", "none");
}

static void take_stderr_log(const struct program *p, const struct entry *e)
{
	const struct entry *joined = find(p, "redirect_stderr");
	const char *out = place_of(find(p, "stdout_logfile")), *err = place_of(e);

	if ((!joined || !is_true(joined->value)) &&
	    (out && err ? strcmp(out, err) != 0 : out != err))
		draft_note(p->draft, e->line,
			   "stderr_logfile = %s: both outputs of a service go the same way",
			   e->value);
}

/* 50MB, 10KB, 1GB or bytes */
static void take_log_size(const struct program *p, const struct entry *e)
{
	size_t len = strlen(e->value);
	bool unit = len > 2 && toupper((unsigned char)e->value[len - 1]) == 'B';

	draft_set(p->draft, "log_max_size", "%.*s", (int)(unit ? len - 1 : len), e->value);
}

static void take_name(const struct program *p, const struct entry *e)
{
	if (strcmp(e->value, "%(program_name)s") != 0 && !find(p, "numprocs"))
		draft_note(p->draft, e->line, "process_name = %s: the section's name is taken",
			   e->value);
}

struct rule {
	const char *name;
	void (*take)(const struct program *p, const struct entry *e);
	const char *same; /* the key with this name takes the value as it is */
};

/* NULL and NULL: what muster does anyway. */
static const struct rule rules[] = {
	{"command", take_command, NULL},
	{"directory", NULL, "working_dir"},
	{"umask", NULL, "umask"},
	{"user", NULL, "user"},
	{"environment", take_environment, NULL},
	{"autostart", take_autostart, NULL},
	{"autorestart", take_autorestart, NULL},
	{"exitcodes", take_exitcodes, NULL},
	{"startretries", NULL, "start_retries"},
	{"startsecs", take_start_seconds, NULL},
	{"stopsignal", NULL, "stop_signal"},
	{"stopwaitsecs", take_seconds, NULL},
	{"stopasgroup", NULL, NULL},
	{"killasgroup", NULL, NULL},
	{"numprocs", take_replicas, NULL},
	{"numprocs_start", take_first_number, NULL},
	{"process_name", take_name, NULL},
	{"priority", take_priority, NULL},
	{"stdout_logfile", take_log, NULL},
	{"stdout_logfile_maxbytes", take_log_size, NULL},
	{"stdout_logfile_backups", NULL, "log_keep"},
	{"redirect_stderr", NULL, NULL},
	{"stderr_logfile", take_stderr_log, NULL},
	{"stderr_logfile_maxbytes", NULL, NULL},
	{"stderr_logfile_backups", NULL, NULL},
};

static const struct rule *rule_of(const char *name)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (strcmp(rules[i].name, name) == 0)
			return &rules[i];
	return NULL;
}

/* Sizes and numbers of kept files mean something for a file only. */
static bool is_about_no_file(const struct program *p, const char *name)
{
	const char *log = place_of(find(p, "stdout_logfile"));

	return strncmp(name, "stdout_logfile_", 15) == 0 && (!log || !*log);
}

static void take_entry(const struct program *p, const struct entry *e)
{
	const struct rule *rule = rule_of(e->name);

	if (!rule)
		draft_note(p->draft, e->line, "%s = %s: no counterpart", e->name, e->value);
	else if (is_about_no_file(p, e->name))
		return;
	else if (rule->take)
		rule->take(p, e);
	else if (rule->same)
		draft_set(p->draft, rule->same, "%s", expand(p, e));
}

static void finish_program(struct program *p)
{
	if (!p->name)
		return;
	draft_service(p->draft, p->name);
	if (!find(p, "command"))
		draft_note(p->draft, 0, "there is no command");
	/* supervisord goes on without a program that fails; muster would end the container */
	draft_set(p->draft, "essential", "no");
	for (unsigned i = 0; i < p->count; i++)
		take_entry(p, &p->entries[i]);
	p->name = NULL;
	p->count = 0;
}

/* ---- sections ---- */

static const char *fate_of_section(const char *section)
{
	if (strcmp(section, "supervisord") == 0)
		return "what is said of supervisord itself is not needed";
	if (strcmp(section, "include") == 0)
		return "convert each of the files, into conf.d/ beside muster.ini";
	if (strncmp(section, "group:", 6) == 0)
		return "there are no groups; musterctl takes several names";
	if (strncmp(section, "eventlistener:", 14) == 0)
		return "no event listeners; `musterctl events --json` tells the same";
	if (strncmp(section, "fcgi-program:", 13) == 0)
		return "write it as a service with `listen`";
	return "musterctl and muster's control socket need no section";
}

static bool on_section(void *user, uint32_t line, const char *name)
{
	struct reading *r = user;

	finish_program(&r->program);
	r->general = strcmp(name, "supervisord") == 0;
	if (strncmp(name, "program:", 8) == 0)
		r->program.name = name + 8;
	else
		draft_note(r->draft, line, "[%s]: %s", name, fate_of_section(name));
	return true;
}

/* Of what is said of supervisord itself, what its programs get as well. */
static bool is_inherited(const char *name)
{
	return strcmp(name, "environment") == 0 || strcmp(name, "user") == 0 ||
	       strcmp(name, "umask") == 0 || strcmp(name, "directory") == 0;
}

static bool on_key(void *user, uint32_t line, const char *name, const char *value, size_t len)
{
	struct reading *r = user;
	struct program *p = &r->program;

	(void)len;
	if (r->general && is_inherited(name))
		draft_note(r->draft, line, "%s = %s: say it of each service that is to have it",
			   name, value);
	if (!p->name)
		return true; /* its section was noted */
	if (p->count == KEYS_MAX) {
		snprintf(r->source->why, sizeof(r->source->why), "line %u: more than %d keys", line,
			 KEYS_MAX);
		r->failed = true;
		return false;
	}
	p->entries[p->count++] = (struct entry){line, name, value};
	return true;
}

static bool on_problem(void *user, uint32_t line, const char *what, const char *text)
{
	struct reading *r = user;

	snprintf(r->source->why, sizeof(r->source->why), "line %u: %s%s%.100s", line, what,
		 text ? ": " : "", text ? text : "");
	r->failed = true;
	return false;
}

bool convert_supervisord(struct draft *draft, struct convert_source *source)
{
	struct reading r = {
		.draft = draft,
		.source = source,
		.program = {.draft = draft, .path = source->path},
	};
	const struct reader_handler handler = {
		.user = &r, .section = on_section, .key = on_key, .problem = on_problem};
	struct reader_text text = {.bytes = source->text, .size = source->size};

	reader_parse(&text, &handler);
	if (r.failed)
		return false;
	finish_program(&r.program);
	if (draft->services == 0)
		snprintf(source->why, sizeof(source->why), "there is no [program:NAME]");
	return draft->services > 0;
}
