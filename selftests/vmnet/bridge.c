// SPDX-License-Identifier: GPL-2.0-only
/*
 * Networks bridged to a NIC: v0 is the host's NIC and has 10.1.1.1, w0 at the
 * other end of the cable is the wire, which packet sockets write and read.
 */
#include <poll.h>
#include <arpa/inet.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "test.h"

#define WIRE	7	/* the address of a station on the wire */

static uint8_t host[6];

static void make_bridge(void)
{
	sh("ip link add v0 type veth peer name w0");
	sh("ip link set w0 up; ip link set v0 up; ip addr add 10.1.1.1/24 dev v0");
	sh("ip neigh add 10.1.1.2 lladdr 02:00:00:00:00:01 dev v0 nud permanent");
	sh("ip neigh add 10.1.1.7 lladdr 02:00:00:00:00:07 dev v0 nud permanent");
	sh("vmctl net create n --nic v0");
	interface_mac("v0", host);
}

static void to_and_from_wire(void)
{
	int a, b, wire;

	make_bridge();
	wire = packet_socket("w0", false);
	a = port_open("n", 1);
	b = port_open("n", 2);
	/* Every guest has its own address on the wire. */
	frame_send(a, mac_of(WIRE), mac_of(1), 60, 1);
	frame_expect(wire, mac_of(WIRE), mac_of(1), 60, 1);
	frame_send(b, mac_of(WIRE), mac_of(2), 1514, 2);
	frame_expect(wire, mac_of(WIRE), mac_of(2), 1514, 2);
	frame_send(wire, mac_of(1), mac_of(WIRE), 1514, 3);
	frame_expect(a, mac_of(1), mac_of(WIRE), 1514, 3);
	frame_send(wire, mac_of(2), mac_of(WIRE), 60, 4);
	frame_expect(b, mac_of(2), mac_of(WIRE), 60, 4);
	/* Between guests: nothing leaves. Between others on the wire: nothing enters. */
	frame_send(a, mac_of(2), mac_of(1), 60, 5);
	frame_expect(b, mac_of(2), mac_of(1), 60, 5);
	frame_send(wire, mac_of(8), mac_of(WIRE), 60, 6);
	/* Broadcasts reach everybody else once. */
	frame_send(a, broadcast, mac_of(1), 60, 7);
	frame_expect(b, broadcast, mac_of(1), 60, 7);
	frame_expect(wire, broadcast, mac_of(1), 60, 7);
	frame_send(wire, broadcast, mac_of(WIRE), 60, 8);
	frame_expect(a, broadcast, mac_of(WIRE), 60, 8);
	frame_expect(b, broadcast, mac_of(WIRE), 60, 8);
	frame_none(a);
	frame_none(b);
	frame_none(wire);
}

static void to_and_from_host(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	uint8_t buf[2048];
	struct frame f;
	size_t len;
	int a, b, wire, tap, udp;

	make_bridge();
	wire = packet_socket("w0", false);
	tap = packet_socket("v0", false);
	a = port_open("n", 1);
	b = port_open("n", 2);
	udp = udp_socket("10.1.1.1");
	inet_pton(AF_INET, "10.1.1.2", &to.sin_addr);

	len = make_udp(&f, host, mac_of(1), "10.1.1.2", "10.1.1.1", "hello");
	CHECK_EQ(write(a, &f, len), len);
	CHECK_EQ(frame_read(udp, buf, sizeof(buf), 500), 5);
	frame_none(wire);
	/* tcpdump on the NIC sees it come in. */
	CHECK_EQ(frame_read(tap, buf, sizeof(buf), 500), len);

	CHECK_EQ(sendto(udp, "answer", 6, 0, (struct sockaddr *)&to, sizeof(to)), 6);
	len = frame_read(a, &f, sizeof(f), 500);
	CHECK_EQ(len, 14 + 28 + 6);
	CHECK_EQ(sum16(f.data, 20, 0), 0xffff);
	CHECK_EQ(sum16(f.data + 12, 8 + len - 34, IPPROTO_UDP + len - 34), 0xffff);
	frame_none(b);
	frame_none(a);

	/* Wire and host are not disturbed by all this. */
	while (frame_read(wire, buf, sizeof(buf), 0))
		;
	len = make_udp(&f, host, mac_of(WIRE), "10.1.1.7", "10.1.1.1", "wire");
	CHECK_EQ(write(wire, &f, len), len);
	CHECK_EQ(frame_read(udp, buf, sizeof(buf), 500), 4);
	inet_pton(AF_INET, "10.1.1.7", &to.sin_addr);
	CHECK_EQ(sendto(udp, "back", 4, 0, (struct sockaddr *)&to, sizeof(to)), 4);
	CHECK_EQ(frame_read(wire, &f, sizeof(f), 500), 14 + 28 + 4);
	frame_none(a);

	/* The host's broadcasts; and a guest's, which the host gets once. */
	len = make_udp(&f, broadcast, mac_of(1), "10.1.1.2", "10.1.1.255", "all");
	CHECK_EQ(write(a, &f, len), len);
	CHECK_EQ(frame_read(wire, buf, sizeof(buf), 500), len);
	CHECK_EQ(frame_read(b, buf, sizeof(buf), 500), len);
	frame_none(wire);
	frame_none(a);
}

