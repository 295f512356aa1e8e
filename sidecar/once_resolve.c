/* SPDX-License-Identifier: MIT */
#include "once.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "address.h"
#include "clock.h"
#include "config.h"
#include "explain.h"
#include "json_out.h"
#include "live.h"
#include "log.h"
#include "loop.h"
#include "resolve.h"

#define TIMEOUT_MS 5000 /* what is not known by then stays unknown */

/* The one run. */
struct once {
	const struct once_options *options;
	struct loop *loop;
	struct resolver *resolver;
	struct prober *prober; /* of no probes: the live addresses share its limits */
	struct live *live;
	const struct address_book *book;
	const struct address_entry *one;
	uint32_t timeout_ms;
	struct loop_timer timer;
	struct json_out json;
};

struct config *once_read_config(const struct once_options *options)
{
	struct config_source source = {
		.files = options->configs, .environment = environ, .lenient_users = true};
	struct config_errors errors = {0};
	struct config *config = config_load(&source, &errors);

	for (unsigned i = 0; i < errors.kept; i++)
		fprintf(stderr, "%s\n", errors.text[i]);
	config_errors_free(&errors);
	return config;
}

static bool is_wanted(const struct once *once, uint32_t index)
{
	return !once->one || once->one == &once->book->entries[index];
}

static bool is_known(const struct once *once)
{
	for (uint32_t i = 0; i < once->book->count; i++)
		if (is_wanted(once, i) && once->book->entries[i].count &&
		    live_state(once->live, i) < 0)
			return false;
	return true;
}

/* Called before the loop sleeps: is there anything to wait for? */
static uint64_t look(void *data, uint64_t now)
{
	struct once *once = data;

	if (!is_known(once))
		return NEVER;
	loop_stop(once->loop, 0);
	return now;
}

static void time_is_over(void *data, uint64_t now)
{
	struct once *once = data;

	(void)now;
	loop_stop(once->loop, 0);
}

/* ---- telling ---- */

static void print(void *data, const struct explanation *what)
{
	struct once *once = data;
	const struct address_entry *entry = what->address;
	char text[ENDPOINT_SIZE];

	if (once->options->json) {
		explain_json(&once->json, what);
	} else if (once->options->explain) {
		explain_text(stdout, what);
	} else if (entry->count) {
		endpoint_format(text, entry->now->host, entry->now->port);
		if (once->one)
			printf("%s\n", text);
		else
			printf("%s %s %s\n", entry->name, text, what->state);
	} else {
		log_error("%s has no address here: %s", entry->name, entry->tried);
	}
}

static int tell(struct once *once)
{
	bool list = once->options->json && !once->one, good = true;

	json_begin(&once->json, stdout, true);
	if (list)
		json_array_begin(&once->json, NULL);
	for (uint32_t i = 0; i < once->book->count; i++) {
		if (!is_wanted(once, i))
			continue;
		live_explain(once->live, i, print, once);
		good &= live_state(once->live, i) == 1;
	}
	if (list)
		json_array_end(&once->json);
	if (once->options->json)
		json_end(&once->json);
	return good && fflush(stdout) == 0 ? 0 : 1;
}

static int run(struct once *once)
{
	int code;

	once->loop = loop_create();
	if (!once->loop)
		return 1;
	once->resolver = resolver_create(once->loop);
	once->prober = prober_create(once->loop, once->resolver, NULL, NULL);
	once->live = live_create(once->loop, once->resolver, once->prober, NULL, NULL);
	once->timer.call = time_is_over;
	once->timer.data = once;
	loop_arm(once->loop, &once->timer, clock_monotonic() + msec(once->timeout_ms));
	loop_before_sleep(once->loop, look, once);
	live_set_book(once->live, once->book, 1, true);
	loop_run(once->loop);
	code = tell(once);
	live_destroy(once->live);
	prober_destroy(once->prober);
	resolver_destroy(once->resolver);
	loop_destroy(once->loop);
	return code;
}

int once_resolve(const struct once_options *options)
{
	struct once once = {.options = options,
			    .timeout_ms = options->timeout_ms ? options->timeout_ms : TIMEOUT_MS};
	struct config *config = once_read_config(options);
	const char *name = options->word_count ? options->words[0] : NULL;
	int code;

	if (!config)
		return ONCE_CONFIG;
	once.book = config->addresses;
	once.one = name ? address_find(once.book, name) : NULL;
	if (name && !once.one) {
		log_error("there is no [address:%s] in the configuration", name);
		code = ONCE_NOT_FOUND;
	} else {
		code = run(&once);
	}
	config_free(config);
	return code;
}
