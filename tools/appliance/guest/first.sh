# From a bare system to a configured appliance (before/ with the sample configuration, then camera and bridge), and what may befall it (parts/).
CAMERA=/dev/v4l/by-path/platform-vivid.0-video-index0
take_away() { # as a driver that goes: refused while a device is open, so the devices go first
	[ -e /sys/module/vivid ] || return 0
	echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind
	until_true 30 rmmod vivid
}

booted() { systemctl is-system-running | grep -qE 'running|degraded|starting'; }
check "boot: systemd is up" until_true 60 booted

# ---- the broker elsewhere: Debian's mosquitto, TLS, users, sessions that persist -----------------------------------
cp tls/* $STATE/ && chown mosquitto $STATE/server.key && chmod 755 $STATE
mosquitto_passwd -c -b /etc/mosquitto/passwords edgesparse "$(cat bridge-password)"
mosquitto_passwd -b /etc/mosquitto/passwords inside inside-secret
mosquitto_passwd -b /etc/mosquitto/passwords outside outside-secret
chown mosquitto /etc/mosquitto/passwords
cp mosquitto.conf /etc/mosquitto/conf.d/appliance.conf
systemctl restart mosquitto
broker() { outside -t '$SYS/broker/version' -C 1 -W 10; }
check "mosquitto: TLS and password" until_true 30 broker
say "broker ready"
# The subscriber outside keeps a session from before the first result on.
subscribed() { ss -Htn state established '( sport = :1884 )' | grep -q .; }
check "network: a subscriber outside the board is connected" until_true 60 subscribed

# ---- installation; the disk is thrown away, so dpkg need not wait for it ---------------------------------------------------------------------------------------------------
echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/appliance
check "package: dpkg -i" dpkg -i /opt/appliance/edgesparse.deb
check "package: service active after installation" until_true 60 active
check "package: enabled for the next boot" systemctl is-enabled edgesparsed
check "service: ready with the sample configuration" until_true 60 ready
service_user() { ps -o user= -p "$(main_pid)"; [ "$(ps -o user= -p "$(main_pid)")" = edgespa+ ] || [ "$(ps -o user= -p "$(main_pid)")" = edgesparse ]; }
check "service: runs as its own user" service_user
exposure() { systemd-analyze security --no-pager edgesparsed.service | tail -n 1 | grep -oE 'edgesparsed.service: [0-9.]+' | grep -E ' (0|1)\.[0-9]$'; }
check "service: exposure by systemd-analyze, at most 2.0" exposure
status_text() { systemctl show -p StatusText --value edgesparsed; systemctl show -p StatusText --value edgesparsed | grep -q 'street online'; }
check "service: status text" until_true 40 status_text
run_all before

# ---- the appliance: camera and bridge -------------------------------------------------------------------------------
install -d -m 700 /etc/credstore
install -m 600 bridge-password /etc/credstore/mqtt.password
install -d -m 755 /etc/edgesparse/tls && cp tls/ca.crt /etc/edgesparse/tls/
cp 50-appliance.json /etc/edgesparse/conf.d/
systemctl stop edgesparsed
take_away
modprobe vivid n_devs=1 node_types=0x1
check "camera: one, by a name that stays" until_true 20 test -e $CAMERA
check "configuration: one file more" edgesparsed --check-config --stateFolder=/tmp --bridge:passwordFile=/etc/credstore/mqtt.password
since=$(now)
systemctl start edgesparsed
check "service: ready with camera and bridge" until_true 60 ready
arrives() { outside -t 'edgesparse/appliance/cameras/front/classifications' -C 3 -W 60 | tail -n 1 | cut -c 1-160; }
check "bridge: results at mosquitto over TLS, password from a credential" arrives
online() { camera_is front online; }
check "camera: online at mosquitto" until_true 10 online
negotiated() { journal_since "$since" | grep -E 'camera front: .* gives '; }
check "camera: format chosen by itself" negotiated
metric_up() { get /metrics | grep -c '^edgesparse_'; }
check "health: metrics" metric_up

run_all parts

journalctl -u edgesparsed -o short-monotonic --no-pager >/dev/ttyS0

sync
if [ -e selected ]; then
	say "done"
	systemctl poweroff
	return
fi
echo second >$STATE/phase
say "reboot"
systemctl reboot
