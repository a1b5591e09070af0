// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's own page tables, walked in software: for the emulation of string
 * I/O and to fetch instructions, and for debuggers.
 *
 * An access is judged as one of the guest's privilege level made by an ordinary
 * instruction. Protection keys, shadow stacks and 5-level paging do not come
 * up: the guest's CPUID does not offer them.
 */
#include <asm/processor-flags.h>

#include "vmdriver.h"

#define WALK_LEVELS	4

/* Bits of an entry, the same in all formats where they exist. */
#define ENTRY_P		BIT_ULL(0)
#define ENTRY_W		BIT_ULL(1)
#define ENTRY_U		BIT_ULL(2)
#define ENTRY_A		BIT_ULL(5)
#define ENTRY_D		BIT_ULL(6)
#define ENTRY_PS	BIT_ULL(7)
#define ENTRY_NX	BIT_ULL(63)

/* The error code of a page fault; W, U and I have VMDRV_ACCESS_*'s places. */
#define FAULT_P		BIT(0)
#define FAULT_RSVD	BIT(3)

/* A CPU retries for ever when an entry changes under it; we do this often. */
#define MARK_TRIES	8

/* The bits from hi down to lo, both included; none if hi is below lo. */
static u64 bits(unsigned int hi, unsigned int lo)
{
	return hi < lo ? 0 : (~0ull >> (63 - hi)) & (~0ull << lo);
}

/**
 * struct walk - one walk, or several in the same mode
 * @vcpu: whose
 * @cr0: its registers; they do not change meanwhile
 * @cr3: as above
 * @cr4: as above
 * @efer: as above
 * @rflags: as above
 * @access: VMDRV_ACCESS_*, with USER according to the privilege level
 * @levels: 0 (paging is off), 2, 3 (PAE) or 4
 * @size: bytes of an entry, 4 or 8
 * @user: all entries on the way allow user mode
 * @write: ... and writing
 * @nx: one of them forbids execution
 * @leaf: level of the entry that maps the page, 1 being the lowest
 * @entry: what was read, by level
 * @entry_gpa: from where
 */
struct walk {
	struct vmdrv_vcpu *vcpu;
	u64 cr0, cr3, cr4, efer, rflags;
	u32 access;
	int levels;
	unsigned int size;

	bool user, write, nx;
	int leaf;
	u64 entry[WALK_LEVELS + 1];
	u64 entry_gpa[WALK_LEVELS + 1];
};

static void walk_init(struct walk *w, struct vmdrv_vcpu *vcpu, u32 access)
{
	w->vcpu = vcpu;
	w->cr0 = vmdrv_ops->get_cr(vcpu, 0);
	w->cr3 = vmdrv_ops->get_cr(vcpu, 3);
	w->cr4 = vmdrv_ops->get_cr(vcpu, 4);
	w->efer = vmdrv_ops->get_efer(vcpu);
	w->rflags = vmdrv_ops->get_rflags(vcpu);
	w->access = access;
	if (vmdrv_ops->get_cpl(vcpu) == 3)
		w->access |= VMDRV_ACCESS_USER;

	if (!(w->cr0 & X86_CR0_PG))
		w->levels = 0;
	else if (w->efer & EFER_LMA)
		w->levels = 4;
	else
		w->levels = w->cr4 & X86_CR4_PAE ? 3 : 2;
	w->size = w->levels == 2 ? 4 : 8;
}

static unsigned int level_shift(const struct walk *w, int level)
{
	return 12 + (w->size == 4 ? 10 : 9) * (level - 1);
}

/* The four entries at the top of PAE paging have no rights and no A bit. */
static bool is_pdpte(const struct walk *w, int level)
{
	return w->levels == 3 && level == 3;
}

static bool is_leaf(const struct walk *w, int level, u64 entry)
{
	if (level == 1)
		return true;
	if (!(entry & ENTRY_PS))
		return false;
	if (w->size == 4)
		return w->cr4 & X86_CR4_PSE;
	return level == 2 || (level == 3 && w->levels == 4 && boot_cpu_has(X86_FEATURE_GBPAGES));
}

