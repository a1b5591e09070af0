// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tests over UDP. A datagram begins with the test's token and its own
 * number, both big-endian, and goes on with the data. Datagrams go to a port of
 * the server's; for those that go to the client, the client first sends the
 * token alone, and so says where it is.
 */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nettest.h"

struct udp_header {
	uint32_t token;
	uint32_t number;
};

#define HELLO_INTERVAL	200	/* ms */
#define QUIET		500	/* ms without one after the source's end: the others are lost */
#define LATE		20	/* ms for duplicates, when all have come */

static int await_hello(struct nt_end *end)
{
	uint64_t limit = nt_now() + end->timeout * 1000000ULL;
	struct sockaddr_storage from;
	uint32_t token;

	while (nt_now() < limit) {
		socklen_t length = sizeof(from);
		ssize_t n = recvfrom(end->udp, &token, sizeof(token), MSG_TRUNC,
				     (struct sockaddr *)&from, &length);

		if (n != sizeof(token) || be32toh(token) != end->test->token)
			continue;
		if (connect(end->udp, (struct sockaddr *)&from, length))
			return nt_fail("cannot send datagrams to the client: %s", strerror(errno));
		return 0;
	}
	return nt_fail("no datagram came from the client in %d s", end->timeout / 1000);
}

static void sleep_until(uint64_t ns)
{
	struct timespec then = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &then, NULL) == EINTR)
		;
}

int udp_source(struct nt_end *end)
{
	const struct nt_test *test = end->test;
	struct nt_result *mine = &end->mine;
	struct udp_header header = { .token = htobe32(test->token) };
	uint64_t start, limit;

	if (end->serving && await_hello(end))
		return -1;
	start = nt_now();
	limit = start + end->timeout * 1000000ULL;
	while (mine->sent < test->amount) {
		/* Late datagrams go at once: the average rate is what counts. */
		uint64_t due = start + (test->rate ? mine->sent * 1000000000 / test->rate : 0);

		if (due > nt_now())
			sleep_until(due);
		header.number = htobe32(mine->sent);
		memcpy(end->data, &header, sizeof(header));
		if (send(end->udp, end->data, test->size, 0) < 0) {
			/* A full queue of the interface's: what was not sent is not lost. */
			if (errno == ENOBUFS && nt_now() < limit)
				sleep_until(nt_now() + 100000);
			else if (errno != EINTR && !(test->flags & NT_BLIND && errno == ECONNREFUSED))
				return nt_fail("cannot send datagram %llu: %s",
					       (unsigned long long)mine->sent, strerror(errno));
			continue;
		}
		mine->calls++;
		mine->sent++;
		limit = nt_now() + end->timeout * 1000000ULL;
	}
	mine->ns = nt_now() - start;
	mine->bytes = mine->sent * test->size;
	if (test->flags & NT_BLIND)
		return 0;
	return nt_send_result(end) || nt_receive_result(end) ? -1 : 0;
}

/* What the sink knows of the datagrams that have come. */
struct arrivals {
	uint8_t *seen;		/* a bit for each */
	uint64_t next;		/* one above the highest number */
	uint64_t first;		/* when, in ns */
	uint64_t last;
};

static void arrive(struct nt_end *end, struct arrivals *all, ssize_t length)
{
	const struct nt_test *test = end->test;
	struct nt_result *mine = &end->mine;
	struct udp_header header;
	uint32_t number;

	if (length < (ssize_t)sizeof(header))
		return;
	memcpy(&header, end->buffer, sizeof(header));
	number = be32toh(header.number);
	if (be32toh(header.token) != test->token || number >= test->amount)
		return;

	mine->calls++;
	mine->bytes += length;
	all->last = nt_now();
	if (!all->first)
		all->first = all->last;
	if (all->seen[number / 8] & 1 << number % 8) {
		mine->duplicated++;
		return;
	}
	all->seen[number / 8] |= 1 << number % 8;
	mine->received++;
	if (number < all->next)
		mine->reordered++;
	else
		all->next = number + 1;
	if (length != (ssize_t)test->size ||
	    memcmp(end->buffer + sizeof(header), end->data + sizeof(header),
		   test->size - sizeof(header)))
		mine->corrupt++;
}

static int say_hello(struct nt_end *end)
{
	uint32_t token = htobe32(end->test->token);

	if (send(end->udp, &token, sizeof(token), 0) < 0 && errno != ENOBUFS)
		return nt_fail("cannot send a datagram: %s", strerror(errno));
	return 0;
}

/* How long to wait for the next, in ms. */
static int patience(const struct nt_end *end, const struct arrivals *all, bool ended)
{
	if (ended)
		return end->mine.received < end->theirs.sent ? QUIET : LATE;
	return end->serving || all->first ? end->timeout : HELLO_INTERVAL;
}

