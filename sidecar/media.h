/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_MEDIA_H
#define SIDECAR_MEDIA_H

/* The Accept header (RFC 9110, 12.5.1). */

#define MEDIA_NAME_SIZE 48 /* longer names and values are none that we know: "?" */

/* A media range with the parameters that mean something here; those not given are empty. */
struct media_range {
	char type[MEDIA_NAME_SIZE], subtype[MEDIA_NAME_SIZE];
	char version[MEDIA_NAME_SIZE], escaping[MEDIA_NAME_SIZE];
	int q; /* in thousandths */
};

/*
 * Reads the range at `at`, the beginning of the header or what the last call returned. Returns what
 * follows, or NULL when there is none: range->type is empty at the end of the header, and "?" where
 * the header is malformed.
 */
const char *media_next(const char *at, struct media_range *range);

/* How closely the range names the type: -1 not at all, 0 as one of all, 1 as one of its kind, 2
 * itself. */
int media_closeness(const struct media_range *range, const char *type, const char *subtype);

/*
 * How much a client wants a media type: 0 (not at all) to 1000. The range that names the type most
 * closely counts; NULL or an empty header: 1000, whatever the type. What follows a fault in the
 * header is not looked at.
 */
int media_quality(const char *accept, const char *type, const char *subtype);

#endif
