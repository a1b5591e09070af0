# SPDX-License-Identifier: GPL-2.0-only
#
# Where time goes, as in the paper's Tables 1 and 2, out of ftrace's text: see
# record() in measure. What lies between two events belongs to what the first
# began; as there is one CPU, all of them are in order. -v plain=N: so much a packet
# takes without the tracer. What is more is taken off each event alike, but no more
# than the shortest stretch takes.

function begin_of(text, pid) {
	if (text ~ /^vmdrv_entry:/)
		return "guest: its own instructions"
	if (text ~ /^vmdrv_exit:/)
		return "VMM: " exit_name(text)
	if (text ~ /^sys_exit:/)
		return pid in vm ? "VMApp: its own instructions" : OTHERS
	if (text ~ /^sys_enter:/)
		return pid in vm ? "VMApp: system call " syscall(text) : OTHERS
	if (text ~ /^vmnet_port_transmit/)
		return "vmnet: transmitting with the NIC's driver"
	if (text ~ /^vmnet_port_receive/)
		return "vmnet: receiving"
	return ""
}

# An access that the VMM has served, and what is left to do about it.
function access_name(text,	part, port) {
	split(text, part, " ")
	port = part[4]
	if (port ~ /^0x[2a][01]$/)
		return "VMM: IN and OUT to the PIC"
	if (port ~ /^0x.*[13579bdf]0$/ && length(port) > 5)
		return "VMM: IN and OUT to the Lance's data port"
	return last
}

function exit_name(text,	part) {
	split(text, part, " ")
	if (part[3] == "io") return "other IN and OUT"
	if (part[3] == "latch") return "OUT to the Lance's address port"
	if (part[3] == "intr") return "host interrupts (exits)"
	if (part[3] == "hlt") return "guest idle: HLT with sleep and wake-up"
	if (part[3] == "window") return "virtual interrupts (windows)"
	return "other exits"
}

function syscall(text,	part) {
	split(text, part, " ")
	return part[3] in calls ? calls[part[3]] : part[3]
}

# The same words for the two ways of a world switch.
function ended(name) {
	if (last ~ /^VMM: / && name ~ /^sys_exit:/ || last ~ /system call ioctl$/ && name ~ /^vmdrv_entry:/)
		return "world switches"
	return last
}

# The begin of a stretch is known better at its end.
function account(tsc, name,	what) {
	if (name ~ /^vmdrv_pio:/)
		last = access_name(name)
	if (name ~ /^vmnet_port_transmit/ && last ~ /^VMM: /)
		last = "VMM: the Lance's transmit path"
	what = ended(name)
	if (last != "")
		sum[what] += tsc - before
	n[what]++
	if (last != "" && (!shortest || tsc - before < shortest))
		shortest = tsc - before
	if (what == "idle")
		idle += tsc - before
	before = tsc
}

BEGIN {
	OTHERS = "other programs and the kernel's threads: the sink"
	calls[0] = "read"; calls[1] = "write"; calls[7] = "poll"; calls[16] = "ioctl"
	calls[20] = "writev"; calls[19] = "readv"; calls[23] = "select"; calls[202] = "futex"
	calls[232] = "epoll_wait"; calls[281] = "epoll_pwait"; calls[270] = "select"
}

/^# packets/ {
	plain *= $3
	next
}

/^# tasks/ {
	for (i = 3; i <= NF; i++)
		vm[$i]
	next
}

match($0, /-[0-9]+ +\[[0-9]+\]/) {
	pid = substr($0, RSTART + 1, RLENGTH - 1) + 0
	rest = substr($0, RSTART + RLENGTH)
	sub(/^ +[^ ]+ +/, "", rest)
	tsc = rest + 0
	text = rest
	sub(/^[0-9]+: +/, "", text)
	account(tsc, text)
	events++
	if (text ~ /^(softirq_entry|local_timer_entry|irq_handler_entry)/) {
		stack[pid, depth[pid]++] = last
		last = text ~ /^softirq/ ? "host: softirqs: the sink's TCP" : "host: interrupt handlers"
	} else if (text ~ /^(softirq_exit|local_timer_exit|irq_handler_exit)/) {
		if (depth[pid] > 0)
			last = stack[pid, --depth[pid]]
	} else if (text ~ /^sched_switch:/) {
		state[pid] = last
		match(text, /next_pid=[0-9]+/)
		next_pid = substr(text, RSTART + 9, RLENGTH - 9) + 0
		last = !next_pid ? "idle" : next_pid in state ? state[next_pid] : OTHERS
	} else if ((name = begin_of(text, pid)) != "") {
		last = name
	}
}

END {
	for (what in sum)
		all += sum[what]
	busy = all - idle
	cost = plain && events && busy > plain ? (busy - plain) / events : 0
	if (cost > shortest)
		cost = shortest
	all = 0
	for (what in sum) {
		if (what != "idle")
			sum[what] = sum[what] > cost * n[what] ? sum[what] - cost * n[what] : 0
		all += sum[what]
	}
	for (what in sum) {
		share = all ? sum[what] * 100 / all : 0
		if (config != "")
			printf "%s,where,1,1,%s,%.0f\n", config, what, share * 100
		else if (share >= 0.1)
			printf "%.1f|%d|%.0f|%s\n", share, n[what], sum[what] / n[what], what
	}
	if (config != "")
		printf "%s,where,1,1,done,1\n", config
	else
		printf "0|%d|%.0f|tracer\n", events, cost
}
