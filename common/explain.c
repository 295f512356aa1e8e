/* SPDX-License-Identifier: MIT */
#include "explain.h"

#include <string.h>

#include "json_out.h"
#include "str.h"

static const struct address_candidate *chosen(const struct address_entry *address)
{
	return address->count ? &address->candidates[address->now->candidate] : NULL;
}

/* ---- JSON ---- */

static void json_endpoint(struct json_out *json, const char *host, uint16_t port)
{
	char text[ENDPOINT_SIZE];

	json_text(json, NULL, endpoint_format(text, host, port));
}

static void json_addresses(struct json_out *json, const struct address_entry *address)
{
	json_array_begin(json, "addresses");
	for (uint32_t i = 0; i < address->count; i++)
		json_endpoint(json, address->candidates[i].host, address->candidates[i].port);
	json_array_end(json);
}

static void json_numbers(struct json_out *json, const char *numbers)
{
	json_array_begin(json, "resolved");
	while (numbers && *numbers) {
		size_t len = strcspn(numbers, ", ");
		char one[HOST_SIZE];

		snprintf(one, sizeof(one), "%.*s", (int)len, numbers);
		json_text(json, NULL, one);
		numbers += len;
		numbers += strspn(numbers, ", ");
	}
	json_array_end(json);
}

static void json_place(struct json_out *json, const struct address_entry *address,
		       const struct explained_place *place)
{
	json_object_begin(json, NULL);
	json_text(json, "host", place->host);
	json_uint(json, "port", place->port);
	json_text(json, "source", address->candidates[place->candidate].source);
	json_text(json, "srv", address->candidates[place->candidate].srv);
	json_text(json, "state", place->state);
	json_text(json, "error", place->error);
	json_numbers(json, place->numbers);
	if (place->age)
		json_seconds(json, "age_seconds", place->age);
	else
		json_nothing(json, "age_seconds");
	json_object_end(json);
}

static void json_steps(struct json_out *json, const struct address_entry *address)
{
	json_array_begin(json, "tried");
	for (uint32_t i = 0; i < address->step_count; i++) {
		const struct address_step *step = &address->steps[i];
		char text[ENDPOINT_SIZE];

		json_object_begin(json, NULL);
		json_text(json, "source", step->source);
		json_text(json, "problem", step->note);
		json_text(json, "address",
			  step->candidate < 0
				  ? NULL
				  : endpoint_format(text, address->candidates[step->candidate].host,
						    address->candidates[step->candidate].port));
		json_object_end(json);
	}
	json_array_end(json);
}

void explain_json(struct json_out *json, const struct explanation *what)
{
	const struct address_entry *address = what->address;
	const struct address_candidate *first = chosen(address);

	json_object_begin(json, NULL);
	json_text(json, "name", address->name);
	json_text(json, "mode", what->book->mode);
	json_text(json, "mode_source", what->book->mode_source);
	json_text(json, "host", first ? address->now->host : NULL);
	if (first)
		json_uint(json, "port", address->now->port);
	else
		json_nothing(json, "port");
	json_text(json, "source", first ? first->source : NULL);
	json_text(json, "state", what->state);
	if (what->age)
		json_seconds(json, "age_seconds", what->age);
	else
		json_nothing(json, "age_seconds");
	json_addresses(json, address);
	json_array_begin(json, "places");
	for (uint32_t i = 0; i < what->place_count; i++)
		json_place(json, address, &what->places[i]);
	json_array_end(json);
	json_steps(json, address);
	json_text(json, "error", first ? NULL : address->tried);
	json_object_end(json);
}

/* ---- text ---- */

static unsigned source_width(const struct address_entry *address)
{
	size_t width = 8;

	for (uint32_t i = 0; i < address->step_count; i++)
		if (strlen(address->steps[i].source) > width)
			width = strlen(address->steps[i].source);
	return width < 60 ? (unsigned)width : 60;
}

static void explain_place(FILE *out, const struct explained_place *place)
{
	char text[ENDPOINT_SIZE], age[24];

	fprintf(out, "        %s is %s", endpoint_format(text, place->host, place->port),
		place->state);
	if (place->error)
		fprintf(out, ": %s", place->error);
	if (place->numbers && *place->numbers && strcmp(place->numbers, place->host) != 0)
		fprintf(out, "; resolved to %s", place->numbers);
	if (place->age)
		fprintf(out, "; %s ago", format_duration(age, sizeof(age), place->age));
	fputc('\n', out);
}

static void explain_step(FILE *out, const struct explanation *what, const struct address_step *step,
			 unsigned width)
{
	const struct address_entry *address = what->address;
	const struct address_candidate *candidate;
	char text[ENDPOINT_SIZE];

	if (step->candidate < 0) {
		fprintf(out, "      %-*s  %s\n", (int)width, step->source, step->note);
		return;
	}
	candidate = &address->candidates[step->candidate];
	fprintf(out, "    %s %-*s  %s%s%s\n",
		step->candidate == address->now->candidate ? "*" : " ", (int)width, step->source,
		endpoint_format(text, candidate->host, candidate->port),
		candidate->srv ? ", or what is said by " : "",
		candidate->srv ? candidate->srv : "");
	for (uint32_t i = 0; i < what->place_count; i++)
		if (what->places[i].candidate == (uint32_t)step->candidate)
			explain_place(out, &what->places[i]);
}

void explain_text(FILE *out, const struct explanation *what)
{
	const struct address_entry *address = what->address;
	unsigned width = source_width(address);
	char text[ENDPOINT_SIZE], age[24];

	fprintf(out, "%s is %s\n", address->name,
		address->count ? endpoint_format(text, address->now->host, address->now->port)
			       : "nowhere");
	fprintf(out, "  mode  %s (%s)\n", what->book->mode, what->book->mode_source);
	if (what->state)
		fprintf(out, "  state %s\n", what->state);
	else if (!what->place_count && address->count)
		fprintf(out, "  state not looked at: muster-sidecar resolve does that\n");
	if (what->age)
		fprintf(out, "  seen  %s ago\n", format_duration(age, sizeof(age), what->age));
	fprintf(out, "  tried\n");
	for (uint32_t i = 0; i < address->step_count; i++)
		explain_step(out, what, &address->steps[i], width);
}
