// SPDX-License-Identifier: GPL-2.0-only
/* What can happen to a bridged NIC, and who may have it. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "test.h"

#define WIRE	7

static void make_nic(void)
{
	sh("ip link add v0 type veth peer name w0");
	sh("ip link set w0 up; ip link set v0 up");
}

static void make_bridge(void)
{
	make_nic();
	sh("vmctl net create n --nic v0");
}

static void works(int a)
{
	int wire = packet_socket("w0", false);

	frame_send(a, mac_of(WIRE), mac_of(1), 60, 1);
	frame_expect(wire, mac_of(WIRE), mac_of(1), 60, 1);
	frame_send(wire, mac_of(1), mac_of(WIRE), 60, 2);
	frame_expect(a, mac_of(1), mac_of(WIRE), 60, 2);
	close(wire);
}

/* The port learns of it: POLLPRI, and then this is its link. */
static void expect_link(int a, uint32_t link)
{
	for (int i = 0; i < 40; i++) {
		wait_events(a, POLLPRI, 100);
		if (port_status(a).link == link)
			return;
	}
	CHECK_EQ(port_status(a).link, link);
}

static void down_and_up(void)
{
	struct frame f;
	int a;

	make_bridge();
	a = port_open("n", 1);
	works(a);
	sh("ip link set v0 down");
	CHECK(wait_events(a, POLLPRI, 500) & POLLPRI);
	expect_link(a, 0);
	frame_make(&f, mac_of(WIRE), mac_of(1), 60, 0);
	CHECK_ERR(write(a, &f, 60), ENETDOWN);
	sh("ip link set v0 up");
	expect_link(a, 1);
	works(a);
	/* The cable of the NIC itself. */
	sh("ip link set w0 down");
	expect_link(a, 0);
	sh("ip link set w0 up");
	expect_link(a, 1);
	works(a);
}

static void renamed(void)
{
	int a;

	make_bridge();
	a = port_open("n", 1);
	sh("ip link set v0 down; ip link set v0 name v9; ip link set v9 up");
	expect_link(a, 1);
	works(a);
	CHECK(sh_prints("v9", "vmctl net list"));
	sh("ip link set v9 mtu 1400");
	CHECK_EQ(port_status(a).mtu, 1400);
	sh("ip link set v9 address 02:00:00:00:00:66");
	works(a);
	CHECK_ERR(port_try("n", mac_of(0x66), 0, 0), EADDRINUSE);
}

static void unplugged(void)
{
	int a;

	make_bridge();
	a = port_open("n", 1);
	works(a);
	sh("ip link del v0");
	expect_link(a, 0);
	CHECK(sh_prints("v0 (missing)", "vmctl net list"));
	/* Another NIC is not taken for it; one of its name is. */
	sh("ip link add v1 type dummy; ip link set v1 up");
	CHECK_EQ(port_status(a).link, 0);
	sh("ip link del v1");
	make_nic();
	expect_link(a, 1);
	works(a);
	sh("ip link del v0; ip link add x0 type veth peer name w0; ip link set x0 name v0");
	sh("ip link set v0 up; ip link set w0 up");
	expect_link(a, 1);
	works(a);
	sh("ip link del v0");
	close(a);
	sh("vmctl net delete n");
	make_nic();
	sh("ip link del v0");
}

static void moved(void)
{
	int old = open("/proc/self/ns/net", O_RDONLY), other, a;
	char command[64];

	make_bridge();
	a = port_open("n", 1);
	CHECK_EQ(unshare(CLONE_NEWNET), 0);
	other = open("/proc/self/ns/net", O_RDONLY);
	CHECK_EQ(setns(old, CLONE_NEWNET), 0);
	snprintf(command, sizeof(command), "ip link set v0 netns /proc/%d/fd/%d", getpid(), other);
	sh("%s", command);
	expect_link(a, 0);
	/* It is free there, and comes back. */
	CHECK_EQ(setns(other, CLONE_NEWNET), 0);
	sh("vmctl net create m --nic v0; vmctl net delete m");
	snprintf(command, sizeof(command), "ip link set v0 netns /proc/%d/fd/%d", getpid(), old);
	sh("%s", command);
	CHECK_EQ(setns(old, CLONE_NEWNET), 0);
	sh("ip link set v0 up");
	expect_link(a, 1);
	works(a);
}

