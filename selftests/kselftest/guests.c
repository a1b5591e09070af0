// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of tiny guests: each runs by itself, checks what it can see, and
 * must come to the end, the exits and the state that its row names.
 *
 * Counts of a row are the guest's own; the report to PORT_DONE (one exit and
 * one switch for I/O) is taken off before they are compared.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <string.h>

#include "kselftest_harness.h"
#include "vm.h"

struct count {
	const char *name;	/* as in sysfs: "exits/io" */
	u64 min, max;
};

#define EXACTLY(n)	n, n
#define AT_LEAST(n)	n, UINT64_MAX
#define BETWEEN(a, b)	a, b

FIXTURE(guest) {
	struct vm vm;
};

FIXTURE_VARIANT(guest) {
	enum vm_mode mode;
	const char *entry;
	u32 end;			/* VM_END_* that are right; 0: PASS */
	struct count counts[4];
	u32 needs;			/* LACKS_*: not on a CPU with these */
	const char *written;		/* to the test device, in order */
	u32 written_size;
	struct vm_gate gates[2];
	void (*setup)(struct vm *vm);
	bool (*check)(struct vm *vm);	/* prints why when it returns false */
};

#define GUEST(name, how, start, ...) \
	extern guest_sym start; \
	FIXTURE_VARIANT_ADD(guest, name) { .mode = how, .entry = start, __VA_ARGS__ }

#define WRITTEN(bytes)	.written = bytes, .written_size = sizeof(bytes) - 1

/* ---- what string I/O must have moved (guest/string.h) -------------------- */

struct transfer {
	u32 offset;		/* of the first element, from L_BUF */
	u32 n;
	u8 size;
	bool down;		/* DF = 1 */
};

static const struct transfer outs_list[] = {
	{ 0, 1, 1 }, { 3, 5000, 1 }, { 2, 5000, 2 }, { 1, 5000, 4 }, { 7, 1, 1 },
	{ 0x13, 5, 1, true }, { 0x1006, 4, 4, true }, { 0x2001, 3, 2 }, { }
};

static const struct transfer ins_list[] = {
	{ 0, 1, 1 }, { 0x103, 5000, 1 }, { 0x2001, 5000, 2 }, { 0x5003, 5000, 4 },
	{ 0xa000, 1, 4 }, { 0xa014, 5, 1, true }, { 0xb006, 4, 4, true },
	{ 0xc001, 3, 2 }, { }
};

static const struct transfer outs_fault_list[] = {
	{ 0xff4, 8, 4 }, { 0x2ffa, 3, 4 }, { }
};

static const struct transfer ins_fault_list[] = {
	{ 0xff4, 8, 4 }, { 0x3008, 3, 4, true }, { }
};

static u32 element(const struct transfer *t, u32 i)
{
	return t->down ? t->offset - i * t->size : t->offset + i * t->size;
}

static bool check_outs_list(struct vm *vm, const struct transfer *t)
{
	u32 i, j, n = 0;
	u8 want;

	for (; t->n; t++)
		for (i = 0; i < t->n; i++)
			for (j = 0; j < t->size; j++, n++) {
				want = vm_pattern(element(t, i) + j);
				if (n < vm->logged && vm->log[n] == want)
					continue;
				printf("# byte %u of %u at the port: %#x, not %#x\n",
				       n, vm->logged, vm->log[n], want);
				return false;
			}
	if (n == vm->logged)
		return true;
	printf("# %u bytes at the port, not %u\n", vm->logged, n);
	return false;
}

