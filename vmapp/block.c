// SPDX-License-Identifier: GPL-2.0-only
#include "block.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nbd.h"

#define STACK_SIZE	(256 * 1024)	/* libnbd wants some */
#define CD_SECTOR	2048u

/* ---- the thread ---------------------------------------------------------------------- */

/* All of @iov at @offset; what a file lacks at its end is zero up to @pad bytes. */
static int move_file(struct block *b, bool write, u64 offset, const struct iovec *from,
		     unsigned int n)
{
	struct iovec iov[BLK_SEGMENTS], *v = iov;

	memcpy(iov, from, n * sizeof(*iov));
	while (n) {
		ssize_t got = write ? pwritev(b->fd, v, (int)n, (off_t)offset) :
				      preadv(b->fd, v, (int)n, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno;
		if (!got) {
			/* Behind the last byte: an image that ends inside a sector, or was cut. */
			if (write || offset < b->file_size)
				return EIO;
			for (; n; v++, n--)
				memset(v->iov_base, 0, v->iov_len);
			return 0;
		}
		offset += (u64)got;
		for (; n && (size_t)got >= v->iov_len; v++, n--)
			got -= (ssize_t)v->iov_len;
		if (n) {
			v->iov_base = (u8 *)v->iov_base + got;
			v->iov_len -= (size_t)got;
		}
	}
	return 0;
}

static int flush_file(struct block *b)
{
	while (fdatasync(b->fd)) {
		/* Files that cannot be flushed have nothing to lose. */
		if (errno == EINVAL || errno == EROFS)
			return 0;
		if (errno != EINTR)
			return errno;
	}
	return 0;
}

/* A segment at a time is what libnbd takes; many small ones go through one buffer. */
static int move_nbd(struct block *b, bool write, u64 offset, const struct iovec *iov,
		    unsigned int n)
{
	size_t len = 0;
	int err;

	if (n == 1)
		return nbd_move(b->nbd, write, offset, iov->iov_base, iov->iov_len);
	for (unsigned int i = 0; i < n; len += iov[i++].iov_len)
		if (write)
			memcpy(b->bounce + len, iov[i].iov_base, iov[i].iov_len);
	err = nbd_move(b->nbd, write, offset, b->bounce, len);
	len = 0;
	for (unsigned int i = 0; i < n && !err && !write; len += iov[i++].iov_len)
		memcpy(iov[i].iov_base, b->bounce + len, iov[i].iov_len);
	return err;
}

static int perform(struct block *b)
{
	if (b->op == BLK_FLUSH)
		return b->nbd ? nbd_sync(b->nbd) : flush_file(b);
	if (b->nbd)
		return move_nbd(b, b->op == BLK_WRITE, b->offset, b->iov, b->n);
	return move_file(b, b->op == BLK_WRITE, b->offset, b->iov, b->n);
}

/* Once for an error that goes on. */
static void complain(struct block *b, int err)
{
	static const char *const what[] = {
		[BLK_READ] = "read", [BLK_WRITE] = "write", [BLK_FLUSH] = "flush",
	};

	if (!err && b->op != BLK_READ)
		b->complained = false;
	if (!err || b->complained)
		return;
	b->complained = true;
	fprintf(stderr, "vmapp: %s: cannot %s %s: %s; the guest sees a failing drive%s\n", b->name,
		what[b->op], b->path, strerror(err),
		err == ENOSPC ? " until there is room" : "");
}

static void *worker(void *arg)
{
	struct block *b = arg;
	int err;

	pthread_mutex_lock(b->lock);
	for (;;) {
		while (!b->busy && !b->quit)
			pthread_cond_wait(&b->work, b->lock);
		if (!b->busy)
			break;
		pthread_mutex_unlock(b->lock);
		err = perform(b);
		pthread_mutex_lock(b->lock);
		b->busy = false;
		complain(b, err);
		if (!b->abandoned)
			b->blk.done(b->blk.dev, err);
		pthread_cond_broadcast(&b->idle);
	}
	pthread_mutex_unlock(b->lock);
	return NULL;
}

static void start(struct blk *blk, enum blk_op op, u64 offset, const struct iovec *iov,
		  unsigned int n)
{
	struct block *b = (struct block *)blk;

	b->op = op;
	b->offset = offset;
	b->iov = iov;
	b->n = n;
	b->busy = true;
	pthread_cond_signal(&b->work);
}

void block_drain(struct block *b)
{
	b->abandoned = true;
	while (b->busy)
		pthread_cond_wait(&b->idle, b->lock);
	b->abandoned = false;
}

/* ---- opening --------------------------------------------------------------------------- */

static const struct {
	const char *ending, *format;
} formats[] = {
	{ ".qcow2", "qcow2" }, { ".vmdk", "vmdk" }, { ".vdi", "vdi" }, { ".vhd", "vhd" },
	{ ".vpc", "vhd" },
};

const char *block_format(const char *path)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < WS_ARRAY_SIZE(formats); i++) {
		size_t n = strlen(formats[i].ending);

		if (len > n && !strcasecmp(path + len - n, formats[i].ending))
			return formats[i].format;
	}
	return "raw";
}

