// SPDX-License-Identifier: GPL-2.0-only
/* The server: a process for each client, the other end of the client's test. */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nettest.h"

#define MAX_CLIENTS	32
#define SERVER_TIMEOUT	(60 * 1000)	/* ms: more patient than a client */

/* A UDP socket at the address that the client has called, and its port. */
static int open_udp(struct nt_end *end, uint16_t *port)
{
	struct sockaddr_in6 address;	/* of IPv4 as well: the port is at the same place */
	socklen_t length = sizeof(address);

	if (getsockname(end->control, (struct sockaddr *)&address, &length))
		return -1;
	end->udp = socket(address.sin6_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (end->udp < 0)
		return -1;
	address.sin6_port = 0;
	if (bind(end->udp, (struct sockaddr *)&address, length) ||
	    getsockname(end->udp, (struct sockaddr *)&address, &length))
		return -1;
	*port = ntohs(address.sin6_port);
	return 0;
}

static int run_test(struct nt_end *end, const struct nt_test *test)
{
	const struct nt_mode *mode;
	uint16_t port = 0;

	if (!nt_test_valid(test)) {
		nt_send_answer(end, EINVAL, 0);
		return nt_fail("a client's request is out of range");
	}
	mode = &nt_modes[test->op];
	end->test = test;
	if (nt_alloc(end)) {
		nt_send_answer(end, ENOMEM, 0);
		return -1;
	}
	if (mode->udp && (open_udp(end, &port) || nt_set_timeout(end->udp, SERVER_TIMEOUT))) {
		int error = errno;

		nt_send_answer(end, error, 0);
		return nt_fail("cannot open a UDP port: %s", strerror(error));
	}
	return nt_send_answer(end, 0, port) || mode->server(end);
}

/* The process is the client's own: its end closes and frees. */
static int serve_client(int fd)
{
	struct nt_end end = {
		.control = fd, .udp = -1, .timeout = SERVER_TIMEOUT, .serving = true,
	};
	struct nt_test test;

	return nt_set_timeout(fd, SERVER_TIMEOUT) || nt_receive_test(&end, &test) ||
	       run_test(&end, &test);
}

/* Listens on all addresses; IPv6 takes IPv4 in, where there is IPv6. */
static int listen_on(uint16_t *port)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(*port) };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(*port) };
	struct sockaddr *address = (struct sockaddr *)&v6;
	socklen_t length = sizeof(v6);
	int on = 1, off = 0, fd;

	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	} else {
		address = (struct sockaddr *)&v4;
		length = sizeof(v4);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	}
	if (fd < 0)
		return nt_fail("cannot make a socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, address, length) || listen(fd, MAX_CLIENTS)) {
		int error = errno;

		close(fd);
		return nt_fail("cannot listen on port %u: %s%s", *port, strerror(error),
			       error == EADDRINUSE ? "; choose another with --port" : "");
	}
	length = sizeof(v6);
	if (!getsockname(fd, (struct sockaddr *)&v6, &length))
		*port = ntohs(v6.sin6_port);
	return fd;
}

int nt_serve(uint16_t port)
{
	int listener = listen_on(&port), clients = 0;

	if (listener < 0)
		return -1;
	printf("nettest: serving on port %u\n", port);
	fflush(stdout);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		pid_t parent = getpid();

		while (clients && waitpid(-1, NULL, clients < MAX_CLIENTS ? WNOHANG : 0) > 0)
			clients--;
		if (fd < 0) {
			/* Those who hang up early, and lacks that pass. */
			if (errno != EINTR && errno != ECONNABORTED)
				usleep(100000);
			continue;
		}
		switch (fork()) {
		case -1:
			nt_fail("cannot serve a client: %s", strerror(errno));
			break;
		case 0:
			/* None outlives the server, not even one that it left just now. */
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			_exit(getppid() != parent || serve_client(fd));
		default:
			clients++;
		}
		close(fd);
	}
}
