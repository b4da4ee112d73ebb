# From a bare system to a configured appliance, and what may befall it.

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

# ---- installation ---------------------------------------------------------------------------------------------------
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

# ---- a wrong configuration ------------------------------------------------------------------------------------------
echo '{ "http": { "lisen": "127.0.0.1:9464" } }' >/etc/edgesparse/conf.d/99-wrong.json
systemctl restart edgesparsed 2>/dev/null
sleep 6
wrong() {
	local status
	status=$(systemctl show -p ActiveState,ExecMainStatus,NRestarts edgesparsed | paste -sd ' ')
	echo "$status"
	[[ $status == *ExecMainStatus=78* && $status == *ActiveState=failed* && $status == *NRestarts=0* ]] && journalctl -u edgesparsed -n 20 -o cat --no-pager | grep -q 'http:lisen'
}
check "configuration: a wrong one is said once, without a loop of restarts" wrong
rm /etc/edgesparse/conf.d/99-wrong.json
systemctl reset-failed edgesparsed

# ---- the camera -----------------------------------------------------------------------------------------------------
CAMERA=/dev/v4l/by-path/platform-vivid.0-video-index0
modprobe vivid n_devs=7 node_types=0x1,0x1,0x1,0x1,0x1,0x1,0x1
check "camera: vivid makes seven" until_true 20 test -e /dev/video6

# Each layout that the kernel's camera can give, and a control, all at once.
cat >/etc/edgesparse/conf.d/60-formats.json <<'J'
{
  "model": "/opt/appliance/model.esm",
  "cameras": {
    "street": { "enabled": false },
    "nv12":  { "source": "v4l2:/dev/video1", "format": "nv12",  "width": 640, "height": 360, "fps": 5 },
    "yuyv":  { "source": "v4l2:/dev/video2", "format": "yuyv",  "width": 640, "height": 360, "fps": 5, "controls": { "brightness": 77, "contrast": 99 } },
    "yu12":  { "source": "v4l2:/dev/video3", "format": "yu12",  "width": 320, "height": 180, "fps": 5 },
    "rgb24": { "source": "v4l2:/dev/video4", "format": "rgb24", "width": 320, "height": 180, "fps": 5 },
    "bgr24": { "source": "v4l2:/dev/video5", "format": "bgr24", "width": 320, "height": 180, "fps": 5 },
    "grey":  { "source": "v4l2:/dev/video6", "format": "grey",  "width": 320, "height": 180, "fps": 5 },
  },
}
J
since=$(now)
systemctl restart edgesparsed
sees_all() { # results from every one of the cameras named
	local name
	for name in nv12 yuyv yu12 rgb24 bgr24 grey; do
		[ "$(metric "edgesparse_frames_total{camera=\"$name\",result=\"processed\"}" | cut -d. -f1)" -ge 3 ] || { echo "$name: $(journal_since "$since" | grep "camera $name" | tail -n 1)"; return 1; }
	done
}
check "camera: six at once, NV12 YUYV YU12 RGB3 BGR3 GREY" until_true 120 sees_all
for layout in nv12 yuyv yu12 rgb24 bgr24 grey; do
	agreed() { journal_since "$since" | grep -E "camera $layout: .* gives "; }
	check "camera: format $layout" agreed
done
control() { v4l2-ctl -d /dev/video2 --get-ctrl brightness,contrast | paste -sd ' '; v4l2-ctl -d /dev/video2 --get-ctrl brightness,contrast | paste -sd ' ' | grep -q 'brightness: 77 contrast: 99'; }
check "camera: controls are set" control
sed -i 's/"brightness": 77/"brightness": 7777/' /etc/edgesparse/conf.d/60-formats.json
systemctl restart edgesparsed
bad_control() { get "/healthz?verbose" | grep -oE 'control brightness = 7777, expected [^"]*'; }
check "camera: a control out of range is told" until_true 40 bad_control
rm /etc/edgesparse/conf.d/60-formats.json

# ---- the appliance: camera and bridge -------------------------------------------------------------------------------
install -d -m 700 /etc/credstore
install -m 600 bridge-password /etc/credstore/mqtt.password
install -d -m 755 /etc/edgesparse/tls && cp tls/ca.crt /etc/edgesparse/tls/
cp 50-appliance.json /etc/edgesparse/conf.d/
systemctl stop edgesparsed
take_away() { # as a driver that goes: refused while a device is open, so the devices go first
	echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind
	until_true 30 rmmod vivid
}
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

# ---- unplugged ------------------------------------------------------------------------------------------------------
handles() { echo "$(ls "/proc/$(main_pid)/fd" | wc -l) descriptors, $(grep -c 'dev/video' "/proc/$(main_pid)/maps") maps"; }
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
same() { echo "$before before, $(handles) after"; [ "$(handles)" = "$before" ]; }
check "unplug: no descriptor or map is left over" until_true 20 same
same
check "unplug: still the same process" test "$(main_pid)" = "$pid"

# ---- a broker that is away ------------------------------------------------------------------------------------------
systemctl stop mosquitto
degraded() { get /readyz | grep -q degraded && ready; }
check "broker away: degraded, ready all the same" until_true 30 degraded
sleep 8
waiting() { get "/healthz?verbose" | grep -oE '"name":"spool"[^}]*'; }
check "broker away: results wait in the spool" waiting
systemctl start mosquitto
caught_up() { ready | grep -q '"status":"ok"' && [ "$(get '/healthz?verbose' | grep -oE '[0-9]+ results wait' | cut -d' ' -f1)" -lt 20 ]; }
check "broker back: the spool is emptied" until_true 90 caught_up

# ---- kill -9 --------------------------------------------------------------------------------------------------------
for round in 1 2 3; do
	last=$(local_sub -t 'edgesparse/appliance/cameras/front/classifications' -C 2 -W 30 | tail -n 1 | seq_of)
	# Durable within 100 ms; then it must arrive whatever happens.
	sleep 1
	say "acknowledged front $last"
	pid=$(main_pid)
	kill -9 "$pid"
	back() { [ "$(main_pid)" != "$pid" ] && [ "$(main_pid)" != 0 ] && ready; }
	check "kill -9 $round: ready again (result $last was acknowledged)" until_true 60 back
done

# ---- a process that does nothing any more ---------------------------------------------------------------------------
pid=$(main_pid)
kill -STOP "$pid"
woken() { [ "$(main_pid)" != "$pid" ] && ready; }
check "watchdog: a stopped process is replaced" until_true 75 woken
watchdog_said() { journalctl -u edgesparsed -o cat --no-pager | grep -m 1 -i 'watchdog timeout'; }
check "watchdog: systemd says so" watchdog_said
for part in parts/*.sh; do [ -e "$part" ] && . "$part"; done

# ---- upgrade --------------------------------------------------------------------------------------------------------
echo '// edited' >>/etc/edgesparse/edgesparse.json
pid=$(main_pid)
check "upgrade: dpkg -i of a newer version" dpkg --force-confold -i /opt/appliance/edgesparse-next.deb
upgraded() { [ "$(main_pid)" != "$pid" ] && ready; }
check "upgrade: ready" until_true 60 upgraded
kept() { tail -n 1 /etc/edgesparse/edgesparse.json; grep -q '// edited' /etc/edgesparse/edgesparse.json && test -e /etc/edgesparse/conf.d/50-appliance.json; }
check "upgrade: what was edited is kept" kept
memory() { grep VmHWM "/proc/$(main_pid)/status"; }
check "service: memory" memory

journalctl -u edgesparsed -o short-monotonic --no-pager >/dev/ttyS0

echo second >$STATE/phase
sync
say "reboot"
systemctl reboot
