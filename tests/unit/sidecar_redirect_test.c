/* SPDX-License-Identifier: MIT */
/* A probe follows a redirect to who was asked, and to nobody else, whatever the answer names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "probe_curl.h"

static void only_who_was_asked_is_asked_again(void **state)
{
	static const struct {
		const char *from, *location, *url, *elsewhere;
	} cases[] = {
		{"http://web:80/a/b", "c", "http://web:80/a/c", NULL},
		{"http://web:80/a/b", "/c?d", "http://web:80/c?d", NULL},
		{"http://web:8080/", "//WEB:8080/x", "http://WEB:8080/x", NULL},
		{"http://web/", "http://web:80/x", "http://web:80/x", NULL},
		{"https://web:443/", "https://web/x", "https://web/x", NULL},
		{"http://web:8080/", "http://other:8080/", NULL, "http://other:8080"},
		{"http://web:8080/", "http://web:8081/", NULL, "http://web:8081"},
		{"http://web:8080/", "http://web/", NULL, "http://web:80"},
		{"http://web:8080/", "https://web:8080/", NULL, "https://web:8080"},
		{"http://web:80/", "//169.254.169.254/latest", NULL, "http://169.254.169.254:80"},
		{"http://web:80/", "http://web:80@other:80/", NULL, "http://other:80"},
		{"http://web:80/", "file:///etc/passwd", NULL, "file://"},
		{"http://web:80/", "http://a~b:80/", NULL, "http://a?b:80"},
		{"http://web:80/", "http://web:99999/", NULL, "what is not a URL"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char elsewhere[REDIRECT_TEXT];
		char *url = redirect_url(cases[i].from, cases[i].location, elsewhere);

		if ((url != NULL) != (cases[i].url != NULL) ||
		    (url && strcmp(url, cases[i].url) != 0))
			fail_msg("%s in %s: %s", cases[i].location, cases[i].from,
				 url ? url : elsewhere);
		if (!url && strcmp(elsewhere, cases[i].elsewhere) != 0)
			fail_msg("%s in %s: \"%s\"", cases[i].location, cases[i].from, elsewhere);
		free(url);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(only_who_was_asked_is_asked_again)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
