// SPDX-License-Identifier: GPL-2.0-only
/*
 * What CPUID tells a guest: the host's CPU, less what we do not virtualize.
 *
 * Shown: every instruction-set extension whose state the FPU swap covers.
 * Hidden: the virtualization extensions, APIC, MCE/MCA and MTRRs (the platform
 * has none of them), performance monitoring, RDTSCP and RDPID (TSC_AUX stays
 * the host's), PKU and CET, speculation control, topology (one CPU).
 * Leaf 40000000h on is VMware's interface, which guests already know.
 */
#include <linux/bitops.h>
#include <linux/string.h>
#include <asm/cpufeature.h>
#include <asm/fpu/types.h>
#include <asm/processor.h>
#include <asm/tsc.h>

#include "vmdriver.h"

enum { EAX, EBX, ECX, EDX };

#define LEAF1_ECX	(BIT(0) | BIT(1) | BIT(9) | BIT(12) | BIT(13) | BIT(17) | BIT(19) | \
			 BIT(20) | BIT(22) | BIT(23) | BIT(25) | BIT(26) | BIT(28) | \
			 BIT(29) | BIT(30))
			/*
			 * SSE3 PCLMULQDQ SSSE3 FMA CX16 PCID SSE4.1 SSE4.2 MOVBE POPCNT
			 * AES XSAVE AVX F16C RDRAND
			 */
#define LEAF1_ECX_OSXSAVE	BIT(27)
#define LEAF1_ECX_HYPERVISOR	BIT(31)
#define LEAF1_EDX	(BIT(0) | BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6) | \
			 BIT(8) | BIT(11) | BIT(13) | BIT(15) | BIT(16) | BIT(17) | \
			 BIT(19) | BIT(23) | BIT(24) | BIT(25) | BIT(26))
			/*
			 * FPU VME DE PSE TSC MSR PAE CX8 SEP PGE CMOV PAT PSE36 CLFSH MMX
			 * FXSR SSE SSE2
			 */
#define LEAF7_EBX	(BIT(0) | BIT(3) | BIT(5) | BIT(7) | BIT(8) | BIT(9) | BIT(10) | \
			 BIT(16) | BIT(17) | BIT(18) | BIT(19) | BIT(20) | BIT(21) | \
			 BIT(23) | BIT(24) | BIT(28) | BIT(29) | BIT(30) | BIT(31))
			/*
			 * FSGSBASE BMI1 AVX2 SMEP BMI2 ERMS INVPCID AVX512F AVX512DQ
			 * RDSEED ADX SMAP AVX512IFMA CLFLUSHOPT CLWB AVX512CD SHA
			 * AVX512BW AVX512VL
			 */
#define LEAF7_EBX_AVX512	(BIT(16) | BIT(17) | BIT(21) | BIT(28) | BIT(30) | BIT(31))
#define LEAF7_ECX	(BIT(1) | BIT(2) | BIT(6) | BIT(8) | BIT(9) | BIT(10) | BIT(11) | \
			 BIT(12) | BIT(14))
			/* AVX512VBMI UMIP AVX512VBMI2 GFNI VAES VPCLMULQDQ AVX512VNNI ... */
#define LEAF7_ECX_AVX512	(BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14))
#define LEAF7_EDX	BIT(4)			/* FSRM */
#define LEAFD_1_EAX	(BIT(0) | BIT(1) | BIT(2))	/* XSAVEOPT XSAVEC XGETBV with ECX 1 */
#define LEAF8_1_ECX	(BIT(0) | BIT(5) | BIT(6) | BIT(7) | BIT(8) | BIT(11) | BIT(16) | BIT(21))
			/* LAHF ABM SSE4A MISALIGNSSE 3DNOWPREFETCH XOP FMA4 TBM */
#define LEAF8_1_EDX_OWN	(BIT(11) | BIT(20) | BIT(22) | BIT(25) | BIT(26) | BIT(29) | \
			 BIT(30) | BIT(31))
			/* SYSCALL NX MMXEXT FFXSR PDPE1GB LM 3DNOWEXT 3DNOW */
#define LEAF8_1_EDX_SHARED	(LEAF1_EDX & 0x0183f3ff)	/* AMD repeats leaf 1 here */
#define LEAF8_7_EDX	BIT(8)			/* invariant TSC */
#define LEAF8_8_EBX	(BIT(0) | BIT(2))	/* CLZERO, XSAVE restores error pointers */

#define MAX_BASIC	0xd
#define MAX_EXTENDED	0x80000008
#define HYPERVISOR_BASE	0x40000000
#define HYPERVISOR_MAX	0x40000010
#define BUS_KHZ		66000	/* what VMware reports; only an APIC timer would use it */

