# SPDX-License-Identifier: GPL-2.0-only
#
# With machine=CPU it was measured there, else in the lab.
# The report, or with plot=NAME a plot's table, out of "config,test,run,packets,metric,value".

# Of each packet, by the middle one of the runs, or what lies between the middle two.
function per(config, test, metric) {
	sort_runs(config, test, metric)
	return (sorted[int((sorted_n + 1) / 2)] + sorted[int(sorted_n / 2) + 1]) / 2
}

# Run 0 is that of the tracepoints. A counter that did not move has no line. A stream that
# went another way than most did is not one of them: see stream_way().
function sort_runs(config, test, metric,	i, j, v) {
	split("", sorted)
	if (metric ~ /^trace\./) {
		sorted_n = 1
		sorted[1] = values[config, test, metric, 0] + 0
		return
	}
	sorted_n = 0
	for (i = 1; i <= all_runs[config, test]; i++) {
		if (stream_way(config, test, i) != main_way(config, test))
			continue
		v = values[config, test, metric, i] + 0
		for (j = ++sorted_n; j > 1 && sorted[j - 1] > v; j--)
			sorted[j] = sorted[j - 1]
		sorted[j] = v
	}
}

# Which of two ways a stream has gone: "filled" are segments from what waits; "split" it
# is where each write leaves as it comes, its rest in a small segment.
function stream_way(config, test, run) {
	return test == "tcp-tx" && values[config, test, "cable.tx_packets", run] > 1.03 ? "split" : "filled"
}

function main_way(config, test,	i, split_runs) {
	if (!((config, test) in way_of)) {
		for (i = 1; i <= all_runs[config, test]; i++)
			split_runs += stream_way(config, test, i) == "split"
		way_of[config, test] = split_runs * 2 > all_runs[config, test] ? "split" : "filled"
	}
	return way_of[config, test]
}

# Of each config whose streams were not all alike: how many went the other way, at what cost.
function print_ways(	i, j, c, n, line) {
	for (i = 1; i <= configs; i++) {
		c = order[i]
		n = 0
		line = ""
		for (j = 1; j <= all_runs[c, "tcp-tx"]; j++) {
			if (stream_way(c, "tcp-tx", j) == main_way(c, "tcp-tx"))
				continue
			line = line (n++ ? ", " : "") f(values[c, "tcp-tx", "instructions", j] / 1000, 2)
		}
		if (n)
			print "* " label[c] ", TCP sent: " n " of " all_runs[c, "tcp-tx"] " streams went the other way, " \
				(main_way(c, "tcp-tx") == "split" ? "filled" : "split") ", at " line " " UNIT " a packet."
	}
}

# How far the runs are apart, in percent of the middle one.
function spread(config, test, metric,	middle) {
	middle = per(config, test, metric)
	return middle > 0 ? (sorted[sorted_n] - sorted[1]) * 100 / middle : 0
}

# From the lowest to the highest of the runs.
function extent(config, test, metric, scale, digits) {
	sort_runs(config, test, metric)
	return f(sorted[1] / scale, digits) " to " f(sorted[sorted_n] / scale, digits)
}

function has(config, test) { return all_runs[config, test] > 0 }

function is_ours(config) { return config in profile }

function exits(config, test) { return per(config, test, "exits") }

# To the process of the monitor.
function worldswitches(config, test) {
	return per(config, test, is_ours(config) ? "switches" : "trace.userspace")
}

# What each profile leaves of them.
function switch_steps(	i, c, line) {
	for (i = 1; i <= configs; i++) {
		c = order[i]
		if (is_ours(c) && has(c, "udp-tx"))
			line = line (line == "" ? " " : ", ") label[c] " " f(worldswitches(c, "udp-tx"), 3)
	}
	return line
}

function kinsn(config, test) { return per(config, test, "instructions") / 1000 }

function bar(config, test) { return has(config, test) ? f(kinsn(config, test) * 1000, 0) : "NaN" }

function model(config, test) { return kinsn(config, test) + exits(config, test) * EXIT_CYCLES / 1000 }

# In Mb/s of data, and of the time the shares, in percent, in which the host's CPU has
# nothing to do and in which the guest is halted.
function throughput(config, test,	time) {
	time = per(config, test, "time")
	return time > 0 ? 1448 * 8 / time : 0
}

function share(config, test, metric,	time) {
	time = per(config, test, "time")
	return time > 0 ? per(config, test, metric) / time / 10 : 0
}

