// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardware task switches, which VMX leaves to the VMM: Intel SDM 3, chapter
 * "Task Management". The CPU has checked the gate that led here; the TSSs, the
 * descriptors and what is in them are looked at here. The tables and TSSs are
 * read and written as system structures, whatever the privilege level is.
 */
#include <linux/bits.h>
#include <linux/kernel.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "vmdriver.h"

#define TYPE_LDT	0x2
#define TYPE_BUSY	0x2	/* of a TSS */
#define TYPE_TSS32	0x8	/* else of 16 bits */
#define TYPE_TSS	0x1
#define TYPE_ACCESSED	0x1
#define TYPE_WRITABLE	0x2	/* of code: readable */
#define TYPE_CONFORMING	0x4
#define TYPE_CODE	0x8
#define ATTRIB_S	0x10
#define ATTRIB_P	0x80
#define ATTRIB_G	0x800
#define ATTRIB_V86	0xf3

#define RPL		0x3
#define LOCAL		0x4	/* TI */
#define TSS16_LIMIT	0x2b
#define TSS32_LIMIT	0x67
#define DR7_LOCAL	0x155	/* L0 to L3, LE */
#define DR6_BT		BIT(15)

struct tss16 {
	u16 link, sp0, ss0, sp1, ss1, sp2, ss2;
	u16 ip, flags, gpr[8];
	u16 es, cs, ss, ds, ldt;
} __packed;

struct tss32 {
	u32 link, esp0, ss0, esp1, ss1, esp2, ss2, cr3;
	u32 eip, eflags, gpr[8];
	u32 es, cs, ss, ds, fs, gs, ldt;
	u16 trap, iomap;
} __packed;

/**
 * struct task - a switch under way
 * @vcpu: whose
 * @regs: of the vCPU: the old task's, then the new one's
 * @sregs: as above
 * @vector: of the fault that ends it, if a function returns false
 * @error: its error code
 * @address: of a page fault
 * @no_memory: there is none behind @address: no task can go on
 */
struct task {
	struct vmdrv_vcpu *vcpu;
	struct vmdrv_regs regs;
	struct vmdrv_sregs sregs;
	u8 vector;
	u32 error;
	u64 address;
	bool no_memory;
};

static bool fault(struct task *t, u8 vector, u32 error)
{
	t->vector = vector;
	t->error = error;
	return false;
}

static bool access(struct task *t, u64 gva, void *data, size_t len, bool write)
{
	struct vmdrv_fault f = {};
	int ret = write ? vmdrv_gva_write(t->vcpu, gva, data, len, 0, &f) :
			  vmdrv_gva_read(t->vcpu, gva, data, len, 0, &f);

	if (!ret)
		return true;
	t->no_memory = ret != 1;
	t->address = f.address;
	return fault(t, X86_TRAP_PF, f.error);
}

/* ---- descriptors ---- */

static bool entry_address(struct task *t, u16 selector, u8 vector, u64 *address)
{
	const struct vmdrv_sregs *s = &t->sregs;
	u64 base = s->gdtr.base;
	u32 limit = s->gdtr.limit;

	if (selector & LOCAL) {
		base = s->ldtr.base;
		limit = s->ldtr.attrib & ATTRIB_P ? s->ldtr.limit : 0;
	}
	if ((selector | 7u) > limit)
		return fault(t, vector, selector & ~RPL);
	*address = base + (selector & ~7);
	return true;
}

static bool read_segment(struct task *t, u16 selector, u8 vector, struct vmdrv_segment *seg)
{
	u64 address, d;

	if (!entry_address(t, selector, vector, &address) || !access(t, address, &d, 8, false))
		return false;
	seg->selector = selector;
	seg->base = ((d >> 16) & 0xffffff) | ((d >> 56) << 24);
	seg->limit = (d & 0xffff) | ((d >> 32) & 0xf0000);
	seg->attrib = ((d >> 40) & 0xff) | ((d >> 44) & 0xf00);
	if (seg->attrib & ATTRIB_G)
		seg->limit = seg->limit << 12 | 0xfff;
	return true;
}

/* Sets and clears type bits in a descriptor. */
static bool mark(struct task *t, u16 selector, u8 set, u8 clear)
{
	u64 address;
	u8 type;

	if (!entry_address(t, selector, X86_TRAP_TS, &address) ||
	    !access(t, address + 5, &type, 1, false))
		return false;
	type = (type | set) & ~clear;
	return access(t, address + 5, &type, 1, true);
}

static unsigned int dpl(const struct vmdrv_segment *s)
{
	return (s->attrib >> 5) & 3;
}

