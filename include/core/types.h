/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fixed-width types for the device cores, which are compiled unchanged into
 * vmdriver.ko, into vmapp and into the unit tests and fuzzers.
 */
#ifndef WS_CORE_TYPES_H
#define WS_CORE_TYPES_H

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/types.h>
#else
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
#endif

/* What the cores return as errors, negated: Linux's errno values on x86. */
#define WS_EEXIST	17
#define WS_EINVAL	22
#define WS_ENOSPC	28

#define WS_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