# From the lowest to the highest of the runs.
function idle_extent(config, test,	i, v, lowest, highest) {
	lowest = 100
	highest = 0
	for (i = 1; i <= all_runs[config, test]; i++) {
		v = values[config, test, "idle", i] / values[config, test, "time", i] / 10
		lowest = v < lowest ? v : lowest
		highest = v > highest ? v : highest
	}
	return f(lowest, 1) " to " f(highest, 1)
}

# What would be idle if each exit took its time, too; the link being the same.
function model_idle(config, test,	idle) {
	idle = share(config, test, "idle") - exits(config, test) * EXIT_CYCLES / per(config, test, "time") / 10
	return idle > 0 ? idle : 0
}

function f(x, digits,	text) {
	text = sprintf("%." digits "f", x)
	return text + 0 ? text : sprintf("%." digits "f", 0)
}

function packets_table(test, title,	i, c) {
	print "### " title "\n"
	print "| | " UNIT " | lowest to highest of the runs | exits | lowest to highest | of them latches | returns to the monitor's process | guest NIC interrupts | lowest to highest | system calls of that process | host context switches | model: k cycles |"
	print "|---|---|---|---|---|---|---|---|---|---|---|---|"
	for (i = 1; i <= configs; i++) {
		c = order[i]
		if (!has(c, test))
			continue
		printf "| %s | %s | %s |", label[c], f(kinsn(c, test), 2), extent(c, test, "instructions", 1000, 2)
		if (c == "native") {
			printf " - | - | - | - | - | - | - | %s | %s |\n", f(per(c, test, "host.switches"), 2), f(model(c, test), 1)
			continue
		}
		printf " %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", f(exits(c, test), 2), extent(c, test, "exits", 1, 2),
			is_ours(c) ? f(per(c, test, "exits.latch"), 2) : "-", f(worldswitches(c, test), 3),
			f(per(c, test, "guest.interrupts"), 3), extent(c, test, "guest.interrupts", 1, 3),
			f(per(c, test, "trace.syscalls"), 2), f(per(c, test, "host.switches"), 2), f(model(c, test), 1)
	}
	print ""
}

# Does a figure's spread keep to a limit? Those of so little that a few decide are not asked.
function agree(c, test, metric, limit,	apart) {
	if (!has(c, test) || per(c, test, metric) < 0.05)
		return "-"
	apart = spread(c, test, metric)
	asked[test ~ /^udp/, limit]++
	if (apart <= limit)
		agreeing[test ~ /^udp/, limit]++
	return f(apart, 1) "%" (apart <= limit ? "" : " **>**")
}

function agreement_table(	i, j, c, line) {
	line = "| |"
	for (j = 1; j <= 4; j++)
		line = line " " tests[j] ": " UNIT " | exits | interrupts |"
	print line "\n" gensub_bars(line)
	for (i = 1; i <= configs; i++) {
		c = order[i]
		if (!has(c, "udp-tx"))
			continue
		line = "| " label[c] " |"
		for (j = 1; j <= 4; j++)
			line = line " " agree(c, tests[j], "instructions", 1) " | " agree(c, tests[j], "exits", 2) \
				" | " agree(c, tests[j], "guest.interrupts", 2) " |"
		print line
	}
	print ""
	for (j = 1; j >= 0; j--)
		print "* " (j ? "UDP" : "TCP") ": " agreeing[j, 1] + 0 " of " asked[j, 1] + 0 " figures of " \
			UNIT " agree to 1%, " agreeing[j, 2] + 0 " of " asked[j, 2] + 0 " counts to 2%."
	print_ways()
	print ""
}

# causes: "name value, ..." of all metrics of a group, the largest first
function causes(config, test, group,	m, v, n, i, j, name, amount, line, prefix) {
	prefix = group "."
	for (m in metrics) {
		if (index(m, prefix) != 1)
			continue
		v = per(config, test, m)
		if (v < 0.005)
			continue
		for (i = ++n; i > 1 && amount[i - 1] < v; i--) {
			amount[i] = amount[i - 1]
			name[i] = name[i - 1]
		}
		amount[i] = v
		name[i] = substr(m, length(prefix) + 1)
	}
	for (j = 1; j <= n; j++)
		line = line (j > 1 ? ", " : "") name[j] " " f(amount[j], 2)
	return line == "" ? "none" : line
}

function kvm_causes(config, test,	m, v, line) {
	for (m in metrics) {
		if (m !~ /_exits$|^hypercalls$|^halt_wakeup$|^irq_injections$|^host_state_reload$/)
			continue
		v = per(config, test, m)
		if (v >= 0.005)
			line = line (line == "" ? "" : ", ") m " " f(v, 2)
	}
	return line == "" ? "none" : line
}

