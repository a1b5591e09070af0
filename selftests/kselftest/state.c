// SPDX-License-Identifier: GPL-2.0-only
/*
 * State in and out: what is read can be written back and changes nothing, a
 * guest that is moved to another VM in the middle of its work ends it there,
 * and reset gives what a CPU has after power-on.
 */
#define _GNU_SOURCE
#include <string.h>

#include "core/i8254.h"
#include "core/i8259.h"
#include "kselftest_harness.h"
#include "vm.h"

extern guest_sym long_compute, long_fpu, long_avx, irq_pit, real_io, prot_paging;

/* All that makes a VM, besides its memory. */
struct state {
	struct vmdrv_regs regs;
	struct vmdrv_sregs sregs;
	struct vmdrv_dregs dregs;
	struct vmdrv_events events;
	struct vmdrv_msr msrs[VMDRV_MSR_MAX];
	u32 nr_msrs;
	struct i8259_pair_state pic;
	struct i8254_state pit;
	struct vmdrv_latch latch;
	u8 xsave[16384];
};

static void device_state(struct vm *vm, unsigned long request, u32 device, void *data, u32 size)
{
	struct vmdrv_device_state s = { device, size, (uintptr_t)data };

	VM_MUST(vm->fd, request, &s);
}

static void save_state(struct vm *vm, struct state *s)
{
	struct vmdrv_xsave x = { .size = vm->caps.xsave_size, .data = (uintptr_t)s->xsave };
	u32 indices[VMDRV_MSR_MAX], i;
	struct vmdrv_msr_list list = { .n = VMDRV_MSR_MAX, .data = (uintptr_t)indices };
	struct vmdrv_msrs msrs = { .data = (uintptr_t)s->msrs };

	memset(s, 0, sizeof(*s));
	if (x.size > sizeof(s->xsave))
		vm_die("XSAVE image of %u bytes", x.size);
	VM_MUST(vm->vcpu, VMDRV_GET_REGS, &s->regs);
	VM_MUST(vm->vcpu, VMDRV_GET_SREGS, &s->sregs);
	VM_MUST(vm->vcpu, VMDRV_GET_DREGS, &s->dregs);
	VM_MUST(vm->vcpu, VMDRV_GET_EVENTS, &s->events);
	VM_MUST(vm->vcpu, VMDRV_GET_XSAVE, &x);
	VM_MUST(vm->vcpu, VMDRV_GET_MSR_LIST, &list);
	for (i = 0; i < list.n; i++)
		s->msrs[i].index = indices[i];
	msrs.n = s->nr_msrs = list.n;
	if (vm_ioctl(vm->vcpu, VMDRV_GET_MSRS, &msrs) != (int)list.n)
		vm_die("an MSR of the list cannot be read");
	device_state(vm, VMDRV_GET_DEVICE, VMDRV_DEV_PIC, &s->pic, sizeof(s->pic));
	device_state(vm, VMDRV_GET_DEVICE, VMDRV_DEV_PIT, &s->pit, sizeof(s->pit));
	s->latch = (struct vmdrv_latch){ .port = 0x80, .size = 1 };
	VM_MUST(vm->fd, VMDRV_GET_LATCH, &s->latch);
}

static void restore_state(struct vm *vm, struct state *s)
{
	struct vmdrv_xsave x = { .size = vm->caps.xsave_size, .data = (uintptr_t)s->xsave };
	struct vmdrv_msrs msrs = { .n = s->nr_msrs, .data = (uintptr_t)s->msrs };
	int ret;

	VM_MUST(vm->vcpu, VMDRV_SET_SREGS, &s->sregs);
	VM_MUST(vm->vcpu, VMDRV_SET_REGS, &s->regs);
	VM_MUST(vm->vcpu, VMDRV_SET_DREGS, &s->dregs);
	VM_MUST(vm->vcpu, VMDRV_SET_XSAVE, &x);
	ret = vm_ioctl(vm->vcpu, VMDRV_SET_MSRS, &msrs);
	if (ret != (int)s->nr_msrs)
		vm_die("MSR %#x = %#llx cannot be written back",
		       ret < 0 ? 0 : s->msrs[ret].index,
		       ret < 0 ? 0 : (unsigned long long)s->msrs[ret].value);
	VM_MUST(vm->vcpu, VMDRV_SET_EVENTS, &s->events);
	device_state(vm, VMDRV_SET_DEVICE, VMDRV_DEV_PIC, &s->pic, sizeof(s->pic));
	device_state(vm, VMDRV_SET_DEVICE, VMDRV_DEV_PIT, &s->pit, sizeof(s->pit));
	VM_MUST(vm->fd, VMDRV_SET_LATCH, &s->latch);
}

