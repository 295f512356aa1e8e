/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_TEXT_H
#define MUSTER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "status.h"

/* Text for people: a terminal's width and colours, tables, and words for what the page says. */

enum colour { COLOUR_NONE, COLOUR_GREEN, COLOUR_YELLOW, COLOUR_RED, COLOUR_DIM, COLOUR_BOLD };

/* The escape sequence that begins the colour, or that ends any; "" for none. */
const char *colour_begin(enum colour colour);
const char *colour_end(enum colour colour);
/* Good, under way, bad, or nothing in particular. */
enum colour colour_of_state(unsigned state);
enum colour colour_of_phase(unsigned phase);

/* Columns of the terminal behind the descriptor; 0: it is none, or does not say. */
unsigned terminal_width(int fd);

/* Its rows; 0 as above. */
unsigned terminal_height(int fd);

/*
 * Copies text so that it is harmless on a terminal: control characters, marks that turn the
 * direction of writing, and what is not UTF-8 become '?', and what is wider than `width` columns
 * (0: no limit) is cut, never inside a character. Returns the number of columns; `to` gets at most
 * size - 1 bytes and a NUL.
 */
unsigned text_clean(char *to, size_t size, const char *text, unsigned width);

/*
 * Prints a line of `size` bytes, behind which is a NUL, harmless in the same way; tabs stay, and
 * with `colours` the sequences that set them. Returns whether there was one.
 */
bool text_put(FILE *out, const char *text, size_t size, bool colours);

/* The name of a service, harmless; buffer has STATUS_NAME_MAX bytes. Returns it. */
const char *text_name(char *buffer, const char *name);

/* A short age: "now", "12s", "3m05s", "2h10m", "4d03h". Returns the buffer; 24 bytes are enough. */
char *format_age(char *buffer, size_t size, uint64_t ns);

/*
 * Ends what open_memstream(3) began, if it did. False: there was no memory for all of it. Either
 * way *text is to be freed.
 */
bool text_close(FILE *out, char **text);

/* ---- tables ---- */

#define GRID_COLUMNS_MAX 10

struct cell {
	char *text; /* malloc'ed, harmless */
	unsigned width;
	enum colour colour;
};

/* Rows of cells, printed when all are there and the widths are known. */
struct grid {
	unsigned columns;
	unsigned right; /* bit per column: aligned to the right */
	size_t used, room;
	struct cell *cells;
	bool failed; /* no memory */
};

void grid_begin(struct grid *grid, unsigned columns, unsigned right);
/* The next cell, from left to right and row by row. */
void grid_add(struct grid *grid, enum colour colour, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/*
 * Prints all rows, cut at `width` columns (0: no limit), and frees them. Where the first column, a
 * name, would take more than half of that, it is cut first.
 */
void grid_print(struct grid *grid, FILE *out, unsigned width, bool colours);
/* Whether every table so far could be printed. */
bool grid_complete(void);

#endif
