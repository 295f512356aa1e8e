/* SPDX-License-Identifier: MIT */
#include "handlers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "explain.h"
#include "json_out.h"
#include "live.h"
#include "sidecar.h"

static void put_explanation(void *data, const struct explanation *what)
{
	explain_json(data, what);
}

/* Without `one` all addresses, as a list. */
static void put_addresses(struct json_out *json, struct live *live, const struct address_entry *one)
{
	const struct address_book *book = live_book(live);

	if (one) {
		live_explain(live, (uint32_t)(one - book->entries), put_explanation, json);
		return;
	}
	json_array_begin(json, NULL);
	for (uint32_t i = 0; i < book->count; i++)
		live_explain(live, i, put_explanation, json);
	json_array_end(json);
}

static void reply_addresses(struct reply *reply, struct live *live, const struct address_entry *one)
{
	char *body = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&body, &size);
	struct json_out json;

	reply->type = "application/json";
	if (!out) {
		reply->status = 503;
		return;
	}
	json_begin(&json, out, false);
	put_addresses(&json, live, one);
	json_end(&json);
	fclose(out);
	text_put_bytes(&reply->body, body, size);
	free(body);
}

static void reply_nothing(struct reply *reply, unsigned status, const char *line)
{
	reply->status = status;
	text_put(&reply->body, line);
}

void resolve_report(struct request *request, struct reply *reply)
{
	struct live *live = request->sidecar->live;

	if (live_book(live))
		reply_addresses(reply, live, NULL);
	else
		reply_nothing(reply, 503, "the address book is not known here\n");
}

void resolve_report_one(struct request *request, struct reply *reply)
{
	struct live *live = request->sidecar->live;
	const struct address_entry *entry =
		live_book(live) ? address_find(live_book(live), request->rest) : NULL;

	if (!live_book(live))
		reply_nothing(reply, 503, "the address book is not known here\n");
	else if (!entry)
		reply_nothing(reply, 404, "there is no address of this name\n");
	else
		reply_addresses(reply, live, entry);
}
