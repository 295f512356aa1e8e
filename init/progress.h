/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_PROGRESS_H
#define MUSTER_PROGRESS_H

/*
 * The start-up, live, as one line at the bottom of a terminal: how many are ready and who is
 * starting. Nothing where stderr is no terminal, TERM is "dumb", or a log format other than
 * `prefix` or `inherit` is asked for.
 */
struct supervisor;

void progress_open(struct supervisor *sup);
/* A service changed: the line will be drawn anew by progress_draw. */
void progress_changed(struct supervisor *sup);
/* Draws it when something changed; once a turn. */
void progress_draw(struct supervisor *sup);
/* The start-up is over: takes the line away for good. */
void progress_end(struct supervisor *sup);

#endif
