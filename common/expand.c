/* SPDX-License-Identifier: MIT */
#include "expand.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "arena.h"

/* What the text up to the next } is for. */
enum use { USE_DEFAULT, USE_MESSAGE };

struct frame {
	enum use use;
	bool silent;      /* as it was outside: the text is only skipped */
	const char *name; /* of the variable */
	size_t name_len;
	size_t start; /* of the message in the output */
};

struct expander {
	struct arena *arena;
	const struct expand_source *source;
	const char *in;
	char *out;
	size_t len, room, limit;
	struct frame frames[EXPAND_DEPTH];
	unsigned depth;
	bool silent; /* this part is not needed */
	const char *error;
};

/* ---- output ---- */

static void fail(struct expander *x, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void fail(struct expander *x, const char *format, ...)
{
	char text[512];
	va_list args;

	if (x->error)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	x->error = arena_strdup(x->arena, text);
	if (!x->error)
		x->error = "out of memory";
}

static bool make_room(struct expander *x, size_t more)
{
	size_t room = x->room ? x->room : 256;
	char *bigger;

	if (more > x->limit - x->len) {
		fail(x, "grows by more than %zu bytes", EXPAND_MAX);
		return false;
	}
	while (room - x->len <= more)
		room *= 2;
	if (room == x->room)
		return true;
	bigger = arena_alloc(x->arena, room);
	if (!bigger) {
		x->error = "out of memory";
		return false;
	}
	if (x->len)
		memcpy(bigger, x->out, x->len);
	x->out = bigger;
	x->room = room;
	return true;
}

static void put(struct expander *x, const char *text, size_t len)
{
	if (x->silent || x->error || !make_room(x, len))
		return;
	memcpy(x->out + x->len, text, len);
	x->len += len;
}

/* ---- variables ---- */

static size_t name_length(const char *p)
{
	size_t len = strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");

	return *p >= '0' && *p <= '9' ? 0 : len;
}

/* Names are quoted up to this length in messages. */
static int shown(size_t len)
{
	return len < 64 ? (int)len : 64;
}

static void take_address(struct expander *x, const char *text)
{
	size_t len = strcspn(text, "}");
	const char *why = NULL, *value;

	if (text[len] == '\0') {
		fail(x, "\"${\" without its \"}\"");
		return;
	}
	x->in = text + len + 1;
	if (x->silent)
		return;
	value = x->source->address ? x->source->address(x->source->user, text, len, &why) : NULL;
	if (value)
		put(x, value, strlen(value));
	else
		fail(x, "%s", why ? why : "an address cannot be used here");
}

/* ${NAME:-  and ${NAME:? : what follows is needed or skipped, up to the }. */
static void open_frame(struct expander *x, enum use use, const char *name, size_t len,
		       const char *value)
{
	bool needed = !value || *value == '\0';

	if (x->depth == EXPAND_DEPTH) {
		fail(x, "variables more than %d deep inside each other", EXPAND_DEPTH);
		return;
	}
	if (!needed)
		put(x, value, strlen(value));
	x->frames[x->depth++] = (struct frame){use, x->silent, name, len, x->len};
	if (!needed)
		x->silent = true;
	x->in = name + len + 2;
}

static void close_frame(struct expander *x)
{
	const struct frame *frame = &x->frames[--x->depth];
	size_t len = x->len - frame->start;

	if (frame->use == USE_MESSAGE && !x->silent) {
		const char *message = len ? x->out + frame->start : "it is required";

		fail(x, "${%.*s} is not set: %.*s", shown(frame->name_len), frame->name,
		     len ? (int)(len < 300 ? len : 300) : 14, message);
	}
	x->silent = frame->silent;
	x->in++;
}

static void take_variable(struct expander *x)
{
	const char *name = x->in + 2, *value;
	size_t len = name_length(name);

	if (strncmp(name, "address:", 8) == 0) {
		take_address(x, name + 8);
		return;
	}
	if (len == 0 || (name[len] != '}' && name[len] != ':' && name[len] != '\0')) {
		fail(x, "\"%.*s\" is no variable: use ${NAME}, ${NAME:-default} or $$ for a $",
		     shown(strcspn(x->in, "}") + 1), x->in);
		return;
	}
	value = x->source->variable(x->source->user, name, len);
	if (name[len] == '}') {
		x->in = name + len + 1;
		if (value)
			put(x, value, strlen(value));
		else if (!x->silent)
			fail(x, "${%.*s} is not set; ${%.*s:-default} gives it a default",
			     shown(len), name, shown(len), name);
	} else if (name[len] == ':' && name[len + 1] == '-') {
		open_frame(x, USE_DEFAULT, name, len, value);
	} else if (name[len] == ':' && name[len + 1] == '?') {
		open_frame(x, USE_MESSAGE, name, len, value);
	} else if (name[len] == ':') {
		fail(x, "\"${%.*s:\" must go on with \"-default}\" or \"?message}\"", shown(len),
		     name);
	} else {
		fail(x, "\"${\" without its \"}\"");
	}
}

/* ---- the walk over the text ---- */

static void take_next(struct expander *x)
{
	size_t plain = strcspn(x->in, x->depth ? "$}" : "$");

	put(x, x->in, plain);
	x->in += plain;
	if (*x->in == '}') {
		close_frame(x);
	} else if (*x->in == '$' && x->in[1] == '{') {
		take_variable(x);
	} else if (*x->in == '$') {
		put(x, "$", 1);
		x->in += x->in[1] == '$' ? 2 : 1;
	}
}

const char *expand(struct arena *arena, const char *text, const struct expand_source *source,
		   const char **error)
{
	struct expander x = {.arena = arena, .source = source, .in = text};

	*error = NULL;
	if (!strchr(text, '$'))
		return text;
	x.limit = strlen(text) + EXPAND_MAX;
	while (*x.in && !x.error)
		take_next(&x);
	if (!x.error && x.depth > 0)
		fail(&x, "\"${\" without its \"}\"");
	if (!x.error && make_room(&x, 0)) {
		x.out[x.len] = '\0';
		return x.out;
	}
	*error = x.error;
	return NULL;
}
