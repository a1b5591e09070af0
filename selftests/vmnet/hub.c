// SPDX-License-Identifier: GPL-2.0-only
/* Where frames go, between guests and on a hostonly network; ports' policies. */
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "test.h"

static void unicast(void)
{
	int a, b, c;

	sh("vmctl net create n");
	a = port_open("n", 1);
	b = port_open("n", 2);
	c = port_open("n", 3);
	for (size_t len = 14; len <= 1518; len += 47) {
		frame_send(a, mac_of(2), mac_of(1), len, len);
		frame_expect(b, mac_of(2), mac_of(1), len, len);
	}
	frame_send(b, mac_of(1), mac_of(2), 1518, 9);
	frame_expect(a, mac_of(1), mac_of(2), 1518, 9);
	/* To itself, and to an address that nobody has. */
	frame_send(a, mac_of(1), mac_of(1), 60, 1);
	frame_send(a, mac_of(99), mac_of(1), 60, 1);
	frame_none(a);
	frame_none(b);
	frame_none(c);
	CHECK_EQ(port_counter(a, VMNET_TX_NOBODY), 2);
}

static void multicast(void)
{
	static const uint8_t group[6] = { 1, 0, 0x5e, 0, 0, 5 };
	int a, b, c;

	sh("vmctl net create n");
	a = port_open("n", 1);
	b = port_open("n", 2);
	c = port_open("n", 3);
	frame_send(a, broadcast, mac_of(1), 60, 1);
	frame_send(a, group, mac_of(1), 1000, 2);
	frame_expect(b, broadcast, mac_of(1), 60, 1);
	frame_expect(c, broadcast, mac_of(1), 60, 1);
	frame_expect(b, group, mac_of(1), 1000, 2);
	frame_expect(c, group, mac_of(1), 1000, 2);
	frame_none(a);
}

static void hub(void)
{
	int a, b, c;

	sh("vmctl net create n --hub");
	a = port_open("n", 1);
	b = port_open("n", 2);
	c = port_open("n", 3);
	frame_send(a, mac_of(2), mac_of(1), 60, 1);
	frame_expect(b, mac_of(2), mac_of(1), 60, 1);
	frame_expect(c, mac_of(2), mac_of(1), 60, 1);
	frame_none(a);
	sh("vmctl net policy n --port %u --promiscuous deny", port_id(c));
	frame_send(a, mac_of(2), mac_of(1), 60, 2);
	frame_expect(b, mac_of(2), mac_of(1), 60, 2);
	frame_none(c);
	/* A switch from now on: known addresses are nobody else's business. */
	sh("vmctl net policy n --port %u --promiscuous allow", port_id(c));
	sh("vmctl net policy n --switch");
	frame_send(a, mac_of(2), mac_of(1), 60, 3);
	frame_expect(b, mac_of(2), mac_of(1), 60, 3);
	frame_none(c);
}

static void learning(void)
{
	int a, b, c;

	sh("vmctl net create n --promiscuous allow");
	a = port_open("n", 1);
	b = port_open("n", 2);
	c = port_open("n", 3);
	/* Unknown: offered to all. */
	frame_send(a, mac_of(50), mac_of(1), 60, 1);
	frame_expect(b, mac_of(50), mac_of(1), 60, 1);
	frame_expect(c, mac_of(50), mac_of(1), 60, 1);
	/* 50 is behind b, then moves to c. */
	frame_send(b, mac_of(1), mac_of(50), 60, 2);
	frame_expect(a, mac_of(1), mac_of(50), 60, 2);
	frame_send(a, mac_of(50), mac_of(1), 60, 3);
	frame_expect(b, mac_of(50), mac_of(1), 60, 3);
	frame_none(c);
	frame_send(c, mac_of(1), mac_of(50), 60, 4);
	frame_expect(a, mac_of(1), mac_of(50), 60, 4);
	frame_send(a, mac_of(50), mac_of(1), 60, 5);
	frame_expect(c, mac_of(50), mac_of(1), 60, 5);
	frame_none(b);
	/* What a port owns cannot be taken from it by pretending. */
	frame_send(c, mac_of(99), mac_of(2), 60, 6);
	frame_expect(a, mac_of(99), mac_of(2), 60, 6);
	frame_expect(b, mac_of(99), mac_of(2), 60, 6);
	frame_send(a, mac_of(2), mac_of(1), 60, 7);
	frame_expect(b, mac_of(2), mac_of(1), 60, 7);
	frame_none(c);
	/* Learned addresses go with their port. */
	close(c);
	frame_send(a, mac_of(50), mac_of(1), 60, 8);
	frame_expect(b, mac_of(50), mac_of(1), 60, 8);
}

