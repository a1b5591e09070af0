// SPDX-License-Identifier: GPL-2.0-only
#include "rom.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, u8 *to, u32 size)
{
	for (u32 done = 0; done < size;) {
		ssize_t n = read(fd, to + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		done += (u32)n;
	}
	return 0;
}

static int load_open(struct rom *r, int fd, const char *path, const char *key, u32 min, u32 max,
		     struct error *err)
{
	struct stat st;
	void *map;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return error_set(err, "%s is not a regular file; check %s", path, key);
	if (st.st_size < (off_t)min || st.st_size > (off_t)max)
		return error_set(err, "%s has %lld bytes, a ROM of its kind %u to %u; check %s",
				 path, (long long)st.st_size, min, max, key);
	r->size = (u32)st.st_size;
	for (r->room = 4096; r->room < r->size; r->room *= 2)
		;
	map = mmap(NULL, r->room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return error_set(err, "no memory for %s: %s", path, strerror(errno));
	r->data = map;
	memset(r->data, 0xff, r->room);
	if (read_all(fd, r->data, r->size))
		return error_set(err, "cannot read %s: %s; check %s", path, strerror(errno), key);
	return 0;
}

int rom_load(struct rom *r, const char *path, const char *key, u32 min, u32 max,
	     struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), ret;

	if (fd < 0)
		return error_set(err, "cannot open %s: %s; install its package (tools/deps run), or set %s to another",
				 path, strerror(errno), key);
	ret = load_open(r, fd, path, key, min, max, err);
	close(fd);
	if (ret)
		rom_free(r);
	return ret;
}

void rom_free(struct rom *r)
{
	if (r->data)
		munmap(r->data, r->room);
	*r = (struct rom){ .data = NULL };
}
