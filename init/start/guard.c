/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include <linux/capability.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "capability.h"
#include "config.h"
#include "landlock.h"
#include "log.h"
#include "supervisor.h"

/* For what init does itself: files and sockets that belong to others, signals, users, limits; and
 * /proc/PID/environ, which tells whose a leftover is. */
#define OWN                                                                                        \
	(CAPABILITY_BIT(CAP_CHOWN) | CAPABILITY_BIT(CAP_DAC_OVERRIDE) |                            \
	 CAPABILITY_BIT(CAP_DAC_READ_SEARCH) | CAPABILITY_BIT(CAP_FOWNER) |                        \
	 CAPABILITY_BIT(CAP_KILL) | CAPABILITY_BIT(CAP_SETGID) | CAPABILITY_BIT(CAP_SETUID) |      \
	 CAPABILITY_BIT(CAP_SETPCAP) | CAPABILITY_BIT(CAP_NET_BIND_SERVICE) |                      \
	 CAPABILITY_BIT(CAP_SYS_PTRACE) | CAPABILITY_BIT(CAP_SYS_NICE) |                           \
	 CAPABILITY_BIT(CAP_SYS_RESOURCE))

/* One that may run set-user-ID programs can have all that root has. */
static uint64_t needed_by(const struct service_config *service)
{
	const struct identity_config *id = service->policy->identity;

	uint64_t added = id->cap_add == CAPABILITY_ALL ? ~id->cap_drop : id->cap_add;

	if (service->type == TYPE_EXTERNAL)
		return 0;
	if (id->change_user && id->uid != 0 && id->no_new_privileges)
		return added;
	return ~id->cap_drop | added;
}

/* Returns what is gone: a container may have come without much of it. */
static uint64_t give_up(uint64_t keep)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};
	struct capability_sets had;

	if (capability_read(&had, true) < 0)
		return 0;
	for (unsigned i = 0; i < CAPABILITY_BITS; i++)
		if (had.bounding & ~keep & CAPABILITY_BIT(i))
			prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
	for (unsigned i = 0; i < 2; i++) {
		data[i].permitted = (uint32_t)((had.permitted & keep) >> 32 * i);
		data[i].effective = (uint32_t)((had.effective & keep) >> 32 * i);
		data[i].inheritable = (uint32_t)((had.inheritable & keep) >> 32 * i);
	}
	return syscall(SYS_capset, &header, data) == 0 ? had.permitted & ~keep : 0;
}

/* Said once, not for each service and each start. */
static void say_landlock(const struct config *config)
{
	const char *shortfall = landlock_shortfall(landlock_abi());

	for (uint32_t i = 0; shortfall && i < config->count; i++) {
		const struct landlock_config *landlock =
			config->services[i].policy->identity->landlock;

		if (landlock && landlock->mode == LANDLOCK_BEST_EFFORT) {
			log_warning("%s", shortfall);
			return;
		}
	}
}

void guard_begin(struct supervisor *sup)
{
	uint64_t keep = OWN;

	for (uint32_t i = 0; i < sup->config->count; i++)
		keep |= needed_by(&sup->config->services[i]);
	if (keep != UINT64_MAX)
		sup->given_up = give_up(keep);
	if (sup->given_up)
		log_debug("gave up %d capabilities that no service needs",
			  __builtin_popcountll(sup->given_up));
	say_landlock(sup->config);
	guard_renew(sup->config);
}

/* The child of a user other than root could not write /proc/self/oom_score_adj any more. */
void guard_renew(const struct config *config)
{
	bool dumpable = false;

	for (uint32_t i = 0; i < config->count && geteuid() != 0; i++)
		dumpable |= config->services[i].policy->identity->has_oom;
	prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0);
}

const char *guard_objects(const struct supervisor *sup, const struct config *config)
{
	for (uint32_t i = 0; i < config->count; i++)
		if (needed_by(&config->services[i]) & sup->given_up)
			return config->services[i].name;
	return NULL;
}
