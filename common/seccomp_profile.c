/* SPDX-License-Identifier: MIT */
#include "seccomp_profile.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "arena.h"
#include "capability.h"
#include "config.h"
#include "json.h"
#include "reader.h"
#include "str.h"

#ifdef __aarch64__
#define NATIVE_WORD "arm64"
#else
#define NATIVE_WORD "amd64"
#endif

#define ERRNO_MAX     4095 /* the kernel takes no larger one */
#define ERRNO_DEFAULT 1    /* EPERM */

struct profile_reader {
	struct arena *arena;
	const struct seccomp_report *report;
	struct seccomp_profile *profile;
	unsigned problems;
	bool has_arch_map, has_architectures; /* with something in them */
};

/* ---- problems ---- */

#define TEXT_SIZE 256

static void tell(struct profile_reader *r, const struct json *at, const char *what,
		 const char *text)
{
	char message[TEXT_SIZE];

	r->problems++;
	snprintf(message, sizeof(message), text ? "%s, not \"%.60s\"" : "%s", what, text);
	r->report->problem(r->report->user, at->line, at->column, message);
}

static void note(const struct profile_reader *r, const struct json *at, const char *text)
{
	if (r->report->note)
		r->report->note(r->report->user, at->line, at->column, text);
}

static bool refuse(struct profile_reader *r, const struct json *at, const char *what)
{
	tell(r, at, what, at->kind == JSON_STRING || at->kind == JSON_NUMBER ? at->text : NULL);
	return false;
}

static void *allocate(struct profile_reader *r, const struct json *at, size_t count, size_t size)
{
	void *memory = arena_array(r->arena, count ? count : 1, size);

	if (!memory)
		tell(r, at, "out of memory", NULL);
	return memory;
}

/* ---- simple values ---- */

static bool read_number(struct profile_reader *r, const struct json *value, uint64_t max,
			const char *what, uint64_t *out)
{
	if (value->kind == JSON_NUMBER && parse_uint(value->text, max, out))
		return true;
	return refuse(r, value, what);
}

struct word {
	char word[24];
	uint8_t value;
};

static bool read_word(struct profile_reader *r, const struct json *value, const struct word *words,
		      size_t count, const char *what, uint8_t *out)
{
	for (size_t i = 0; value->kind == JSON_STRING && i < count; i++)
		if (strcmp(value->text, words[i].word) == 0) {
			*out = words[i].value;
			return true;
		}
	return refuse(r, value, what);
}

static bool is_list(struct profile_reader *r, const struct json *value)
{
	return value->kind == JSON_ARRAY || refuse(r, value, "expected a list");
}

static bool is_text(struct profile_reader *r, const struct json *value)
{
	return value->kind == JSON_STRING || refuse(r, value, "expected a text in quotes");
}

static bool are_texts(struct profile_reader *r, const struct json *value)
{
	if (!is_list(r, value))
		return false;
	for (const struct json *item = value->first; item; item = item->next)
		if (!is_text(r, item))
			return false;
	return true;
}

static bool read_action(struct profile_reader *r, const struct json *value, uint8_t *action)
{
	static const struct word words[] = {
		{"SCMP_ACT_KILL", ACTION_KILL_THREAD},
		{"SCMP_ACT_KILL_THREAD", ACTION_KILL_THREAD},
		{"SCMP_ACT_KILL_PROCESS", ACTION_KILL_PROCESS},
		{"SCMP_ACT_TRAP", ACTION_TRAP},
		{"SCMP_ACT_ERRNO", ACTION_ERRNO},
		{"SCMP_ACT_TRACE", ACTION_TRACE},
		{"SCMP_ACT_LOG", ACTION_LOG},
		{"SCMP_ACT_ALLOW", ACTION_ALLOW},
	};

	if (value->kind == JSON_STRING && strcmp(value->text, "SCMP_ACT_NOTIFY") == 0) {
		tell(r, value, "SCMP_ACT_NOTIFY: there is nobody to notify", NULL);
		return false;
	}
	return read_word(r, value, words, sizeof(words) / sizeof(words[0]),
			 "expected SCMP_ACT_ALLOW, _ERRNO, _KILL, _KILL_THREAD, _KILL_PROCESS, "
			 "_TRAP, _TRACE or _LOG",
			 action);
}

