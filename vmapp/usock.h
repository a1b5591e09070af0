/* SPDX-License-Identifier: GPL-2.0-only */
/* Unix stream sockets that a process listens on under a name of its own. */
#ifndef VMAPP_USOCK_H
#define VMAPP_USOCK_H

#include "error.h"

/**
 * usock_listen() - listen at @path, for the user alone (mode 0600)
 *
 * A socket that nobody listens on any more is replaced; one in use, or another
 * kind of file, is an error. Returns a non-blocking descriptor, or -1 with
 * @err set and errno EADDRINUSE if somebody listens there.
 */
int usock_listen(const char *path, struct error *err);

/* Accept one, non-blocking; -1: there is none. */
int usock_accept(int fd);

#endif