/* Where the page that a leaf maps begins. */
static u64 leaf_base(const struct walk *w, int level, u64 entry)
{
	if (w->size == 8)
		return entry & bits(51, level_shift(w, level));
	if (level == 1)
		return entry & bits(31, 12);
	return (entry & bits(31, 22)) | (entry & bits(20, 13)) << 19;	/* PSE-36 */
}

/* Whether bits are set that the CPU would not take: those become a #PF. */
static bool has_reserved(const struct walk *w, int level, u64 entry)
{
	unsigned int phys_bits = vmdrv_caps.phys_bits;
	u64 reserved;

	if (w->size == 4) {
		if (!is_leaf(w, level, entry) || level == 1)
			return false;
		return entry & bits(21, 21) || leaf_base(w, level, entry) >> phys_bits;
	}

	reserved = bits(51, phys_bits);
	if (w->levels == 3)
		reserved |= bits(62, 52);
	if (is_pdpte(w, level))
		return entry & (reserved | ENTRY_NX);	/* MOV CR3 has checked the rest */
	if (!(w->efer & EFER_NX))
		reserved |= ENTRY_NX;
	if (level > 1 && entry & ENTRY_PS) {
		if (is_leaf(w, level, entry))
			reserved |= bits(level_shift(w, level) - 1, 13);
		else
			reserved |= ENTRY_PS;
	}
	return entry & reserved;
}

/* The bits of the error code that tell what kind of access it was. */
static u32 access_error(const struct walk *w)
{
	u32 error = w->access & (VMDRV_ACCESS_WRITE | VMDRV_ACCESS_USER);

	if (w->cr4 & X86_CR4_SMEP || (w->size == 8 && w->efer & EFER_NX))
		error |= w->access & VMDRV_ACCESS_FETCH;
	return error;
}

static bool is_permitted(const struct walk *w)
{
	bool fetch = w->access & VMDRV_ACCESS_FETCH;
	bool write = w->access & VMDRV_ACCESS_WRITE;

	if (fetch && w->nx)
		return false;
	if (w->access & VMDRV_ACCESS_USER)
		return w->user && (w->write || !write);
	if (w->user && fetch && w->cr4 & X86_CR4_SMEP)
		return false;
	if (w->user && !fetch && w->cr4 & X86_CR4_SMAP && !(w->rflags & X86_EFLAGS_AC))
		return false;
	return w->write || !write || !(w->cr0 & X86_CR0_WP);
}

static int read_entry(struct walk *w, u64 table, u64 gva, int level)
{
	u64 index = (gva >> level_shift(w, level)) & (4096 / w->size - 1);
	u64 entry = 0;	/* the low half of it for a 4-byte one: x86 is little-endian */
	int err;

	w->entry_gpa[level] = table + index * w->size;
	err = vmdrv_guest_read(w->vcpu->vm, w->entry_gpa[level], &entry, w->size);
	w->entry[level] = entry;
	return err;
}

/* Walks down to the leaf. 0, 1 with *error, or a negative error. */
static int walk_down(struct walk *w, u64 gva, u32 *error)
{
	u64 table, entry;
	int level, err;

	w->user = true;
	w->write = true;
	w->nx = false;
	table = w->cr3 & (w->levels == 4 ? bits(51, 12) : w->levels == 3 ? bits(31, 5) :
							  bits(31, 12));
	for (level = w->levels; ; level--) {
		/* PAE has a top table of 4 entries: gva is of 32 bits there. */
		err = read_entry(w, table, gva, level);
		if (err)
			return err;
		entry = w->entry[level];
		*error = access_error(w);
		if (!(entry & ENTRY_P))
			return 1;
		if (has_reserved(w, level, entry)) {
			*error |= FAULT_P | FAULT_RSVD;
			return 1;
		}
		if (!is_pdpte(w, level)) {
			w->user &= !!(entry & ENTRY_U);
			w->write &= !!(entry & ENTRY_W);
			w->nx |= !!(entry & ENTRY_NX);
		}
		if (is_leaf(w, level, entry))
			break;
		table = entry & (w->size == 8 ? bits(51, 12) : bits(31, 12));
	}
	w->leaf = level;
	if (!is_permitted(w)) {
		*error |= FAULT_P;
		return 1;
	}
	return 0;
}

