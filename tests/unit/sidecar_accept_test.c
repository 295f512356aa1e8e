/* SPDX-License-Identifier: MIT */
#include "metrics_accept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define OPEN       "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define TEXT       "text/plain; version=0.0.4; charset=utf-8"
#define UNDERSCORE "; escaping=underscores"

static const struct {
	const char *header, *type;
} cases[] = {
	/* Prometheus 2.42, 2.5, 3; telegraf; a browser; curl; nobody */
	{"application/openmetrics-text;version=1.0.0,application/"
	 "openmetrics-text;version=0.0.1;q=0.75,"
	 "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
	 OPEN},
	{"application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
	 TEXT},
	{"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
	 "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;"
	 "escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
	 OPEN},
	{"application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.6,*/*;q=0.2",
	 OPEN UNDERSCORE},
	{"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
	 "encoding=delimited;q=0.7,text/plain;version=0.0.4;q=0.3",
	 TEXT},
	{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", TEXT},
	{"*/*", TEXT},
	{"", TEXT},
	/* weights */
	{"application/openmetrics-text;q=0.5, text/plain;q=0.6", TEXT},
	{"text/plain;q=0.5, application/openmetrics-text;q=0.501", OPEN},
	{"text/plain;q=0.999, application/openmetrics-text;q=1.000", OPEN},
	{"application/openmetrics-text;q=0, */*", TEXT},
	{"application/openmetrics-text;q=0.0", TEXT},
	{"text/plain;q=0, */*;q=0.1", OPEN},
	{"text/plain;q=0", TEXT},
	/* the range that names it more closely counts */
	{"*/*;q=1, application/openmetrics-text;q=0.1, text/*;q=0.2", TEXT},
	{"application/openmetrics-text;version=1.0.0;q=0.1, application/openmetrics-text, "
	 "text/plain;q=0.5",
	 TEXT},
	{"application/openmetrics-text, */*", OPEN},
	{"text/plain, application/openmetrics-text", TEXT},
	{"application/openmetrics-text, text/plain", OPEN},
	{"application/*", OPEN},
	{"text/*", TEXT},
	/* other versions */
	{"application/openmetrics-text;version=2.0.0", TEXT},
	{"application/openmetrics-text;version=2.0.0, application/*;q=0.5", OPEN},
	/* ways to write it */
	{"APPLICATION/OpenMetrics-Text ; VERSION=\"1.0.0\" ; Q=0.9 ,, text/plain ; q=0.2 ,", OPEN},
	{"application/openmetrics-text;version=\"1\\.0.0\"", OPEN},
	{"application/openmetrics-text;;q=0.3;", OPEN},
	{"text/plain;escaping=underscores", TEXT UNDERSCORE},
	{"text/plain;escaping=dots", TEXT},
	{"text/plain;charset=\"a,b;q=0\", */*;q=0.1", TEXT},
	/* no Accept header */
	{"application/openmetrics-text;q=2", TEXT},
	{"application/openmetrics-text;q=1.001", TEXT},
	{"application/openmetrics-text;q=0.1234", TEXT},
	{"application/openmetrics-text;q=", TEXT},
	{"application/openmetrics-text;q=-1", TEXT},
	{"application/openmetrics-text;q", TEXT},
	{"application/openmetrics-text, text", TEXT},
	{"application/openmetrics-text, /", TEXT},
	{"application/openmetrics-text garbage", TEXT},
	{"application/openmetrics-text;version=\"1.0.0", TEXT},
	{"application/openmetrics-text;version=\"1.0.0\\", TEXT},
	{"text/plain;escaping=underscores, (", TEXT},
	{"\xff\xfe", TEXT},
};

static void the_format_is_what_was_asked_for(void **state)
{
	struct metrics_accept accept;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		metrics_accept_begin(&accept);
		metrics_accept_read(&accept, cases[i].header);
		if (strcmp(metrics_accept_type(&accept), cases[i].type) != 0)
			fail_msg("\"%s\": %s", cases[i].header, metrics_accept_type(&accept));
		assert_int_equal(metrics_accept_open(&accept), cases[i].type[0] == 'a');
	}
}

static void several_headers_are_one(void **state)
{
	struct metrics_accept accept;

	(void)state;
	metrics_accept_begin(&accept);
	assert_string_equal(metrics_accept_type(&accept), TEXT);
	metrics_accept_read(&accept, "text/plain;q=0.5");
	metrics_accept_read(&accept, "application/openmetrics-text;q=0.6");
	assert_string_equal(metrics_accept_type(&accept), OPEN);
	metrics_accept_read(&accept, "what?");
	assert_string_equal(metrics_accept_type(&accept), TEXT);
}

static void a_long_name_is_none_that_is_known(void **state)
{
	struct metrics_accept accept;
	char header[4096] = "application/openmetrics-text;version=";

	(void)state;
	memset(header + strlen(header), '1', 3000);
	metrics_accept_begin(&accept);
	metrics_accept_read(&accept, header);
	assert_string_equal(metrics_accept_type(&accept), TEXT);
	assert_false(accept.malformed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_format_is_what_was_asked_for),
		cmocka_unit_test(several_headers_are_one),
		cmocka_unit_test(a_long_name_is_none_that_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
