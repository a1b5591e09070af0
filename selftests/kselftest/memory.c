// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory as a window onto the process: slots that come and go, memory
 * that is read-only or not there, and a host that takes pages back from under
 * a running guest.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "kselftest_harness.h"
#include "vm.h"

extern guest_sym mem_poke, mem_stream, mem_ins, mem_outs;

#define STREAM_PAGES	256		/* what mem_stream goes over */
#define STREAM_SIZE	(STREAM_PAGES * 4096u)
#define STREAM_GPA	0x400000u

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif

FIXTURE(memory) {
	struct vm vm;
};

FIXTURE_SETUP(memory)
{
	struct sigaction sa = { .sa_handler = SIG_IGN };

	sigaction(SIGUSR2, &sa, NULL);
	vm_create(&self->vm, VM_LONG, mem_poke);
}

FIXTURE_TEARDOWN(memory)
{
	vm_destroy(&self->vm);
}

static void set_slot(struct vm *vm, u32 slot, u32 flags, u64 gpa, u64 size, void *hva)
{
	struct vmdrv_memory m = { slot, flags, gpa, size, (uintptr_t)hva };

	VM_MUST(vm->fd, VMDRV_SET_MEMORY, &m);
}

static void remove_slot(struct vm *vm, u32 slot)
{
	set_slot(vm, slot, 0, 0, 0, NULL);
}

static void *host_pages(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		vm_die("mmap: %s", strerror(errno));
	return p;
}

/*
 * Have the guest (mem_poke) do one thing at an address: it reads a dword into
 * EAX when @write is 0, else writes @write there. Returns how that ended.
 */
static u32 poke(struct vm *vm, u64 gpa, u32 write, u32 *value)
{
	struct vmdrv_regs regs;
	u32 end;

	VM_MUST(vm->vcpu, VMDRV_GET_REGS, &regs);
	regs.rip = GPA(mem_poke);
	regs.rdi = gpa;
	regs.rsi = write;
	VM_MUST(vm->vcpu, VMDRV_SET_REGS, &regs);
	end = vm_run_guest(vm);
	if (value)
		*value = vm_read32(vm, L_RESULT);
	return end;
}

TEST_F(memory, outside_of_every_slot_is_mmio)
{
	struct vmdrv_run *run = self->vm.run;
	static const u64 places[] = {
		L_RAM_SIZE, 0x3ffffffc, L_MMIO, L_MMIO + 0xffe,
	};
	u64 before;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		before = vm_counter(&self->vm, "switches/mmio");
		EXPECT_EQ(VM_END_MMIO, poke(&self->vm, places[i], 0, NULL));
		EXPECT_EQ(places[i], run->mmio.gpa);
		EXPECT_EQ(0, run->mmio.write);
		EXPECT_EQ(VM_END_MMIO, poke(&self->vm, places[i], 7, NULL));
		EXPECT_EQ(places[i], run->mmio.gpa);
		EXPECT_EQ(1, run->mmio.write);
		EXPECT_EQ(8, run->mmio.mode);
		EXPECT_EQ(before + 2, vm_counter(&self->vm, "switches/mmio"));
		/* nothing was done: the same again */
		EXPECT_EQ(VM_END_MMIO, vm_run_guest(&self->vm));
		EXPECT_EQ(places[i], run->mmio.gpa);
	}
	/* the last bytes of memory are no MMIO */
	EXPECT_EQ(VM_END_PASS, poke(&self->vm, L_RAM_SIZE - 4, 7, NULL));
}

/* From or to no memory by a string instruction: nobody can do that for it. */
static u32 string_io(struct vm *vm, guest_sym insn, u64 gpa, u32 bytes)
{
	struct vmdrv_regs regs;

	VM_MUST(vm->vcpu, VMDRV_GET_REGS, &regs);
	regs.rip = GPA(insn);
	regs.rdi = gpa;
	regs.rsi = gpa;
	regs.rcx = bytes;
	VM_MUST(vm->vcpu, VMDRV_SET_REGS, &regs);
	return vm_run_guest(vm);
}

