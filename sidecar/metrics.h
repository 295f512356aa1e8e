/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_METRICS_H
#define SIDECAR_METRICS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Metrics: each module says what it has to tell as a constant table of families, and one list in
 * metrics.c has all tables in the order in which they appear. What is written of them, Prometheus
 * text 0.0.4 or OpenMetrics 1.0, is the business of metrics_write.c alone.
 *
 *	static void write_waits(struct metrics *metrics)
 *	{
 *		metric_put(metrics, (double)waits_of("db"), "db");
 *	}
 *
 *	const struct metric_family wait_metrics[] = {
 *		METRIC("muster_waits", COUNTER, "", write_waits, "Waits begun.", "service"),
 *		METRIC_END,
 *	};
 *
 * To add a table: declare it at the end of this header, name it in the list in metrics.c, and write
 * a row for each family in docs/metrics.md. A unit test compares both ways; it also refuses names,
 * units and labels that break the rules:
 *
 * - Names begin with muster_ (process_ for what every program has), units are base units (seconds,
 *   bytes, ratio of 0 to 1, celsius, joules ...) and the last word of the name. No two families
 *have the same name, whatever their types: OpenMetrics does not know the suffixes apart.
 * - Counters never go backwards while this program runs, and never are NaN. What is not known is
 *   NaN in a gauge whose series is always there, or no sample at all; never 0.
 * - A series stays while what it is of exists, also when it is zero: all reasons, all states. It is
 *   gone when that is gone.
 * - All samples of a family are put at once, each with another set of label values. A family that
 *   puts none does not appear.
 */
struct latency;
struct ledger;
struct sidecar;
struct text;
struct view;

enum metric_type {
	METRIC_COUNTER,   /* its samples end in _total: metric_put */
	METRIC_GAUGE,     /* metric_put */
	METRIC_HISTOGRAM, /* metric_put_latency */
	METRIC_STATESET,  /* one of several states holds: metric_put_states */
	METRIC_INFO,      /* says all in its labels; its samples end in _info: metric_put with 1 */
	METRIC_TYPES
};

#define METRIC_LABELS 6 /* with a NULL behind the last */

struct metrics;
typedef void metric_writer(struct metrics *metrics);

struct metric_family {
	const char *name; /* without _total and _info; NULL ends a table */
	enum metric_type type;
	const char *unit; /* last word of the name; empty: none */
	const char *help; /* a sentence */
	metric_writer *write;
	const char *labels[METRIC_LABELS]; /* names; without le of a histogram */
};

/* A line of a table; names of labels, if any, come last. */
#define METRIC(name, type, unit, write, help, ...)                                                 \
	{                                                                                          \
		name, METRIC_##type, unit, help, write,                                            \
		{                                                                                  \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}
#define METRIC_END                                                                                 \
	{                                                                                          \
		0                                                                                  \
	}

struct metric_format;

/* What a writer is given: whose metrics these are, and the page as it is now. */
struct metrics {
	const struct sidecar *sidecar;
	const struct view *view;
	const struct ledger *ledger; /* counters of the view's services */
	uint64_t begin;              /* when the making of this answer began */
	/* for metrics_write.c */
	struct text *out;
	const struct metric_format *format;
	const struct metric_family *family;
	int samples; /* of this family so far */
};

/*
 * One sample. The values of the labels follow in the order of the family's names, as many as there
 * are names; they may hold anything, and are written as each format wants them.
 */
#define metric_put(metrics, value, ...)                                                            \
	metric_put_list(metrics, value, (const char *const[METRIC_LABELS]){__VA_ARGS__})
void metric_put_list(struct metrics *metrics, double value, const char *const *labels);

/*
 * A set of states of which exactly `holds` is the one: `count` samples. The state is a label that
 * is named as the family, in both formats, as OpenMetrics demands.
 */
typedef const char *metric_state_name(unsigned state);
#define metric_put_states(metrics, holds, count, name, ...)                                        \
	metric_put_states_list(metrics, holds, count, name,                                        \
			       (const char *const[METRIC_LABELS]){__VA_ARGS__})
void metric_put_states_list(struct metrics *metrics, unsigned holds, unsigned count,
			    metric_state_name *name, const char *const *labels);

/* The histogram of latency.h. */
#define metric_put_latency(metrics, latency, ...)                                                  \
	metric_put_latency_list(metrics, latency, (const char *const[METRIC_LABELS]){__VA_ARGS__})
void metric_put_latency_list(struct metrics *metrics, const struct latency *latency,
			     const char *const *labels);

/* Nanoseconds as seconds, to the microsecond. */
static inline double metric_seconds(uint64_t ns)
{
	return (double)(ns / 1000) / 1e6;
}

/* ---- between metrics.c and metrics_write.c ---- */

extern const struct metric_format metric_text, metric_open; /* 0.0.4, OpenMetrics 1.0 */
void metric_put_family(struct metrics *metrics, const struct metric_family *family);
void metric_put_end(struct metrics *metrics);
const char *metric_type_name(unsigned type);

extern const struct metric_family
	*const metric_tables[]; /* in the order of the answer, NULL-ended */

/* ---- the tables ---- */

extern const struct metric_family muster_metrics[];  /* muster-init and the whole */
extern const struct metric_family service_metrics[]; /* services */
extern const struct metric_family probe_metrics[];   /* checks of this sidecar */
extern const struct metric_family address_metrics[]; /* lookups, names, connections passed on */
extern const struct metric_family usage_metrics[];   /* what services and the container use */
extern const struct metric_family gpu_metrics[];     /* GPUs */
extern const struct metric_family peer_metrics[];    /* other hosts */
extern const struct metric_family own_metrics[];     /* the sidecar itself */

#endif
