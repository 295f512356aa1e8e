/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_DNS_STREAM_H
#define SIDECAR_DNS_STREAM_H

#include <stddef.h>
#include <stdint.h>

/*
 * Questions over TCP: each connection is read one question at a time, and has a deadline for
 * whatever comes next. When there are too many, the one that is idle longest makes room.
 */
#define DNS_STREAMS_MAX    64
#define DNS_STREAM_SECONDS 10
#define DNS_QUERY_MOST     1500 /* bytes of a question */

struct dns;
struct dns_stream;
struct dns_streams;
struct loop;

struct dns_streams *dns_streams_create(struct loop *loop, struct dns *dns);
/* Accepts what waits at this listening socket. */
void dns_streams_accept(struct dns_streams *streams, int fd);
/* The answer that it waits for. */
void dns_stream_reply(struct dns_stream *stream, const uint8_t *answer, size_t size);
void dns_streams_destroy(struct dns_streams *streams);

#endif
