/* SPDX-License-Identifier: MIT */
#include "config_load.h"

#include <signal.h>
#include <string.h>

#include "arena.h"
#include "expand.h"
#include "gpu_codes.h"
#include "hosts_file.h"
#include "sig.h"
#include "str.h"
#include "words.h"

/* All values of a configuration together may grow by this much. */
#define EXPANDED_MAX ((size_t)256 << 20)

/* ---- one small reader for each form: text to field ---- */

typedef bool read_value(const struct key *key, const char *text, void *field);

static bool read_text(const struct key *key, const char *text, void *field)
{
	(void)key;
	*(const char **)field = text;
	return true;
}

static bool read_name(const struct key *key, const char *text, void *field)
{
	return !name_problem(text) && read_text(key, text, field);
}

static bool read_path(const struct key *key, const char *text, void *field)
{
	return *text == '/' && read_text(key, text, field);
}

static bool read_bool(const struct key *key, const char *text, void *field)
{
	(void)key;
	return parse_bool(text, field);
}

static bool read_duration(const struct key *key, const char *text, void *field)
{
	uint32_t ms;

	if (!parse_duration(text, &ms) || ms < key->min || ms > key->max)
		return false;
	*(uint32_t *)field = ms;
	return true;
}

static bool read_size(const struct key *key, const char *text, void *field)
{
	uint64_t bytes;

	if (!parse_size(text, &bytes) || bytes < (uint64_t)key->min)
		return false;
	*(uint64_t *)field = bytes;
	return true;
}

/* "3" or "0-2". */
static bool add_cpus(const char *text, cpu_set_t *cpus)
{
	const char *dash = strchr(text, '-');
	uint64_t first, last;
	char begin[8];

	if (dash && (size_t)(dash - text) >= sizeof(begin))
		return false;
	memcpy(begin, text, dash ? (size_t)(dash - text) : 0);
	begin[dash ? dash - text : 0] = '\0';
	if (!parse_uint(dash ? dash + 1 : text, CPU_SETSIZE - 1, &last))
		return false;
	first = last;
	if (dash && (!parse_uint(begin, CPU_SETSIZE - 1, &first) || first > last))
		return false;
	for (; first <= last; first++)
		CPU_SET(first, cpus);
	return true;
}

static bool read_cpus(const struct key *key, const char *text, void *field)
{
	cpu_set_t *cpus = field;
	char part[16];
	size_t len, used;

	(void)key;
	CPU_ZERO(cpus);
	for (;; text += len + 1) {
		text += strspn(text, " \t");
		len = used = strcspn(text, ",");
		while (used && strchr(" \t", text[used - 1]))
			used--;
		if (used >= sizeof(part))
			return false;
		memcpy(part, text, used);
		part[used] = '\0';
		if (!add_cpus(part, cpus))
			return false;
		if (text[len] == '\0')
			return true;
	}
}

static bool read_number(const struct key *key, const char *text, void *field)
{
	bool negative = *text == '-';
	uint64_t number;
	int64_t value;

	if (!parse_uint(text + negative, INT32_MAX, &number))
		return false;
	value = negative ? -(int64_t)number : (int64_t)number;
	if (value < key->min || value > key->max)
		return false;
	*(int64_t *)field = value;
	return true;
}

static bool read_word(const struct key *key, const char *text, void *field)
{
	for (uint8_t i = 0; key->words[i]; i++) {
		if (strcmp(text, key->words[i]) == 0) {
			*(uint8_t *)field = i;
			return true;
		}
	}
	return false;
}

static bool read_signal(const struct key *key, const char *text, void *field)
{
	int signal = sig_parse(text);

	(void)key;
	if (signal <= 0 || signal == SIGSTOP)
		return false;
	*(uint8_t *)field = (uint8_t)signal;
	return true;
}

static bool read_mask(const struct key *key, const char *text, void *field)
{
	unsigned mask;

	(void)key;
	if (!parse_octal(text, &mask))
		return false;
	*(int64_t *)field = mask;
	return true;
}

