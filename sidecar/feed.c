/* SPDX-License-Identifier: MIT */
#include "feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "states.h"
#include "values.h"

struct entry {
	char *text; /* as it is sent */
	size_t len;
};

struct feed {
	struct entry entries[FEED_EVENTS]; /* that of number n at n % FEED_EVENTS */
	uint64_t first, next;              /* numbers: the oldest kept; the one to come */
	uint64_t whole;                    /* from this number on nothing is missing */
	size_t bytes;
	struct feed_reader *readers;
	feed_followed *followed;
	void *data;
};

struct feed *feed_create(uint64_t begin_realtime)
{
	struct feed *feed = mem_alloc(sizeof(*feed));

	feed->first = feed->next = feed->whole = begin_realtime / 1000 + 1;
	return feed;
}

static struct entry *entry_at(struct feed *feed, uint64_t number)
{
	return &feed->entries[number % FEED_EVENTS];
}

static void drop_oldest(struct feed *feed)
{
	struct entry *entry = entry_at(feed, feed->first++);

	feed->bytes -= entry->len;
	free(entry->text);
	*entry = (struct entry){0};
}

void feed_destroy(struct feed *feed)
{
	while (feed->first < feed->next)
		drop_oldest(feed);
	free(feed);
}

/* ---- to tell something ---- */

/* In an event stream a line is a line. */
static void make_one_line(char *text)
{
	for (; *text; text++)
		if (*text == '\n' || *text == '\r')
			*text = ' ';
}

static void append(struct feed *feed, const char *event, const char *json)
{
	size_t size = strlen(event) + strlen(json) + 64;
	struct entry *entry;
	char *data;
	int len;

	while (feed->next - feed->first == FEED_EVENTS ||
	       (feed->first < feed->next && feed->bytes + size > FEED_BYTES))
		drop_oldest(feed);
	entry = entry_at(feed, feed->next);
	entry->text = mem_alloc(size);
	len = snprintf(entry->text, size,
		       "id: %llu\nevent: %s\ndata: ", (unsigned long long)feed->next, event);
	data = entry->text + len;
	strcpy(data, json);
	make_one_line(data);
	strcat(data, "\n\n");
	entry->len = strlen(entry->text);
	feed->bytes += entry->len;
	feed->next++;
}

static void wake_readers(struct feed *feed)
{
	for (struct feed_reader *reader = feed->readers, *next; reader; reader = next) {
		next = reader->next;
		reader->wake(reader);
	}
}

void feed_publish(struct feed *feed, const char *event, const char *json)
{
	if (strlen(json) > FEED_EVENT_MAX) {
		feed_publish_gap(feed, "an event is too large to be told");
		return;
	}
	append(feed, event, json);
	wake_readers(feed);
}

void feed_publish_value(struct feed *feed, const char *event, json_t *value)
{
	char *json = json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(12));

	if (json)
		feed_publish(feed, event, json);
	else
		feed_publish_gap(feed, "an event could not be told");
	free(json);
	json_decref(value);
}

void feed_publish_state(struct feed *feed, const char *service, unsigned state, const char *reason,
			uint64_t realtime)
{
	feed_publish_value(feed, "state",
			   json_pack("{s:o, s:s, s:o, s:b, s:o}", "service", value_text(service),
				     "state", state_name(state), "reason",
				     *reason ? value_text(reason) : json_null(), "ready",
				     state_is_ready(state) || state == STATE_COMPLETED, "time",
				     value_time(realtime)));
}

void feed_publish_phase(struct feed *feed, unsigned phase, uint64_t realtime)
{
	feed_publish_value(
		feed, "phase",
		json_pack("{s:s, s:o}", "phase", phase_name(phase), "time", value_time(realtime)));
}

void feed_publish_gap(struct feed *feed, const char *why)
{
	char json[256];

	snprintf(json, sizeof(json), "{\"reason\":\"%s\"}", why);
	feed->whole = feed->next;
	append(feed, "reset", json);
	wake_readers(feed);
}

/* ---- to follow ---- */

bool feed_join(struct feed *feed, struct feed_reader *reader, uint64_t last)
{
	bool known = last < feed->next && last + 1 >= feed->first && last + 1 >= feed->whole;
	bool first = !feed->readers;

	reader->at = last && known ? last + 1 : feed->next;
	reader->offset = 0;
	reader->previous = NULL;
	reader->next = feed->readers;
	if (reader->next)
		reader->next->previous = reader;
	feed->readers = reader;
	if (first && feed->followed)
		feed->followed(feed->data, true);
	return !last || known;
}

void feed_leave(struct feed *feed, struct feed_reader *reader)
{
	if (reader->previous)
		reader->previous->next = reader->next;
	else
		feed->readers = reader->next;
	if (reader->next)
		reader->next->previous = reader->previous;
	if (!feed->readers && feed->followed)
		feed->followed(feed->data, false);
}

/* What fits of the event the reader is at. */
static size_t read_one(struct feed *feed, struct feed_reader *reader, char *buffer, size_t size)
{
	const struct entry *entry = entry_at(feed, reader->at);
	size_t len = entry->len - reader->offset;

	if (len > size)
		len = size;
	memcpy(buffer, entry->text + reader->offset, len);
	reader->offset += len;
	if (reader->offset == entry->len) {
		reader->at++;
		reader->offset = 0;
	}
	return len;
}

ssize_t feed_read(struct feed *feed, struct feed_reader *reader, char *buffer, size_t size)
{
	size_t done = 0;

	if (reader->at < feed->first)
		return -1;
	while (done < size && reader->at < feed->next)
		done += read_one(feed, reader, buffer + done, size - done);
	return (ssize_t)done;
}

uint64_t feed_last(const struct feed *feed)
{
	return feed->next - 1;
}

void feed_on_followed(struct feed *feed, feed_followed *call, void *data)
{
	feed->followed = call;
	feed->data = data;
}
