# What the phases of the appliance test share. Every result is one line on the second serial port:
# "ok|FAIL|skip SECONDS NAME: what was found".
RESULTS=/dev/ttyS1
export SYSTEMD_COLORS=0 SYSTEMD_URLIFY=0
STATE=/var/lib/appliance
HTTP=http://127.0.0.1:9464

uptime_seconds() { cut -d. -f1 /proc/uptime; }
say() { echo "$*" >"$RESULTS"; }
result() { say "$1 $(uptime_seconds) $2: $3"; }

# check NAME COMMAND...: what the command printed last stands beside the name
check() {
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then result ok "$name" "$(tail -n 1 <<<"$output")"
	else
		result FAIL "$name" "$(tail -n 3 <<<"$output" | paste -sd '|')"
		{ echo "---- $name"; echo "$output"; systemctl status edgesparsed --no-pager -l -n 20; } >/dev/ttyS0 2>&1
	fi
}

# until_true SECONDS COMMAND...: prints after how many it was so
until_true() {
	local limit=$1 start
	start=$(cut -d. -f1 /proc/uptime)
	shift
	while ! "$@" >/dev/null 2>&1; do
		if [ $(($(uptime_seconds) - start)) -ge "$limit" ]; then echo "not within $limit s: $*"; "$@" 2>&1 | tail -n 3; return 1; fi
		sleep 0.3
	done
	echo "after $(($(uptime_seconds) - start)) s"
}

# run_all FOLDER: its parts, one after the other, each in this shell
run_all() {
	local part
	for part in "$1"/*.sh; do [ -e "$part" ] && . "$part"; done
}

get() { curl -sS --max-time 10 "$HTTP$1"; }
ready() { curl -sSf --max-time 10 "$HTTP/readyz?verbose"; }
main_pid() { systemctl show -p MainPID --value edgesparsed; }
restarts() { systemctl show -p NRestarts --value edgesparsed; }
active() { [ "$(systemctl is-active edgesparsed)" = active ]; }
metric() { get /metrics | awk -v want="$1" 'index($0, want) == 1 { print $NF; exit }'; }
journal_since() { journalctl -u edgesparsed --since "$1" -o cat --no-pager; }
now() { date '+%F %T'; }

# The newest line that the outside's subscriber would get, as this guest's own subscriber (at the same broker, QoS 1) gets it.
outside() { mosquitto_sub -h localhost -p 8883 --cafile $STATE/ca.crt -u inside -P inside-secret "$@"; }
local_sub() { mosquitto_sub --unix /run/edgesparse/mqtt.sock "$@"; }
camera_state() { outside -t "edgesparse/+/cameras/$1/status" -C 1 -W 10 -V 5; }
camera_is() { camera_state "$1" | grep -q "\"state\":\"$2\""; }
seq_of() { sed -n 's/.*"seq":\([0-9]*\).*/\1/p'; }
