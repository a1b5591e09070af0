// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every ioctl with every wrong argument that comes to mind: the right errno,
 * nothing changed, and a host that does not care.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "core/i8254.h"
#include "core/i8259.h"
#include "kselftest_harness.h"
#include "vm.h"

extern guest_sym long_count, long_io, real_hlt_off, real_spin;

#define BAD_PTR		((void *)0x800000000000ull)
#define KERNEL_PTR	((void *)0xffff888000000000ull)

FIXTURE(ioctls) {
	struct vm vm;
	void *readonly, *nothing;
};

FIXTURE_SETUP(ioctls)
{
	vm_create(&self->vm, VM_LONG, long_count);
	self->readonly = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	self->nothing = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->readonly);
	ASSERT_NE(MAP_FAILED, self->nothing);
}

FIXTURE_TEARDOWN(ioctls)
{
	/* whatever was tried: the VM still runs a guest */
	vm_load(&self->vm);
	vm_set_mode(&self->vm, VM_LONG, long_io);
	self->vm.run->immediate_exit = 0;
	EXPECT_EQ(VM_END_PASS, vm_run_guest(&self->vm));
	vm_destroy(&self->vm);
}

enum kind { DEVICE, VM, VCPU };

static const struct {
	const char *name;
	unsigned long request;
	enum kind kind;
} calls[] = {
	{ "GET_CAPS", VMDRV_GET_CAPS, DEVICE },
	{ "CREATE_VM", VMDRV_CREATE_VM, DEVICE },
	{ "SET_MEMORY", VMDRV_SET_MEMORY, VM },
	{ "CREATE_VCPU", VMDRV_CREATE_VCPU, VM },
	{ "SET_IRQ", VMDRV_SET_IRQ, VM },
	{ "ADD_LATCH", VMDRV_ADD_LATCH, VM },
	{ "GET_LATCH", VMDRV_GET_LATCH, VM },
	{ "SET_LATCH", VMDRV_SET_LATCH, VM },
	{ "GET_DEVICE", VMDRV_GET_DEVICE, VM },
	{ "SET_DEVICE", VMDRV_SET_DEVICE, VM },
	{ "GET_DIRTY", VMDRV_GET_DIRTY, VM },
	{ "RESET_DEVICES", VMDRV_RESET_DEVICES, VM },
	{ "SET_KNOB", VMDRV_SET_KNOB, VM },
	{ "GET_KNOB", VMDRV_GET_KNOB, VM },
	{ "RUN", VMDRV_RUN, VCPU },
	{ "GET_REGS", VMDRV_GET_REGS, VCPU },
	{ "SET_REGS", VMDRV_SET_REGS, VCPU },
	{ "GET_SREGS", VMDRV_GET_SREGS, VCPU },
	{ "SET_SREGS", VMDRV_SET_SREGS, VCPU },
	{ "GET_DREGS", VMDRV_GET_DREGS, VCPU },
	{ "SET_DREGS", VMDRV_SET_DREGS, VCPU },
	{ "GET_EVENTS", VMDRV_GET_EVENTS, VCPU },
	{ "SET_EVENTS", VMDRV_SET_EVENTS, VCPU },
	{ "GET_MSRS", VMDRV_GET_MSRS, VCPU },
	{ "SET_MSRS", VMDRV_SET_MSRS, VCPU },
	{ "GET_MSR_LIST", VMDRV_GET_MSR_LIST, VCPU },
	{ "GET_XSAVE", VMDRV_GET_XSAVE, VCPU },
	{ "SET_XSAVE", VMDRV_SET_XSAVE, VCPU },
	{ "GET_CPUID", VMDRV_GET_CPUID, VCPU },
	{ "TRANSLATE", VMDRV_TRANSLATE, VCPU },
	{ "RESET_VCPU", VMDRV_RESET_VCPU, VCPU },
	{ "NMI", VMDRV_NMI, VCPU },
};

static int fd_of(struct vm *vm, enum kind kind)
{
	return kind == DEVICE ? vm->dev : kind == VM ? vm->fd : vm->vcpu;
}

/* Knobs of a VM; those of NICs want one, and the data path takes no value here. */
TEST_F(ioctls, knobs)
{
	static const struct {
		struct vmdrv_knob_value v;
		int err;
	} list[] = {
		{ { VMDRV_KNOB_IRQ_NOTIFICATION, 0, 1, 0 }, 0 },
		{ { VMDRV_KNOB_HOST_IRQ_TO_VMAPP, 0, 1, 0 }, 0 },
		{ { VMDRV_KNOB_PAIRS, 0, 1, 0 }, 0 },
		{ { VMDRV_KNOB_PAIRS, 0, 2, 0 }, EINVAL },
		{ { VMDRV_KNOB_PAIRS, 0, 0, 1 }, EINVAL },
		{ { VMDRV_KNOB_PAIRS, 1, 0, 0 }, EINVAL },
		{ { VMDRV_KNOB_COMBINE_MAX, 0, 3, 0 }, EINVAL },
		{ { VMDRV_KNOB_DATAPATH, 0, VMDRV_PATH_VMM, 0 }, EINVAL },
		{ { VMDRV_KNOB_NR, 0, 0, 0 }, EINVAL },
		{ { ~0u, 0, 0, 0 }, EINVAL },
	};
	struct vmdrv_knob_value v = { .knob = VMDRV_KNOB_PAIRS };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(list); i++) {
		v = list[i].v;
		EXPECT_EQ(-list[i].err, vm_ioctl(self->vm.fd, VMDRV_SET_KNOB, &v))
			TH_LOG("entry %zu", i);
	}
	v = (struct vmdrv_knob_value){ .knob = VMDRV_KNOB_PAIRS };
	EXPECT_EQ(0, vm_ioctl(self->vm.fd, VMDRV_GET_KNOB, &v));
	EXPECT_EQ(1, v.value);
	EXPECT_EQ(1, self->vm.run->irq_notification);
	/* What comes after this does not expect such an exit. */
	v = (struct vmdrv_knob_value){ .knob = VMDRV_KNOB_HOST_IRQ_TO_VMAPP };
	EXPECT_EQ(0, vm_ioctl(self->vm.fd, VMDRV_SET_KNOB, &v));
}

