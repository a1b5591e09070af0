// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl net capture: what passes on a network, as a pcapng file for tcpdump
 * and Wireshark. Every port is an interface of the capture, and a frame is
 * "outbound" when a guest sent it, "inbound" when it came from host or wire.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>

#include "net.h"
#include "vmctl.h"

/* Blocks and options of pcapng ("PCAP Next Generation Capture File Format"). */
#define BLOCK_SECTION		0x0a0d0d0a
#define BLOCK_INTERFACE		1
#define BLOCK_PACKET		6
#define BYTE_ORDER_MAGIC	0x1a2b3c4d
#define LINKTYPE_ETHERNET	1
#define OPTION_END		0
#define OPTION_IF_NAME		2
#define OPTION_IF_TSRESOL	9
#define OPTION_EPB_FLAGS	2
#define EPB_INBOUND		1
#define EPB_OUTBOUND		2
#define TSRESOL_NANOSECONDS	9

/* Ports that were seen; more than that share the last interface. */
#define INTERFACES_MAX	256

struct capture {
	FILE *out;
	uint32_t ports[INTERFACES_MAX];
	unsigned int interfaces;
	uint8_t frame[sizeof(struct vmnet_capture) + VMNET_FRAME_MAX];
};

static volatile sig_atomic_t stopped;

static void stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static void put32(FILE *out, uint32_t value)
{
	fwrite(&value, sizeof(value), 1, out);
}

static void put_padded(FILE *out, const void *data, size_t len)
{
	static const char zero[4];

	if (len)
		fwrite(data, 1, len, out);
	fwrite(zero, 1, -len & 3, out);
}

static void put_option(FILE *out, uint16_t code, const void *data, uint16_t len)
{
	put32(out, code | (uint32_t)len << 16);
	put_padded(out, data, len);
}

static size_t padded(size_t len)
{
	return (len + 3) & ~(size_t)3;
}

static void put_section(FILE *out)
{
	put32(out, BLOCK_SECTION);
	put32(out, 28);
	put32(out, BYTE_ORDER_MAGIC);
	put32(out, 1);			/* version 1.0 */
	put32(out, UINT32_MAX);		/* of unknown length */
	put32(out, UINT32_MAX);
	put32(out, 28);
}

static void put_interface(FILE *out, uint32_t kind, uint32_t port)
{
	static const char *const kinds[] = { "guest", "host", "uplink" };
	const uint8_t resolution = TSRESOL_NANOSECONDS;
	char name[32];
	uint32_t len, name_len;

	name_len = snprintf(name, sizeof(name), "%s-%u", kind < VMCTL_ARRAY_SIZE(kinds) ?
			    kinds[kind] : "port", port);
	len = 20 + 4 + padded(name_len) + 8 + 4;
	put32(out, BLOCK_INTERFACE);
	put32(out, len);
	put32(out, LINKTYPE_ETHERNET);
	put32(out, VMNET_FRAME_MAX);
	put_option(out, OPTION_IF_NAME, name, name_len);
	put_option(out, OPTION_IF_TSRESOL, &resolution, 1);
	put_option(out, OPTION_END, NULL, 0);
	put32(out, len);
}

/* The capture's number for a port; a port that is new is introduced first. */
static uint32_t interface_of(struct capture *c, const struct vmnet_capture *head)
{
	unsigned int i;

	for (i = 0; i < c->interfaces; i++)
		if (c->ports[i] == head->port)
			return i;
	if (i == INTERFACES_MAX)
		return i - 1;
	put_interface(c->out, head->kind, head->port);
	c->ports[c->interfaces++] = head->port;
	return i;
}

static void put_packet(struct capture *c, const struct vmnet_capture *head, size_t captured)
{
	uint32_t interface = interface_of(c, head);
	uint32_t flags = head->kind == VMNET_PORT_GUEST ? EPB_OUTBOUND : EPB_INBOUND;
	uint32_t len = 32 + padded(captured) + 8 + 4;

	put32(c->out, BLOCK_PACKET);
	put32(c->out, len);
	put32(c->out, interface);
	put32(c->out, head->time_ns >> 32);
	put32(c->out, head->time_ns);
	put32(c->out, captured);
	put32(c->out, head->len);
	put_padded(c->out, head + 1, captured);
	put_option(c->out, OPTION_EPB_FLAGS, &flags, sizeof(flags));
	put_option(c->out, OPTION_END, NULL, 0);
	put32(c->out, len);
}

