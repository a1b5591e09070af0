/* SPDX-License-Identifier: GPL-2.0-only */
/* SHA-256, as FIPS 180-4 has it. */
#ifndef NETTEST_SHA256_H
#define NETTEST_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE	32
#define SHA256_BLOCK	64

struct sha256 {
	uint32_t state[8];
	uint64_t length;		/* bytes so far */
	uint8_t block[SHA256_BLOCK];	/* its first length % 64 bytes are waiting */
};

void sha256_init(struct sha256 *sha);
void sha256_update(struct sha256 *sha, const void *data, size_t length);
/* Ends the computation; @sha must be initialised again for another. */
void sha256_final(struct sha256 *sha, uint8_t digest[SHA256_SIZE]);

#endif