static bool read_log(const struct key *key, const char *text, void *field)
{
	static const char *const modes[] = {"inherit", "prefix", "json", "none"};
	static const uint8_t values[] = {LOG_INHERIT, LOG_PREFIX, LOG_JSON, LOG_NONE};
	size_t count = key->section == SECTION_MUSTER ? 3 : 4;
	struct log_draft *log = field;

	if (count == 4 && strncmp(text, "file:/", 6) == 0) {
		*log = (struct log_draft){LOG_FILE, text + 5};
		return true;
	}
	for (size_t i = 0; i < count; i++) {
		if (strcmp(text, modes[i]) == 0) {
			*log = (struct log_draft){values[i], NULL};
			return true;
		}
	}
	return false;
}

static bool read_parallel(const struct key *key, const char *text, void *field)
{
	uint64_t number = PARALLEL_AUTO;

	(void)key;
	if (strcmp(text, "unlimited") == 0)
		number = PARALLEL_UNLIMITED;
	else if (strcmp(text, "auto") != 0 && (!parse_uint(text, 100000, &number) || number == 0))
		return false;
	*(uint32_t *)field = (uint32_t)number;
	return true;
}

/* Copies the text before `separator` to `first`; what is behind it, or NULL. */
static const char *split_at(const char *text, const char *separator, char *first, size_t size)
{
	const char *found = strstr(text, separator);
	size_t len = found ? (size_t)(found - text) : 0;

	if (!found || len >= size)
		return NULL;
	memcpy(first, text, len);
	first[len] = '\0';
	return found + strlen(separator);
}

static bool read_cores(const struct key *key, const char *text, void *field)
{
	uint64_t cores, unit = CPU_PERIOD;
	char whole[8];
	const char *digits = split_at(text, ".", whole, sizeof(whole));

	(void)key;
	if (!parse_uint(digits ? whole : text, 10000, &cores) ||
	    (digits && (!*digits || digits[strspn(digits, "0123456789")])))
		return false;
	cores *= unit;
	for (; digits && *digits && unit > 1; digits++)
		cores += (uint64_t)(*digits - '0') * (unit /= 10);
	*(uint32_t *)field = (uint32_t)cores;
	return cores >= CPU_PERIOD / 100; /* the least that the kernel takes */
}

static bool read_backoff(const struct key *key, const char *text, void *field)
{
	struct range_draft range;
	char first[24];
	const char *second = split_at(text, "..", first, sizeof(first));

	(void)key;
	if (!parse_duration(second ? first : text, &range.first) ||
	    !parse_duration(second ? second : text, &range.second) || range.first > range.second)
		return false;
	*(struct range_draft *)field = range;
	return true;
}

static bool read_rate(const struct key *key, const char *text, void *field)
{
	struct range_draft *rate = field;
	uint64_t count = 0;
	uint32_t window = 0;
	char first[24];
	const char *second = split_at(text, "/", first, sizeof(first));

	(void)key;
	if (strcmp(text, "unlimited") != 0 &&
	    (!second || !parse_uint(first, 1000000, &count) || count == 0 ||
	     !parse_duration(second, &window) || window == 0))
		return false;
	*rate = (struct range_draft){(uint32_t)count, window};
	return true;
}

static bool parse_limit(const struct key *key, const char *text, rlim_t *out)
{
	uint64_t value;

	if (strcmp(text, "unlimited") == 0) {
		*out = RLIM_INFINITY;
		return true;
	}
	if (key->max ? !parse_size(text, &value) : !parse_uint(text, UINT64_MAX, &value))
		return false;
	*out = (rlim_t)value;
	return *out != RLIM_INFINITY;
}

static bool read_limit(const struct key *key, const char *text, void *field)
{
	struct limits_draft *limits = field;
	struct rlimit limit;
	char soft[32];
	const char *hard = split_at(text, ":", soft, sizeof(soft));

	if (!parse_limit(key, hard ? soft : text, &limit.rlim_cur) ||
	    !parse_limit(key, hard ? hard : text, &limit.rlim_max) ||
	    limit.rlim_cur > limit.rlim_max)
		return false;
	limits->value[key->min] = limit;
	limits->set[key->min] = true;
	return true;
}

static bool read_change(const struct key *key, const char *text, void *field)
{
	int signal;

	(void)key;
	if (strcmp(text, "ignore") == 0 || strcmp(text, "restart") == 0) {
		*(uint8_t *)field = *text == 'r' ? CHANGE_RESTART : CHANGE_IGNORE;
		return true;
	}
	signal = strncmp(text, "signal:", 7) == 0 ? sig_parse(text + 7) : 0;
	*(uint8_t *)field = (uint8_t)signal;
	return signal > 0;
}

