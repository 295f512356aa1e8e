/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_SIDECAR_H
#define SIDECAR_SIDECAR_H

#include <stdbool.h>
#include <stdint.h>

#include "offers.h"
#include "once.h"
#include "text.h"
#include "trim.h"

/*
 * The whole sidecar as one value, made by main and passed down. Who needs only a part of it is
 * given that part.
 */
struct cgroup;
struct channel;
struct config;
struct dns;
struct exporter;
struct events;
struct feed;
struct forward;
struct gpus;
struct live;
struct local;
struct loop;
struct news;
struct pace;
struct peers;
struct prober;
struct processes;
struct reach;
struct resolver;
struct server;
struct snapshot;
struct stall;

/* The last answer of /status, where it is asked more often than anybody needs: as metrics are, it
 * is made anew so many times a second, and whenever something has changed. */
#define STATUS_MADE_MOST 10
struct status_kept {
	uint64_t second; /* of CLOCK_MONOTONIC, */
	unsigned made;   /* and how many were made in it */
	uint64_t time;   /* when this one was */
	char etag[64];   /* empty: there is none */
	uint32_t probed; /* prober_changes then */
	struct text body;
};

#define LISTEN_MAX       16
#define PEER_OPTIONS_MAX 256

struct options {
	const char *run_dir;
	const char *host;        /* NULL: as the status page says */
	const char *proc_root;   /* where /proc is */
	const char *cgroup_root; /* what stands for /sys/fs/cgroup; NULL: that itself */
	/* these end in NULL */
	const char *listen[LISTEN_MAX + 1];
	const char *configs[LISTEN_MAX + 1];
	const char *peers[PEER_OPTIONS_MAX + 1];
	int gpu; /* enum gpu_mode; -1: not said */
	struct offers offers;
	unsigned connections, connections_per_host; /* of checks; 0: not said */
	struct once_options once;                   /* what `resolve` is asked */
};

struct sidecar {
	struct options options;
	struct loop *loop;
	struct resolver *resolver;
	struct prober *prober;
	struct live *live;
	struct peers *peers;
	struct channel *channel; /* NULL: alone */
	struct reach *reach;     /* NULL: alone, or started by muster-init */
	struct config *config;   /* NULL unless -c */
	struct local *local;     /* NULL unless -c */
	struct snapshot *snapshot;
	struct feed *feed; /* what has happened, for /events */
	struct news *news; /* NULL: alone, what happens happens here */
	struct events *events;
	struct cgroup *cgroup;       /* our own */
	struct processes *processes; /* of the services */
	struct pace *pace;           /* of the probes */
	struct stall *stall;         /* for want of memory */
	struct server *server;
	struct exporter *exporter;
	struct trim trim;
	struct dns *dns;         /* NULL: it answers no names */
	struct forward *forward; /* NULL: it passes nothing on */
	struct gpus *gpus;       /* there, also where there is no GPU */
	uint64_t begin_realtime; /* when this program started */
	uint64_t boot_realtime;  /* and when the machine did, as seen then */
	/* Counted up by who changes what /status tells beside the status page: a state, not a
	 * measurement, as a peer that asks an unchanged host is answered 304. */
	uint32_t revision;
	bool startup_seen; /* /startupz has been 200 */
	struct status_kept status_kept;
};

#endif
