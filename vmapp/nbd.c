// SPDX-License-Identifier: GPL-2.0-only
#include "nbd.h"

#include <errno.h>
#include <fcntl.h>
#include <libnbd.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM		"qemu-nbd"
#define FIRST_SOCKET	3	/* where a program that is started by a socket finds it */

/*
 * A listening socket and a connection to it. Its name is gone when this
 * returns: nobody else can connect.
 */
static int make_sockets(int *listening, int *connection)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char dir[] = "/tmp/vmapp-XXXXXX";
	int failed = 0;

	*listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	*connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*listening < 0 || *connection < 0 || !mkdtemp(dir))
		return -1;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/nbd", dir);
	if (bind(*listening, (struct sockaddr *)&addr, sizeof(addr)) || listen(*listening, 1) ||
	    connect(*connection, (struct sockaddr *)&addr, sizeof(addr)))
		failed = errno;
	unlink(addr.sun_path);
	rmdir(dir);
	errno = failed;
	return failed ? -1 : 0;
}

/* In the child: only what is safe after fork() in a process with threads. */
static void run(char *const argv[], int listening, int said, char *listen_pid)
{
	int null = open("/dev/null", O_RDWR);
	sigset_t none;
	pid_t pid = getpid();
	char digits[16];
	size_t n = 0;

	/* "LISTEN_PID=" has room behind it. */
	do
		digits[n++] = (char)('0' + pid % 10);
	while (pid /= 10);
	for (char *p = listen_pid + strlen(listen_pid); n; )
		*p++ = digits[--n];

	setsid();		/* Ctrl-C is for vmapp */
	dup2(null, 0);
	dup2(null, 1);
	dup2(said, 2);
	dup2(listening, FIRST_SOCKET);	/* without close-on-exec */
	if (listening == FIRST_SOCKET)
		fcntl(listening, F_SETFD, 0);
	close_range(FIRST_SOCKET + 1, ~0u, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_IGN);	/* nobody reads what it says later on */
	execvpe(PROGRAM, argv, environ);
	dprintf(2, "%s: %m\n", PROGRAM);
	_exit(127);
}

static pid_t spawn(const char *path, const char *format, bool read_only, int listening, int said)
{
	char listen_pid[32] = "LISTEN_PID=\0";
	char fds[] = "LISTEN_FDS=1";
	const char *argv[] = {
		PROGRAM, "--format", !strcasecmp(format, "vhd") ? "vpc" : format,
		"--cache", "writeback", read_only ? "--read-only" : "--", path, NULL, NULL,
	};
	pid_t pid;

	if (read_only) {	/* a path may begin with a dash */
		argv[6] = "--";
		argv[7] = path;
	}
	pid = fork();
	if (!pid) {
		putenv(fds);
		putenv(listen_pid);
		run((char *const *)argv, listening, said, listen_pid);
	}
	return pid;
}

/* What the program said before it ended, in one line without its name before it. */
static void last_words(int said, char *line, size_t size)
{
	static const char own[] = PROGRAM ": ";
	struct pollfd p = { .fd = said, .events = POLLIN };
	size_t used = 0;

	while (used < size - 1 && poll(&p, 1, 2000) > 0) {
		ssize_t n = read(said, line + used, size - 1 - used);

		if (n <= 0)
			break;
		used += (size_t)n;
	}
	while (used && line[used - 1] == '\n')
		used--;
	line[used] = '\0';
	for (char *nl = line; (nl = strchr(nl, '\n')); )
		*nl = ' ';
	if (!strncmp(line, own, sizeof(own) - 1))
		memmove(line, line + sizeof(own) - 1, used + 1 - (sizeof(own) - 1));
}

static int explain(const char *name, const char *path, int said, struct error *err)
{
	char line[512];

	last_words(said, line, sizeof(line));
	if (strstr(line, "No such file") && !strstr(line, path))
		return error_set(err, "%s: %s needs the program %s; install the package qemu-utils",
				 name, path, PROGRAM);
	if (strstr(line, "Failed to get \""))
		return error_set(err, "%s: %s is in use by another VM or program; end that one, or use a copy",
				 name, path);
	return error_set(err, "%s: cannot open %s: %s; check the path, its format and its permissions",
			 name, path, *line ? line : "qemu-nbd said nothing");
}

/* Takes @connection. */
static int connect_to(struct nbd_handle **nbd, int connection, u64 *size)
{
	int64_t n;

	*nbd = nbd_create();
	if (!*nbd) {
		close(connection);
		return -1;
	}
	n = nbd_connect_socket(*nbd, connection) ? -1 : nbd_get_size(*nbd);
	if (n < 0)
		return -1;
	*size = (u64)n & ~511ull;
	return 0;
}

int nbd_start(struct nbd_handle **nbd, pid_t *server, const char *name, const char *path,
	      const char *format, bool read_only, u64 *size, struct error *err)
{
	int listening = -1, connection = -1, said[2] = { -1, -1 }, ret = -1;

	*nbd = NULL;
	*server = -1;
	if (pipe2(said, O_CLOEXEC) || make_sockets(&listening, &connection)) {
		error_set(err, "%s: no socket for %s: %s", name, PROGRAM, strerror(errno));
		goto out;
	}
	*server = spawn(path, format, read_only, listening, said[1]);
	if (*server < 0) {
		error_set(err, "%s: cannot start %s: %s; raise the limit of processes (ulimit -u)",
			  name, PROGRAM, strerror(errno));
		goto out;
	}
	/* Only the child has them now: if it ends, so does the connection. */
	close(listening);
	close(said[1]);
	listening = -1;
	said[1] = -1;
	ret = connect_to(nbd, connection, size);
	connection = -1;
	if (!ret && !*size)
		ret = error_set(err, "%s: %s holds an empty disk; make it larger (qemu-img resize)",
				name, path);
	else if (ret)
		explain(name, path, said[0], err);
	if (ret) {
		nbd_stop(*nbd, *server);
		*nbd = NULL;
	}
out:
	for (unsigned int i = 0; i < 2; i++)
		if (said[i] >= 0)
			close(said[i]);
	if (listening >= 0)
		close(listening);
	if (connection >= 0)
		close(connection);
	return ret;
}

void nbd_stop(struct nbd_handle *nbd, pid_t server)
{
	if (nbd) {
		nbd_shutdown(nbd, 0);
		nbd_close(nbd);
	}
	if (server > 0)
		while (waitpid(server, NULL, 0) < 0 && errno == EINTR)
			;
}

/* libnbd's error of this thread, as a drive's. */
static int failure(void)
{
	int err = nbd_get_errno();

	return err ? err : EIO;
}

int nbd_move(struct nbd_handle *nbd, bool write, u64 offset, void *buf, size_t len)
{
	int ret = write ? nbd_pwrite(nbd, buf, len, offset, 0) :
			  nbd_pread(nbd, buf, len, offset, 0);

	return ret ? failure() : 0;
}

int nbd_sync(struct nbd_handle *nbd)
{
	return nbd_flush(nbd, 0) ? failure() : 0;
}
