/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_MEDIA_H
#define SIDECAR_MEDIA_H

/*
 * How much a client wants a media type, by its Accept header (RFC 9110, 12.5.1): 0 (not at all) to
 * 1000. The range that names the type most closely counts. NULL or an empty header: 1000, whatever
 * the type. `type` is TYPE/SUBTYPE in small letters; parameters other than q are not looked at.
 */
unsigned media_quality(const char *accept, const char *type);

#endif
