/* SPDX-License-Identifier: MIT */
#include "writer.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "log.h"
#include "spawn.h"
#include "supervisor.h"

/* Without /proc, the path that init was executed by. */
static const char *own_program(void)
{
	const char *program = "/proc/self/exe";

	return access(program, X_OK) == 0 ? program : (const char *)getauxval(AT_EXECFN);
}

pid_t writer_start(struct supervisor *sup, const char *const *argv, int input, int output,
		   enum child_kind kind, uint16_t slot)
{
	struct spawn_fd fds[] = {{input, STDIN_FILENO}, {output, STDOUT_FILENO}};
	struct spawn_request request = {
		.program = own_program(),
		.argv = (char **)(uintptr_t)argv,
		.envp = sup->environment,
		.fds = fds,
		.fd_count = 2,
		.new_session = true,
		.foreground_tty = -1,
		.keep_signals = true,
	};
	struct spawn_error error;
	pid_t pid;

	if (!children_has_room(&sup->children))
		return -EAGAIN;
	pid = spawn(&request, &error);
	if (pid < 0)
		return -error.error;
	children_add(&sup->children, pid, kind, slot, 0);
	return pid;
}

pid_t writer_start_once(struct supervisor *sup, const char *option, const char *path, int content,
			enum child_kind kind)
{
	const char *const argv[] = {"muster-init", option, path, NULL};
	pid_t pid = writer_start(sup, argv, content, sup->null_fd, kind, 0);

	if (pid > 0)
		return pid;
	log_warning("cannot start the writer of %s: %s", path, strerror(-pid));
	return -1;
}
