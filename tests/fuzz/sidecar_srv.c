/* SPDX-License-Identifier: MIT */
/* The bytes are a name server's answer to a question for SRV records. What is taken of it can be
 * connected to, in the order that was asked for. */
#include "srv.h"

#include <stdlib.h>
#include <string.h>

#include "address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_target(const struct srv_answer *answer, unsigned i)
{
	const struct srv_target *target = &answer->targets[i];

	if (!target->port || !target->host[0] ||
	    !address_host_valid(target->host, sizeof(target->host)))
		abort();
	if (i && target->priority < target[-1].priority)
		abort();
	if (i && target->priority == target[-1].priority && target->weight > target[-1].weight)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct srv_answer answer, again;

	srv_read(&answer, data, (int)size);
	srv_read(&again, data, (int)size);
	if (answer.count > SRV_MAX || answer.count != again.count)
		abort();
	if (!answer.error && !answer.count)
		abort();
	if (answer.error)
		return 0;
	for (unsigned i = 0; i < answer.count; i++)
		check_target(&answer, i);
	return 0;
}