static bool read_errno(struct profile_reader *r, const struct json *value, uint16_t *out)
{
	uint64_t number;

	if (!read_number(r, value, ERRNO_MAX, "expected an error number from 0 to 4095", &number))
		return false;
	*out = (uint16_t)number;
	return true;
}

/* ---- objects ---- */

/* What an object may hold. `read` fills the thing that is being read. */
struct member {
	char name[20];
	bool (*read)(struct profile_reader *r, const struct json *value, void *into);
};

static const struct json *find_member(const struct json *object, const char *name)
{
	for (const struct json *value = object->first; value; value = value->next)
		if (strcasecmp(value->key, name) == 0)
			return value;
	return NULL;
}

static bool read_member(struct profile_reader *r, const struct json *object,
			const struct json *value, const struct member *members, size_t count,
			void *into)
{
	char message[TEXT_SIZE];

	for (size_t i = 0; i < count; i++) {
		if (strcasecmp(value->key, members[i].name) != 0)
			continue;
		snprintf(message, sizeof(message), "\"%s\" is given twice", members[i].name);
		if (find_member(object, members[i].name) != value) {
			tell(r, value, message, NULL);
			return false;
		}
		return value->kind == JSON_NULL || !members[i].read ||
		       members[i].read(r, value, into);
	}
	snprintf(message, sizeof(message), "the key \"%.60s\" is not known: passed over",
		 value->key);
	note(r, value, message);
	return true;
}

/* Reads all members, so that all problems are told. */
static bool read_object(struct profile_reader *r, const struct json *object,
			const struct member *members, size_t count, void *into)
{
	bool good = true;

	if (object->kind != JSON_OBJECT)
		return refuse(r, object, "expected an object in braces");
	for (const struct json *value = object->first; value; value = value->next)
		good &= read_member(r, object, value, members, count, into);
	return good;
}

/* Whether a member is there with a value; Docker takes null for nothing. */
static bool is_given(const struct json *object, const char *name)
{
	const struct json *value = object->kind == JSON_OBJECT ? find_member(object, name) : NULL;

	return value && value->kind != JSON_NULL;
}

#define MEMBERS(table) table, sizeof(table) / sizeof(table[0])

/* ---- conditions ---- */

static bool read_capabilities(struct profile_reader *r, const struct json *value, void *into)
{
	struct seccomp_condition *condition = into;

	if (!are_texts(r, value))
		return false;
	for (const struct json *item = value->first; item; item = item->next) {
		uint64_t set = 0;

		if (strncmp(item->text, "CAP_", 4) != 0 || !capability_parse(item->text, &set))
			condition->unknown_capability = true;
		condition->capabilities |= set;
	}
	return true;
}

static bool read_arches(struct profile_reader *r, const struct json *value, void *into)
{
	struct seccomp_condition *condition = into;

	if (!are_texts(r, value))
		return false;
	condition->has_arches = value->count > 0;
	for (const struct json *item = value->first; item; item = item->next)
		condition->native |= strcmp(item->text, NATIVE_WORD) == 0;
	return true;
}

/* "4.8": two numbers up to 255, not both of them 0. */
static bool parse_kernel(const char *text, uint16_t *out)
{
	const char *dot = strchr(text, '.');
	uint64_t version, revision;
	char first[8] = "";

	if (!dot || (size_t)(dot - text) >= sizeof(first))
		return false;
	memcpy(first, text, (size_t)(dot - text));
	if (!parse_uint(first, 255, &version) || !parse_uint(dot + 1, 255, &revision))
		return false;
	*out = SECCOMP_KERNEL(version, revision);
	return *out != 0;
}