static bool good_code(const struct vmdrv_segment *s)
{
	unsigned int rpl = s->selector & RPL;

	if (!(s->attrib & ATTRIB_S) || !(s->attrib & TYPE_CODE))
		return false;
	return s->attrib & TYPE_CONFORMING ? dpl(s) <= rpl : dpl(s) == rpl;
}

static bool good_stack(const struct vmdrv_segment *s, unsigned int cpl)
{
	return s->attrib & ATTRIB_S && !(s->attrib & TYPE_CODE) && s->attrib & TYPE_WRITABLE &&
	       dpl(s) == cpl && (s->selector & RPL) == cpl;
}

static bool good_data(const struct vmdrv_segment *s, unsigned int cpl)
{
	bool code = s->attrib & TYPE_CODE;

	if (!(s->attrib & ATTRIB_S) || (code && !(s->attrib & TYPE_WRITABLE)))
		return false;
	if (code && s->attrib & TYPE_CONFORMING)
		return true;
	return dpl(s) >= max(cpl, (unsigned int)(s->selector & RPL));
}

/* One of ES to GS, by its selector alone. */
static bool load_segment(struct task *t, int index, u16 selector)
{
	struct vmdrv_segment *seg = &t->sregs.es + index;
	unsigned int cpl = t->sregs.cs.selector & RPL;
	u8 absent = index == VMDRV_SEG_SS ? X86_TRAP_SS : X86_TRAP_NP;
	bool good;

	if (!(selector & ~RPL) && index != VMDRV_SEG_CS && index != VMDRV_SEG_SS) {
		*seg = (struct vmdrv_segment) { .selector = selector };
		return true;
	}
	if (!(selector & ~RPL))
		return fault(t, X86_TRAP_TS, 0);
	if (!read_segment(t, selector, X86_TRAP_TS, seg))
		return false;
	if (index == VMDRV_SEG_CS)
		good = good_code(seg);
	else if (index == VMDRV_SEG_SS)
		good = good_stack(seg, cpl);
	else
		good = good_data(seg, cpl);
	if (!good)
		return fault(t, X86_TRAP_TS, selector & ~RPL);
	if (!(seg->attrib & ATTRIB_P))
		return fault(t, absent, selector & ~RPL);
	seg->attrib |= TYPE_ACCESSED;
	return mark(t, selector, TYPE_ACCESSED, 0);
}

static bool load_ldt(struct task *t, u16 selector)
{
	struct vmdrv_segment *ldtr = &t->sregs.ldtr;

	*ldtr = (struct vmdrv_segment) { .selector = selector };
	if (!(selector & ~RPL))
		return true;
	if (selector & LOCAL)
		return fault(t, X86_TRAP_TS, selector & ~RPL);
	if (!read_segment(t, selector, X86_TRAP_TS, ldtr))
		return false;
	if ((ldtr->attrib & (ATTRIB_S | 0xf | ATTRIB_P)) == (TYPE_LDT | ATTRIB_P))
		return true;
	ldtr->attrib = 0;
	return fault(t, X86_TRAP_TS, selector & ~RPL);
}

/* ---- the two kinds of TSS ---- */

static bool is_32(const struct vmdrv_segment *tss)
{
	return tss->attrib & TYPE_TSS32;
}

/* The outgoing task's registers, where it goes on. */
static bool save_old(struct task *t, u32 eip, u32 eflags)
{
	const struct vmdrv_sregs *s = &t->sregs;
	const u64 *gpr = &t->regs.rax;
	u64 base = s->tr.base;
	struct tss16 t16 = { .ip = eip, .flags = eflags };
	struct tss32 t32 = { .eip = eip, .eflags = eflags };
	int i;

	for (i = 0; i < 8; i++) {
		t16.gpr[i] = gpr[i];
		t32.gpr[i] = gpr[i];
	}
	t16.es = s->es.selector;
	t16.cs = s->cs.selector;
	t16.ss = s->ss.selector;
	t16.ds = s->ds.selector;
	t32.es = s->es.selector;
	t32.cs = s->cs.selector;
	t32.ss = s->ss.selector;
	t32.ds = s->ds.selector;
	t32.fs = s->fs.selector;
	t32.gs = s->gs.selector;
	if (is_32(&s->tr))
		return access(t, base + offsetof(struct tss32, eip), &t32.eip,
			      offsetof(struct tss32, ldt) - offsetof(struct tss32, eip), true);
	return access(t, base + offsetof(struct tss16, ip), &t16.ip,
		      offsetof(struct tss16, ldt) - offsetof(struct tss16, ip), true);
}

