# The camera is unplugged, and its driver goes.
# What the daemon holds open, by kind; the spool's files come and go with what waits.
handles() {
	local of=/proc/$(main_pid)
	find "$of/fd" -type l -printf '%l\n' | grep -v /var/lib/edgesparse/spool | sed 's/:\[[0-9]*\]$//' | sort | uniq -c
	echo "$(grep -c 'dev/video' "$of/maps") maps of the camera"
}
before=$(handles)
pid=$(main_pid)
again() { camera_is front online && ready; }
for round in 1 2 3; do
	echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind
	gone() { camera_is front offline; }
	check "unplug $round: told at mosquitto" until_true 30 gone
	if [ $round = 1 ]; then
		unready() { get "/readyz?verbose" | grep -oE '"detail":"[^"]*"' | head -n 1; [ "$(curl -s -o /dev/null -w '%{http_code}' $HTTP/readyz)" = 503 ]; }
		check "unplug $round: not ready, with the reason" until_true 20 unready
	fi
	echo vivid.0 >/sys/bus/platform/drivers/vivid/bind
	check "unplug $round: results again after it is back" until_true 60 again
done
check "rmmod: the driver can go, nothing holds it" take_away
check "rmmod: told" until_true 30 gone
modprobe vivid n_devs=1 node_types=0x1
check "modprobe: results again" until_true 60 again
same() { diff <(echo "$before") <(handles) | paste -sd ' '; diff -q <(echo "$before") <(handles); }
check "unplug: no descriptor or map is left over" until_true 20 same
check "unplug: still the same process" test "$(main_pid)" = "$pid"
