# SPDX-License-Identifier: GPL-2.0-only
#
# What the benches share. Each runs twice: on the build machine it gets its
# guest ready and starts itself in the lab; there, with WS_LAB set, it measures
# and prints "name value" lines, which the first one judges.

top=$(cd "$(dirname "$0")/../.." && pwd)
bench=$(basename "$0")

die() { echo "$bench: $*" >&2; exit 1; }

# lab_run SECONDS ARG...: this bench in the lab, where one ns is one instruction;
# what it printed is in $results then
lab_run()
{
	local seconds=$1
	shift
	results=$("$top/tools/lab/lab" run --icount --no-modules --timeout "$seconds" -- \
		"$top/tools/exitbench/$bench" "$@") || {
		echo "Bail out! $bench did not get through in the lab"
		exit 1
	}
}

# ---- in the lab

load_kvm()
{
	# Before 6.0 kvm_amd is not an alias of kvm-amd everywhere; modprobe knows both.
	modprobe kvm_amd || die "kvm_amd does not load"
}

unload_kvm() { modprobe -r kvm_amd; }

load_ours()
{
	local module folder=$top/build/modules/$(uname -r)

	for module in vmnet vmdriver; do
		[ -e "$folder/$module.ko" ] || die "no $folder/$module.ko: run make modules first"
		insmod "$folder/$module.ko" || die "$module does not load: see the kernel's log"
	done
}

# Instructions that this machine's tasks executed so far, in thousands: the time
# that they ran on a CPU, in ns, as the scheduler has it. A guest's are among them.
busy_kinsn() { awk '/^cpu/ { ns += $8 } END { printf "%.0f\n", ns / 1000 }' /proc/schedstat; }

# ---- on the build machine

tap_count=0 tap_failed=0

# tap CONDITION NAME: CONDITION is awk's
tap()
{
	tap_count=$((tap_count + 1))
	if awk "BEGIN { exit !($1) }"; then
		echo "ok $tap_count - $2"
	else
		echo "not ok $tap_count - $2"
		tap_failed=$((tap_failed + 1))
	fi
}

tap_done()
{
	echo "1..$tap_count"
	[ "$tap_failed" -eq 0 ]
}

# value NAME: of the line "NAME value" in $results; nan if there is none
value() { awk -v name="$1" '$1 == name { v = $2 } END { print v == "" ? "nan" : v }' <<<"$results"; }