/* A guest can write these into a raw disk: they are no reason to open it as such. */
static const char *looks_like(int fd)
{
	static const struct {
		unsigned int at, len;
		const char *magic, *format;
	} magics[] = {
		{ 0, 4, "QFI\xfb", "qcow2" }, { 0, 4, "KDMV", "vmdk" },
		{ 0, 20, "# Disk DescriptorFil", "vmdk" }, { 0x40, 4, "\x7f\x10\xda\xbe", "vdi" },
		{ 0, 8, "conectix", "vhd" },
	};
	u8 head[0x48] = { 0 };

	if (pread(fd, head, sizeof(head), 0) != sizeof(head))
		return NULL;
	for (size_t i = 0; i < WS_ARRAY_SIZE(magics); i++)
		if (!memcmp(head + magics[i].at, magics[i].magic, magics[i].len))
			return magics[i].format;
	return NULL;
}

/* With a lock that belongs to the open file, as QEMU's are. */
static int lock_file(struct block *b, int fd, const char *path, bool read_only,
		     struct error *err)
{
	struct flock lock = {
		.l_type = read_only ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET,
	};

	if (!fcntl(fd, F_OFD_SETLK, &lock) || (errno != EAGAIN && errno != EACCES))
		return 0;	/* a file system without locks is the user's choice */
	return error_set(err, "%s: %s is in use by another VM or program; end that one, or use a copy",
			 b->name, path);
}

static int check_size(struct block *b, int fd, const char *path, enum block_use use,
		      struct error *err)
{
	static const char *const kind[] = {
		[BLOCK_DISK] = "disk", [BLOCK_CDROM] = "CD", [BLOCK_FLOPPY] = "floppy",
	};
	off_t size = lseek(fd, 0, SEEK_END);
	u32 unit = use == BLOCK_CDROM ? CD_SECTOR : BLK_SECTOR;
	struct stat st;

	if (fstat(fd, &st) || size < 0 || !(S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)))
		return error_set(err, "%s: %s is neither a file nor a block device; give an image",
				 b->name, path);
	if (!size)
		return error_set(err, "%s: %s is empty; give a %s image%s", b->name, path,
				 kind[use], use == BLOCK_DISK ? " (vmctl create makes one)" : "");
	if (use == BLOCK_DISK && size % BLK_SECTOR)
		return error_set(err, "%s: %s has %lld bytes, which are no whole sectors: it was cut off, or is no raw image; truncate -s %%512 %s fills it up",
				 b->name, path, (long long)size, path);
	b->file_size = (u64)size;
	b->blk.size = ((u64)size + unit - 1) / unit * unit;
	return 0;
}

