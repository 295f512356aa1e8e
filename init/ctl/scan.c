/* SPDX-License-Identifier: MIT */
#include "scan.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "args.h"
#include "ctl.h"
#include "fd.h"
#include "json_out.h"
#include "log.h"
#include "text.h"

#define BINARY_PREFIX 8192
#define APART_MAX     10000 /* entries of the second list in JSON */

enum pass { PASS_LIST, PASS_DIFF, PASS_WRITE };

/* What is reported apart, kept until the list of addresses is complete. */
struct apart {
	char *path, *text;
	enum scan_class class;
	unsigned line, column;
};

struct scan {
	const struct ctl *ctl;
	struct scan_book *book;
	enum pass pass;
	bool json, all, failed;
	struct json_out out;
	char *bytes, *marks; /* of the file at hand */
	size_t size;
	const char *path;
	enum scan_kind kind;
	struct scan_edit *edits; /* of the file at hand */
	size_t edit_count, edit_room;
	struct apart *apart;
	size_t apart_count;
	unsigned counts[SCAN_CLASSES];
	unsigned files, with_addresses, too_large, unreadable;
	unsigned fixable, fixed;
	uint64_t *shown; /* per file whose difference was shown: what it held */
	size_t shown_count, shown_room;
	bool fix;
	bool expands; /* a file whose reader has to know ${NAME} is changed */
};

/* ---- output ---- */

static char *copy_literal(const struct scan *scan, const struct scan_hit *hit,
			  char out[ENDPOINT_SIZE])
{
	size_t len = hit->len < ENDPOINT_SIZE ? hit->len : ENDPOINT_SIZE - 1;

	memcpy(out, scan->bytes + hit->at, len);
	out[len] = '\0';
	return out;
}

static void print_hit(const struct scan *scan, const struct scan_hit *hit,
		      const struct scan_match *match, const char *suggestion)
{
	char literal[ENDPOINT_SIZE], clean[PATH_MAX];
	bool colour = scan->ctl->colour;

	text_clean(clean, sizeof(clean), scan->path, 0);
	printf("%s:%u:%u: %s%s%s", clean, hit->line, hit->column,
	       colour_begin(colour ? COLOUR_BOLD : COLOUR_NONE), copy_literal(scan, hit, literal),
	       colour_end(colour ? COLOUR_BOLD : COLOUR_NONE));
	if (hit->class != SCAN_ADDRESS)
		printf(" (%s)", scan_class_name(hit->class));
	else if (match->name)
		printf(" is %s (%s%s%s)", match->name, match->by, match->mode ? " in mode " : "",
		       match->mode ? match->mode : "");
	else
		printf(" is not in the book");
	if (suggestion[0])
		printf(": %s%s%s", colour_begin(colour ? COLOUR_GREEN : COLOUR_NONE), suggestion,
		       colour_end(colour ? COLOUR_GREEN : COLOUR_NONE));
	putchar('\n');
}

static void write_place(struct json_out *json, const char *path, unsigned line, unsigned column,
			const char *text, enum scan_class class)
{
	json_object_begin(json, NULL);
	json_text(json, "file", path);
	json_uint(json, "line", line);
	json_uint(json, "column", column);
	json_text(json, "text", text);
	json_text(json, "class", scan_class_name(class));
}

static void write_hit(struct scan *scan, const struct scan_hit *hit, const struct scan_match *match,
		      const char *suggestion)
{
	struct json_out *json = &scan->out;
	char literal[ENDPOINT_SIZE];

	write_place(json, scan->path, hit->line, hit->column, copy_literal(scan, hit, literal),
		    hit->class);
	json_text(json, "format", scan_kind_name(scan->kind));
	json_text(json, "host", hit->host);
	if (hit->port)
		json_uint(json, "port", hit->port);
	else
		json_nothing(json, "port");
	json_text(json, "name", match->name);
	json_text(json, "matched_by", match->by);
	json_text(json, "mode", match->mode);
	json_text(json, "suggestion", suggestion[0] ? suggestion : NULL);
	json_bool(json, "fixable", scan_can_fix(scan->kind, hit, match));
	json_object_end(json);
}

