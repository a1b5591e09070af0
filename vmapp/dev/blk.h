/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a drive's model has of its medium: one request at a time, that is done
 * some time later. Where the bytes are is the affair of whoever fills this in.
 */
#ifndef VMAPP_DEV_BLK_H
#define VMAPP_DEV_BLK_H

#include <sys/uio.h>

#include "dev.h"

#define BLK_SECTOR	512u
#define BLK_SEGMENTS	512u	/* of one request, at most */
#define BLK_BYTES	(1u << 20)	/* of one request, at most */

enum blk_op {
	BLK_READ,
	BLK_WRITE,
	BLK_FLUSH,	/* what was written is on stable storage; no bytes */
};

/**
 * struct blk - a medium
 * @start: begin; @iov stays as it is until the request is done. The range lies
 *	inside @size. Not while another request is under way.
 * @done: the drive's; called once for each start(), with the device lock held
 *	and never from inside start(). @err is 0 or an errno.
 * @dev: for @done
 * @size: bytes
 * @read_only: no BLK_WRITE is accepted
 */
struct blk {
	void (*start)(struct blk *b, enum blk_op op, u64 offset, const struct iovec *iov,
		      unsigned int n);
	void (*done)(void *dev, int err);
	void *dev;
	u64 size;
	bool read_only;
};

#endif
