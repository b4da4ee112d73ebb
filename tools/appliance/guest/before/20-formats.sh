# Cameras in every layout that the kernel's can give.
modprobe vivid n_devs=7 node_types=0x1,0x1,0x1,0x1,0x1,0x1,0x1
check "camera: vivid makes seven" until_true 20 test -e /dev/video6

# All at once, and a control. Small and slow: six of them on an emulated processor.
cat >/etc/edgesparse/conf.d/60-formats.json <<'J'
{
  "model": "/opt/appliance/model.esm",
  "cameras": {
    "street": { "enabled": false },
    "nv12":  { "source": "v4l2:/dev/video1", "format": "nv12",  "width": 320, "height": 180, "fps": 2 },
    "yuyv":  { "source": "v4l2:/dev/video2", "format": "yuyv",  "width": 320, "height": 180, "fps": 2, "controls": { "brightness": 77, "contrast": 99 } },
    "yu12":  { "source": "v4l2:/dev/video3", "format": "yu12",  "width": 320, "height": 180, "fps": 2 },
    "rgb24": { "source": "v4l2:/dev/video4", "format": "rgb24", "width": 320, "height": 180, "fps": 2 },
    "bgr24": { "source": "v4l2:/dev/video5", "format": "bgr24", "width": 320, "height": 180, "fps": 2 },
    "grey":  { "source": "v4l2:/dev/video6", "format": "grey",  "width": 320, "height": 180, "fps": 2 },
  },
}
J
since=$(now)
systemctl restart edgesparsed
sees_all() { # results from every one of the cameras named
	local page name count
	page=$(get /metrics) || return 1
	for name in nv12 yuyv yu12 rgb24 bgr24 grey; do
		count=${page#*"edgesparse_frames_total{camera=\"$name\",result=\"processed\"} "}
		count=${count%%[!0-9]*}
		[ "${count:-0}" -ge 2 ] || { echo "$name: $(journal_since "$since" | grep "camera $name" | tail -n 1)"; return 1; }
	done
}
check "camera: six at once, NV12 YUYV YU12 RGB3 BGR3 GREY" until_true 120 sees_all
# The kernel keeps the controls; what follows is quicker without six cameras.
systemctl stop edgesparsed
journal_since "$since" >$STATE/formats.log
for layout in nv12 yuyv yu12 rgb24 bgr24 grey; do
	agreed() { grep -E "camera $layout: .* gives " $STATE/formats.log; }
	check "camera: format $layout" agreed
done
control() { local found; found=$(v4l2-ctl -d /dev/video2 --get-ctrl brightness,contrast | paste -sd ' '); echo "$found"; [ "$found" = 'brightness: 77 contrast: 99' ]; }
check "camera: controls are set" control
cat >/etc/edgesparse/conf.d/60-formats.json <<'J'
{
  "model": "/opt/appliance/model.esm",
  "cameras": {
    "street": { "enabled": false },
    "yuyv": { "source": "v4l2:/dev/video2", "format": "yuyv", "width": 320, "height": 180, "fps": 2, "controls": { "brightness": 7777 } },
  },
}
J
systemctl start edgesparsed
bad_control() { get "/healthz?verbose" | grep -oE 'control brightness = 7777, expected [^"]*'; }
check "camera: a control out of range is told" until_true 40 bad_control
rm /etc/edgesparse/conf.d/60-formats.json