/* A TSS of either kind, as one of 32 bits; FS and GS are null in a 16-bit one. */
static bool read_tss(struct task *t, const struct vmdrv_segment *tss, struct tss32 *out)
{
	struct tss16 in;
	int i;

	if (is_32(tss))
		return access(t, tss->base, out, sizeof(*out), false);
	if (!access(t, tss->base, &in, sizeof(in), false))
		return false;
	*out = (struct tss32) {
		.link = in.link, .cr3 = t->sregs.cr3, .eip = in.ip, .eflags = in.flags,
		.es = in.es, .cs = in.cs, .ss = in.ss, .ds = in.ds, .ldt = in.ldt,
	};
	for (i = 0; i < 8; i++)
		out->gpr[i] = in.gpr[i];
	return true;
}

/* The TSS that the selector names, and whether one may switch to it so. */
static bool find_tss(struct task *t, u16 selector, u8 source, struct vmdrv_segment *tss)
{
	u8 vector = source == VMDRV_TASK_IRET || source == VMDRV_TASK_GATE ? X86_TRAP_TS :
									     X86_TRAP_GP;
	bool busy = source == VMDRV_TASK_IRET;

	if (selector & LOCAL || !(selector & ~RPL))
		return fault(t, vector, selector & ~RPL);
	if (!read_segment(t, selector, vector, tss))
		return false;
	if (tss->attrib & ATTRIB_S || (tss->attrib & 0x5) != TYPE_TSS ||
	    busy != !!(tss->attrib & TYPE_BUSY))
		return fault(t, vector, selector & ~RPL);
	if (!(tss->attrib & ATTRIB_P))
		return fault(t, X86_TRAP_NP, selector & ~RPL);
	if (tss->limit < (is_32(tss) ? TSS32_LIMIT : TSS16_LIMIT))
		return fault(t, X86_TRAP_TS, selector & ~RPL);
	return true;
}

/* ---- the switch ---- */

static bool is_nested(u8 source)
{
	return source == VMDRV_TASK_CALL || source == VMDRV_TASK_GATE;
}

/* Leaves the old task; a fault until here is one of the old task's. */
static bool leave(struct task *t, const struct vmdrv_segment *tss)
{
	u8 source = t->vcpu->exit.task.source;
	u32 eflags = t->regs.rflags;

	if (source == VMDRV_TASK_IRET)
		eflags &= ~X86_EFLAGS_NT;
	if (!save_old(t, t->vcpu->exit.rip_next, eflags))
		return false;
	if (!is_nested(source) && !mark(t, t->sregs.tr.selector, 0, TYPE_BUSY))
		return false;
	if (source != VMDRV_TASK_IRET && !mark(t, tss->selector, TYPE_BUSY, 0))
		return false;
	return !is_nested(source) || access(t, tss->base, &t->sregs.tr.selector, 2, true);
}

/* The registers that nothing can be wrong with. */
static void take_registers(struct task *t, const struct vmdrv_segment *tss,
			   const struct tss32 *new)
{
	u64 *gpr = &t->regs.rax;
	int i;

	for (i = 0; i < 8; i++)
		gpr[i] = is_32(tss) ? new->gpr[i] : (gpr[i] & 0xffff0000) | new->gpr[i];
	t->regs.rip = new->eip;
	t->regs.rflags = (new->eflags & 0x3f7fd5) | X86_EFLAGS_FIXED;
	if (is_nested(t->vcpu->exit.task.source))
		t->regs.rflags |= X86_EFLAGS_NT;
	t->sregs.tr = *tss;
	t->sregs.tr.attrib |= TYPE_BUSY;
	t->sregs.cr0 |= X86_CR0_TS;
	if (t->sregs.cr0 & X86_CR0_PG && is_32(tss))
		t->sregs.cr3 = new->cr3;
}

static void commit(struct task *t)
{
	struct vmdrv_vcpu *vcpu = t->vcpu;

	vmdrv_ops->set_sregs(vcpu, &t->sregs);
	vmdrv_ops->set_regs(vcpu, &t->regs);
	set_bit(VMDRV_REQ_FLUSH, &vcpu->requests);
	set_bit(VMDRV_REQ_CHECK, &vcpu->requests);
}

static void take_v86_segments(struct task *t, const struct tss32 *new)
{
	const u16 selectors[] = { new->es, new->cs, new->ss, new->ds, new->fs, new->gs };
	int i;

	for (i = VMDRV_SEG_ES; i <= VMDRV_SEG_GS; i++)
		(&t->sregs.es)[i] = (struct vmdrv_segment) {
			.base = (u64)selectors[i] << 4,
			.limit = 0xffff,
			.selector = selectors[i],
			.attrib = ATTRIB_V86,
		};
}

