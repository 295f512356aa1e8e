/* SPDX-License-Identifier: MIT */
#include "metrics.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "latency.h"
#include "text.h"
#include "utf8.h"

/* What the two formats do not have in common: lines about a family, and the end. */
struct metric_format {
	void (*put_head)(struct text *out, const struct metric_family *family);
	const char *end;
};

/* What follows the family's name in the names of its samples. */
static const char *const suffixes[METRIC_TYPES] = {
	[METRIC_COUNTER] = "_total", [METRIC_GAUGE] = "",     [METRIC_HISTOGRAM] = "",
	[METRIC_STATESET] = "",      [METRIC_INFO] = "_info",
};

static const char *const type_names[METRIC_TYPES] = {
	[METRIC_COUNTER] = "counter",   [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram",
	[METRIC_STATESET] = "stateset", [METRIC_INFO] = "info",
};

const char *metric_type_name(unsigned type)
{
	return type < METRIC_TYPES ? type_names[type] : "?";
}

/* ---- heads ---- */

/* Help texts are our own, and hold nothing that would have to be written otherwise. */
static void put_text_head(struct text *out, const struct metric_family *family)
{
	bool plain = family->type == METRIC_STATESET || family->type == METRIC_INFO;
	const char *suffix = suffixes[family->type];

	text_add(out, "# HELP %s%s %s\n# TYPE %s%s %s\n", family->name, suffix, family->help,
		 family->name, suffix, type_names[plain ? METRIC_GAUGE : family->type]);
}

static void put_open_head(struct text *out, const struct metric_family *family)
{
	text_add(out, "# TYPE %s %s\n", family->name, type_names[family->type]);
	if (family->unit[0])
		text_add(out, "# UNIT %s %s\n", family->name, family->unit);
	text_add(out, "# HELP %s %s\n", family->name, family->help);
}

const struct metric_format metric_text = {put_text_head, ""};
const struct metric_format metric_open = {put_open_head, "# EOF\n"};

void metric_put_family(struct metrics *metrics, const struct metric_family *family)
{
	metrics->family = family;
	metrics->samples = 0;
	family->write(metrics);
}

void metric_put_end(struct metrics *metrics)
{
	text_put(metrics->out, metrics->format->end);
}

/* ---- numbers ---- */

#define WHOLE_MOST 1e15 /* below it a double holds every whole number */

static void put_whole(struct text *out, uint64_t value)
{
	char digits[24];
	char *at = digits + sizeof(digits);

	do
		*--at = (char)('0' + value % 10);
	while (value /= 10);
	text_put_bytes(out, at, (size_t)(digits + sizeof(digits) - at));
}

/* This program never sets a locale: the point is a point. */
static void put_number(struct text *out, double value)
{
	if (isnan(value))
		text_put(out, "NaN");
	else if (isinf(value))
		text_put(out, value > 0 ? "+Inf" : "-Inf");
	else if (value >= 0 && value < WHOLE_MOST && value == (double)(uint64_t)value)
		put_whole(out, (uint64_t)value);
	else
		text_add(out, "%.15g", value);
}

/* ---- labels ---- */

static const char *written_as(char c)
{
	switch (c) {
	case '\\':
		return "\\\\";
	case '"':
		return "\\\"";
	case '\n':
		return "\\n";
	default:
		return NULL;
	}
}

/* A scrape fails as a whole for one byte that is not UTF-8: it becomes '?'. */
static void put_value(struct text *out, const char *value)
{
	while (*value) {
		size_t plain = 0, len = 1;

		while (value[plain] && !written_as(value[plain]) &&
		       (len = utf8_length(value + plain)))
			plain += len;
		text_put_bytes(out, value, plain);
		value += plain;
		if (*value) {
			text_put(out, len ? written_as(*value) : "?");
			value++;
		}
	}
}

static void put_label(struct text *out, char before, const char *name, const char *value)
{
	text_put_bytes(out, &before, 1);
	text_put(out, name);
	text_put(out, "=\"");
	put_value(out, value);
	text_put_bytes(out, "\"", 1);
}

/* ---- samples ---- */

/* A sample: what follows the name, the labels' values, and one more label or NULL. */
struct sample {
	const char *suffix;
	const char *const *labels;
	const char *more, *more_value;
	double value;
};

static void put_sample(struct metrics *metrics, const struct sample *sample)
{
	const struct metric_family *family = metrics->family;
	struct text *out = metrics->out;
	char before = '{';

	if (!metrics->samples++)
		metrics->format->put_head(out, family);
	text_put(out, family->name);
	text_put(out, sample->suffix);
	for (unsigned i = 0; family->labels[i]; i++) {
		put_label(out, before, family->labels[i],
			  sample->labels[i] ? sample->labels[i] : "");
		before = ',';
	}
	if (sample->more) {
		put_label(out, before, sample->more, sample->more_value);
		before = ',';
	}
	text_put(out, before == ',' ? "} " : " ");
	put_number(out, sample->value);
	text_put_bytes(out, "\n", 1);
}

void metric_put_list(struct metrics *metrics, double value, const char *const *labels)
{
	put_sample(metrics, &(struct sample){.suffix = suffixes[metrics->family->type],
					     .labels = labels,
					     .value = value});
}

void metric_put_states_list(struct metrics *metrics, unsigned holds, unsigned count,
			    metric_state_name *name, const char *const *labels)
{
	struct sample sample = {.suffix = "", .labels = labels, .more = metrics->family->name};

	for (unsigned state = 0; state < count; state++) {
		sample.more_value = name(state);
		sample.value = state == holds;
		put_sample(metrics, &sample);
	}
}

/* Bounds are written as 1.0 in both formats, or a series would change its name with the format. */
static void format_bound(char *buffer, size_t size, double bound)
{
	int len = snprintf(buffer, size, "%g", bound);

	if (len > 0 && !strpbrk(buffer, ".e"))
		snprintf(buffer + len, size - (size_t)len, ".0");
}

void metric_put_latency_list(struct metrics *metrics, const struct latency *latency,
			     const char *const *labels)
{
	struct sample sample = {.suffix = "_bucket", .labels = labels, .more = "le"};
	char bound[24];
	uint64_t sum = 0;

	sample.more_value = bound;
	for (unsigned i = 0; i < LATENCY_BOUNDS; i++) {
		sum += latency->in[i];
		format_bound(bound, sizeof(bound), latency_bounds[i]);
		sample.value = (double)sum;
		put_sample(metrics, &sample);
	}
	sample.more_value = "+Inf";
	sample.value = (double)(sum + latency->in[LATENCY_BOUNDS]);
	put_sample(metrics, &sample);
	sample.more = NULL;
	sample.suffix = "_count";
	put_sample(metrics, &sample);
	sample.suffix = "_sum";
	sample.value = metric_seconds(latency->sum);
	put_sample(metrics, &sample);
}
