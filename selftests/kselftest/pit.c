// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PIT in the VMM: ticks at the right rate, those that a guest had no time
 * for, and that a guest which takes none costs the host nothing.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "kselftest_harness.h"
#include "vm.h"

extern guest_sym pit_halt, pit_owed, pit_masked, pit_storm, pit_oneshot, irq_n;

#define PIT_HZ	1193182

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

FIXTURE(pit) {
	struct vm vm;
	double began;
};

FIXTURE_SETUP(pit)
{
	self->vm.ram = NULL;
}

FIXTURE_TEARDOWN(pit)
{
	vm_destroy(&self->vm);
}

/* What the test does while the guest waits at PORT_SYNC. */
struct pauses {
	u32 ms;			/* length of the first one */
	u32 ticks;		/* that there had been at the second one */
};

static void pause_guest(struct vm *vm, u32 step)
{
	struct pauses *p = vm->priv;
	struct timespec t = { .tv_sec = p->ms / 1000, .tv_nsec = p->ms % 1000 * 1000000L };

	if (step == 1)
		nanosleep(&t, NULL);
	else
		p->ticks = vm_read32(vm, GPA(irq_n));
}

static void start(struct vm *vm, guest_sym entry, u32 count, struct pauses *p)
{
	vm_create(vm, VM_PROT, entry);
	*(u32 *)vm_ptr(vm, GPA(param)) = count;
	vm->sync = pause_guest;
	vm->priv = p;
}

#define MUST_PASS(vm) do {							\
	u32 end = vm_run_guest(vm);						\
										\
	ASSERT_EQ(VM_END_PASS, end)						\
		TH_LOG("%s", vm_end_text(vm, end));				\
} while (0)

TEST_F(pit, keeps_its_rate)
{
	double took;

	start(&self->vm, pit_halt, PIT_HZ / 100, NULL);
	self->began = now(CLOCK_MONOTONIC);
	MUST_PASS(&self->vm);
	took = now(CLOCK_MONOTONIC) - self->began;
	TH_LOG("50 ticks of 10 ms took %.3f s", took);
	/* How late the last one is depends on what else the machine does. */
	EXPECT_LE(0.49, took);
	EXPECT_EQ(0, vm_counter(&self->vm, "events/pit_ticks_lost"));
}

/* What another thread sees of halts while they last. */
struct observer {
	struct vm *vm;
	bool stop;
	u32 rises;		/* within one halt */
	u32 wrong;		/* more than the time that has passed, or less than before */
};

static void *observe_halts(void *arg)
{
	u64 halts, last_halts = 0, halt_ns, last_halt_ns = 0;
	struct timespec t = { .tv_nsec = 1000000 };
	double before, last_before = now(CLOCK_MONOTONIC);
	struct observer *o = arg;

	for (bool first = true; !__atomic_load_n(&o->stop, __ATOMIC_ACQUIRE); first = false) {
		before = now(CLOCK_MONOTONIC);
		halts = vm_counter(o->vm, "events/halt");
		halt_ns = vm_counter(o->vm, "events/halt_ns");
		if (!first && (halt_ns < last_halt_ns ||
			       (halt_ns - last_halt_ns) / 1e9 > now(CLOCK_MONOTONIC) - last_before))
			o->wrong++;
		o->rises += halts == last_halts && halt_ns > last_halt_ns;
		last_before = before;
		last_halts = halts;
		last_halt_ns = halt_ns;
		nanosleep(&t, NULL);
	}
	return NULL;
}

TEST_F(pit, a_halt_counts_while_it_lasts)
{
	struct observer o = { .vm = &self->vm };
	pthread_t thread;
	u32 end;

	start(&self->vm, pit_halt, PIT_HZ / 20, NULL);
	ASSERT_EQ(0, pthread_create(&thread, NULL, observe_halts, &o));
	end = vm_run_guest(&self->vm);
	__atomic_store_n(&o.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	EXPECT_EQ(VM_END_PASS, end);
	EXPECT_EQ(0, o.wrong);
	EXPECT_LE(10, o.rises);
	TH_LOG("%u times it rose within a halt", o.rises);
}

TEST_F(pit, owed_ticks_follow)
{
	struct pauses p = { .ms = 300 };

	start(&self->vm, pit_owed, PIT_HZ / 100, &p);
	MUST_PASS(&self->vm);
	TH_LOG("%u ticks, %llu of them late", p.ticks, (unsigned long long)
	       vm_counter(&self->vm, "events/pit_ticks_redelivered"));
	EXPECT_LE(29, p.ticks);
	EXPECT_LE(27, vm_counter(&self->vm, "events/pit_ticks_redelivered"));
	EXPECT_EQ(0, vm_counter(&self->vm, "events/pit_ticks_lost"));
}

TEST_F(pit, no_more_than_a_second_is_owed)
{
	struct pauses p = { .ms = 1500 };

	double took = now(CLOCK_MONOTONIC);
	u64 lost;

	start(&self->vm, pit_owed, PIT_HZ / 1000, &p);
	MUST_PASS(&self->vm);
	took = now(CLOCK_MONOTONIC) - took;
	lost = vm_counter(&self->vm, "events/pit_ticks_lost");
	EXPECT_LE(1000, p.ticks);
	EXPECT_LE(450, lost);
	/* None is made up: a tick for each ms that went by, at most. */
	EXPECT_LE(p.ticks + lost, took * 1000 + 2);
}

TEST_F(pit, masked_ticks_are_one)
{
	struct pauses p = { .ms = 300 };

	start(&self->vm, pit_masked, PIT_HZ / 100, &p);
	MUST_PASS(&self->vm);
	/* Not the 30 of the time that it was masked; a busy host may owe one from before. */
	EXPECT_GE(5, vm_counter(&self->vm, "events/pit_ticks_redelivered"));
}

/* A tick every 2 us: the guest drowns, the host does not. */
TEST_F(pit, a_storm_stays_in_the_guest)
{
	struct sigaction sa = { .sa_handler = vm_on_signal };
	struct itimerval in_half_a_second = { .it_value.tv_usec = 500000 };
	u64 clamped;
	double took;

	sigaction(SIGALRM, &sa, NULL);
	start(&self->vm, pit_storm, 2, NULL);
	took = now(CLOCK_MONOTONIC);
	setitimer(ITIMER_REAL, &in_half_a_second, NULL);
	ASSERT_EQ(VM_END_INTR, vm_run_guest(&self->vm));
	took = now(CLOCK_MONOTONIC) - took;
	clamped = vm_counter(&self->vm, "events/pit_clamped");
	TH_LOG("%u ticks in %.3f s, %llu times put off", vm_read32(&self->vm, GPA(irq_n)),
	       took, (unsigned long long)clamped);
	EXPECT_GE(1.0, took);
	EXPECT_LE(100, vm_read32(&self->vm, GPA(irq_n)));
	EXPECT_GE(took * 10000, clamped);
}

TEST_F(pit, one_shots)
{
	start(&self->vm, pit_oneshot, PIT_HZ / 200, NULL);
	self->began = now(CLOCK_MONOTONIC);
	MUST_PASS(&self->vm);
	EXPECT_LE(0.1, now(CLOCK_MONOTONIC) - self->began);
}

TEST_HARNESS_MAIN
