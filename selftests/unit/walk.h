/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What vmdriver/walk.c needs of the kernel and of vmdriver.h, which stays out:
 * included ahead of everything when it is compiled for its test.
 */
#ifndef SELFTESTS_UNIT_WALK_H
#define SELFTESTS_UNIT_WALK_H

#include <errno.h>

#include "core/types.h"
#include "uapi/vmdriver.h"

#define VMDRV_VMDRIVER_H

#define BIT(n)			(1u << (n))
#define BIT_ULL(n)		(1ull << (n))
#define EFER_LMA		BIT_ULL(10)
#define EFER_NX			BIT_ULL(11)
#define PAGE_SIZE		4096ul
#define X86_FEATURE_GBPAGES	0
#define boot_cpu_has(feature)	((void)(feature), gigabyte_pages)
#define min_t(type, a, b)	((type)(a) < (type)(b) ? (type)(a) : (type)(b))

struct vmdrv_vm { int unused; };
struct vmdrv_vcpu { struct vmdrv_vm *vm; };
struct vmdrv_fault { u64 address; u32 error; size_t done; };
struct vmdrv_walk_trace { unsigned int size, n; u64 gpa[4], entry[4]; };

struct vmdrv_ops {
	u64 (*get_cr)(struct vmdrv_vcpu *vcpu, int cr);
	u64 (*get_efer)(struct vmdrv_vcpu *vcpu);
	u64 (*get_rflags)(struct vmdrv_vcpu *vcpu);
	int (*get_cpl)(struct vmdrv_vcpu *vcpu);
};

extern const struct vmdrv_ops *vmdrv_ops;
extern struct vmdrv_caps vmdrv_caps;
extern bool gigabyte_pages;

int vmdrv_guest_read(struct vmdrv_vm *vm, u64 gpa, void *buf, size_t len);
int vmdrv_guest_write(struct vmdrv_vm *vm, u64 gpa, const void *buf, size_t len);
int vmdrv_guest_cmpxchg(struct vmdrv_vm *vm, u64 gpa, u64 old, u64 new, unsigned int size);
int vmdrv_translate(struct vmdrv_vcpu *vcpu, u64 gva, u32 access, u64 *gpa, u32 *error);
int vmdrv_translate_traced(struct vmdrv_vcpu *vcpu, u64 gva, u32 access, u64 *gpa,
			   struct vmdrv_walk_trace *t);
int vmdrv_gva_read(struct vmdrv_vcpu *vcpu, u64 gva, void *buf, size_t len, u32 access,
		   struct vmdrv_fault *f);
int vmdrv_gva_write(struct vmdrv_vcpu *vcpu, u64 gva, const void *buf, size_t len, u32 access,
		    struct vmdrv_fault *f);

#endif
