// SPDX-License-Identifier: GPL-2.0-only
/*
 * The world switch as the host sees it: whatever the guest does to registers,
 * the process that runs it keeps its own.
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <cpuid.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <time.h>

#include "kselftest_harness.h"
#include "vm.h"

extern guest_sym long_fpu, long_avx, long_syscall, long_debug, long_msr, long_tsc;
extern guest_sym long_xsetbv, real_modes, prot_user;

static const struct {
	const char *name;
	enum vm_mode mode;
	const char *entry;
} workloads[] = {
	{ "fpu", VM_LONG, long_fpu },
	{ "avx", VM_LONG, long_avx },
	{ "syscall", VM_LONG, long_syscall },
	{ "debug", VM_LONG, long_debug },
	{ "msr", VM_LONG, long_msr },
	{ "xsetbv", VM_LONG, long_xsetbv },
	{ "modes", VM_REAL, real_modes },
	{ "user", VM_PROT, prot_user },
};

/* The area of XSAVE has no more than this on any CPU of today. */
#define XSAVE_MAX	16384

struct xstate {
	u8 area[XSAVE_MAX] __attribute__((aligned(64)));
};

static u64 read_xcr0(void)
{
	u32 eax, ebx, ecx, edx;

	__cpuid(1, eax, ebx, ecx, edx);
	if (!(ecx & bit_OSXSAVE))
		return 3;
	asm volatile("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
	return eax | (u64)edx << 32;
}

static bool has_xsave(void)
{
	u32 eax, ebx, ecx, edx;

	__cpuid(1, eax, ebx, ecx, edx);
	return ecx & bit_OSXSAVE;
}

/*
 * VMDRV_RUN with all of the FPU's registers loaded from @in right before the
 * system call and stored to @out right behind it: no C code in between.
 */
static long run_with_xstate(int vcpu, const struct xstate *in, struct xstate *out)
{
	u64 mask = read_xcr0();
	long ret = SYS_ioctl;

	asm volatile("mov %[lo], %%eax; mov %[hi], %%edx\n\t"
		     "xrstor64 (%[in])\n\t"
		     "mov %[nr], %%eax; mov %[req], %%rsi; xor %%edx, %%edx\n\t"
		     "syscall\n\t"
		     "mov %%rax, %%rbx\n\t"
		     "mov %[lo], %%eax; mov %[hi], %%edx\n\t"
		     "xsave64 (%[out])\n\t"
		     "mov %%rbx, %[ret]"
		     : [ret] "=&r"(ret), "+D"(vcpu)
		     : [in] "r"(in), [out] "r"(out), [lo] "r"((u32)mask),
		       [hi] "r"((u32)(mask >> 32)), [nr] "i"(SYS_ioctl),
		       [req] "r"((u64)VMDRV_RUN)
		     : "rax", "rbx", "rcx", "rdx", "rsi", "r11", "memory");
	return ret;
}

static void fill_xstate(struct xstate *x, u32 turn)
{
	u64 mask = read_xcr0() & 7;	/* x87, SSE, AVX: what any test guest touches */
	u32 i;

	memset(x, 0, sizeof(*x));
	*(u16 *)x->area = 0x037f;			/* FCW */
	*(u32 *)(x->area + 24) = 0x1f80 | (turn & 3) << 13;	/* MXCSR */
	for (i = 0; i < 8; i++) {			/* ST0 to ST7: numbers */
		*(u64 *)(x->area + 32 + i * 16) = 1ull << 63 | turn << 8 | i;
		*(u16 *)(x->area + 40 + i * 16) = 0x3fff;
	}
	x->area[4] = 0xff;				/* none of them is empty */
	for (i = 0; i < 256; i++)
		x->area[160 + i] = i * 3 + turn;
	if (mask & 4)
		for (i = 0; i < 256; i++)
			x->area[576 + i] = i * 5 + turn;
	*(u64 *)(x->area + 512) = mask;
}

FIXTURE(host) {
	struct vm vm;
};

FIXTURE_SETUP(host)
{
	self->vm.ram = NULL;
}

FIXTURE_TEARDOWN(host)
{
	(void)self;
}

TEST_F(host, keeps_its_fpu)
{
	static struct xstate in, out;
	u32 turn, i, want, got;
	size_t w;
	long ret;

	if (!has_xsave())
		SKIP(return, "no XSAVE on this CPU");
	for (w = 0; w < ARRAY_SIZE(workloads); w++) {
		vm_create(&self->vm, workloads[w].mode, workloads[w].entry);
		for (turn = 0; turn < 20; turn++) {
			vm_next_cpu();
			fill_xstate(&in, turn);
			ret = run_with_xstate(self->vm.vcpu, &in, &out);
			if (ret < 0 || self->vm.run->exit_reason != VMDRV_EXIT_IO ||
			    self->vm.run->io.port == PORT_DONE)
				break;
			memset(self->vm.data, 0xff, 4);
			want = *(u32 *)(in.area + 24);
			got = *(u32 *)(out.area + 24);
			EXPECT_EQ(want & 0xffc0, got & 0xffc0);
			EXPECT_EQ(0, memcmp(in.area, out.area, 2));
			for (i = 32; i < 160; i += 16)
				EXPECT_EQ(0, memcmp(in.area + i, out.area + i, 10));
			EXPECT_EQ(0, memcmp(in.area + 160, out.area + 160, 256));
			if (in.area[512] & 4)
				EXPECT_EQ(0, memcmp(in.area + 576, out.area + 576, 256));
			if (!_metadata->passed) {
				TH_LOG("guest %s, turn %u", workloads[w].name, turn);
				return;
			}
		}
		vm_destroy(&self->vm);
	}
}

/* FS and GS bases: the C library's, and one of our own. */
TEST_F(host, keeps_its_segment_bases)
{
	unsigned long fs, gs, fs_now, gs_now;
	static __thread int tls = 7;
	u32 end, i;
	size_t w;

	ASSERT_EQ(0, syscall(SYS_arch_prctl, ARCH_SET_GS, 0x12345678000UL));
	ASSERT_EQ(0, syscall(SYS_arch_prctl, ARCH_GET_FS, &fs));
	gs = 0x12345678000UL;
	for (w = 0; w < ARRAY_SIZE(workloads); w++) {
		vm_create(&self->vm, workloads[w].mode, workloads[w].entry);
		for (i = 0; i < 10; i++) {
			vm_next_cpu();
			end = vm_run(&self->vm);
			if (end)
				break;
			syscall(SYS_arch_prctl, ARCH_GET_FS, &fs_now);
			syscall(SYS_arch_prctl, ARCH_GET_GS, &gs_now);
			EXPECT_EQ(fs, fs_now);
			EXPECT_EQ(gs, gs_now);
			EXPECT_EQ(7, tls);
			memset(self->vm.data, 0xff, 4);
			if (self->vm.run->exit_reason != VMDRV_EXIT_IO ||
			    self->vm.run->io.port == PORT_DONE)
				break;
		}
		vm_destroy(&self->vm);
	}
}

/* A process whose own debug registers are set, as a debugger does it. */
static u64 watched;

static void debugged_child(void)
{
	struct vm vm;
	u32 end;

	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
	vm_create(&vm, VM_LONG, long_debug);
	end = vm_run_guest(&vm);
	vm_destroy(&vm);
	if (end != VM_END_PASS)
		_exit(1);
	watched = 1;			/* SIGTRAP here, and only here */
	_exit(0);
}

TEST_F(host, keeps_its_debug_registers)
{
	unsigned long dr0;
	int status;
	pid_t pid;

	pid = fork();
	if (!pid)
		debugged_child();
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFSTOPPED(status));
	ASSERT_EQ(0, ptrace(PTRACE_POKEUSER, pid,
			    offsetof(struct user, u_debugreg[0]), &watched));
	/* eight bytes, written, local */
	ASSERT_EQ(0, ptrace(PTRACE_POKEUSER, pid,
			    offsetof(struct user, u_debugreg[7]), 0x00090001UL));
	ASSERT_EQ(0, ptrace(PTRACE_CONT, pid, 0, 0));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFSTOPPED(status)) {
		TH_LOG("status %#x", status);
	}
	EXPECT_EQ(SIGTRAP, WSTOPSIG(status));
	dr0 = ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user, u_debugreg[0]), 0);
	EXPECT_EQ((unsigned long)&watched, dr0);
	ptrace(PTRACE_CONT, pid, 0, 0);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status) && !WEXITSTATUS(status));
}

/* Time of the host and of the guest agree about which way is forward. */
TEST_F(host, clock_goes_on)
{
	struct timespec a, b;
	u32 i;

	vm_create(&self->vm, VM_LONG, long_tsc);
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < 150; i++) {
		vm_next_cpu();
		ASSERT_EQ(0, vm_run(&self->vm));
		ASSERT_EQ(VMDRV_EXIT_IO, self->vm.run->exit_reason);
		ASSERT_EQ(PORT_DEV8, self->vm.run->io.port)
			TH_LOG("line %u", *(u32 *)self->vm.data);
		clock_gettime(CLOCK_MONOTONIC, &b);
		EXPECT_TRUE(b.tv_sec > a.tv_sec ||
			    (b.tv_sec == a.tv_sec && b.tv_nsec >= a.tv_nsec));
		a = b;
	}
	vm_destroy(&self->vm);
}

TEST_HARNESS_MAIN