static void promiscuous_hub(void)
{
	int a, b, wire;

	make_bridge();
	sh("vmctl net policy n --hub --promiscuous allow");
	wire = packet_socket("w0", false);
	a = port_open("n", 1);
	b = port_open("n", 2);
	/* All that the NIC can hear: the host's too, and other stations'. */
	frame_send(wire, mac_of(8), mac_of(WIRE), 60, 1);
	frame_expect(a, mac_of(8), mac_of(WIRE), 60, 1);
	frame_expect(b, mac_of(8), mac_of(WIRE), 60, 1);
	frame_send(wire, host, mac_of(WIRE), 60, 2);
	frame_expect(a, host, mac_of(WIRE), 60, 2);
	frame_expect(b, host, mac_of(WIRE), 60, 2);
	frame_send(wire, mac_of(1), mac_of(WIRE), 60, 3);
	frame_expect(a, mac_of(1), mac_of(WIRE), 60, 3);
	frame_expect(b, mac_of(1), mac_of(WIRE), 60, 3);
	frame_send(a, mac_of(2), mac_of(1), 60, 4);
	frame_expect(b, mac_of(2), mac_of(1), 60, 4);
	frame_none(a);
	frame_none(wire);
}

static void make_vlan(struct frame *f, const uint8_t *dst, const uint8_t *src, uint8_t vid)
{
	frame_make(f, dst, src, 1518, vid);
	memcpy(f->type, "\x81\x00", 2);
	f->data[0] = 0x60;
	f->data[1] = vid;
	f->data[2] = FRAME_TYPE >> 8;
	f->data[3] = FRAME_TYPE & 0xff;
}

static void expect_same(int fd, const struct frame *f, size_t len)
{
	struct frame got;

	CHECK_EQ(frame_read(fd, &got, sizeof(got), 500), len);
	CHECK(!memcmp(&got, f, len));
}

/* Tagged frames keep their tag, whether the host has a use for it or not. */
static void vlan(void)
{
	struct frame f;
	uint8_t buf[2048];
	int a, b, wire, host_vlan;

	make_bridge();
	if (sh_status("ip link add link v0 name v0.5 type vlan id 5 2>/dev/null"))
		test_skip("the kernel has no 8021q");
	sh("ip link set v0.5 up");
	sh("ethtool -K w0 rxvlan off txvlan off >/dev/null 2>&1; true");
	wire = packet_socket("w0", false);
	a = port_open("n", 1);
	b = port_open("n", 2);
	for (uint8_t vid = 4; vid <= 5; vid++) {
		make_vlan(&f, mac_of(1), mac_of(WIRE), vid);
		CHECK_EQ(write(wire, &f, 1518), 1518);
		expect_same(a, &f, 1518);
		make_vlan(&f, broadcast, mac_of(WIRE), vid);
		CHECK_EQ(write(wire, &f, 1518), 1518);
		expect_same(a, &f, 1518);
		expect_same(b, &f, 1518);
		make_vlan(&f, mac_of(2), mac_of(1), vid);
		CHECK_EQ(write(a, &f, 1518), 1518);
		expect_same(b, &f, 1518);
	}
	/* Host and guest on VLAN 5: the host's interface gets the frame without its tag. */
	host_vlan = packet_socket("v0.5", false);
	make_vlan(&f, host, mac_of(1), 5);
	CHECK_EQ(write(a, &f, 1518), 1518);
	CHECK_EQ(frame_read(host_vlan, buf, sizeof(buf), 500), 1514);
	frame_make(&f, mac_of(1), host, 1000, 9);
	CHECK_EQ(write(host_vlan, &f, 1000), 1000);
	CHECK_EQ(frame_read(a, &f, sizeof(f), 500), 1004);
	CHECK(!memcmp(f.type, "\x81\x00\x00\x05\x88\xb5", 6));
	frame_none(a);
	frame_none(b);
}