/* What differs between two states, or NULL. The TSC goes on by itself. */
static const char *difference(const struct state *a, const struct state *b)
{
	static char text[80];
	u32 i;

#define PART(part) if (memcmp(&a->part, &b->part, sizeof(a->part))) return #part
	PART(regs);
	PART(sregs);
	PART(dregs);
	PART(events);
	PART(pic);
	PART(latch);
	PART(xsave);
#undef PART
	if (a->nr_msrs != b->nr_msrs)
		return "number of MSRs";
	for (i = 0; i < a->nr_msrs; i++) {
		if (a->msrs[i].index == 0x10 || a->msrs[i].value == b->msrs[i].value)
			continue;
		snprintf(text, sizeof(text), "MSR %#x: %#llx and %#llx", a->msrs[i].index,
			 (unsigned long long)a->msrs[i].value,
			 (unsigned long long)b->msrs[i].value);
		return text;
	}
	return NULL;
}

/* Up to the n-th exit of the guest for I/O. */
static void run_exits(struct vm *vm, int n)
{
	int ret;

	while (n--) {
		ret = vm_run(vm);
		if (ret < 0 || vm->run->exit_reason != VMDRV_EXIT_IO)
			vm_die("exit %u: %s", vm->run->exit_reason, strerror(-ret));
		if (vm->run->io.port == PORT_DONE)
			vm_die("the guest was done too soon (%u)", *(u32 *)vm->data);
	}
}

static struct state a, b;

FIXTURE(state) {
	struct vm vm;
};

FIXTURE_VARIANT(state) {
	enum vm_mode mode;
	const char *entry;
	int exits;		/* to look at it after */
};

#define STATE(name, how, start, n) \
	FIXTURE_VARIANT_ADD(state, name) { .mode = how, .entry = start, .exits = n }

STATE(real, VM_REAL, real_io, 3);
STATE(paged, VM_PAGED, prot_paging, 0);
STATE(pae, VM_PAE, prot_paging, 0);
STATE(compute, VM_LONG, long_compute, 10);
STATE(fpu, VM_LONG, long_fpu, 10);
STATE(avx, VM_LONG, long_avx, 10);

FIXTURE_SETUP(state)
{
	vm_create(&self->vm, variant->mode, variant->entry);
	run_exits(&self->vm, variant->exits);
	/* a pending IN or OUT is completed by entering once more */
	self->vm.run->immediate_exit = 1;
	ASSERT_EQ(-EINTR, vm_ioctl(self->vm.vcpu, VMDRV_RUN, NULL));
	self->vm.run->immediate_exit = 0;
}

FIXTURE_TEARDOWN(state)
{
	vm_destroy(&self->vm);
}

TEST_F(state, written_back_is_the_same)
{
	const char *diff;
	u32 end;

	save_state(&self->vm, &a);
	restore_state(&self->vm, &a);
	save_state(&self->vm, &b);
	diff = difference(&a, &b);
	EXPECT_EQ(NULL, diff)
		TH_LOG("%s", diff);
	end = vm_run_guest(&self->vm);
	EXPECT_EQ(VM_END_PASS, end)
		TH_LOG("%s", vm_end_text(&self->vm, end));
}

/* Into a VM that was never run, with a copy of the memory. */
TEST_F(state, goes_on_in_another_vm)
{
	const char *diff;
	struct vm other;
	u32 end;

	save_state(&self->vm, &a);
	vm_open(&other);
	vm_add_memory(&other);
	memcpy(other.ram, self->vm.ram, L_RAM_SIZE);
	other.next = self->vm.next;
	restore_state(&other, &a);
	save_state(&other, &b);
	diff = difference(&a, &b);
	EXPECT_EQ(NULL, diff)
		TH_LOG("%s", diff);
	end = vm_run_guest(&other);
	EXPECT_EQ(VM_END_PASS, end)
		TH_LOG("%s", vm_end_text(&other, end));
	vm_destroy(&other);
}

/* Into a VM whose guest has done something else, in another mode. */
TEST_F(state, goes_on_in_a_used_vm)
{
	struct vm other;
	u32 end;

	save_state(&self->vm, &a);
	vm_create(&other, VM_LONG, long_compute);
	run_exits(&other, 5);
	memcpy(other.ram, self->vm.ram, L_RAM_SIZE);
	other.next = self->vm.next;
	restore_state(&other, &a);
	end = vm_run_guest(&other);
	EXPECT_EQ(VM_END_PASS, end)
		TH_LOG("%s", vm_end_text(&other, end));
	vm_destroy(&other);
}