function causes_table(	i, j, c) {
	print "| | test | exits by cause | returns to the monitor's process by reason |\n|---|---|---|---|"
	for (i = 1; i <= configs; i++) {
		c = order[i]
		if (c == "native")
			continue
		for (j = 1; j <= 4; j++) {
			if (!has(c, tests[j]))
				continue
			printf "| %s | %s | %s | %s |\n", label[c], tests[j],
				is_ours(c) ? causes(c, tests[j], "exits") : kvm_causes(c, tests[j]),
				is_ours(c) ? causes(c, tests[j], "switches") : f(worldswitches(c, tests[j]), 2)
		}
	}
	print ""
}

# What is to be reached: METRIC of CONFIG in TEST, in units of SCALE, no more than LIMIT.
function target(config, test, what, metric, scale, limit, digits, why,	got) {
	if (!has(config, test))
		return
	got = per(config, test, metric) / scale
	reached(label[config], titles[test], what, limit, f(got, digits), extent(config, test, metric, scale, digits),
		got <= limit * 1.02, why)
}

function reached(who, test, what, limit, got, between, yes, why) {
	printf "| %s | %s | %s | %s | %s | %s | %s | %s |\n", who, test, what, limit, got, between,
		yes ? "yes" : "**no**", yes ? "" : why
}

# As many times what QEMU's pcnet does, in the time of the same instructions.
function times(config, test, limit,	got) {
	if (!has(config, test) || !has("pcnet", test))
		return
	got = kinsn("pcnet", test) / kinsn(config, test)
	reached(label[config], titles[test], "times QEMU's pcnet", limit, f(got, 1), "", got >= limit * 0.98,
		"the peer takes less than the one that the target was made of")
}

function targets_table() {
	print "Each is the most that is allowed, to 2%, but `times`, datagrams taken and idle time, which are the"
	print "least.\n"
	print "| | test | what | target | measured | lowest to highest | reached | what stands in the way |\n|---|---|---|---|---|---|---|---|"
	if (machine == "")
		instruction_targets()
	target("direct", "udp-tx", "exits", "exits", 1, 3.5, 2, EXITS)
	target("direct+pairs", "udp-tx", "exits", "exits", 1, 2, 2, EXITS)
	target("direct", "udp-tx", "guest interrupts", "guest.interrupts", 1, 0.1, 3, EXITS)
	target("direct+pairs", "udp-tx", "guest interrupts", "guest.interrupts", 1, 0.1, 3, EXITS)
	target("ws2.0", "udp-tx", "world switches", "switches", 1, 8, 2, SWITCHES)
	target("ports", "udp-tx", "world switches", "switches", 1, 1.2, 2, SWITCHES)
	target("ports+combining", "udp-tx", "world switches", "switches", 1, 0.45, 2, SWITCHES)
	target("direct", "udp-tx", "world switches", "switches", 1, 0.01, 3, SWITCHES)
	target("direct+pairs", "udp-tx", "world switches", "switches", 1, 0.01, 3, SWITCHES)
	times("direct", "tcp-tx", 10)
	times("direct", "udp-tx", 50)
	flood_target()
	if (machine == "")
		idle_target()
	print ""
	if (machine == "" && has("direct", "udp-tx") && has("direct+pairs", "udp-tx"))
		pairs_note()
}

# Of a flood, in a second of the CPU's.
function taken(c,	time) {
	time = per(c, "udp-rx", "instructions")
	return time > 0 ? per(c, "udp-rx", "guest.datagrams") / time * 1000000000 : 0
}

function flood_target() {
	if (has("direct", "udp-rx") && has("virtio-nogso", "udp-rx"))
		reached(label["direct"], "UDP received, more than can be taken", "datagrams taken in a second",
			"virtio's: " f(taken("virtio-nogso"), 0), f(taken("direct"), 0), "",
			taken("direct") >= taken("virtio-nogso") * 0.98, "see the table of the flood")
}

# An interrupt takes Linux 14 accesses to the Lance, 5 to the PIC, and its clock's 8 to PIC and PIT.
function link_exits(c) {
	return f(exits(c, "wall"), 1) " exits for each packet: " f(per(c, "wall", "exits.latch") + per(c, "wall", "nic0.access"), 1) \
		" accesses to the Lance, " f(per(c, "wall", "exits.io") - per(c, "wall", "nic0.access"), 1) \
		" to PIC and PIT, for " f(per(c, "wall", "guest.interrupts"), 2) " interrupts of the NIC and " \
		f(per(c, "wall", "events.pit_ticks"), 2) " of the clock"
}

