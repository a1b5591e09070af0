/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Images of other formats: a qemu-nbd of our own knows them. It is connected to
 * through a socket that no name leads to, and ends when the connection does,
 * however vmapp ends.
 */
#ifndef VMAPP_NBD_H
#define VMAPP_NBD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/types.h"
#include "error.h"

struct nbd_handle;

/**
 * nbd_start() - have qemu-nbd open an image
 * @name: what errors call the drive
 * @format: "qcow2", "vmdk", "vdi" or "vhd"
 * @size: set to the medium's bytes
 *
 * Returns 0 with @nbd and @server set, or -1 with @err set to what qemu-nbd said.
 */
int nbd_start(struct nbd_handle **nbd, pid_t *server, const char *name, const char *path,
	      const char *format, bool read_only, u64 *size, struct error *err);
/* Everything is written out and the image free for others when this returns. */
void nbd_stop(struct nbd_handle *nbd, pid_t server);

/* 0 or an errno; these wait. */
int nbd_move(struct nbd_handle *nbd, bool write, u64 offset, void *buf, size_t len);
int nbd_sync(struct nbd_handle *nbd);

#endif