/* What was read is in place, and nothing else of the buffer has changed. */
static bool check_ins_list(struct vm *vm, const struct transfer *t)
{
	static u8 want[L_BUF_SIZE];
	u32 i, j;
	u8 next = 0;

	for (i = 0; i < L_BUF_SIZE; i++)
		want[i] = vm_pattern(i);
	for (; t->n; t++)
		for (i = 0; i < t->n; i++)
			for (j = 0; j < t->size; j++)
				want[element(t, i) + j] = ++next;
	for (i = 0; i < L_BUF_SIZE; i++) {
		if (vm->ram[L_BUF + i] == want[i])
			continue;
		printf("# buffer at %#x: %#x, not %#x\n", i, vm->ram[L_BUF + i], want[i]);
		return false;
	}
	return true;
}

static bool check_outs(struct vm *vm)
{
	return check_outs_list(vm, outs_list);
}

static bool check_ins(struct vm *vm)
{
	return check_ins_list(vm, ins_list);
}

static bool check_outs_fault(struct vm *vm)
{
	return check_outs_list(vm, outs_fault_list);
}

/* A device's data is not read before there is a place for it: none is lost. */
static bool check_ins_fault(struct vm *vm)
{
	return check_ins_list(vm, ins_fault_list);
}

static bool check_wrap(struct vm *vm)
{
	const u8 *buf = vm->ram + L_BUF;
	const u8 in[4] = { 1, 2, 3, 4 };
	u32 i;

	for (i = 0; i < 4; i++)
		if (vm->log[i] != vm_pattern((0xfffe + i) & 0xffff)) {
			printf("# byte %u did not wrap\n", i);
			return false;
		}
	if (!memcmp(buf + 0xfffe, in, 2) && !memcmp(buf, in + 2, 2))
		return true;
	printf("# INS did not wrap inside its segment\n");
	return false;
}

static bool check_addr16(struct vm *vm)
{
	const u8 want[2] = { vm_pattern(0xffff), vm_pattern(0) };
	const u8 in[4] = { 1, 2, 3, 4 };

	return !memcmp(vm->log, want, 2) && !memcmp(vm->ram + L_BUF, in, 4);
}

/* Three through the high alias, then 16 that wrap at 4 GiB. */
static bool check_addr64(struct vm *vm)
{
	const struct transfer t[] = { { 0, 3, 1 }, { 8, 16, 1 }, { } };

	return check_outs_list(vm, t);
}

/* ---- set-ups ---------------------------------------------------------------- */

static const u8 pass_code[] = { 0x66, 0x31, 0xc0, 0x66, 0xe7, PORT_DONE };

static void setup_ip_wrap(struct vm *vm)
{
	static const u8 in_al[] = { 0xe4, PORT_DEV8 };

	memcpy(vm->ram + 0x3fffe, in_al, sizeof(in_al));
	memcpy(vm->ram + 0x30000, pass_code, sizeof(pass_code));
	memcpy(vm->ram + 0x30100, pass_code, sizeof(pass_code));
	memcpy(vm->ram + 0x40000, pass_code, sizeof(pass_code));
}

static void setup_jmp_wrap(struct vm *vm)
{
	static const u8 jmp[] = { 0xe9, 0x0d, 0x00 };	/* fff3 + d: 0 */

	memcpy(vm->ram + 0x3fff0, jmp, sizeof(jmp));
	memcpy(vm->ram + 0x30000, pass_code, sizeof(pass_code));
}

/* The frequency that the guest must be told. */
static void setup_tsc_khz(struct vm *vm)
{
	u32 khz = vm->caps.tsc_khz;

	memcpy(vm_ptr(vm, GPA(param)), &khz, sizeof(khz));
}

/* Another CPU for every run, and every register of the FPU with other values. */
static void disturb(struct vm *vm)
{
	(void)vm;
	vm_next_cpu();
	asm volatile("fninit; fldz; fldz; fldz\n\t"
		     "pcmpeqd %%xmm0, %%xmm0; movaps %%xmm0, %%xmm1\n\t"
		     "movaps %%xmm0, %%xmm2; movaps %%xmm0, %%xmm3\n\t"
		     "movaps %%xmm0, %%xmm7; movaps %%xmm0, %%xmm15\n\t"
		     "fstp %%st(0); fstp %%st(0); fstp %%st(0)"
		     : : : "xmm0", "xmm1", "xmm2", "xmm3", "xmm7", "xmm15");
	if (__builtin_cpu_supports("avx"))
		asm volatile("vmovaps %%ymm0, %%ymm0; vcmptrueps %%ymm1, %%ymm1, %%ymm1\n\t"
			     "vmovaps %%ymm1, %%ymm8; vmovaps %%ymm1, %%ymm14"
			     : : : "xmm1", "xmm8", "xmm14");
}