TEST_F(memory, string_io_with_no_memory_stops)
{
	const u32 wrong = VM_END_PASS | VM_END_FAIL | VM_END_TRAP | VM_END_INTR;
	u32 *pages = host_pages(4096), end;

	end = string_io(&self->vm, mem_ins, L_MMIO, 8);
	EXPECT_EQ(0, end & wrong)
		TH_LOG("%s", vm_end_text(&self->vm, end));
	end = string_io(&self->vm, mem_outs, L_MMIO, 8);
	EXPECT_EQ(0, end & wrong)
		TH_LOG("%s", vm_end_text(&self->vm, end));
	/* half of it in memory */
	end = string_io(&self->vm, mem_ins, L_RAM_SIZE - 100, 200);
	EXPECT_EQ(0, end & wrong)
		TH_LOG("%s", vm_end_text(&self->vm, end));
	set_slot(&self->vm, 5, VMDRV_MEM_READONLY, L_MMIO, 4096, pages);
	end = string_io(&self->vm, mem_ins, L_MMIO, 8);
	EXPECT_EQ(0, end & wrong)
		TH_LOG("%s", vm_end_text(&self->vm, end));
	EXPECT_EQ(0, pages[0]);
	end = string_io(&self->vm, mem_outs, L_MMIO, 8);
	EXPECT_EQ(VM_END_PASS, end)
		TH_LOG("%s", vm_end_text(&self->vm, end));
	/* and the guest is none the worse for it */
	end = string_io(&self->vm, mem_ins, L_SCRATCH, 5000);
	EXPECT_EQ(VM_END_PASS, end)
		TH_LOG("%s", vm_end_text(&self->vm, end));
}

TEST_F(memory, slots_come_and_go)
{
	u32 *pages = host_pages(2 * 4096), val;
	int i;

	pages[0] = 0x1111;
	pages[1024] = 0x2222;
	for (i = 0; i < 20; i++) {
		EXPECT_EQ(VM_END_MMIO, poke(&self->vm, L_MMIO, 0, NULL));
		set_slot(&self->vm, 5, 0, L_MMIO, 4096, pages);
		EXPECT_EQ(VM_END_PASS, poke(&self->vm, L_MMIO, 0, &val));
		EXPECT_EQ(0x1111, val);
		remove_slot(&self->vm, 5);
		/* another page at the same place: nothing old is seen */
		set_slot(&self->vm, 6, 0, L_MMIO, 4096, pages + 1024);
		EXPECT_EQ(VM_END_PASS, poke(&self->vm, L_MMIO, 0, &val));
		EXPECT_EQ(0x2222, val);
		EXPECT_EQ(VM_END_PASS, poke(&self->vm, L_MMIO, 0x2222, NULL));
		remove_slot(&self->vm, 6);
	}
	EXPECT_EQ(0x1111, pages[0]);
	/* one page of the process twice in the guest */
	set_slot(&self->vm, 7, 0, L_MMIO, 4096, pages);
	set_slot(&self->vm, 8, 0, L_MMIO + 0x10000, 4096, pages);
	EXPECT_EQ(VM_END_PASS, poke(&self->vm, L_MMIO, 0x3333, NULL));
	EXPECT_EQ(VM_END_PASS, poke(&self->vm, L_MMIO + 0x10000, 0, &val));
	EXPECT_EQ(0x3333, val);
}

TEST_F(memory, read_only_slot)
{
	u32 *pages = host_pages(4096), val;

	pages[1] = 0x4444;
	set_slot(&self->vm, 5, VMDRV_MEM_READONLY, L_MMIO, 4096, pages);
	EXPECT_EQ(VM_END_PASS, poke(&self->vm, L_MMIO + 4, 0, &val));
	EXPECT_EQ(0x4444, val);
	EXPECT_EQ(VM_END_MMIO, poke(&self->vm, L_MMIO + 4, 7, NULL));
	EXPECT_EQ(1, self->vm.run->mmio.write);
	EXPECT_EQ(L_MMIO + 4, self->vm.run->mmio.gpa);
	EXPECT_EQ(0x4444, pages[1]);
	/* read before written, and the other way round */
	remove_slot(&self->vm, 5);
	set_slot(&self->vm, 5, VMDRV_MEM_READONLY, L_MMIO, 4096, pages);
	EXPECT_EQ(VM_END_MMIO, poke(&self->vm, L_MMIO + 4, 7, NULL));
	EXPECT_EQ(VM_END_PASS, poke(&self->vm, L_MMIO + 4, 0, &val));
	EXPECT_EQ(0x4444, val);
}