#define XSAVE_FIXED_BYTES	(512 + 64)	/* legacy region and header */
#define XCR0_AVX	(XFEATURE_MASK_SSE | XFEATURE_MASK_YMM)

/* XCR0 bits that a guest may set: the kernel saves their state for us. */
u64 vmdrv_supported_xcr0(void)
{
	if (!boot_cpu_has(X86_FEATURE_OSXSAVE))
		return XFEATURE_MASK_FP;
	return vmdrv_host_xcr0 & (XFEATURE_MASK_FP | XFEATURE_MASK_SSE | XFEATURE_MASK_YMM |
				  XFEATURE_MASK_AVX512);
}

/* The rules of XSETBV: AMD manual 3, "XSETBV"; Intel SDM 1, 13.3. */
bool vmdrv_xcr0_valid(u64 xcr0)
{
	if (xcr0 & ~vmdrv_caps.xcr0 || !(xcr0 & XFEATURE_MASK_FP))
		return false;
	if (xcr0 & XFEATURE_MASK_YMM && !(xcr0 & XFEATURE_MASK_SSE))
		return false;
	if (xcr0 & XFEATURE_MASK_AVX512 &&
	    ((xcr0 & XFEATURE_MASK_AVX512) != XFEATURE_MASK_AVX512 ||
	     (xcr0 & XCR0_AVX) != XCR0_AVX))
		return false;
	return true;
}

/* Bytes of the standard XSAVE image with the components of @xcr0. */
static u32 xsave_bytes(u64 xcr0)
{
	u32 size = XSAVE_FIXED_BYTES;
	u32 eax, ebx, ecx, edx;
	int i;

	for (i = FIRST_EXTENDED_XFEATURE; i < 63; i++) {
		if (!(xcr0 & BIT_ULL(i)))
			continue;
		cpuid_count(0xd, i, &eax, &ebx, &ecx, &edx);
		size = max(size, ebx + eax);
	}
	return size;
}

static void leaf_1(struct vmdrv_vcpu *vcpu, u32 out[4])
{
	out[EBX] = (out[EBX] & 0xff00) | BIT(16);	/* CLFLUSH size, one CPU, APIC id 0 */
	out[ECX] &= LEAF1_ECX;
	if (!(vmdrv_caps.xcr0 & XFEATURE_MASK_SSE))
		out[ECX] &= ~(BIT(12) | BIT(26) | BIT(28) | BIT(29));
	else if (!(vmdrv_caps.xcr0 & XFEATURE_MASK_YMM))
		out[ECX] &= ~(BIT(12) | BIT(28) | BIT(29));
	if (vmdrv_ops->get_cr(vcpu, 4) & X86_CR4_OSXSAVE)
		out[ECX] |= LEAF1_ECX_OSXSAVE;
	out[ECX] |= LEAF1_ECX_HYPERVISOR;
	out[EDX] &= LEAF1_EDX;
}

static void leaf_7(u32 subleaf, u32 out[4])
{
	bool avx512 = vmdrv_caps.xcr0 & XFEATURE_MASK_AVX512;

	if (subleaf) {
		memset(out, 0, 4 * sizeof(*out));
		return;
	}
	out[EAX] = 0;
	out[EBX] &= LEAF7_EBX & ~(avx512 ? 0 : LEAF7_EBX_AVX512);
	if (!(vmdrv_caps.xcr0 & XFEATURE_MASK_YMM))
		out[EBX] &= ~BIT(5);
	out[ECX] &= LEAF7_ECX & ~(avx512 ? 0 : LEAF7_ECX_AVX512);
	out[EDX] &= LEAF7_EDX;
}

static void leaf_d(struct vmdrv_vcpu *vcpu, u32 subleaf, u32 out[4])
{
	if (subleaf == 0) {
		out[EAX] = lower_32_bits(vmdrv_caps.xcr0);
		out[EBX] = xsave_bytes(vcpu->xcr0);
		out[ECX] = xsave_bytes(vmdrv_caps.xcr0);
		out[EDX] = upper_32_bits(vmdrv_caps.xcr0);
	} else if (subleaf == 1) {
		out[EAX] &= LEAFD_1_EAX;
		out[EBX] = xsave_bytes(vcpu->xcr0);
		out[ECX] = 0;
		out[EDX] = 0;
	} else if (subleaf >= 64 || !(vmdrv_caps.xcr0 & BIT_ULL(subleaf))) {
		memset(out, 0, 4 * sizeof(*out));
	}
}