/* Null but for CS and SS, which have to be something: until they are loaded. */
static void forget_segments(struct task *t, const struct tss32 *new)
{
	unsigned int cpl = new->cs & RPL;
	struct vmdrv_segment *cs = &t->sregs.cs, *ss = &t->sregs.ss;

	t->sregs.es = (struct vmdrv_segment) { .selector = new->es };
	t->sregs.ds = (struct vmdrv_segment) { .selector = new->ds };
	t->sregs.fs = (struct vmdrv_segment) { .selector = new->fs };
	t->sregs.gs = (struct vmdrv_segment) { .selector = new->gs };
	cs->selector = new->cs;
	ss->selector = new->ss;
	cs->attrib = (cs->attrib & ~0x60) | cpl << 5;
	ss->attrib = (ss->attrib & ~0x60) | cpl << 5;
}

/* From here on a fault is the new task's. */
static bool enter(struct task *t, const struct tss32 *new)
{
	if (t->regs.rflags & X86_EFLAGS_VM)
		take_v86_segments(t, new);
	else
		forget_segments(t, new);
	/* Its page tables have to be there for its descriptors. */
	commit(t);
	if (!load_ldt(t, new->ldt))
		return false;
	if (t->regs.rflags & X86_EFLAGS_VM)
		return true;
	return load_segment(t, VMDRV_SEG_CS, new->cs) && load_segment(t, VMDRV_SEG_SS, new->ss) &&
	       load_segment(t, VMDRV_SEG_ES, new->es) && load_segment(t, VMDRV_SEG_DS, new->ds) &&
	       load_segment(t, VMDRV_SEG_FS, new->fs) && load_segment(t, VMDRV_SEG_GS, new->gs);
}

/* The error code of the exception that came through a task gate. */
static bool push_error(struct task *t)
{
	const struct vmdrv_segment *ss = &t->sregs.ss;
	u64 mask = ss->attrib & 0x400 ? U32_MAX : U16_MAX;
	unsigned int size = is_32(&t->sregs.tr) ? 4 : 2;
	u32 error = t->vcpu->exit.task.error;
	u64 sp = (t->regs.rsp - size) & mask;

	if (!t->vcpu->exit.task.has_error)
		return true;
	if (!access(t, (u32)(ss->base + sp), &error, size, true))
		return false;
	t->regs.rsp = (t->regs.rsp & ~mask) | sp;
	return true;
}

static void debug_state(struct task *t, const struct vmdrv_segment *tss,
			const struct tss32 *new)
{
	struct vmdrv_vcpu *vcpu = t->vcpu;

	vmdrv_ops->set_dr(vcpu, 7, vmdrv_ops->get_dr(vcpu, 7) & ~(u64)DR7_LOCAL);
	if (!is_32(tss) || !(new->trap & 1))
		return;
	vmdrv_ops->set_dr(vcpu, 6, vmdrv_ops->get_dr(vcpu, 6) | DR6_BT);
	vmdrv_queue_exception(vcpu, X86_TRAP_DB, false, 0);
}

static int failed(struct task *t)
{
	if (t->no_memory)
		return vmdrv_stop(t->vcpu, -EFAULT, "a task switch without memory at %llx",
				  t->address);
	if (t->vector == X86_TRAP_PF)
		vmdrv_queue_page_fault(t->vcpu, t->address, t->error);
	else
		vmdrv_queue_exception(t->vcpu, t->vector, true, t->error);
	return 1;
}

/* Returns 1: the guest goes on, in which task whatsoever, or 0: it is stopped. */
int vmdrv_task_switch(struct vmdrv_vcpu *vcpu)
{
	const struct vm_exit *exit = &vcpu->exit;
	struct task t = { .vcpu = vcpu };
	struct vmdrv_segment tss;
	struct tss32 new;
	bool good;

	vmdrv_ops->get_regs(vcpu, &t.regs);
	vmdrv_ops->get_sregs(vcpu, &t.sregs);
	if (!find_tss(&t, exit->task.selector, exit->task.source, &tss) ||
	    !read_tss(&t, &tss, &new) || !leave(&t, &tss))
		return failed(&t);
	take_registers(&t, &tss, &new);
	debug_state(&t, &tss, &new);
	good = enter(&t, &new) && push_error(&t);
	commit(&t);
	return good ? 1 : failed(&t);
}