static void address_flood(void)
{
	uint8_t mac[6] = { 2, 1, 1, 1 };
	int a, b, c;

	sh("vmctl net create n");
	a = port_open("n", 1);
	b = port_open("n", 2);
	c = port_open("n", 3);
	for (int i = 0; i < 20000; i++) {
		mac[4] = i >> 8;
		mac[5] = i;
		frame_send(a, mac_of(99), mac, 60, 0);
	}
	CHECK(port_counter(a, VMNET_LEARN_REFUSED) >= 20000 - 64);
	CHECK(sh_prints("\"addresses\": 67", "vmctl net show n --json | grep addresses"));
	/* Others do not suffer. */
	frame_send(b, mac_of(3), mac_of(77), 60, 1);
	frame_expect(c, mac_of(3), mac_of(77), 60, 1);
	frame_send(c, mac_of(77), mac_of(3), 60, 1);
	frame_expect(b, mac_of(77), mac_of(3), 60, 1);
}

static void mac_lock(void)
{
	struct vmnet_mac mac = { 0 };
	struct frame f;
	int a, b;

	sh("vmctl net create n");
	a = port_open("n", 1);
	b = port_open("n", 2);
	sh("vmctl net policy n --port %u --mac-lock on", port_id(a));
	frame_make(&f, mac_of(2), mac_of(7), 60, 0);
	CHECK_ERR(write(a, &f, 60), EPERM);
	CHECK_EQ(port_counter(a, VMNET_TX_MACLOCK), 1);
	frame_none(b);
	frame_send(a, mac_of(2), mac_of(1), 60, 3);
	frame_expect(b, mac_of(2), mac_of(1), 60, 3);
	memcpy(mac.mac, mac_of(9), 6);
	CHECK_ERR(ioctl(a, VMNET_SET_MAC, &mac), EPERM);
	sh("vmctl net policy n --port %u --mac-lock off", port_id(a));
	CHECK_EQ(write(a, &f, 60), 60);
	frame_expect(b, mac_of(2), mac_of(7), 60, 0);
}

static void set_mac(void)
{
	struct vmnet_mac mac = { 0 };
	int a, b;

	sh("vmctl net create n");
	a = port_open("n", 1);
	b = port_open("n", 2);
	memcpy(mac.mac, mac_of(2), 6);
	CHECK_ERR(ioctl(a, VMNET_SET_MAC, &mac), EADDRINUSE);
	memcpy(mac.mac, broadcast, 6);
	CHECK_ERR(ioctl(a, VMNET_SET_MAC, &mac), EADDRNOTAVAIL);
	memset(mac.mac, 0, 6);
	CHECK_ERR(ioctl(a, VMNET_SET_MAC, &mac), EADDRNOTAVAIL);
	memcpy(mac.mac, mac_of(5), 6);
	mac.pad = 1;
	CHECK_ERR(ioctl(a, VMNET_SET_MAC, &mac), EINVAL);
	mac.pad = 0;
	CHECK_EQ(ioctl(a, VMNET_SET_MAC, &mac), 0);
	CHECK_EQ(ioctl(a, VMNET_SET_MAC, &mac), 0);
	frame_send(b, mac_of(1), mac_of(2), 60, 1);
	frame_none(a);
	frame_send(b, mac_of(5), mac_of(2), 60, 2);
	frame_expect(a, mac_of(5), mac_of(2), 60, 2);
	/* The old one is free again. */
	CHECK(port_try("n", mac_of(1), 0, 0) >= 0);
}

static void cable(void)
{
	struct frame f;
	int a, b;

	sh("vmctl net create n");
	a = port_open("n", 1);
	b = port_open("n", 2);
	CHECK_EQ(port_status(a).link, 1);
	sh("vmctl net link n %u down", port_id(a));
	CHECK(wait_events(a, POLLPRI, 500) & POLLPRI);
	CHECK_EQ(port_status(a).link, 0);
	CHECK(!(wait_events(a, POLLPRI, 0) & POLLPRI));
	frame_make(&f, mac_of(2), mac_of(1), 60, 0);
	CHECK_ERR(write(a, &f, 60), ENETDOWN);
	frame_send(b, mac_of(1), mac_of(2), 60, 1);
	frame_none(a);
	CHECK_EQ(port_counter(a, VMNET_TX_LINK), 1);
	CHECK_EQ(port_counter(a, VMNET_RX_LINK), 1);
	sh("vmctl net link n %u up", port_id(a));
	CHECK(wait_events(a, POLLPRI, 500) & POLLPRI);
	CHECK_EQ(port_status(a).link, 1);
	frame_send(a, mac_of(2), mac_of(1), 60, 2);
	frame_expect(b, mac_of(2), mac_of(1), 60, 2);
}

static void network_mtu(void)
{
	struct frame f;
	int a, b;

	sh("vmctl net create n --mtu 9000");
	a = port_open("n", 1);
	b = port_open("n", 2);
	frame_send(a, mac_of(2), mac_of(1), 9018, 1);
	frame_expect(b, mac_of(2), mac_of(1), 9018, 1);
	frame_make(&f, mac_of(2), mac_of(1), 9019, 1);
	CHECK_ERR(write(a, &f, 9019), EMSGSIZE);
	sh("vmctl net policy n --mtu 65517");
	CHECK(wait_events(a, POLLPRI, 500) & POLLPRI);
	CHECK_EQ(port_status(a).mtu, 65517);
	frame_send(a, mac_of(2), mac_of(1), 65535, 2);
	frame_expect(b, mac_of(2), mac_of(1), 65535, 2);
	CHECK(sh_status("vmctl net policy n --mtu 67") == 2);
	CHECK(sh_status("vmctl net policy n --mtu 65518") == 2);
}