/* A call belongs to one kind of descriptor; unknown ones to none. */
TEST_F(ioctls, wrong_descriptor)
{
	static u8 arg[4096];
	int ret, kind;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		for (kind = DEVICE; kind <= VCPU; kind++) {
			if (kind == (int)calls[i].kind)
				continue;
			ret = vm_ioctl(fd_of(&self->vm, kind), calls[i].request, arg);
			EXPECT_EQ(-ENOTTY, ret)
				TH_LOG("%s on kind %d", calls[i].name, kind);
		}
	for (kind = DEVICE; kind <= VCPU; kind++) {
		EXPECT_EQ(-ENOTTY, vm_ioctl(fd_of(&self->vm, kind), _IO(VMDRV_IOC, 0xff), arg));
		EXPECT_EQ(-ENOTTY, vm_ioctl(fd_of(&self->vm, kind), 0, arg));
		EXPECT_EQ(-ENOTTY, vm_ioctl(fd_of(&self->vm, kind), 0x5401 /* TCGETS */, arg));
	}
}

/* The number of a call with the size of another structure. */
TEST_F(ioctls, wrong_size)
{
	static u8 arg[32768];
	unsigned long request;
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		if (!_IOC_SIZE(calls[i].request))
			continue;
		request = _IOC(_IOC_DIR(calls[i].request), VMDRV_IOC, _IOC_NR(calls[i].request),
			       _IOC_SIZE(calls[i].request) + 8);
		ret = vm_ioctl(fd_of(&self->vm, calls[i].kind), request, arg);
		EXPECT_EQ(-ENOTTY, ret)
			TH_LOG("%s", calls[i].name);
	}
}

TEST_F(ioctls, wrong_pointer)
{
	void *bad[] = { NULL, (void *)1, self->nothing, BAD_PTR, KERNEL_PTR,
			(void *)-1L };
	size_t i, j;
	int ret;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		if (!_IOC_SIZE(calls[i].request))
			continue;
		for (j = 0; j < ARRAY_SIZE(bad); j++) {
			ret = vm_ioctl(fd_of(&self->vm, calls[i].kind), calls[i].request, bad[j]);
			EXPECT_EQ(-EFAULT, ret)
				TH_LOG("%s with %p", calls[i].name, bad[j]);
		}
		if (!(_IOC_DIR(calls[i].request) & _IOC_READ) ||
		    calls[i].request == VMDRV_CREATE_VM)
			continue;
		ret = vm_ioctl(fd_of(&self->vm, calls[i].kind), calls[i].request, self->readonly);
		EXPECT_TRUE(ret == -EFAULT || ret == -EINVAL || ret == -E2BIG)
			TH_LOG("%s into read-only memory: %d", calls[i].name, ret);
	}
}

/* A VM that nobody gets: its descriptor must not stay either. */
TEST_F(ioctls, create_vm_arguments)
{
	struct vmdrv_create_vm c = { .name = "x" };
	int before = vm_count_all(), fd;

	c.flags = 1;
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.dev, VMDRV_CREATE_VM, &c));
	c.flags = 0;
	memset(c.name, 'a', sizeof(c.name));		/* no NUL */
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.dev, VMDRV_CREATE_VM, &c));
	strcpy(c.name, "a\nb");				/* not printable */
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.dev, VMDRV_CREATE_VM, &c));
	EXPECT_EQ(before, vm_count_all());

	memcpy(self->vm.ram + L_SCRATCH, &c, sizeof(c));
	strcpy(c.name, "fine");
	fd = vm_ioctl(self->vm.dev, VMDRV_CREATE_VM, &c);
	ASSERT_LE(0, fd);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(before + 1, vm_count_all());
	close(fd);
	EXPECT_EQ(before, vm_count_all());
}

TEST_F(ioctls, create_vcpu_once)
{
	struct vmdrv_create_vm c = { .name = "two" };
	int fd, vcpu;

	EXPECT_EQ(-EEXIST, vm_ioctl(self->vm.fd, VMDRV_CREATE_VCPU, NULL));
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.fd, VMDRV_CREATE_VCPU, (void *)1));
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.fd, VMDRV_CREATE_VCPU, (void *)-1L));
	fd = vm_ioctl(self->vm.dev, VMDRV_CREATE_VM, &c);
	ASSERT_LE(0, fd);
	vcpu = vm_ioctl(fd, VMDRV_CREATE_VCPU, NULL);
	ASSERT_LE(0, vcpu);
	/* the vCPU keeps its VM: in whatever order they are closed */
	close(fd);
	EXPECT_EQ(0, vm_ioctl(vcpu, VMDRV_RESET_VCPU, NULL));
	close(vcpu);
}

