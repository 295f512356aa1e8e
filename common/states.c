/* SPDX-License-Identifier: MIT */
#include "states.h"

static const char states[STATE_COUNT][12] = {
	[STATE_INACTIVE] = "inactive", [STATE_WAITING] = "waiting", [STATE_STARTING] = "starting",
	[STATE_RUNNING] = "running",   [STATE_READY] = "ready",     [STATE_UNHEALTHY] = "unhealthy",
	[STATE_STOPPING] = "stopping", [STATE_BACKOFF] = "backoff", [STATE_COMPLETED] = "completed",
	[STATE_FAILED] = "failed",
};

static const char phases[PHASE_COUNT][12] = {
	[PHASE_STARTING] = "starting", [PHASE_READY] = "ready",       [PHASE_DEGRADED] = "degraded",
	[PHASE_DRAINING] = "draining", [PHASE_STOPPING] = "stopping",
};

static const char types[TYPE_COUNT][12] = {
	[TYPE_SERVICE] = "service",
	[TYPE_ONESHOT] = "oneshot",
	[TYPE_EXTERNAL] = "external",
};

static const char conditions[COND_COUNT][12] = {
	[COND_STARTED] = "started",
	[COND_HEALTHY] = "healthy",
	[COND_COMPLETED] = "completed",
};

static const char roles[ROLE_COUNT][12] = {
	[ROLE_STARTUP] = "startup",
	[ROLE_READINESS] = "readiness",
	[ROLE_LIVENESS] = "liveness",
};

static const char kinds[PROBE_KIND_COUNT][12] = {
	[PROBE_NONE] = "none", [PROBE_NOTIFY] = "notify", [PROBE_FD] = "fd",
	[PROBE_TCP] = "tcp",   [PROBE_HTTP] = "http",     [PROBE_EXEC] = "exec",
	[PROBE_FILE] = "file", [PROBE_UNIX] = "unix",     [PROBE_LOG] = "log",
	[PROBE_GRPC] = "grpc",
};

const char *state_name(unsigned state)
{
	return state < STATE_COUNT ? states[state] : "?";
}

const char *phase_name(unsigned phase)
{
	return phase < PHASE_COUNT ? phases[phase] : "?";
}

const char *type_name(unsigned type)
{
	return type < TYPE_COUNT ? types[type] : "?";
}

const char *condition_name(unsigned condition)
{
	return condition < COND_COUNT ? conditions[condition] : "?";
}

const char *role_name(unsigned role)
{
	return role < ROLE_COUNT ? roles[role] : "?";
}

const char *probe_kind_name(unsigned kind)
{
	return kind < PROBE_KIND_COUNT ? kinds[kind] : "?";
}

int state_is_ready(unsigned state)
{
	return state == STATE_RUNNING || state == STATE_READY;
}

int state_is_active(unsigned state)
{
	return state == STATE_STARTING || state == STATE_RUNNING || state == STATE_READY ||
	       state == STATE_UNHEALTHY || state == STATE_STOPPING;
}