static bool read_hosts(const struct key *key, const char *text, void *field)
{
	bool yes;

	if (*text == '/')
		return read_text(key, text, field);
	if (!parse_bool(text, &yes))
		return false;
	*(const char **)field = yes ? HOSTS_PATH : NULL;
	return true;
}

static bool read_gpu(const struct key *key, const char *text, void *field)
{
	uint64_t major, minor;
	char first[4];
	const char *second = split_at(text, ".", first, sizeof(first));

	if (strcmp(text, GPU_ANY) != 0 &&
	    (!second || !parse_uint(first, 99, &major) || !major || !parse_uint(second, 9, &minor)))
		return false;
	return read_text(key, text, field);
}

static read_value *const readers[] = {
	[KEY_TEXT] = read_text,         [KEY_NAME] = read_name,
	[KEY_PATH] = read_path,         [KEY_BOOL] = read_bool,
	[KEY_DURATION] = read_duration, [KEY_SIZE] = read_size,
	[KEY_NUMBER] = read_number,     [KEY_WORD] = read_word,
	[KEY_SIGNAL] = read_signal,     [KEY_MASK] = read_mask,
	[KEY_LOG] = read_log,           [KEY_PARALLEL] = read_parallel,
	[KEY_BACKOFF] = read_backoff,   [KEY_RATE] = read_rate,
	[KEY_LIMIT] = read_limit,       [KEY_CHANGE] = read_change,
	[KEY_HOSTS] = read_hosts,       [KEY_CPUS] = read_cpus,
	[KEY_CORES] = read_cores,       [KEY_GPU] = read_gpu,
};

/* ---- expansion ---- */

static const char *find_variable(void *user, const char *name, size_t len)
{
	return load_variable(user, name, len);
}

static const char *find_address(void *user, const char *text, size_t len, const char **error)
{
	return load_address(user, text, len, error);
}

/* Expanded text of a part of the entry's value; NULL: reported. */
static const char *value_expand(struct load *load, const struct entry *entry, uint32_t line,
				const char *text)
{
	const struct expand_source source = {load, find_variable, find_address};
	const char *error, *value = expand(load->scratch, text, &source, &error);

	if (value && value != text)
		load->expanded += strlen(value);
	if (value && load->expanded > EXPANDED_MAX) {
		value = NULL;
		error = "the values grow too large, all together";
	}
	if (!value)
		report_line(load, entry, line, "%s", error);
	return value;
}

const char *value_expand_following(struct load *load, const struct entry *entry, uint32_t line,
				   const char *text)
{
	load->follows = true;
	text = value_expand(load, entry, line, text);
	load->follows = false;
	return text;
}

/* Forms that have no room for a `;`: there one ends the value without a blank before it, too, as in
 * `${MODE:-auto}; development or testing`. */
#define FORM(form) (UINT32_C(1) << (form))
#define FORMS_WITHOUT_SEMICOLON                                                                    \
	(FORM(KEY_BOOL) | FORM(KEY_DURATION) | FORM(KEY_SIZE) | FORM(KEY_NUMBER) |                 \
	 FORM(KEY_CPUS) | FORM(KEY_CORES) | FORM(KEY_WORD) | FORM(KEY_SIGNAL) | FORM(KEY_MASK) |   \
	 FORM(KEY_PARALLEL) | FORM(KEY_BACKOFF) | FORM(KEY_RATE) | FORM(KEY_LIMIT))

static const char *without_comment(struct load *load, const struct entry *entry)
{
	const char *text = entry->value;
	unsigned depth = 0;

	if (!(FORMS_WITHOUT_SEMICOLON & FORM(entry->key->form)) || entry->file == FILE_ENVIRONMENT)
		return text;
	for (size_t i = 0; text[i]; i++) {
		depth += text[i] == '{';
		depth -= depth && text[i] == '}';
		/* strchr finds the end of the text, too */
		if (i && !depth && text[i] == ';' && strchr(" \t", text[i + 1]))
			return load_strndup(load, text, i);
	}
	return text;
}