static void setup_disturb(struct vm *vm)
{
	vm->before_run = disturb;
}

static bool mmio_once(struct vm *vm)
{
	extern guest_sym long_mmio_read, long_mmio_write;
	static const u8 read_insn[] = { 0x8b, 0x4b, 0x04 };
	static const u8 write_insn[] = { 0x48, 0x89, 0x43, 0x08 };
	bool write = vm->run->mmio.write;
	const u8 *insn = write ? write_insn : read_insn;
	size_t len = write ? sizeof(write_insn) : sizeof(read_insn);
	struct vmdrv_regs regs;

	if (vm->run->mmio.gpa != (u64)(write ? L_MMIO + 8 : L_MMIO + 4) ||
	    vm->run->mmio.mode != 8 || vm->run->mmio.insn_len < len ||
	    memcmp(vm->run->mmio.insn, insn, len) ||
	    vm->run->rip != (write ? GPA(long_mmio_write) : GPA(long_mmio_read)))
		return false;
	VM_MUST(vm->vcpu, VMDRV_GET_REGS, &regs);
	if (write && regs.rax != 0x1122334455667788)
		return false;
	if (!write)
		regs.rcx = 0x600dcafe;
	regs.rip += len;
	VM_MUST(vm->vcpu, VMDRV_SET_REGS, &regs);
	return true;
}

static void setup_mmio(struct vm *vm)
{
	vm->mmio = mmio_once;
}

static void sync_irq(struct vm *vm, u32 step)
{
	vm_pulse(vm, step & 15);
}

static void setup_irq(struct vm *vm)
{
	vm->sync = sync_irq;
}

static bool check_task(struct vm *vm)
{
	/* the descriptors' busy bits: the first task is busy, the second free */
	return vm->ram[L_GDT + SEL_TSS + 5] == 0x8b &&
	       vm->ram[L_GDT + SEL_TSS2 + 5] == 0x89;
}

/* ---- the table ------------------------------------------------------------------ */

#define IO_ONLY(n) \
	.counts = { { "exits/io", EXACTLY(n) }, { "switches/io", EXACTLY(n) }, \
		    { "switches/mmio", EXACTLY(0) } }

GUEST(real_io, VM_REAL, real_io, IO_ONLY(12),
      WRITTEN("\x11\x33\x22\x77\x66\x55\x44\x77\x77\x66\x77\x66\x55\x44"));
GUEST(real_nobody, VM_REAL, real_nobody, IO_ONLY(4));
GUEST(real_latch, VM_REAL, real_latch,
      .counts = { { "exits/latch", EXACTLY(2) }, { "exits/io", EXACTLY(0) },
		  { "switches/io", EXACTLY(0) } });
GUEST(real_port_wrap, VM_REAL, real_port_wrap);
GUEST(real_si_wrap, VM_REAL, real_si_wrap, .check = check_wrap);
GUEST(real_ip_wrap, VM_REAL, real_ip_wrap, .setup = setup_ip_wrap);
GUEST(real_jmp_wrap, VM_REAL, real_jmp_wrap, .setup = setup_jmp_wrap);
GUEST(real_int, VM_REAL, real_int, .needs = LACKS_SOFT_INT);
GUEST(real_modes, VM_REAL, real_modes, IO_ONLY(5),
      WRITTEN("\x01\x50\0\0\x02\x50\0\0\x03\x50\0\0\x04\x50\0\0\x05\x50\0\0"));

