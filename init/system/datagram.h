/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_DATAGRAM_H
#define MUSTER_DATAGRAM_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/* A socket of datagrams that say who sent them, and descriptors with them. */
struct identity_config;

/* Room for so many: what does not fit is closed by the kernel, which also fills what is there for
 * alignment alone; so there are as many places as that could make. */
#define DATAGRAM_FDS     17
#define DATAGRAM_CONTROL (CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(DATAGRAM_FDS * sizeof(int)))
#define DATAGRAM_NAME    112

struct datagram {
	pid_t pid; /* of the sender, as the kernel has it; 0: not known */
	uid_t uid;
	int fds[DATAGRAM_CONTROL / sizeof(int)];
	unsigned fd_count;
};

/*
 * One that only this identity may send to, in the directory, or, where that takes none or is NULL,
 * under an abstract name that `boot` makes one of its kind. Its path, or @ and its name, goes to
 * `name`. -1 with errno.
 */
int datagram_open(const char *dir, uint64_t boot, const struct identity_config *identity,
		  char name[DATAGRAM_NAME]);

/* Takes one; its length, more than `size` where it was cut, or -1. The descriptors are the caller's
 * to close. */
ssize_t datagram_receive(int fd, char *text, size_t size, struct datagram *packet);

#endif
