/* SPDX-License-Identifier: MIT */
#include "gpu_reader.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "gpu_link.h"
#include "gpu_read.h"

/* How long one wait for an event lasts: an hour, so that nothing wakes up often. (In microseconds
 * it still fits 32 bits, whatever the library makes of it.) */
#define EVENT_WAIT_MS (60 * 60 * 1000U)

struct reader {
	int talk;
	uint32_t run;
	struct nvml nvml;
	nvml_event_set events;
	unsigned count;
	nvml_device devices[GPU_MAX]; /* as registered for events */
};

static bool say(void *data, const void *message, size_t size)
{
	const struct reader *reader = data;
	ssize_t n;

	do
		n = send(reader->talk, message, size, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)size;
}

/* ---- opening ---- */

static void set_reason(struct gpu_ready *ready, uint32_t outcome, const char *text)
{
	ready->outcome = outcome;
	snprintf(ready->reason, sizeof(ready->reason), "%s", text);
}

/* What will not change while this container runs is told from what may. */
static void judge_init(struct gpu_ready *ready, int code)
{
	switch (code) {
	case NVML_OK:
		ready->outcome = GPU_FOUND;
		break;
	case NVML_DRIVER_NOT_LOADED:
		set_reason(ready, GPU_NONE, "no device: no NVIDIA driver is loaded");
		break;
	case NVML_NOT_FOUND:
		set_reason(ready, GPU_NONE, "no device: the driver finds none");
		break;
	case NVML_NO_PERMISSION:
		set_reason(ready, GPU_NONE,
			   "not permitted: the devices /dev/nvidia* cannot be opened");
		break;
	case NVML_VERSION_MISMATCH:
		set_reason(ready, GPU_NONE,
			   "driver mismatch: the library is of another version than the driver");
		break;
	case NVML_LIBRARY_NOT_FOUND:
		set_reason(ready, GPU_NONE, "no library: one that NVML needs is missing");
		break;
	default:
		ready->outcome = GPU_FAILED;
		snprintf(ready->reason, sizeof(ready->reason), "the driver cannot be used: %s (%d)",
			 gpu_code_text(code), code);
	}
}

static void count_devices(struct reader *reader, struct gpu_ready *ready)
{
	int code = reader->nvml.count(&reader->count);

	judge_init(ready, code);
	if (code == NVML_OK && reader->count == 0)
		set_reason(ready, GPU_NONE, "no device: the driver shows none here");
	if (reader->count > GPU_MAX)
		reader->count = GPU_MAX;
}

static void open_events(struct reader *reader, struct gpu_ready *ready)
{
	const struct nvml *nvml = &reader->nvml;

	if (!nvml->events_create || !nvml->events_register || !nvml->events_wait ||
	    nvml->events_create(&reader->events) != NVML_OK)
		return;
	for (unsigned i = 0; i < reader->count; i++) {
		nvml_device *device = &reader->devices[i];

		if (nvml->by_index(i, device) != NVML_OK)
			*device = NULL;
		/* some know of the one only */
		else if (nvml->events_register(*device, NVML_EVENT_XID | NVML_EVENT_DOUBLE_BIT_ECC,
					       reader->events) == NVML_OK ||
			 nvml->events_register(*device, NVML_EVENT_XID, reader->events) == NVML_OK)
			ready->events = 1;
	}
}

static void open_library(struct reader *reader, const char *library, struct gpu_ready *ready)
{
	if (!gpu_library_open(&reader->nvml, library, ready->reason, sizeof(ready->reason))) {
		ready->outcome = GPU_NONE;
		return;
	}
	judge_init(ready, reader->nvml.init());
	if (ready->outcome == GPU_FOUND)
		count_devices(reader, ready);
	if (ready->outcome != GPU_FOUND)
		return;
	if (!reader->nvml.driver_version ||
	    reader->nvml.driver_version(ready->driver, sizeof(ready->driver)) != NVML_OK)
		ready->driver[0] = '\0';
	open_events(reader, ready);
}

/* ---- events ---- */

static uint32_t index_of(const struct reader *reader, nvml_device device)
{
	unsigned index = GPU_MAX;

	for (unsigned i = 0; i < reader->count; i++)
		if (reader->devices[i] == device)
			return i;
	if (!reader->nvml.index || reader->nvml.index(device, &index) != NVML_OK)
		return GPU_MAX;
	return index;
}

/* A library that says at once that time is over is not asked again at once. */
static void rest_after(uint64_t begin)
{
	if (clock_monotonic() - begin < NSEC_PER_SEC)
		clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_sec = 1}, NULL);
}

static void *wait_for_events(void *data)
{
	struct reader *reader = data;

	for (;;) {
		struct nvml_event event = {0};
		uint64_t begin = clock_monotonic();
		int code = reader->nvml.events_wait(reader->events, &event, EVENT_WAIT_MS);
		struct gpu_event message = {.head = {.type = GPU_EVENT, .run = reader->run}};

		if (code == NVML_TIMEOUT) {
			rest_after(begin);
			continue;
		}
		if (code != NVML_OK) /* of a lost GPU there is nothing more to wait for */
			return NULL;
		message.index = index_of(reader, event.device);
		message.ecc = event.type == NVML_EVENT_DOUBLE_BIT_ECC;
		message.xid = event.data;
		if (!say(reader, &message, sizeof(message)))
			return NULL;
	}
}

/* ---- answering ---- */

static void start_waiting(struct reader *reader)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_create(&thread, &attributes, wait_for_events, reader);
	pthread_attr_destroy(&attributes);
}

/* A question to a reader before this one is passed over. */
static void answer(struct reader *reader)
{
	struct gpu_head head;

	for (;;) {
		ssize_t n = recv(reader->talk, &head, sizeof(head), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		if (n != sizeof(head) || head.type != GPU_ASK || head.run != reader->run)
			continue;
		if (!gpu_read(&reader->nvml, head, say, reader))
			return;
	}
}

void gpu_reader(int talk, const char *library, uint32_t run)
{
	static struct reader reader;
	struct gpu_ready ready = {.head = {.type = GPU_READY, .run = run}};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	reader.talk = talk;
	reader.run = run;
	open_library(&reader, library, &ready);
	if (say(&reader, &ready, sizeof(ready)) && ready.outcome == GPU_FOUND) {
		if (ready.events)
			start_waiting(&reader);
		answer(&reader);
	}
	_exit(0);
}
