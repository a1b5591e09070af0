/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints, for perf and trace-cmd: events/vmdriver/.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vmdriver

#if !defined(VMDRV_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define VMDRV_TRACE_H

#include <linux/tracepoint.h>

#include "vmdriver.h"

#define VMDRV_CAUSE_NAMES						\
	{ VMDRV_CAUSE_INTR, "intr" }, { VMDRV_CAUSE_NMI, "nmi" },	\
	{ VMDRV_CAUSE_MCE, "mce" }, { VMDRV_CAUSE_WINDOW, "window" },	\
	{ VMDRV_CAUSE_IO, "io" }, { VMDRV_CAUSE_LATCH, "latch" },	\
	{ VMDRV_CAUSE_NPF, "npf" }, { VMDRV_CAUSE_HLT, "hlt" },		\
	{ VMDRV_CAUSE_CPUID, "cpuid" }, { VMDRV_CAUSE_RDMSR, "rdmsr" },	\
	{ VMDRV_CAUSE_WRMSR, "wrmsr" }, { VMDRV_CAUSE_CR, "cr" },	\
	{ VMDRV_CAUSE_DR, "dr" }, { VMDRV_CAUSE_XSETBV, "xsetbv" },	\
	{ VMDRV_CAUSE_EXCEPTION, "exception" },				\
	{ VMDRV_CAUSE_IRET, "iret" }, { VMDRV_CAUSE_TASK, "task" },	\
	{ VMDRV_CAUSE_WBINVD, "wbinvd" },	\
	{ VMDRV_CAUSE_RDPMC, "rdpmc" },					\
	{ VMDRV_CAUSE_HYPERCALL, "hypercall" },				\
	{ VMDRV_CAUSE_UNDEFINED, "undefined" },				\
	{ VMDRV_CAUSE_SHUTDOWN, "shutdown" },				\
	{ VMDRV_CAUSE_INVALID, "invalid" },				\
	{ VMDRV_CAUSE_UNKNOWN, "unknown" }

TRACE_EVENT(vmdrv_entry,
	TP_PROTO(struct vmdrv_vcpu *vcpu),
	TP_ARGS(vcpu),
	TP_STRUCT__entry(
		__field(int, vm)
		__field(u64, rip)
	),
	TP_fast_assign(
		__entry->vm = vcpu->vm->id;
		__entry->rip = vmdrv_ops->get_rip(vcpu);
	),
	TP_printk("vm%d rip 0x%llx", __entry->vm, __entry->rip)
);

TRACE_EVENT(vmdrv_exit,
	TP_PROTO(struct vmdrv_vcpu *vcpu),
	TP_ARGS(vcpu),
	TP_STRUCT__entry(
		__field(int, vm)
		__field(int, cause)
		__field(u64, rip)
		__field(u64, gpa)
		__field(u8, cpl)
	),
	TP_fast_assign(
		__entry->vm = vcpu->vm->id;
		__entry->cause = vcpu->exit.cause;
		__entry->rip = vmdrv_ops->get_rip(vcpu);
		__entry->gpa = vcpu->exit.cause == VMDRV_CAUSE_NPF ? vcpu->exit.npf.gpa : 0;
		__entry->cpl = vmdrv_ops->get_cpl(vcpu);
	),
	TP_printk("vm%d %s rip 0x%llx gpa 0x%llx cpl %u", __entry->vm,
		  __print_symbolic(__entry->cause, VMDRV_CAUSE_NAMES),
		  __entry->rip, __entry->gpa, __entry->cpl)
);

TRACE_EVENT(vmdrv_pio,
	TP_PROTO(int vm, u16 port, unsigned int size, bool in, u32 value),
	TP_ARGS(vm, port, size, in, value),
	TP_STRUCT__entry(
		__field(int, vm)
		__field(u16, port)
		__field(u8, size)
		__field(bool, in)
		__field(u32, value)
	),
	TP_fast_assign(
		__entry->vm = vm;
		__entry->port = port;
		__entry->size = size;
		__entry->in = in;
		__entry->value = value;
	),
	TP_printk("vm%d %s 0x%x size %u value 0x%x", __entry->vm,
		  __entry->in ? "in" : "out", __entry->port, __entry->size, __entry->value)
);

TRACE_EVENT(vmdrv_inject,
	TP_PROTO(int vm, int vector),
	TP_ARGS(vm, vector),
	TP_STRUCT__entry(
		__field(int, vm)
		__field(int, vector)
	),
	TP_fast_assign(
		__entry->vm = vm;
		__entry->vector = vector;
	),
	TP_printk("vm%d vector 0x%x", __entry->vm, __entry->vector)
);

TRACE_EVENT(vmdrv_unknown_msr,
	TP_PROTO(int vm, u32 index, bool write, u64 value),
	TP_ARGS(vm, index, write, value),
	TP_STRUCT__entry(
		__field(int, vm)
		__field(u32, index)
		__field(bool, write)
		__field(u64, value)
	),
	TP_fast_assign(
		__entry->vm = vm;
		__entry->index = index;
		__entry->write = write;
		__entry->value = value;
	),
	TP_printk("vm%d %s msr 0x%x value 0x%llx", __entry->vm,
		  __entry->write ? "write" : "read", __entry->index, __entry->value)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