TEST_F(ioctls, memory_arguments)
{
	const u64 ok = (uintptr_t)self->vm.ram;
	const struct {
		struct vmdrv_memory m;
		int err;
	} list[] = {
		{ { 1, 0, 0x300000, 0x1000, ok }, 0 },
		{ { 1, 0, 0x400000, 0x1000, ok }, EBUSY },		/* in use */
		{ { 2, 0, 0x300000, 0x1000, ok }, EEXIST },		/* overlaps */
		{ { 2, 0, 0x2ff000, 0x2000, ok }, EEXIST },
		{ { 2, 0, 0, 0x1000, ok }, EEXIST },
		{ { 32, 0, 0x500000, 0x1000, ok }, EINVAL },
		{ { 0xffffffff, 0, 0x500000, 0x1000, ok }, EINVAL },
		{ { 2, 4, 0x500000, 0x1000, ok }, EINVAL },		/* flags */
		{ { 2, VMDRV_MEM_LOG_DIRTY, 0x10000000, (VMDRV_DIRTY_MAX + 1) * 4096ull, ok },
		  EINVAL },						/* too much to log */
		{ { 2, 0x80000000, 0x500000, 0x1000, ok }, EINVAL },
		{ { 2, 0, 0x500001, 0x1000, ok }, EINVAL },		/* not aligned */
		{ { 2, 0, 0x500000, 0x1001, ok }, EINVAL },
		{ { 2, 0, 0x500000, 0x1000, ok + 8 }, EINVAL },
		{ { 2, 0, 0xfffffffffffff000, 0x2000, ok }, EINVAL },	/* wraps */
		{ { 2, 0, 0x500000, 0xfffffffffffff000, ok }, EINVAL },
		{ { 2, 0, 0x500000, 0x8000000000000000, ok }, EINVAL },
		{ { 2, 0, 1ull << 52, 0x1000, ok }, EINVAL },		/* too high */
		{ { 2, 0, 1ull << 63, 0x1000, ok }, EINVAL },
		{ { 2, 0, 0x500000, 0x1000, 0x800000000000 }, EFAULT },	/* not ours */
		{ { 2, 0, 0x500000, 0x1000, 0xffff888000000000 }, EFAULT },
		{ { 2, 0, 0x500000, 0x2000, 0xfffffffffffff000 }, EFAULT },
		{ { 1, 0, 0, 0, 0 }, 0 },				/* removed */
		{ { 1, 0, 0, 0, 0 }, ENOENT },
		{ { 32, 0, 0, 0, 0 }, EINVAL },
	};
	struct vmdrv_memory m;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(list); i++) {
		m = list[i].m;
		EXPECT_EQ(-list[i].err, vm_ioctl(self->vm.fd, VMDRV_SET_MEMORY, &m))
			TH_LOG("entry %zu", i);
	}
	/* every slot at once, and not one more */
	for (i = 1; i < VMDRV_SLOT_MAX; i++) {
		m = (struct vmdrv_memory){ i, 0, 0x1000000 + i * 0x1000, 0x1000, ok };
		EXPECT_EQ(0, vm_ioctl(self->vm.fd, VMDRV_SET_MEMORY, &m));
	}
	for (i = 1; i < VMDRV_SLOT_MAX; i++) {
		m = (struct vmdrv_memory){ .slot = i };
		EXPECT_EQ(0, vm_ioctl(self->vm.fd, VMDRV_SET_MEMORY, &m));
	}
}

TEST_F(ioctls, irq_arguments)
{
	struct vmdrv_irq irq = { 2, 1 };

	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.fd, VMDRV_SET_IRQ, &irq));
	irq.irq = 16;
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.fd, VMDRV_SET_IRQ, &irq));
	irq.irq = 0xffffffff;
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.fd, VMDRV_SET_IRQ, &irq));
	irq = (struct vmdrv_irq){ 5, 2 };
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.fd, VMDRV_SET_IRQ, &irq));
	irq.level = 0;
	EXPECT_EQ(0, vm_ioctl(self->vm.fd, VMDRV_SET_IRQ, &irq));
}