static bool read_kernel(struct profile_reader *r, const struct json *value, void *into)
{
	struct seccomp_condition *condition = into;

	if (!is_text(r, value))
		return false;
	return !value->text[0] || parse_kernel(value->text, &condition->kernel) ||
	       refuse(r, value, "expected a kernel's version such as \"4.8\"");
}

static bool read_condition(struct profile_reader *r, const struct json *value,
			   struct seccomp_condition *condition)
{
	static const struct member members[] = {
		{"caps", read_capabilities},
		{"arches", read_arches},
		{"minKernel", read_kernel},
	};

	return read_object(r, value, MEMBERS(members), condition);
}

/* All that an "includes" names must be there. */
static bool is_included(const struct seccomp_condition *c, const struct seccomp_host *host)
{
	return (!c->has_arches || c->native) && !c->unknown_capability &&
	       (c->capabilities & ~host->capabilities) == 0 && c->kernel <= host->kernel;
}

/* Any that an "excludes" names is enough. */
static bool is_excluded(const struct seccomp_condition *c, const struct seccomp_host *host)
{
	return c->native || (c->capabilities & host->capabilities) != 0 ||
	       (c->kernel && c->kernel <= host->kernel);
}

bool seccomp_rule_applies(const struct seccomp_rule *rule, const struct seccomp_host *host)
{
	return is_included(&rule->includes, host) && !is_excluded(&rule->excludes, host);
}

/* ---- arguments ---- */

static bool read_index(struct profile_reader *r, const struct json *value, void *into)
{
	struct seccomp_argument *argument = into;
	uint64_t number;

	if (!read_number(r, value, 5, "expected an argument's number from 0 to 5", &number))
		return false;
	argument->index = (uint8_t)number;
	return true;
}

#define EXPECTED_VALUE "expected a whole number from 0 to 2^64 - 1"

static bool read_value(struct profile_reader *r, const struct json *value, void *into)
{
	return read_number(r, value, UINT64_MAX, EXPECTED_VALUE,
			   &((struct seccomp_argument *)into)->value);
}

static bool read_value_two(struct profile_reader *r, const struct json *value, void *into)
{
	return read_number(r, value, UINT64_MAX, EXPECTED_VALUE,
			   &((struct seccomp_argument *)into)->value_two);
}

static bool read_operator(struct profile_reader *r, const struct json *value, void *into)
{
	static const struct word words[] = {
		{"SCMP_CMP_NE", OPERATOR_NE},
		{"SCMP_CMP_LT", OPERATOR_LT},
		{"SCMP_CMP_LE", OPERATOR_LE},
		{"SCMP_CMP_EQ", OPERATOR_EQ},
		{"SCMP_CMP_GE", OPERATOR_GE},
		{"SCMP_CMP_GT", OPERATOR_GT},
		{"SCMP_CMP_MASKED_EQ", OPERATOR_MASKED_EQ},
	};

	return read_word(r, value, words, sizeof(words) / sizeof(words[0]),
			 "expected SCMP_CMP_NE, _LT, _LE, _EQ, _GE, _GT or _MASKED_EQ",
			 &((struct seccomp_argument *)into)->op);
}

static bool read_argument(struct profile_reader *r, const struct json *value,
			  struct seccomp_argument *argument)
{
	static const struct member members[] = {
		{"index", read_index},
		{"value", read_value},
		{"valueTwo", read_value_two},
		{"op", read_operator},
	};

	if (!read_object(r, value, MEMBERS(members), argument))
		return false;
	if (is_given(value, "op"))
		return true;
	tell(r, value, "\"op\" is missing", NULL);
	return false;
}

