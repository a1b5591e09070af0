// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters are per CPU: counting a frame never makes two CPUs share a line.
 */
#include "vmnet.h"

void vmnet_stats_sum(struct vmnet_port *port, u64 sum[VMNET_COUNTER_NR])
{
	int cpu, i;

	memset(sum, 0, VMNET_COUNTER_NR * sizeof(*sum));
	for_each_possible_cpu(cpu) {
		const u64 *c = per_cpu_ptr(port->counters, cpu);

		for (i = 0; i < VMNET_COUNTER_NR; i++)
			sum[i] += READ_ONCE(c[i]);
	}
}