int block_open_fd(struct block *b, int fd, const char *path, enum block_use use, bool read_only,
		  struct error *err)
{
	b->file_size = 0;
	if (check_size(b, fd, path, use, err) || lock_file(b, fd, path, read_only, err)) {
		close(fd);
		return -1;
	}
	b->path = strdup(path);
	b->fd = fd;
	b->blk.read_only = read_only;
	b->complained = false;
	if (b->path)
		return 0;
	block_close(b);
	return error_set(err, "out of memory");
}

static int open_raw(struct block *b, const char *path, bool named, enum block_use use,
		    bool read_only, struct error *err)
{
	int fd = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
	const char *other;

	if (fd < 0) {
		const char *remedy = "check the path and its permissions";

		if (errno == ENOENT)
			remedy = "check the path (vmctl create makes an image)";
		else if (!read_only && (errno == EACCES || errno == EROFS || errno == EPERM))
			remedy = "make it writable, or set the drive's readOnly = \"TRUE\"";
		return error_set(err, "%s: cannot open %s: %s; %s", b->name, path, strerror(errno),
				 remedy);
	}
	other = named || use == BLOCK_CDROM ? NULL : looks_like(fd);
	if (other) {
		close(fd);
		return error_set(err, "%s: %s looks like a %s image, not a raw one; give it the ending .%s, or set the drive's format = \"raw\"",
				 b->name, path, other, other);
	}
	return block_open_fd(b, fd, path, use, read_only, err);
}

static int open_nbd(struct block *b, const char *path, const char *format, bool read_only,
		    struct error *err)
{
	b->bounce = malloc(BLK_BYTES);
	b->path = strdup(path);
	if (!b->bounce || !b->path) {
		block_close(b);
		return error_set(err, "out of memory");
	}
	if (nbd_start(&b->nbd, &b->server, b->name, path, format, read_only, &b->blk.size, err)) {
		block_close(b);
		return -1;
	}
	b->blk.read_only = read_only;
	b->complained = false;
	return 0;
}

int block_open(struct block *b, const char *path, const char *format, enum block_use use,
	       bool read_only, struct error *err)
{
	bool named = format && *format;

	if (!named)
		format = block_format(path);
	if (strcasecmp(format, "raw"))
		return open_nbd(b, path, format, read_only, err);
	return open_raw(b, path, named, use, read_only, err);
}

void block_close(struct block *b)
{
	if (b->nbd)
		nbd_stop(b->nbd, b->server);
	if (b->fd >= 0)
		close(b->fd);
	free(b->bounce);
	free(b->path);
	b->nbd = NULL;
	b->fd = -1;
	b->bounce = NULL;
	b->path = NULL;
	b->blk.size = 0;
}

void block_replace(struct block *b, struct block *from)
{
	block_close(b);
	b->fd = from->fd;
	b->path = from->path;
	b->file_size = from->file_size;
	b->blk.size = from->blk.size;
	b->blk.read_only = from->blk.read_only;
	b->complained = false;
	from->fd = -1;
	from->path = NULL;
}

int block_init(struct block *b, pthread_mutex_t *lock, const char *name, struct error *err)
{
	pthread_attr_t attr;
	int ret;

	memset(b, 0, sizeof(*b));
	b->blk.start = start;
	b->lock = lock;
	b->fd = -1;
	snprintf(b->name, sizeof(b->name), "%s", name);
	pthread_cond_init(&b->work, NULL);
	pthread_cond_init(&b->idle, NULL);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE > PTHREAD_STACK_MIN ? STACK_SIZE :
				  PTHREAD_STACK_MIN);
	ret = pthread_create(&b->thread, &attr, worker, b);
	pthread_attr_destroy(&attr);
	if (ret)
		return error_set(err, "cannot start the thread of %s: %s; raise the limit of processes (ulimit -u)",
				 name, strerror(ret));
	b->running = true;
	return 0;
}

void block_destroy(struct block *b)
{
	if (b->running) {
		pthread_mutex_lock(b->lock);
		b->abandoned = true;
		b->quit = true;
		pthread_cond_signal(&b->work);
		pthread_mutex_unlock(b->lock);
		pthread_join(b->thread, NULL);
		b->running = false;
		block_close(b);
	}
}