function idle_target(	got) {
	if (!has("direct", "wall"))
		return
	got = share("direct", "wall", "idle")
	reached(label["direct"], "TCP sent over a link of 4 Mb/s", "host CPU idle, %", 75, f(got, 1), idle_extent("direct", "wall"),
		got >= 75 * 0.98, link_exits("direct") exit_time("direct") "; " scaled_idle("direct") \
		", with pairs " scaled_idle("direct+pairs") ", as if native had " NATIVE_IDLE "%" fewest_exits())
}

# What the emulator leaves to a guest that has hardly any exits.
function fewest_exits() {
	if (!has("vhost", "wall"))
		return ""
	return "; vhost, whose guest has " f(exits("vhost", "wall"), 1) " exits, has " scaled_idle("vhost")
}

# Why they do not pay in instructions.
function pairs_note(	saved, cost) {
	saved = exits("direct", "udp-tx") - exits("direct+pairs", "udp-tx")
	cost = kinsn("direct+pairs", "udp-tx") - kinsn("direct", "udp-tx")
	print "For a UDP packet, pairs save " f(saved, 2) " exits and cost " f(cost * 1000, 0) " instructions. An exit to a"
	print "latch is 36 instructions here, as VMRUN is one, and a pair's is one that C code handles. They pay where"
	print "an exit takes more than " f(saved > 0 ? cost * 1000 / saved : 0, 0) " cycles, as on silicon: see `model`. A stream by TCP has"
	print "too few exits for either: Tables 1 and 2 show where its instructions are.\n"
}

function instruction_targets() {
	target("direct", "udp-tx", UNIT, "instructions", 1000, 18, 2, GUEST)
	target("direct+pairs", "udp-tx", UNIT, "instructions", 1000, 12.4, 2, GUEST)
	target("direct", "tcp-tx", UNIT, "instructions", 1000, 35, 2, GUEST)
	target("direct+pairs", "tcp-tx", UNIT, "instructions", 1000, 25, 2, GUEST)
	target("direct", "tcp-rx", UNIT, "instructions", 1000, 25, 2, GUEST)
	target("direct", "udp-rr", UNIT, "instructions", 1000, 72, 2, GUEST)
}

function peers_table(	j, i, t, c, line) {
	print "| " UNIT " per packet | ours, direct | ours, direct+pairs | QEMU/KVM pcnet | e1000 | virtio, no offload | virtio | vhost | native | target | earlier: pcnet, e1000, virtio no offload, vhost, native |"
	print "|---|---|---|---|---|---|---|---|---|---|---|"
	split("direct direct+pairs pcnet e1000 virtio-nogso virtio vhost native", c, " ")
	for (j = 1; j <= 4; j++) {
		t = tests[j]
		line = "| " titles[t] " |"
			for (i = 1; i <= 8; i++)
			line = line " " (has(c[i], t) ? f(kinsn(c[i], t), 2) : "-") " |"
		print line " " goal[t] " | " earlier[t] " |"
	}
	print ""
}

# ---- the paper's tables and figures

function idle_table(test,	i, c) {
	print "| | Mb/s got | host CPU idle | lowest to highest | guest halted | exits for each packet | " \
		(test == "wall" ? "as if native had " NATIVE_IDLE "%" : "model: CPU idle") " | the paper's, of a P-III at 733 MHz |"
	print "|---|---|---|---|---|---|---|---|"
	for (i = 1; i <= configs; i++) {
		c = order[i]
		if (has(c, test))
			printf "| %s | %s | %s%% | %s | %s | %s | %s | %s |\n", label[c], f(throughput(c, test), test == "wall" ? 2 : 0),
				f(share(c, test, "idle"), 1), idle_extent(c, test),
				is_ours(c) ? f(share(c, test, "events.halt_ns"), 1) "%" : "-",
				c == "native" ? "-" : f(exits(c, test), 2),
				test == "wall" ? scaled_idle(c) : f(c == "native" ? share(c, test, "idle") : model_idle(c, test), 1) "%",
				c in paper_idle ? paper_idle[c] "%" : "-"
	}
	print ""
}

# What each of its exits adds to native's time, on that link.
function exit_time(c,	us) {
	if (!has("native", "wall") || exits(c, "wall") <= 0)
		return ""
	us = (per("native", "wall", "idle") - per(c, "wall", "idle")) / 1000 / exits(c, "wall")
	return ", " f(us, 0) " us each in this emulator, the guest's own work with it"
}

# Busy time grows as the emulator's machine is slower, or has other work; natively, too.
function scaled_idle(c,	busy) {
	if (!has("native", "wall"))
		return "-"
	busy = (100 - share(c, "wall", "idle")) * (100 - NATIVE_IDLE) / (100 - share("native", "wall", "idle"))
	return f(busy < 100 ? 100 - busy : 0, 1) "%"
}