TEST_F(ioctls, latch_arguments)
{
	const struct {
		struct vmdrv_latch l;
		int err;
	} list[] = {
		{ { 0x80, 1, 0 }, EEXIST }, { { 0x20, 1, 0 }, EEXIST },
		{ { 0x21, 1, 0 }, EEXIST }, { { 0x40, 1, 0 }, EEXIST },
		{ { 0x61, 1, 0 }, EEXIST },
		{ { 0x1000, 0, 0 }, EINVAL }, { { 0x1000, 3, 0 }, EINVAL },
		{ { 0x1000, 8, 0 }, EINVAL }, { { 0x1001, 2, 0 }, EINVAL },
		{ { 0x1002, 4, 0 }, EINVAL }, { { 0xffff, 2, 0 }, EINVAL },
		{ { 0x1000, 1, 0x100 }, EINVAL }, { { 0x1000, 2, 0x10000 }, EINVAL },
		{ { 0x1000, 4, 0x12345678 }, 0 }, { { 0x1000, 4, 0 }, EEXIST },
		{ { 0x1002, 2, 0 }, EEXIST },
	};
	struct vmdrv_latch l;
	size_t i, n = 0;
	int ret;

	for (i = 0; i < ARRAY_SIZE(list); i++) {
		l = list[i].l;
		EXPECT_EQ(-list[i].err, vm_ioctl(self->vm.fd, VMDRV_ADD_LATCH, &l))
			TH_LOG("entry %zu", i);
	}
	l = (struct vmdrv_latch){ 0x1000, 4, 0 };
	EXPECT_EQ(0, vm_ioctl(self->vm.fd, VMDRV_GET_LATCH, &l));
	EXPECT_EQ(0x12345678, l.value);
	l.value = 0xcafebabe;
	EXPECT_EQ(0, vm_ioctl(self->vm.fd, VMDRV_SET_LATCH, &l));
	l.value = 0;
	EXPECT_EQ(0, vm_ioctl(self->vm.fd, VMDRV_GET_LATCH, &l));
	EXPECT_EQ(0xcafebabe, l.value);
	l = (struct vmdrv_latch){ 0x1000, 2, 0 };
	EXPECT_GT(0, vm_ioctl(self->vm.fd, VMDRV_GET_LATCH, &l));
	l = (struct vmdrv_latch){ 0x2000, 1, 0 };
	EXPECT_GT(0, vm_ioctl(self->vm.fd, VMDRV_GET_LATCH, &l));
	EXPECT_GT(0, vm_ioctl(self->vm.fd, VMDRV_SET_LATCH, &l));
	l = (struct vmdrv_latch){ 0x21, 1, 0 };		/* a port, but not a latch */
	EXPECT_GT(0, vm_ioctl(self->vm.fd, VMDRV_SET_LATCH, &l));

	for (i = 0; i < 2 * VMDRV_LATCH_MAX; i++) {
		l = (struct vmdrv_latch){ 0x3000 + i, 1, i };
		ret = vm_ioctl(self->vm.fd, VMDRV_ADD_LATCH, &l);
		if (ret < 0)
			break;
		n++;
	}
	EXPECT_TRUE(n > 0 && n <= VMDRV_LATCH_MAX)
		TH_LOG("%zu latches", n);
	EXPECT_TRUE(ret == -ENOSPC || ret == -EINVAL || ret == -E2BIG)
		TH_LOG("one too many: %d", ret);
}

TEST_F(ioctls, device_state_arguments)
{
	struct i8259_pair_state pic;
	struct i8254_state pit;
	struct {
		u32 device, size;
		void *data;
	} parts[] = {
		{ VMDRV_DEV_PIC, sizeof(pic), &pic }, { VMDRV_DEV_PIT, sizeof(pit), &pit },
	};
	struct vmdrv_device_state s;
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		s = (struct vmdrv_device_state){
			parts[i].device, parts[i].size, (uintptr_t)parts[i].data
		};
		EXPECT_EQ(0, vm_ioctl(self->vm.fd, VMDRV_GET_DEVICE, &s));
		EXPECT_EQ(0, vm_ioctl(self->vm.fd, VMDRV_SET_DEVICE, &s));
		s.size++;
		EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.fd, VMDRV_GET_DEVICE, &s));
		s.size = 0;
		EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.fd, VMDRV_SET_DEVICE, &s));
		s.size = parts[i].size;
		s.data = (uintptr_t)BAD_PTR;
		EXPECT_EQ(-EFAULT, vm_ioctl(self->vm.fd, VMDRV_GET_DEVICE, &s));
		EXPECT_EQ(-EFAULT, vm_ioctl(self->vm.fd, VMDRV_SET_DEVICE, &s));
		/* nonsense is refused or made harmless: the guest then runs */
		memset(parts[i].data, 0xff, parts[i].size);
		s.data = (uintptr_t)parts[i].data;
		ret = vm_ioctl(self->vm.fd, VMDRV_SET_DEVICE, &s);
		EXPECT_TRUE(ret == 0 || ret == -EINVAL);
	}
	s.device = 0;
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.fd, VMDRV_GET_DEVICE, &s));
	s.device = 99;
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.fd, VMDRV_SET_DEVICE, &s));
	EXPECT_EQ(0, vm_ioctl(self->vm.fd, VMDRV_RESET_DEVICES, NULL));
}

/*
 * What sregs must not have; each entry changes one thing of a good state. The first
 * word of what it is is the field, which the host's log has to name.
 */
struct bad_sregs {
	const char *what;
	size_t offset;
	u8 size;
	u64 set, clear;
};

#define SREG(what, field, set, clear) \
	{ what, offsetof(struct vmdrv_sregs, field), \
	  sizeof(((struct vmdrv_sregs *)0)->field), set, clear }

