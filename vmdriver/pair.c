// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pairs of port accesses in one exit: behind an OUT to a latch the guest's code
 * is read and, if it is one of the few sequences that are known, executed up to
 * the second access, which is handled as if it had made an exit.
 *
 * The fast path can only read memory that is there. So the first time at an
 * address the page tables are walked between two stays, and remembered: the
 * entries that were read, and where the code is. Each time after that, all of
 * them are compared, and the code is looked at as it is now. Whatever differs
 * makes it no pair, which is never wrong: the second access exits by itself.
 */
#include <linux/uaccess.h>
#include <asm/processor-flags.h>

#include "vmdriver.h"

#define FLAT_LIMIT	0xffffffff
#define DR7_ENABLES	0xff	/* the guest's own breakpoints: they want their traps */

static struct vmdrv_pair_site *site_of(struct vmdrv_vcpu *vcpu, u64 rip)
{
	return &vcpu->pair_sites[(rip ^ rip >> 6) % VMDRV_PAIR_SITES];
}

/*
 * Code that may access every port, and whose segment is all of memory? In 64-bit
 * mode it always is.
 */
static bool is_flat(struct vmdrv_vcpu *vcpu, const struct vmdrv_paging *paging)
{
	struct vmdrv_segment cs;

	if (paging->cpl || paging->mode != 4)
		return !paging->cpl && paging->mode == 8;
	vmdrv_ops->get_segment(vcpu, VMDRV_SEG_CS, &cs);
	return !cs.base && cs.limit == FLAT_LIMIT;
}

/* ---- between two stays: a site is made ---- */

/* The owner's address of @len bytes of guest memory; NULL if they are not in one slot. */
static void __user *owner_ptr(struct vmdrv_vm *vm, u64 gpa, unsigned int len)
{
	struct vmdrv_slot *slot = vmdrv_slot_find(vm, gpa);
	void __user *ptr;

	if (!slot || gpa - slot->gpa > slot->size - len)
		return NULL;
	ptr = (void __user *)(slot->hva + (gpa - slot->gpa));
	return access_ok(ptr, len) ? ptr : NULL;
}

static bool locate(struct vmdrv_vm *vm, struct vmdrv_pair_site *site,
		   const struct vmdrv_walk_trace *trace, u64 gpa)
{
	unsigned int i;

	site->generation = vm->mem.generation;
	site->size = trace->size;
	for (i = 0; i < trace->n; i++) {
		site->entry[i] = trace->entry[i];
		site->entry_ptr[i] = owner_ptr(vm, trace->gpa[i], trace->size);
		if (!site->entry_ptr[i])
			return false;
	}
	site->entries = trace->n;
	site->code = owner_ptr(vm, gpa, site->len);
	return site->code;
}

void vmdrv_pair_learn(struct vmdrv_vcpu *vcpu)
{
	u64 rip = vmdrv_ops->get_rip(vcpu);
	struct vmdrv_pair_site *site = site_of(vcpu, rip);
	struct vmdrv_vm *vm = vcpu->vm;
	struct vmdrv_walk_trace trace;
	u64 gpa;

	memset(site, 0, sizeof(*site));
	site->rip = rip;
	vmdrv_ops->get_paging(vcpu, &site->paging);
	site->len = min_t(u64, IO_PAIR_BYTES, PAGE_SIZE - offset_in_page(rip));
	if (vmdrv_translate_traced(vcpu, rip, VMDRV_ACCESS_FETCH, &gpa, &trace))
		return;
	down_read(&vm->mem.sem);
	if (!locate(vm, site, &trace, gpa))
		site->code = NULL;
	up_read(&vm->mem.sem);
}

/* ---- right after the exit, interrupts off ---- */

/* Reads the code, if the way to it is still the same. No page is faulted in. */
static bool read_site(const struct vmdrv_pair_site *site, u8 code[IO_PAIR_BYTES])
{
	bool same = false;
	unsigned int i;
	u64 entry;
	u32 low;

	pagefault_disable();
	if (!user_access_begin(site->code, site->len))
		goto out;
	for (i = 0; i < site->entries; i++) {
		if (site->size == 8) {
			unsafe_get_user(entry, (u64 __user *)site->entry_ptr[i], end);
		} else {
			unsafe_get_user(low, (u32 __user *)site->entry_ptr[i], end);
			entry = low;
		}
		if ((entry & ~(u64)VMDRV_TRACE_IGNORE) != site->entry[i])
			goto end;
	}
	for (i = 0; i + 4 <= site->len; i += 4)
		unsafe_get_user(*(u32 *)(code + i), (u32 __user *)(site->code + i), end);
	same = true;
end:
	user_access_end();
out:
	pagefault_enable();
	return same;
}

/* Have the site made, or made anew, before the guest is entered again. */
static bool learn_later(struct vmdrv_vcpu *vcpu)
{
	set_bit(VMDRV_REQ_PAIR, &vcpu->requests);
	return false;
}

static bool known(struct vmdrv_vcpu *vcpu, const struct vmdrv_pair_site *site, u64 rip)
{
	struct vmdrv_paging now;

	vmdrv_ops->get_paging(vcpu, &now);
	return site->rip == rip && site->generation == READ_ONCE(vcpu->vm->mem.generation) &&
	       !memcmp(&site->paging, &now, sizeof(now));
}

/* Is it a pair? Mostly the bytes are what they were the last time. */
static bool decode(struct vmdrv_pair_site *site, const u8 code[IO_PAIR_BYTES])
{
	unsigned int len = site->len & ~3;

	if (site->pair.length && !memcmp(site->bytes, code, IO_PAIR_BYTES))
		return true;
	memcpy(site->bytes, code, IO_PAIR_BYTES);
	if (!io_pair_decode(code, len, &site->pair))
		site->pair.length = 0;
	return site->pair.length;
}

/*
 * An OUT to a latch was done, RIP is behind it. If a pair begins there, all is
 * set up for its second access: vcpu->exit, and the registers.
 */
bool vmdrv_pair_begin(struct vmdrv_vcpu *vcpu)
{
	u64 rip = vmdrv_ops->get_rip(vcpu);
	struct vmdrv_pair_site *site = site_of(vcpu, rip);
	struct vm_exit *exit = &vcpu->exit;
	u8 code[IO_PAIR_BYTES] __aligned(8) = { };
	const struct io_pair *pair = &site->pair;

	if (vmdrv_ops->get_dr(vcpu, 7) & DR7_ENABLES || vcpu->pending.exception)
		return false;
	if (!known(vcpu, site, rip))
		return learn_later(vcpu);
	if (!site->code || !is_flat(vcpu, &site->paging))
		return false;
	if (!read_site(site, code))
		return learn_later(vcpu);
	if (!decode(site, code))
		return false;
	exit->io.port = io_pair_run(pair, vcpu->ctx.gpr);
	exit->io.size = pair->size;
	exit->io.in = pair->in;
	exit->rip_next = rip + pair->length;
	exit->io.string = false;
	exit->io.rep = false;
	vcpu->events[VMDRV_EVENT_PAIR]++;
	return true;
}