/* The pages of a slot with @pages of them that were written; -errno. */
static int get_dirty(struct vm *vm, u32 slot, u32 pages, u64 *bitmap)
{
	struct vmdrv_dirty d = { slot, pages, (uintptr_t)bitmap };

	return vm_ioctl(vm->fd, VMDRV_GET_DIRTY, &d);
}

TEST_F(memory, written_pages_are_told)
{
	u32 *pages = host_pages(4 * 4096), *other = host_pages(4096), i;
	u64 bits = 0;

	for (i = 0; i < 4; i++)
		pages[i * 1024] = i;
	set_slot(&self->vm, 5, VMDRV_MEM_LOG_DIRTY, L_MMIO, 4 * 4096, pages);
	EXPECT_EQ(0, get_dirty(&self->vm, 5, 4, &bits));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(VM_END_PASS, poke(&self->vm, L_MMIO + i * 4096, 0, NULL));
	EXPECT_EQ(0, get_dirty(&self->vm, 5, 4, &bits));
	EXPECT_EQ(0, bits);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(VM_END_PASS, poke(&self->vm, L_MMIO + 4096, 7, NULL));
		EXPECT_EQ(VM_END_PASS, poke(&self->vm, L_MMIO + 3 * 4096 + 8, 7, NULL));
		EXPECT_EQ(2, get_dirty(&self->vm, 5, 4, &bits));
		EXPECT_EQ(0xa, bits);
		EXPECT_EQ(0, get_dirty(&self->vm, 5, 4, &bits));
		EXPECT_EQ(0, bits);
	}
	/* what left no trace counts as written: entries that were taken out ... */
	set_slot(&self->vm, 6, 0, L_MMIO + 0x10000, 4096, other);
	remove_slot(&self->vm, 6);
	EXPECT_EQ(4, get_dirty(&self->vm, 5, 4, &bits));
	EXPECT_EQ(0xf, bits);
	EXPECT_EQ(VM_END_PASS, poke(&self->vm, L_MMIO, 9, NULL));
	EXPECT_EQ(1, get_dirty(&self->vm, 5, 4, &bits));
	ASSERT_EQ(0, mprotect(pages, 4096, PROT_READ));
	ASSERT_EQ(0, mprotect(pages, 4096, PROT_READ | PROT_WRITE));
	EXPECT_EQ(4, get_dirty(&self->vm, 5, 4, &bits));
	/* ... a write by the VMM, and one whose report did not arrive */
	EXPECT_EQ(0, get_dirty(&self->vm, 5, 4, &bits));
	EXPECT_EQ(VM_END_PASS, string_io(&self->vm, mem_ins, L_MMIO, 8));
	EXPECT_EQ(4, get_dirty(&self->vm, 5, 4, &bits));
	EXPECT_EQ(VM_END_PASS, poke(&self->vm, L_MMIO, 9, NULL));
	EXPECT_EQ(-EFAULT, get_dirty(&self->vm, 5, 4, (u64 *)1));
	EXPECT_EQ(4, get_dirty(&self->vm, 5, 4, &bits));
	/* what is no such slot, or not all of it */
	EXPECT_EQ(-EINVAL, get_dirty(&self->vm, 5, 3, &bits));
	EXPECT_EQ(-EINVAL, get_dirty(&self->vm, 5, 0, &bits));
	EXPECT_EQ(-EINVAL, get_dirty(&self->vm, VMDRV_SLOT_MAX, 4, &bits));
	EXPECT_EQ(-ENOENT, get_dirty(&self->vm, 6, 1, &bits));
	set_slot(&self->vm, 6, 0, L_MMIO + 0x10000, 4096, other);
	EXPECT_EQ(-ENOENT, get_dirty(&self->vm, 6, 1, &bits));
}