static bool read_arguments(struct profile_reader *r, const struct json *value, void *into)
{
	struct seccomp_rule *rule = into;
	bool good = true;

	if (!is_list(r, value))
		return false;
	rule->arguments = allocate(r, value, value->count, sizeof(*rule->arguments));
	if (!rule->arguments)
		return false;
	for (const struct json *item = value->first; item; item = item->next)
		good &= read_argument(r, item, &rule->arguments[rule->argument_count++]);
	return good;
}

/* ---- rules ---- */

static bool read_name(struct profile_reader *r, const struct json *value, void *into)
{
	struct seccomp_rule *rule = into;

	if (!is_text(r, value))
		return false;
	if (!value->text[0])
		return true;
	if (rule->name_count) {
		tell(r, value, "either \"name\" or \"names\" can be given", NULL);
		return false;
	}
	rule->names = allocate(r, value, 1, sizeof(*rule->names));
	if (!rule->names)
		return false;
	rule->names[rule->name_count++] = value->text;
	return true;
}

static bool read_names(struct profile_reader *r, const struct json *value, void *into)
{
	struct seccomp_rule *rule = into;

	if (!are_texts(r, value))
		return false;
	if (value->count && rule->name_count) {
		tell(r, value, "either \"name\" or \"names\" can be given", NULL);
		return false;
	}
	if (!value->count)
		return true;
	rule->names = allocate(r, value, value->count, sizeof(*rule->names));
	if (!rule->names)
		return false;
	for (const struct json *item = value->first; item; item = item->next)
		rule->names[rule->name_count++] = item->text;
	return true;
}

static bool read_rule_action(struct profile_reader *r, const struct json *value, void *into)
{
	return read_action(r, value, &((struct seccomp_rule *)into)->action);
}

static bool read_rule_errno(struct profile_reader *r, const struct json *value, void *into)
{
	return read_errno(r, value, &((struct seccomp_rule *)into)->errno_ret);
}

static bool read_includes(struct profile_reader *r, const struct json *value, void *into)
{
	return read_condition(r, value, &((struct seccomp_rule *)into)->includes);
}

static bool read_excludes(struct profile_reader *r, const struct json *value, void *into)
{
	return read_condition(r, value, &((struct seccomp_rule *)into)->excludes);
}

/* Which actions carry a number of an error. */
static bool has_errno(uint8_t action)
{
	return action == ACTION_ERRNO || action == ACTION_TRACE;
}

static void read_rule(struct profile_reader *r, const struct json *value, struct seccomp_rule *rule)
{
	static const struct member members[] = {
		{"names", read_names},        {"name", read_name},
		{"action", read_rule_action}, {"errnoRet", read_rule_errno},
		{"args", read_arguments},     {"includes", read_includes},
		{"excludes", read_excludes},  {"comment", NULL},
	};

	rule->errno_ret = ERRNO_DEFAULT;
	if (!read_object(r, value, MEMBERS(members), rule))
		return;
	if (!is_given(value, "action"))
		tell(r, value, "\"action\" is missing", NULL);
	else if (is_given(value, "errnoRet") && !has_errno(rule->action))
		tell(r, find_member(value, "errnoRet"), "this action has no \"errnoRet\"", NULL);
}

static bool read_rules(struct profile_reader *r, const struct json *value, void *into)
{
	struct seccomp_profile *profile = into;

	if (!is_list(r, value))
		return false;
	profile->rules = allocate(r, value, value->count, sizeof(*profile->rules));
	if (!profile->rules)
		return false;
	for (const struct json *item = value->first; item; item = item->next)
		read_rule(r, item, &profile->rules[profile->rule_count++]);
	return true;
}

/* ---- the whole ---- */

static bool read_default_action(struct profile_reader *r, const struct json *value, void *into)
{
	return read_action(r, value, &((struct seccomp_profile *)into)->action);
}

static bool read_default_errno(struct profile_reader *r, const struct json *value, void *into)
{
	return read_errno(r, value, &((struct seccomp_profile *)into)->errno_ret);
}

