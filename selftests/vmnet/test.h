/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The vmnet selftests: a test is a function that runs as root in a process and
 * a network namespace of its own, under an alarm. The first check that does
 * not hold ends it. Frames are made and sent by the test; nothing in the
 * namespace sends anything by itself (no IPv6, no multicast joins).
 */
#ifndef VMNET_TEST_H
#define VMNET_TEST_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "uapi/vmnet.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct test {
	const char *name;
	void (*run)(void);
	unsigned int seconds;	/* 0: the usual time limit */
};

/* Each file's tests; the last one has no name. */
extern const struct test hub_tests[], user_tests[], bridge_tests[], nic_tests[], load_tests[],
	alloc_tests[];

__attribute__((noreturn, format(printf, 3, 4)))
void test_fail(const char *file, int line, const char *fmt, ...);

/* Ends the test with success: it cannot be run here. */
__attribute__((noreturn))
void test_skip(const char *why);

#define CHECK(cond) \
	do { \
		if (!(cond)) \
			test_fail(__FILE__, __LINE__, "%s", #cond); \
	} while (0)

#define CHECK_EQ(a, b) \
	do { \
		long long a_ = (a), b_ = (b); \
		if (a_ != b_) \
			test_fail(__FILE__, __LINE__, "%s is %lld, not %lld (errno %d)", #a, a_, \
				  b_, errno); \
	} while (0)

/* The call fails with this errno. */
#define CHECK_ERR(call, err) \
	do { \
		errno = 0; \
		if ((call) != -1 || errno != (err)) \
			test_fail(__FILE__, __LINE__, "%s: errno %d, not %s", #call, errno, #err); \
	} while (0)

/* A shell command: sh() wants status 0, sh_status() returns it. */
__attribute__((format(printf, 1, 2))) void sh(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) int sh_status(const char *fmt, ...);

/* Does the command print @text on stdout or stderr? If not, shows what it does print. */
bool sh_prints(const char *text, const char *command);

/* ---- ports --------------------------------------------------------------------- */

/* 02:00:00:00:00:NN */
const uint8_t *mac_of(uint8_t n);
extern const uint8_t broadcast[6];

/* Nonblocking. port_open() has the address mac_of(@n); port_try() returns -1 and errno. */
int port_open(const char *network, uint8_t n);
int port_try(const char *network, const uint8_t *mac, uint32_t flags, uint32_t queue);
uint64_t port_counter(int fd, enum vmnet_counter counter);
struct vmnet_status port_status(int fd);

/* The port's number on its network, as vmctl wants it. */
uint32_t port_id(int fd);

/* ---- frames -------------------------------------------------------------------- */

#define FRAME_TYPE	0x88b5	/* for experiments, IEEE 802 */

struct frame {
	uint8_t dst[6], src[6];
	uint8_t type[2];
	uint8_t data[65536];
};

/* A frame of @len bytes with a pattern that @seed chooses; returns @len. */
size_t frame_make(struct frame *f, const uint8_t *dst, const uint8_t *src, size_t len,
		  uint8_t seed);

/* Make and write one; the write must succeed. */
void frame_send(int fd, const uint8_t *dst, const uint8_t *src, size_t len, uint8_t seed);

/* The next frame on @fd within half a second is exactly this one. */
void frame_expect_at(const char *file, int line, int fd, const uint8_t *dst, const uint8_t *src,
		     size_t len, uint8_t seed);
#define frame_expect(fd, dst, src, len, seed) \
	frame_expect_at(__FILE__, __LINE__, fd, dst, src, len, seed)

/* Nothing (of ours) comes for 50 ms. */
void frame_none_at(const char *file, int line, int fd);
#define frame_none(fd) frame_none_at(__FILE__, __LINE__, fd)

/* Any frame, within @ms; returns its length or 0. */
size_t frame_read(int fd, void *buf, size_t size, int ms);

/* poll()s for @events; returns revents. */
short wait_events(int fd, short events, int ms);

/* A packet socket on an interface, nonblocking, that does not see what it sends. */
int packet_socket(const char *ifname, bool vnet_hdr);

/* An IPv4 UDP datagram from port 1911 to 77 in a frame; returns the frame's length. */
size_t make_udp(struct frame *f, const uint8_t *dst, const uint8_t *src, const char *from,
		const char *to, const char *text);

/* The host's end: bound to port 77 of its address @ip, nonblocking. */
int udp_socket(const char *ip);

void interface_mac(const char *ifname, uint8_t mac[6]);

/* 1's complement sum, folded; a correct IP header or TCP segment gives 0xffff. */
uint32_t sum16(const void *data, size_t len, uint32_t sum);

#endif
