/* SPDX-License-Identifier: MIT */
#include "writer.h"

#include <unistd.h>

#include "log.h"
#include "spawn.h"
#include "supervisor.h"

pid_t writer_start(struct supervisor *sup, const char *option, const char *path, int content,
		   enum child_kind kind)
{
	char *argv[] = {(char *)(uintptr_t) "muster-init", (char *)(uintptr_t)option,
			(char *)(uintptr_t)path, NULL};
	struct spawn_fd fds[] = {{content, STDIN_FILENO}, {sup->null_fd, STDOUT_FILENO}};
	struct spawn_request request = {
		.program = "/proc/self/exe",
		.argv = argv,
		.envp = sup->environment,
		.fds = fds,
		.fd_count = 2,
		.new_session = true,
		.foreground_tty = -1,
		.keep_signals = true,
	};
	struct spawn_error error;
	pid_t pid = children_has_room(&sup->children) ? spawn(&request, &error) : -1;

	if (pid < 0)
		log_warning("cannot start the writer of %s", path);
	else
		children_add(&sup->children, pid, kind, 0, 0);
	return pid;
}
