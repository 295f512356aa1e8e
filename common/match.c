/* SPDX-License-Identifier: MIT */
#include "match.h"

#include <stdint.h>
#include <string.h>

#include "arena.h"

/*
 * Glushkov's automaton: every character of the pattern is a position, a set of positions is one
 * 64-bit word, and reading a byte is an AND. `^` and `$` are positions too; they read no byte but
 * the place they stand at.
 */
#define GROUPS_MAX 32

struct match {
	uint64_t first;   /* positions that can begin a match */
	uint64_t last;    /* positions that can end one */
	uint64_t begin;   /* positions that are ^ */
	uint64_t end;     /* positions that are $ */
	bool empty;       /* matches the empty text */
	uint8_t map[256]; /* class of each byte: those that all positions treat alike share one */
	const uint64_t *accept; /* per class: the positions that read such a byte */
	const uint64_t *follow; /* per position: what may come next */
};

/* ---- compiling ---- */

/* A set of byte values. */
struct byte_set {
	uint64_t bits[4];
};

/* A piece of the pattern, as the automaton sees it from outside. */
struct piece {
	uint64_t first, last;
	bool empty;
};
static const struct piece nothing = {.empty = true};

/* One open group (the whole pattern is the outermost): (alternatives | sequence atom */
struct group {
	struct piece alternatives; /* the finished branches */
	struct piece sequence;     /* this branch, without its last atom */
	struct piece atom;         /* what an operator behind it would repeat */
	bool has_alternatives;
	bool has_atom;
};

struct compiler {
	const unsigned char *at;
	const char *error; /* NULL while all is well */
	unsigned positions;
	unsigned depth; /* of the open group */
	uint64_t begin, end;
	uint64_t follow[MATCH_POSITIONS];
	struct byte_set sets[MATCH_POSITIONS];
	struct group groups[GROUPS_MAX];
};

static void set_add(struct byte_set *set, unsigned byte)
{
	set->bits[byte / 64] |= UINT64_C(1) << byte % 64;
}

static bool set_has(const struct byte_set *set, unsigned byte)
{
	return set->bits[byte / 64] >> byte % 64 & 1;
}

static void set_add_range(struct byte_set *set, unsigned from, unsigned to)
{
	for (; from <= to; from++)
		set_add(set, from);
}

static void set_invert(struct byte_set *set)
{
	unsigned i;

	for (i = 0; i < 4; i++)
		set->bits[i] = ~set->bits[i];
}

static void set_merge(struct byte_set *set, const struct byte_set *other)
{
	unsigned i;

	for (i = 0; i < 4; i++)
		set->bits[i] |= other->bits[i];
}

/* Everything the positions of `set` lead to. */
static uint64_t reach(const uint64_t *follow, uint64_t set)
{
	uint64_t next = 0;

	for (; set; set &= set - 1)
		next |= follow[__builtin_ctzll(set)];
	return next;
}

static void link_pieces(struct compiler *c, uint64_t last, uint64_t first)
{
	for (; last; last &= last - 1)
		c->follow[__builtin_ctzll(last)] |= first;
}

static struct piece piece_then(struct compiler *c, struct piece a, struct piece b)
{
	link_pieces(c, a.last, b.first);
	return (struct piece){.first = a.first | (a.empty ? b.first : 0),
			      .last = b.last | (b.empty ? a.last : 0),
			      .empty = a.empty && b.empty};
}

static struct piece piece_or(struct piece a, struct piece b)
{
	return (struct piece){
		.first = a.first | b.first, .last = a.last | b.last, .empty = a.empty || b.empty};
}

/* A new position that reads `set`. */
static struct piece piece_position(struct compiler *c, const struct byte_set *set)
{
	uint64_t bit;

	if (c->positions == MATCH_POSITIONS) {
		c->error = "more than 63 characters (operators not counted)";
		return nothing;
	}
	bit = UINT64_C(1) << c->positions;
	c->sets[c->positions++] = *set;
	return (struct piece){.first = bit, .last = bit};
}

/* The atom before this one can no longer be repeated: it joins the sequence. */
static void group_settle(struct compiler *c, struct group *group)
{
	if (group->has_atom)
		group->sequence = piece_then(c, group->sequence, group->atom);
	group->has_atom = false;
}

static void group_add(struct compiler *c, struct piece atom)
{
	struct group *group = &c->groups[c->depth];

	group_settle(c, group);
	group->atom = atom;
	group->has_atom = true;
}

static void group_open(struct compiler *c)
{
	if (c->depth + 1 == GROUPS_MAX) {
		c->error = "more than 31 groups inside each other";
		return;
	}
	c->groups[++c->depth] = (struct group){.sequence = nothing};
}

static void group_branch(struct compiler *c)
{
	struct group *group = &c->groups[c->depth];

	group_settle(c, group);
	group->alternatives = group->has_alternatives
				      ? piece_or(group->alternatives, group->sequence)
				      : group->sequence;
	group->has_alternatives = true;
	group->sequence = nothing;
}

