// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events that come from outside of the guest: interrupt lines and NMIs raised
 * by other threads, exceptions put in by VMDRV_SET_EVENTS, and signals that
 * take a vCPU out of a guest which would never leave by itself.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "kselftest_harness.h"
#include "vm.h"

extern guest_sym irq_two, irq_slow, param;
extern guest_sym irq_hlt, irq_nmi, irq_events, nmi_handler, nmi_n, irq_n;
extern guest_sym real_spin, real_hlt_off, long_count, prot_ac_loop, prot_ac_handler;
extern guest_sym long_db_loop, long_db_handler;

static void sleep_ms(int ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	nanosleep(&t, NULL);
}

/* SIGUSR1 ends system calls, and does nothing else. */
static void catch_sigusr1(void)
{
	struct sigaction sa = { .sa_handler = vm_on_signal };

	sigaction(SIGUSR1, &sa, NULL);
}

FIXTURE(event) {
	struct vm vm;
};

FIXTURE_SETUP(event)
{
	catch_sigusr1();
	self->vm.ram = NULL;
}

FIXTURE_TEARDOWN(event)
{
	vm_destroy(&self->vm);
}

/* ---- a thread of the host's that raises lines ------------------------------- */

struct raiser {
	struct vm *vm;
	sem_t go;
	bool stop;
	unsigned int turn;
};

/*
 * At once, a little later, clearly after the guest has halted: in turns. And
 * again when nothing was asked for in 3 s: QEMU forgets the shadow of an STI
 * when a host interrupt falls into it, and the guest halts too late then.
 */
static void *raise_lines(void *arg)
{
	struct raiser *r = arg;
	struct timespec until;

	for (;;) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += 3;
		sem_timedwait(&r->go, &until);
		if (__atomic_load_n(&r->stop, __ATOMIC_ACQUIRE))
			return NULL;
		if (r->turn % 3 == 1)
			sched_yield();
		if (r->turn % 3 == 2)
			sleep_ms(2);
		r->turn++;
		vm_pulse(r->vm, 5);
	}
}

static void tell_raiser(struct vm *vm, u32 step)
{
	struct raiser *r = vm->priv;

	(void)step;
	sem_post(&r->go);
}

TEST_F(event, hlt_wakes_by_a_line_from_another_thread)
{
	struct raiser r = { .vm = &self->vm };
	pthread_t thread;
	u32 end;

	vm_create(&self->vm, VM_PROT, irq_hlt);
	self->vm.sync = tell_raiser;
	self->vm.priv = &r;
	sem_init(&r.go, 0, 0);
	ASSERT_EQ(0, pthread_create(&thread, NULL, raise_lines, &r));
	end = vm_run_guest(&self->vm);
	EXPECT_EQ(VM_END_PASS, end)
		TH_LOG("%s", vm_end_text(&self->vm, end));
	__atomic_store_n(&r.stop, true, __ATOMIC_RELEASE);
	sem_post(&r.go);
	pthread_join(thread, NULL);
}

/* ---- none is lost, and none comes twice --------------------------------------------- */

#define TWO_ROUNDS	5000

static void raise_two(struct vm *vm, u32 step)
{
	(void)step;
	vm_pulse(vm, 5);
	vm_pulse(vm, 6);
}

/* An emulator that is asked to pause between delivery and exit may deliver again. */
TEST_F(event, each_of_two_lines_comes_once)
{
	struct vm_gate gate = { .selector = SEL_CODE32, .handler = irq_slow };
	u32 end;

	vm_create(&self->vm, VM_PROT, irq_two);
	for (gate.vector = 0x25; gate.vector <= 0x26; gate.vector++)
		vm_set_gate(&self->vm, &gate);
	*(u32 *)vm_ptr(&self->vm, GPA(param)) = TWO_ROUNDS;
	self->vm.sync = raise_two;
	end = vm_run_guest(&self->vm);
	EXPECT_EQ(VM_END_PASS, end)
		TH_LOG("%s", vm_end_text(&self->vm, end));
	EXPECT_EQ(2 * TWO_ROUNDS, vm_read32(&self->vm, GPA(irq_n)));
}

/* ---- NMI ---------------------------------------------------------------------- */

static void *nmi_later(void *arg)
{
	struct vm *vm = arg;

	sleep_ms(20);
	VM_MUST(vm->vcpu, VMDRV_NMI, NULL);
	return NULL;
}

