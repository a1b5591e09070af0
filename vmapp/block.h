/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Disk images: the files (or the qemu-nbd) behind the drives' media. Each has a
 * thread of its own that does one request at a time, so that neither the vCPU
 * nor the loop ever waits for a disk. (Threads, not io_uring: the kernel does
 * what a ring asks for without asking the system call filter.)
 *
 * A raw image is locked while it is in use: one VM writes it, or several read
 * it. QEMU's programs see that lock.
 */
#ifndef VMAPP_BLOCK_H
#define VMAPP_BLOCK_H

#include <pthread.h>
#include <sys/types.h>

#include "dev/blk.h"
#include "error.h"

#define BLOCK_NAME_MAX	32	/* "ide0:0" */

enum block_use {
	BLOCK_DISK,
	BLOCK_CDROM,
	BLOCK_FLOPPY,
};

struct nbd_handle;

struct block {
	struct blk blk;			/* what the drive sees */
	pthread_mutex_t *lock;		/* the device lock */
	pthread_cond_t work, idle;
	pthread_t thread;
	bool running;			/* the thread is there */
	bool busy, quit;
	bool abandoned;			/* the drive does not want to know any more */
	enum blk_op op;
	u64 offset;
	const struct iovec *iov;
	unsigned int n;

	char name[BLOCK_NAME_MAX];
	char *path;			/* NULL: nothing is open */
	int fd;				/* -1: a qemu-nbd has it */
	struct nbd_handle *nbd;
	pid_t server;			/* its qemu-nbd */
	u8 *bounce;			/* BLK_BYTES, for what NBD takes in one piece */
	u64 file_size;			/* of a raw image; the medium may end later, in zeros */
	bool complained;		/* of an error that goes on */
};

/**
 * block_init() - an image that is not open yet
 * @lock: the device lock
 * @name: what errors call its drive
 * Has the thread started, so that an image can be opened later on too.
 */
int block_init(struct block *b, pthread_mutex_t *lock, const char *name, struct error *err);

/**
 * block_open() - open an image by its name
 * @format: "raw", "qcow2", "vmdk", "vdi" or "vhd"; NULL or "": what the name's
 *	ending says. Never what the content says: that is the guest's.
 * Returns 0, or -1 with @err set.
 */
int block_open(struct block *b, const char *path, const char *format, enum block_use use,
	       bool read_only, struct error *err);

/* The same for a raw file that is open already; @fd is taken, also on failure. */
int block_open_fd(struct block *b, int fd, const char *path, enum block_use use, bool read_only,
		  struct error *err);

/* @b's medium is now what @from has open; @from has nothing any more. No request is under way. */
void block_replace(struct block *b, struct block *from);

/* The medium is gone. No request is under way. */
void block_close(struct block *b);

/* Wait until no request is under way; the drive is not told. With the lock held. */
void block_drain(struct block *b);

/* End the thread and close. Without the lock. */
void block_destroy(struct block *b);

/* The format that a file of this name has. */
const char *block_format(const char *path);

#endif
