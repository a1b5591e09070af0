// SPDX-License-Identifier: GPL-2.0-only
/* A VM for tests: see vm.h. */
#define _GNU_SOURCE
#include <cpuid.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vm.h"

#define SYSFS_CLASS	"/sys/class/vmdriver"

/* Page table pages, from L_PT on. */
enum {
	PT_PML4, PT_PDPT, PT_PD, PT_LEAF64,	/* long */
	PT_PD32, PT_LEAF32,			/* two levels */
	PT_PDPT_PAE,				/* PAE; shares PD and leaves with long */
};
#define PT_PAGE(n)	(L_PT + (n) * 0x1000u)

#define PTE_NORMAL	0x67ull		/* P, RW, US, A, D */
#define PTE_LARGE	0xe7ull

#define TRAP_STRIDE	16
#define TRAP_VECTORS	49		/* stubs in guest/trap.S */
#define IDT_VECTORS	64

extern const u8 guest_image[], guest_image_end[];
extern guest_sym trap_stubs16, trap_stubs32, trap_stubs64, irq_stubs32;
extern guest_sym guest_pass32, guest_pass64, pte_shift, pt_base, cpu_lacks;
extern guest_sym long_cr2;

void vm_die(const char *fmt, ...)
{
	va_list ap;

	fputs("# ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	_exit(1);
}

int vm_ioctl(int fd, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

int vm_open_device(void)
{
	int fd = open(VMDRV_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		vm_die("%s: %s; is vmdriver loaded?", VMDRV_DEVICE, strerror(errno));
	return fd;
}

void *vm_ptr(struct vm *vm, u64 gpa)
{
	if (gpa >= L_RAM_SIZE)
		vm_die("no memory at %#llx", (unsigned long long)gpa);
	return vm->ram + gpa;
}

u32 vm_read32(struct vm *vm, u64 gpa)
{
	u32 val;

	memcpy(&val, vm_ptr(vm, gpa), sizeof(val));
	return val;
}

u64 vm_read64(struct vm *vm, u64 gpa)
{
	u64 val;

	memcpy(&val, vm_ptr(vm, gpa), sizeof(val));
	return val;
}

static void write32(struct vm *vm, u64 gpa, u32 val)
{
	memcpy(vm_ptr(vm, gpa), &val, sizeof(val));
}

static void write64(struct vm *vm, u64 gpa, u64 val)
{
	memcpy(vm_ptr(vm, gpa), &val, sizeof(val));
}

u8 vm_pattern(u32 offset)
{
	return offset * 7 + (offset >> 8) * 3 + 1;
}

void vm_open(struct vm *vm)
{
	struct vmdrv_create_vm create = { .name = "kselftest" };

	memset(vm, 0, sizeof(*vm));
	vm->dev = vm_open_device();
	VM_MUST(vm->dev, VMDRV_GET_CAPS, &vm->caps);
	if (vm->caps.version != VMDRV_API_VERSION)
		vm_die("API version %u, not %u", vm->caps.version, VMDRV_API_VERSION);

	vm->fd = vm_ioctl(vm->dev, VMDRV_CREATE_VM, &create);
	if (vm->fd < 0)
		vm_die("VMDRV_CREATE_VM: %s", strerror(-vm->fd));
	vm->id = create.id;
	vm->vcpu = vm_ioctl(vm->fd, VMDRV_CREATE_VCPU, NULL);
	if (vm->vcpu < 0)
		vm_die("VMDRV_CREATE_VCPU: %s", strerror(-vm->vcpu));
	vm->run = mmap(NULL, vm->caps.run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		       vm->vcpu, 0);
	if (vm->run == MAP_FAILED)
		vm_die("mmap of the run page: %s", strerror(errno));
	vm->data = (u8 *)vm->run + VMDRV_DATA_OFFSET;
}

static void load(struct vm *vm, u32 lacks)
{
	size_t size = guest_image_end - guest_image;
	u32 i;

	if (L_IMAGE + size > L_IMAGE_END)
		vm_die("the guests' image is too large: %zu bytes", size);
	memcpy(vm->ram + L_IMAGE, guest_image, size);
	for (i = 0; i < L_BUF_SIZE; i++)
		vm->ram[L_BUF + i] = vm_pattern(i);
	write32(vm, GPA(cpu_lacks), lacks);
}

static void add_memory(struct vm *vm)
{
	struct vmdrv_memory mem = { .size = L_RAM_SIZE };

	vm->ram = mmap(NULL, L_RAM_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (vm->ram == MAP_FAILED)
		vm_die("mmap of the guest's memory: %s", strerror(errno));
	mem.hva = (uintptr_t)vm->ram;
	VM_MUST(vm->fd, VMDRV_SET_MEMORY, &mem);
}

/* QEMU says who it is. */
static bool cpu_is_qemu(void)
{
	u32 eax, ebx, ecx, edx;

	__cpuid(1, eax, ebx, ecx, edx);
	if (!(ecx & (1u << 31)))
		return false;
	__cpuid(0x40000000, eax, ebx, ecx, edx);
	return ebx == 0x54474354;		/* "TCGT" */
}

/* Whether a guest finds in CR2 what it was given. */
static bool cr2_is_loaded(void)
{
	struct vmdrv_sregs sregs;
	static struct vm vm;
	bool loaded;
	u32 end;

	vm_open(&vm);
	add_memory(&vm);
	load(&vm, 0);
	vm_set_mode(&vm, VM_LONG, long_cr2);
	VM_MUST(vm.vcpu, VMDRV_GET_SREGS, &sregs);
	sregs.cr2 = 0x123456789000;
	VM_MUST(vm.vcpu, VMDRV_SET_SREGS, &sregs);
	end = vm_run_guest(&vm);
	if (end != VM_END_PASS)
		vm_die("a guest that reads CR2: %s", vm_end_text(&vm, end));
	loaded = vm_read64(&vm, L_RESULT) == sregs.cr2;
	vm_destroy(&vm);
	return loaded;
}

/*
 * What an emulator leaves out nobody can test there. That CR2 is not loaded is
 * the only one of the faults of Bochs' SVM (2.7) that does no harm to try, as
 * some of the others take the whole machine down: by it they are known.
 */
u32 vm_cpu_lacks(void)
{
	static u32 lacks;
	static bool known;

	if (known)
		return lacks;
	if (cpu_is_qemu())
		lacks = LACKS_CHECKS | LACKS_BREAKPOINTS | LACKS_STI_STEP;
	else if (!cr2_is_loaded())
		lacks = LACKS_CR2 | LACKS_DR6 | LACKS_STEP | LACKS_SOFT_INT |
			LACKS_PE_CHECK | LACKS_INTR;
	known = true;
	return lacks;
}

void vm_add_memory(struct vm *vm)
{
	add_memory(vm);
	vm_load(vm);
}

void vm_load(struct vm *vm)
{
	load(vm, vm_cpu_lacks());
}

static void set_descriptor(struct vm *vm, u16 selector, u32 base, u32 limit,
			   u16 attrib)
{
	bool pages = attrib & 0x800;
	u32 units = pages ? limit >> 12 : limit;

	write32(vm, L_GDT + (selector & ~7), base << 16 | (units & 0xffff));
	write32(vm, L_GDT + (selector & ~7) + 4,
		(base & 0xff000000) | (attrib & 0xf00) << 12 | (units & 0xf0000) |
		(attrib & 0xff) << 8 | (base >> 16 & 0xff));
}

static void set_gdt(struct vm *vm)
{
	const u16 tss = 0x089;	/* available */

	set_descriptor(vm, SEL_CODE32, 0, 0xffffffff, 0xc9b);
	set_descriptor(vm, SEL_DATA, 0, 0xffffffff, 0xc93);
	set_descriptor(vm, SEL_CODE64, 0, 0xffffffff, 0xa9b);
	set_descriptor(vm, SEL_DATA_B, 0, 0xffffffff, 0xc93);
	set_descriptor(vm, SEL_CODE16, 0, 0xffff, 0x09b);
	set_descriptor(vm, SEL_UCODE32, 0, 0xffffffff, 0xcfb);
	set_descriptor(vm, SEL_UDATA, 0, 0xffffffff, 0xcf3);
	set_descriptor(vm, SEL_UCODE64, 0, 0xffffffff, 0xafb);
	set_descriptor(vm, SEL_TSS, L_TSS, 0x88, tss);
	if (vm->mode == VM_LONG)
		write64(vm, L_GDT + SEL_TSS + 8, 0);
	else
		set_descriptor(vm, SEL_TSS2, L_TSS2, 0x67, tss);
	set_descriptor(vm, SEL_BUF, L_BUF, 0xffff, 0x493);
	set_descriptor(vm, SEL_ABSENT, 0, 0xffffffff, 0xc13);
	set_descriptor(vm, SEL_DATA16, 0, 0xffff, 0x093);
}

extern guest_sym prot_task2;

static void set_tss(struct vm *vm, u32 cr3)
{
	/* no port but E0h to E7h; one byte of ones has to end the map */
	memset(vm_ptr(vm, L_TSS + 0x68), 0xff, 0x21);
	*(u8 *)vm_ptr(vm, L_TSS + 0x68 + PORT_DEV8 / 8) = 0;
	write32(vm, L_TSS + 0x64, 0x68 << 16);

	if (vm->mode == VM_LONG) {
		write64(vm, L_TSS + 4, L_STACK0);	/* RSP0 */
		write64(vm, L_TSS + 0x24, L_STACK0);	/* IST1 */
		return;
	}
	write32(vm, L_TSS + 4, L_STACK0);
	write32(vm, L_TSS + 8, SEL_DATA);
	write32(vm, L_TSS + 0x1c, cr3);

	write32(vm, L_TSS2 + 0x1c, cr3);
	write32(vm, L_TSS2 + 0x20, GPA(prot_task2));
	write32(vm, L_TSS2 + 0x24, 2);
	write32(vm, L_TSS2 + 0x34, 0x55556666);		/* EBX */
	write32(vm, L_TSS2 + 0x38, L_STACK - 0x800);	/* ESP */
	write32(vm, L_TSS2 + 0x48, SEL_DATA);
	write32(vm, L_TSS2 + 0x4c, SEL_CODE32);
	write32(vm, L_TSS2 + 0x50, SEL_DATA);
	write32(vm, L_TSS2 + 0x54, SEL_DATA);
	write32(vm, L_TSS2 + 0x64, 0x68 << 16);
}

void vm_set_gate(struct vm *vm, const struct vm_gate *gate)
{
	u32 attrib = 0x8e00 | gate->dpl << 13 | gate->ist;
	u64 to = GPA(gate->handler);
	u16 sel = gate->selector;

	switch (vm->mode) {
	case VM_REAL:
		write32(vm, gate->vector * 4, to);
		break;
	case VM_LONG:
		sel = sel ?: SEL_CODE64;
		write32(vm, L_IDT + gate->vector * 16, sel << 16 | (to & 0xffff));
		write32(vm, L_IDT + gate->vector * 16 + 4,
			(to & 0xffff0000) | attrib);
		write64(vm, L_IDT + gate->vector * 16 + 8, to >> 32);
		break;
	default:
		sel = sel ?: SEL_CODE32;
		write32(vm, L_IDT + gate->vector * 8, sel << 16 | (to & 0xffff));
		write32(vm, L_IDT + gate->vector * 8 + 4,
			(to & 0xffff0000) | (attrib & 0xff00));
		break;
	}
}

static void set_idt(struct vm *vm)
{
	const char *stubs = vm->mode == VM_REAL ? trap_stubs16 :
			    vm->mode == VM_LONG ? trap_stubs64 : trap_stubs32;
	struct vm_gate gate = { 0 };
	int i;

	for (i = 0; i < TRAP_VECTORS; i++) {
		gate.vector = i;
		gate.handler = stubs + i * TRAP_STRIDE;
		/* INT3 and INTO are for everybody */
		gate.dpl = i == 3 || i == 4 ? 3 : 0;
		if (i >= 0x20 && i < 0x30 && stubs == trap_stubs32)
			gate.handler = irq_stubs32 + (i - 0x20) * TRAP_STRIDE;
		vm_set_gate(vm, &gate);
	}
	if (vm->mode == VM_REAL)
		return;
	gate.vector = 0x31;
	gate.dpl = 3;
	gate.handler = vm->mode == VM_LONG ? guest_pass64 : guest_pass32;
	vm_set_gate(vm, &gate);
}

/* An identity map: 4 KiB pages up to 2 (or 4) MiB, large ones from there on. */
static u32 set_page_tables(struct vm *vm)
{
	u32 i;

	if (vm->mode == VM_PAGED) {
		for (i = 0; i < 1024; i++) {
			write32(vm, PT_PAGE(PT_LEAF32) + i * 4, i << 12 | PTE_NORMAL);
			write32(vm, PT_PAGE(PT_PD32) + i * 4, i << 22 | PTE_LARGE);
		}
		write32(vm, PT_PAGE(PT_PD32), PT_PAGE(PT_LEAF32) | PTE_NORMAL);
		write32(vm, GPA(pt_base), PT_PAGE(PT_LEAF32));
		write32(vm, GPA(pte_shift), 2);
		return PT_PAGE(PT_PD32);
	}

	for (i = 0; i < 512; i++) {
		write64(vm, PT_PAGE(PT_LEAF64) + i * 8, (u64)i << 12 | PTE_NORMAL);
		write64(vm, PT_PAGE(PT_PD) + i * 8, (u64)i << 21 | PTE_LARGE);
	}
	write64(vm, PT_PAGE(PT_PD), PT_PAGE(PT_LEAF64) | PTE_NORMAL);
	write32(vm, GPA(pt_base), PT_PAGE(PT_LEAF64));
	write32(vm, GPA(pte_shift), 3);
	if (vm->mode == VM_PAE) {
		write64(vm, PT_PAGE(PT_PDPT_PAE), PT_PAGE(PT_PD) | 1);
		return PT_PAGE(PT_PDPT_PAE);
	}
	/* the first GiB again at 4 GiB, and all of it in the topmost 512 GiB */
	write64(vm, PT_PAGE(PT_PDPT), PT_PAGE(PT_PD) | PTE_NORMAL);
	write64(vm, PT_PAGE(PT_PDPT) + 4 * 8, PT_PAGE(PT_PD) | PTE_NORMAL);
	write64(vm, PT_PAGE(PT_PML4), PT_PAGE(PT_PDPT) | PTE_NORMAL);
	write64(vm, PT_PAGE(PT_PML4) + 511 * 8, PT_PAGE(PT_PDPT) | PTE_NORMAL);
	return PT_PAGE(PT_PML4);
}

static void set_sregs(struct vm *vm, u32 cr3)
{
	const struct vmdrv_segment real = { .limit = 0xffff, .attrib = 0x093 };
	const struct vmdrv_segment flat = {
		.limit = 0xffffffff, .selector = SEL_DATA, .attrib = 0xc93,
	};
	const struct vmdrv_segment buf = {
		.base = L_BUF, .limit = 0xffff, .selector = SEL_BUF, .attrib = 0x493,
	};
	bool is_real = vm->mode == VM_REAL, is_long = vm->mode == VM_LONG;
	struct vmdrv_sregs s;

	VM_MUST(vm->vcpu, VMDRV_GET_SREGS, &s);
	s.ds = is_real ? real : flat;
	s.ss = s.ds;
	s.gs = s.ds;
	s.es = is_real || is_long ? s.ds : buf;
	s.fs = buf;
	if (is_real) {
		s.fs = real;
		s.fs.base = L_BUF;
		s.fs.selector = L_BUF >> 4;
		s.es = s.fs;
	}
	s.cs = is_real ? real : flat;
	s.cs.attrib = is_real ? 0x09b : is_long ? 0xa9b : 0xc9b;
	s.cs.selector = is_real ? 0 : is_long ? SEL_CODE64 : SEL_CODE32;
	s.ldtr = (struct vmdrv_segment){ .attrib = 0 };
	s.tr = (struct vmdrv_segment){ .base = L_TSS, .limit = 0x88, .attrib = 0x08b };
	s.gdtr = (struct vmdrv_dtable){ .base = L_GDT, .limit = SEL_LIMIT - 1 };
	s.idtr = (struct vmdrv_dtable){ .base = is_real ? 0 : L_IDT };
	s.idtr.limit = is_real ? 0x3ff : IDT_VECTORS * (is_long ? 16 : 8) - 1;
	s.cr0 = is_real ? 0x10 : vm->mode == VM_PROT ? 0x31 : 0x80000031;
	s.cr3 = cr3;
	s.cr4 = 0x600;			/* OSFXSR, OSXMMEXCPT */
	if (vm->mode == VM_PAGED)
		s.cr4 |= 0x10;
	if (vm->mode == VM_PAE || is_long)
		s.cr4 |= 0x20;
	s.efer = is_long ? 0xd01 : 0;	/* NXE, LMA, LME, SCE */
	VM_MUST(vm->vcpu, VMDRV_SET_SREGS, &s);
}

void vm_set_mode(struct vm *vm, enum vm_mode mode, guest_sym entry)
{
	struct vmdrv_regs regs = { .rflags = 2, .rsp = L_STACK, .rip = GPA(entry) };
	u32 cr3 = 0;

	vm->mode = mode;
	set_gdt(vm);
	set_idt(vm);
	/* real mode guests may go on to long mode: the tables are there */
	if (mode == VM_REAL) {
		vm->mode = VM_LONG;
		set_page_tables(vm);
		vm->mode = VM_REAL;
	} else if (mode != VM_PROT) {
		cr3 = set_page_tables(vm);
	}
	if (mode != VM_REAL)
		set_tss(vm, cr3);
	set_sregs(vm, cr3);
	VM_MUST(vm->vcpu, VMDRV_SET_REGS, &regs);
}

void vm_create(struct vm *vm, enum vm_mode mode, guest_sym entry)
{
	vm_open(vm);
	vm_add_memory(vm);
	vm_set_mode(vm, mode, entry);
}

void vm_destroy(struct vm *vm)
{
	if (vm->run)
		munmap(vm->run, vm->caps.run_size);
	close(vm->vcpu);
	close(vm->fd);
	close(vm->dev);
	if (vm->ram)
		munmap(vm->ram, L_RAM_SIZE);
}

static bool is_device_port(u16 port)
{
	return (port >= PORT_DEV8 && port < PORT_DEV8 + 8) ||
	       (port >= PORT_DEV && port < PORT_DEV + 0x100);
}

/* Answer one I/O exit; returns a VM_END_* bit when the guest is done. */
static u32 answer_io(struct vm *vm)
{
	u16 port = vm->run->io.port;
	u32 bytes = vm->run->io.size * vm->run->io.count;
	u32 val = 0, i;

	if (bytes > VMDRV_DATA_SIZE)
		vm_die("port %#x: %u elements of %u bytes do not fit", port,
		       vm->run->io.count, vm->run->io.size);
	if (vm->run->io.direction == VMDRV_IO_IN) {
		for (i = 0; i < bytes; i++)
			vm->data[i] = is_device_port(port) ? ++vm->next : 0xff;
		return 0;
	}

	memcpy(&val, vm->data, bytes < 4 ? bytes : 4);
	switch (port) {
	case PORT_DONE:
		vm->line = val;
		return val ? VM_END_FAIL : VM_END_PASS;
	case PORT_TRAP:
		vm->trap = val;
		return 0;
	case PORT_TRAP_ERROR:
		vm->trap_error = val;
		return 0;
	case PORT_TRAP_IP:
		vm->trap_ip = val;
		return VM_END_TRAP;
	case PORT_SYNC:
		if (vm->sync)
			vm->sync(vm, val);
		return 0;
	}
	if (is_device_port(port)) {
		if (vm->logged + bytes > VM_LOG_SIZE)
			vm_die("the guest wrote more than %u bytes", VM_LOG_SIZE);
		memcpy(vm->log + vm->logged, vm->data, bytes);
		vm->logged += bytes;
	}
	return 0;
}

void vm_next_cpu(void)
{
	static cpu_set_t all;
	static int cpu;
	cpu_set_t one;

	if (!CPU_COUNT(&all) && sched_getaffinity(0, sizeof(all), &all))
		vm_die("sched_getaffinity: %s", strerror(errno));
	do
		cpu = (cpu + 1) % CPU_SETSIZE;
	while (!CPU_ISSET(cpu, &all));
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		vm_die("sched_setaffinity: %s", strerror(errno));
}

static volatile sig_atomic_t signals;

void vm_on_signal(int sig)
{
	(void)sig;
	signals++;
}

int vm_run(struct vm *vm)
{
	const sig_atomic_t before = signals;
	int ret;

	do
		ret = vm_ioctl(vm->vcpu, VMDRV_RUN, NULL);
	while (ret == -EINTR && signals == before && !vm->run->immediate_exit);
	return ret;
}

u32 vm_run_guest(struct vm *vm)
{
	u32 end = 0;
	int ret;

	while (!end) {
		if (vm->before_run)
			vm->before_run(vm);
		ret = vm_run(vm);
		if (ret == -EINTR)
			return VM_END_INTR;
		if (ret < 0) {
			vm->error = -ret;
			return VM_END_ERROR;
		}
		switch (vm->run->exit_reason) {
		case VMDRV_EXIT_IO:
			end = answer_io(vm);
			break;
		case VMDRV_EXIT_MMIO:
			if (!vm->mmio || !vm->mmio(vm))
				end = VM_END_MMIO;
			break;
		case VMDRV_EXIT_SHUTDOWN:
			end = VM_END_SHUTDOWN;
			break;
		case VMDRV_EXIT_STOP:
			end = VM_END_STOP;
			break;
		default:
			vm_die("VMDRV_RUN: exit reason %u", vm->run->exit_reason);
		}
	}
	return end;
}

const char *vm_end_text(struct vm *vm, u32 end)
{
	static char text[200];

	switch (end) {
	case VM_END_PASS:
		return "passed";
	case VM_END_FAIL:
		snprintf(text, sizeof(text), "failed at line %u of its source", vm->line);
		break;
	case VM_END_TRAP:
		snprintf(text, sizeof(text),
			 "unexpected exception %u, error code %#x, at %#x",
			 vm->trap, vm->trap_error, vm->trap_ip);
		break;
	case VM_END_SHUTDOWN:
		snprintf(text, sizeof(text), "shutdown at %#llx", vm->run->rip);
		break;
	case VM_END_STOP:
		snprintf(text, sizeof(text), "stopped at %#llx: %.120s", vm->run->rip,
			 vm->run->stop.reason);
		break;
	case VM_END_MMIO:
		snprintf(text, sizeof(text), "MMIO %s of %#llx at %#llx",
			 vm->run->mmio.write ? "write" : "read", vm->run->mmio.gpa,
			 vm->run->rip);
		break;
	case VM_END_INTR:
		return "interrupted";
	default:
		snprintf(text, sizeof(text), "VMDRV_RUN: %s", strerror(vm->error));
		break;
	}
	return text;
}

static u64 read_counter(const char *path)
{
	unsigned long long val;
	FILE *f = fopen(path, "r");

	if (!f || fscanf(f, "%llu", &val) != 1)
		vm_die("%s: %s", path, f ? "no number" : strerror(errno));
	fclose(f);
	return val;
}

u64 vm_counter(struct vm *vm, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), SYSFS_CLASS "/vm%u/%s", vm->id, name);
	return read_counter(path);
}

u64 vm_counter_sum(struct vm *vm, const char *folder)
{
	char path[300];
	struct dirent *e;
	u64 sum = 0;
	DIR *dir;

	snprintf(path, sizeof(path), SYSFS_CLASS "/vm%u/%s", vm->id, folder);
	dir = opendir(path);
	if (!dir)
		vm_die("%s: %s", path, strerror(errno));
	while ((e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), SYSFS_CLASS "/vm%u/%.64s/%.128s", vm->id,
			 folder, e->d_name);
		sum += read_counter(path);
	}
	closedir(dir);
	return sum;
}

void vm_irq(struct vm *vm, u32 irq, u32 level)
{
	struct vmdrv_irq line = { .irq = irq, .level = level };

	VM_MUST(vm->fd, VMDRV_SET_IRQ, &line);
}

void vm_pulse(struct vm *vm, u32 irq)
{
	vm_irq(vm, irq, 0);
	vm_irq(vm, irq, 1);
}

int vm_count_all(void)
{
	DIR *dir = opendir(SYSFS_CLASS);
	struct dirent *e;
	int n = 0;

	if (!dir)
		return 0;
	while ((e = readdir(dir)))
		n += !strncmp(e->d_name, "vm", 2) && e->d_name[2] >= '0' &&
		     e->d_name[2] <= '9';
	closedir(dir);
	return n;
}
