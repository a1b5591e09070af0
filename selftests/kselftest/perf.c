// SPDX-License-Identifier: GPL-2.0-only
/*
 * perf's samples of a guest: they are the guest's, at its RIP, while the kernel's one
 * slot for guest callbacks is ours. KVM takes it when it is loaded.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "vm.h"

extern guest_sym real_spin, prot_user_spin;

#define PAGE		4096
#define RING_PAGES	64
#define PERIOD_NS	1000000
#define RUN_US		500000

struct samples {
	u32 guest_kernel, guest_user, host, lost;
	u64 ip;			/* of the last one of the guest's */
};

static int open_event(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = PERIOD_NS,
		.sample_type = PERF_SAMPLE_IP,
	};

	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static void count(struct samples *s, const struct perf_event_header *h, u64 ip)
{
	u32 mode = h->misc & PERF_RECORD_MISC_CPUMODE_MASK;

	if (h->type == PERF_RECORD_LOST)
		s->lost++;
	if (h->type != PERF_RECORD_SAMPLE)
		return;
	if (mode == PERF_RECORD_MISC_GUEST_KERNEL)
		s->guest_kernel++;
	else if (mode == PERF_RECORD_MISC_GUEST_USER)
		s->guest_user++;
	else
		s->host++;
	if (mode == PERF_RECORD_MISC_GUEST_KERNEL || mode == PERF_RECORD_MISC_GUEST_USER)
		s->ip = ip;
}

/* Records are of eight bytes and multiples: none of those read here is split. */
static void read_ring(struct samples *s, struct perf_event_mmap_page *ring)
{
	u64 head = ring->data_head, tail = 0;
	u8 *data = (u8 *)ring + PAGE;

	atomic_thread_fence(memory_order_acquire);
	while (tail < head) {
		struct perf_event_header *h = (void *)(data + tail % (RING_PAGES * PAGE));

		count(s, h, *(u64 *)(data + (tail + sizeof(*h)) % (RING_PAGES * PAGE)));
		tail += h->size;
	}
}

/* Half a second of a guest that never ends by itself. */
static void sample(struct __test_metadata *_metadata, enum vm_mode mode, guest_sym entry,
		   struct samples *s)
{
	struct sigaction sa = { .sa_handler = vm_on_signal };
	struct itimerval once = { .it_value.tv_usec = RUN_US };
	struct perf_event_mmap_page *ring;
	struct vm vm;
	int fd;

	memset(s, 0, sizeof(*s));
	sigaction(SIGALRM, &sa, NULL);
	vm_create(&vm, mode, entry);
	fd = open_event();
	ASSERT_LE(0, fd);
	ring = mmap(NULL, (1 + RING_PAGES) * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, ring);
	setitimer(ITIMER_REAL, &once, NULL);
	EXPECT_EQ(VM_END_INTR, vm_run_guest(&vm));
	read_ring(s, ring);
	munmap(ring, (1 + RING_PAGES) * PAGE);
	close(fd);
	vm_destroy(&vm);
	TH_LOG("guest's kernel %u, user %u, host %u, lost %u", s->guest_kernel, s->guest_user,
	       s->host, s->lost);
}

static bool slot_is_ours(void)
{
	char state[64] = "";
	int fd = open("/sys/class/misc/vmdriver/perf_guest", O_RDONLY);

	if (fd >= 0 && read(fd, state, sizeof(state) - 1) < 0)
		state[0] = 0;
	close(fd);
	return !strcmp(state, "on\n");
}

FIXTURE(perf) {
};

/* KVM may have been loaded for the other programs. */
FIXTURE_SETUP(perf)
{
	if (system("for m in kvm_amd kvm_intel kvm; do rmmod $m 2>/dev/null; done"))
		TH_LOG("KVM was not there");
	ASSERT_TRUE(slot_is_ours());
}

FIXTURE_TEARDOWN(perf)
{
}

/* Nearly all of the time is the guest's; what it is in, is its own. */
TEST_F(perf, samples_are_the_guests)
{
	struct samples s;

	sample(_metadata, VM_REAL, real_spin, &s);
	EXPECT_LT(10, s.guest_kernel);
	EXPECT_LT(4 * s.host, s.guest_kernel);
	EXPECT_EQ(0, s.guest_user);
	EXPECT_LE(GPA(real_spin), s.ip);
	EXPECT_GT(GPA(real_spin) + 16, s.ip);
}

TEST_F(perf, of_user_mode_too)
{
	struct samples s;

	sample(_metadata, VM_PROT, prot_user_spin, &s);
	EXPECT_LT(10, s.guest_user);
	EXPECT_LT(4 * s.host, s.guest_user);
}

TEST_F(perf, kvm_takes_the_slot_and_gives_it_back)
{
	struct samples s;

	if (system("modprobe kvm 2>/dev/null"))
		SKIP(return, "no KVM here");
	EXPECT_FALSE(slot_is_ours());
	sample(_metadata, VM_REAL, real_spin, &s);
	EXPECT_EQ(0, s.guest_kernel);
	EXPECT_LT(10, s.host);
	ASSERT_EQ(0, system("rmmod kvm"));
	EXPECT_TRUE(slot_is_ours());
	sample(_metadata, VM_REAL, real_spin, &s);
	EXPECT_LT(10, s.guest_kernel);
}

TEST_HARNESS_MAIN