/* 5,012 string elements and more in a few dozen exits: 4 KiB at a time */
#define STRING_IO \
	.counts = { { "switches/io", BETWEEN(8, 60) }, { "exits/io", AT_LEAST(8) } }

GUEST(real_outs, VM_REAL, real_outs, STRING_IO, .check = check_outs);
GUEST(real_ins, VM_REAL, real_ins, STRING_IO, .check = check_ins);
GUEST(prot_outs, VM_PROT, prot_outs, STRING_IO, .check = check_outs);
GUEST(prot_ins, VM_PROT, prot_ins, STRING_IO, .check = check_ins);
GUEST(paged_outs, VM_PAGED, prot_outs, STRING_IO, .check = check_outs);
GUEST(paged_ins, VM_PAGED, prot_ins, STRING_IO, .check = check_ins);
GUEST(pae_outs, VM_PAE, prot_outs, STRING_IO, .check = check_outs);
GUEST(pae_ins, VM_PAE, prot_ins, STRING_IO, .check = check_ins);
GUEST(long_outs, VM_LONG, long_outs, STRING_IO, .check = check_outs);
GUEST(long_ins, VM_LONG, long_ins, STRING_IO, .check = check_ins);

GUEST(prot_io, VM_PROT, prot_io, IO_ONLY(6), WRITTEN("\4\4\5\4\5\6\7"));
GUEST(prot_addr16, VM_PROT, prot_addr16, .check = check_addr16);
GUEST(prot_limit, VM_PROT, prot_limit);
GUEST(prot_traps, VM_PROT, prot_traps,
      .counts = { { "switches/io", EXACTLY(0) } });
GUEST(prot_user, VM_PROT, prot_user);
GUEST(paged_user, VM_PAGED, prot_user);
GUEST(prot_sysenter, VM_PROT, prot_sysenter, IO_ONLY(1));
GUEST(prot_task, VM_PROT, prot_task, .check = check_task);
GUEST(paged_task, VM_PAGED, prot_task, .check = check_task);
extern guest_sym prot_v86_gp;
GUEST(prot_v86, VM_PROT, prot_v86, .gates = { { 13, .handler = prot_v86_gp } });
GUEST(prot_cr, VM_PROT, prot_cr);
GUEST(prot_triple, VM_PROT, prot_triple, .end = VM_END_SHUTDOWN,
      .counts = { { "exits/shutdown", EXACTLY(1) },
		  { "switches/shutdown", EXACTLY(1) } });
GUEST(prot_bad_idt, VM_PROT, prot_bad_idt,
      .end = VM_END_SHUTDOWN | VM_END_STOP | VM_END_MMIO);
GUEST(prot_bad_gdt, VM_PROT, prot_bad_gdt, .end = VM_END_STOP | VM_END_MMIO);

GUEST(paged_paging, VM_PAGED, prot_paging,
      .counts = { { "switches/mmio", EXACTLY(0) } });
GUEST(pae_paging, VM_PAE, prot_paging);
GUEST(long_paging, VM_LONG, long_paging);
GUEST(paged_outs_fault, VM_PAGED, prot_outs_fault, .check = check_outs_fault);
GUEST(pae_outs_fault, VM_PAE, prot_outs_fault, .check = check_outs_fault);
GUEST(long_outs_fault, VM_LONG, long_outs_fault, .check = check_outs_fault);
GUEST(paged_ins_fault, VM_PAGED, prot_ins_fault, .check = check_ins_fault);
GUEST(pae_ins_fault, VM_PAE, prot_ins_fault, .check = check_ins_fault);
GUEST(long_ins_fault, VM_LONG, long_ins_fault, .check = check_ins_fault);

GUEST(long_io, VM_LONG, long_io, IO_ONLY(7),
      WRITTEN("\4\4\5\4\5\6\7\4\5\6\7"));
