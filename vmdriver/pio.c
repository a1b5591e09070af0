// SPDX-License-Identifier: GPL-2.0-only
/*
 * Port I/O: a port that the VMM serves costs one table lookup; every other one
 * goes to VMApp. String instructions move through the run page's data area, at
 * most one page of guest memory at a time.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "trace.h"
#include "vmdriver.h"

static void *data_area(struct vmdrv_vcpu *vcpu)
{
	return (void *)vcpu->run + VMDRV_DATA_OFFSET;
}

/* A 32-bit result clears the upper half of its register, a smaller one keeps the rest. */
static void set_rax(struct vmdrv_vcpu *vcpu, unsigned int size, u32 value)
{
	u64 *rax = &vcpu->ctx.gpr[VMDRV_RAX];

	if (size == 4)
		*rax = value;
	else
		*rax = (*rax & ~(u64)ws_all_ones(size)) | (value & ws_all_ones(size));
}

/* One access to a port of the VMM's. False if it has none, or has to wait. */
static inline bool port_access(struct vmdrv_vcpu *vcpu, u32 *value, bool may_wait)
{
	struct ws_port_table *ports = vcpu->vm->ports;
	const struct vm_exit *exit = &vcpu->exit;
	struct ws_port_row *row = ws_port_row(ports, exit->io.port);

	if (!row->region) {
		/* A wider access may reach into a region behind it. */
		if (exit->io.size == 1)
			return false;
	} else if (unlikely(row->region->flags & WS_REGION_WHOLE)) {
		return vmdrv_nic_pio(vcpu, row->dev, value, may_wait);
	}
	if (exit->io.in)
		return ws_ports_in(ports, exit->io.port, exit->io.size, value);
	return ws_ports_out(ports, exit->io.port, exit->io.size, *value);
}

/* An access by an instruction without string and REP. */
static inline bool single_access(struct vmdrv_vcpu *vcpu, bool may_wait)
{
	const struct vm_exit *exit = &vcpu->exit;
	unsigned int size = exit->io.size;
	u32 value = vcpu->ctx.gpr[VMDRV_RAX] & ws_all_ones(size);

	if (!port_access(vcpu, &value, may_wait))
		return false;
	if (exit->io.in)
		set_rax(vcpu, size, value);
	trace_vmdrv_pio(vcpu->vm->id, exit->io.port, size, exit->io.in, value);
	return true;
}

/*
 * With VMDRV_KNOB_PAIRS an OUT to a latch comes here. Returns whether it was one;
 * then the access behind it may be in vcpu->exit, to be handled as well.
 */
static bool pair_fast(struct vmdrv_vcpu *vcpu, bool *second)
{
	const struct vm_exit *exit = &vcpu->exit;
	u32 *latch = ws_port_latch(vcpu->vm->ports, exit->io.port, exit->io.size);

	if (!latch || exit->io.in)
		return false;
	WRITE_ONCE(*latch, vcpu->ctx.gpr[VMDRV_RAX] & ws_all_ones(exit->io.size));
	if (static_call(vmdrv_advance)(vcpu, exit->rip_next))
		vmdrv_single_step(vcpu);
	else
		*second = vmdrv_pair_begin(vcpu);
	return true;
}

/* Right after the exit, interrupts off: a port of the VMM's own, one element. */
bool vmdrv_pio_fast(struct vmdrv_vcpu *vcpu)
{
	const struct vm_exit *exit = &vcpu->exit;
	bool second = false;

	if (unlikely(exit->io.string || !exit->rip_next))
		return false;
	if (unlikely(vcpu->ctx.pairs) && pair_fast(vcpu, &second) && !second)
		return true;
	/* The slow way, too, wants to know where RIP goes only, not where it was. */
	if (!single_access(vcpu, false))
		return false;
	if (unlikely(static_call(vmdrv_advance)(vcpu, exit->rip_next)))
		vmdrv_single_step(vcpu);
	return true;
}