/* Sets the accessed and dirty bits. -EAGAIN: an entry has changed meanwhile. */
static int walk_mark(const struct walk *w)
{
	int level, err;
	u64 entry;

	for (level = w->levels; level >= w->leaf; level--) {
		if (is_pdpte(w, level))
			continue;
		entry = w->entry[level] | ENTRY_A;
		if (level == w->leaf && w->access & VMDRV_ACCESS_WRITE)
			entry |= ENTRY_D;
		if (entry == w->entry[level])
			continue;
		err = vmdrv_guest_cmpxchg(w->vcpu->vm, w->entry_gpa[level], w->entry[level], entry,
					  w->size);
		/* Tables in ROM keep the bits that they have. */
		if (err && err != -EROFS)
			return err;
	}
	return 0;
}

static int walk(struct walk *w, u64 gva, bool mark, u64 *gpa, u32 *error)
{
	int tries = 0;
	int ret;

	if (!w->levels) {
		*gpa = gva;
		return 0;
	}
	if (w->levels == 4 && (u64)((s64)(gva << 16) >> 16) != gva)
		return -EINVAL;
	do {
		ret = walk_down(w, gva, error);
		if (ret)
			return ret;
		ret = mark ? walk_mark(w) : 0;
	} while (ret == -EAGAIN && ++tries < MARK_TRIES);
	*gpa = leaf_base(w, w->leaf, w->entry[w->leaf]) |
	       (gva & bits(level_shift(w, w->leaf) - 1, 0));
	return ret == -EAGAIN ? 0 : ret;
}

/* Addresses wrap at 4 GiB everywhere but in long mode. */
static u64 linear(const struct walk *w, u64 gva)
{
	return w->levels == 4 ? gva : (u32)gva;
}

int vmdrv_translate(struct vmdrv_vcpu *vcpu, u64 gva, u32 access, u64 *gpa, u32 *error)
{
	struct walk w;

	walk_init(&w, vcpu, access);
	return walk(&w, linear(&w, gva), false, gpa, error);
}

int vmdrv_translate_traced(struct vmdrv_vcpu *vcpu, u64 gva, u32 access, u64 *gpa,
			   struct vmdrv_walk_trace *t)
{
	struct walk w;
	u32 error;
	int level, ret;

	walk_init(&w, vcpu, access);
	ret = walk(&w, linear(&w, gva), false, gpa, &error);
	if (ret)
		return ret;
	t->size = w.size;
	t->n = 0;
	for (level = w.levels; level && level >= w.leaf; level--) {
		t->gpa[t->n] = w.entry_gpa[level];
		t->entry[t->n++] = w.entry[level] & ~(ENTRY_A | ENTRY_D);
	}
	return 0;
}

static int gva_access(struct vmdrv_vcpu *vcpu, u64 gva, void *buf, size_t len, u32 access,
		      struct vmdrv_fault *f)
{
	bool write = access & VMDRV_ACCESS_WRITE;
	struct walk w;
	size_t n;
	u64 gpa;
	int ret;

	walk_init(&w, vcpu, access);
	f->error = 0;
	for (f->done = 0; f->done < len; f->done += n) {
		f->address = linear(&w, gva + f->done);
		ret = walk(&w, f->address, true, &gpa, &f->error);
		if (ret)
			return ret;
		n = min_t(size_t, len - f->done, PAGE_SIZE - f->address % PAGE_SIZE);
		if (write)
			ret = vmdrv_guest_write(vcpu->vm, gpa, buf + f->done, n);
		else
			ret = vmdrv_guest_read(vcpu->vm, gpa, buf + f->done, n);
		if (ret)
			return ret;
	}
	return 0;
}

int vmdrv_gva_read(struct vmdrv_vcpu *vcpu, u64 gva, void *buf, size_t len, u32 access,
		   struct vmdrv_fault *f)
{
	return gva_access(vcpu, gva, buf, len, access & ~VMDRV_ACCESS_WRITE, f);
}

int vmdrv_gva_write(struct vmdrv_vcpu *vcpu, u64 gva, const void *buf, size_t len, u32 access,
		    struct vmdrv_fault *f)
{
	return gva_access(vcpu, gva, (void *)buf, len, access | VMDRV_ACCESS_WRITE, f);
}
