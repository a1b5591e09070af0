/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nettest: what the two ends say to each other, and the parts of the program.
 *
 * A client opens a TCP connection, the control connection, and sends a request.
 * The server answers whether it takes part. Then the data flows: over the same
 * connection, or in datagrams to and from the UDP port that the answer names.
 * At the end the source of the data sends its result and the sink replies with
 * its own, so that each end knows both.
 *
 * All that travels is big-endian. What comes from the other end is checked
 * where it is read, see nt_test_valid().
 *
 * Functions that return int return 0, or -1 after having said in one line on
 * stderr what went wrong.
 */
#ifndef NETTEST_H
#define NETTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "sha256.h"

#define NT_PORT		7333
#define NT_MAGIC	0x4e545401	/* "NTT", version 1 */
#define NT_TIMEOUT	30		/* s without progress, by default */
#define NT_MAX_TCP_SIZE	(16 << 20)	/* bytes */
#define NT_MAX_BYTES	(1ULL << 50)
#define NT_MAX_COUNT	100000000	/* datagrams, round trips */
#define NT_MAX_RATE	100000000	/* datagrams a second */

enum nt_op { NT_SEND, NT_RECEIVE, NT_UDP_SEND, NT_UDP_RECEIVE, NT_RR, NT_UDP_RR, NT_OPS };

/* In nt_test.flags. */
#define NT_SHA256	1
#define NT_BLIND	2		/* nobody is at the other end; it does not travel */

/* What is asked for, named as the client sees it. */
struct nt_test {
	uint32_t op;		/* enum nt_op */
	uint32_t size;		/* bytes in a write, datagram or message */
	uint64_t amount;	/* bytes, datagrams or round trips */
	uint32_t rate;		/* datagrams a second; 0: as many as go */
	uint32_t seed;		/* of the data */
	uint32_t token;		/* by which this test's datagrams are known */
	uint32_t flags;
};

/* One end's view. It travels as it is here, each number big-endian. */
struct nt_result {
	uint64_t bytes;		/* of data */
	uint64_t calls;		/* to send() or recv() */
	uint64_t ns;		/* that the data took */
	uint64_t retransmits;	/* of TCP segments */
	uint64_t sent;		/* datagrams */
	uint64_t received;	/* datagrams, each counted once */
	uint64_t reordered;	/* of received: came after one with a higher number */
	uint64_t duplicated;	/* datagrams that had come before */
	uint64_t corrupt;	/* datagrams or replies with other bytes than sent */
	uint64_t rtt_min;	/* ns */
	uint64_t rtt_max;
	uint8_t sha256[SHA256_SIZE];	/* of all the data, with NT_SHA256 */
};

/* One end of a running test. */
struct nt_end {
	const struct nt_test *test;
	int control;
	int udp;		/* -1 in tests over TCP */
	int timeout;		/* ms without progress */
	bool serving;
	uint8_t *data;		/* test->size bytes: what is sent */
	uint8_t *buffer;	/* as many: what has been received */
	struct nt_result mine;
	struct nt_result theirs;
};

/* What there is to know about an op; both ends look it up here. */
struct nt_mode {
	const char *name;
	const char *help;
	bool udp;
	bool sha256;		/* may be asked for */
	uint32_t size_min, size_max, size_default;
	uint64_t amount_max, amount_default;
	int (*client)(struct nt_end *end);
	int (*server)(struct nt_end *end);
};

extern const struct nt_mode nt_modes[NT_OPS];

/* main.c */
__attribute__((format(printf, 1, 2)))
int nt_fail(const char *format, ...);

/* client.c: also reports; the exit status of the program */
int nt_client(const char *host, uint16_t port, const struct nt_test *test, int timeout, bool json);

/* serve.c: returns only when it cannot begin; port 0 is any that is free */
int nt_serve(uint16_t port);

/* wire.c */
uint64_t nt_now(void);		/* ns since some moment */
bool nt_test_valid(const struct nt_test *test);
int nt_set_timeout(int fd, int ms);
int nt_send_all(const struct nt_end *end, const void *data, size_t length);
/* As recv(), but an end of the data is an error, too. */
ssize_t nt_receive_some(const struct nt_end *end, void *buffer, size_t length);
/* Reads until there are @length bytes; fewer are an error. */
int nt_receive_all(const struct nt_end *end, void *buffer, size_t length);
int nt_send_test(const struct nt_end *end, const struct nt_test *test);
/* @test is only what was sent: see nt_test_valid(). */
int nt_receive_test(const struct nt_end *end, struct nt_test *test);
/* @error is an errno, 0 for consent; @port is where datagrams go. */
int nt_send_answer(const struct nt_end *end, int error, uint16_t port);
int nt_receive_answer(const struct nt_end *end, uint16_t *port);
int nt_send_result(const struct nt_end *end);
int nt_receive_result(struct nt_end *end);
/* Allocates data and buffer of @end, and fills the former after the seed. */
int nt_alloc(struct nt_end *end);
void nt_free(struct nt_end *end);

/* tcp.c */
int tcp_source(struct nt_end *end);
int tcp_sink(struct nt_end *end);
int tcp_ask(struct nt_end *end);
int tcp_echo(struct nt_end *end);

/* udp.c */
int udp_source(struct nt_end *end);
int udp_sink(struct nt_end *end);
int udp_ask(struct nt_end *end);
int udp_echo(struct nt_end *end);

/* report.c */
void nt_report(FILE *out, const struct nt_end *end, bool json);

#endif