static int to_vmapp(struct vmdrv_vcpu *vcpu, u32 count)
{
	struct vmdrv_run *run = vcpu->run;

	run->exit_reason = VMDRV_EXIT_IO;
	run->io.port = vcpu->exit.io.port;
	run->io.size = vcpu->exit.io.size;
	run->io.direction = vcpu->exit.io.in ? VMDRV_IO_IN : VMDRV_IO_OUT;
	run->io.count = count;
	run->io.latch = vcpu->io_latch;
	return 0;
}

/* ---- string instructions ---- */

struct string_io {
	u64 mask;	/* of the address size */
	u64 offset;	/* of the first element in its segment */
	u64 linear;
	u32 count;	/* elements of this turn; 0: a fault was queued, or a stop */
	bool down;	/* EFLAGS.DF */
	int segment;
};

static u64 size_mask(unsigned int bytes)
{
	return bytes == 8 ? ~0ull : (1ull << (bytes * 8)) - 1;
}

/* An address or count register of a string instruction gets a new value. */
static void set_string_reg(u64 *reg, const struct string_io *s, u64 value)
{
	if (s->mask == 0xffff)
		*reg = (*reg & ~s->mask) | (value & s->mask);
	else
		*reg = value & s->mask;
}

/* #SS for the stack segment, else #GP: AMD manual 2, 4.12 "Segment-Limit Checks". */
static bool segment_fault(struct vmdrv_vcpu *vcpu, int segment)
{
	vmdrv_queue_exception(vcpu, segment == VMDRV_SEG_SS ? X86_TRAP_SS : X86_TRAP_GP, true, 0);
	return false;
}

#define ATTRIB_PRESENT	0x80
#define ATTRIB_CODE	0x08
#define ATTRIB_DOWN	0x04	/* of data: expand-down */
#define ATTRIB_RW	0x02	/* of data: writable; of code: readable */
#define ATTRIB_BIG	0x400

/* Does the segment's type allow the access? */
static bool segment_permits(u16 attrib, bool write)
{
	bool code = attrib & ATTRIB_CODE;

	if (!(attrib & ATTRIB_PRESENT))
		return false;
	if (write)
		return !code && attrib & ATTRIB_RW;
	return !code || attrib & ATTRIB_RW;
}

static bool linearize_long(struct vmdrv_vcpu *vcpu, struct string_io *s)
{
	struct vmdrv_segment seg;

	s->linear = s->offset;
	if (s->segment == VMDRV_SEG_FS || s->segment == VMDRV_SEG_GS) {
		vmdrv_ops->get_segment(vcpu, s->segment, &seg);
		s->linear += seg.base;
	}
	if ((u64)((s64)(s->linear << 16) >> 16) != s->linear)
		return segment_fault(vcpu, s->segment);
	return true;
}

/* The linear address of @len bytes at s->offset; false when that is a fault. */
static bool linearize(struct vmdrv_vcpu *vcpu, struct string_io *s, u32 len, bool write)
{
	bool protected = vmdrv_ops->get_cr(vcpu, 0) & X86_CR0_PE &&
			 !(vmdrv_ops->get_rflags(vcpu) & X86_EFLAGS_VM);
	struct vmdrv_segment seg;
	u64 low = 0, high;

	if (vmdrv_ops->get_mode(vcpu) == 8)
		return linearize_long(vcpu, s);

	vmdrv_ops->get_segment(vcpu, s->segment, &seg);
	high = seg.limit;
	if (protected) {
		if (!segment_permits(seg.attrib, write))
			return segment_fault(vcpu, s->segment);
		if (!(seg.attrib & ATTRIB_CODE) && seg.attrib & ATTRIB_DOWN) {
			low = (u64)seg.limit + 1;
			high = seg.attrib & ATTRIB_BIG ? U32_MAX : U16_MAX;
		}
	}
	if (s->offset < low || s->offset + len - 1 > high)
		return segment_fault(vcpu, s->segment);
	s->linear = (u32)(seg.base + s->offset);
	return true;
}

/*
 * How many elements this turn moves: those that lie in one page (an element
 * that crosses goes alone), fit the data area, and do not wrap the index.
 */
static void bound(struct vmdrv_vcpu *vcpu, struct string_io *s, u64 left)
{
	unsigned int size = vcpu->exit.io.size;
	u64 room = PAGE_SIZE - offset_in_page(s->linear);

	s->count = 1;
	if (s->down || vmdrv_ops->get_rflags(vcpu) & X86_EFLAGS_TF)
		return;
	room = min(room, s->mask - (s->offset & s->mask));
	s->count = clamp_t(u64, min(left, room / size), 1, VMDRV_DATA_SIZE / size);
}