static pthread_t nmi_thread;

static void sync_nmi(struct vm *vm, u32 step)
{
	if (step == 2)
		VM_MUST(vm->vcpu, VMDRV_NMI, NULL);
	else if (pthread_create(&nmi_thread, NULL, nmi_later, vm))
		vm_die("cannot create a thread");
}

TEST_F(event, nmi_is_masked_until_iret_and_kept_once)
{
	struct vm_gate gate = { .vector = 2, .handler = nmi_handler };
	u32 end;

	vm_create(&self->vm, VM_PROT, irq_nmi);
	vm_set_gate(&self->vm, &gate);
	self->vm.sync = sync_nmi;
	end = vm_run_guest(&self->vm);
	EXPECT_EQ(VM_END_PASS, end)
		TH_LOG("%s", vm_end_text(&self->vm, end));
	EXPECT_EQ(101, vm_read32(&self->vm, GPA(nmi_n)));
	if (end == VM_END_PASS)
		pthread_join(nmi_thread, NULL);
}

TEST_F(event, nmi_state_is_visible)
{
	struct vm_gate gate = { .vector = 2, .handler = nmi_handler };
	struct vmdrv_events ev;

	vm_create(&self->vm, VM_PROT, irq_nmi);
	vm_set_gate(&self->vm, &gate);
	VM_MUST(self->vm.vcpu, VMDRV_NMI, NULL);
	VM_MUST(self->vm.vcpu, VMDRV_GET_EVENTS, &ev);
	EXPECT_EQ(1, ev.nmi_pending);
	EXPECT_EQ(0, ev.nmi_masked);
	/* up to the first SYNC: inside of the handler */
	while (vm_run(&self->vm) == 0 &&
	       self->vm.run->io.port != PORT_SYNC)
		;
	EXPECT_EQ(1, vm_read32(&self->vm, GPA(nmi_n)));
	VM_MUST(self->vm.vcpu, VMDRV_GET_EVENTS, &ev);
	EXPECT_EQ(0, ev.nmi_pending);
	EXPECT_EQ(1, ev.nmi_masked);
}

/* ---- VMDRV_SET_EVENTS ------------------------------------------------------------ */

static void sync_events(struct vm *vm, u32 step)
{
	struct vmdrv_events ev = { 0 };

	if (step >= 0x20) {
		ev.interrupt = 1;
		ev.irq_vector = step;
	} else {
		ev.exception = 1;
		ev.vector = step;
		ev.has_error = step == 11 || step == 13 || step == 14 || step == 17;
		ev.error = step == 13 ? 0x1234 : step == 14 ? 7 : step == 11 ? 0x60 : 0;
	}
	/* the OUT that told us is completed first: an empty run does that */
	vm->run->immediate_exit = 1;
	if (vm_ioctl(vm->vcpu, VMDRV_RUN, NULL) != -EINTR)
		vm_die("immediate_exit did not end VMDRV_RUN by EINTR");
	vm->run->immediate_exit = 0;
	VM_MUST(vm->vcpu, VMDRV_SET_EVENTS, &ev);
}

TEST_F(event, set_events_delivers)
{
	u32 end;

	vm_create(&self->vm, VM_PROT, irq_events);
	self->vm.sync = sync_events;
	end = vm_run_guest(&self->vm);
	EXPECT_EQ(VM_END_PASS, end)
		TH_LOG("%s", vm_end_text(&self->vm, end));
}

/* Everything that SET_EVENTS takes, GET_EVENTS gives back. */
TEST_F(event, set_events_is_kept)
{
	static const struct vmdrv_events list[] = {
		{ },
		{ .exception = 1, .vector = 14, .has_error = 1, .error = 0xf },
		{ .exception = 1, .vector = 6 },
		{ .interrupt = 1, .irq_vector = 0x21 },
		{ .nmi_pending = 1 },
		{ .nmi_masked = 1, .nmi_pending = 1 },
		{ .shadow = 1 },
		{ .halted = 1 },
	};
	struct vmdrv_events ev;
	size_t i;

	vm_create(&self->vm, VM_PROT, irq_events);
	for (i = 0; i < ARRAY_SIZE(list); i++) {
		VM_MUST(self->vm.vcpu, VMDRV_SET_EVENTS, (void *)&list[i]);
		memset(&ev, 0xff, sizeof(ev));
		VM_MUST(self->vm.vcpu, VMDRV_GET_EVENTS, &ev);
		EXPECT_EQ(0, memcmp(&ev, &list[i], sizeof(ev)))
			TH_LOG("entry %zu", i);
	}
}

