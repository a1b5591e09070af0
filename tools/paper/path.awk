# SPDX-License-Identifier: GPL-2.0-only
#
# The path of an OUT that transmits, out of ftrace's text: see record() in measure.
# Of all stretches from an exit to the next entry in which a frame reaches the NIC's
# driver, the most frequent sequence of events, and what lies between them on average.
# With -v config=NAME as lines for data.csv, summed up for the plot and for one frame.

function name_of(text) {
	if (text ~ /^vmdrv_exit:/) return "exit"
	if (text ~ /^vmdrv_entry:/) return "entry"
	if (text ~ /^sys_enter:/) return "call " syscall(text)
	if (text ~ /^sys_exit:/) return "return " syscall(text)
	sub(/ .*/, "", text)
	return text
}

function syscall(text,	part) {
	split(text, part, " ")
	return part[3] in calls ? calls[part[3]] : "syscall " part[3]
}

function stage(from, to) {
	if (from == "exit" && to == "return ioctl") return "VMM, VMDriver: the exit is VMApp's; the world switch"
	if (from == "exit" && to == "vmnet_port_transmit") return "VMM and Lance: the exit is served, the frame fetched"
	if (from ~ /^return ioctl/ && to ~ /^call/) return "VMApp"
	if (from ~ /^return/ && to ~ /^call/) return "VMApp, Lance"
	if (from ~ /^call/ && to == "vmnet_port_transmit") return "system call, the frame fetched"
	if (from == "vmnet_port_transmit") return "vmnet: switch and bridge, the host's queue"
	if (from == "dummy_xmit" && to == "vmnet_port_transmit") return "NIC driver, and the next frame is fetched"
	if (from == "dummy_xmit" && to == "entry") return "NIC driver, and back to the guest"
	if (from == "dummy_xmit") return "NIC driver, and back"
	if (from == "call ioctl" && to == "entry") return "VMDriver: the world switch back to the guest"
	return "host"
}

# The plot's colours.
function part_of(text) {
	if (text ~ /world switch/) return "world switch"
	if (text ~ /^VMApp/) return "VMApp"
	if (text ~ /^VMM/) return "VMM"
	if (text ~ /^system call|^host/) return "system calls"
	if (text ~ /^vmnet/) return "vmnet"
	return "NIC driver and back"
}

function print_csv(	n, i, part, at, sums) {
	split("", sums)
	n = split(best, part, "|")
	for (i = 2; i <= n; i++)
		sums[part_of(stage(part[i - 1], part[i]))] += sum[best, i] / most
	for (at in sums)
		printf "%s,path,1,1,%s,%.0f\n", config, at, sums[at] / frames
	printf "%s,path,1,1,all,%.0f\n%s,path,1,1,done,1\n", config, total[best] / most / frames, config
}

BEGIN {
	calls[0] = "read"; calls[1] = "write"; calls[7] = "poll"; calls[16] = "ioctl"
	calls[20] = "writev"; calls[19] = "readv"; calls[23] = "select"; calls[202] = "futex"
	calls[232] = "epoll_wait"; calls[281] = "epoll_pwait"; calls[270] = "pselect6"
}

match($0, /[0-9]+: /) {
	# The line is TASK-PID [CPU] FLAGS TSC: TEXT.
	sub(/^ *[^\[]*\[[0-9]+\] +[^ ]+ +/, "")
	tsc = $1 + 0
	text = $0
	sub(/^[0-9]+: +/, "", text)
	name = name_of(text)
	if (name == "exit") {
		n = 0
		sequence = ""
		open = text ~ / io /
	}
	if (!open)
		next
	n++
	at[n] = tsc
	sequence = sequence (n > 1 ? "|" : "") name
	if (name != "entry")
		next
	open = 0
	if (sequence !~ /dummy_xmit/)
		next
	all++
	times[sequence]++
	for (i = 2; i <= n; i++)
		sum[sequence, i] += at[i] - at[i - 1]
	total[sequence] += at[n] - at[1]
}

END {
	for (s in times)
		if (times[s] > most) {
			most = times[s]
			best = s
		}
	frames = split(best, part, "dummy_xmit") - 1
	if (config != "") {
		if (all)
			print_csv()
		exit
	}
	if (!all) {
		print "No frame was seen to reach the NIC's driver.\n"
		exit
	}
	printf "%d of %d stretches went this way%s:\n\n", most, all,
		(frames > 1 ? ", each with " frames " frames" : "")
	print "| from | to | | instructions |\n|---|---|---|---|"
	n = split(best, part, "|")
	for (i = 2; i <= n; i++)
		printf "| %s | %s | %s | %.0f |\n", part[i - 1], part[i], stage(part[i - 1], part[i]), sum[best, i] / most
	printf "| **exit** | **entry** | **in all** | **%.0f** |\n", total[best] / most
	if (frames > 1)
		printf "| | | **for each frame** | **%.0f** |\n", total[best] / most / frames
	print ""
}
