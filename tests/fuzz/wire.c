/* SPDX-License-Identifier: MIT */
/* The bytes are a packet from the control socket. What is accepted comes out the same again. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A body that claims to be there must be readable to its last byte. */
static unsigned touch(const uint8_t *body, size_t size)
{
	unsigned sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += body[i];
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t again[sizeof(struct wire_header) + WIRE_BODY_MAX];
	const void *body = NULL;
	size_t body_size = 0;
	int type = wire_decode(data, size, &body, &body_size);
	volatile unsigned sum;

	if (type < 0)
		return 0;
	if (body_size > WIRE_BODY_MAX)
		abort();
	sum = touch(body, body_size);
	(void)sum;
	if (body_size >= sizeof(struct wire_service))
		wire_name_valid(((const struct wire_service *)body)->name);
	if (wire_encode(again, (enum wire_type)type, body, body_size, NULL, 0) != size)
		abort();
	if (memcmp(again, data, size) != 0)
		abort();
	return 0;
}