static void keep_apart(struct scan *scan, const struct scan_hit *hit)
{
	char literal[ENDPOINT_SIZE];
	struct apart *one;

	if (scan->apart_count == APART_MAX)
		return;
	if (!scan->apart)
		scan->apart = calloc(APART_MAX, sizeof(*scan->apart));
	if (!scan->apart) {
		scan->failed = true;
		return;
	}
	one = &scan->apart[scan->apart_count++];
	*one = (struct apart){strdup(scan->path), strdup(copy_literal(scan, hit, literal)),
			      hit->class, hit->line, hit->column};
}

static void write_apart(struct scan *scan)
{
	for (size_t i = 0; i < scan->apart_count; i++) {
		struct apart *one = &scan->apart[i];

		write_place(&scan->out, one->path, one->line, one->column, one->text, one->class);
		json_object_end(&scan->out);
		free(one->path);
		free(one->text);
	}
	free(scan->apart);
}

/* ---- a file ---- */

static void add_edit(struct scan *scan, const struct scan_hit *hit, const char *suggestion)
{
	struct scan_edit *grown;

	if (scan->edit_count == scan->edit_room) {
		scan->edit_room = scan->edit_room ? scan->edit_room * 2 : 16;
		grown = realloc(scan->edits, scan->edit_room * sizeof(*grown));
		if (!grown) {
			scan->failed = true;
			return;
		}
		scan->edits = grown;
	}
	grown = &scan->edits[scan->edit_count++];
	*grown = (struct scan_edit){.at = hit->at, .len = hit->len};
	memcpy(grown->text, suggestion, strlen(suggestion) + 1);
}

static void take_apart(struct scan *scan, const struct scan_hit *hit)
{
	const struct scan_match none = {0};

	if (scan->json)
		keep_apart(scan, hit);
	else if (scan->all)
		print_hit(scan, hit, &none, "");
}

static bool take_hit(void *user, const struct scan_hit *hit)
{
	struct scan *scan = user;
	struct scan_match match;
	char suggestion[SUGGESTION_SIZE];

	if (scan->pass != PASS_LIST && hit->class != SCAN_ADDRESS)
		return true;
	if (scan->pass == PASS_LIST)
		scan->counts[hit->class]++;
	if (hit->class != SCAN_ADDRESS) {
		take_apart(scan, hit);
		return !scan->failed;
	}
	scan_book_match(scan->book, hit, &match);
	scan_suggest(scan->kind, hit, &match, suggestion);
	if (scan_can_fix(scan->kind, hit, &match)) {
		add_edit(scan, hit, suggestion);
		scan->fixable += scan->pass == PASS_LIST;
	}
	if (scan->pass != PASS_LIST || (scan->fix && scan_can_fix(scan->kind, hit, &match)))
		return !scan->failed;
	if (scan->json)
		write_hit(scan, hit, &match, suggestion);
	else
		print_hit(scan, hit, &match, suggestion);
	return !scan->failed;
}

/* The whole file, if it is text and not too large; -errno: it cannot be read. */
static ssize_t read_file(struct scan *scan, int fd)
{
	ssize_t size = fd_read_all(fd, scan->bytes, SCAN_FILE_MAX + 1);

	if (size > (ssize_t)SCAN_FILE_MAX) {
		scan->too_large += scan->pass == PASS_LIST;
		return 0;
	}
	if (size > 0 &&
	    memchr(scan->bytes, '\0', size < BINARY_PREFIX ? (size_t)size : BINARY_PREFIX))
		return 0;
	return size;
}

/* FNV-1a of the path and the text: what is written is what was shown. */
static uint64_t sum_of_file(const struct scan *scan)
{
	uint64_t sum = 0xcbf29ce484222325;

	for (const char *at = scan->path; *at; at++)
		sum = (sum ^ (unsigned char)*at) * 0x100000001b3;
	for (size_t i = 0; i < scan->size; i++)
		sum = (sum ^ (unsigned char)scan->bytes[i]) * 0x100000001b3;
	return sum;
}

static void show_difference(struct scan *scan)
{
	uint64_t *grown = scan->shown;

	if (scan->shown_count == scan->shown_room) {
		scan->shown_room = scan->shown_room ? scan->shown_room * 2 : 64;
		grown = realloc(scan->shown, scan->shown_room * sizeof(*grown));
		if (!grown) {
			scan->failed = true;
			return;
		}
		scan->shown = grown;
	}
	grown[scan->shown_count++] = sum_of_file(scan);
	scan->expands |= scan->kind != KIND_MUSTER && scan->kind != KIND_SUPERVISORD;
	scan_diff(stdout, scan->path, scan->bytes, scan->size, scan->edits, scan->edit_count);
}