# What comes through of a flood.
function flood_table(	i, c, got) {
	print "| | datagrams that came through in a second of the CPU's | of those sent |\n|---|---|---|"
	for (i = 1; i <= configs; i++) {
		c = order[i]
		got = per(c, "udp-rx", "guest.datagrams")
		if (taken(c))
			printf "| %s | %s | %s%% |\n", label[c], f(taken(c), 0), f(got * 100, 0)
	}
	print ""
}

function speed(config, test, missing,	mbps) {
	mbps = has(config, test) ? throughput(config, test) : 0
	return mbps > 0 ? f(mbps, 0) : missing
}

function sweep_table(way,	i, j, c, line) {
	line = "| |"
	for (j = 1; j <= sizes; j++)
		line = line " " size[j] " |"
	print line "\n" gensub_bars(line)
	for (i = 1; i <= configs; i++) {
		c = order[i]
		line = ""
		for (j = 1; j <= sizes; j++)
			line = line " " speed(c, way "-" size[j], "-") " |"
		if (line ~ /[0-9]/)
			print "| " label[c] " |" line
	}
	print ""
}

function gensub_bars(line) {
	gsub(/[^|]+/, "---", line)
	return line
}

# Where time goes: a column for each profile.
function where_table(	i, j, c, m, line, some) {
	line = "| percent of all time |"
	for (i = 1; i <= configs; i++)
		if (has(order[i], "where"))
			line = line " " order[i] " |"
	print line "\n" gensub_bars(line)
	for (m in metrics) {
		line = ""
		some = 0
		for (i = 1; i <= configs; i++) {
			c = order[i]
			if (!has(c, "where"))
				continue
			line = line " " f(per(c, "where", m) / 100, 1) " |"
			some = some || per(c, "where", m) >= 20
		}
		if (some)
			print "| " m " |" line | "sort"
	}
	close("sort")
	print ""
}

function where(config, pattern,	m, sum) {
	for (m in metrics)
		if (m ~ pattern)
			sum += per(config, "where", m)
	return sum / 100
}

# compare WHAT THEIRS OURS AGREES WHY
function compare(what, theirs, ours, agrees, why) {
	printf "| %s | %s | %s | %s | %s |\n", what, theirs, ours, agrees ? "yes" : "**no**", why
}

function accesses(config, test) {
	return per(config, test, "exits.latch") + per(config, test, "nic0.access_vmapp")
}

function order_of_idle(	i, c, last, n) {
	last = -1
	n = split("ws2.0 ports ports+combining ports+combining+irq native", c, " ")
	for (i = 1; i <= n; i++) {
		if (!has(c[i], "link") || share(c[i], "link", "idle") < last - 0.5)
			return 0
		last = share(c[i], "link", "idle")
	}
	return 1
}

