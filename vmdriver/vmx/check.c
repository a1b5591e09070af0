// SPDX-License-Identifier: GPL-2.0-only
/*
 * What VM entry checks of the guest's state, for state that was put in from
 * outside: Intel SDM 3, "Checks on the Guest State Area". The CPU would say no
 * more than that something was wrong.
 */
#include <linux/bits.h>
#include <asm/processor-flags.h>
#include <asm/processor.h>

#include "vmx.h"

/* Bits of vmdrv_segment.attrib */
#define TYPE		0x00f
#define TYPE_ACCESSED	0x001
#define TYPE_READABLE	0x002	/* code; of data: writable */
#define TYPE_CONFORMING	0x004
#define TYPE_CODE	0x008
#define ATTRIB_S	0x010
#define ATTRIB_P	0x080
#define ATTRIB_L	0x200
#define ATTRIB_DB	0x400
#define ATTRIB_G	0x800
#define ATTRIB_V86	0x0f3

#define TYPE_LDT	2
#define TYPE_BUSY_TSS16	3
#define TYPE_BUSY_TSS32	11

#define SELECTOR_LOCAL	BIT(2)	/* TI: of the local table */

#define PDPTE_P		BIT_ULL(0)
#define PDPTE_RESERVED	(GENMASK_ULL(2, 1) | GENMASK_ULL(8, 5))

static unsigned int dpl(const struct vmdrv_segment *s)
{
	return (s->attrib >> 5) & 3;
}

static bool usable(const struct vmdrv_segment *s)
{
	return s->attrib & ATTRIB_P;
}

/* A limit that its granularity can say. */
static bool limit_fits(const struct vmdrv_segment *s)
{
	if (s->attrib & ATTRIB_G)
		return (s->limit & 0xfff) == 0xfff;
	return !(s->limit >> 20);
}

static bool v86_segment(const struct vmdrv_segment *s)
{
	return s->base == (u64)s->selector << 4 && s->limit == 0xffff && s->attrib == ATTRIB_V86;
}

static bool code_segment(const struct vmdrv_sregs *s)
{
	const struct vmdrv_segment *cs = &s->cs;

	if (!usable(cs) || !(cs->attrib & ATTRIB_S) || !limit_fits(cs) || upper_32_bits(cs->base))
		return false;
	if (s->efer & EFER_LMA && cs->attrib & ATTRIB_L && cs->attrib & ATTRIB_DB)
		return false;
	if ((cs->attrib & TYPE) == (TYPE_READABLE | TYPE_ACCESSED))	/* left over in real mode */
		return !dpl(cs);
	if ((cs->attrib & (TYPE_CODE | TYPE_ACCESSED)) != (TYPE_CODE | TYPE_ACCESSED))
		return false;
	return cs->attrib & TYPE_CONFORMING ? dpl(cs) <= dpl(&s->ss) : dpl(cs) == dpl(&s->ss);
}

static bool stack_segment(const struct vmdrv_sregs *s)
{
	const struct vmdrv_segment *ss = &s->ss;

	/* Usable or not, its DPL is the privilege level. */
	if (dpl(ss) && (!(s->cr0 & X86_CR0_PE) || (s->cs.attrib & TYPE) == 3))
		return false;
	if (!usable(ss))
		return true;
	return (ss->attrib & (TYPE_CODE | TYPE_READABLE | TYPE_ACCESSED | ATTRIB_S)) ==
	       (TYPE_READABLE | TYPE_ACCESSED | ATTRIB_S) && limit_fits(ss) &&
	       !upper_32_bits(ss->base);
}

static bool data_segment(const struct vmdrv_segment *s, bool wide_base)
{
	if (!usable(s))
		return true;
	if (!(s->attrib & ATTRIB_S) || !(s->attrib & TYPE_ACCESSED) || !limit_fits(s))
		return false;
	if ((s->attrib & (TYPE_CODE | TYPE_READABLE)) == TYPE_CODE)
		return false;
	return wide_base || !upper_32_bits(s->base);
}

static bool task_register(const struct vmdrv_sregs *s)
{
	unsigned int type = s->tr.attrib & TYPE;

	return usable(&s->tr) && !(s->tr.attrib & ATTRIB_S) && limit_fits(&s->tr) &&
	       !(s->tr.selector & SELECTOR_LOCAL) &&
	       (type == TYPE_BUSY_TSS32 || (type == TYPE_BUSY_TSS16 && !(s->efer & EFER_LMA)));
}

