# After a reboot: everything by itself; then the package is removed, installed again and purged.

# The first camera comes after the service: its driver was not even loaded when that started.
modprobe vivid n_devs=1 node_types=0x1
check "reboot: ready by itself" until_true 90 ready
check "reboot: no failed start" test "$(restarts)" = 0
arrives() { outside -t 'edgesparse/appliance/cameras/front/classifications' -C 3 -W 60 | tail -n 1 | cut -c 1-160; }
check "reboot: results at mosquitto" arrives
started() { systemd-analyze; }
check "reboot: time to boot" started

stopped() { journalctl -u edgesparsed -n 30 -o cat --no-pager | grep -E '^stopped after'; }
systemctl stop edgesparsed
check "stop: drained" stopped
stop_message() { outside -t 'edgesparse/appliance/status' -C 1 -W 10; outside -t 'edgesparse/appliance/status' -C 1 -W 10 | grep -q '"state":"stopped"'; }
check "stop: said goodbye at mosquitto" stop_message
systemctl start edgesparsed

check "remove: dpkg -r" dpkg -r edgesparse
gone() { ! systemctl is-active -q edgesparsed && ! test -e /usr/bin/edgesparsed && test -e /etc/edgesparse/edgesparse.json && test -e /var/lib/edgesparse && echo "configuration and state kept"; }
check "remove: stopped, configuration and state kept" gone
check "reinstall: dpkg -i" dpkg --force-confold -i /opt/appliance/edgesparse-next.deb
check "reinstall: ready" until_true 60 ready
check "purge: dpkg -P" dpkg -P edgesparse
nothing() {
	local left
	left=$(ls -d /etc/edgesparse/edgesparse.json /var/lib/edgesparse /run/edgesparse /usr/share/edgesparse /usr/share/doc/edgesparse /etc/systemd/system/*/edgesparsed.service /etc/systemd/system/edgesparsed.service 2>/dev/null)
	[ -z "$left" ] && echo "nothing is left but the user and the administrator's own files: $(cd / && find etc/edgesparse -type f | paste -sd ' ')" && return
	echo "left: $left"
	return 1
}
check "purge: nothing is left" nothing

say "done"
sync
systemctl poweroff
