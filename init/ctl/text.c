/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "clock.h"
#include "str.h"
#include "utf8.h"

#define GAP       2   /* blanks between columns */
#define CELL_SIZE 512 /* a longer text is cut */

const char *colour_begin(enum colour colour)
{
	switch (colour) {
	case COLOUR_GREEN:
		return "\033[32m";
	case COLOUR_YELLOW:
		return "\033[33m";
	case COLOUR_RED:
		return "\033[31m";
	case COLOUR_DIM:
		return "\033[2m";
	case COLOUR_BOLD:
		return "\033[1m";
	case COLOUR_NONE:
		break;
	}
	return "";
}

const char *colour_end(enum colour colour)
{
	return colour == COLOUR_NONE ? "" : "\033[0m";
}

enum colour colour_of_state(unsigned state)
{
	switch ((enum service_state)state) {
	case STATE_RUNNING:
	case STATE_READY:
	case STATE_COMPLETED:
		return COLOUR_GREEN;
	case STATE_WAITING:
	case STATE_STARTING:
	case STATE_STOPPING:
	case STATE_BACKOFF:
		return COLOUR_YELLOW;
	case STATE_UNHEALTHY:
	case STATE_FAILED:
		return COLOUR_RED;
	case STATE_INACTIVE:
	case STATE_COUNT:
		break;
	}
	return COLOUR_DIM;
}

enum colour colour_of_phase(unsigned phase)
{
	return phase == PHASE_READY      ? COLOUR_GREEN
	       : phase == PHASE_DEGRADED ? COLOUR_RED
					 : COLOUR_YELLOW;
}

unsigned terminal_width(int fd)
{
	struct winsize size;

	return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

unsigned terminal_height(int fd)
{
	struct winsize size;

	return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_row : 0;
}

struct range {
	uint32_t first, last;
};

/* Marks that turn the direction of what follows, or end a line. */
static const struct range turning[] = {{0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069}};
/* Marks upon the character before them. */
static const struct range upon[] = {{0x300, 0x36f},   {0x1ab0, 0x1aff},  {0x1dc0, 0x1dff},
				    {0x200b, 0x200d}, {0x20d0, 0x20ff},  {0xfe00, 0xfe0f},
				    {0xfe20, 0xfe2f}, {0xe0100, 0xe01ef}};
/* East Asian characters and pictures. */
static const struct range wide[] = {{0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},
				    {0xa960, 0xa97c},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},
				    {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},
				    {0x16fe0, 0x18cff}, {0x1b000, 0x1b2ff}, {0x1f300, 0x1f64f},
				    {0x1f680, 0x1f6ff}, {0x1f900, 0x1faff}, {0x20000, 0x3fffd}};

static uint32_t character(const char *text, size_t len)
{
	uint32_t code = (unsigned char)*text & (len > 1 ? 0x7fU >> len : 0x7fU);

	for (size_t i = 1; i < len; i++)
		code = code << 6 | ((unsigned char)text[i] & 0x3f);
	return code;
}

