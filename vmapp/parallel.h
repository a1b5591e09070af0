/* SPDX-License-Identifier: GPL-2.0-only */
/* The parallel port, parallel0 of the .vmx file, and the file that it prints to. */
#ifndef VMAPP_PARALLEL_H
#define VMAPP_PARALLEL_H

#include <limits.h>

#include "dev/parport.h"
#include "error.h"
#include "vmx.h"

struct parallel {
	struct parport port;
	char path[PATH_MAX];
	int fd;			/* -1: there is no port */
	bool told;		/* ... that it cannot be written */
};

/* Returns 0, or -1 with @err set. The port's irq is the caller's to set before. */
int parallel_open(struct parallel *p, const struct vmx *config, struct error *err);
void parallel_close(struct parallel *p);

#endif
