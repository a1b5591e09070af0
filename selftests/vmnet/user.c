// SPDX-License-Identifier: GPL-2.0-only
/* /dev/vmnet and the netlink family: wrong use, life cycles, rights. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "test.h"

/* An address that has no memory. */
static uint8_t *volatile nowhere;

static void bad_attach(void)
{
	struct vmnet_attach how = { .network = "n" };
	struct frame f;
	int fd = open(VMNET_DEVICE, O_RDWR | O_NONBLOCK);

	CHECK_EQ(ioctl(fd, VMNET_GET_VERSION), VMNET_API_VERSION);
	CHECK_ERR(ioctl(fd, VMNET_ATTACH, &how), ENOENT);
	sh("vmctl net create n");
	/* Not attached. */
	CHECK_ERR(read(fd, &f, sizeof(f)), ENOTCONN);
	frame_make(&f, mac_of(2), mac_of(1), 60, 0);
	CHECK_ERR(write(fd, &f, 60), ENOTCONN);
	CHECK_EQ(wait_events(fd, POLLIN | POLLOUT, 0), POLLERR);
	CHECK_ERR(ioctl(fd, VMNET_GET_STATUS, &f), ENOTCONN);
	CHECK_ERR(ioctl(fd, VMNET_SET_MAC, &f), ENOTCONN);
	CHECK_ERR(ioctl(fd, _IO(VMNET_IOC, 0x7f)), ENOTTY);

	CHECK_ERR(ioctl(fd, VMNET_ATTACH, NULL), EFAULT);
	how.flags = 2;
	CHECK_ERR(ioctl(fd, VMNET_ATTACH, &how), EINVAL);
	how.flags = 0;
	how.pad = 1;
	CHECK_ERR(ioctl(fd, VMNET_ATTACH, &how), EINVAL);
	how.pad = 0;
	how.queue = VMNET_QUEUE_MAX + 1;
	CHECK_ERR(ioctl(fd, VMNET_ATTACH, &how), EINVAL);
	how.queue = 0;
	memset(how.network, 'n', sizeof(how.network));
	CHECK_ERR(ioctl(fd, VMNET_ATTACH, &how), EINVAL);
	memset(how.network, 0, sizeof(how.network));
	CHECK_ERR(ioctl(fd, VMNET_ATTACH, &how), ENOENT);
	how.network[0] = 'n';
	memcpy(how.mac, broadcast, 6);
	CHECK_ERR(ioctl(fd, VMNET_ATTACH, &how), EADDRNOTAVAIL);
	memset(how.mac, 0, 6);
	CHECK_EQ(ioctl(fd, VMNET_ATTACH, &how), 0);
	/* It got an address, and that is nobody else's. */
	CHECK((how.mac[0] & 3) == 2);
	CHECK_EQ(how.port, 1);
	CHECK_ERR(ioctl(fd, VMNET_ATTACH, &how), EISCONN);
	CHECK_ERR(port_try("n", how.mac, 0, 0), EADDRINUSE);
}

static void bad_writes(void)
{
	static uint8_t big[65536 + 1];
	struct frame f;
	uint8_t *pages;
	int a, b;

	sh("vmctl net create n");
	a = port_open("n", 1);
	b = port_open("n", 2);
	frame_make(&f, mac_of(2), mac_of(1), 1518, 0);
	CHECK_ERR(write(a, &f, 0), EINVAL);
	CHECK_ERR(write(a, &f, 13), EINVAL);
	CHECK_EQ(write(a, &f, 14), 14);
	CHECK_ERR(write(a, &f, 1519), EMSGSIZE);
	CHECK_ERR(write(a, big, 65535), EMSGSIZE);
	CHECK_ERR(write(a, big, 65536), EMSGSIZE);
	CHECK_ERR(write(a, big, sizeof(big)), EMSGSIZE);
	CHECK_ERR(write(a, nowhere, 60), EFAULT);
	/* A frame that ends in a page that is not there. */
	pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(pages + 4096, 4096);
	memcpy(pages + 4096 - 100, &f, 100);
	CHECK_ERR(write(a, pages + 4096 - 100, 101), EFAULT);
	CHECK_EQ(write(a, pages + 4096 - 100, 100), 100);
	/* A source that no card has. */
	memcpy(f.src, broadcast, 6);
	CHECK_ERR(write(a, &f, 60), EADDRNOTAVAIL);
	memset(f.src, 0, 6);
	CHECK_ERR(write(a, &f, 60), EADDRNOTAVAIL);

	frame_expect(b, mac_of(2), mac_of(1), 14, 0);
	CHECK_EQ(frame_read(b, big, sizeof(big), 500), 100);
	frame_none(b);
	CHECK_EQ(port_counter(a, VMNET_TX_SHORT), 2);
	CHECK_EQ(port_counter(a, VMNET_TX_LONG), 4);
	CHECK_EQ(port_counter(a, VMNET_TX_SOURCE), 2);
	CHECK_EQ(port_counter(a, VMNET_TX_FRAMES), 2);
}