static bool is_among(const struct range *ranges, size_t count, uint32_t code)
{
	for (size_t i = 0; i < count; i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}
#define IS_AMONG(ranges, code) is_among(ranges, sizeof(ranges) / sizeof((ranges)[0]), code)

/* The length of the character at `text`, 0 for what is none or harms, and the columns that it
 * takes. */
static size_t measure_character(const char *text, unsigned *columns)
{
	size_t len = utf8_length(text);
	uint32_t code = character(text, len);

	*columns = 1;
	if (!len || utf8_is_control(text) || IS_AMONG(turning, code))
		return 0;
	if (len > 1)
		*columns = IS_AMONG(upon, code) ? 0 : IS_AMONG(wide, code) ? 2 : 1;
	return len;
}

unsigned text_clean(char *to, size_t size, const char *text, unsigned width)
{
	unsigned columns = 0, more;
	size_t len, whole, used = 0;

	for (; *text; text += whole ? whole : 1) {
		whole = utf8_length(text);
		len = measure_character(text, &more);
		if (used + (len ? len : 1) >= size || (width && columns + more > width))
			break;
		if (len)
			memcpy(to + used, text, len);
		else
			to[used] = '?';
		used += len ? len : 1;
		columns += more;
	}
	to[used] = '\0';
	return columns;
}

/* The length of a sequence that sets colours, 0: none begins here. */
static size_t colour_length(const char *text)
{
	size_t len = strncmp(text, "\033[", 2) == 0 ? 2 + strspn(text + 2, "0123456789;:") : 0;

	return len && text[len] == 'm' ? len + 1 : 0;
}

bool text_put(FILE *out, const char *text, size_t size, bool colours)
{
	const char *end = text + size;
	bool coloured = false;
	size_t step, shown;
	unsigned columns;

	if (size && end[-1] == '\r')
		end--;
	for (; text < end; text += step) {
		step = colour_length(text);
		if (step) {
			coloured |= colours;
			fwrite(text, 1, colours ? step : 0, out);
			continue;
		}
		step = utf8_length(text);
		shown = *text == '\t' ? 1 : measure_character(text, &columns);
		fwrite(shown ? text : "?", 1, shown ? shown : 1, out);
		step = step ? step : 1;
	}
	return coloured;
}

const char *text_name(char *buffer, const char *name)
{
	text_clean(buffer, STATUS_NAME_MAX, name, 0);
	return buffer;
}

char *format_age(char *buffer, size_t size, uint64_t ns)
{
	if (ns < NSEC_PER_SEC)
		snprintf(buffer, size, "now");
	else if (ns < 60 * NSEC_PER_SEC)
		snprintf(buffer, size, "%us", (unsigned)(ns / NSEC_PER_SEC));
	else
		format_duration(buffer, size, ns);
	return buffer;
}

bool text_close(FILE *out, char **text)
{
	bool good = out && fflush(out) == 0 && !ferror(out);

	return (!out || fclose(out) == 0) && good && *text;
}

/* ---- tables ---- */

static bool incomplete;

bool grid_complete(void)
{
	return !incomplete;
}

void grid_begin(struct grid *grid, unsigned columns, unsigned right)
{
	*grid = (struct grid){.columns = columns, .right = right};
}

static struct cell *next_cell(struct grid *grid)
{
	struct cell *cells;
	size_t room;

	if (grid->used == grid->room) {
		room = grid->room ? 2 * grid->room : 64;
		cells = reallocarray(grid->cells, room, sizeof(*cells));
		if (!cells)
			return NULL;
		grid->cells = cells;
		grid->room = room;
	}
	return &grid->cells[grid->used++];
}

void grid_add(struct grid *grid, enum colour colour, const char *format, ...)
{
	char text[CELL_SIZE], clean[CELL_SIZE];
	struct cell *cell = next_cell(grid);
	va_list args;

	if (!cell) {
		grid->failed = true;
		return;
	}
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	cell->width = text_clean(clean, sizeof(clean), text, 0);
	cell->colour = colour;
	cell->text = strdup(clean);
	grid->failed |= !cell->text;
}

static void measure(const struct grid *grid, unsigned *widths, unsigned limit)
{
	size_t i;

	for (i = 0; i < grid->used; i++)
		if (grid->cells[i].width > widths[i % grid->columns])
			widths[i % grid->columns] = grid->cells[i].width;
	if (limit && widths[0] > limit / 2)
		widths[0] = limit / 2;
}

/* Prints one cell in its column; returns what is left of the line (UINT32_MAX: no limit). */
static unsigned print_cell(const struct grid *grid, FILE *out, size_t index, unsigned width,
			   unsigned left, bool colours)
{
	const struct cell *cell = &grid->cells[index];
	unsigned column = (unsigned)(index % grid->columns);
	bool last = column + 1 == grid->columns, right = grid->right >> column & 1;
	unsigned room = last && !right ? left : width < left ? width : left;
	enum colour colour = colours ? cell->colour : COLOUR_NONE;
	char text[CELL_SIZE];
	unsigned columns, pad;

	if (!room)
		return 0;
	columns = text_clean(text, sizeof(text), cell->text, room);
	pad = room > columns && (right || !last) ? room - columns : 0;
	fprintf(out, "%*s%s%s%s", right ? (int)pad : 0, "", colour_begin(colour), text,
		colour_end(colour));
	left -= columns + pad;
	if (last)
		return left;
	pad = right ? 0 : pad;
	pad += left < GAP ? left : GAP;
	/* no blanks at the end of a line */
	if (cell[1].width || column + 2 < grid->columns)
		fprintf(out, "%*s", (int)pad, "");
	return left < GAP ? 0 : left - GAP;
}

void grid_print(struct grid *grid, FILE *out, unsigned width, bool colours)
{
	unsigned widths[GRID_COLUMNS_MAX] = {0};
	unsigned left = UINT32_MAX;
	size_t i;

	measure(grid, widths, width);
	for (i = 0; i < grid->used && !grid->failed; i++) {
		if (i % grid->columns == 0)
			left = width ? width : UINT32_MAX;
		left = print_cell(grid, out, i, widths[i % grid->columns], left, colours);
		if ((i + 1) % grid->columns == 0)
			fputc('\n', out);
	}
	if (grid->failed)
		fputs("(no memory for this table)\n", out);
	incomplete |= grid->failed;
	for (i = 0; i < grid->used; i++)
		free(grid->cells[i].text);
	free(grid->cells);
	*grid = (struct grid){0};
}