/* ---- out of the guest by a signal -------------------------------------------------- */

struct kicker {
	pthread_t target;
	bool stop;
};

static void *kick(void *arg)
{
	struct kicker *k = arg;

	while (!__atomic_load_n(&k->stop, __ATOMIC_ACQUIRE)) {
		sleep_ms(5);
		pthread_kill(k->target, SIGUSR1);
	}
	return NULL;
}

/* Ten times into a guest that never leaves, ten times out of it. */
static void run_and_kick(struct __test_metadata *_metadata, struct vm *vm)
{
	struct kicker k = { .target = pthread_self() };
	u64 before = vm_counter(vm, "switches/intr");
	pthread_t thread;
	u32 end;
	int i;

	ASSERT_EQ(0, pthread_create(&thread, NULL, kick, &k));
	for (i = 0; i < 10; i++) {
		end = vm_run_guest(vm);
		EXPECT_EQ(VM_END_INTR, end)
			TH_LOG("%s", vm_end_text(vm, end));
		EXPECT_EQ(VMDRV_EXIT_INTR, vm->run->exit_reason);
	}
	__atomic_store_n(&k.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	EXPECT_LE(before + 10, vm_counter(vm, "switches/intr"));
}

TEST_F(event, signal_ends_jmp_self)
{
	vm_create(&self->vm, VM_REAL, real_spin);
	run_and_kick(_metadata, &self->vm);
}

TEST_F(event, signal_ends_hlt_without_interrupts)
{
	struct vmdrv_events ev;

	vm_create(&self->vm, VM_REAL, real_hlt_off);
	run_and_kick(_metadata, &self->vm);
	VM_MUST(self->vm.vcpu, VMDRV_GET_EVENTS, &ev);
	EXPECT_EQ(1, ev.halted);
	EXPECT_EQ(1, vm_counter(&self->vm, "exits/hlt"));
}

TEST_F(event, signal_ends_a_computation_that_goes_on)
{
	extern guest_sym long_count;
	u64 n;

	vm_create(&self->vm, VM_LONG, long_count);
	run_and_kick(_metadata, &self->vm);
	n = vm_read64(&self->vm, L_RESULT);
	run_and_kick(_metadata, &self->vm);
	EXPECT_LT(n, vm_read64(&self->vm, L_RESULT));
}

/* #DB at the delivery of #DB, for ever: only an intercept gets the CPU back. */
TEST_F(event, signal_ends_a_loop_of_debug_exceptions)
{
	struct vm_gate gate = { .vector = 1, .ist = 1, .handler = long_db_handler };

	vm_create(&self->vm, VM_LONG, long_db_loop);
	vm_set_gate(&self->vm, &gate);
	run_and_kick(_metadata, &self->vm);
}

TEST_F(event, signal_ends_a_loop_of_alignment_checks)
{
	struct vm_gate gate = {
		.vector = 17, .selector = SEL_UCODE32, .dpl = 3,
		.handler = prot_ac_handler,
	};

	vm_create(&self->vm, VM_PROT, prot_ac_loop);
	vm_set_gate(&self->vm, &gate);
	run_and_kick(_metadata, &self->vm);
}

TEST_F(event, immediate_exit_enters_no_guest)
{
	u64 before;

	vm_create(&self->vm, VM_LONG, long_count);
	before = vm_counter_sum(&self->vm, "exits");
	self->vm.run->immediate_exit = 1;
	EXPECT_EQ(-EINTR, vm_ioctl(self->vm.vcpu, VMDRV_RUN, NULL));
	EXPECT_EQ(VMDRV_EXIT_INTR, self->vm.run->exit_reason);
	EXPECT_EQ(0, vm_read64(&self->vm, L_RESULT));
	EXPECT_EQ(before, vm_counter_sum(&self->vm, "exits"));
	/* a pending signal does the same */
	self->vm.run->immediate_exit = 0;
	run_and_kick(_metadata, &self->vm);
	EXPECT_LT(0, vm_read64(&self->vm, L_RESULT));
}

TEST_HARNESS_MAIN
