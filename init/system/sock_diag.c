/* SPDX-License-Identifier: MIT */
#include "sock_diag.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ROUNDS_MAX  64 /* parts of an answer: of so many sockets one may well be in use */
#define ANSWER_SIZE 16384

/* States of TCP (include/net/tcp_states.h); of unix sockets the first. */
#define STATE_ESTABLISHED 1
#define STATE_FIN_WAIT1   4
#define STATE_FIN_WAIT2   5
#define STATE_CLOSE_WAIT  8
#define OPEN_STATES                                                                                \
	(1 << STATE_ESTABLISHED | 1 << STATE_FIN_WAIT1 | 1 << STATE_FIN_WAIT2 |                    \
	 1 << STATE_CLOSE_WAIT)

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

struct tcp_question {
	struct nlmsghdr header;
	struct inet_diag_req_v2 body;
	struct rtattr filter;
	struct inet_diag_bc_op is_port[2]; /* the second holds the port in its `no` */
};

struct unix_question {
	struct nlmsghdr header;
	struct unix_diag_req body;
};

static struct nlmsghdr header_of(size_t size)
{
	return (struct nlmsghdr){.nlmsg_len = (uint32_t)size,
				 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
				 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP};
}

static bool ask_tcp(int netlink, const union address *address)
{
	struct tcp_question question = {
		.header = header_of(sizeof(question)),
		.body = {.sdiag_family = (uint8_t)address->any.sa_family,
			 .sdiag_protocol = IPPROTO_TCP,
			 .idiag_states = OPEN_STATES},
		.filter = {.rta_type = INET_DIAG_REQ_BYTECODE,
			   .rta_len = RTA_LENGTH(sizeof(question.is_port))},
		/* equal: to the end, which takes the socket; else beyond it, which does not */
		.is_port = {{.code = INET_DIAG_BC_S_EQ,
			     .yes = sizeof(question.is_port),
			     .no = sizeof(question.is_port) + 4},
			    {.no = ntohs(address->in.sin_port)}},
	};

	return send(netlink, &question, sizeof(question), 0) == sizeof(question);
}

static bool ask_unix(int netlink)
{
	struct unix_question question = {
		.header = header_of(sizeof(question)),
		.body = {.sdiag_family = AF_UNIX,
			 .udiag_states = 1 << STATE_ESTABLISHED,
			 .udiag_show = UDIAG_SHOW_NAME},
	};

	return send(netlink, &question, sizeof(question), 0) == sizeof(question);
}

/* A connection that no process has open (any more, or yet) has no inode. */
static bool is_tcp_match(const struct nlmsghdr *message)
{
	const struct inet_diag_msg *body = NLMSG_DATA(message);

	return message->nlmsg_len >= NLMSG_LENGTH(sizeof(*body)) && body->idiag_inode;
}

static bool is_path(const char *name, size_t size, const char *path)
{
	size_t len = strlen(path);

	return size >= len && memcmp(name, path, len) == 0 && (size == len || name[len] == '\0');
}

static bool is_unix_match(const struct nlmsghdr *message, const char *path)
{
	const char *at = (const char *)message;
	size_t used = NLMSG_LENGTH(sizeof(struct unix_diag_msg));

	while (used + sizeof(struct rtattr) <= message->nlmsg_len) {
		const struct rtattr *attribute = (const void *)(at + used);
		size_t len = attribute->rta_len;

		if (len < sizeof(*attribute) || used + len > message->nlmsg_len)
			break;
		if (attribute->rta_type == UNIX_DIAG_NAME)
			return is_path(RTA_DATA(attribute), RTA_PAYLOAD(attribute), path);
		used += RTA_ALIGN(len);
	}
	return false;
}

enum part { PART_MATCH, PART_MORE, PART_END };

static bool is_match(const struct nlmsghdr *message, const union address *address)
{
	return address->any.sa_family == AF_UNIX ? is_unix_match(message, address->un.sun_path)
						 : is_tcp_match(message);
}

static enum part read_part(const char *bytes, size_t size, const union address *address)
{
	const struct nlmsghdr *message;

	for (size_t used = 0; used + sizeof(*message) <= size;
	     used += NLMSG_ALIGN(message->nlmsg_len)) {
		message = (const void *)(bytes + used);
		if (message->nlmsg_len < sizeof(*message) || used + message->nlmsg_len > size)
			return PART_MATCH;
		if (message->nlmsg_type == NLMSG_DONE)
			return PART_END;
		/* anything else is an error */
		if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY || is_match(message, address))
			return PART_MATCH;
	}
	return PART_MORE;
}

static bool read_answer(int netlink, const union address *address)
{
	union {
		struct nlmsghdr header;
		char bytes[ANSWER_SIZE];
	} answer;
	enum part part = PART_MORE;

	for (int i = 0; i < ROUNDS_MAX && part == PART_MORE; i++) {
		ssize_t n = recv(netlink, &answer, sizeof(answer), MSG_DONTWAIT);

		part = n > 0 ? read_part(answer.bytes, (size_t)n, address) : PART_MATCH;
	}
	return part != PART_END;
}

bool sock_diag_in_use(int fd)
{
	union address address = {.any.sa_family = AF_UNSPEC};
	socklen_t size = sizeof(address), type_size = sizeof(int);
	bool in_use = true;
	int type = 0, netlink;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) < 0 ||
	    getsockname(fd, &address.any, &size) < 0)
		return true;
	if (type != SOCK_STREAM)
		return false;
	netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (netlink < 0)
		return true;
	if (address.any.sa_family == AF_UNIX ? ask_unix(netlink) : ask_tcp(netlink, &address))
		in_use = read_answer(netlink, &address);
	close(netlink);
	return in_use;
}