static void vectors_and_short_reads(void)
{
	struct frame f, g;
	struct iovec out[3] = { { &f, 6 }, { &f.src, 8 }, { f.data, 1000 } };
	struct iovec in[2] = { { &g, 14 }, { g.data, sizeof(g.data) } };
	int a, b;

	sh("vmctl net create n");
	a = port_open("n", 1);
	b = port_open("n", 2);
	frame_make(&f, mac_of(2), mac_of(1), 1014, 5);
	CHECK_EQ(writev(a, out, 3), 1014);
	CHECK_EQ(readv(b, in, 2), 1014);
	CHECK(!memcmp(&f, &g, 1014));
	CHECK_ERR(readv(b, in, 2), EAGAIN);
	/* The rest of a frame is lost, and counted; so is a frame nobody can take. */
	CHECK_EQ(write(a, &f, 1014), 1014);
	CHECK_EQ(write(a, &f, 60), 60);
	CHECK_EQ(read(b, &g, 100), 100);
	CHECK_EQ(read(b, &g, sizeof(g)), 60);
	CHECK_EQ(write(a, &f, 60), 60);
	CHECK_ERR(read(b, nowhere, 100), EFAULT);
	CHECK_ERR(read(b, &g, 100), EAGAIN);
	CHECK_EQ(port_counter(b, VMNET_RX_TRUNCATED), 1);
	CHECK_EQ(port_counter(b, VMNET_RX_FAULT), 1);
	CHECK_EQ(port_counter(b, VMNET_RX_FRAMES), 4);
	CHECK_EQ(port_counter(b, VMNET_RX_BYTES), 1014 * 2 + 60 * 2);
}

static void queue_limit(void)
{
	int a, b, c;

	sh("vmctl net create n");
	a = port_open("n", 1);
	b = port_open("n", 2);
	c = port_try("n", mac_of(3), 0, 10);
	CHECK(c >= 0);
	for (int i = 0; i < 300; i++) {
		frame_send(a, mac_of(2), mac_of(1), 60, i);
		frame_send(a, mac_of(3), mac_of(1), 60, i);
	}
	CHECK_EQ(port_status(b).waiting, 256);
	CHECK_EQ(port_counter(b, VMNET_RX_QUEUE_FULL), 44);
	CHECK_EQ(port_status(c).waiting, 10);
	CHECK_EQ(port_counter(c, VMNET_RX_QUEUE_FULL), 290);
	/* The oldest frames are kept, in order. */
	for (int i = 0; i < 256; i++)
		frame_expect(b, mac_of(2), mac_of(1), 60, i);
	frame_none(b);
	sh("vmctl net policy n --port %u --queue 3", port_id(b));
	for (int i = 0; i < 5; i++)
		frame_send(a, mac_of(2), mac_of(1), 60, i);
	CHECK_EQ(port_status(b).waiting, 3);
}

static struct vmnet_irq_page *map_page(int fd)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	CHECK(page != MAP_FAILED);
	return page;
}

static void irq_page(void)
{
	struct vmnet_attach how = { .network = "n" };
	struct vmnet_share share = { .bit = 5 };
	struct vmnet_irq_page *page;
	int a, b, c;

	sh("vmctl net create n");
	a = port_open("n", 1);
	b = port_open("n", 2);
	CHECK(mmap(NULL, 8192, PROT_READ, MAP_SHARED, b, 0) == MAP_FAILED);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, b, 4096) == MAP_FAILED);
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, b, 0) == MAP_FAILED);
	page = map_page(b);
	CHECK_EQ(page->version, VMNET_API_VERSION);

	/* A second port with bit 5 of the same page. */
	c = open(VMNET_DEVICE, O_RDWR | O_NONBLOCK);
	share.fd = 0x7fff;
	CHECK_ERR(ioctl(c, VMNET_SHARE_IRQ_PAGE, &share), EBADF);
	share.fd = 0;
	CHECK_ERR(ioctl(c, VMNET_SHARE_IRQ_PAGE, &share), EBADF);
	share.fd = b;
	share.bit = 64;
	CHECK_ERR(ioctl(c, VMNET_SHARE_IRQ_PAGE, &share), EINVAL);
	share.bit = 5;
	CHECK_EQ(ioctl(c, VMNET_SHARE_IRQ_PAGE, &share), 0);
	memcpy(how.mac, mac_of(3), 6);
	CHECK_EQ(ioctl(c, VMNET_ATTACH, &how), 0);
	CHECK_ERR(ioctl(c, VMNET_SHARE_IRQ_PAGE, &share), EISCONN);

	CHECK_EQ(page->rx, 0);
	frame_send(a, broadcast, mac_of(1), 60, 1);
	CHECK_EQ(page->rx, 1 | 1 << 5);
	__atomic_exchange_n(&page->rx, 0, __ATOMIC_SEQ_CST);
	frame_expect(c, broadcast, mac_of(1), 60, 1);
	frame_send(a, mac_of(3), mac_of(1), 60, 1);
	CHECK_EQ(page->rx, 1 << 5);
	sh("vmctl net link n %u down", port_id(b));
	CHECK_EQ(page->link, 1);

	/* The page outlives the file; its owner may write anything into it. */
	memset(page, 0xff, 4096);
	frame_send(a, mac_of(3), mac_of(1), 60, 1);
	close(b);
	close(c);
	page->rx = 0;
	CHECK_EQ(page->link, -1ll);
}