/* The process may not write either: the guest cannot, and cannot go on. */
TEST_F(memory, mapping_that_cannot_be_written)
{
	u32 *pages = host_pages(4096), val;
	u32 end;

	pages[0] = 0x5555;
	ASSERT_EQ(0, mprotect(pages, 4096, PROT_READ));
	set_slot(&self->vm, 5, 0, L_MMIO, 4096, pages);
	EXPECT_EQ(VM_END_PASS, poke(&self->vm, L_MMIO, 0, &val));
	EXPECT_EQ(0x5555, val);
	end = poke(&self->vm, L_MMIO, 7, NULL);
	EXPECT_TRUE(end == VM_END_STOP || end == VM_END_ERROR)
		TH_LOG("%s", vm_end_text(&self->vm, end));
	EXPECT_EQ(0x5555, pages[0]);
	/* after the process has changed its mind the guest does too */
	ASSERT_EQ(0, mprotect(pages, 4096, PROT_READ | PROT_WRITE));
	EXPECT_EQ(VM_END_PASS, poke(&self->vm, L_MMIO, 7, NULL));
	EXPECT_EQ(7, pages[0]);
	/* and gone is gone */
	ASSERT_EQ(0, munmap(pages, 4096));
	end = poke(&self->vm, L_MMIO, 0, NULL);
	EXPECT_TRUE(end == VM_END_STOP || end == VM_END_ERROR)
		TH_LOG("%s", vm_end_text(&self->vm, end));
}

/* The page beyond the end of a file: SIGBUS to a process, a stop to a guest. */
TEST_F(memory, file_that_is_too_short)
{
	int fd = memfd_create("short", MFD_CLOEXEC);
	u32 *pages, val, end;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, 8192));
	pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, pages);
	pages[1024] = 0x6666;
	set_slot(&self->vm, 5, 0, L_MMIO, 8192, pages);
	EXPECT_EQ(VM_END_PASS, poke(&self->vm, L_MMIO + 4096, 0, &val));
	EXPECT_EQ(0x6666, val);
	ASSERT_EQ(0, ftruncate(fd, 4096));
	end = poke(&self->vm, L_MMIO + 4096, 0, NULL);
	EXPECT_TRUE(end == VM_END_STOP || end == VM_END_ERROR)
		TH_LOG("%s", vm_end_text(&self->vm, end));
	EXPECT_EQ(VM_END_PASS, poke(&self->vm, L_MMIO, 9, NULL));
	close(fd);
}