function paper_table(	a, b) {
	print "| | the paper | here | agrees | |\n|---|---|---|---|---|"
	if (has("ws2.0", "udp-tx")) {
		a = accesses("ws2.0", "udp-tx")
		compare("the Lance's port accesses for a packet with an interrupt of its own", 12, f(a, 1), a > 11.5 && a < 12.5,
			"today's pcnet32 masks and unmasks interrupts by CSR3, each a read and a write, and NAPI ends with one more write")
		b = per("ws2.0", "udp-tx", "nic0.access_vmapp")
		compare("the share of data port accesses that transmit", "a third", f(100 / b, 0) "%", 100 / b > 30,
			"for the same reason: one of eight")
		compare("returns to VMApp for each data port access in 2.0", 1, f(per("ws2.0", "udp-tx", "switches") / b, 2),
			per("ws2.0", "udp-tx", "switches") / b < 1.1, "each of them is a world switch, and hardly anything else is")
	}
	if (has("ports+combining", "udp-tx")) {
		a = per("ports+combining", "udp-tx", "nic0.tx") / per("ports+combining", "udp-tx", "nic0.tx_batches")
		compare("packets sent with one switch when sends are combined", "up to 3", f(a, 2), a > 1.5 && a < 3.1,
			"combine_max is reached before a host interrupt comes")
	}
	if (has("ws2.0", "path")) {
		a = per("ws2.0", "path", "vmnet") + per("ws2.0", "path", "NIC driver and back")
		b = 100 * a / per("ws2.0", "path", "all")
		compare("Figure 5: share of the path that is vmnet's and the NIC's", "55% (17.55 of 31.63 us)", f(b, 0) "%", b > 45 && b < 65,
			"in instructions; the paper's NIC is a real one, whose registers take a microsecond to write, and here it is a dummy")
	}
	if (has("ws2.0", "tx-4096") && has("ports+combining+irq", "tx-4096")) {
		a = throughput("ports+combining+irq", "tx-4096") / throughput("ws2.0", "tx-4096")
		compare("Figure 6: all optimizations to 2.0, CPU bound, 4096-byte writes", "more than 2 (PC-350)", f(a, 2), a > 2,
			"an interrupt serves many packets of a stream with today's driver: two exits are left to be saved where the paper had a dozen, and they cost instructions only")
	}
	if (has("native", "link")) {
		compare("Table 3: each optimization adds idle time, and native has most", "0 < 2.0 < 17.9 < 21.7 < 86%", idle_line(), order_of_idle(),
			"a world switch is some thousand instructions here and no flush of a TLB, and idle time varies by some points with how packets happen to share interrupts")
		a = share("native", "link", "idle") - share("ports+combining+irq", "link", "idle")
		compare("Table 3: how far the best of them is from native, in points", "64", f(a, 0), a > 40,
			"Linux itself hands over 64 KiB at a time, which a Lance cannot take: a difference that the paper did not have")
	}
	if (has("ws2.0", "where") && has("ports+combining+irq", "where")) {
		a = where("ws2.0", "^vmnet: transmitting")
		b = where("ports+combining+irq", "^vmnet: transmitting")
		compare("Tables 1 and 2: transmitting by vmnet, share of all time", "8.7, then 17.9%", f(a, 1) ", then " f(b, 1) "%", b > a,
			"what remains is a larger share of less")
		a = where("ws2.0", "^VMM: .*OUT|^world switches|^VMApp")
		b = where("ports+combining+irq", "^VMM: .*OUT|^world switches|^VMApp")
		compare("Tables 1 and 2: port accesses and VMApp are the largest overhead, and go", "26.8% of the VMM and the switches, then 5.3%",
			f(a, 1) ", then " f(b, 1) "%", a > b, "")
	}
	print ""
}

function idle_line(	i, c, n, line) {
	n = split("ws2.0 ports ports+combining ports+combining+irq native", c, " ")
	for (i = 1; i <= n; i++)
		line = line (i > 1 ? ", " : "") f(share(c[i], "link", "idle"), 1)
	return line "%"
}

# ---- the plots' tables

# Without a comma: the tables have them between columns.
function name_of(c,	name) {
	name = label[c]
	gsub(",", "", name)
	return name
}

function plot_packets(c) {
	print name_of(c) "," bar(c, "udp-tx") "," bar(c, "tcp-tx") "," bar(c, "tcp-rx") "," bar(c, "udp-rr")
}

function plot_model(c) {
	print name_of(c) "," f(kinsn(c, "udp-tx"), 2) "," f(exits(c, "udp-tx") * EXIT_CYCLES / 1000, 2)
}

function plot_idle(c) {
	if (has(c, "link"))
		print name_of(c) "," f(share(c, "link", "idle"), 1) "," (c in paper_idle ? paper_idle[c] : "NaN")
}

function plot_sweep(way,	i, j, line) {
	line = "size"
	for (i = 1; i <= configs; i++)
		if (has(order[i], way "-512"))
			line = line "," name_of(order[i])
	print line
	for (j = 1; j <= sizes; j++) {
		line = size[j]
		for (i = 1; i <= configs; i++)
			if (has(order[i], way "-512"))
				line = line "," speed(order[i], way "-" size[j], "NaN")
		if (line ~ /,[0-9]/)
			print line
	}
}

function plot_path(c,	i, line) {
	if (!has(c, "path"))
		return
	line = name_of(c)
	for (i = 1; i <= parts; i++)
		line = line "," f(per(c, "path", part[i]), 0)
	print line
}

# What a whole report has of each config, and here has not.
function print_missing(	i, j, c, n, test, wanted, line) {
	wanted = "udp-tx tcp-tx tcp-rx udp-rr udp-rx link tx-512 tx-4096 tx-65536 rx-512 rx-4096 rx-65536"
	for (i = 1; i <= configs; i++) {
		c = order[i]
		n = split(wanted (machine == "" ? " wall" : "") (is_ours(c) ? " path where" : ""), test, " ")
		line = ""
		for (j = 1; j <= n; j++)
			if (!has(c, test[j]))
				line = line " " test[j]
		if (line != "")
			print "* " c ":" line "."
	}
}

function print_plot(	i, c) {
	if (plot == "missing") {
		print_missing()
		return
	}
	if (plot == "tx" || plot == "rx") {
		plot_sweep(plot)
		return
	}
	for (i = 1; i <= configs; i++) {
		c = order[i]
		if (plot == "packets" && has(c, "udp-tx"))
			plot_packets(c)
		if (plot == "model" && has(c, "udp-tx"))
			plot_model(c)
		if (plot == "idle")
			plot_idle(c)
		if (plot == "path")
			plot_path(c)
	}
}

