// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pairs of port accesses in one exit (VMDRV_KNOB_PAIRS): code that is made up,
 * run with the knob off and on, must end with the same registers, the same
 * latches and the same exits, whatever it is, and however it changes in place.
 */
#include <stdlib.h>
#include <string.h>

#include "kselftest_harness.h"
#include "vm.h"

#define LATCH		0x3012		/* an address port */
#define DATA_LATCH	0x3010		/* a data port that the VMM serves */
#define DATA_VMAPP	0x3020		/* one that VMApp serves */
#define END_PORT	0x3030
#define CODE		(L_BUF + 0x400)
#define ROUNDS		400
#define RUNS		3		/* of the same code: the first one may be learnt from */

#define RANDOM_OF(_list) ((_list)[(unsigned int)rand() % (sizeof(_list) / sizeof(*(_list)))])

/* What may lie between; the first ones are known to pair.c, the others are not. */
static const char *const between[] = {
	"\x8d\x57\x10", "\x8d\x52\xfe", "\x89\xc8", "\x8b\xc1", "\x0f\xb7\xc1", "\x89\xd9",
	"\x89\xc3", "\x8d\x57\x20", "\x8d\x57\x10", "\x8d\x57\x20",
	"\x83\xea\x02", "\x0f\xb6\xc1", "\x66\x89\xc8", "\x90", "\x31\xc0", "\x8d\x56\x01",
};

static const char *const ends[] = { "\x66\xed", "\x66\xef", "\xed", "\xef", "\x66\xef", "\x66\xed" };

/* What is left of a run. */
struct result {
	struct vmdrv_regs regs;
	u32 latch, data;
	u32 exits;		/* ports and values that VMApp saw, as one number */
};

static unsigned int put(u8 *p, const char *insn)
{
	unsigned int len = strlen(insn);

	memcpy(p, insn, len);
	return len;
}

/* out %ax,(%dx), some of between[], an access, and the end: mov $END_PORT,%dx; out %al,(%dx) */
static void make_code(u8 *code)
{
	unsigned int n = (unsigned int)rand() % 4;

	code += put(code, rand() % 8 ? "\x66\xef" : "\xef");
	while (n--)
		code += put(code, RANDOM_OF(between));
	code += put(code, RANDOM_OF(ends));
	code += put(code, "\x66\xba\x30\x30\xee\xf4");
}

static void random_regs(struct vmdrv_regs *regs)
{
	__u64 *r = &regs->rax;

	for (int i = 0; i < 8; i++)
		if (&r[i] != &regs->rsp)
			r[i] = (u64)rand() << 40 ^ (u64)rand() << 20 ^ (u64)rand();
	regs->rdx = (regs->rdx & ~0xffffull) | LATCH;
	regs->rsi = (regs->rsi & ~0xffffull) | (DATA_VMAPP - 1);
	regs->rdi = (regs->rdi & ~0xffffull) | 0x3000;
}

static void run_once(struct vm *vm, const struct vmdrv_regs *start, struct result *r)
{
	struct vmdrv_latch latch = { .port = LATCH, .size = 2 }, data = { .port = DATA_LATCH, .size = 2 };
	struct vmdrv_regs regs = *start;

	VM_MUST(vm->vcpu, VMDRV_SET_REGS, &regs);
	latch.value = 0x1111;
	data.value = 0x2222;
	VM_MUST(vm->fd, VMDRV_SET_LATCH, &latch);
	VM_MUST(vm->fd, VMDRV_SET_LATCH, &data);
	memset(r, 0, sizeof(*r));
	for (;;) {
		int ret = vm_run(vm);
		u32 value = 0;

		if (ret || vm->run->exit_reason != VMDRV_EXIT_IO)
			vm_die("RUN: %d, reason %u", ret, vm->run->exit_reason);
		if (vm->run->io.port == END_PORT)
			break;
		if (vm->run->io.direction == VMDRV_IO_OUT)
			memcpy(&value, vm->data, vm->run->io.size);
		else
			memset(vm->data, 0x5a, 4);
		r->exits = r->exits * 31 + vm->run->io.port + value +
			   vm->run->io.size * 7 + vm->run->io.direction;
	}
	VM_MUST(vm->vcpu, VMDRV_GET_REGS, &r->regs);
	VM_MUST(vm->fd, VMDRV_GET_LATCH, &latch);
	VM_MUST(vm->fd, VMDRV_GET_LATCH, &data);
	r->latch = latch.value;
	r->data = data.value;
}

