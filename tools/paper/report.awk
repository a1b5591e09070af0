# SPDX-License-Identifier: GPL-2.0-only
#
# The report, or with plot=1 the plot's table, out of "config,test,run,packets,metric,value".

function per(config, test, metric,	n, i, sum) {
	n = runs[config, test, metric]
	# A counter that did not move has no line.
	for (i = 0; i < n; i++)
		sum += values[config, test, metric, i]
	return has(config, test) ? sum / all_runs[config, test] : 0
}

# By how much runs differ, in percent of their mean.
function spread(config, test, metric,	n, i, v, low, high) {
	n = runs[config, test, metric]
	for (i = 0; i < n; i++) {
		v = values[config, test, metric, i]
		if (!i || v < low) low = v
		if (!i || v > high) high = v
	}
	return n && low + high > 0 ? (high - low) / (high + low) * 200 : 0
}

function has(config, test) { return all_runs[config, test] > 0 }

function is_ours(config) { return config in profile }

function total(config, test, group,	m, sum) {
	for (m in metrics)
		if (index(m, group ".") == 1)
			sum += per(config, test, m)
	return sum + 0
}

function exits(config, test) {
	return is_ours(config) ? total(config, test, "exits") : per(config, test, "exits")
}

# To the process of the monitor.
function worldswitches(config, test) {
	return is_ours(config) ? total(config, test, "switches") : per(config, test, "trace.userspace")
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

function f(x, digits,	text) {
	text = sprintf("%." digits "f", x)
	return text + 0 ? text : sprintf("%." digits "f", 0)
}

function packets_table(test, title,	i, c) {
	print "### " title "\n"
	print "| | k instructions | runs differ by | exits | of them latches | returns to the monitor's process | guest NIC interrupts | system calls of that process | host context switches | model: k cycles |"
	print "|---|---|---|---|---|---|---|---|---|---|"
	for (i = 1; i <= configs; i++) {
		c = order[i]
		if (!has(c, test))
			continue
		printf "| %s | %s | %s%% |", label[c], f(kinsn(c, test), 2), f(spread(c, test, "instructions"), 1)
		if (c == "native") {
			printf " - | - | - | - | - | %s | %s |\n", f(per(c, test, "host.switches"), 2), f(model(c, test), 1)
			continue
		}
		printf " %s | %s | %s | %s | %s | %s | %s |\n", f(exits(c, test), 2),
			is_ours(c) ? f(per(c, test, "exits.latch"), 2) : "-", f(worldswitches(c, test), 3),
			f(per(c, test, "guest.interrupts"), 3), f(per(c, test, "trace.syscalls"), 2),
			f(per(c, test, "host.switches"), 2), f(model(c, test), 1)
	}
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

# target CONFIG TEST WHAT GOT LIMIT
function target(config, test, what, got, limit, digits) {
	if (!has(config, test))
		return
	printf "| %s | %s | %s | %s | %s | %s |\n", label[config], titles[test], what,
		f(got, digits), limit, got <= limit * 1.02 ? "yes" : "**no**"
}

function targets_table() {
	print "Counts are compared to 2%.\n"
	print "| | test | what | measured | at most | reached |\n|---|---|---|---|---|---|"
	target("direct", "udp-tx", "k instructions", kinsn("direct", "udp-tx"), 18, 2)
	target("direct+pairs", "udp-tx", "k instructions", kinsn("direct+pairs", "udp-tx"), 12.4, 2)
	target("direct", "udp-tx", "exits", exits("direct", "udp-tx"), 3.5, 2)
	target("direct+pairs", "udp-tx", "exits", exits("direct+pairs", "udp-tx"), 2, 2)
	target("direct", "udp-tx", "guest interrupts", per("direct", "udp-tx", "guest.interrupts"), 0.1, 3)
	target("direct", "tcp-tx", "k instructions", kinsn("direct", "tcp-tx"), 35, 2)
	target("direct+pairs", "tcp-tx", "k instructions", kinsn("direct+pairs", "tcp-tx"), 25, 2)
	target("direct", "tcp-rx", "k instructions", kinsn("direct", "tcp-rx"), 25, 2)
	target("direct", "udp-rr", "k instructions", kinsn("direct", "udp-rr"), 72, 2)
	target("ws2.0", "udp-tx", "world switches", worldswitches("ws2.0", "udp-tx"), 8, 2)
	target("ports", "udp-tx", "world switches", worldswitches("ports", "udp-tx"), 1.2, 2)
	target("ports+combining", "udp-tx", "world switches", worldswitches("ports+combining", "udp-tx"), 0.45, 2)
	target("direct", "udp-tx", "world switches", worldswitches("direct", "udp-tx"), 0.01, 3)
	print ""
}

function peers_table(	j, i, t, c, line) {
	print "| k instructions per packet | ours, direct | ours, direct+pairs | QEMU/KVM pcnet | e1000 | virtio, no offload | virtio | vhost | native | target | earlier: pcnet, e1000, virtio no offload, vhost, native |"
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

function config(name, text, ours) {
	order[++configs] = name
	label[name] = text
	if (ours)
		profile[name] = 1
}

BEGIN {
	FS = ","
	EXIT_CYCLES = 1500
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
	earlier["udp-tx"] = "516, 113, 12.4, 22, 4.6"
	earlier["tcp-tx"] = "439, 88, 42, 9.4, 7.0"
	earlier["tcp-rx"] = "55, 37, 25, 8.1, 8.2"
	earlier["udp-rr"] = "573, 195, 121, 72, 28"
}

$6 ~ /^-?[0-9]+$/ && $4 > 0 {
	if ($5 == "done") {
		all_runs[$1, $2]++
	} else {
		values[$1, $2, $5, runs[$1, $2, $5]++] = $6 / $4
		metrics[$5] = 1
	}
}

END {
	if (plot) {
		for (i = 1; i <= configs; i++) {
			c = order[i]
			if (has(c, "udp-tx"))
				print label[c] "," bar(c, "udp-tx") "," bar(c, "tcp-tx") "," \
					bar(c, "tcp-rx") "," bar(c, "udp-rr")
		}
		exit
	}
	print "# What a packet costs\n"
	print "Host and guest together, in thousands of instructions for each packet (TCP: for each"
	print "1448 bytes of data, the sink in the same host included). The guest is Debian's kernel 6.1"
	print "with its own drivers, for all; `direct` and the other profiles are `vmctl tune VM --profile`.\n"
	print "![instructions per packet](packets.svg)\n"
	print "## Ours, peers, targets\n"
	peers_table()
	print "The peers in this table were measured by the same script in the same lab; the last column is"
	print "from an earlier campaign with the same method on other versions of the scripts.\n"
	print "## Targets\n"
	targets_table()
	print "## Each test\n"
	for (j = 1; j <= 4; j++)
		packets_table(tests[j], titles[tests[j]])
	print "`model` is a model and not a measurement: instructions at one cycle each, and " EXIT_CYCLES
	print "cycles for each exit, which is about what VMRUN and #VMEXIT, or VM entry and exit, take on"
	print "silicon. The emulator counts them as one instruction each.\n"
	print "## By cause, for each packet\n"
	causes_table()
	print "`latch` is RAP's: served before the guest's state is even saved. KVM's own counters name fewer"
	print "causes than there are exits; `userspace` is the tracepoint kvm_userspace_exit."
	print "A return to the process of the monitor is what the paper calls a world switch.\n"
	print "## Beside the paper\n"
	print "* The paper's Linux 2.2 driver makes 12 port accesses and takes one interrupt for each packet;"
	print "  today's pcnet32 makes 2 + 14/k, k being the packets that share an interrupt: 16 with one each."
	print "  Eight of the 16 are to the data port, so that `ws2.0` has 8 world switches where the paper had"
	print "  fewer. That most of these accesses need no host, and that sends can share a switch, is as in"
	print "  the paper. World switches for each UDP packet sent:" switch_steps() "."
	print "* The paper's interrupts and PIC accesses cost world switches and emulation; here the PIC is in the"
	print "  VMM and an interrupt is shared by up to ten packets, so that they no longer show."
	print "* The paper gives times on a Pentium III (Figure 5, Tables 1 to 3). Time in an emulator says"
	print "  nothing, and no time is compared.\n"
	print "## How it was taken\n"
	print "* The lab is QEMU's TCG with one CPU that has AMD's SVM and nested paging, under -icount shift=0:"
	print "  a nanosecond of its clock is an instruction. Instructions are the clock less the idle time"
	print "  that the scheduler's tick counts (/proc/timer_list)."
	print "* Each test is run three times with few packets and with many; what the cheapest of the latter cost"
	print "  more, divided by the packets more, is the figure. Start, connection, the console and reading"
	print "  counters cancel out. What happens now and then is noise: `runs differ by`, if there were two."
	print "* Packets out go to a dummy NIC for the UDP test, for the others to nettest in a network"
	print "  namespace behind a veth pair. Ours is bridged there by vmnet, QEMU by tap and Linux's bridge."
	print "* Exits, switches and interrupts are the counters of vmdriver, KVM and the guest's /proc/interrupts."
	print "  System calls and KVM's returns to userspace were counted in further passes, by tracepoints,"
	print "  so that these do not add to the instructions."
	print "* data.csv has it all. Anything not there was not measured."
}