/* Ready when true; otherwise *ret says how the exit ends. */
static bool string_start(struct vmdrv_vcpu *vcpu, struct string_io *s, int *ret)
{
	const struct vm_exit *exit = &vcpu->exit;
	u64 *gpr = vcpu->ctx.gpr;
	struct vmdrv_prefixes prefixes;
	u64 left;

	*ret = 1;
	vmdrv_prefixes(vcpu, &prefixes);
	s->mask = size_mask(prefixes.addr_size);
	s->down = vmdrv_ops->get_rflags(vcpu) & X86_EFLAGS_DF;
	left = exit->io.rep ? gpr[VMDRV_RCX] & s->mask : 1;
	if (!left) {
		*ret = vmdrv_skip(vcpu);
		return false;
	}
	s->segment = VMDRV_SEG_ES;
	if (!exit->io.in)
		s->segment = prefixes.segment >= 0 ? prefixes.segment : VMDRV_SEG_DS;
	s->offset = gpr[exit->io.in ? VMDRV_RDI : VMDRV_RSI] & s->mask;
	if (!linearize(vcpu, s, exit->io.size, exit->io.in))
		return false;
	bound(vcpu, s, left);
	/* The whole turn must lie inside the segment too; else element by element. */
	if (s->count > 1 && !linearize(vcpu, s, s->count * exit->io.size, exit->io.in)) {
		vcpu->pending.exception = false;
		s->count = 1;
	}
	return true;
}

static u32 user_access(struct vmdrv_vcpu *vcpu)
{
	return vmdrv_ops->get_cpl(vcpu) == 3 ? VMDRV_ACCESS_USER : 0;
}

/* Turns a failed access to guest memory into what the guest or VMApp gets. */
static int access_failed(struct vmdrv_vcpu *vcpu, int err, const struct vmdrv_fault *fault)
{
	if (err == 1) {
		vmdrv_queue_page_fault(vcpu, fault->address, fault->error);
		return 1;
	}
	return vmdrv_stop(vcpu, -EFAULT, "string I/O at port %x without memory behind it, RIP %llx",
			  vcpu->exit.io.port, vmdrv_ops->get_rip(vcpu));
}

/* @count elements are done: registers and RIP move on. */
static int string_advance(struct vmdrv_vcpu *vcpu, const struct string_io *s, u32 count)
{
	const struct vm_exit *exit = &vcpu->exit;
	u64 *gpr = vcpu->ctx.gpr;
	u64 *index = &gpr[exit->io.in ? VMDRV_RDI : VMDRV_RSI];
	u64 bytes = (u64)count * exit->io.size;
	u64 left = 0;

	set_string_reg(index, s, s->down ? *index - bytes : *index + bytes);
	if (exit->io.rep) {
		left = (gpr[VMDRV_RCX] & s->mask) - count;
		set_string_reg(&gpr[VMDRV_RCX], s, left);
	}
	if (!left)
		return vmdrv_skip(vcpu);
	/* The instruction goes on where it was; a single step traps in between. */
	vcpu->exit.rip_next = vmdrv_ops->get_rip(vcpu);
	return vmdrv_skip(vcpu);
}

/* The ports of a string instruction that the VMM serves: false if it does not. */
static bool string_ports(struct vmdrv_vcpu *vcpu, const struct string_io *s, u8 *data)
{
	const struct vm_exit *exit = &vcpu->exit;
	unsigned int size = exit->io.size;
	u32 value, i;
	bool handled = true;

	for (i = 0; i < s->count && handled; i++, data += size) {
		value = 0;
		if (!exit->io.in)
			memcpy(&value, data, size);
		handled = port_access(vcpu, &value, true);
		if (handled && exit->io.in)
			memcpy(data, &value, size);
	}
	return handled;
}

