/* SPDX-License-Identifier: MIT */
#include "wire.h"

#include <errno.h>
#include <string.h>

size_t wire_encode(void *buffer, enum wire_type type, const void *body, size_t size,
		   const void *tail, size_t tail_size)
{
	struct wire_header header = {.version = WIRE_VERSION, .type = (uint16_t)type};
	char *out = buffer;

	if (size > WIRE_BODY_MAX)
		size = WIRE_BODY_MAX;
	if (tail_size > WIRE_BODY_MAX - size)
		tail_size = WIRE_BODY_MAX - size;
	header.size = (uint32_t)(size + tail_size);
	memcpy(out, &header, sizeof(header));
	if (size)
		memcpy(out + sizeof(header), body, size);
	if (tail_size)
		memcpy(out + sizeof(header) + size, tail, tail_size);
	return sizeof(header) + size + tail_size;
}

int wire_decode(const void *packet, size_t len, const void **body, size_t *size)
{
	struct wire_header header;

	if (len < sizeof(header))
		return -EPROTO;
	memcpy(&header, packet, sizeof(header));
	if (header.version != WIRE_VERSION || header.size > WIRE_BODY_MAX ||
	    header.size != len - sizeof(header))
		return -EPROTO;
	*body = (const char *)packet + sizeof(header);
	*size = header.size;
	return header.type;
}

int wire_name_valid(const char name[64])
{
	return name[0] && memchr(name, '\0', 64);
}
