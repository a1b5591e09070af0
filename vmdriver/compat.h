/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that we build against. HAVE_* come from
 * Kbuild, which looks for the feature in the kernel's own headers.
 */
#ifndef VMDRV_COMPAT_H
#define VMDRV_COMPAT_H

#include <linux/skbuff.h>
#include <linux/syscore_ops.h>

/*
 * Define callbacks of the boot CPU's sleep with these two, and hand _name to
 * vmdrv_register_syscore() and vmdrv_unregister_syscore().
 */
#ifdef HAVE_STRUCT_SYSCORE
#define VMDRV_SYSCORE_ARGS	void *data
#define VMDRV_DEFINE_SYSCORE(_name, _suspend, _resume)				\
	static const struct syscore_ops _name##_ops = {				\
		.suspend = _suspend,						\
		.resume = _resume,						\
	};									\
	static struct syscore _name = { .ops = &_name##_ops }
#define vmdrv_register_syscore		register_syscore
#define vmdrv_unregister_syscore	unregister_syscore
#else
#define VMDRV_SYSCORE_ARGS	void
#define VMDRV_DEFINE_SYSCORE(_name, _suspend, _resume)				\
	static struct syscore_ops _name = {					\
		.suspend = _suspend,						\
		.resume = _resume,						\
	}
#define vmdrv_register_syscore		register_syscore_ops
#define vmdrv_unregister_syscore	unregister_syscore_ops
#endif

/* The first argument of get_ownership(), of a kobject's type and of a class. */
#ifdef HAVE_CONST_KOBJECT
#define VMDRV_OWNERSHIP_KOBJECT	const struct kobject *
#else
#define VMDRV_OWNERSHIP_KOBJECT	struct kobject *
#endif
#ifdef HAVE_CONST_DEVICE
#define VMDRV_OWNERSHIP_DEVICE	const struct device *
#else
#define VMDRV_OWNERSHIP_DEVICE	struct device *
#endif

/* Whom the network tells that it is done with pages: a function, or a table with one. */
#ifdef HAVE_UBUF_OPS
#define VMDRV_DEFINE_UBUF(_name, _complete)					\
	static const struct ubuf_info_ops _name##_ops = { .complete = _complete };	\
	static const struct ubuf_info _name = {					\
		.ops = &_name##_ops, .flags = SKBFL_ZEROCOPY_FRAG,		\
	}
#else
#define VMDRV_DEFINE_UBUF(_name, _complete)					\
	static const struct ubuf_info _name = {					\
		.callback = _complete, .flags = SKBFL_ZEROCOPY_FRAG,		\
	}
#endif

#endif
