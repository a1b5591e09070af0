// SPDX-License-Identifier: GPL-2.0-only
/*
 * once - does a guest of KVM's have each interrupt once, in the lab's emulator?
 *
 * Its handler runs for longer than a tick of the host, with IF clear and without an
 * exit. An emulator that delivers the interrupt again then enters the handler anew.
 * See tools/lab/qemu.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define VECTOR	0x20
#define CODE	0x1000
#define ROUNDS	10
#define PORT_TWICE	0x11

/* 2 * 6000000 instructions take 12 ms of 1000 million a second; a tick is 4 ms. */
asm(".code16\n"
    "guest:		jmp guest\n"
    "handler:	cmpb $0, 0x800\n"
    "		jne 2f\n"
    "		movb $1, 0x800\n"
    "		movl $6000000, %ecx\n"
    "1:		decl %ecx\n"
    "		jnz 1b\n"
    "		movb $0, 0x800\n"
    "		outb %al, $0x10\n"
    "		iret\n"
    "2:		outb %al, $0x11\n"
    "guest_end:\n"
    ".code64\n");
extern const char guest[], handler[], guest_end[];

static int check(int ret, const char *what)
{
	if (ret < 0) {
		perror(what);
		exit(2);
	}
	return ret;
}

static void stop(unsigned int reason)
{
	fprintf(stderr, "exit for reason %u\n", reason);
	exit(2);
}

static void load(unsigned char *memory)
{
	unsigned short entry = CODE + (handler - guest);

	memcpy(memory + CODE, guest, guest_end - guest);
	memcpy(memory + VECTOR * 4, &entry, sizeof(entry));	/* in segment 0 */
}

static void set_registers(int vcpu)
{
	struct kvm_regs regs = { .rip = CODE, .rsp = 0x7000, .rflags = 0x202 };
	struct kvm_sregs sregs;

	check(ioctl(vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.cs.base = sregs.cs.selector = 0;
	check(ioctl(vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
	check(ioctl(vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
}

/*
 * KVM's own PIC, as if set up, that forgets each interrupt it has delivered. (Of one that
 * this process queues itself KVM makes an exit at once, in front of the handler.)
 */
static void set_pic(int vm)
{
	struct kvm_irqchip pic = { .chip_id = KVM_IRQCHIP_PIC_MASTER };

	check(ioctl(vm, KVM_GET_IRQCHIP, &pic), "KVM_GET_IRQCHIP");
	pic.chip.pic.irq_base = VECTOR;
	pic.chip.pic.imr = 0;
	pic.chip.pic.auto_eoi = 1;
	check(ioctl(vm, KVM_SET_IRQCHIP, &pic), "KVM_SET_IRQCHIP");
}

static void pulse(int vm)
{
	struct kvm_irq_level line = { .irq = 0, .level = 1 };

	check(ioctl(vm, KVM_IRQ_LINE, &line), "KVM_IRQ_LINE");
	line.level = 0;
	check(ioctl(vm, KVM_IRQ_LINE, &line), "KVM_IRQ_LINE");
}

/* How many interrupts were handled before one came twice; ROUNDS: none did. */
static int run(int vm, int vcpu, const struct kvm_run *state)
{
	int n;

	for (n = 0; n < ROUNDS; n++) {
		pulse(vm);
		check(ioctl(vcpu, KVM_RUN, 0), "KVM_RUN");
		if (state->exit_reason != KVM_EXIT_IO)
			stop(state->exit_reason);
		if (state->io.port == PORT_TWICE)
			break;
	}
	return n;
}

int main(void)
{
	int kvm = check(open("/dev/kvm", O_RDWR), "/dev/kvm");
	int vm = check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	struct kvm_userspace_memory_region region = { .memory_size = 0x10000 };
	struct kvm_run *state;
	unsigned char *memory;
	int vcpu, n;

	memory = mmap(NULL, region.memory_size, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		check(-1, "mmap");
	load(memory);
	region.userspace_addr = (unsigned long)memory;
	check(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
	check(ioctl(vm, KVM_CREATE_IRQCHIP, 0), "KVM_CREATE_IRQCHIP");
	set_pic(vm);
	vcpu = check(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
	state = mmap(NULL, check(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE"),
		     PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (state == MAP_FAILED)
		check(-1, "mmap of the vCPU");
	set_registers(vcpu);
	n = run(vm, vcpu, state);
	printf(n == ROUNDS ? "%d interrupts, each once\n" : "after %d interrupts one came twice\n", n);
	return n != ROUNDS;
}