static const struct bad_sregs bad_sregs[] = {
	SREG("CR0 high half", cr0, 1ull << 32, 0),
	SREG("CR0 PG without PE", cr0, 0, 1),
	SREG("CR0 NW without CD", cr0, 1 << 29, 1 << 30),
	SREG("CR3 above the physical width", cr3, 1ull << 60, 0),
	SREG("CR4 reserved", cr4, 1u << 31, 0),
	SREG("CR4 high half", cr4, 1ull << 40, 0),
	SREG("CR4 VMXE", cr4, 1 << 13, 0),
	SREG("CR4 without PAE in long mode", cr4, 0, 0x20),
	SREG("CR8", cr8, 0x10, 0),
	SREG("EFER SVME", efer, 1 << 12, 0),
	SREG("EFER reserved", efer, 1ull << 20, 0),
	SREG("EFER high half", efer, 1ull << 40, 0),
	SREG("EFER LMA without LME", efer, 0, 0x100),
	SREG("XCR0 without x87", xcr0, 0, 1),
	SREG("XCR0 reserved", xcr0, 1ull << 62, 0),
	SREG("CS that is L and D", cs.attrib, 0x400, 0),
	SREG("DS attributes of 16 bits", ds.attrib, 0xf000, 0),
	SREG("GDTR padding", gdtr.pad[1], 1, 0),
	SREG("FS base not canonical", fs.base, 1ull << 50, 0),
	SREG("GDTR base not canonical", gdtr.base, 1ull << 63, 0),
};

#define LOG_TRIES	60	/* the log takes ten lines of this kind in five seconds */
#define LOG_WAIT_US	100000

/* Is there a new line in the host's log for a fault in the field that @what begins with? */
static bool log_names(int kmsg, const char *what)
{
	char line[1024], wanted[64];
	bool found = false;
	ssize_t n;

	snprintf(wanted, sizeof(wanted), "invalid guest state: %.*s",
		 (int)strcspn(what, " "), what);
	while ((n = read(kmsg, line, sizeof(line) - 1)) > 0 || errno == EPIPE) {
		line[n > 0 ? n : 0] = 0;
		found |= strstr(line, wanted) != NULL;
		errno = 0;
	}
	return found;
}

static struct vmdrv_sregs spoilt(const struct vmdrv_sregs *good, const struct bad_sregs *b)
{
	struct vmdrv_sregs bad = *good;
	u64 val = 0;

	memcpy(&val, (u8 *)&bad + b->offset, b->size);
	val = (val | b->set) & ~b->clear;
	memcpy((u8 *)&bad + b->offset, &val, b->size);
	return bad;
}

static void refuses(struct __test_metadata *_metadata, struct vm *vm,
		    const struct bad_sregs *list, size_t n)
{
	struct vmdrv_sregs good, bad, now;
	const struct bad_sregs *b;
	int kmsg, tries;

	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	ASSERT_LE(0, kmsg);
	ASSERT_LE(0, lseek(kmsg, 0, SEEK_END));
	VM_MUST(vm->vcpu, VMDRV_GET_SREGS, &good);
	for (b = list; b < list + n; b++) {
		bad = spoilt(&good, b);
		for (tries = 0; tries < LOG_TRIES; tries++) {
			EXPECT_EQ(-EINVAL, vm_ioctl(vm->vcpu, VMDRV_SET_SREGS, &bad))
				TH_LOG("%s", b->what);
			if (log_names(kmsg, b->what))
				break;
			usleep(LOG_WAIT_US);
		}
		EXPECT_GT(LOG_TRIES, tries)
			TH_LOG("%s: the log does not name it", b->what);
		VM_MUST(vm->vcpu, VMDRV_GET_SREGS, &now);
		EXPECT_EQ(0, memcmp(&good, &now, sizeof(now)))
			TH_LOG("%s changed something", b->what);
		VM_MUST(vm->vcpu, VMDRV_SET_SREGS, &good);
	}
	close(kmsg);
}

TEST_F(ioctls, sregs_that_no_cpu_would_take)
{
	refuses(_metadata, &self->vm, bad_sregs, ARRAY_SIZE(bad_sregs));
}

/* SVM has no opinion on these. */
static const struct bad_sregs bad_on_vmx[] = {
	SREG("CS that is read-only data", cs.attrib, 0, 0x0a),
	SREG("CS that was not accessed", cs.attrib, 0, 0x01),
	SREG("CS that is not present", cs.attrib, 0, 0x80),
	SREG("CS of another level than SS", cs.attrib, 0x60, 0),
	SREG("CS with a limit that has no granularity", cs.attrib, 0, 0x800),
	SREG("CS with a base above 4 GiB", cs.base, 1ull << 33, 0),
	SREG("SS that is code", ss.attrib, 0x08, 0),
	SREG("SS that is read-only", ss.attrib, 0, 0x02),
	SREG("DS that is a system segment", ds.attrib, 0, 0x10),
	SREG("ES with a base above 4 GiB", es.base, 1ull << 33, 0),
	SREG("FS with a limit beyond its granularity", fs.limit, 1 << 20, 0),
	SREG("TR that is not busy", tr.attrib, 0, 0x02),
	SREG("TR that is not present", tr.attrib, 0, 0x80),
	SREG("TR out of the local table", tr.selector, 4, 0),
	SREG("LDTR that is a TSS", ldtr.attrib, 0x8b, 0),
};