static int string_out(struct vmdrv_vcpu *vcpu, struct string_io *s)
{
	u32 bytes = s->count * vcpu->exit.io.size;
	struct vmdrv_fault fault;
	bool handled;
	int ret;

	ret = vmdrv_gva_read(vcpu, s->linear, data_area(vcpu), bytes, user_access(vcpu), &fault);
	if (ret)
		return access_failed(vcpu, ret, &fault);
	handled = string_ports(vcpu, s, data_area(vcpu));
	ret = string_advance(vcpu, s, s->count);
	if (handled || ret != 1)
		return ret;
	return to_vmapp(vcpu, s->count);
}

static int string_in_store(struct vmdrv_vcpu *vcpu, struct string_io *s)
{
	u32 bytes = s->count * vcpu->exit.io.size;
	struct vmdrv_fault fault;
	int ret;

	ret = vmdrv_gva_write(vcpu, s->linear, data_area(vcpu), bytes, user_access(vcpu), &fault);
	if (ret)
		return access_failed(vcpu, ret, &fault);
	return string_advance(vcpu, s, s->count);
}

/* An IN may have side effects: the guest's page fault must come before it. */
static int string_in(struct vmdrv_vcpu *vcpu, struct string_io *s)
{
	u32 bytes = s->count * vcpu->exit.io.size;
	struct vmdrv_fault fault = {};
	u64 gpa, last = s->linear + bytes - 1;
	int ret;

	fault.address = s->linear;
	ret = vmdrv_translate(vcpu, s->linear, VMDRV_ACCESS_WRITE | user_access(vcpu), &gpa,
			      &fault.error);
	if (!ret && (last ^ s->linear) & PAGE_MASK) {
		fault.address = last & PAGE_MASK;
		ret = vmdrv_translate(vcpu, last, VMDRV_ACCESS_WRITE | user_access(vcpu), &gpa,
				      &fault.error);
	}
	if (ret)
		return access_failed(vcpu, ret, &fault);
	if (string_ports(vcpu, s, data_area(vcpu)))
		return string_in_store(vcpu, s);
	vcpu->completion = (struct vmdrv_completion) {
		.active = true,
		.string = true,
		.count = s->count,
	};
	return to_vmapp(vcpu, s->count);
}

static int string_io(struct vmdrv_vcpu *vcpu)
{
	struct string_io s;
	int ret;

	if (!string_start(vcpu, &s, &ret))
		return ret;
	return vcpu->exit.io.in ? string_in(vcpu, &s) : string_out(vcpu, &s);
}

/* ---- the slow half ---- */

/* A port that vmdrv_pio_fast() did not serve. */
int vmdrv_pio(struct vmdrv_vcpu *vcpu)
{
	const struct vm_exit *exit = &vcpu->exit;
	int ret;

	vcpu->io_latch = 0;
	if (exit->io.string)
		return string_io(vcpu);
	if (single_access(vcpu, true))
		return vmdrv_skip(vcpu);
	if (exit->io.port == VMDRV_BACKDOOR_PORT && exit->io.in && vmdrv_backdoor(vcpu))
		return vmdrv_skip(vcpu);

	if (exit->io.in) {
		vcpu->completion = (struct vmdrv_completion) {
			.active = true,
			.size = exit->io.size,
		};
	} else {
		*(u32 *)data_area(vcpu) = vcpu->ctx.gpr[VMDRV_RAX] & ws_all_ones(exit->io.size);
	}
	ret = vmdrv_skip(vcpu);
	if (ret != 1)
		return ret;
	return to_vmapp(vcpu, 1);
}

/*
 * The answer that VMApp has put into the data area reaches the guest. Returns 1:
 * it can go on, or 0: the run page says why not.
 */
int vmdrv_pio_complete(struct vmdrv_vcpu *vcpu)
{
	struct vmdrv_completion *c = &vcpu->completion;
	struct string_io s;
	int ret;

	if (likely(!c->active))
		return 1;
	c->active = false;
	if (!c->string) {
		set_rax(vcpu, c->size, READ_ONCE(*(u32 *)data_area(vcpu)));
		return 1;
	}
	if (!string_start(vcpu, &s, &ret))
		return 1;	/* VMApp has changed the registers: the instruction starts anew */
	s.count = min(s.count, c->count);
	return string_in_store(vcpu, &s);
}
