// SPDX-License-Identifier: GPL-2.0-only
/* Many frames: each one is accounted for, and nothing breaks under them. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "test.h"

#define MILLION		1000000
#define SENDERS		2

static volatile int stopping;

/* A kernel with KASAN does not get to a million in the time that a test has. */
static int frames_in_all(void)
{
	struct utsname host;

	uname(&host);
	return strstr(host.release, "-debug") ? MILLION / 10 : MILLION;
}

struct reader {
	int fd;
	uint64_t frames;
	uint64_t wrong;
};

static void *read_all(void *arg)
{
	struct reader *r = arg;
	struct frame f;

	for (;;) {
		ssize_t len = read(r->fd, &f, sizeof(f));

		if (len > 0) {
			r->frames++;
			r->wrong += len != 60 || f.type[0] != FRAME_TYPE >> 8;
		} else if (stopping) {
			return NULL;
		} else {
			wait_events(r->fd, POLLIN, 20);
		}
	}
}

static void *send_half(void *arg)
{
	int fd = *(int *)arg;
	int n = frames_in_all() / SENDERS;
	struct frame f;

	frame_make(&f, mac_of(9), mac_of(fd), 60, 0);
	for (int i = 0; i < n; i++)
		CHECK_EQ(write(fd, &f, 60), 60);
	return NULL;
}

/* Two guests send to a third, which reads as fast as it can. */
static void million(void)
{
	pthread_t readers, senders[SENDERS];
	uint64_t sent = 0, *c;
	struct reader r = { 0 };
	struct vmnet_status st;
	int fds[SENDERS];

	sh("vmctl net create n");
	r.fd = port_open("n", 9);
	for (int i = 0; i < SENDERS; i++) {
		fds[i] = port_try("n", NULL, 0, 0);
		CHECK(fds[i] >= 0);
	}
	CHECK_EQ(pthread_create(&readers, NULL, read_all, &r), 0);
	for (int i = 0; i < SENDERS; i++)
		CHECK_EQ(pthread_create(&senders[i], NULL, send_half, &fds[i]), 0);
	for (int i = 0; i < SENDERS; i++)
		CHECK_EQ(pthread_join(senders[i], NULL), 0);
	stopping = 1;
	CHECK_EQ(pthread_join(readers, NULL), 0);
	for (int i = 0; i < SENDERS; i++) {
		sent += port_counter(fds[i], VMNET_TX_FRAMES);
		CHECK_EQ(port_counter(fds[i], VMNET_TX_NOBODY), 0);
	}
	st = port_status(r.fd);
	c = (uint64_t *)st.counters;
	printf("# %llu read, %llu dropped as the queue was full\n", (unsigned long long)r.frames,
	       (unsigned long long)c[VMNET_RX_QUEUE_FULL]);
	CHECK_EQ(sent, frames_in_all());
	CHECK_EQ(r.frames, c[VMNET_RX_FRAMES]);
	CHECK_EQ(r.wrong, 0);
	CHECK_EQ(c[VMNET_RX_FRAMES] + c[VMNET_RX_QUEUE_FULL], frames_in_all());
}

/* A guest to the wire: what the NIC's queue does not take is not lost silently. */
static void to_the_wire(void)
{
	struct frame f, in;
	uint64_t refused = 0, sent = 0;
	int a, wire, n = 0;

	sh("ip link add v0 type veth peer name w0; ip link set w0 up; ip link set v0 up");
	sh("tc qdisc add dev v0 root tbf rate 50mbit burst 10kb limit 2mb 2>/dev/null || true");
	sh("vmctl net create n --nic v0");
	a = port_open("n", 1);
	wire = packet_socket("w0", false);
	frame_make(&f, mac_of(7), mac_of(1), 1000, 0);
	for (int i = 0; i < 20000; i++) {
		bool taken = write(a, &f, 1000) == 1000;

		if (taken) {
			sent++;
		} else {
			/* Too much in flight: wait until there is room. */
			CHECK_EQ(errno, EAGAIN);
			refused++;
			CHECK(wait_events(a, POLLOUT, 5000) & POLLOUT);
		}
		/* A sender that is slower than the wire is never refused. */
		while ((!taken || i % 64 == 0) && frame_read(wire, &in, sizeof(in), 0))
			n++;
	}
	usleep(500000);
	while (frame_read(wire, &in, sizeof(in), 100))
		n++;
	printf("# %llu sent, %d arrived, %llu times no room\n", (unsigned long long)sent, n,
	       (unsigned long long)refused);
	CHECK_EQ(port_counter(a, VMNET_TX_FRAMES), sent);
	CHECK_EQ(n, sent);
}

static void *open_and_close(void *arg)
{
	(void)arg;
	while (!stopping) {
		int fd = port_try("n", mac_of(3), 0, 0);

		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

static void *send_on(void *arg)
{
	int *fd = arg;
	struct frame f;

	frame_make(&f, mac_of(3), mac_of(1), 60, 0);
	while (!stopping) {
		CHECK_EQ(write(*fd, &f, 60), 60);
		memcpy(f.dst, f.dst[0] == 2 ? broadcast : mac_of(3), 6);
	}
	return NULL;
}

/* Ports come and go while frames are on their way to them. */
static void close_in_flight(void)
{
	pthread_t threads[3];
	int a;

	sh("vmctl net create n --promiscuous allow");
	a = port_open("n", 1);
	CHECK_EQ(pthread_create(&threads[0], NULL, send_on, &a), 0);
	CHECK_EQ(pthread_create(&threads[1], NULL, open_and_close, NULL), 0);
	CHECK_EQ(pthread_create(&threads[2], NULL, open_and_close, NULL), 0);
	sleep(5);
	stopping = 1;
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	close(a);
	sh("vmctl net delete n");
}

/* Networks are made and deleted by force while guests use them. */
static void delete_in_flight(void)
{
	pthread_t thread;
	struct frame f;
	int fd;

	frame_make(&f, broadcast, mac_of(1), 60, 0);
	CHECK_EQ(pthread_create(&thread, NULL, open_and_close, NULL), 0);
	for (int i = 0; i < 30; i++) {
		sh("vmctl net create n --hub");
		fd = port_open("n", 1);
		for (int j = 0; j < 200; j++)
			CHECK_EQ(write(fd, &f, 60), 60);
		sh("vmctl net delete n --force");
		CHECK_ERR(write(fd, &f, 60), ENODEV);
		close(fd);
	}
	stopping = 1;
	CHECK_EQ(pthread_join(thread, NULL), 0);
}

static void many_ports(void)
{
	int fds[VMNET_PORTS_MAX / 4], n = 0;
	struct frame f;

	sh("vmctl net create n");
	while (n < (int)ARRAY_SIZE(fds)) {
		fds[n] = port_try("n", NULL, 0, 0);
		CHECK(fds[n] >= 0);
		n++;
	}
	frame_make(&f, broadcast, mac_of(1), 60, 0);
	CHECK_EQ(write(fds[0], &f, 60), 60);
	for (int i = 1; i < n; i++)
		CHECK_EQ(port_status(fds[i]).waiting, 1);
	CHECK(sh_prints(" 256 ", "vmctl net list"));
	/* A listing longer than one message. */
	CHECK(!sh_status("test $(vmctl net show n | grep -c guest) = %d", n));
}

const struct test load_tests[] = {
	{ "million_frames", million, 300 },
	{ "wire_back_pressure", to_the_wire, 120 },
	{ "close_in_flight", close_in_flight },
	{ "delete_in_flight", delete_in_flight, 120 },
	{ "many_ports", many_ports },
	{ }
};