TEST_F(ioctls, sregs_that_vmx_would_not_take)
{
	if (self->vm.caps.arch != VMDRV_ARCH_VMX)
		SKIP(return, "for VMX");
	refuses(_metadata, &self->vm, bad_on_vmx, ARRAY_SIZE(bad_on_vmx));
}

/* Good by itself, but not together: the guest is not entered, and can be mended. */
TEST_F(ioctls, state_that_cannot_be_entered)
{
	struct vmdrv_regs good, bad;
	int i;

	if (self->vm.caps.arch != VMDRV_ARCH_VMX)
		SKIP(return, "for VMX");
	VM_MUST(self->vm.vcpu, VMDRV_GET_REGS, &good);
	for (i = 0; i < 2; i++) {
		bad = good;
		if (i)
			bad.rip = 1ull << 50;
		else
			bad.rflags |= 1 << 17;		/* VM, in long mode */
		VM_MUST(self->vm.vcpu, VMDRV_SET_REGS, &bad);
		EXPECT_EQ(0, vm_run(&self->vm));
		EXPECT_EQ(VMDRV_EXIT_STOP, self->vm.run->exit_reason);
		EXPECT_EQ(EINVAL, self->vm.run->stop.code);
		EXPECT_TRUE(strstr(self->vm.run->stop.reason, i ? "RIP" : "RFLAGS.VM"))
			TH_LOG("%s", self->vm.run->stop.reason);
		VM_MUST(self->vm.vcpu, VMDRV_SET_REGS, &good);
	}
	EXPECT_EQ(0, vm_counter_sum(&self->vm, "exits"));
}

/*
 * Random state: taken or refused, and if it is taken the guest runs, stops
 * with a reason, or shuts down. What counts is that the host is there after.
 */
TEST_F(ioctls, random_state)
{
	struct sigaction sa = { .sa_handler = vm_on_signal };
	struct vmdrv_sregs good, s;
	struct vmdrv_regs regs;
	u32 i, j, taken = 0;
	unsigned int seed = 1;
	int ret;

	if (vm_cpu_lacks() & LACKS_INTR)
		SKIP(return, "a guest with interrupts off could not be ended");
	sigaction(SIGALRM, &sa, NULL);
	VM_MUST(self->vm.vcpu, VMDRV_GET_SREGS, &good);
	for (i = 0; i < 500; i++) {
		s = good;
		for (j = 0; j <= i % 4; j++)
			((u8 *)&s)[rand_r(&seed) % sizeof(s)] ^= 1 << rand_r(&seed) % 8;
		for (j = 0; j < sizeof(regs); j++)
			((u8 *)&regs)[j] = rand_r(&seed);
		regs.rip = L_IMAGE + regs.rip % 0x6000;
		regs.rflags &= 0x257fd5;	/* what is defined, without VIF and VIP */
		ret = vm_ioctl(self->vm.vcpu, VMDRV_SET_SREGS, &s);
		EXPECT_TRUE(ret == 0 || ret == -EINVAL);
		taken += !ret;
		ret = vm_ioctl(self->vm.vcpu, VMDRV_SET_REGS, &regs);
		EXPECT_TRUE(ret == 0 || ret == -EINVAL);
		/* a few exits of it, and never for long */
		ualarm(2000, 2000);
		for (j = 0; j < 3; j++)
			if (vm_ioctl(self->vm.vcpu, VMDRV_RUN, NULL) < 0)
				break;
		ualarm(0, 0);
		VM_MUST(self->vm.vcpu, VMDRV_RESET_VCPU, NULL);
	}
	EXPECT_LT(20, taken);
}

TEST_F(ioctls, register_arguments)
{
	struct vmdrv_regs regs;
	struct vmdrv_dregs dregs = { };
	struct vmdrv_events ev = { };

	VM_MUST(self->vm.vcpu, VMDRV_GET_REGS, &regs);
	regs.rflags = 2ull << 62 | 2;
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.vcpu, VMDRV_SET_REGS, &regs));

	dregs.dr6 = 1ull << 32;
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.vcpu, VMDRV_SET_DREGS, &dregs));
	dregs.dr6 = 0xffff0ff0;
	dregs.dr7 = 1ull << 32;
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.vcpu, VMDRV_SET_DREGS, &dregs));

	ev.exception = 2;
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.vcpu, VMDRV_SET_EVENTS, &ev));
	ev = (struct vmdrv_events){ .exception = 1, .vector = 2 };
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.vcpu, VMDRV_SET_EVENTS, &ev));
	ev = (struct vmdrv_events){ .exception = 1, .vector = 32 };
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.vcpu, VMDRV_SET_EVENTS, &ev));
	ev = (struct vmdrv_events){ .halted = 3 };
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.vcpu, VMDRV_SET_EVENTS, &ev));
	ev = (struct vmdrv_events){ .pad = { 0, 1 } };
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.vcpu, VMDRV_SET_EVENTS, &ev));
}