bool value_scalar(struct load *load, struct entry *entry, const char **text)
{
	char accepts[256], q[QUOTE_SIZE];
	const char *error, *raw;

	if (entry->len == 0) {
		report_entry(load, entry, "there is no value; expected %s",
			     key_accepts(entry->key, accepts, sizeof(accepts)));
		return false;
	}
	if (strchr(entry->value, '\n')) {
		report_entry(load, entry, "%s: the value must be on one line",
			     quote(q, entry->value));
		return false;
	}
	raw = words_unquote(load->scratch, without_comment(load, entry), &error);
	if (!raw) {
		report_entry(load, entry, "%s: %s", quote(q, entry->value), error);
		return false;
	}
	*text = value_expand(load, entry, entry->line, raw);
	entry->ignored = *text && **text == '\0';
	return *text && !entry->ignored;
}

/* ---- commands ---- */

/* Words of a shell that no shell is going to see. */
static bool is_shell_word(const struct word *word)
{
	static const char *const shell[] = {"|", "||", "&", "&&", ";",
					    ">", ">>", "<", "2>", "2>&1"};

	for (size_t i = 0; !word->quoted && i < sizeof(shell) / sizeof(shell[0]); i++)
		if (strcmp(word->text, shell[i]) == 0)
			return true;
	return false;
}

static bool add_word(struct load *load, const struct entry *entry, const struct word *word,
		     bool expands, const char **argv, size_t *count)
{
	const char *text = word->text;
	char q[QUOTE_SIZE];

	if (is_shell_word(word))
		warn_line(load, entry, entry->line,
			  "%s is passed to the program as it is, since no shell is run; use sh -c "
			  "'...' for one",
			  quote(q, text));
	if (expands)
		text = value_expand_following(load, entry, entry->line, text);
	if (text && (*text || word->quoted))
		argv[(*count)++] = text;
	return text != NULL;
}

char *const *value_command(struct load *load, const struct entry *entry, const char *text,
			   bool expands)
{
	struct words words;
	const char *error = words_split(load->scratch, text, expands, &words);
	const char **argv = load_alloc(load, words.count + 1, sizeof(*argv));
	size_t count = 0;
	bool good = true;
	char q[QUOTE_SIZE];

	if (error) {
		report_entry(load, entry, "%s: %s", quote(q, text), error);
		return NULL;
	}
	for (size_t i = 0; i < words.count && good; i++)
		good = add_word(load, entry, &words.list[i], expands, argv, &count);
	if (!good)
		return NULL;
	if (count == 0 || *argv[0] == '\0') {
		report_entry(load, entry,
			     "there is no program; expected a program and its arguments");
		return NULL;
	}
	return load_intern_list(load, (char *const *)argv, count);
}

/* ---- lists ---- */

static void add_item(struct load *load, struct items *items, uint32_t *room, const char *text,
		     size_t len, uint32_t line)
{
	while (len > 0 && strchr(" \t\r", text[len - 1]))
		len--;
	if (len == 0)
		return;
	items->list =
		load_grow(load, items->list, (uint32_t)items->count, room, sizeof(*items->list));
	items->list[items->count++] = (struct item){load_strndup(load, text, len), line};
}

/* The parts between commas and line breaks; a part may stand in quotes. */
static void split_items(struct load *load, struct items *items, uint32_t *room, const char *text,
			uint32_t line)
{
	while (*text) {
		const char *closing;
		size_t len;

		text += strspn(text, " \t,\n");
		closing = *text == '"' || *text == '\'' ? strchr(text + 1, *text) : NULL;
		if (closing && closing[1 + strspn(closing + 1, " \t")] != '\0' &&
		    !strchr(",\n", closing[1 + strspn(closing + 1, " \t")]))
			closing = NULL;
		if (closing) {
			add_item(load, items, room, text + 1, (size_t)(closing - text - 1), line);
			text = closing + 1;
			continue;
		}
		len = strcspn(text, ",\n");
		add_item(load, items, room, text, len, line);
		text += len;
	}
}

/* The value line by line, as it was written. */
struct items value_lines(struct load *load, const struct entry *entry)
{
	struct items items = {0};
	uint32_t room = 0, line = entry ? entry->line : 0;
	const char *p = entry ? entry->value : NULL;

