/* SPDX-License-Identifier: MIT */
#include "ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "arena.h"
#include "args.h"
#include "draft.h"
#include "log.h"
#include "reader.h"
#include "utf8.h"

typedef bool converter(struct draft *draft, struct convert_source *source);

struct format {
	const char *name;
	converter *convert;
	const char *endings[4]; /* of file names that tell it */
};

static const struct format formats[] = {
	{"supervisord", convert_supervisord, {".conf", ".ini"}},
	{"procfile", convert_procfile, {"Procfile", ".procfile"}},
	{"compose", convert_compose, {".yml", ".yaml"}},
};
#define FORMATS      (sizeof(formats) / sizeof(formats[0]))
#define FORMAT_NAMES "supervisord, procfile or compose"

static bool ends_with(const char *text, const char *ending)
{
	size_t len = strlen(text), end = strlen(ending);

	return len >= end && strcasecmp(text + len - end, ending) == 0;
}

static const struct format *format_of_path(const char *path)
{
	for (size_t i = 0; i < FORMATS; i++)
		for (size_t j = 0; j < 4 && formats[i].endings[j]; j++)
			if (ends_with(path, formats[i].endings[j]))
				return &formats[i];
	/* Procfile.dev */
	path = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	return strncasecmp(path, "Procfile", 8) == 0 ? &formats[1] : NULL;
}

static const struct format *format_by_name(const char *name)
{
	for (size_t i = 0; i < FORMATS; i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

/* Complete or not at all, so that half a file is never taken for the whole. */
static int write_result(const char *path, const char *text, size_t size)
{
	FILE *out = path ? fopen(path, "wxe") : stdout;
	bool failed;

	if (!out) {
		log_error("%s: %s", path, strerror(errno));
		return CTL_FALSE;
	}
	failed = fwrite(text, 1, size, out) != size;
	if (out != stdout)
		failed |= fclose(out) != 0;
	if (failed && path) {
		log_error("%s: %s", path, strerror(errno));
		remove(path);
	}
	return failed ? CTL_FALSE : CTL_DONE;
}

static void say_result(const struct draft *draft, const char *output)
{
	log_info("%u service%s%s", draft->services, draft->services == 1 ? "" : "s",
		 draft->notes ? "" : "; everything has a counterpart");
	if (draft->notes)
		log_info("%u thing%s need%s a look: the lines with \"; NOTE\"", draft->notes,
			 draft->notes == 1 ? "" : "s", draft->notes == 1 ? "s" : "");
	log_info("then: musterctl check %s", output ? output : "FILE");
}

/* The line with a byte that is not UTF-8, in which a muster.ini is written; 0: there is none. */
static unsigned line_of_other_encoding(const char *text)
{
	unsigned line = 1;
	size_t len;

	for (; *text; text += len) {
		len = utf8_length(text);
		if (!len)
			return line;
		line += *text == '\n';
	}
	return 0;
}

static bool is_readable(const char *path, const char *text)
{
	unsigned line = line_of_other_encoding(text);

	if (line)
		log_error("%s: line %u is not UTF-8", path, line);
	return !line;
}

static int convert(const struct format *format, const char *path, const char *output)
{
	struct convert_source source = {.path = path};
	struct draft draft = {.arena = arena_create()};
	struct reader_text text;
	size_t size = 0;
	char *result = NULL;
	int rc = CTL_FALSE;

	draft.out = open_memstream(&result, &size);
	if (!draft.arena || !draft.out) {
		log_error("no memory");
	} else if (!reader_load(draft.arena, path, READER_SIZE_MAX, &text, source.why,
				sizeof(source.why))) {
		log_error("%s: %s", path, source.why);
	} else if (is_readable(path, text.bytes)) {
		source.text = text.bytes;
		source.size = text.size;
		fprintf(draft.out, "; made by musterctl convert --from %s\n", format->name);
		if (!format->convert(&draft, &source))
			log_error("%s: %s", path, source.why);
		else if (fflush(draft.out) != 0 || ferror(draft.out) || draft.failed)
			log_error("no memory");
		else
			rc = write_result(output, result, size);
		if (rc == CTL_DONE)
			say_result(&draft, output);
	}
	if (draft.out)
		fclose(draft.out);
	free(result);
	arena_destroy(draft.arena);
	return rc;
}

int verb_convert(struct ctl *ctl, char **argv)
{
	const char *from = NULL, *output = NULL;
	const struct arg_option options[] = {
		{"from", 0, ARG_TEXT, &from},
		{"output", 'o', ARG_TEXT, &output},
	};
	const struct format *format;
	int exit_code, count = args_parse(ctl, argv, options, 2, &exit_code);

	if (count < 0)
		return exit_code;
	if (count != 1)
		return args_wrong(ctl, "one file is needed");
	format = from ? format_by_name(from) : format_of_path(argv[0]);
	if (!format && from)
		return args_wrong(ctl, "--from takes " FORMAT_NAMES ", not '%s'", from);
	if (!format)
		return args_wrong(ctl,
				  "the name '%s' does not tell what it is: --from " FORMAT_NAMES,
				  argv[0]);
	return convert(format, argv[0], output);
}
