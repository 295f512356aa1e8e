/* SPDX-License-Identifier: MIT */
#include "values.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "sidecar.h"
#include "str.h"

json_t *value_seconds(uint64_t ns)
{
	return json_real((double)(ns / 1000) / 1e6);
}

json_t *value_time(uint64_t ns)
{
	char buffer[32];

	return ns ? json_string(format_time(buffer, sizeof(buffer), ns)) : json_null();
}

json_t *value_text(const char *text)
{
	json_t *value = json_string(text);
	char plain[256];
	size_t i;

	if (value)
		return value;
	for (i = 0; text[i] && i < sizeof(plain) - 1; i++)
		plain[i] = text[i];
	plain[i] = '\0';
	for (i = 0; plain[i]; i++)
		if ((unsigned char)plain[i] >= 0x80)
			plain[i] = '?';
	return json_string(plain);
}

static int append(const char *bytes, size_t len, void *data)
{
	text_put_bytes(data, bytes, len);
	return 0;
}

void reply_json(struct reply *reply, const char *type, json_t *value)
{
	reply->type = type;
	json_dump_callback(value, append, &reply->body, JSON_COMPACT | JSON_REAL_PRECISION(12));
	text_put(&reply->body, "\n");
	json_decref(value);
}

void reply_no_page(struct reply *reply)
{
	reply->status = 503;
	reply->retry_after = 1;
	reply_json(
		reply, "application/json",
		json_pack("{s:i, s:s}", "schema", JSON_SCHEMA, "error", "there is no status page"));
}

const char *sidecar_host(const struct sidecar *sidecar, const struct view *view)
{
	return sidecar->options.host ? sidecar->options.host : view->header.host;
}