/* Takes datagrams until the source has ended and no more are to be expected. */
static int collect(struct nt_end *end, struct arrivals *all)
{
	struct pollfd fds[2] = {
		{ .fd = end->udp, .events = POLLIN },
		{ .fd = end->control, .events = POLLIN },
	};
	uint64_t progress = nt_now(), limit = end->timeout * 1000000ULL;
	bool ended = false;

	for (;;) {
		int n;

		if (!end->serving && !ended && !all->first && say_hello(end))
			return -1;
		n = poll(fds, ended ? 1 : 2, patience(end, all, ended));
		if (n < 0 && errno != EINTR)
			return nt_fail("cannot wait for datagrams: %s", strerror(errno));
		if (ended && (!n || nt_now() - progress > limit))
			return 0;
		if (n <= 0) {
			if (nt_now() - progress >= limit)
				return nt_fail("no datagram came for %d s", end->timeout / 1000);
			continue;
		}
		if (!ended)
			progress = nt_now();
		if (fds[0].revents) {
			arrive(end, all, recv(end->udp, end->buffer, end->test->size,
					      MSG_TRUNC | MSG_DONTWAIT));
		} else if (nt_receive_result(end)) {
			return -1;
		} else {
			ended = true;
		}
	}
}

int udp_sink(struct nt_end *end)
{
	struct arrivals all = { .seen = calloc(1, end->test->amount / 8 + 1) };
	int room = 4 << 20, error;

	/* Should bursts be lost, then not here. The system may allow less. */
	setsockopt(end->udp, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (!all.seen)
		return nt_fail("no memory to number %llu datagrams; use a smaller --count",
			       (unsigned long long)end->test->amount);
	error = collect(end, &all);
	free(all.seen);
	if (error)
		return -1;
	end->mine.sent = end->theirs.sent;
	end->mine.ns = all.last - all.first;
	return nt_send_result(end);
}

/* ---- one at a time ---- */

/* The reply to request @number: 1, or 0 if it does not come soon, or -1. */
static int await_reply(struct nt_end *end, uint32_t number)
{
	struct udp_header header;

	for (;;) {
		ssize_t length = recv(end->udp, end->buffer, end->test->size, MSG_TRUNC);

		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0 && errno != EAGAIN)
			return nt_fail("no reply: %s", strerror(errno));
		if (length < 0)
			return 0;
		memcpy(&header, end->buffer, sizeof(header));
		if (length < (ssize_t)sizeof(header) || be32toh(header.number) != number)
			continue;	/* a late one, of a request that was sent again */
		if (length != (ssize_t)end->test->size ||
		    memcmp(end->buffer, end->data, end->test->size))
			end->mine.corrupt++;
		return 1;
	}
}

/* Sends datagram @number until it is answered. */
static int ask_one(struct nt_end *end, uint32_t number)
{
	struct udp_header header = { htobe32(end->test->token), htobe32(number) };
	int tries = end->timeout / QUIET + 1, got = 0;

	memcpy(end->data, &header, sizeof(header));
	while (!got && tries--) {
		if (send(end->udp, end->data, end->test->size, 0) < 0 && errno != ENOBUFS)
			return nt_fail("cannot send request %u: %s", number, strerror(errno));
		end->mine.sent++;
		got = await_reply(end, number);
	}
	return got ? got : nt_fail("no reply came in %d s", end->timeout / 1000);
}

int udp_ask(struct nt_end *end)
{
	struct nt_result *mine = &end->mine;
	uint64_t start = nt_now();

	if (nt_set_timeout(end->udp, QUIET))
		return -1;
	mine->rtt_min = UINT64_MAX;
	for (; mine->received < end->test->amount; mine->received++) {
		uint64_t before = nt_now(), rtt;

		if (ask_one(end, mine->received) < 0)
			return -1;
		rtt = nt_now() - before;
		if (rtt < mine->rtt_min)
			mine->rtt_min = rtt;
		if (rtt > mine->rtt_max)
			mine->rtt_max = rtt;
	}
	mine->ns = nt_now() - start;
	mine->bytes = mine->received * end->test->size;
	mine->retransmits = mine->sent - mine->received;
	return nt_send_result(end) || nt_receive_result(end) ? -1 : 0;
}

/* Returns what comes until the client's result does. */
int udp_echo(struct nt_end *end)
{
	struct pollfd control = { .fd = end->control, .events = POLLIN };
	uint64_t limit = nt_now() + end->timeout * 1000000ULL;

	if (nt_set_timeout(end->udp, QUIET))
		return -1;
	for (;;) {
		struct sockaddr_storage from;
		socklen_t length = sizeof(from);
		ssize_t n = recvfrom(end->udp, end->buffer, end->test->size, 0,
				     (struct sockaddr *)&from, &length);
		uint32_t token;

		if (n < 0 && poll(&control, 1, 0) > 0)
			break;
		if (n < 0 && nt_now() > limit)
			return nt_fail("no request came for %d s", end->timeout / 1000);
		if (n < (ssize_t)sizeof(struct udp_header))
			continue;
		memcpy(&token, end->buffer, sizeof(token));
		if (be32toh(token) != end->test->token)
			continue;
		limit = nt_now() + end->timeout * 1000000ULL;
		end->mine.received++;
		sendto(end->udp, end->buffer, n, 0, (struct sockaddr *)&from, length);
	}
	return nt_receive_result(end) || nt_send_result(end) ? -1 : 0;
}