static void jumbo(void)
{
	int a, wire;

	make_bridge();
	sh("ip link set w0 mtu 9000; ip link set v0 mtu 9000");
	wire = packet_socket("w0", false);
	a = port_open("n", 1);
	CHECK_EQ(port_status(a).mtu, 9000);
	frame_send(a, mac_of(WIRE), mac_of(1), 9014, 1);
	frame_expect(wire, mac_of(WIRE), mac_of(1), 9014, 1);
	frame_send(wire, mac_of(1), mac_of(WIRE), 9014, 2);
	frame_expect(a, mac_of(1), mac_of(WIRE), 9014, 2);
	CHECK(sh_prints("has its interface's MTU", "vmctl net policy n --mtu 1400"));
}

/* A TCP segment of @len bytes that the device is to cut and sum; returns all bytes. */
static size_t make_gso(uint8_t *buf, const uint8_t *dst, const uint8_t *src, size_t len,
		       uint16_t mss)
{
	struct virtio_net_hdr *vh = (struct virtio_net_hdr *)buf;
	uint8_t *eth = buf + sizeof(*vh), *ip = eth + 14, *tcp = ip + 20;
	uint32_t sum;

	memset(buf, 0, sizeof(*vh) + 54);
	vh->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	vh->gso_type = mss ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_NONE;
	vh->hdr_len = 54;
	vh->gso_size = mss;
	vh->csum_start = 34;
	vh->csum_offset = 16;
	memcpy(eth, dst, 6);
	memcpy(eth + 6, src, 6);
	eth[12] = 8;
	ip[0] = 0x45;
	ip[2] = (40 + len) >> 8;
	ip[3] = 40 + len;
	ip[8] = 64;
	ip[9] = IPPROTO_TCP;
	inet_pton(AF_INET, "10.1.1.1", ip + 12);
	inet_pton(AF_INET, "10.1.1.2", ip + 16);
	sum = ~sum16(ip, 20, 0);
	ip[10] = sum >> 8;
	ip[11] = sum;
	tcp[3] = 80;
	tcp[12] = 5 << 4;
	tcp[13] = 0x10;	/* ACK */
	sum = sum16(ip + 12, 8, IPPROTO_TCP + 20 + len);
	tcp[16] = sum >> 8;
	tcp[17] = sum;
	for (size_t i = 0; i < len; i++)
		tcp[20 + i] = i * 13;
	return sizeof(*vh) + 54 + len;
}

/* @len bytes arrive in frames no larger than the MTU, each with right checksums. */
static void expect_segments(int fd, size_t len)
{
	struct frame f;
	size_t got = 0, n;

	while (got < len) {
		n = frame_read(fd, &f, sizeof(f), 500);
		CHECK(n > 54 && n <= 1514);
		CHECK_EQ(f.data[2] << 8 | f.data[3], n - 14);
		CHECK_EQ(sum16(f.data, 20, 0), 0xffff);
		CHECK_EQ(sum16(f.data + 12, 8 + n - 34, IPPROTO_TCP + n - 34), 0xffff);
		for (size_t i = 54; i < n; i++, got++)
			CHECK_EQ(f.data[i - 14], (uint8_t)(got * 13));
	}
	CHECK_EQ(got, len);
	frame_none(fd);
}

