/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_WRITERS_H
#define MUSTER_WRITERS_H

#include <stdint.h>

/*
 * A disk may stall, and PID 1 may not: these are processes of our own program that write to one.
 * Each returns an exit code.
 */
/* What a writer tells init, in one write. */
struct logger_report {
	uint32_t dropped; /* lines since the last report */
	uint16_t slot;    /* of the service */
	uint16_t error;   /* errno; 0: it writes again */
};

/*
 * The writer of a log: `muster-init --log-writer PATH MAX_SIZE KEEP SLOT`, reads standard input
 * until its end and reports to standard output. PATH is renamed to PATH.1 when it would exceed
 * MAX_SIZE bytes (0: never), PATH.1 to PATH.2, up to PATH.KEEP. Where PATH was moved or deleted by
 * somebody else, a new file is begun. Returns an exit code.
 */
#define LOG_WRITER_OPTION "--log-writer"
int logwriter_main(int argc, char **argv);

/* The writer of the hosts file: `muster-init --hosts-writer PATH`, lines on standard input. */
#define HOSTS_WRITER_OPTION "--hosts-writer"
int hosts_writer_main(int argc, char **argv);

/* The writer of state_dir: `muster-init --durations-writer PATH`, the content on standard input. */
#define DURATIONS_WRITER_OPTION "--durations-writer"
int durations_writer_main(int argc, char **argv);

#endif
