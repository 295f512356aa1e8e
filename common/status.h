/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_STATUS_H
#define MUSTER_STATUS_H

#include <stddef.h>
#include <stdint.h>

#include "states.h"

/*
 * The status page, $MUSTER_RUN_DIR/status: what muster-init knows about its services, in a file
 * that anyone who may read it can map and read without a lock and without asking PID 1. The layout
 * is described in docs/status-page.md. Numbers are in the byte order of the machine: the page never
 * leaves it. Times are nanoseconds of CLOCK_MONOTONIC unless named `_realtime`; 0 means never.
 *
 * One writer, many readers. Header and each record start with a generation: odd while the writer is
 * inside, changed by every write. A reader copies, and takes the copy when the generation was even
 * and the same before and after (status_read_*).
 *
 * A reload that changes the set of services writes a new file and renames it over the old one; the
 * old page's `replaced` becomes 1, and readers map the new one.
 */
#define STATUS_MAGIC       "MUSTERST"
#define STATUS_VERSION     1
#define STATUS_NAME_MAX    64 /* with the NUL */
#define STATUS_REASON_SIZE 72 /* with the NUL */
#define STATUS_FILE        "status"

struct status_header {
	char magic[8];
	uint32_t version;
	uint32_t generation; /* of this header */
	uint32_t header_size;
	uint32_t record_size;
	uint32_t record_count;
	uint32_t edge_offset; /* from the start of the file */
	uint32_t edge_count;
	uint32_t replaced; /* 1: another file has this name now */

	uint32_t changes; /* counts every change of any record or of this header: an ETag */
	int32_t pid;      /* of muster-init */
	uint8_t phase;    /* enum system_phase */
	uint8_t sidecar;  /* 1: the last record is muster's own sidecar */
	uint8_t pad[2];
	int32_t exit_code; /* the code init is going to exit with; -1 while unknown */

	uint64_t boot;          /* when muster-init started */
	uint64_t boot_realtime; /* the same instant on CLOCK_REALTIME */
	uint64_t startup_done;  /* when the phase first left PHASE_STARTING */
	uint64_t reaped;        /* adopted processes reaped */
	uint64_t log_dropped;   /* lines of output dropped: not read, or not writable */
	uint64_t beat;          /* last time the sidecar was heard */

	char host[STATUS_NAME_MAX];
	char mode[16];
};

/* flags of a record */
#define STATUS_ESSENTIAL 0x01
#define STATUS_WANTED    0x02 /* should be up */
#define STATUS_AUTO      0x04 /* starts by itself (start = auto) */
#define STATUS_INTERNAL  0x08 /* muster's own (the sidecar): not counted */
#define STATUS_DEP_CAUSE 0x10 /* not ready because of `cause`, not by itself */
#define STATUS_REPLICA   0x20 /* one of the replicas of what its name says before the last dot */

struct status_record {
	uint32_t generation;
	uint8_t state; /* enum service_state */
	uint8_t type;  /* enum service_type */
	uint8_t flags;
	uint8_t probe;     /* enum probe_kind of the readiness probe */
	int32_t pid;       /* of the main process; 0: none */
	uint32_t starts;   /* times its process was started */
	uint32_t restarts; /* times it was started again after it ended by itself or by a probe */
	int32_t last_exit; /* exit code, or 128 + signal; -1: never ended */
	uint16_t cause;    /* index of the service waited for or failed, with STATUS_DEP_CAUSE */
	uint8_t probes;    /* how many probes say whether it is ready ... */
	uint8_t passed;    /* ... and how many of them succeed */
	uint32_t failures; /* probe failures in a row */
	uint64_t since;    /* when `state` was entered */
	uint64_t exited;   /* when it last ended */
	/* the first start in the life of this container, for the timeline */
	uint64_t wait_begin;  /* wanted */
	uint64_t start_begin; /* dependencies met and slot given: began to start */
	uint64_t ready_at;    /* ready, running, or completed */
	char name[STATUS_NAME_MAX];
	char reason[STATUS_REASON_SIZE]; /* why it is in this state; may be empty */
};

struct status_edge {
	uint16_t from;     /* this service ... */
	uint16_t to;       /* ... depends on that one */
	uint8_t condition; /* enum dep_condition */
	uint8_t optional;
	uint8_t restart; /* 1: is restarted when that one is started again */
	uint8_t pad;
};

_Static_assert(sizeof(struct status_header) == 184, "layout of the status page");
_Static_assert(sizeof(struct status_record) == 208, "layout of the status page");
_Static_assert(sizeof(struct status_edge) == 8, "layout of the status page");

/* A mapped page. `map` is NULL when nothing is mapped. */
struct status_page {
	void *map;
	size_t size;
};

/* ---- writer: muster-init ---- */

/*
 * Creates the page in directory `dirfd` under a temporary name and maps it; status_page_publish
 * renames it into place, so a reader never sees it half made. With dirfd -1 the page lives in
 * anonymous memory (no runtime directory). Returns 0 or -errno.
 */
int status_page_create(struct status_page *page, int dirfd, uint32_t records, uint32_t edges);
int status_page_publish(struct status_page *page, int dirfd);
/* Marks the page as replaced and unmaps it. */
void status_page_retire(struct status_page *page);

/* Between begin and end the writer may change the header or the record. */
struct status_header *status_header_begin(struct status_page *page);
void status_header_end(struct status_page *page);
struct status_record *status_record_begin(struct status_page *page, uint32_t index);
void status_record_end(struct status_page *page, uint32_t index);
/* The edges, written once between create and publish. */
struct status_edge *status_edges(struct status_page *page);

/* ---- reader: anyone ---- */

/*
 * Maps DIR/status read-only and checks magic, version and sizes against the file's size.
 * Returns 0 or -errno (-ENOENT: no such page, -EPROTO: not a page of a version this reader knows).
 */
int status_page_open(struct status_page *page, const char *dir);
void status_page_close(struct status_page *page);
/* Copies; 0, or -EAGAIN when the writer was inside each of a bounded number of tries, or -ERANGE.
 */
int status_read_header(const struct status_page *page, struct status_header *out);
int status_read_record(const struct status_page *page, uint32_t index, struct status_record *out);
int status_read_edge(const struct status_page *page, uint32_t index, struct status_edge *out);

#endif
