// SPDX-License-Identifier: GPL-2.0-only
/* The tests over TCP: one way as in the paper, and request and response. */
#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "nettest.h"

static uint64_t retransmits(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t length = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length))
		return 0;
	return info.tcpi_total_retrans;
}

/*
 * The data is the same buffer again and again. To tell its copies from one
 * another, a checksum's data begins each with its number.
 */
static void number_copy(struct nt_end *end, uint64_t number)
{
	uint32_t size = end->test->size;

	number = htobe64(number);
	memcpy(end->data, &number, size < sizeof(number) ? size : sizeof(number));
}

int tcp_source(struct nt_end *end)
{
	const struct nt_test *test = end->test;
	uint64_t left, start = nt_now();
	struct sha256 sha;

	sha256_init(&sha);
	for (left = test->amount; left; end->mine.calls++) {
		size_t part = left < test->size ? left : test->size;

		if (test->flags & NT_SHA256) {
			number_copy(end, end->mine.calls);
			sha256_update(&sha, end->data, part);
		}
		if (nt_send_all(end, end->data, part))
			return -1;
		left -= part;
	}
	end->mine.bytes = test->amount;
	end->mine.retransmits = retransmits(end->control);
	sha256_final(&sha, end->mine.sha256);
	/* The transfer is over when the sink says so. */
	if (nt_send_result(end) || nt_receive_result(end))
		return -1;
	end->mine.ns = nt_now() - start;
	end->mine.retransmits = retransmits(end->control);
	return 0;
}

int tcp_sink(struct nt_end *end)
{
	const struct nt_test *test = end->test;
	uint64_t start = nt_now();
	struct sha256 sha;

	sha256_init(&sha);
	while (end->mine.bytes < test->amount) {
		uint64_t left = test->amount - end->mine.bytes;
		size_t part = left < test->size ? left : test->size;
		ssize_t n = nt_receive_some(end, end->buffer, part);

		if (n < 0)
			return -1;
		end->mine.calls++;
		end->mine.bytes += n;
		if (test->flags & NT_SHA256)
			sha256_update(&sha, end->buffer, n);
	}
	sha256_final(&sha, end->mine.sha256);
	end->mine.ns = nt_now() - start;
	return nt_receive_result(end) || nt_send_result(end) ? -1 : 0;
}

static int no_delay(int fd)
{
	int on = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
		return nt_fail("cannot set TCP_NODELAY: %s", strerror(errno));
	return 0;
}

int tcp_ask(struct nt_end *end)
{
	const struct nt_test *test = end->test;
	struct nt_result *mine = &end->mine;
	uint64_t start = nt_now();

	if (no_delay(end->control))
		return -1;
	mine->rtt_min = UINT64_MAX;
	while (mine->sent < test->amount) {
		uint64_t before = nt_now(), rtt;

		if (nt_send_all(end, end->data, test->size))
			return -1;
		mine->sent++;
		if (nt_receive_all(end, end->buffer, test->size))
			return -1;
		mine->received++;
		rtt = nt_now() - before;
		if (rtt < mine->rtt_min)
			mine->rtt_min = rtt;
		if (rtt > mine->rtt_max)
			mine->rtt_max = rtt;
		if (memcmp(end->data, end->buffer, test->size))
			mine->corrupt++;
	}
	mine->ns = nt_now() - start;
	mine->bytes = mine->sent * test->size;
	mine->retransmits = retransmits(end->control);
	return nt_send_result(end) || nt_receive_result(end) ? -1 : 0;
}

int tcp_echo(struct nt_end *end)
{
	const struct nt_test *test = end->test;
	struct nt_result *mine = &end->mine;

	if (no_delay(end->control))
		return -1;
	for (; mine->received < test->amount; mine->received++) {
		if (nt_receive_all(end, end->buffer, test->size) ||
		    nt_send_all(end, end->buffer, test->size))
			return -1;
	}
	return nt_receive_result(end) || nt_send_result(end) ? -1 : 0;
}