/* Copy on write: what the child of a fork sees is what was there at the fork. */
TEST_F(memory, fork_gives_the_child_a_copy)
{
	u32 *pages = host_pages(4096), val;
	int ready[2], go[2], status;
	pid_t pid;
	char c = 0;

	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, pipe(go));
	pages[0] = 1;
	set_slot(&self->vm, 5, 0, L_MMIO, 4096, pages);
	EXPECT_EQ(VM_END_PASS, poke(&self->vm, L_MMIO, 2, NULL));
	pid = fork();
	if (!pid) {
		if (read(go[0], &c, 1) != 1)
			_exit(2);
		_exit(pages[0] == 2 ? 0 : 1);
	}
	/* the page is shared with the child now; the guest's write must split it */
	EXPECT_EQ(VM_END_PASS, poke(&self->vm, L_MMIO, 3, NULL));
	EXPECT_EQ(3, pages[0]);
	pages[0] = 4;
	EXPECT_EQ(VM_END_PASS, poke(&self->vm, L_MMIO, 0, &val));
	EXPECT_EQ(4, val);
	ASSERT_EQ(1, write(go[1], &c, 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* ---- a guest that runs meanwhile ---------------------------------------------- */

/*
 * mem_stream adds one to each page's first dword, round after round, and
 * checks that all of a round agree. A page that it lost would not.
 */
struct stream {
	struct vm vm;
	u8 *pages;
	pthread_t thread;
	u32 end;
	volatile bool ended;
};

static void *run_stream(void *arg)
{
	struct stream *s = arg;

	s->end = vm_run_guest(&s->vm);
	s->ended = true;
	return NULL;
}

static u64 stream_rounds(struct stream *s)
{
	return *(volatile u64 *)(s->vm.ram + L_RESULT);
}

static void start_stream_with(struct stream *s, u32 flags)
{
	struct sigaction sa = { .sa_handler = vm_on_signal };

	sigaction(SIGUSR1, &sa, NULL);
	vm_create(&s->vm, VM_LONG, mem_stream);
	s->pages = host_pages(STREAM_SIZE);
	set_slot(&s->vm, 1, flags, STREAM_GPA, STREAM_SIZE, s->pages);
	if (pthread_create(&s->thread, NULL, run_stream, s))
		vm_die("cannot create a thread");
}

static void start_stream(struct stream *s)
{
	start_stream_with(s, 0);
}

static void wait_rounds(struct stream *s, u64 n)
{
	u64 until = stream_rounds(s) + n;
	struct timespec nap = { .tv_nsec = 1000000 };

	/* a guest that has ended makes no more of them */
	while (stream_rounds(s) < until && !s->ended)
		nanosleep(&nap, NULL);
}

static u32 stop_stream(struct stream *s)
{
	struct timespec nap = { .tv_nsec = 1000000 };

	s->vm.run->immediate_exit = 1;
	while (!s->ended) {
		pthread_kill(s->thread, SIGUSR1);
		nanosleep(&nap, NULL);
	}
	pthread_join(s->thread, NULL);
	return s->end;
}

/* After the end each page has the count of rounds, or is one ahead. */
static bool stream_is_right(struct stream *s)
{
	u32 rounds = stream_rounds(s), i, val;

	for (i = 0; i < STREAM_PAGES; i++) {
		val = *(u32 *)(s->pages + i * 4096);
		if (val != rounds && val != rounds + 1)
			return false;
	}
	return true;
}

static struct stream stream;

TEST(pages_out_and_in_under_a_running_guest)
{
	u32 i, end;

	start_stream(&stream);
	for (i = 0; i < 30; i++) {
		wait_rounds(&stream, 1);
		if (madvise(stream.pages, STREAM_SIZE, MADV_PAGEOUT))
			break;
	}
	end = stop_stream(&stream);
	EXPECT_EQ(VM_END_INTR, end)
		TH_LOG("%s", vm_end_text(&stream.vm, end));
	EXPECT_TRUE(stream_is_right(&stream));
	vm_destroy(&stream.vm);
}

TEST(protection_changes_under_a_running_guest)
{
	u32 i, end;

	start_stream(&stream);
	for (i = 0; i < 30; i++) {
		wait_rounds(&stream, 1);
		/* of pages that the guest reads only, then of all, for no time */
		ASSERT_EQ(0, mprotect(stream.pages, 4096, PROT_READ | PROT_WRITE | PROT_EXEC));
		ASSERT_EQ(0, mprotect(stream.pages, 4096, PROT_READ | PROT_WRITE));
	}
	end = stop_stream(&stream);
	EXPECT_EQ(VM_END_INTR, end)
		TH_LOG("%s", vm_end_text(&stream.vm, end));
	EXPECT_TRUE(stream_is_right(&stream));
	vm_destroy(&stream.vm);
}

/* A copy that takes over only what is told to be written is right in the end. */
static void follow_writes(struct stream *s, u32 copy[STREAM_PAGES])
{
	u64 bits[STREAM_PAGES / 64];
	u32 i;

	if (get_dirty(&s->vm, 1, STREAM_PAGES, bits) < 0)
		vm_die("VMDRV_GET_DIRTY: %s", strerror(errno));
	for (i = 0; i < STREAM_PAGES; i++)
		if (bits[i / 64] >> (i % 64) & 1)
			copy[i] = *(volatile u32 *)(s->pages + i * 4096);
}

TEST(writes_of_a_running_guest_are_told)
{
	static u32 copy[STREAM_PAGES];
	u32 i, end, wrong = 0;

	start_stream_with(&stream, VMDRV_MEM_LOG_DIRTY);
	for (i = 0; i < 200; i++) {
		if (i % 20 == 0)
			wait_rounds(&stream, 1);
		if (i % 50 == 49)
			madvise(stream.pages, STREAM_SIZE, MADV_PAGEOUT);
		follow_writes(&stream, copy);
	}
	end = stop_stream(&stream);
	follow_writes(&stream, copy);
	for (i = 0; i < STREAM_PAGES; i++)
		wrong += copy[i] != *(u32 *)(stream.pages + i * 4096);
	EXPECT_EQ(VM_END_INTR, end)
		TH_LOG("%s", vm_end_text(&stream.vm, end));
	EXPECT_EQ(0, wrong);
	EXPECT_TRUE(stream_is_right(&stream));
	vm_destroy(&stream.vm);
}

/* The process forks again and again: every page becomes copy on write. */
TEST(forks_under_a_running_guest)
{
	u32 i, end;
	pid_t pid;

	start_stream(&stream);
	for (i = 0; i < 20; i++) {
		wait_rounds(&stream, 1);
		pid = fork();
		if (!pid)
			_exit(0);
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	}
	end = stop_stream(&stream);
	EXPECT_EQ(VM_END_INTR, end)
		TH_LOG("%s", vm_end_text(&stream.vm, end));
	EXPECT_TRUE(stream_is_right(&stream));
	vm_destroy(&stream.vm);
}

/* Pages thrown away read as zeroes: the guest sees it at once, and says so. */
TEST(discarded_pages_are_zero_for_the_guest)
{
	u32 end;

	start_stream(&stream);
	wait_rounds(&stream, 3);
	ASSERT_EQ(0, madvise(stream.pages + 4096 * 100, 4096, MADV_DONTNEED));
	pthread_join(stream.thread, NULL);
	end = stream.end;
	EXPECT_EQ(VM_END_FAIL, end)
		TH_LOG("%s", vm_end_text(&stream.vm, end));
	vm_destroy(&stream.vm);
}

/* The mapping goes away, or elsewhere: a stop with a reason, no harm. */
TEST(unmapped_under_a_running_guest)
{
	u32 end;

	start_stream(&stream);
	wait_rounds(&stream, 3);
	ASSERT_EQ(0, munmap(stream.pages + 4096 * 17, 4096 * 5));
	pthread_join(stream.thread, NULL);
	end = stream.end;
	EXPECT_TRUE(end == VM_END_STOP || end == VM_END_ERROR)
		TH_LOG("%s", vm_end_text(&stream.vm, end));
	vm_destroy(&stream.vm);
}

TEST(moved_under_a_running_guest)
{
	void *to;
	u32 end;

	start_stream(&stream);
	wait_rounds(&stream, 3);
	to = mremap(stream.pages, STREAM_SIZE, STREAM_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
		    host_pages(STREAM_SIZE));
	ASSERT_NE(MAP_FAILED, to);
	pthread_join(stream.thread, NULL);
	end = stream.end;
	EXPECT_TRUE(end == VM_END_STOP || end == VM_END_ERROR)
		TH_LOG("%s", vm_end_text(&stream.vm, end));
	vm_destroy(&stream.vm);
}

TEST(slot_removed_under_a_running_guest)
{
	u32 end;

	start_stream(&stream);
	wait_rounds(&stream, 3);
	remove_slot(&stream.vm, 1);
	pthread_join(stream.thread, NULL);
	end = stream.end;
	EXPECT_EQ(VM_END_MMIO, end)
		TH_LOG("%s", vm_end_text(&stream.vm, end));
	EXPECT_TRUE(stream.vm.run->mmio.gpa >= STREAM_GPA &&
		    stream.vm.run->mmio.gpa < STREAM_GPA + STREAM_SIZE);
	EXPECT_TRUE(stream_is_right(&stream));
	vm_destroy(&stream.vm);
}

/* Huge pages: collapsed, split, and partly thrown away. */
TEST(huge_pages_split_under_a_running_guest)
{
	const size_t huge = 2u << 20;
	struct sigaction sa = { .sa_handler = vm_on_signal };
	u32 i, end;
	u8 *area;

	sigaction(SIGUSR1, &sa, NULL);
	vm_create(&stream.vm, VM_LONG, mem_stream);
	area = host_pages(2 * huge);
	area = (u8 *)(((uintptr_t)area + huge - 1) & ~(huge - 1));
	stream.pages = area;
	madvise(area, huge, MADV_HUGEPAGE);
	set_slot(&stream.vm, 1, 0, STREAM_GPA, huge, area);
	ASSERT_EQ(0, pthread_create(&stream.thread, NULL, run_stream, &stream));
	for (i = 0; i < 10; i++) {
		wait_rounds(&stream, 1);
		/* outside of what the guest counts in: the huge page is split */
		ASSERT_EQ(0, madvise(area + huge - 4096 * (i + 1), 4096, MADV_DONTNEED));
	}
	end = stop_stream(&stream);
	EXPECT_EQ(VM_END_INTR, end)
		TH_LOG("%s", vm_end_text(&stream.vm, end));
	EXPECT_TRUE(stream_is_right(&stream));
	vm_destroy(&stream.vm);
}

TEST_HARNESS_MAIN
