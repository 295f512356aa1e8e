/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_SOCK_DIAG_H
#define MUSTER_SOCK_DIAG_H

#include <stdbool.h>

/*
 * Whether any process has a connection open that came to this listening socket: asked of the kernel
 * (sock_diag(7)), which answers from memory; one question, and no more of the answer is read than
 * has to be. For TCP the port decides, for a unix socket the path. True as well when the kernel
 * does not tell. A socket for datagrams has no connections: false.
 */
bool sock_diag_in_use(int fd);

#endif