static void basic_leaf(struct vmdrv_vcpu *vcpu, u32 leaf, u32 subleaf, u32 out[4])
{
	switch (leaf) {
	case 0:
		out[EAX] = min_t(u32, out[EAX], MAX_BASIC);
		break;
	case 1:
		leaf_1(vcpu, out);
		break;
	case 2:		/* Intel's cache descriptors */
		break;
	case 4:		/* caches, each of one CPU */
		out[EAX] &= 0x3fff;
		break;
	case 7:
		leaf_7(subleaf, out);
		break;
	case 0xd:
		leaf_d(vcpu, subleaf, out);
		break;
	default:
		memset(out, 0, 4 * sizeof(*out));
	}
}

static void extended_leaf(u32 leaf, u32 out[4])
{
	switch (leaf) {
	case 0x80000000:
		out[EAX] = min_t(u32, out[EAX], MAX_EXTENDED);
		break;
	case 0x80000001:
		out[EBX] = 0;
		out[ECX] &= LEAF8_1_ECX;
		if (!(vmdrv_caps.xcr0 & XFEATURE_MASK_YMM))
			out[ECX] &= ~(BIT(11) | BIT(16));
		out[EDX] &= LEAF8_1_EDX_OWN |
			    (boot_cpu_data.x86_vendor == X86_VENDOR_AMD ||
			     boot_cpu_data.x86_vendor == X86_VENDOR_HYGON ? LEAF8_1_EDX_SHARED : 0);
		break;
	case 0x80000002 ... 0x80000006:		/* brand string, caches */
		break;
	case 0x80000007:
		out[EAX] = 0;
		out[EBX] = 0;
		out[ECX] = 0;
		out[EDX] &= LEAF8_7_EDX;
		break;
	case 0x80000008:
		out[EAX] = vmdrv_caps.phys_bits | (out[EAX] & 0xff00);
		out[EBX] &= LEAF8_8_EBX;
		out[ECX] = 0;
		out[EDX] = 0;
		break;
	default:
		memset(out, 0, 4 * sizeof(*out));
	}
}

/* VMware's identity and timing leaves. */
static void hypervisor_leaf(u32 leaf, u32 out[4])
{
	memset(out, 0, 4 * sizeof(*out));
	if (leaf == HYPERVISOR_BASE) {
		out[EAX] = HYPERVISOR_MAX;
		memcpy(&out[EBX], "VMwareVMware", 12);
	} else if (leaf == HYPERVISOR_MAX) {
		out[EAX] = vmdrv_caps.tsc_khz;
		out[EBX] = BUS_KHZ;
	}
}

void vmdrv_cpuid(struct vmdrv_vcpu *vcpu, u32 leaf, u32 subleaf, u32 out[4])
{
	if (leaf >= HYPERVISOR_BASE && leaf <= HYPERVISOR_BASE + 0xff) {
		hypervisor_leaf(leaf, out);
		return;
	}
	/* Above the maximum a CPU answers with its highest basic leaf; zeros are safer. */
	if (leaf > MAX_BASIC && (leaf < 0x80000000 || leaf > MAX_EXTENDED)) {
		memset(out, 0, 4 * sizeof(*out));
		return;
	}
	cpuid_count(leaf, subleaf, &out[EAX], &out[EBX], &out[ECX], &out[EDX]);
	if (leaf < 0x80000000)
		basic_leaf(vcpu, leaf, subleaf, out);
	else
		extended_leaf(leaf, out);
}

/*
 * VMware's backdoor: IN EAX, DX with the magic number in EAX and a command in
 * CX. GETVERSION proves that we are there; GETHZ gives the TSC's frequency.
 * Everything else answers as an unknown command does. False: not a call.
 */
#define BACKDOOR_MAGIC		0x564d5868
#define BACKDOOR_GETVERSION	10
#define BACKDOOR_GETHZ		45
#define BACKDOOR_VERSION	6
#define BACKDOOR_TYPE		2	/* a Workstation */

bool vmdrv_backdoor(struct vmdrv_vcpu *vcpu)
{
	u64 *gpr = vcpu->ctx.gpr;
	u64 hz;

	if ((u32)gpr[VMDRV_RAX] != BACKDOOR_MAGIC || vcpu->exit.io.size != 4)
		return false;
	switch ((u16)gpr[VMDRV_RCX]) {
	case BACKDOOR_GETVERSION:
		gpr[VMDRV_RAX] = BACKDOOR_VERSION;
		gpr[VMDRV_RBX] = BACKDOOR_MAGIC;
		gpr[VMDRV_RCX] = BACKDOOR_TYPE;
		break;
	case BACKDOOR_GETHZ:
		hz = vmdrv_caps.tsc_khz * 1000;
		gpr[VMDRV_RAX] = lower_32_bits(hz);
		gpr[VMDRV_RBX] = upper_32_bits(hz);
		gpr[VMDRV_RCX] = BUS_KHZ * 1000;
		break;
	default:
		gpr[VMDRV_RAX] = U32_MAX;
	}
	return true;
}