/* The host sends to a guest with ordinary sockets: checks what arrives is right. */
static void hostonly(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	uint8_t host[6], buf[2048];
	struct frame f;
	size_t len;
	int a, b, udp;

	sh("vmctl net create n --address 10.1.1.1/24 --interface ho0 >/dev/null");
	CHECK(sh_prints("vmnet", "ip -d link show dev ho0"));
	sh("ip neigh add 10.1.1.2 lladdr 02:00:00:00:00:01 dev ho0 nud permanent");
	a = port_open("n", 1);
	b = port_open("n", 2);
	interface_mac("ho0", host);
	udp = udp_socket("10.1.1.1");
	inet_pton(AF_INET, "10.1.1.2", &to.sin_addr);

	len = make_udp(&f, host, mac_of(1), "10.1.1.2", "10.1.1.1", "hello");
	CHECK_EQ(write(a, &f, len), len);
	CHECK_EQ(frame_read(udp, buf, sizeof(buf), 500), 5);
	CHECK(!memcmp(buf, "hello", 5));

	CHECK_EQ(sendto(udp, "answer", 6, 0, (struct sockaddr *)&to, sizeof(to)), 6);
	len = frame_read(a, &f, sizeof(f), 500);
	CHECK_EQ(len, 14 + 28 + 6);
	CHECK(!memcmp(f.dst, mac_of(1), 6) && !memcmp(f.src, host, 6));
	CHECK_EQ(sum16(f.data, 20, 0), 0xffff);
	/* The pseudo header: addresses, protocol, length. */
	CHECK_EQ(sum16(f.data + 12, 8 + len - 34, IPPROTO_UDP + len - 34), 0xffff);
	frame_none(b);

	/* The host's address is taken, also when it changes; its MTU is the network's. */
	CHECK_ERR(port_try("n", host, 0, 0), EADDRINUSE);
	CHECK(sh_status("ip link set ho0 address 02:00:00:00:00:01 2>/dev/null") != 0);
	sh("ip link set ho0 address 02:00:00:00:00:44");
	CHECK(port_try("n", mac_of(0x44), 0, 0) == -1);
	sh("ip link set ho0 mtu 9000");
	CHECK_EQ(port_status(a).mtu, 9000);
	CHECK(sh_status("vmctl net bridge n lo 2>/dev/null") == 1);
	/* Down: the host hears nothing, guests still hear each other. */
	sh("ip link set ho0 down");
	frame_send(a, broadcast, mac_of(1), 60, 1);
	frame_expect(b, broadcast, mac_of(1), 60, 1);
	CHECK(sh_status("ip link del ho0 2>/dev/null") != 0);
	close(a);
	close(b);
	CHECK(sh_status("vmctl net delete n") == 0);
	CHECK(sh_status("ip link show ho0 2>/dev/null") != 0);
}

/* One large send by the host (UDP_SEGMENT): frames that are each right by themselves. */
static void hostonly_large(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	static const uint8_t data[5600] = { 1, 2, 3 };
	size_t len, got = 0;
	struct frame f;
	int a, udp, segment = 1400;

	sh("vmctl net create n --address 10.1.1.1/24 --interface ho0 >/dev/null");
	sh("ip neigh add 10.1.1.2 lladdr 02:00:00:00:00:01 dev ho0 nud permanent");
	a = port_open("n", 1);
	inet_pton(AF_INET, "10.1.1.2", &to.sin_addr);
	udp = udp_socket("10.1.1.1");
	CHECK_EQ(setsockopt(udp, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment)), 0);
	CHECK_EQ(sendto(udp, data, sizeof(data), 0, (struct sockaddr *)&to, sizeof(to)),
		 sizeof(data));
	while ((len = frame_read(a, &f, sizeof(f), 300))) {
		CHECK_EQ(len, 14 + 28 + 1400);
		CHECK_EQ(sum16(f.data, 20, 0), 0xffff);
		CHECK_EQ(sum16(f.data + 12, 8 + len - 34, IPPROTO_UDP + len - 34), 0xffff);
		got += len - 42;
	}
	CHECK_EQ(got, 5600);
}

const struct test hub_tests[] = {
	{ "unicast", unicast },
	{ "multicast", multicast },
	{ "hub_and_switch", hub },
	{ "learning", learning },
	{ "address_flood", address_flood },
	{ "mac_lock", mac_lock },
	{ "set_mac", set_mac },
	{ "cable", cable },
	{ "network_mtu", network_mtu },
	{ "hostonly", hostonly },
	{ "hostonly_segmentation", hostonly_large },
	{ }
};
