// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every allocation of vmnet fails once: what was asked for fails or loses
 * a frame that is counted, and works when it is asked for again. failslab.ko
 * decides which one fails; it runs on kernels that let it.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include "test.h"

#define MODULE		"build/selftests/vmnet/failslab/failslab.ko"
#define PARAMETERS	"/sys/module/failslab/parameters/"

/* A step has at most this many allocations. */
#define STEPS_MAX	500

static void load_failslab(const char *comm)
{
	unsigned long size = 0, begin = 0;
	char line[256];
	FILE *f;

	if (sh_status("test -d /sys/module/failslab || insmod " MODULE " 2>/dev/null"))
		test_skip("failslab.ko does not work with this kernel");
	f = fopen("/proc/modules", "re");
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, "vmnet ", 6))
			sscanf(line, "%*s %lu %*s %*s %*s %lx", &size, &begin);
	fclose(f);
	CHECK(begin && size);
	sh("cd " PARAMETERS "; echo -1 > after; printf %%s %s > comm; echo %lu > begin; echo %lu > size",
	   comm, begin, size);
}

static void set_after(int after)
{
	char text[16];
	int fd = open(PARAMETERS "after", O_WRONLY | O_CLOEXEC), len;

	len = snprintf(text, sizeof(text), "%d", after);
	CHECK_EQ(write(fd, text, len), len);
	close(fd);
}

static int get_after(void)
{
	char text[16] = "";
	int fd = open(PARAMETERS "after", O_RDONLY | O_CLOEXEC);

	CHECK(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	return atoi(text);
}

/* Runs @step until none of its allocations fails any more; it must succeed then. */
static void each_failure(int (*step)(void), const char *name)
{
	int status, n;

	for (n = 0; n < STEPS_MAX; n++) {
		set_after(n);
		status = step();
		if (get_after() >= 0)
			break;
		set_after(-1);
	}
	set_after(-1);
	printf("# %s: %d allocations\n", name, n);
	fflush(stdout);
	CHECK(n > 0 && n < STEPS_MAX);
	CHECK_EQ(status, 0);
}

static const char *options;	/* of the network that make_network() makes */

static int make_network(void)
{
	int status = sh_status("vmctl net create n %s >/dev/null 2>&1", options);

	/* A failure in the middle of it leaves nothing; one in deleting is for later. */
	if (status)
		CHECK(sh_status("vmctl net show n >/dev/null 2>&1"));
	else if (sh_status("vmctl net delete n 2>/dev/null"))
		sh("vmctl net delete n");
	return status;
}

static void networks(void)
{
	static const char *const kinds[] = { "--hub", "--type hostonly", "--nic v0" };

	sh("ip link add v0 type veth peer name w0; ip link set v0 up; ip link set w0 up");
	load_failslab("vmctl");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		options = kinds[i];
		each_failure(make_network, options);
	}
	CHECK(sh_prints("promiscuity 0", "ip -d link show v0"));
	CHECK(sh_status("ip link show type vmnet | grep -q .") != 0);
}

static int open_port(void)
{
	struct vmnet_attach how = { .network = "n" };
	int fd = open(VMNET_DEVICE, O_RDWR | O_NONBLOCK), status;

	if (fd < 0)
		return errno == ENOMEM ? 1 : -1;
	status = ioctl(fd, VMNET_ATTACH, &how);
	if (status)
		CHECK_EQ(errno, ENOMEM);
	close(fd);
	return status;
}

static int port_a, port_b, wire;

/* A broadcast to a guest, the wire and the host; what comes is whole. */
static int send_frame(void)
{
	struct frame f, got;
	ssize_t n;
	size_t len;

	frame_make(&f, broadcast, mac_of(1), 600, 3);
	n = write(port_a, &f, 600);
	if (n < 0)
		CHECK_EQ(errno, ENOMEM);
	len = frame_read(port_b, &got, sizeof(got), 20);
	if (len)
		CHECK(len == 600 && !memcmp(&got, &f, 600));
	len = frame_read(wire, &got, sizeof(got), 20);
	if (len)
		CHECK(len == 600 && !memcmp(&got, &f, 600));
	return n != 600;
}

static void ports_and_frames(void)
{
	uint64_t sent, lost;

	sh("ip link add v0 type veth peer name w0; ip link set v0 up; ip link set w0 up");
	sh("vmctl net create n --nic v0");
	CHECK_EQ(prctl(PR_SET_NAME, "alloctest"), 0);
	load_failslab("alloctest");
	each_failure(open_port, "open, attach");
	CHECK(sh_prints(" 0 v0", "vmctl net list"));

	port_a = port_open("n", 1);
	port_b = port_open("n", 2);
	wire = packet_socket("w0", false);
	each_failure(send_frame, "send");
	/* What the other guest did not get is in a counter. */
	sent = port_counter(port_a, VMNET_TX_FRAMES);
	lost = port_counter(port_b, VMNET_RX_NOMEM);
	CHECK_EQ(port_counter(port_b, VMNET_RX_FRAMES) + lost, sent);
	close(port_a);
	close(port_b);
	sh("vmctl net delete n");
}

const struct test alloc_tests[] = {
	{ "alloc_networks", networks, 600 },
	{ "alloc_ports_and_frames", ports_and_frames, 120 },
	{ }
};
