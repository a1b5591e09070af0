// SPDX-License-Identifier: GPL-2.0-only
/* The control connection: requests, answers and results, and the data itself. */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nettest.h"

struct wire_test {
	uint32_t magic;
	uint32_t op;
	uint32_t size;
	uint32_t rate;
	uint64_t amount;
	uint32_t seed;
	uint32_t token;
	uint32_t flags;
	uint32_t reserved;
};

struct wire_answer {
	uint32_t magic;
	uint32_t error;
	uint32_t port;
	uint32_t reserved;
};

_Static_assert(sizeof(struct wire_test) == 40, "no holes");
_Static_assert(sizeof(struct wire_answer) == 16, "no holes");
_Static_assert(sizeof(struct nt_result) == 11 * 8 + SHA256_SIZE, "no holes");

uint64_t nt_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

int nt_set_timeout(int fd, int ms)
{
	struct timeval limit = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)))
		return nt_fail("cannot set a time limit: %s", strerror(errno));
	return 0;
}

static int lost_connection(const struct nt_end *end, const char *what)
{
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return nt_fail("%s: no progress for %d s", what, end->timeout / 1000);
	return nt_fail("%s: %s", what, strerror(errno));
}

int nt_send_all(const struct nt_end *end, const void *data, size_t length)
{
	while (length) {
		ssize_t n = send(end->control, data, length, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return lost_connection(end, "cannot send");
		data = (const uint8_t *)data + n;
		length -= n;
	}
	return 0;
}

ssize_t nt_receive_some(const struct nt_end *end, void *buffer, size_t length)
{
	ssize_t n;

	do {
		n = recv(end->control, buffer, length, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return lost_connection(end, "cannot receive");
	if (!n)
		return nt_fail("the other end closed the connection before the end");
	return n;
}

int nt_receive_all(const struct nt_end *end, void *buffer, size_t length)
{
	while (length) {
		ssize_t n = nt_receive_some(end, buffer, length);

		if (n < 0)
			return -1;
		buffer = (uint8_t *)buffer + n;
		length -= n;
	}
	return 0;
}

bool nt_test_valid(const struct nt_test *test)
{
	const struct nt_mode *mode;

	if (test->op >= NT_OPS)
		return false;
	mode = &nt_modes[test->op];
	return test->size >= mode->size_min && test->size <= mode->size_max &&
	       test->amount >= 1 && test->amount <= mode->amount_max &&
	       test->rate <= (mode->udp ? NT_MAX_RATE : 0) &&
	       !(test->flags & ~(mode->sha256 ? NT_SHA256 : 0));
}

int nt_send_test(const struct nt_end *end, const struct nt_test *test)
{
	struct wire_test wire = {
		.magic = htobe32(NT_MAGIC),
		.op = htobe32(test->op),
		.size = htobe32(test->size),
		.rate = htobe32(test->rate),
		.amount = htobe64(test->amount),
		.seed = htobe32(test->seed),
		.token = htobe32(test->token),
		.flags = htobe32(test->flags),
	};

	return nt_send_all(end, &wire, sizeof(wire));
}

static int check_magic(uint32_t magic)
{
	if (be32toh(magic) == NT_MAGIC)
		return 0;
	return nt_fail("the other end is no nettest of this version; start nettest serve there");
}

int nt_receive_test(const struct nt_end *end, struct nt_test *test)
{
	struct wire_test wire;

	if (nt_receive_all(end, &wire, sizeof(wire)) || check_magic(wire.magic))
		return -1;
	*test = (struct nt_test){
		.op = be32toh(wire.op),
		.size = be32toh(wire.size),
		.rate = be32toh(wire.rate),
		.amount = be64toh(wire.amount),
		.seed = be32toh(wire.seed),
		.token = be32toh(wire.token),
		.flags = be32toh(wire.flags),
	};
	return 0;
}

int nt_send_answer(const struct nt_end *end, int error, uint16_t port)
{
	struct wire_answer wire = {
		.magic = htobe32(NT_MAGIC),
		.error = htobe32(error),
		.port = htobe32(port),
	};

	return nt_send_all(end, &wire, sizeof(wire));
}

int nt_receive_answer(const struct nt_end *end, uint16_t *port)
{
	struct wire_answer wire;

	if (nt_receive_all(end, &wire, sizeof(wire)) || check_magic(wire.magic))
		return -1;
	if (wire.error)
		return nt_fail("the server refuses the test: %s", strerror(be32toh(wire.error)));
	*port = be32toh(wire.port);
	return 0;
}

/* All of a result but the checksum is an array of numbers. */
#define RESULT_NUMBERS	(offsetof(struct nt_result, sha256) / sizeof(uint64_t))

int nt_send_result(const struct nt_end *end)
{
	uint64_t numbers[RESULT_NUMBERS];
	struct nt_result wire = end->mine;
	size_t i;

	memcpy(numbers, &wire, sizeof(numbers));
	for (i = 0; i < RESULT_NUMBERS; i++)
		numbers[i] = htobe64(numbers[i]);
	memcpy(&wire, numbers, sizeof(numbers));
	return nt_send_all(end, &wire, sizeof(wire));
}

int nt_receive_result(struct nt_end *end)
{
	uint64_t numbers[RESULT_NUMBERS];
	size_t i;

	if (nt_receive_all(end, &end->theirs, sizeof(end->theirs)))
		return -1;
	memcpy(numbers, &end->theirs, sizeof(numbers));
	for (i = 0; i < RESULT_NUMBERS; i++)
		numbers[i] = be64toh(numbers[i]);
	memcpy(&end->theirs, numbers, sizeof(numbers));
	return 0;
}

int nt_alloc(struct nt_end *end)
{
	const struct nt_test *test = end->test;
	uint64_t x = test->seed * 0x9e3779b97f4a7c15ULL + 1;
	uint32_t i;

	end->data = malloc(test->size);
	end->buffer = malloc(test->size);
	if (!end->data || !end->buffer) {
		nt_free(end);
		return nt_fail("no memory for two buffers of %u bytes; use a smaller --size",
			       test->size);
	}
	for (i = 0; i < test->size; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		end->data[i] = x >> 32;
	}
	return 0;
}

void nt_free(struct nt_end *end)
{
	free(end->data);
	free(end->buffer);
	end->data = NULL;
	end->buffer = NULL;
}