function config(name, text, ours) {
	order[++configs] = name
	label[name] = text
	if (ours)
		profile[name] = 1
}

BEGIN {
	FS = ","
	EXIT_CYCLES = 1500
	NATIVE_IDLE = 92
	GUEST = "guest and sink: see Tables 1 and 2"
	EXITS = "how many packets share an interrupt: each takes the driver 14 accesses"
	SWITCHES = "see the table by cause"
	UNIT = machine == "" ? "k instructions" : "us of CPU time"
	config("ws2.0", "ws2.0", 1)
	config("ports", "ports", 1)
	config("ports+combining", "ports+combining", 1)
	config("ports+combining+irq", "ports+combining+irq", 1)
	config("direct", "direct", 1)
	config("direct+pairs", "direct+pairs", 1)
	config("pcnet", "QEMU/KVM pcnet", 0)
	config("e1000", "QEMU/KVM e1000", 0)
	config("virtio-nogso", "QEMU/KVM virtio, no offload", 0)
	config("virtio", "QEMU/KVM virtio", 0)
	config("vhost", "QEMU/KVM vhost", 0)
	config("native", "native", 0)
	split("udp-tx tcp-tx tcp-rx udp-rr", tests, " ")
	titles["udp-tx"] = "UDP, 64 bytes, sent"
	titles["tcp-tx"] = "TCP sent, writes of 4096 bytes"
	titles["tcp-rx"] = "TCP received"
	titles["udp-rr"] = "UDP, there and back"
	goal["udp-tx"] = "18; with pairs 12.4"
	goal["tcp-tx"] = "35; with pairs 25"
	goal["tcp-rx"] = "25"
	goal["udp-rr"] = "72"
	sizes = split("512 1024 2048 4096 8192 16384 32768 65536", size, " ")
	parts = split("VMM|world switch|VMApp|system calls|vmnet|NIC driver and back", part, "|")
	paper_idle["native"] = 86
	paper_idle["ports+combining+irq"] = 21.7
	paper_idle["ports+combining"] = 17.9
	paper_idle["ports"] = 2.0
	paper_idle["ws2.0"] = 0
	earlier["udp-tx"] = "516, 113, 12.4, 22, 4.6"
	earlier["tcp-tx"] = "439, 88, 42, 9.4, 7.0"
	earlier["tcp-rx"] = "55, 37, 25, 8.1, 8.2"
	earlier["udp-rr"] = "573, 195, 121, 72, 28"
}

$6 ~ /^-?[0-9]+$/ && $4 > 0 {
	if ($5 == "done") {
		all_runs[$1, $2]++
		next
	}
	values[$1, $2, $5, $3] = $6 / $4
	metrics[$5] = 1
	if (split($5, part_of, ".") == 2 && (part_of[1] == "exits" || part_of[1] == "switches"))
		values[$1, $2, part_of[1], $3] += $6 / $4
}