static void refused(void)
{
	make_bridge();
	CHECK(sh_prints("another network is bridged", "vmctl net create m --nic v0"));
	CHECK(sh_prints("not an Ethernet interface", "vmctl net create m --nic lo"));
	sh("vmctl net create ho --type hostonly --interface ho0 >/dev/null");
	CHECK(sh_prints("hostonly network's interface", "vmctl net create m --nic ho0"));
	CHECK(sh_prints("cannot be bridged", "vmctl net bridge ho w0"));
	/* Ours: others are kept away. */
	if (!sh_status("ip link add br0 type bridge 2>/dev/null")) {
		CHECK(sh_status("ip link set v0 master br0 2>/dev/null") != 0);
		/* Theirs: we stay away, and say why. */
		sh("ip link set w0 master br0");
		CHECK(sh_prints("is in a Linux bridge", "vmctl net create m --nic w0"));
		sh("ip link set w0 nomaster; vmctl net create m --nic w0; vmctl net delete m");
		/* A Linux bridge as such is an Ethernet interface like others. */
		sh("ip link set br0 address 02:00:00:00:00:b0");
		sh("vmctl net create m --nic br0; vmctl net delete m");
	}
	if (!sh_status("ip link add link w0 name mv0 type macvlan 2>/dev/null"))
		CHECK(sh_prints("macvlan", "vmctl net create m --nic w0"));
}

/* Promiscuous mode is given back, and a network can change its NIC. */
static void rebridged(void)
{
	int a;

	make_nic();
	sh("ip link add x0 type veth peer name y0; ip link set x0 up; ip link set y0 up");
	sh("vmctl net create n");
	a = port_open("n", 1);
	sh("vmctl net bridge n x0");
	CHECK(sh_prints("promiscuity 1", "ip -d link show x0"));
	sh("vmctl net bridge n v0");
	CHECK(sh_prints("promiscuity 0", "ip -d link show x0"));
	CHECK(sh_prints("promiscuity 1", "ip -d link show v0"));
	expect_link(a, 1);
	works(a);
	CHECK(sh_status("vmctl net bridge n nosuch 2>/dev/null") == 1);
	CHECK(sh_status("vmctl net bridge n lo 2>/dev/null") == 1);
	works(a);
	sh("ip link set v0 promisc on");
	sh("vmctl net bridge n --none");
	CHECK(sh_prints("promiscuity 1", "ip -d link show v0"));
	CHECK(sh_prints("private", "vmctl net list"));
	CHECK_EQ(port_status(a).link, 1);
	CHECK(sh_status("vmctl net bridge n nosuch 2>/dev/null") == 1);
	CHECK_EQ(port_status(a).link, 1);
}

static volatile int stopping;

static void *sender(void *arg)
{
	int *fd = arg;
	struct frame f;

	frame_make(&f, broadcast, mac_of(1), 600, 0);
	while (!stopping)
		if (write(*fd, &f, 600) < 0)
			sched_yield();
	return NULL;
}

/* Everything at once: the NIC goes and comes while both sides send. */
static void busy(void)
{
	pthread_t thread;
	struct frame f;
	int a, wire;

	make_bridge();
	a = port_open("n", 1);
	CHECK_EQ(pthread_create(&thread, NULL, sender, &a), 0);
	for (int i = 0; i < 8; i++) {
		wire = packet_socket("w0", false);
		frame_make(&f, mac_of(1), mac_of(WIRE), 600, 0);
		for (int j = 0; j < 500; j++)
			if (write(wire, &f, 600) < 0)
				break;
		close(wire);
		switch (i % 4) {
		case 0:
			sh("ip link del v0");
			make_nic();
			break;
		case 1:
			sh("ip link set v0 down; ip link set v0 up");
			break;
		case 2:
			sh("vmctl net bridge n --none; vmctl net bridge n v0");
			break;
		case 3:
			sh("vmctl net policy n --hub; vmctl net policy n --switch");
			break;
		}
	}
	stopping = 1;
	CHECK_EQ(pthread_join(thread, NULL), 0);
	while (frame_read(a, &f, sizeof(f), 0))
		;
	expect_link(a, 1);
	works(a);
}

const struct test nic_tests[] = {
	{ "nic_down_and_up", down_and_up },
	{ "nic_renamed", renamed },
	{ "nic_unplugged", unplugged },
	{ "nic_moved", moved },
	{ "nic_refused", refused },
	{ "nic_rebridged", rebridged },
	{ "nic_busy", busy, 120 },
	{ }
};
