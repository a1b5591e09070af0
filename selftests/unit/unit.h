/* SPDX-License-Identifier: GPL-2.0-only */
/* What every unit test includes first. */
#ifndef SELFTESTS_UNIT_H
#define SELFTESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A small generator (xorshift): the same numbers on every machine and run. */
static inline uint32_t unit_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed >> 32;
}

#endif