static bool was_shown(const struct scan *scan)
{
	uint64_t sum = sum_of_file(scan);

	for (size_t i = 0; i < scan->shown_count; i++)
		if (scan->shown[i] == sum)
			return true;
	return false;
}

static void write_file(struct scan *scan, int folder, const char *name, int fd)
{
	const char *why = "it has changed since";
	char text[200];

	if (was_shown(scan))
		why = scan_replace(folder, name, fd, scan->bytes, scan->size, scan->edits,
				   scan->edit_count);
	snprintf(text, sizeof(text), "not changed: %s", why ? why : "");
	if (why)
		scan_say(scan->path, text);
	else
		scan->fixed += (unsigned)scan->edit_count;
}

static bool scan_file(void *user, int folder, const char *name, const char *path, int fd)
{
	struct scan *scan = user;
	struct scan_text text = {.known = scan_book_knows, .user = scan->book};
	ssize_t size = read_file(scan, fd);
	unsigned before = scan->counts[SCAN_ADDRESS];

	if (size < 0) {
		scan_say(path, strerror((int)-size));
		scan->unreadable++;
		return true;
	}
	scan->size = (size_t)size;
	scan->path = path;
	scan->kind = scan_kind_of(path, scan->bytes, scan->size);
	if (!size || scan->kind == KIND_SKIPPED ||
	    (scan->pass != PASS_LIST && !scan_kind_fixable(scan->kind)))
		return true;
	scan->edit_count = 0;
	scan_marks(scan_syntax_of(scan->kind), scan->bytes, scan->size, scan->marks);
	text.kind = scan->kind;
	text.bytes = scan->bytes;
	text.size = scan->size;
	text.marks = scan->marks;
	scan_find(&text, take_hit, scan);
	if (scan->pass == PASS_DIFF && scan->edit_count)
		show_difference(scan);
	if (scan->pass == PASS_WRITE && scan->edit_count)
		write_file(scan, folder, name, fd);
	scan->files += scan->pass == PASS_LIST;
	scan->with_addresses += scan->counts[SCAN_ADDRESS] != before;
	return !scan->failed;
}

/* ---- the tree ---- */

static bool walk_all(struct scan *scan, enum pass pass, const struct arg_list *ignored,
		     char **paths)
{
	struct scan_walk walk = {.ignored = ignored, .file = scan_file, .user = scan};
	bool good = true;

	scan->pass = pass;
	for (; *paths && !scan->failed; paths++)
		good &= scan_walk(&walk, *paths);
	if (pass == PASS_LIST)
		scan->unreadable += walk.unreadable;
	if (scan->failed)
		log_error("no memory");
	return good && !scan->failed;
}

static void write_all(struct scan *scan, const struct arg_list *ignored, char **paths, bool *good)
{
	json_begin(&scan->out, stdout, true);
	json_object_begin(&scan->out, NULL);
	json_array_begin(&scan->out, "findings");
	*good = walk_all(scan, PASS_LIST, ignored, paths);
	json_array_end(&scan->out);
	json_array_begin(&scan->out, "apart");
	write_apart(scan);
	json_array_end(&scan->out);
	json_object_begin(&scan->out, "counts");
	for (unsigned i = 0; i < SCAN_CLASSES; i++)
		json_uint(&scan->out, scan_class_name(i), scan->counts[i]);
	json_object_end(&scan->out);
	json_uint(&scan->out, "files", scan->files);
	json_uint(&scan->out, "unreadable", scan->unreadable);
	json_uint(&scan->out, "too_large", scan->too_large);
	json_object_end(&scan->out);
	json_end(&scan->out);
}

static void say_apart(const struct scan *scan)
{
	char text[200] = "";
	size_t used = 0;

	for (unsigned i = SCAN_ADDRESS + 1; i < SCAN_CLASSES; i++)
		if (scan->counts[i])
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%u %s",
						 used ? ", " : "", scan->counts[i],
						 scan_class_name(i));
	if (used)
		log_info("reported apart: %s%s", text,
			 scan->all || scan->json ? "" : " (--all lists them)");
}