static bool local_table(const struct vmdrv_segment *s)
{
	return !usable(s) || ((s->attrib & (TYPE | ATTRIB_S)) == TYPE_LDT && limit_fits(s) &&
			      !(s->selector & SELECTOR_LOCAL));
}

static const char *segments_fault(const struct vmdrv_sregs *s, bool v86)
{
	const struct vmdrv_segment *seg = &s->es;
	int i;

	for (i = VMDRV_SEG_ES; i <= VMDRV_SEG_GS; i++) {
		bool good;

		if (v86)
			good = v86_segment(&seg[i]);
		else if (i == VMDRV_SEG_CS)
			good = code_segment(s);
		else if (i == VMDRV_SEG_SS)
			good = stack_segment(s);
		else
			good = data_segment(&seg[i], i >= VMDRV_SEG_FS);
		if (!good)
			return vmdrv_segment_names[i];
	}
	if (!local_table(&s->ldtr))
		return vmdrv_segment_names[VMDRV_SEG_LDTR];
	return task_register(s) ? NULL : vmdrv_segment_names[VMDRV_SEG_TR];
}

/* What can be told without the other registers. */
const char *vmx_sregs_fault(const struct vmdrv_sregs *s)
{
	const char *fault = segments_fault(s, false);

	if (fault && (!(s->cr0 & X86_CR0_PE) || s->efer & EFER_LMA || segments_fault(s, true)))
		return fault;
	if (s->cr3 >> vmdrv_caps.phys_bits)
		return "CR3";
	if (s->cr4 & X86_CR4_PCIDE && !(s->efer & EFER_LMA))
		return "CR4.PCIDE: set outside of long mode";
	return NULL;
}

static const char *rip_fault(const struct vmdrv_sregs *s, u64 rip)
{
	bool wide = s->efer & EFER_LMA && s->cs.attrib & ATTRIB_L;

	return wide ? sign_extend64(rip, 47) == rip ? NULL : "RIP: not canonical" :
	       upper_32_bits(rip) ? "RIP: above 4 GiB outside of 64-bit mode" : NULL;
}

static const char *rflags_fault(struct vmdrv_vcpu *vcpu, const struct vmdrv_sregs *s, u64 rflags)
{
	if (rflags & X86_EFLAGS_VM && (!(s->cr0 & X86_CR0_PE) || s->efer & EFER_LMA))
		return "RFLAGS.VM: set in real or long mode";
	if (vcpu->pending.irq && !(rflags & X86_EFLAGS_IF))
		return "RFLAGS.IF: clear, with an interrupt to be delivered";
	if (vcpu->pending.irq && vmx_get_shadow(vcpu))
		return "an interrupt to be delivered in a shadow";
	return NULL;
}

/* With PAE paging the CPU holds the four top entries, as MOV to CR3 has read them. */
static const char *load_pdptes(struct vmdrv_vcpu *vcpu, const struct vmdrv_sregs *s)
{
	static const unsigned long fields[] = {
		GUEST_PDPTR0, GUEST_PDPTR1, GUEST_PDPTR2, GUEST_PDPTR3,
	};
	u64 pdpte[4];
	int i;

	if (vmdrv_guest_read(vcpu->vm, s->cr3 & GENMASK_ULL(31, 5), pdpte, sizeof(pdpte)))
		return "CR3: no memory for PAE's top entries";
	for (i = 0; i < ARRAY_SIZE(pdpte); i++) {
		if (pdpte[i] & PDPTE_P &&
		    (pdpte[i] & PDPTE_RESERVED || pdpte[i] >> vmdrv_caps.phys_bits))
			return "CR3: a reserved bit in PAE's top entries";
		vmx_write(fields[i], pdpte[i]);
	}
	return NULL;
}

const char *vmx_check(struct vmdrv_vcpu *vcpu)
{
	u64 rflags = vmx_read(GUEST_RFLAGS);
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	struct vmdrv_sregs s;
	const char *fault;

	vmx_get_sregs(vcpu, &s);
	fault = rflags_fault(vcpu, &s, rflags);
	if (!fault)
		fault = segments_fault(&s, rflags & X86_EFLAGS_VM);
	if (!fault)
		fault = rip_fault(&s, vmx_read(GUEST_RIP));
	if (fault || !vmx->pdptes_stale)
		return fault;
	if (s.cr0 & X86_CR0_PG && s.cr4 & X86_CR4_PAE && !(s.efer & EFER_LMA))
		fault = load_pdptes(vcpu, &s);
	vmx->pdptes_stale = fault;
	return fault;
}
