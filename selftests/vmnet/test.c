// SPDX-License-Identifier: GPL-2.0-only
/* The vmnet selftests: running them, and what they have in common. */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "test.h"

#define STATUS_SKIPPED	4
#define SECONDS_USUAL	300	/* nobody waits that long, but on a machine that is busy */

const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	printf("# %s:%d: ", file, line);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	_exit(1);
}

void test_skip(const char *why)
{
	printf("# %s\n", why);
	fflush(stdout);
	_exit(STATUS_SKIPPED);
}

static int sh_va(const char *fmt, va_list args)
{
	char command[1024];

	vsnprintf(command, sizeof(command), fmt, args);
	return system(command);
}

int sh_status(const char *fmt, ...)
{
	va_list args;
	int status;

	va_start(args, fmt);
	status = sh_va(fmt, args);
	va_end(args);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void sh(const char *fmt, ...)
{
	va_list args;
	int status;

	va_start(args, fmt);
	status = sh_va(fmt, args);
	va_end(args);
	if (status)
		test_fail("sh", 0, "'%s' ended with %#x", fmt, status);
}

bool sh_prints(const char *text, const char *command)
{
	char line[1024], output[8192] = "";
	size_t used = 0;
	bool found = false;
	FILE *pipe;

	snprintf(line, sizeof(line), "%s 2>&1", command);
	pipe = popen(line, "r");
	CHECK(pipe);
	while (fgets(line, sizeof(line), pipe)) {
		found |= !!strstr(line, text);
		if (used < sizeof(output))
			used += snprintf(output + used, sizeof(output) - used, "# %s", line);
	}
	pclose(pipe);
	if (!found)
		fputs(output, stdout);
	return found;
}

/* ---- ports --------------------------------------------------------------------- */

const uint8_t *mac_of(uint8_t n)
{
	static uint8_t mac[256][6];

	mac[n][0] = 2;
	mac[n][5] = n;
	return mac[n];
}

static uint32_t ids[1024];	/* by file descriptor */

int port_try(const char *network, const uint8_t *mac, uint32_t flags, uint32_t queue)
{
	struct vmnet_attach how = { .flags = flags, .queue = queue };
	int fd = open(VMNET_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC), err;

	CHECK(fd >= 0);
	snprintf(how.network, sizeof(how.network), "%s", network);
	if (mac)
		memcpy(how.mac, mac, 6);
	if (!ioctl(fd, VMNET_ATTACH, &how)) {
		CHECK(fd < (int)ARRAY_SIZE(ids));
		ids[fd] = how.port;
		return fd;
	}
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

int port_open(const char *network, uint8_t n)
{
	int fd = port_try(network, mac_of(n), 0, 0);

	CHECK(fd >= 0);
	return fd;
}

uint32_t port_id(int fd)
{
	return ids[fd];
}

struct vmnet_status port_status(int fd)
{
	struct vmnet_status status;

	CHECK_EQ(ioctl(fd, VMNET_GET_STATUS, &status), 0);
	return status;
}

uint64_t port_counter(int fd, enum vmnet_counter counter)
{
	return port_status(fd).counters[counter];
}

/* ---- frames -------------------------------------------------------------------- */

size_t frame_make(struct frame *f, const uint8_t *dst, const uint8_t *src, size_t len,
		  uint8_t seed)
{
	memcpy(f->dst, dst, 6);
	memcpy(f->src, src, 6);
	f->type[0] = FRAME_TYPE >> 8;
	f->type[1] = FRAME_TYPE & 0xff;
	for (size_t i = 14; i < len; i++)
		f->data[i - 14] = seed + i * 7;
	return len;
}

void frame_send(int fd, const uint8_t *dst, const uint8_t *src, size_t len, uint8_t seed)
{
	struct frame f;

	frame_make(&f, dst, src, len, seed);
	CHECK_EQ(write(fd, &f, len), len);
}

short wait_events(int fd, short events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, ms) > 0 ? p.revents : 0;
}

size_t frame_read(int fd, void *buf, size_t size, int ms)
{
	ssize_t len;

	if (!(wait_events(fd, POLLIN, ms) & POLLIN))
		return 0;
	len = read(fd, buf, size);
	return len > 0 ? len : 0;
}

void frame_expect_at(const char *file, int line, int fd, const uint8_t *dst, const uint8_t *src,
		     size_t len, uint8_t seed)
{
	struct frame want, got;
	size_t n = frame_read(fd, &got, sizeof(got), 500);

	frame_make(&want, dst, src, len, seed);
	if (n != len)
		test_fail(file, line, "got %zu bytes, not %zu", n, len);
	for (size_t i = 0; i < len; i++)
		if (((uint8_t *)&got)[i] != ((uint8_t *)&want)[i])
			test_fail(file, line, "byte %zu is %#x, not %#x", i, ((uint8_t *)&got)[i],
				  ((uint8_t *)&want)[i]);
}

void frame_none_at(const char *file, int line, int fd)
{
	struct frame got;
	size_t n = frame_read(fd, &got, sizeof(got), 50);

	if (n)
		test_fail(file, line, "got %zu bytes of type %02x%02x from %02x to %02x", n,
			  got.type[0], got.type[1], got.src[5], got.dst[5]);
}

int packet_socket(const char *ifname, bool vnet_hdr)
{
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex(ifname),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int one = 1, room = 4 << 20;

	CHECK(fd >= 0);
	CHECK(addr.sll_ifindex);
	CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)), 0);
	CHECK_EQ(setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)), 0);
	if (vnet_hdr)
		CHECK_EQ(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)), 0);
	CHECK_EQ(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

uint32_t sum16(const void *data, size_t len, uint32_t sum)
{
	const uint8_t *p = data;

	for (; len > 1; len -= 2, p += 2)
		sum += p[0] << 8 | p[1];
	if (len)
		sum += p[0] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* ---- the Internet protocols ----------------------------------------------------- */

size_t make_udp(struct frame *f, const uint8_t *dst, const uint8_t *src, const char *from,
		       const char *to, const char *text)
{
	size_t len = strlen(text), total = 28 + len;
	uint8_t *ip = f->data;
	uint32_t sum;

	frame_make(f, dst, src, 14, 0);
	f->type[0] = 8;
	f->type[1] = 0;
	memset(ip, 0, 28);
	ip[0] = 0x45;
	ip[2] = total >> 8;
	ip[3] = total;
	ip[8] = 64;
	ip[9] = IPPROTO_UDP;
	inet_pton(AF_INET, from, ip + 12);
	inet_pton(AF_INET, to, ip + 16);
	sum = ~sum16(ip, 20, 0);
	ip[10] = sum >> 8;
	ip[11] = sum;
	ip[20] = 7;
	ip[21] = 0x77;
	ip[23] = 77;
	ip[24] = (8 + len) >> 8;
	ip[25] = 8 + len;
	memcpy(ip + 28, text, len);
	return 14 + total;
}

int udp_socket(const char *ip)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(77) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	inet_pton(AF_INET, ip, &addr.sin_addr);
	CHECK_EQ(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

void interface_mac(const char *ifname, uint8_t mac[6])
{
	struct ifreq ifr = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	CHECK_EQ(ioctl(fd, SIOCGIFHWADDR, &ifr), 0);
	memcpy(mac, ifr.ifr_hwaddr.sa_data, 6);
	close(fd);
}

/* ---- running ------------------------------------------------------------------- */

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		printf("# %s: %s\n", path, strerror(errno));
	close(fd);
}

static void in_child(const struct test *test)
{
	CHECK_EQ(unshare(CLONE_NEWNET), 0);
	write_file("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
	write_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
	alarm(test->seconds ? test->seconds : SECONDS_USUAL);
	test->run();
	fflush(stdout);
	_exit(0);
}

static bool run(const struct test *test, int n)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		in_child(test);
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		printf("Bail out! cannot run %s\n", test->name);
		exit(1);
	}
	if (WIFSIGNALED(status))
		printf("# ended by signal %d\n", WTERMSIG(status));
	if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_SKIPPED) {
		printf("ok %d - %s # SKIP\n", n, test->name);
		return true;
	}
	printf("%sok %d - %s\n", status ? "not " : "", n, test->name);
	return !status;
}

static bool chosen(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strstr(name, argv[i]))
			return true;
	return argc == 1;
}

/* Arguments are parts of the names of the tests that are to run. */
int main(int argc, char **argv)
{
	static const struct test *const all[] = {
		hub_tests, user_tests, bridge_tests, nic_tests, load_tests, alloc_tests,
	};
	int n = 0, failed = 0;

	printf("TAP version 13\n");
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		for (const struct test *t = all[i]; t->name; t++)
			if (chosen(t->name, argc, argv))
				failed += !run(t, ++n);
	printf("1..%d\n", n);
	return failed ? 1 : 0;
}