/* Which architectures there are is of no concern: ours always is one, and no other ever. */
static bool read_architectures(struct profile_reader *r, const struct json *value, void *into)
{
	(void)into;
	r->has_architectures = value->kind == JSON_ARRAY && value->count > 0;
	return are_texts(r, value);
}

static bool read_architecture(struct profile_reader *r, const struct json *value, void *into)
{
	(void)into;
	return is_text(r, value);
}

static bool read_arch_map(struct profile_reader *r, const struct json *value, void *into)
{
	static const struct member members[] = {
		{"architecture", read_architecture},
		{"subArchitectures", read_architectures},
	};
	bool outer = r->has_architectures, good = true;

	if (!is_list(r, value))
		return false;
	for (const struct json *item = value->first; item; item = item->next)
		good &= read_object(r, item, MEMBERS(members), into);
	r->has_architectures = outer;
	r->has_arch_map = value->count > 0;
	return good;
}

/* They change what is logged and how fast it is, not what is allowed. */
static bool read_flags(struct profile_reader *r, const struct json *value, void *into)
{
	(void)into;
	if (value->kind == JSON_ARRAY && value->count)
		note(r, value, "\"flags\" are passed over");
	return are_texts(r, value);
}

static void read_profile(struct profile_reader *r, const struct json *root)
{
	static const struct member members[] = {
		{"defaultAction", read_default_action},
		{"defaultErrnoRet", read_default_errno},
		{"archMap", read_arch_map},
		{"architectures", read_architectures},
		{"flags", read_flags},
		{"listenerPath", NULL},
		{"listenerMetadata", NULL},
		{"syscalls", read_rules},
	};

	r->profile->errno_ret = ERRNO_DEFAULT;
	if (!read_object(r, root, MEMBERS(members), r->profile))
		return;
	if (!is_given(root, "defaultAction"))
		tell(r, root, "\"defaultAction\" is missing", NULL);
	else if (is_given(root, "defaultErrnoRet") && !has_errno(r->profile->action))
		tell(r, find_member(root, "defaultErrnoRet"),
		     "\"defaultAction\" has no \"defaultErrnoRet\"", NULL);
	if (r->has_arch_map && r->has_architectures)
		tell(r, find_member(root, "architectures"),
		     "either \"archMap\" or \"architectures\" can be given", NULL);
}

const struct seccomp_profile *seccomp_profile_read(struct arena *arena, const char *path,
						   const struct seccomp_report *report)
{
	struct profile_reader r = {.arena = arena, .report = report};
	struct json_error error;
	struct reader_text text;
	const struct json *root;
	char why[TEXT_SIZE];

	if (!reader_load(arena, path, SECCOMP_PROFILE_MAX, &text, why, sizeof(why))) {
		report->problem(report->user, 0, 0, why);
		return NULL;
	}
	root = json_parse(arena, text.bytes, text.size, &error);
	if (!root) {
		report->problem(report->user, error.line, error.column, error.what);
		return NULL;
	}
	r.profile = allocate(&r, root, 1, sizeof(*r.profile));
	if (r.profile)
		read_profile(&r, root);
	return r.problems ? NULL : r.profile;
}

/* ---- the words of the key ---- */

bool seccomp_parse(const char *text, struct seccomp_config *out)
{
	struct seccomp_config found = {.asked = true};

	if (strncmp(text, "audit", 5) == 0 && (!text[5] || text[5] == ':')) {
		found.audit = true;
		text = text[5] ? text + 6 : "default";
	}
	if (strchr(text, '/')) {
		found.mode = SECCOMP_PROFILE;
		found.path = text;
	} else if (strcmp(text, "default") == 0) {
		found.mode = SECCOMP_DEFAULT;
	} else if (found.audit || strcmp(text, "unconfined") != 0) {
		return false;
	}
	*out = found;
	return true;
}
