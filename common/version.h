/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_VERSION_H
#define MUSTER_VERSION_H

/* The release, as --version prints it and CHANGELOG.md names it. */
#define MUSTER_VERSION "1.0.0"

#endif