	for (; p; line++) {
		size_t len = strcspn(p, "\n"), indent = strspn(p, " \t");

		if (indent < len)
			add_item(load, &items, &room, p + indent, len - indent, line);
		p = p[len] ? p + len + 1 : NULL;
	}
	return items;
}

struct items value_items(struct load *load, const struct entry *entry)
{
	struct items lines = value_lines(load, entry), items = {0};
	uint32_t room = 0;

	for (size_t i = 0; i < lines.count; i++) {
		const struct item *line = &lines.list[i];
		const char *text = value_expand(load, entry, line->line, line->text);

		if (text)
			split_items(load, &items, &room, text, line->line);
	}
	return items;
}

struct items value_items_of(struct load *load, const char *text, uint32_t line)
{
	struct items items = {0};
	uint32_t room = 0;

	split_items(load, &items, &room, text, line);
	return items;
}

const char *value_expand_quietly(struct load *load, const char *text, const char **error)
{
	const struct expand_source source = {load, find_variable, find_address};

	return expand(load->scratch, text, &source, error);
}

/* ---- entries ---- */

/* A signal that there is, and cannot be had here, is no slip. */
static struct suggestion suggest_signal(const char *text)
{
	struct suggestion suggestion = suggest_begin(text + (strncmp(text, "SIG", 3) ? 0 : 3));
	char none[16];

	for (int signo = 1; signo < SIGSYS && sig_parse(text) < 0; signo++)
		suggest_offer(&suggestion, sig_name(signo, none, sizeof(none)));
	return suggestion;
}

static struct suggestion suggest_value(const struct key *key, const char *text)
{
	static const char *const logs[] = {"inherit", "prefix", "json", NULL};
	static const char *const parallels[] = {"auto", "unlimited", NULL};
	const char *const *words = key->form == KEY_WORD       ? key->words
				   : key->form == KEY_LOG      ? logs
				   : key->form == KEY_PARALLEL ? parallels
							       : logs + 3;
	struct suggestion suggestion = suggest_begin(text);

	if (key->form == KEY_SIGNAL)
		return suggest_signal(text);
	for (; *words; words++)
		suggest_offer(&suggestion, *words);
	return suggestion;
}

static void report_value(struct load *load, const struct entry *entry, const char *text)
{
	const struct key *key = entry->key;
	struct suggestion suggestion = suggest_value(key, text);
	char q[QUOTE_SIZE], hint[SUGGEST_SIZE], accepts[256];

	report_entry(load, entry, "%s: expected %s%s", quote(q, text),
		     key_accepts(key, accepts, sizeof(accepts)), suggest_text(&suggestion, hint));
}

static void value_read(struct load *load, struct entry *entry, void *draft)
{
	void *field = (char *)draft + entry->key->offset;
	const char *text;

	switch (entry->key->form) {
	case KEY_LIST:
	case KEY_LINES:
	case KEY_PROBE:
	case KEY_ADDRESS:
	case KEY_URL:
		*(struct entry **)field = entry;
		break;
	case KEY_COMMAND:
		*(char *const **)field = value_command(load, entry, entry->value, true);
		break;
	default:
		if (value_scalar(load, entry, &text) &&
		    !readers[entry->key->form](entry->key, text, field))
			report_value(load, entry, text);
	}
}

void values_read(struct load *load, struct section *section, void *draft)
{
	for (struct entry *entry = section->entries; entry; entry = entry->next)
		value_read(load, entry, draft);
}

void values_defaults(struct load *load, enum section_kind kind, void *draft)
{
	struct section nowhere = {.header = section_word(kind)};

	for (size_t i = 0; i < key_count; i++) {
		struct entry entry = {.key = &keys[i], .section = &nowhere};

		if (keys[i].section != kind)
			continue;
		if (!keys[i].fallback && (keys[i].form == KEY_NUMBER || keys[i].form == KEY_MASK))
			*(int64_t *)(void *)((char *)draft + keys[i].offset) = NUMBER_NONE;
		if (!keys[i].fallback || keys[i].no_parse)
			continue;
		entry.value = keys[i].fallback;
		entry.len = strlen(entry.value);
		value_read(load, &entry, draft);
	}
}
