// SPDX-License-Identifier: GPL-2.0-only
/* One test, as the client that asks for it. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "nettest.h"

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static int parse_address(const char *host, uint16_t port, union address *address)
{
	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, host, &address->v4.sin_addr) == 1) {
		address->v4.sin_family = AF_INET;
		address->v4.sin_port = htons(port);
		return 0;
	}
	if (inet_pton(AF_INET6, host, &address->v6.sin6_addr) == 1) {
		address->v6.sin6_family = AF_INET6;
		address->v6.sin6_port = htons(port);
		return 0;
	}
	return nt_fail("HOST wants to be an address like 192.0.2.1 or 2001:db8::1, not \"%s\"",
		       host);
}

/* A socket of @type that sends to @address; -1 after an error. */
static int connect_to(const char *host, uint16_t port, int type, int timeout)
{
	union address address;
	int fd, error;

	if (parse_address(host, port, &address))
		return -1;
	fd = socket(address.any.sa_family, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return nt_fail("cannot make a socket: %s", strerror(errno));
	if (nt_set_timeout(fd, timeout))
		goto fail;
	if (connect(fd, &address.any, address.any.sa_family == AF_INET ? sizeof(address.v4) :
		    sizeof(address.v6)) == 0)
		return fd;

	error = errno == EINPROGRESS ? ETIMEDOUT : errno;
	if (error == ECONNREFUSED)
		nt_fail("nobody listens at %s port %u; start nettest serve there", host, port);
	else
		nt_fail("cannot connect to %s port %u: %s", host, port, strerror(error));
fail:
	close(fd);
	return -1;
}

/* Whether what came is what was sent. */
static int verify(const struct nt_end *end)
{
	uint64_t corrupt = end->mine.corrupt + end->theirs.corrupt;

	if (end->mine.bytes != end->theirs.bytes && nt_modes[end->test->op].sha256)
		return nt_fail("%llu bytes here, %llu at the other end",
			       (unsigned long long)end->mine.bytes,
			       (unsigned long long)end->theirs.bytes);
	if (end->test->flags & NT_SHA256 &&
	    memcmp(end->mine.sha256, end->theirs.sha256, SHA256_SIZE))
		return nt_fail("the data was changed on its way: its checksums differ");
	if (corrupt)
		return nt_fail("%llu of the packets were changed on their way",
			       (unsigned long long)corrupt);
	return 0;
}

static int run(struct nt_end *end, const char *host)
{
	const struct nt_mode *mode = &nt_modes[end->test->op];
	uint16_t port;

	if (nt_send_test(end, end->test) || nt_receive_answer(end, &port))
		return -1;
	if (mode->udp) {
		end->udp = connect_to(host, port, SOCK_DGRAM, end->timeout);
		if (end->udp < 0)
			return -1;
	}
	return mode->client(end);
}

int nt_client(const char *host, uint16_t port, const struct nt_test *test, int timeout, bool json)
{
	struct nt_end end = { .test = test, .udp = -1, .timeout = timeout };
	bool blind = test->flags & NT_BLIND;
	int error, fd;

	fd = connect_to(host, port, blind ? SOCK_DGRAM : SOCK_STREAM, timeout);
	if (fd < 0)
		return 1;
	end.control = blind ? -1 : fd;
	end.udp = blind ? fd : -1;
	error = nt_alloc(&end);
	if (!error) {
		error = blind ? nt_modes[test->op].client(&end) : run(&end, host);
		nt_free(&end);
	}
	if (!error) {
		nt_report(stdout, &end, json);
		error = verify(&end);
	}
	if (end.udp >= 0)
		close(end.udp);
	if (end.control >= 0)
		close(end.control);
	return error ? 1 : 0;
}
