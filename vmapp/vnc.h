/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The display over VNC, with keyboard and mouse: RemoteDisplay.vnc.* of the .vmx
 * file. A thread of its own speaks to the viewers, so that one who does not read
 * holds up nobody else; it takes the device lock only to draw and to type. With
 * no viewer there it sleeps.
 */
#ifndef VMAPP_VNC_H
#define VMAPP_VNC_H

#include <pthread.h>

#include "error.h"
#include "vmx.h"

struct machine;
struct vnc_server;

struct vnc {
	struct machine *machine;
	int fd;				/* that listens; -1: there is no VNC */
	int wake_fd;			/* readable: the end has come */
	char path[108];			/* of a Unix socket; "": TCP */
	unsigned int port;		/* of TCP */
	char password[9];		/* "": none */
	pthread_t thread;
	bool running;
	unsigned int viewers;		/* the device lock's */
};

/* Listen, as the configuration says. Returns 0, or -1 with @err set. */
int vnc_open(struct vnc *v, struct machine *m, const struct vmx *config, struct error *err);
/* Serve viewers from now on; the caller holds the device lock. */
int vnc_start(struct vnc *v, struct error *err);
/* Ends the thread; the caller does not hold the device lock. */
void vnc_close(struct vnc *v);

#endif
