/* SPDX-License-Identifier: GPL-2.0-only */
/* What a fuzzer is given, and how it takes numbers from it: zeroes after the end. */
#ifndef SELFTESTS_FUZZ_INPUT_H
#define SELFTESTS_FUZZ_INPUT_H

#include <stddef.h>

#include "core/types.h"

struct input {
	const u8 *data;
	size_t left;
};

/* The next @size bytes, at most 4, the first one the most significant. */
static inline u32 take(struct input *in, unsigned int size)
{
	u32 val = 0;

	while (size--) {
		val <<= 8;
		if (in->left) {
			val |= *in->data++;
			in->left--;
		}
	}
	return val;
}

#endif