static void set_pairs(struct vm *vm, u32 on)
{
	struct vmdrv_knob_value knob = { .knob = VMDRV_KNOB_PAIRS, .value = on };

	VM_MUST(vm->fd, VMDRV_SET_KNOB, &knob);
}

FIXTURE(pair) {
	struct vm vm;
};

FIXTURE_VARIANT(pair) {
	enum vm_mode mode;
};

FIXTURE_SETUP(pair)
{
	struct vmdrv_latch latch = { .port = LATCH, .size = 2 }, data = { .port = DATA_LATCH, .size = 2 };

	vm_open(&self->vm);
	vm_add_memory(&self->vm);
	vm_set_mode(&self->vm, variant->mode, NULL);
	VM_MUST(self->vm.fd, VMDRV_ADD_LATCH, &latch);
	VM_MUST(self->vm.fd, VMDRV_ADD_LATCH, &data);
}

FIXTURE_TEARDOWN(pair)
{
	vm_destroy(&self->vm);
}

FIXTURE_VARIANT_ADD(pair, prot) { .mode = VM_PROT };
FIXTURE_VARIANT_ADD(pair, paged) { .mode = VM_PAGED };
FIXTURE_VARIANT_ADD(pair, pae) { .mode = VM_PAE };
FIXTURE_VARIANT_ADD(pair, long) { .mode = VM_LONG };

/* The same place each time: what was learnt there is wrong the next time. */
TEST_F(pair, equal)
{
	struct vm *vm = &self->vm;
	struct vmdrv_regs start;
	struct result off, on;
	u64 before = vm_counter(vm, "events/pair");

	srand(1);
	VM_MUST(vm->vcpu, VMDRV_GET_REGS, &start);
	for (int round = 0; round < ROUNDS; round++) {
		/* Now and then so that it goes on in the next page, or ends there. */
		start.rip = rand() % 4 ? CODE : CODE + 0xc00 - 2 - (unsigned int)rand() % 12;
		make_code(vm_ptr(vm, start.rip));
		random_regs(&start);
		set_pairs(vm, 0);
		run_once(vm, &start, &off);
		set_pairs(vm, 1);
		for (int run = 0; run < RUNS; run++) {
			run_once(vm, &start, &on);
			ASSERT_EQ(0, memcmp(&on, &off, sizeof(on))) {
				u8 *c = vm_ptr(vm, start.rip);

				for (int i = 0; i < 16; i++)
					TH_LOG("round %d, run %d, code %02x", round, run, c[i]);
			}
		}
	}
	ASSERT_GT(vm_counter(vm, "events/pair"), before + 100);
}

/* A single-stepping guest, and one with breakpoints, sees every instruction. */
TEST_F(pair, breakpoints)
{
	struct vm *vm = &self->vm;
	struct vmdrv_dregs dregs;
	struct vmdrv_regs start;
	struct result r;
	u64 before;

	set_pairs(vm, 1);
	VM_MUST(vm->vcpu, VMDRV_GET_REGS, &start);
	start.rip = CODE;
	memcpy(vm_ptr(vm, CODE), "\x66\xef\x8d\x57\x10\x66\xed\x66\xba\x30\x30\xee", 12);
	random_regs(&start);
	run_once(vm, &start, &r);
	run_once(vm, &start, &r);
	before = vm_counter(vm, "events/pair");
	EXPECT_GT(before, 0);
	VM_MUST(vm->vcpu, VMDRV_GET_DREGS, &dregs);
	dregs.dr[0] = 0x100;
	dregs.dr7 |= 1;
	VM_MUST(vm->vcpu, VMDRV_SET_DREGS, &dregs);
	run_once(vm, &start, &r);
	EXPECT_EQ(vm_counter(vm, "events/pair"), before);
	EXPECT_EQ(r.regs.rax & 0xffff, 0x2222);
}

TEST_HARNESS_MAIN
