/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM for tests: memory with the image of tiny guests in it, one vCPU, and a
 * loop that answers the test's ports (layout.h).
 *
 * Functions that cannot do what their name says print why ("# ...") and end
 * the process with status 1, which the harness counts as a failed test. Those
 * that return an int can be expected to fail: -errno.
 */
#ifndef WS_KSELFTEST_VM_H
#define WS_KSELFTEST_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "layout.h"
#include "uapi/vmdriver.h"

/* A test's, in seconds: a kernel with KASAN wants more than the harness's own 30. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 180

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

/* A symbol of the image is its guest-physical address. */
typedef const char guest_sym[];
#define GPA(symbol)	((u64)(uintptr_t)(symbol))

enum vm_mode {
	VM_REAL,
	VM_PROT,	/* 32 bits, no paging */
	VM_PAGED,	/* 32 bits, two levels, 4 MiB pages */
	VM_PAE,
	VM_LONG,
};

/* How a run of a guest came to its end. */
#define VM_END_PASS	(1u << 0)
#define VM_END_FAIL	(1u << 1)	/* vm->line says where */
#define VM_END_TRAP	(1u << 2)	/* an exception nobody expected */
#define VM_END_SHUTDOWN	(1u << 3)
#define VM_END_STOP	(1u << 4)
#define VM_END_MMIO	(1u << 5)
#define VM_END_INTR	(1u << 6)	/* a signal, or immediate_exit */
#define VM_END_ERROR	(1u << 7)	/* VMDRV_RUN failed: vm->error */

/* A gate of the guest's IDT; selector 0 is the ring 0 code segment. */
struct vm_gate {
	u8 vector;
	u8 dpl;
	u8 ist;
	u16 selector;
	const char *handler;
};

#define VM_LOG_SIZE	0x20000

struct vm {
	int dev, fd, vcpu;	/* descriptors; -1 when not open */
	u32 id;			/* /sys/class/vmdriver/vm<id> */
	enum vm_mode mode;
	struct vmdrv_run *run;
	u8 *data;		/* the page of port data */
	u8 *ram;		/* L_RAM_SIZE bytes at guest physical 0 */
	struct vmdrv_caps caps;

	/* the test device */
	u8 log[VM_LOG_SIZE];	/* what was written to it */
	u32 logged;
	u8 next;		/* the last byte that was read from it */

	u32 line;		/* of a guest that failed */
	u32 trap, trap_error, trap_ip;
	int error;		/* of VM_END_ERROR: a positive errno */

	/* Called for a dword written to PORT_SYNC; the guest goes on after it. */
	void (*sync)(struct vm *vm, u32 step);
	/* Called before every vm_run() of vm_run_guest(). */
	void (*before_run)(struct vm *vm);
	/* Returns true when it has dealt with an MMIO exit. */
	bool (*mmio)(struct vm *vm);
	void *priv;
};

void vm_die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* A descriptor of /dev/vmdriver. */
int vm_open_device(void);

/* A VM with memory, image, vCPU and state of @mode, about to run at @entry. */
void vm_create(struct vm *vm, enum vm_mode mode, guest_sym entry);
/* The same in steps: descriptors only, then memory, then the CPU's state. */
void vm_open(struct vm *vm);
void vm_add_memory(struct vm *vm);
void vm_set_mode(struct vm *vm, enum vm_mode mode, guest_sym entry);
/* Image and pattern again, as vm_add_memory() put them. */
void vm_load(struct vm *vm);
void vm_destroy(struct vm *vm);

/* LACKS_* of layout.h: what this CPU leaves out of what the tests could test. */
u32 vm_cpu_lacks(void);

/* Writes a gate into the IDT (or IVT) of the VM's mode. */
void vm_set_gate(struct vm *vm, const struct vm_gate *gate);

/* One ioctl; 0 or more, or -errno. */
int vm_ioctl(int fd, unsigned long request, void *arg);
/* The same for those that must work. */
#define VM_MUST(fd, request, arg) do { \
	int __ret = vm_ioctl(fd, request, arg); \
	if (__ret < 0) \
		vm_die("%s:%d: %s: %s", __FILE__, __LINE__, #request, strerror(-__ret)); \
} while (0)

/*
 * VMDRV_RUN, again if it was left without a signal with the handler below: the kernel
 * had work of its own to do then. Returns 0 or a negative errno.
 */
int vm_run(struct vm *vm);

/* Run until something ends it: VM_END_*. Of signals, those with the handler below do. */
u32 vm_run_guest(struct vm *vm);
void vm_on_signal(int sig);
/* What that was, for a person: a static buffer. */
const char *vm_end_text(struct vm *vm, u32 end);

/* Takes this thread to the next of the CPUs that the process may use. */
void vm_next_cpu(void);

/* "exits/io", "switches/mmio", ...; no such file ends the test. */
u64 vm_counter(struct vm *vm, const char *name);
/* The sum of all files of a folder: "exits". */
u64 vm_counter_sum(struct vm *vm, const char *folder);

void vm_irq(struct vm *vm, u32 irq, u32 level);
/* An edge: 0, then 1, where the line stays. */
void vm_pulse(struct vm *vm, u32 irq);

void *vm_ptr(struct vm *vm, u64 gpa);
u32 vm_read32(struct vm *vm, u64 gpa);
u64 vm_read64(struct vm *vm, u64 gpa);
/* The byte at L_BUF + offset as vm_add_memory() left it. */
u8 vm_pattern(u32 offset);

/* VMs of anybody that sysfs shows now. */
int vm_count_all(void);

/* Symbols of the image that more than one program needs. */
extern guest_sym trap_vector, trap_error, trap_count, trap_ip, param;

#endif
