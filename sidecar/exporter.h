/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_EXPORTER_H
#define SIDECAR_EXPORTER_H

/*
 * What /metrics remembers from one answer to the next: counters that go on (ledger.h), and, where
 * it is asked more often than anybody needs, the last answer. In each second the first
 * METRICS_MADE_MOST answers are made anew. What is asked beyond that is told what the last one was,
 * unless that is a second old, or the status page has changed since.
 */
#define METRICS_MADE_MOST 10

struct exporter;
struct sidecar;

struct exporter *exporter_create(struct sidecar *sidecar);
/* When nothing is answered any more. */
void exporter_destroy(struct exporter *exporter);

#endif
