/* SPDX-License-Identifier: MIT */
/*
 * A byte that chooses a kind of metric and a format, a number, and texts that end in NUL: values of
 * labels, which may be anything. Each line of what is written is one by the rules of Prometheus, by
 * a reader of our own here, and gives the same values back: but for bytes that are no UTF-8, which
 * are a question mark each.
 */
#include "metrics.h"

#include <math.h>
#include <stdbool.h>

#include "../../sidecar/text.h"
#include "latency.h"
#include "take.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LABELS 3

static struct metric_family family = {
	.name = "muster_x", .unit = "", .help = "Help.", .labels = {"a", "b", "c"}};
static const char *const suffixes[METRIC_TYPES] = {"_total", "", "", "", "_info"};
static const char *const values_of_le[] = {"0.001", "0.005", "0.025", "0.1",
					   "0.5",   "1.0",   "5.0",   "+Inf"};
static const char *const states[] = {"on", "off"};

/* ---- what is to come back ---- */

/* The code point at `at`, which is `len` bytes long; 0: it is none. */
static size_t sequence(const unsigned char *at)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = *at < 0x80       ? 1
		     : *at >> 5 == 6  ? 2
		     : *at >> 4 == 14 ? 3
		     : *at >> 3 == 30 ? 4
				      : 0;
	uint32_t code = len == 1 ? *at : *at & (0x7fU >> len);

	for (size_t i = 1; i < len; i++) {
		if (at[i] >> 6 != 2)
			return 0;
		code = code << 6 | (at[i] & 0x3f);
	}
	return len && code >= least[len] && code <= 0x10ffff && code >> 11 != 0x1b ? len : 0;
}

static char *wanted_value(const char *value)
{
	char *out = malloc(strlen(value) + 1), *to = out;

	if (!out)
		abort();
	while (*value) {
		size_t len = sequence((const unsigned char *)value);

		memcpy(to, len ? value : "?", len ? len : 1);
		to += len ? len : 1;
		value += len ? len : 1;
	}
	*to = '\0';
	return out;
}

/* ---- the reader ---- */

static void take_exactly(const char **at, const char *text)
{
	if (strncmp(*at, text, strlen(text)) != 0)
		abort();
	*at += strlen(text);
}

/* The value of a label up to its quote. */
static char *read_value(const char **at)
{
	char *out = malloc(strlen(*at) + 1), *to = out;

	if (!out)
		abort();
	for (; **at != '"'; (*at)++) {
		if (!**at || **at == '\n')
			abort();
		if (**at != '\\') {
			*to++ = **at;
			continue;
		}
		(*at)++;
		if (!**at || !strchr("\\\"n", **at))
			abort();
		*to++ = **at == 'n' ? '\n' : **at;
	}
	*to = '\0';
	(*at)++;
	return out;
}

static void check_label(const char **at, const char *before, const char *name, const char *value)
{
	char *got, *wanted = wanted_value(value);

	take_exactly(at, before);
	take_exactly(at, name);
	take_exactly(at, "=\"");
	got = read_value(at);
	if (strcmp(got, wanted) != 0)
		abort();
	free(got);
	free(wanted);
}

struct wanted {
	const char *suffix;
	const char *const *labels;
	const char *more, *more_value; /* NULL: none */
	double number;
};

static void check_sample(const char **at, const struct wanted *wanted)
{
	double number;
	char *end;

	take_exactly(at, family.name);
	take_exactly(at, wanted->suffix);
	for (unsigned i = 0; i < LABELS; i++)
		check_label(at, i ? "," : "{", family.labels[i], wanted->labels[i]);
	if (wanted->more)
		check_label(at, ",", wanted->more, wanted->more_value);
	take_exactly(at, "} ");
	number = strtod(*at, &end);
	if (end == *at || isnan(number) != isnan(wanted->number) ||
	    (!isnan(number) && number != wanted->number &&
	     !(fabs(number - wanted->number) <= 1e-14 * fabs(number))))
		abort();
	*at = end;
	take_exactly(at, "\n");
}

static void check_histogram(const char **at, struct wanted *wanted, const struct latency *latency)
{
	uint64_t sum = 0;

	wanted->suffix = "_bucket";
	wanted->more = "le";
	for (unsigned i = 0; i <= LATENCY_BOUNDS; i++) {
		sum += latency->in[i];
		wanted->more_value = values_of_le[i];
		wanted->number = (double)sum;
		check_sample(at, wanted);
	}
	wanted->more = NULL;
	wanted->suffix = "_count";
	check_sample(at, wanted);
	wanted->suffix = "_sum";
	wanted->number = (double)(latency->sum / 1000) / 1e6;
	check_sample(at, wanted);
}

static void check_states(const char **at, struct wanted *wanted, unsigned holds)
{
	wanted->more = family.name;
	for (unsigned i = 0; i < 2; i++) {
		wanted->more_value = states[i];
		wanted->number = i == holds;
		check_sample(at, wanted);
	}
}

/* ---- */

static const char *const *labels;
static struct latency latency;
static double number;

static const char *state_text(unsigned state)
{
	return states[state];
}

static void write_family(struct metrics *metrics)
{
	if (family.type == METRIC_HISTOGRAM)
		metric_put_latency_list(metrics, &latency, labels);
	else if (family.type == METRIC_STATESET)
		metric_put_states_list(metrics, latency.in[0] & 1, 2, state_text, labels);
	else
		metric_put_list(metrics, number, labels);
}

static void check(bool open)
{
	struct wanted wanted = {suffixes[family.type], labels, NULL, NULL, number};
	struct text out = {0};
	struct metrics metrics = {.out = &out, .format = open ? &metric_open : &metric_text};
	const char *at;

	metric_put_family(&metrics, &family);
	metric_put_end(&metrics);
	for (at = out.data; *at == '#';)
		at = strchr(at, '\n') + 1;
	if (family.type == METRIC_HISTOGRAM)
		check_histogram(&at, &wanted, &latency);
	else if (family.type == METRIC_STATESET)
		check_states(&at, &wanted, latency.in[0] & 1);
	else
		check_sample(&at, &wanted);
	if (strcmp(at, open ? "# EOF\n" : "") != 0)
		abort();
	free(out.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct take take = {data, data + size};
	uint8_t kind = take_byte(&take);
	char *texts[LABELS];

	take_bytes(&take, &number, sizeof(number));
	latency = (struct latency){.sum = (uint64_t)take_byte(&take) << (kind >> 4)};
	for (unsigned i = 0; i <= LATENCY_BOUNDS; i++)
		latency.in[i] = take_byte(&take);
	for (unsigned i = 0; i < LABELS; i++)
		texts[i] = take_text(&take);
	labels = (const char *const[METRIC_LABELS]){texts[0], texts[1], texts[2]};
	family.write = write_family;
	family.type = (enum metric_type)((kind & 7) % METRIC_TYPES);
	check(kind & 8);
	for (unsigned i = 0; i < LABELS; i++)
		free(texts[i]);
	return 0;
}