static void say_result(const struct scan *scan)
{
	unsigned found = scan->counts[SCAN_ADDRESS];

	log_info("%u hard-coded address%s in %u of %u files", found, found == 1 ? "" : "es",
		 scan->with_addresses, scan->files);
	say_apart(scan);
	if (scan->too_large)
		log_warning("%u file%s larger than 4 MiB: not looked at", scan->too_large,
			    scan->too_large == 1 ? "" : "s");
	if (found && !scan_book_count(scan->book))
		log_info("no configuration with addresses was read: -c FILE names one");
}

/* ---- --fix ---- */

/* What a person says on the terminal. */
static bool ask(const struct scan *scan)
{
	char answer[16] = "";

	fprintf(stderr, "replace %u address%s as shown? [y/N] ", scan->fixable,
		scan->fixable == 1 ? "" : "es");
	fflush(stderr);
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

static bool is_agreed(const struct scan *scan, bool yes)
{
	if (yes)
		return true;
	if (isatty(STDIN_FILENO) && scan->ctl->err_is_terminal)
		return ask(scan);
	log_info("nothing was written: --yes does");
	return false;
}

static void fix_all(struct scan *scan, const struct arg_list *ignored, char **paths, bool yes)
{
	if (!scan->fixable) {
		log_info("none of them can be replaced safely");
		return;
	}
	walk_all(scan, PASS_DIFF, ignored, paths);
	fflush(stdout);
	if (scan->failed || !is_agreed(scan, yes))
		return;
	walk_all(scan, PASS_WRITE, ignored, paths);
	log_info("%u address%s replaced", scan->fixed, scan->fixed == 1 ? "" : "es");
	if (scan->fixed && scan->expands)
		log_info("what reads these files has to know ${NAME}; `export` of the address "
			 "gives it "
			 "to services");
}

/* ---- the verb ---- */

static int result_of(const struct scan *scan, bool good)
{
	if (scan->failed)
		return CTL_FALSE;
	if (scan->counts[SCAN_ADDRESS] > scan->fixed)
		return CTL_FALSE;
	if (!good)
		return CTL_NOT_FOUND;
	return scan->unreadable ? CTL_REFUSED : CTL_DONE;
}

static int scan_all(struct scan *scan, const struct arg_list *ignored, char **paths, bool yes)
{
	bool good;

	if (scan->json)
		write_all(scan, ignored, paths, &good);
	else
		good = walk_all(scan, PASS_LIST, ignored, paths);
	fflush(stdout);
	say_result(scan);
	if (scan->fix && !scan->failed && scan->counts[SCAN_ADDRESS])
		fix_all(scan, ignored, paths, yes);
	return result_of(scan, good);
}

int verb_scan(struct ctl *ctl, char **argv)
{
	static struct arg_list ignored;
	struct scan scan = {.ctl = ctl};
	bool yes = false;
	const struct arg_option options[] = {
		{"fix", 0, ARG_FLAG, &scan.fix},   {"yes", 0, ARG_FLAG, &yes},
		{"json", 0, ARG_FLAG, &scan.json}, {"all", 0, ARG_FLAG, &scan.all},
		{"ignore", 0, ARG_LIST, &ignored},
	};
	int result = CTL_FALSE, count = args_parse(ctl, argv, options, 5, &result);

	if (count < 0)
		return result;
	if (count == 0)
		return args_wrong(ctl, "a folder or file is needed");
	if (scan.json && scan.fix)
		return args_wrong(ctl, "either --json or --fix is taken");
	if (yes && !scan.fix)
		return args_wrong(ctl, "--yes goes with --fix");
	scan.book = scan_book_load(ctl);
	if (!scan.book)
		return CTL_USAGE;
	scan.bytes = malloc(SCAN_FILE_MAX + 1);
	scan.marks = malloc(SCAN_FILE_MAX + 1);
	if (scan.bytes && scan.marks)
		result = scan_all(&scan, &ignored, argv, yes);
	else
		log_error("no memory");
	free(scan.bytes);
	free(scan.marks);
	free(scan.edits);
	free(scan.shown);
	scan_book_free(scan.book);
	return result;
}