END {
	if (plot) {
		print_plot()
		exit
	}
	print "# What a packet costs\n"
	if (machine == "") {
		print "Host and guest together, in thousands of instructions for each packet (TCP: for each"
		print "1448 bytes of data, the sink in the same host included). The guest is Debian's kernel 6.1"
	} else {
		print "Measured on " machine "; in microseconds of busy time, all on one CPU, for each packet (TCP: for each"
		print "1448 bytes of data, the sink in the same host included). The guest is Debian's kernel 6.1"
	}
	print "with its own drivers, for all; `direct` and the other profiles are `vmctl tune VM --profile`.\n"
	print "![instructions per packet](packets.svg)\n"
	print "## Ours, peers, targets\n"
	peers_table()
	print "The peers in this table were measured by the same script in the same lab; the last column is"
	print "from an earlier campaign with the same method on other versions of the scripts.\n"
	print "## Targets\n"
	targets_table()
	print "## How far runs are apart\n"
	print "From the lowest to the highest, in percent of the middle one, which is the figure everywhere"
	print "in this report; `>` is beyond 1% for " UNIT " and 2% for counts.\n"
	agreement_table()
	print "## Each test\n"
	for (j = 1; j <= 4; j++)
		packets_table(tests[j], titles[tests[j]])
	print "### UDP, 64 bytes, received, more than can be taken\n"
	print "The sink sends as many as the CPU lets it, which both share.\n"
	flood_table()
	print "![instructions and exits](model.svg)\n"
	print "`model` is a model and not a measurement: instructions at one cycle each, and " EXIT_CYCLES
	print "cycles for each exit, which is about what VMRUN and #VMEXIT, or VM entry and exit, take on"
	print "silicon. The emulator counts them as one instruction each.\n"
	print "## By cause, for each packet\n"
	causes_table()
	print "`latch` is RAP's: served before the guest's state is even saved. KVM's own counters name fewer"
	print "causes than there are exits; `userspace` is the tracepoint kvm_userspace_exit."
	print "A return to the process of the monitor is what the paper calls a world switch.\n"
	print "## Table 3: idle time\n"
	print "TCP sent in writes of 4096 bytes over a link of 250 Mb/s (tbf), on a CPU that makes 1000 million"
	print "instructions a second; the sink is in the same host, and what it does is not idle. `guest halted`"
	print "is measured in the VMM, as in the paper, from HLT to the wake-up: the host works in some of it.\n"
	print "![idle time](idle.svg)\n"
	idle_table("link")
	if (machine == "") {
		print "And over one of 4 Mb/s to a second machine, by a cable between their NICs, in the time that the emulator"
		print "takes: what the host's CPU has left is then of that time, in which an exit is far dearer than any"
		print "other instruction, and which depends on how fast the emulator's machine is and on what else it does. So"
		print "it is compared within this table only. The same method had before, by itself: native " NATIVE_IDLE "%, vhost 65"
		print "to 71, virtio without offload 52, e1000 19, pcnet 0.3. One column has what would be idle if native took"
		print "what it did then, and all others as much less or more.\n"
		idle_table("wall")
	}
	print "## Figure 6: throughput by the size of writes and reads\n"
	print "Mb/s of data by TCP on that CPU without another limit, the sink in the same host.\n"
	print "![sent](tx.svg) ![received](rx.svg)\n"
	print "Sent:\n"
	sweep_table("tx")
	print "Received:\n"
	sweep_table("rx")
	print "## Tables 1 and 2: where time goes\n"
	print "TCP sent in writes of 4096 bytes without a limit. Not by sampling: each passage between guest, VMM,"
	print "VMApp and host was recorded with the TSC, and what the recording costs taken off each alike.\n"
	where_table()
	print "## Beside the paper\n"
	print "The paper gives times of a Pentium III. Time in an emulator says nothing, so that shares, counts and"
	print "orders are compared. World switches for each UDP packet sent:" switch_steps() ".\n"
	paper_table()
	print "## How it was taken\n"
	if (machine == "") {
		print "* The lab is QEMU's TCG with one CPU that has AMD's SVM and nested paging, under -icount shift=0:"
		print "  a nanosecond of its clock is an instruction. Instructions are the clock less the idle time"
		print "  that the scheduler's tick counts (/proc/timer_list)."
	} else {
		print "* Busy time is the clock less the idle time that the scheduler's tick counts (/proc/timer_list);"
		print "  all that is measured runs on one CPU, and what else the machine does there is in it."
	}
	print "* A run by UDP is a transfer of few packets and one of many; what the latter costs more, divided by"
	print "  the packets more, is the run's figure. Start, the console and reading counters cancel out."
	print "* A run by TCP is a connection of its own, of which some time is looked at when it has gone on for a"
	print "  while: `span` after `warm_up` in tools/paper/measure. What has moved then is counted at the cable, in"
	print "  bytes of data; the guest's interrupts are those of all of the connection. A stream that is sent goes one"
	print "  of two ways: each write leaves as it comes, with its rest in a small segment, or segments are filled"
	print "  from what waits. Interrupts, and what a packet costs, differ by far. cable.tx_packets in data.csv tells"
	print "  them apart (1.06 and 1.00): figures are of the way that most runs went, the others are named above."
	print "* The figure here is that of the middle one of the runs, which the lowest and the highest are beside."
	print "* Packets out go to a dummy NIC for the UDP test, for the others to nettest in a network"
	print "  namespace behind a veth pair. Ours is bridged there by vmnet, QEMU by tap and Linux's bridge."
	print "* Exits, switches and interrupts are the counters of vmdriver, KVM and the guest's /proc/interrupts."
	print "  System calls and KVM's returns to userspace were counted in further passes, by tracepoints,"
	print "  so that these do not add to the instructions."
	if (machine == "") {
		print "* The lab's QEMU is Debian's but for one line of tools/lab/qemu: it delivered an interrupt that a monitor"
		print "  injects with VMRUN a second time where its count of instructions ended before the guest's next exit,"
		print "  even if the guest had IF clear, and KVM's guests hung by it. What anybody takes is not changed by that."
	}
	print "* data.csv has it all. Anything not there was not measured."
}