static void group_close(struct compiler *c)
{
	if (!c->depth) {
		c->error = "a ) without its ( (write \\) for the character)";
		return;
	}
	group_branch(c);
	c->depth--;
	group_add(c, c->groups[c->depth + 1].alternatives);
}

static void repeat_atom(struct compiler *c, unsigned char operator)
{
	struct group *group = &c->groups[c->depth];

	if (!group->has_atom) {
		c->error = "nothing to repeat before *, + or ? (write \\* for the character)";
		return;
	}
	if (operator!= '?')
		link_pieces(c, group->atom.last, group->atom.first);
	if (operator!= '+')
		group->atom.empty = true;
}

/* The set that \d, \w, \s and their opposites stand for; false for another letter. */
static bool escape_class(unsigned char letter, struct byte_set *set)
{
	*set = (struct byte_set){{0}};
	switch (letter | 0x20) {
	case 'w':
		set_add_range(set, 'A', 'Z');
		set_add_range(set, 'a', 'z');
		set_add(set, '_');
		set_add_range(set, '0', '9');
		break;
	case 'd':
		set_add_range(set, '0', '9');
		break;
	case 's':
		set_add_range(set, '\t', '\r');
		set_add(set, ' ');
		break;
	default:
		return false;
	}
	if (!(letter & 0x20))
		set_invert(set);
	return true;
}

static bool is_punctuation(unsigned char c)
{
	return (c > ' ' && c < '0') || (c > '9' && c < 'A') || (c > 'Z' && c < 'a') ||
	       (c > 'z' && c < 0x7f);
}

/* What follows a backslash, into *set. Returns the byte when it stands for one, else -1. */
static int parse_escape(struct compiler *c, struct byte_set *set)
{
	unsigned char letter = *c->at;

	if (letter)
		c->at++;
	if (escape_class(letter, set))
		return -1;
	if (letter == 't')
		letter = '\t';
	else if (!is_punctuation(letter) && letter != ' ')
		c->error = letter ? "unknown escape (\\d \\w \\s \\t and \\ before punctuation)"
				  : "a \\ at the end";
	set_add(set, letter);
	return letter;
}

static const struct {
	char name[8];
	char ranges[9]; /* pairs: from, to */
} classes[] = {
	{"alnum", "09AZaz"},   {"alpha", "AZaz"},
	{"blank", "\t\t  "},   {"cntrl", "\x01\x1f\x7f\x7f"},
	{"digit", "09"},       {"graph", "!~"},
	{"lower", "az"},       {"print", " ~"},
	{"punct", "!/:@[`{~"}, {"space", "\t\r  "},
	{"upper", "AZ"},       {"xdigit", "09AFaf"},
};

/* [:name:] inside a set; c->at is behind "[:". */
static void parse_named_class(struct compiler *c, struct byte_set *set)
{
	const char *text = (const char *)c->at, *close = strstr(text, ":]");
	const char *range;
	size_t i;

	for (i = 0; close && i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (strlen(classes[i].name) != (size_t)(close - text) ||
		    strncmp(classes[i].name, text, (size_t)(close - text)) != 0)
			continue;
		for (range = classes[i].ranges; *range; range += 2)
			set_add_range(set, (unsigned char)range[0], (unsigned char)range[1]);
		c->at = (const unsigned char *)close + 2;
		return;
	}
	c->error = "unknown class (such as [:alnum:] or [:digit:]) in a set";
}

/* One byte of a set, or -1 when a whole class was added to *set instead. */
static int parse_set_member(struct compiler *c, struct byte_set *set)
{
	struct byte_set escaped;
	int byte = *c->at++;

	if (byte == '[' && *c->at == ':') {
		c->at++;
		parse_named_class(c, set);
		return -1;
	}
	if (byte == '[' && (*c->at == '.' || *c->at == '='))
		c->error = "[. .] and [= =] are not supported";
	if (byte >= 0x80)
		c->error = "only ASCII characters can be in a set";
	if (byte != '\\')
		return byte;
	byte = parse_escape(c, &escaped);
	if (byte < 0)
		set_merge(set, &escaped);
	return byte;
}

/* A set; c->at is behind its [. */
static void parse_set(struct compiler *c)
{
	struct byte_set set = {{0}};
	bool invert = *c->at == '^';
	bool first = true;
	int from, to;

	c->at += invert;
	for (; !c->error && (first || *c->at != ']'); first = false) {
		if (!*c->at) {
			c->error = "a [ without its ] (write \\[ for the character)";
			break;
		}
		from = to = parse_set_member(c, &set);
		if (from >= 0 && c->at[0] == '-' && c->at[1] && c->at[1] != ']') {
			c->at++;
			to = parse_set_member(c, &set);
		}
		if (to < from)
			c->error = "a range in a set that runs backwards";
		if (from >= 0 && !c->error)
			set_add_range(&set, (unsigned)from, (unsigned)to);
	}
	if (c->error)
		return;
	c->at++;
	if (invert)
		set_invert(&set);
	group_add(c, piece_position(c, &set));
}