GUEST(long_addr, VM_LONG, long_addr, .check = check_addr64);
GUEST(long_user, VM_LONG, long_user);
GUEST(long_nx, VM_LONG, long_nx);
GUEST(long_cpuid, VM_LONG, long_cpuid, .setup = setup_tsc_khz,
      .counts = { { "exits/cpuid", BETWEEN(5, 6) }, { "switches/io", EXACTLY(0) } });
GUEST(long_backdoor, VM_LONG, long_backdoor, .setup = setup_tsc_khz);
GUEST(long_msr, VM_LONG, long_msr);
GUEST(long_hidden, VM_LONG, long_hidden);
GUEST(long_cr, VM_LONG, long_cr);
GUEST(long_xsetbv, VM_LONG, long_xsetbv);
GUEST(long_syscall, VM_LONG, long_syscall, .setup = setup_disturb);
GUEST(long_tsc, VM_LONG, long_tsc, .setup = setup_disturb);
GUEST(long_fpu, VM_LONG, long_fpu, .setup = setup_disturb, IO_ONLY(100));
GUEST(long_avx, VM_LONG, long_avx, .setup = setup_disturb);
GUEST(long_debug, VM_LONG, long_debug, .setup = setup_disturb);
GUEST(long_step, VM_LONG, long_step, .needs = LACKS_STEP);
GUEST(long_step_sti, VM_LONG, long_step_sti, .needs = LACKS_STI_STEP | LACKS_DR6);
GUEST(long_smc, VM_LONG, long_smc);
GUEST(long_mmio, VM_LONG, long_mmio, .setup = setup_mmio,
      .counts = { { "switches/mmio", EXACTLY(2) }, { "switches/io", EXACTLY(0) } });
GUEST(long_bad_cr3, VM_LONG, long_bad_cr3,
      .end = VM_END_SHUTDOWN | VM_END_STOP | VM_END_MMIO);

GUEST(irq_pic, VM_PROT, irq_pic, .setup = setup_irq);
GUEST(irq_window, VM_PROT, irq_window, .setup = setup_irq,
      .counts = { { "exits/window", AT_LEAST(1) } });
GUEST(irq_pit, VM_PROT, irq_pit,
      .counts = { { "exits/hlt", AT_LEAST(1) }, { "switches/io", EXACTLY(0) } });

FIXTURE_SETUP(guest)
{
	const struct vm_gate *gate;

	vm_create(&self->vm, variant->mode, variant->entry);
	for (gate = variant->gates; gate->handler; gate++)
		vm_set_gate(&self->vm, gate);
	if (variant->setup)
		variant->setup(&self->vm);
}

FIXTURE_TEARDOWN(guest)
{
	vm_destroy(&self->vm);
}

TEST_F(guest, runs)
{
	u32 want = variant->end ?: VM_END_PASS;
	const struct count *c;
	u32 end;
	u64 n;

	if (variant->needs & vm_cpu_lacks())
		SKIP(return, "the emulator gets this wrong (LACKS_* %#x)",
		     variant->needs & vm_cpu_lacks());
	end = vm_run_guest(&self->vm);
	EXPECT_TRUE(end & want)
		TH_LOG("%s", vm_end_text(&self->vm, end));
	for (c = variant->counts; c->name; c++) {
		n = vm_counter(&self->vm, c->name);
		if (end == VM_END_PASS && strstr(c->name, "/io"))
			n--;
		EXPECT_TRUE(n >= c->min && n <= c->max)
			TH_LOG("%s: %llu", c->name, (unsigned long long)n);
	}
	if (variant->written) {
		EXPECT_EQ(variant->written_size, self->vm.logged);
		EXPECT_EQ(0, memcmp(self->vm.log, variant->written,
				    variant->written_size));
	}
	if (variant->check)
		EXPECT_TRUE(variant->check(&self->vm));
}

TEST_HARNESS_MAIN
