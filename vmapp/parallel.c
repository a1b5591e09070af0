// SPDX-License-Identifier: GPL-2.0-only
#include "parallel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A full disk is a printer without paper: the byte waits. */
static bool print(void *ctx, u8 byte)
{
	struct parallel *p = ctx;

	if (write(p->fd, &byte, 1) == 1) {
		p->told = false;
		return true;
	}
	if (!p->told)
		fprintf(stderr, "vmapp: parallel0: cannot write %s: %s; the guest waits for paper\n",
			p->path, strerror(errno));
	p->told = true;
	return false;
}

int parallel_open(struct parallel *p, const struct vmx *config, struct error *err)
{
	p->fd = -1;
	if (!vmx_bool(config, "parallel0.present"))
		return 0;
	vmx_path(config, "parallel0.fileName", p->path, sizeof(p->path));
	if (!*p->path)
		return error_set(err, "parallel0 has no file; set parallel0.fileName");
	p->fd = open(p->path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		     0644);
	if (p->fd < 0)
		return error_set(err, "cannot write %s: %s; check parallel0.fileName", p->path,
				 strerror(errno));
	p->port.print = print;
	p->port.ctx = p;
	return 0;
}

void parallel_close(struct parallel *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}