static int attach(const char *network)
{
	struct vmnet_attach how = {
		.flags = VMNET_ATTACH_MONITOR,
		.queue = VMNET_QUEUE_MAX,
	};
	int fd = open(VMNET_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0) {
		vmctl_fail("net", errno == EACCES ? "join the group vmusers" : NULL, "%s: %s",
			   VMNET_DEVICE, strerror(errno));
		return -1;
	}
	snprintf(how.network, sizeof(how.network), "%s", network);
	if (!ioctl(fd, VMNET_ATTACH, &how))
		return fd;
	if (errno == ENOENT)
		vmctl_fail("net", "'vmctl net list' shows all", "there is no network '%s'", network);
	else if (errno == EPERM)
		vmctl_fail("net", "run this as root", "%s: capture needs CAP_NET_RAW", network);
	else
		vmctl_fail("net", NULL, "%s: %s", network, strerror(errno));
	close(fd);
	return -1;
}

/* Write what is there. Returns frames, or -1 when there is nothing more to come. */
static long drain(struct capture *c, int fd, unsigned long limit)
{
	const struct vmnet_capture *head = (const struct vmnet_capture *)c->frame;
	unsigned long n = 0;
	ssize_t len;

	while (n < limit) {
		len = read(fd, c->frame, sizeof(c->frame));
		if (len < 0)
			return errno == EAGAIN || errno == EINTR ? (long)n : -1;
		if ((size_t)len < sizeof(*head))
			continue;
		put_packet(c, head, len - sizeof(*head));
		n++;
	}
	return n;
}

/* Until a signal, @count frames, @ms milliseconds or the end of the network. */
static int capture(struct capture *c, int fd, unsigned long count, int ms)
{
	int64_t end = ms < 0 ? INT64_MAX : vmctl_now_ms() + ms;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct vmnet_status status;
	unsigned long frames = 0;

	while (!stopped && frames < count && vmctl_now_ms() < end) {
		int64_t left = end - vmctl_now_ms();
		long n;

		/* What is captured is in the file before we sleep. */
		fflush(c->out);
		poll(&p, 1, left > 1000 ? 1000 : (int)left);
		n = drain(c, fd, count - frames);
		if (n < 0)
			break;
		frames += n;
		if (ferror(c->out))
			return vmctl_fail("net", "is the disk full?", "cannot write the capture");
	}
	if (fflush(c->out))
		return vmctl_fail("net", "is the disk full?", "cannot write the capture");
	if (!ioctl(fd, VMNET_GET_STATUS, &status))
		fprintf(stderr, "%lu frames captured, %llu dropped\n", frames,
			(unsigned long long)(status.counters[VMNET_RX_QUEUE_FULL] +
					     status.counters[VMNET_RX_NOMEM]));
	return VMCTL_OK;
}

enum { OPT_PCAP = 1, OPT_COUNT, OPT_SECONDS };

int net_capture(int argc, char **argv)
{
	static const struct option options[] = {
		{ "pcap", required_argument, NULL, OPT_PCAP },
		{ "count", required_argument, NULL, OPT_COUNT },
		{ "seconds", required_argument, NULL, OPT_SECONDS },
		{ }
	};
	const struct sigaction action = { .sa_handler = stop };
	static struct capture c;
	unsigned long count = -1ul;
	const char *path = NULL;
	int opt, fd, status, ms = -1;

	while ((opt = vmctl_getopt(argc, argv, options)) != -1) {
		if (opt == OPT_PCAP)
			path = optarg;
		else if (opt == OPT_COUNT)
			count = strtoul(optarg, NULL, 10);
		else if (opt == OPT_SECONDS)
			ms = vmctl_seconds("net", "--seconds", optarg);
		if (opt == '?' || !count || (opt == OPT_SECONDS && ms < 0))
			return VMCTL_USAGE;
	}
	if (vmctl_operands(argc, argv, 1, 1, "the network's name"))
		return VMCTL_USAGE;
	if (!path)
		return vmctl_usage("net", "--pcap FILE is missing ('-' is the standard output)");
	fd = attach(argv[optind]);
	if (fd < 0)
		return VMCTL_FAILED;
	c.out = strcmp(path, "-") ? fopen(path, "we") : stdout;
	if (!c.out) {
		close(fd);
		return vmctl_fail("net", NULL, "%s: %s", path, strerror(errno));
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	put_section(c.out);
	status = capture(&c, fd, count, ms);
	if (c.out != stdout)
		fclose(c.out);
	close(fd);
	return status;
}