TEST_F(ioctls, msr_arguments)
{
	struct vmdrv_msr entries[4] = {
		{ .index = 0xc0000081, .value = 0x0033001800000000 },
		{ .index = 0x12345678 },
		{ .index = 0xc0000082 },
	};
	struct vmdrv_msrs msrs = { .n = 3, .data = (uintptr_t)entries };
	struct vmdrv_msr_list list = { 0 };
	u32 indices[VMDRV_MSR_MAX];

	/* up to the first that is not there */
	EXPECT_EQ(1, vm_ioctl(self->vm.vcpu, VMDRV_SET_MSRS, &msrs));
	EXPECT_EQ(1, vm_ioctl(self->vm.vcpu, VMDRV_GET_MSRS, &msrs));
	EXPECT_EQ(0x0033001800000000, entries[0].value);
	msrs.n = 0;
	EXPECT_EQ(0, vm_ioctl(self->vm.vcpu, VMDRV_GET_MSRS, &msrs));
	msrs.n = VMDRV_MSR_MAX + 1;
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.vcpu, VMDRV_GET_MSRS, &msrs));
	msrs.n = 0xffffffff;
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.vcpu, VMDRV_SET_MSRS, &msrs));
	msrs = (struct vmdrv_msrs){ .n = 1, .pad = 1, .data = (uintptr_t)entries };
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.vcpu, VMDRV_GET_MSRS, &msrs));
	msrs = (struct vmdrv_msrs){ .n = 1, .data = (uintptr_t)KERNEL_PTR };
	EXPECT_EQ(-EFAULT, vm_ioctl(self->vm.vcpu, VMDRV_GET_MSRS, &msrs));
	msrs.data = (uintptr_t)self->readonly;
	EXPECT_GT(1, vm_ioctl(self->vm.vcpu, VMDRV_GET_MSRS, &msrs));
	entries[0].pad = 1;
	msrs.data = (uintptr_t)entries;
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.vcpu, VMDRV_SET_MSRS, &msrs));
	/* a value that is not canonical, for a base */
	entries[0] = (struct vmdrv_msr){ .index = 0xc0000102, .value = 1ull << 50 };
	EXPECT_EQ(0, vm_ioctl(self->vm.vcpu, VMDRV_SET_MSRS, &msrs));

	EXPECT_EQ(-E2BIG, vm_ioctl(self->vm.vcpu, VMDRV_GET_MSR_LIST, &list));
	EXPECT_TRUE(list.n > 8 && list.n <= VMDRV_MSR_MAX);
	list.data = (uintptr_t)indices;
	EXPECT_EQ(0, vm_ioctl(self->vm.vcpu, VMDRV_GET_MSR_LIST, &list));
	list.data = (uintptr_t)BAD_PTR;
	EXPECT_EQ(-EFAULT, vm_ioctl(self->vm.vcpu, VMDRV_GET_MSR_LIST, &list));
}

TEST_F(ioctls, xsave_arguments)
{
	struct vmdrv_xsave x = { .size = self->vm.caps.xsave_size };
	u8 *area = calloc(1, x.size + 64);
	u32 i;

	ASSERT_NE(NULL, area);
	x.data = (uintptr_t)area;
	EXPECT_EQ(0, vm_ioctl(self->vm.vcpu, VMDRV_GET_XSAVE, &x));
	EXPECT_EQ(0, vm_ioctl(self->vm.vcpu, VMDRV_SET_XSAVE, &x));
	x.size--;
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.vcpu, VMDRV_GET_XSAVE, &x));
	x.size = 0;
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.vcpu, VMDRV_SET_XSAVE, &x));
	x.size = 0xffffffff;
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.vcpu, VMDRV_SET_XSAVE, &x));
	x.size = self->vm.caps.xsave_size;
	x.pad = 1;
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.vcpu, VMDRV_GET_XSAVE, &x));
	x.pad = 0;
	x.data = (uintptr_t)BAD_PTR;
	EXPECT_EQ(-EFAULT, vm_ioctl(self->vm.vcpu, VMDRV_GET_XSAVE, &x));
	EXPECT_EQ(-EFAULT, vm_ioctl(self->vm.vcpu, VMDRV_SET_XSAVE, &x));

	/* headers and MXCSR that would make the host's XRSTOR fault */
	x.data = (uintptr_t)area;
	VM_MUST(self->vm.vcpu, VMDRV_GET_XSAVE, &x);
	area[512] |= 3;
	area[24 + 3] = 0xff;
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.vcpu, VMDRV_SET_XSAVE, &x));
	area[24 + 3] = 0;
	for (i = 0; i < 64; i += 7) {
		area[512 + i] ^= 0xf0;
		vm_ioctl(self->vm.vcpu, VMDRV_SET_XSAVE, &x);
		area[512 + i] ^= 0xf0;
	}
	area[519] = 0x80;		/* XSTATE_BV bit 63 */
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.vcpu, VMDRV_SET_XSAVE, &x));
	area[519] = 0;
	area[527] = 0x80;		/* XCOMP_BV: compacted */
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.vcpu, VMDRV_SET_XSAVE, &x));
	area[527] = 0;
	area[540] = 1;			/* the header's reserved bytes */
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.vcpu, VMDRV_SET_XSAVE, &x));
	area[540] = 0;
	EXPECT_EQ(0, vm_ioctl(self->vm.vcpu, VMDRV_SET_XSAVE, &x));
	free(area);
}

