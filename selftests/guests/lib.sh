# SPDX-License-Identifier: GPL-2.0-only
#
# A guest on a serial line: start it, wait for what it prints, ask it things.
# Everything waits with generous limits, since the lab may be very slow.

vmctl=$top/build/vmctl/vmctl
images=$top/build/guests
boot_limit=300		# seconds from power-on to a shell
answer_limit=60
poll_interval=0.2
patience=1		# for what takes its time because the host is slow
case $(uname -r) in
*-debug)	boot_limit=1500 answer_limit=400 patience=5 ;;
esac

work=$(mktemp -d)
guest_pid=''
ask_count=0

cleanup()
{
	[ -z "$guest_pid" ] || kill -9 "$guest_pid" 2>/dev/null || :
	rm -rf "$work"
}
trap cleanup EXIT

# ---- TAP

tap_count=0 tap_failed=0

ok() { echo "ok $((++tap_count)) - $*"; }

not_ok()
{
	echo "not ok $((++tap_count)) - $*"
	tap_failed=$((tap_failed + 1))
}

# check NAME COMMAND...: passes if COMMAND succeeds
check()
{
	local name=$1
	shift
	if "$@"; then
		ok "$name"
	else
		not_ok "$name"
		diag "$work/serial" 15
		diag "$work/stderr" 5
	fi
}

# diag FILE LINES: the end of FILE, as TAP's comments
diag()
{
	# The last line may have no end yet.
	[ ! -s "$1" ] || tail -n "$2" "$1" | tr -cd '\n\t -~' | sed -e "s|^|# ${1##*/}: |" -e '$a\'
}
note() { sed 's/^/# /' <<<"$*"; }

is() { [ "$1" = "$2" ] || { note "got '$1', not '$2'"; false; }; }
has() { grep -q -- "$2" <<<"$1" || { note "no '$2' in: $1"; false; }; }
hasnt() { ! grep -q -- "$2" <<<"$1" || { note "'$2' in: $1"; false; }; }

quiet() { "$@" >"$work/stdout" 2>"$work/stderr"; }

# true_in COMMAND LIMIT: until COMMAND succeeds, at most LIMIT seconds
true_in()
{
	local end=$((SECONDS + $2))
	until eval "$1"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep "$poll_interval"
	done
}

# ---- a guest in the foreground, its serial line on vmctl's standard I/O

# guest_start KERNEL [VMCTL-OPTION]...
guest_start()
{
	local kernel=$1
	shift
	rm -f "$work"/{in,serial,stderr}
	mkfifo "$work/in"
	exec 8<>"$work/in"
	: >"$work/serial"
	"$vmctl" run --kernel "$images/$kernel.vmlinuz" --initrd "$images/$kernel.cpio.gz" \
		--mem 256 --name guest --serial stdio \
		"$@" <"$work/in" >"$work/serial" 2>"$work/stderr" &
	guest_pid=$!
	mark=1
}

guest_runs() { kill -0 "$guest_pid" 2>/dev/null; }

# guest_says PATTERN LIMIT: PATTERN comes after the mark, within LIMIT seconds
guest_says()
{
	true_in "guest_said '$1' || ! guest_runs" "$2" && guest_said "$1"
}

guest_said() { tail -c "+$mark" "$work/serial" | tr -d '\r' | grep -q -- "$1"; }

guest_up() { guest_says '^guest: Linux .* is up' "$boot_limit" && guest_says '# ' "$boot_limit"; }

guest_types() { printf '%s\n' "$*" >&8; }

# ask COMMANDS: what they print in the guest; fails if it does not answer
ask()
{
	local n
	# Also in a subshell, each question has a number of its own.
	n=$(wc -c <"$work/serial")
	mark=$((n + 1))
	# The echo of the line that is typed has no such line.
	guest_types "echo begin-\$(($n)); $*; echo end-\$(($n))"
	guest_says "^end-$n\$" "$answer_limit" || { no_answer "$*" >&2; return 1; }
	tail -c "+$mark" "$work/serial" | tr -d '\r' |
		sed -n "/^begin-$n\$/,/^end-$n\$/p" | sed '1d;$d'
}

# What a second brings: a guest that is stuck, or one that is slow? Without a timer interrupt
# (LOC) on a CPU that is busy, the emulator has lost it.
no_answer()
{
	local events=/sys/kernel/tracing/events/vmdriver/enable before interrupts task

	note "no answer to: $*"
	before=$("$vmctl" stat guest --json)
	interrupts=$(grep -e LOC -e RES /proc/interrupts)
	echo 1 >$events
	sleep 1
	echo 0 >$events
	note "more than a second before: $("$vmctl" stat guest --json | jq -c --argjson before "$before" '
		[paths(numbers) as $p | {($p | map(tostring) | join(".")):
			(getpath($p) - ($before | getpath($p)))}] | add |
		with_entries(select(.value != 0))')"
	note "$interrupts"
	note "$(grep -e LOC -e RES /proc/interrupts)"
	for task in /proc/"$(pidof -s vmapp)"/task/*; do
		# State, user and system time, CPU; then where it waits.
		note "$(cut -d' ' -f 2,3,14,15,39 "$task/stat") $(xargs <"$task/stack")"
	done
	note "$(tail -n 12 "${events%/events*}/trace")"
	echo >"${events%/events*}/trace"
}

# guest_ends STATUS [LIMIT]: vmctl run ends by itself, with STATUS
guest_ends()
{
	local status
	true_in '! guest_runs' "${2:-120}" || {
		echo "# still running"
		kill -9 "$guest_pid"
	}
	wait "$guest_pid" && status=0 || status=$?
	guest_pid=''
	exec 8>&-
	is "$status" "$1"
}

# No VM and no process is there any more.
nothing_left()
{
	true_in '! pidof vmapp >/dev/null' 10 || { echo "# vmapp still runs"; return 1; }
	[ -z "$(ls -A /sys/class/vmdriver)" ] || { echo "# a VM is left in sysfs"; return 1; }
}

# ---- errors

# refused PATTERN COMMAND...: ends soon and non-zero, with one line that has
# PATTERN on standard error, and leaves nothing running
refused()
{
	local pattern=$1 status
	shift
	timeout 60 "$@" </dev/null >"$work/stdout" 2>"$work/stderr" && status=0 || status=$?
	[ "$status" -ne 0 ] && [ "$status" -lt 124 ] || { echo "# exit status $status"; return 1; }
	[ "$(wc -l <"$work/stderr")" -eq 1 ] || { echo "# not one line"; return 1; }
	grep -qi -- "$pattern" "$work/stderr" ||
		{ note "no '$pattern' in: $(cat "$work/stderr")"; return 1; }
}