static volatile int woken;

static void *sleeper(void *arg)
{
	struct frame f;
	int *fd = arg;

	CHECK_EQ(read(*fd, &f, sizeof(f)), 60);
	woken = 1;
	return NULL;
}

/* A blocked reader is woken, but not while it says that it is looking. */
static void wakeups(void)
{
	struct vmnet_irq_page *page;
	pthread_t thread;
	int a, b;

	sh("vmctl net create n");
	a = port_open("n", 1);
	b = port_open("n", 2);
	page = map_page(b);
	fcntl(b, F_SETFL, 0);
	page->looking = 1;
	CHECK_EQ(pthread_create(&thread, NULL, sleeper, &b), 0);
	usleep(100000);
	frame_send(a, mac_of(2), mac_of(1), 60, 1);
	usleep(200000);
	CHECK_EQ(woken, 0);
	CHECK_EQ(page->rx, 1);
	__atomic_store_n(&page->looking, 0, __ATOMIC_SEQ_CST);
	frame_send(a, mac_of(2), mac_of(1), 60, 2);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(woken, 1);
}

static void delete_network(void)
{
	struct vmnet_mac mac = { { 2, 2, 2, 2, 2, 2 } };
	struct frame f;
	int a, b;

	sh("vmctl net create n");
	a = port_open("n", 1);
	b = port_open("n", 2);
	frame_send(a, mac_of(2), mac_of(1), 60, 1);
	CHECK(sh_prints("guests are attached; stop them, or use --force", "vmctl net delete n"));
	sh("vmctl net delete n --force");
	CHECK(wait_events(a, POLLPRI, 500) & POLLHUP);
	CHECK_EQ(port_status(a).gone, 1);
	frame_make(&f, mac_of(2), mac_of(1), 60, 1);
	CHECK_ERR(write(a, &f, 60), ENODEV);
	CHECK_ERR(read(a, &f, 60), ENODEV);
	CHECK_ERR(ioctl(a, VMNET_SET_MAC, &mac), ENODEV);
	/* What had come before is still there to read. */
	CHECK_EQ(read(b, &f, sizeof(f)), 60);
	CHECK_ERR(read(b, &f, sizeof(f)), ENODEV);
	/* A new network of this name is another one. */
	sh("vmctl net create n");
	CHECK_EQ(port_status(a).gone, 1);
	sh("vmctl net delete n");
}

/* A namespace ends while a file that was attached in it is still open. */
static void namespace_end(void)
{
	int old = open("/proc/self/ns/net", O_RDONLY), a, ho;

	CHECK_EQ(unshare(CLONE_NEWNET), 0);
	sh("vmctl net create n");
	sh("vmctl net create m --type hostonly >/dev/null");
	a = port_open("n", 1);
	ho = port_open("m", 1);
	CHECK_EQ(setns(old, CLONE_NEWNET), 0);
	/* Networks are the namespace's own. */
	CHECK_ERR(port_try("n", mac_of(2), 0, 0), ENOENT);
	CHECK(wait_events(a, POLLPRI, 20000) & POLLHUP);
	CHECK(wait_events(ho, POLLPRI, 20000) & POLLHUP);
	CHECK_EQ(port_status(a).gone, 1);
}

static void module_in_use(void)
{
	int a;

	sh("vmctl net create n");
	CHECK(sh_prints("in use", "rmmod vmnet"));
	a = port_open("n", 1);
	sh("vmctl net delete n --force");
	CHECK(sh_prints("in use", "rmmod vmnet"));
	CHECK_EQ(port_status(a).gone, 1);
}

