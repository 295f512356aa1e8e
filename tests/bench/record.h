/* SPDX-License-Identifier: MIT */
#ifndef BENCH_RECORD_H
#define BENCH_RECORD_H

/*
 * What the measured processes write down about themselves, each into its own place in a file that
 * bench.py reads (lib.py knows the same layouts). Times are nanoseconds of CLOCK_MONOTONIC, 0: not
 * yet.
 */
struct service_record { /* tiny, one per service, at the service's number times the size */
	long long start;
	long long ready;
	long long pid; /* as seen in its own PID namespace */
	long long term;
};

struct launch_record {   /* launch */
	long long pid;   /* of the measured init, as seen from outside */
	long long start; /* the instant before its exec */
	long long end;   /* it has been waited for */
	long long status;
};

#endif
