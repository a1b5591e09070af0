// SPDX-License-Identifier: GPL-2.0-only
#include "usock.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Somebody answers, or at least may (a full queue is life, too). */
static bool is_live(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool live = fd >= 0 && (!connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) ||
				errno == EAGAIN);

	if (fd >= 0)
		close(fd);
	return live;
}

static int bind_and_listen(const struct sockaddr_un *addr, struct error *err)
{
	const char *path = addr->sun_path;
	struct stat st;
	int fd, bound;
	mode_t mask;

	if (!lstat(path, &st)) {
		if (!S_ISSOCK(st.st_mode))
			return error_set(err, "%s exists and is not a socket; choose another name or remove it",
					 path);
		if (is_live(addr)) {
			error_set(err, "%s is in use by another process; choose another name",
				  path);
			errno = EADDRINUSE;
			return -1;
		}
		unlink(path);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set(err, "cannot make a socket: %s", strerror(errno));
	mask = umask(0177);
	bound = bind(fd, (const struct sockaddr *)addr, sizeof(*addr));
	umask(mask);
	if (bound || listen(fd, 8)) {
		error_set(err, "cannot listen at %s: %s; check the directory and its permissions",
			  path, strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

int usock_listen(const char *path, struct error *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char dir[PATH_MAX];
	int lock, fd, saved;

	if (strlen(path) >= sizeof(addr.sun_path))
		return error_set(err, "%s is too long for a socket (%zu characters); choose a shorter path",
				 path, sizeof(addr.sun_path) - 1);
	strcpy(addr.sun_path, path);
	/* Two processes must not both find the same stale socket. */
	strcpy(dir, path);
	lock = open(dirname(dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock >= 0)
		flock(lock, LOCK_EX);
	fd = bind_and_listen(&addr, err);
	saved = errno;
	if (lock >= 0)
		close(lock);
	errno = saved;
	return fd;
}

int usock_accept(int fd)
{
	return accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}