static void in_user(void (*fn)(int fd), int fd)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		CHECK_EQ(setgid(65534), 0);
		CHECK_EQ(setuid(65534), 0);
		fn(fd);
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
}

static void as_nobody(int fd)
{
	struct vmnet_attach how = { .network = "n", .flags = VMNET_ATTACH_MONITOR };

	CHECK_ERR(open(VMNET_DEVICE, O_RDWR), EACCES);
	CHECK(sh_prints("CAP_NET_ADMIN; run this as root", "vmctl net create m"));
	CHECK(sh_prints("CAP_NET_ADMIN; run this as root", "vmctl net delete n"));
	CHECK(sh_prints("CAP_NET_ADMIN; run this as root", "vmctl net policy n --hub"));
	CHECK(sh_prints("CAP_NET_ADMIN; run this as root", "vmctl net bridge n lo"));
	CHECK(sh_prints("CAP_NET_ADMIN; run this as root", "vmctl net link n 1 up"));
	CHECK_EQ(sh_status("vmctl net show n >/dev/null"), 0);
	/* Who was given the open device may attach, but not listen to others. */
	CHECK_ERR(ioctl(fd, VMNET_ATTACH, &how), EPERM);
	how.flags = 0;
	CHECK_EQ(ioctl(fd, VMNET_ATTACH, &how), 0);
}

static void unprivileged(void)
{
	sh("vmctl net create n");
	in_user(as_nobody, open(VMNET_DEVICE, O_RDWR));
	CHECK(sh_prints("n ", "vmctl net list"));
}

static void bad_requests(void)
{
	CHECK(sh_prints("letters, digits", "vmctl net create 'a b'"));
	CHECK(sh_prints("letters, digits", "vmctl net create ''"));
	CHECK(sh_prints("letters, digits", "vmctl net create -- -x"));
	CHECK(sh_prints("longer than 31", "vmctl net create 01234567890123456789012345678901"));
	CHECK(sh_prints("no such interface", "vmctl net create n --nic nosuch"));
	CHECK(sh_prints("not an IPv4 address", "vmctl net create n --address 10.0.0.1"));
	sh("vmctl net create n");
	CHECK(sh_prints("choose another name", "vmctl net create n"));
	CHECK(sh_prints("no such network", "vmctl net show m"));
	CHECK(sh_prints("no such network", "vmctl net delete m"));
	CHECK(sh_prints("no such guest's port", "vmctl net link n 7 down"));
	CHECK(sh_prints("see 'vmctl help net'", "vmctl net policy n --queue 0"));
	CHECK(sh_prints("see 'vmctl help net'", "vmctl net policy n --promiscuous perhaps"));
	CHECK(sh_prints("see 'vmctl help net'", "vmctl net nonsense"));
	/* A name that fails leaves nothing behind. */
	CHECK(!sh_prints("m ", "vmctl net list"));
}

static void events(void)
{
	int a;

	sh("vmctl net monitor > /tmp/vmnet-events & echo $! > /tmp/vmnet-pid; sleep 0.5");
	sh("vmctl net create n --hub");
	a = port_open("n", 1);
	sh("vmctl net link n %u down", port_id(a));
	close(a);
	sh("vmctl net delete n; sleep 0.3; kill $(cat /tmp/vmnet-pid)");
	CHECK(sh_prints("network-new    n private hub mtu 1500 link up", "cat /tmp/vmnet-events"));
	CHECK(sh_prints("port-new       n port 1 guest 02:00:00:00:00:01 link up",
			"cat /tmp/vmnet-events"));
	CHECK(sh_prints("port-change    n port 1 guest 02:00:00:00:00:01 link down",
			"cat /tmp/vmnet-events"));
	CHECK(sh_prints("port-delete    n port 1", "cat /tmp/vmnet-events"));
	CHECK(sh_prints("network-delete n", "cat /tmp/vmnet-events"));
	unlink("/tmp/vmnet-events");
	unlink("/tmp/vmnet-pid");
}

/* The directions of a capture's packets, as pcapng has them: 1 is in, 2 is out. */
static void capture_directions(const char *path, char *text, size_t size)
{
	static uint32_t words[4096];
	FILE *file = fopen(path, "re");
	size_t n, used = 0;

	CHECK(file);
	n = fread(words, sizeof(*words), ARRAY_SIZE(words), file);
	fclose(file);
	for (size_t at = 0; at + 2 < n && words[at + 1] >= 12; at += words[at + 1] / 4) {
		size_t option = at + 7 + (words[at + 5] + 3) / 4;

		/* An enhanced packet block, with epb_flags as its first option. */
		if (words[at] == 6 && used + 2 < size && words[option] == (2 | 4 << 16))
			used += snprintf(text + used, size - used, "%u", words[option + 1] & 3);
	}
}