static void segmentation(void)
{
	static uint8_t buf[65536];
	int a, wire, nic;
	size_t len;

	make_bridge();
	a = port_open("n", 1);
	wire = packet_socket("w0", true);
	nic = packet_socket("v0", true);
	/* From the wire (as by a NIC with receive offloads), and from the host. */
	len = make_gso(buf, mac_of(1), mac_of(WIRE), 30000, 1448);
	CHECK_EQ(write(wire, buf, len), len);
	expect_segments(a, 30000);
	len = make_gso(buf, mac_of(1), host, 30000, 1448);
	CHECK_EQ(write(nic, buf, len), len);
	expect_segments(a, 30000);
	/* Not large, but its checksum is yet to be made. */
	len = make_gso(buf, mac_of(1), mac_of(WIRE), 500, 0);
	CHECK_EQ(write(wire, buf, len), len);
	expect_segments(a, 500);
	len = make_gso(buf, mac_of(1), host, 501, 0);
	CHECK_EQ(write(nic, buf, len), len);
	expect_segments(a, 501);
}

/* The host's own sending through the NIC, to a guest, with real offloads. */
static void host_sends_large(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	static const uint8_t data[5600] = { 1, 2, 3 };
	int a, udp, segment = 1400;
	size_t len, got = 0;
	struct frame f;

	make_bridge();
	a = port_open("n", 1);
	udp = udp_socket("10.1.1.1");
	inet_pton(AF_INET, "10.1.1.2", &to.sin_addr);
	CHECK_EQ(setsockopt(udp, IPPROTO_UDP, 103, &segment, sizeof(segment)), 0);
	CHECK_EQ(sendto(udp, data, sizeof(data), 0, (struct sockaddr *)&to, sizeof(to)),
		 sizeof(data));
	while ((len = frame_read(a, &f, sizeof(f), 300))) {
		CHECK_EQ(len, 14 + 28 + 1400);
		CHECK_EQ(sum16(f.data, 20, 0), 0xffff);
		CHECK_EQ(sum16(f.data + 12, 8 + len - 34, IPPROTO_UDP + len - 34), 0xffff);
		got += len - 42;
	}
	CHECK_EQ(got, sizeof(data));
}

/* Guests that speak with the NIC's or another's address get nothing back of it. */
static void no_loops(void)
{
	int a, b, wire;

	make_bridge();
	wire = packet_socket("w0", false);
	sh("vmctl net policy n --promiscuous allow --hub");
	a = port_open("n", 1);
	b = port_open("n", 2);
	frame_send(a, mac_of(WIRE), host, 60, 1);
	frame_expect(wire, mac_of(WIRE), host, 60, 1);
	frame_expect(b, mac_of(WIRE), host, 60, 1);
	frame_none(a);
	frame_send(a, broadcast, host, 60, 2);
	frame_expect(wire, broadcast, host, 60, 2);
	frame_expect(b, broadcast, host, 60, 2);
	frame_none(a);
	frame_none(b);
	frame_send(a, host, host, 60, 3);
	frame_expect(b, host, host, 60, 3);
	frame_none(a);
	frame_none(b);
	frame_none(wire);
	/* With a queueing discipline frames leave from elsewhere than from our call. */
	sh("tc qdisc add dev v0 root netem delay 20ms 2>/dev/null || "
	   "tc qdisc add dev v0 root pfifo limit 100");
	frame_send(a, broadcast, mac_of(1), 60, 4);
	frame_expect(wire, broadcast, mac_of(1), 60, 4);
	frame_expect(b, broadcast, mac_of(1), 60, 4);
	frame_none(a);
	frame_none(b);
	frame_none(wire);
}

const struct test bridge_tests[] = {
	{ "bridge_wire", to_and_from_wire },
	{ "bridge_host", to_and_from_host },
	{ "bridge_promiscuous_hub", promiscuous_hub },
	{ "bridge_vlan", vlan },
	{ "bridge_jumbo", jumbo },
	{ "bridge_segmentation", segmentation },
	{ "bridge_host_sends_large", host_sends_large },
	{ "bridge_no_loops", no_loops },
	{ }
};
