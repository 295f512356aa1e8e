/* SPDX-License-Identifier: MIT */
#include "learned.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "durations.h"
#include "log.h"
#include "supervisor.h"

#define UNKNOWN_MS 1000 /* where nothing is known of any service */

/* True: there is such a file, be it good or not. */
static bool read_from(struct supervisor *sup, const char *dir)
{
	char path[PATH_MAX];
	int error;

	snprintf(path, sizeof(path), "%s/" DURATIONS_FILE, dir);
	error = durations_read(&sup->learned, path);
	if (error == -EPROTO)
		log_warning("%s: not a file of durations; ignored, and written anew", path);
	else if (error && error != -ENOENT)
		log_warning("%s: cannot be read: %s; ignored", path, strerror(-error));
	return error != -ENOENT;
}

void learned_open(struct supervisor *sup, const struct config *config)
{
	if (config->state_dir && read_from(sup, config->state_dir))
		return;
	if (sup->run_fd >= 0)
		read_from(sup, sup->run_dir);
}

static int compare(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return a < b ? -1 : a > b;
}

static uint32_t median(uint32_t *values, uint32_t count)
{
	if (!count)
		return UNKNOWN_MS;
	qsort(values, count, sizeof(*values), compare);
	return values[(count - 1) / 2];
}

void learned_weights(const struct supervisor *sup, const struct config *config, uint32_t *weights)
{
	uint32_t known = 0, unknown, ms;

	/* the known ones side by side, to be sorted; then each in its place */
	for (unsigned pass = 0; pass < 2; pass++) {
		unknown = pass ? median(weights, known) : 0;
		for (uint32_t i = 0; i < config->count; i++) {
			const struct duration *found =
				durations_find(&sup->learned, config->services[i].name);

			ms = found ? duration_typical(found, 0) : DURATIONS_NONE;
			if (pass)
				weights[i] = (ms == DURATIONS_NONE ? unknown : ms) + 1;
			else if (ms != DURATIONS_NONE)
				weights[known++] = ms;
		}
	}
}
