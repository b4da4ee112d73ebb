# GPIO lines of a USB adapter that a program plays: hid-cp2112 makes a real gpiochip of it.
modprobe uhid && modprobe hid-cp2112
mkfifo $STATE/gpio-in
./gpio-adapter <$STATE/gpio-in >$STATE/gpio-out 2>$STATE/gpio-error &
exec 9>$STATE/gpio-in
chip() { gpiodetect | grep cp2112; }
if until_true 15 chip >/dev/null; then
	check "gpio: the kernel makes a gpiochip" chip
else
	result FAIL "gpio: lines" "no gpiochip came of the adapter: $(cat $STATE/gpio-error | tail -n 1) $(dmesg | grep -iE 'cp2112|uhid|hid-generic' | tail -n 2 | paste -sd ';')"
	exec 9>&-
	return 0
fi
found() { gpiodetect | grep cp2112; ls -l /dev/gpiochip* | cut -c 1-60; [ "$(stat -c %G /dev/gpiochip0)" = gpio ]; }
check "gpio: it belongs to the group gpio" until_true 10 found
wiggled() {
	echo "1 3" >&9
	sleep 1
	echo "line 3 is $(gpioget cp2112_gpio 3) when driven high"
	[ "$(gpioget cp2112_gpio 3)" = 1 ] && gpioset cp2112_gpio 5=1 && grep -q '^5 1' $STATE/gpio-out
}
check "gpio: lines go in and out" wiggled

# ---- and the daemon's own rules on them ------------------------------------------------------------------------------
cat >/etc/edgesparse/conf.d/55-gpio.json <<'J'
{
  // The camera of the kernel shows nothing that a detector knows; the rendered street does.
  "cameras": { "street": { "enabled": true, "model": "/usr/share/edgesparse/models/street.esm", "fps": 2 } },
  "gpio": {
    "inputs": { "switch": { "line": "gpiochip0:3", "use": "arm", "cameras": ["street"] } },
    "outputs": { "lamp": { "line": "gpiochip0:6", "cameras": ["street"], "holdSeconds": 2 } },
  },
}
J
: >$STATE/gpio-out
systemctl restart edgesparsed
check "gpio: an output follows what is seen" until_true 60 grep -q '^6 1' $STATE/gpio-out
echo "0 3" >&9
disarmed() { grep -q '^6 0' $STATE/gpio-out; }
check "gpio: disarmed by an input, the output falls after its hold time" until_true 30 disarmed
still() { local a b; a=$(metric 'edgesparse_frames_total{camera="street",result="processed"}'); sleep 5; b=$(metric 'edgesparse_frames_total{camera="street",result="processed"}'); echo "$a frames, $b after 5 s"; [ "$a" = "$b" ]; }
check "gpio: a disarmed camera computes nothing" still
sleep 35
check "gpio: the watchdog knows a pause from a hang" test "$(restarts)" = 0
echo "1 3" >&9
check "gpio: armed again" until_true 30 ready
systemctl stop edgesparsed
released() { tail -n 1 $STATE/gpio-out; gpioinfo cp2112_gpio | grep 'line *6:' | grep unused; }
check "gpio: lines are off and free at the end" released
rm /etc/edgesparse/conf.d/55-gpio.json
systemctl start edgesparsed
check "gpio: ready without it" until_true 60 ready