/* A character that stands for itself. One of several bytes (UTF-8) is repeated as a whole. */
static void parse_literal(struct compiler *c, unsigned char byte)
{
	struct byte_set set = {{0}};
	struct piece atom;

	set_add(&set, byte);
	atom = piece_position(c, &set);
	while (byte >= 0xc0 && (*c->at & 0xc0) == 0x80 && !c->error) {
		set = (struct byte_set){{0}};
		set_add(&set, *c->at++);
		atom = piece_then(c, atom, piece_position(c, &set));
	}
	group_add(c, atom);
}

static void parse_escaped_atom(struct compiler *c)
{
	struct byte_set set = {{0}};

	parse_escape(c, &set);
	group_add(c, piece_position(c, &set));
}

static void parse_anchor(struct compiler *c, uint64_t *mask)
{
	static const struct byte_set none;
	struct piece atom = piece_position(c, &none);

	*mask |= atom.first;
	group_add(c, atom);
}

static void parse_any(struct compiler *c)
{
	struct byte_set all = {{0}};

	set_invert(&all);
	group_add(c, piece_position(c, &all));
}

static void parse_next(struct compiler *c)
{
	unsigned char byte = *c->at++;

	switch (byte) {
	case '*':
	case '+':
	case '?':
		repeat_atom(c, byte);
		break;
	case '(':
		group_open(c);
		break;
	case ')':
		group_close(c);
		break;
	case '|':
		group_branch(c);
		break;
	case '[':
		parse_set(c);
		break;
	case '\\':
		parse_escaped_atom(c);
		break;
	case '.':
		parse_any(c);
		break;
	case '^':
		parse_anchor(c, &c->begin);
		break;
	case '$':
		parse_anchor(c, &c->end);
		break;
	case '{':
		c->error = "{m,n} is not supported (write \\{ for the character)";
		break;
	default:
		parse_literal(c, byte);
	}
}

/* Groups the bytes into classes. Fills map and accept (room for 256), returns how many. */
static size_t find_classes(const struct compiler *c, uint8_t *map, uint64_t *accept)
{
	size_t count = 0, class;
	uint64_t mask;
	unsigned byte, i;

	for (byte = 0; byte < 256; byte++) {
		mask = 0;
		for (i = 0; i < c->positions; i++)
			mask |= (uint64_t)set_has(&c->sets[i], byte) << i;
		for (class = 0; class < count && accept[class] != mask; class ++)
			;
		if (class == count)
			accept[count++] = mask;
		map[byte] = (uint8_t) class;
	}
	return count;
}

static const struct match *build(struct compiler *c, struct arena *arena)
{
	const struct piece *whole = &c->groups[0].alternatives;
	struct match *match = arena_alloc(arena, sizeof(*match));
	uint64_t accept[256];
	uint64_t *kept;
	size_t count;

	if (!match)
		return NULL;
	count = find_classes(c, match->map, accept);
	kept = arena_array(arena, count + c->positions, sizeof(*kept));
	if (!kept)
		return NULL;
	memcpy(kept, accept, count * sizeof(*kept));
	memcpy(kept + count, c->follow, c->positions * sizeof(*kept));
	match->accept = kept;
	match->follow = kept + count;
	match->first = whole->first;
	match->last = whole->last;
	match->empty = whole->empty;
	match->begin = c->begin;
	match->end = c->end;
	return match;
}

const struct match *match_compile(struct arena *arena, const char *pattern, const char **error)
{
	struct compiler c = {.at = (const unsigned char *)pattern};
	const struct match *match = NULL;

	c.groups[0].sequence = nothing;
	while (*c.at && !c.error)
		parse_next(&c);
	if (!c.error && c.depth)
		c.error = "a ( without its ) (write \\( for the character)";
	if (!c.error) {
		group_branch(&c);
		match = build(&c, arena);
		if (!match)
			c.error = "no memory";
	}
	*error = c.error;
	return match;
}

/* ---- matching ---- */

/* Adds the assertions of `allowed` that hold here, and those that follow from them. */
static uint64_t assert_here(const struct match *match, uint64_t state, uint64_t allowed)
{
	uint64_t before;

	if (!allowed)
		return state;
	do {
		before = state;
		state |= (reach(match->follow, state) | match->first) & allowed;
	} while (state != before);
	return state;
}

bool match_line(const struct match *match, const char *line, size_t len)
{
	uint64_t state;
	size_t i;

	if (match->empty)
		return true;
	state = assert_here(match, 0, match->begin | (len ? 0 : match->end));
	for (i = 0; i < len && !(state & match->last); i++)
		state = (reach(match->follow, state) | match->first) &
			match->accept[match->map[(unsigned char)line[i]]];
	if (i == len)
		state = assert_here(match, state, match->end | (len ? 0 : match->begin));
	return (state & match->last) != 0;
}