/* ---- a computation, moved at every one of its exits ----------------------------- */

static void result_of(struct vm *vm, u8 result[16])
{
	memcpy(result, vm_ptr(vm, L_RESULT), 16);
}

TEST(computation_survives_many_moves)
{
	static struct vm vms[2];
	u8 want[16], got[16];
	int turn = 0;
	u32 end;

	vm_create(&vms[0], VM_LONG, long_compute);
	end = vm_run_guest(&vms[0]);
	ASSERT_EQ(VM_END_PASS, end)
		TH_LOG("%s", vm_end_text(&vms[0], end));
	result_of(&vms[0], want);
	vm_destroy(&vms[0]);

	vm_create(&vms[0], VM_LONG, long_compute);
	vm_create(&vms[1], VM_LONG, long_compute);
	for (turn = 0; turn < 30; turn++) {
		struct vm *from = &vms[turn & 1], *to = &vms[~turn & 1];

		run_exits(from, 3);
		save_state(from, &a);
		memcpy(to->ram, from->ram, L_RAM_SIZE);
		restore_state(to, &a);
	}
	end = vm_run_guest(&vms[0]);
	EXPECT_EQ(VM_END_PASS, end)
		TH_LOG("%s", vm_end_text(&vms[0], end));
	result_of(&vms[0], got);
	EXPECT_EQ(0, memcmp(want, got, sizeof(want)));
	vm_destroy(&vms[0]);
	vm_destroy(&vms[1]);
}

/* ---- two in one process, in turns ------------------------------------------------- */

TEST(two_vms_in_one_process)
{
	static struct vm vms[2];
	u8 results[2][16];
	bool done[2] = { };
	int i;

	vm_create(&vms[0], VM_LONG, long_compute);
	vm_create(&vms[1], VM_LONG, long_compute);
	EXPECT_NE(vms[0].id, vms[1].id);
	for (i = 0; !done[0] || !done[1]; i ^= 1) {
		if (done[i])
			continue;
		ASSERT_EQ(0, vm_run(&vms[i]));
		ASSERT_EQ(VMDRV_EXIT_IO, vms[i].run->exit_reason);
		done[i] = vms[i].run->io.port == PORT_DONE;
	}
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, *(u32 *)vms[i].data);
		result_of(&vms[i], results[i]);
		vm_destroy(&vms[i]);
	}
	EXPECT_EQ(0, memcmp(results[0], results[1], 16));
}

/* ---- reset ---------------------------------------------------------------------------- */

TEST(reset_is_power_on)
{
	static struct vm vm, fresh;
	const char *diff;
	u32 end;

	vm_open(&fresh);
	save_state(&fresh, &a);
	EXPECT_EQ(0xfff0, a.regs.rip);
	EXPECT_EQ(2, a.regs.rflags);
	EXPECT_EQ(0xf000, a.sregs.cs.selector);
	EXPECT_EQ(0xffff0000, a.sregs.cs.base);
	EXPECT_EQ(0xffff, a.sregs.cs.limit);
	EXPECT_EQ(0xffff, a.sregs.idtr.limit);
	EXPECT_EQ(0, a.sregs.cr0 & ~0x60000010ull);
	EXPECT_EQ(0, a.sregs.cr3);
	EXPECT_EQ(0, a.sregs.cr4);
	EXPECT_EQ(0, a.sregs.efer);
	EXPECT_EQ(1, a.sregs.xcr0);
	EXPECT_EQ(0xffff0ff0, a.dregs.dr6);
	EXPECT_EQ(0x400, a.dregs.dr7);

	vm_create(&vm, VM_LONG, long_compute);
	run_exits(&vm, 5);
	VM_MUST(vm.vcpu, VMDRV_RESET_VCPU, NULL);
	VM_MUST(vm.fd, VMDRV_RESET_DEVICES, NULL);
	save_state(&vm, &b);
	diff = difference(&a, &b);
	EXPECT_EQ(NULL, diff)
		TH_LOG("%s", diff);
	/* and it can be used again */
	vm_set_mode(&vm, VM_LONG, long_compute);
	end = vm_run_guest(&vm);
	EXPECT_EQ(VM_END_PASS, end)
		TH_LOG("%s", vm_end_text(&vm, end));
	vm_destroy(&vm);
	vm_destroy(&fresh);
}

TEST_HARNESS_MAIN