/* What comes from the host comes in; from guests it goes out. */
static void directions(void)
{
	char text[16] = "";
	int a, host;

	sh("vmctl net create n --address 10.1.1.1/24 --interface ho0 >/dev/null");
	a = port_open("n", 1);
	host = packet_socket("ho0", false);
	sh("vmctl net capture n --pcap /tmp/vmnet.pcapng --count 3 --seconds 20 2>/dev/null &"
	   " echo $! > /tmp/vmnet-pid; sleep 0.5");
	frame_send(a, broadcast, mac_of(1), 60, 1);
	frame_send(host, mac_of(1), mac_of(7), 60, 2);
	frame_send(a, mac_of(7), mac_of(1), 60, 3);
	sh("while kill -0 $(cat /tmp/vmnet-pid) 2>/dev/null; do sleep 0.1; done");
	capture_directions("/tmp/vmnet.pcapng", text, sizeof(text));
	printf("# %s\n", text);
	CHECK(!strcmp(text, "212"));
	unlink("/tmp/vmnet.pcapng");
	unlink("/tmp/vmnet-pid");
}

static void many_networks(void)
{
	sh("i=0; while [ $i -lt %d ]; do vmctl net create n$i || exit; i=$((i + 1)); done",
	   VMNET_NETWORKS_MAX);
	CHECK(sh_prints("delete one first", "vmctl net create more"));
	CHECK(!sh_status("test $(vmctl net list | grep -c private) = %d", VMNET_NETWORKS_MAX));
	sh("vmctl net delete n7; vmctl net create more");
}

static void capture(void)
{
	struct { struct vmnet_capture head; struct frame f; } got;
	struct frame f;
	int a, b, m;

	sh("vmctl net create n");
	a = port_open("n", 1);
	b = port_open("n", 2);
	sh("vmctl net capture n --pcap /tmp/vmnet.pcapng --count 3 --seconds 20 2>/dev/null &"
	   " sleep 0.5");
	m = port_try("n", NULL, VMNET_ATTACH_MONITOR, 0);
	CHECK(m >= 0);
	frame_send(a, mac_of(2), mac_of(1), 60, 1);
	frame_send(b, mac_of(1), mac_of(2), 1000, 2);
	/* VLAN 5 as it is on the wire. */
	frame_make(&f, broadcast, mac_of(1), 60, 0);
	memcpy(f.type, "\x81\x00", 2);
	memcpy(f.data, "\x00\x05\x88\xb5", 4);
	CHECK_EQ(write(a, &f, 60), 60);
	sh("sleep 0.5");
	CHECK_EQ(frame_read(m, &got, sizeof(got), 500), sizeof(got.head) + 60);
	CHECK_EQ(got.head.len, 60);
	CHECK_EQ(got.head.port, port_id(a));
	CHECK_EQ(got.head.kind, VMNET_PORT_GUEST);
	CHECK(!memcmp(got.f.src, mac_of(1), 6));
	CHECK_ERR(write(m, &f, 60), EOPNOTSUPP);
	if (sh_status("which tcpdump >/dev/null"))
		test_skip("tcpdump is not installed");
	sh("tcpdump -e -n -r /tmp/vmnet.pcapng > /tmp/vmnet.txt 2>/dev/null");
	CHECK(sh_prints("02:00:00:00:00:01 > 02:00:00:00:00:02", "cat /tmp/vmnet.txt"));
	CHECK(sh_prints("length 1000", "cat /tmp/vmnet.txt"));
	CHECK(sh_prints("vlan 5", "cat /tmp/vmnet.txt"));
	unlink("/tmp/vmnet.pcapng");
	unlink("/tmp/vmnet.txt");
}

const struct test user_tests[] = {
	{ "bad_attach", bad_attach },
	{ "bad_writes", bad_writes },
	{ "vectors_and_short_reads", vectors_and_short_reads },
	{ "queue_limit", queue_limit },
	{ "irq_page", irq_page },
	{ "wakeups", wakeups },
	{ "delete_network", delete_network },
	{ "namespace_end", namespace_end },
	{ "module_in_use", module_in_use },
	{ "unprivileged", unprivileged },
	{ "bad_requests", bad_requests },
	{ "events", events },
	{ "capture", capture },
	{ "capture_directions", directions },
	{ "many_networks", many_networks },
	{ }
};