TEST_F(ioctls, translate_arguments)
{
	struct vmdrv_translate t = { .gva = L_BUF + 5 };

	EXPECT_EQ(0, vm_ioctl(self->vm.vcpu, VMDRV_TRANSLATE, &t));
	EXPECT_EQ(0, t.fault);
	EXPECT_EQ(L_BUF + 5, t.gpa);
	t = (struct vmdrv_translate){ .gva = 0xffffff8000000000 + L_BUF };
	EXPECT_EQ(0, vm_ioctl(self->vm.vcpu, VMDRV_TRANSLATE, &t));
	EXPECT_EQ(L_BUF, t.gpa);
	t = (struct vmdrv_translate){ .gva = 0x8000000000, .access = VMDRV_ACCESS_WRITE };
	EXPECT_EQ(0, vm_ioctl(self->vm.vcpu, VMDRV_TRANSLATE, &t));
	EXPECT_EQ(1, t.fault);
	EXPECT_EQ(2, t.error);
	t = (struct vmdrv_translate){ .access = 1 };
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.vcpu, VMDRV_TRANSLATE, &t));
	t = (struct vmdrv_translate){ .access = 0x80000000 };
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.vcpu, VMDRV_TRANSLATE, &t));
	t = (struct vmdrv_translate){ .pad = 1 };
	EXPECT_EQ(-EINVAL, vm_ioctl(self->vm.vcpu, VMDRV_TRANSLATE, &t));
}

TEST_F(ioctls, mmap_arguments)
{
	const int rw = PROT_READ | PROT_WRITE;
	u32 size = self->vm.caps.run_size;
	void *p;

	EXPECT_EQ(VMDRV_RUN_PAGES * 4096, size);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, size + 4096, rw, MAP_SHARED, self->vm.vcpu, 0));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, rw, MAP_SHARED, self->vm.vcpu, size));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, rw, MAP_SHARED, self->vm.vcpu, 1ll << 40));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, size, rw, MAP_SHARED, self->vm.fd, 0));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, size, rw, MAP_SHARED, self->vm.dev, 0));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, size, rw | PROT_EXEC, MAP_PRIVATE, self->vm.fd, 0));
	p = mmap(NULL, size, rw, MAP_SHARED, self->vm.vcpu, 0);
	ASSERT_NE(MAP_FAILED, p);
	/* one page, two mappings; the mapping outlives nothing but itself */
	self->vm.run->pad1[100] = 0x77;
	EXPECT_EQ(0x77, ((struct vmdrv_run *)p)->pad1[100]);
	munmap(p, size);
}

/* What a hostile VMApp writes into the run page is its own affair. */
TEST_F(ioctls, run_page_of_ones)
{
	int i;

	vm_set_mode(&self->vm, VM_LONG, long_io);
	for (i = 0; i < 20; i++) {
		memset(self->vm.run, 0xff, self->vm.caps.run_size);
		self->vm.run->immediate_exit = 0;
		if (vm_ioctl(self->vm.vcpu, VMDRV_RUN, NULL) < 0)
			break;
		EXPECT_EQ(VMDRV_EXIT_IO, self->vm.run->exit_reason);
	}
}

/* A child has the descriptors, but the VM is not its own. */
TEST_F(ioctls, another_process)
{
	static u8 arg[16384];
	int status, ret;
	pid_t pid;
	size_t i;

	pid = fork();
	if (!pid) {
		for (i = 0; i < ARRAY_SIZE(calls); i++) {
			if (calls[i].kind == DEVICE)
				continue;
			ret = vm_ioctl(fd_of(&self->vm, calls[i].kind), calls[i].request, arg);
			if (ret != -EIO)
				vm_die("%s in a child: %d", calls[i].name, ret);
		}
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* ---- two threads, one vCPU ---------------------------------------------------- */

static void *runner(void *arg)
{
	struct vm *vm = arg;

	return (void *)(long)vm_ioctl(vm->vcpu, VMDRV_RUN, NULL);
}

TEST_F(ioctls, run_is_for_one_thread)
{
	struct sigaction sa = { .sa_handler = vm_on_signal };
	struct vmdrv_regs regs;
	pthread_t thread;
	void *result;

	sigaction(SIGUSR1, &sa, NULL);
	ASSERT_EQ(0, pthread_create(&thread, NULL, runner, &self->vm));
	while (!*(volatile u64 *)(self->vm.ram + L_RESULT))
		sched_yield();
	EXPECT_EQ(-EBUSY, vm_ioctl(self->vm.vcpu, VMDRV_RUN, NULL));
	EXPECT_EQ(-EBUSY, vm_ioctl(self->vm.vcpu, VMDRV_GET_REGS, &regs));
	EXPECT_EQ(-EBUSY, vm_ioctl(self->vm.vcpu, VMDRV_RESET_VCPU, NULL));
	EXPECT_EQ(0, vm_ioctl(self->vm.vcpu, VMDRV_NMI, NULL));
	self->vm.run->immediate_exit = 1;
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, &result);
	self->vm.run->immediate_exit = 0;
	EXPECT_EQ(0, vm_ioctl(self->vm.vcpu, VMDRV_GET_REGS, &regs));
	VM_MUST(self->vm.vcpu, VMDRV_RESET_VCPU, NULL);
}

TEST_HARNESS_MAIN
